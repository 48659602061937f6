"""D04: villagers' questions that nobody answered by their day; raised and cleared by the clock, whatever came first."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from itertools import permutations
from typing import Any
from uuid import UUID, uuid5

import asyncpg
import pytest

from services.audit.commands import replay
from services.audit.visit import Bench
from services.contracts.alert import AlertCleared, AlertRaised
from services.contracts.base import Event, Sealed
from services.contracts.disclosure import AnswerGiven, AnswerHandedUp, AnswerHidden
from services.contracts.question import QuestionAsked, QuestionUnclear, make_ref
from tests import builders
from tests.audit.conftest import Alerts
from tests.audit.events import at
from tests.audit.test_pages import page
from tests.conftest import Served

Tick = Callable[[], Awaitable[None]]
NAME = UUID("01a1b2c4-5d6e-7f80-9a1b-2c3d4e5f6071")
NOTHING = Sealed(nonce="AAAA", ciphertext="AAAA")
ASKED = at("2026-11-24 02:00")
#: The first instant after Friday 27 November in Gaizhou, and after Friday 11 December.
LATE, LATER = at("2026-11-27 16:00"), at("2026-12-11 16:00")


class Question:
    """One question's life; every step makes the event of it. Without an item it is about the village."""

    def __init__(self, item: str | None = "F01", number: int = 1) -> None:
        self.id = str(uuid5(NAME, f"{item} {number}"))
        period = "2026-10" if item is not None else None
        self._cell = {"item": item, "period": period, "asked_at": ASKED, "ref": make_ref(number)}
        self._versions = {"question": 0, "answer": 0}

    def _frame(self, moment: datetime, of: str) -> dict[str, Any]:
        self._versions[of] += 1
        version = self._versions[of]
        stamp = builders.stamp(self.id, version, builders.VILLAGE, moment)
        return {**stamp, "event_id": uuid5(NAME, f"{self.id} {of} {version}"), **self._cell}

    def asked(self) -> Event:
        more = {"kind": "doubt", "shows": "answer", "paper": None, "disclosure": None, "edition": None, "line": None}
        clock = {"due": date(2026, 11, 27), "holder": "village"}
        return QuestionAsked(**self._frame(ASKED, "question"), **clock, **more, sealed=NOTHING, contact=None)

    def unclear(self, moment: datetime, number: int = 1) -> Event:
        clock = {"due": date(2026, 12, 11), "holder": "township"}
        return QuestionUnclear(**self._frame(moment, "question"), **clock, round=number, sealed=NOTHING)

    def answered(self, moment: datetime, number: int = 0) -> Event:
        return AnswerGiven(**self._frame(moment, "answer"), round=number, by="village", sealed=NOTHING)

    def handed_up(self, moment: datetime) -> Event:
        return AnswerHandedUp(**self._frame(moment, "answer"), round=0, due=date(2026, 12, 11))

    def hidden(self, moment: datetime) -> Event:
        return AnswerHidden(**self._frame(moment, "answer"), round=0, reason="与村务无关")


async def states(alerts: Alerts) -> list[tuple[str, int, int]]:
    return [(a["state"], a["level"], a["episode"]) for a in await alerts(rule="D04")]


@pytest.mark.parametrize("item", ["F01", None], ids=["a cell", "a village"])
async def test_a_question_without_an_answer_is_an_alert_from_the_first_instant_after_its_day(
    audit: Served, alerts: Alerts, tick: Tick, item: str | None
) -> None:
    q = Question(item)
    await audit.hear(q.asked())
    for moment, found in ((at("2026-11-27 15:59"), []), (LATE, [("open", 2, 1)])):
        audit.clock.at = moment
        await tick()
        assert await states(alerts) == found
    (alert,) = await alerts(rule="D04")
    subject = alert["subject"]
    assert (subject["question"], subject["item"], subject["period"]) == (q.id, item, item and "2026-10")
    raised = [AlertRaised.model_validate_json(t) for t in await audit.said("alert.raised.v1")]
    assert [r.subject.question for r in raised if r.rule == "D04"] == [q.id]
    await audit.hear(q.answered(at("2026-11-29 02:00")))
    audit.clock.at = at("2026-11-29 02:00")
    await tick()
    assert await states(alerts) == [("cleared", 2, 1)]
    cleared = [AlertCleared.model_validate_json(t) for t in await audit.said("alert.cleared.v1")]
    assert [c.subject.question for c in cleared if c.rule == "D04"] == [q.id]


async def test_answered_on_the_last_minute_of_the_day_is_in_time(audit: Served, alerts: Alerts, tick: Tick) -> None:
    q = Question()
    await audit.hear(q.asked(), q.answered(at("2026-11-27 15:59")))
    audit.clock.at = LATE
    await tick()
    assert await states(alerts) == []


async def test_handed_up_the_townships_days_count_and_an_unclear_answer_begins_anew(
    audit: Served, alerts: Alerts, tick: Tick
) -> None:
    q = Question()
    await audit.hear(q.asked())
    audit.clock.at = LATE
    await tick()
    await audit.hear(q.handed_up(LATE))
    await tick()
    assert await states(alerts) == [("cleared", 2, 1)]
    audit.clock.at = LATER
    await tick()
    assert await states(alerts) == [("open", 2, 2)]
    await audit.hear(q.answered(LATER), q.unclear(LATER))
    audit.clock.at = at("2026-12-11 16:01")
    await tick()
    # Its new day is over already: the same subject, one more time.
    assert (await states(alerts))[0][0] == "open"
    await audit.hear(q.answered(at("2026-12-12 02:00"), 1))
    await tick()
    assert (await states(alerts))[0][0] == "cleared"


async def test_a_hidden_question_is_nobodys_to_answer(audit: Served, alerts: Alerts, tick: Tick) -> None:
    q = Question()
    await audit.hear(q.asked(), q.hidden(at("2026-11-25 02:00")))
    audit.clock.at = LATE
    await tick()
    assert await states(alerts) == []


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
async def test_two_topics_may_tell_it_in_any_order(
    audit: Served, alerts: Alerts, tick: Tick, order: tuple[int, ...]
) -> None:
    q = Question()
    way = [q.asked(), q.answered(at("2026-11-26 02:00")), q.unclear(at("2026-11-27 02:00")), q.answered(LATE, 1)]
    audit.clock.at = LATER
    for n in order:
        await audit.hear(way[n], way[n])
        await tick()
    await tick()
    assert [s for s, _, _ in await states(alerts)] in ([], ["cleared"])
    bench = Bench(audit.runtime.reference, audit.runtime.settings, LATER)
    assert [d for d in await replay(audit.runtime.database, bench, None) if d.verdict != "same"] == []


async def test_the_grid_says_questioned_and_how_late_all_the_same(audit: Served) -> None:
    async def cells() -> dict[str, int]:
        path = f"/audit/v1/coverage?division={builders.VILLAGE}&period=2026-10"
        found = (await audit.client.get(path, headers=audit.bearer("inspector-210881"))).json()["items"]
        (of,) = [c for c in found if c["item"] == "F01"]
        return {**of["states"], "late_days": of["late_days"]}

    before = await cells()
    assert before == {"not_opened": 1, "late_days": 8}
    q = Question()
    await audit.hear(q.asked(), Question(None).asked())
    assert await cells() == {"questioned": 1, "late_days": 8}
    await audit.hear(q.answered(at("2026-11-24 03:00")))
    assert await cells() == before


async def test_audit_keeps_ids_and_days_and_shows_where_the_question_is(
    audit: Served, admin: asyncpg.Connection, tick: Tick, alerts: Alerts
) -> None:
    q = Question()
    await audit.hear(q.asked())
    audit.clock.at = LATE
    await tick()
    rows = await admin.fetch("SELECT data::text AS d FROM audit.fact")
    assert [r["d"] for r in rows] == ['{"due": "2026-11-27", "round": 0, "holder": "village"}']
    (alert,) = await alerts(rule="D04")
    _, text = await page(audit, f"/inspect/alerts/{alert['id']}")
    assert f'href="/q/{q.id}"' in text
    assert "答复期限" in text
    assert "/d/" not in text
    assert "村民的提问过了期限仍没有答复" in (await page(audit, "/inspect"))[1]
