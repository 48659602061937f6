"""Deadlines by the clock. October 2026's ledger is due on Monday 16 November, for the 15th is a Sunday."""

import json
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from services.contracts.base import Event
from services.contracts.division import DivisionKind, DivisionSet
from services.kit import reference
from tests import builders
from tests.audit.conftest import Alerts
from tests.audit.events import Disclosure, at, give_keys, ledger
from tests.builders import FAR_VILLAGE, NEIGHBOUR, VILLAGE, ZONE
from tests.conftest import Served

Tick = Callable[[], Awaitable[None]]
OCTOBER = {"rule": "D01", "village": VILLAGE}


async def october(alerts: Alerts, **query: str) -> list[tuple[str, int, str]]:
    """Period October's D01 of the test village: state, level, sentence."""
    found = await alerts(**{**OCTOBER, **query})
    return [(a["state"], a["level"], a["sentence"]) for a in found if a["subject"]["period"] == "2026-10"]


LATE = "F01 2026-10 最迟应于 2026-11-16 公开，至今没有公开，办理环节在村（社区）。"


async def test_nothing_is_late_at_23_59_59_and_all_is_at_midnight(audit: Served, alerts: Alerts, tick: Tick) -> None:
    audit.clock.at = at("2026-11-16 15:59:59")
    await tick()
    assert await october(alerts) == []
    audit.clock.advance(seconds=1)
    await tick()
    assert await october(alerts) == [("open", 1, LATE)]
    assert len([e for e in await audit.said("alert.raised.v1") if '"2026-10"' in e and "D01" in e]) == 3


async def test_a_due_day_on_a_sunday_moves_to_monday(audit: Served, alerts: Alerts, tick: Tick) -> None:
    audit.clock.at = at("2026-11-15 16:00")
    await tick()
    assert await october(alerts) == []


@pytest.mark.parametrize(
    ("moment", "level"),
    [
        ("2026-11-26 15:59:59", 1),
        ("2026-11-26 16:00:00", 2),
        ("2026-12-16 15:59:59", 2),
        ("2026-12-16 16:00:00", 3),
    ],
)
async def test_the_level_follows_the_days(audit: Served, alerts: Alerts, tick: Tick, moment: str, level: int) -> None:
    audit.clock.at = at(moment)
    await tick()
    assert await october(alerts) == [("open", level, LATE)]


async def test_a_rising_level_is_the_same_episode_and_is_said(audit: Served, alerts: Alerts, tick: Tick) -> None:
    for moment in ("2026-11-17 02:00", "2026-11-20 02:00", "2026-11-27 02:00", "2026-12-20 02:00", "2027-03-01 02:00"):
        audit.clock.at = at(moment)
        await tick()
    raised = [json.loads(e) for e in await audit.said("alert.raised.v1")]
    mine = [e for e in raised if e["village_code"] == VILLAGE and e["subject"]["period"] == "2026-10"]
    mine = [e for e in mine if e["rule"] == "D01"]
    assert [(e["level"], e["episode"], e["raised_at"]) for e in mine] == [
        (1, 1, "2026-11-17T02:00:00Z"),
        (2, 1, "2026-11-17T02:00:00Z"),
        (3, 1, "2026-11-17T02:00:00Z"),
    ]


async def test_publishing_late_clears_and_publishing_in_time_never_raises(
    audit: Served, alerts: Alerts, tick: Tick
) -> None:
    late, early = Disclosure(VILLAGE), Disclosure(NEIGHBOUR)
    await audit.hear(early.published(at("2026-11-10 02:00")))
    audit.clock.at = at("2026-11-18 02:00")
    await tick()
    assert await october(alerts, village=NEIGHBOUR) == []
    assert [s for s, _, _ in await october(alerts)] == ["open"]
    event = late.published(at("2026-11-19 02:00"))
    await audit.hear(event)
    assert [s for s, _, _ in await october(alerts)] == ["cleared"]
    cleared = [json.loads(e) for e in await audit.said("alert.cleared.v1")]
    assert {(e["rule"], e["cleared_by"]) for e in cleared} == {
        ("D01", str(event.event_id)),
        ("D02", str(event.event_id)),
    }
    audit.clock.advance(days=40)
    await tick()
    assert [s for s, _, _ in await october(alerts)] == ["cleared"]


async def test_withdrawing_after_the_deadline_opens_the_next_episode(audit: Served, alerts: Alerts, tick: Tick) -> None:
    audit.clock.at = at("2026-11-18 02:00")
    await tick()
    d = Disclosure()
    await audit.hear(d.published(at("2026-11-18 02:00")))
    audit.clock.advance(days=1)
    await audit.hear(d.withdrawn(at("2026-11-19 02:00")))
    await tick()
    [alert] = [a for a in await alerts(**OCTOBER) if a["subject"]["period"] == "2026-10"]
    assert (alert["state"], alert["episode"]) == ("open", 2)


async def test_lateness_is_charged_to_whoever_holds_the_paper(audit: Served, alerts: Alerts, tick: Tick) -> None:
    d = Disclosure()
    await audit.hear(d.submitted(at("2026-11-09 02:00")), d.confirmed(at("2026-11-10 02:00")))
    audit.clock.at = at("2026-11-17 02:00")
    await tick()
    assert (await october(alerts))[0][2].endswith("办理环节在镇街。")
    await audit.hear(d.returned(at("2026-11-17 02:00")))
    await tick()
    assert await october(alerts) == [("open", 1, LATE)]


async def test_a_first_opinion_of_several_is_not_yet_with_the_township(
    audit: Served, alerts: Alerts, tick: Tick
) -> None:
    d = Disclosure()
    await audit.hear(d.submitted(at("2026-11-09 02:00")), d.confirmed(at("2026-11-10 02:00"), complete=False))
    audit.clock.at = at("2026-11-17 02:00")
    await tick()
    assert await october(alerts) == [("open", 1, LATE)]


async def test_periods_before_the_duties_and_zones_are_never_late(audit: Served, alerts: Alerts, tick: Tick) -> None:
    # Duties since 1 September plus ten days: August's ledger (due 15 September) is the first that counts.
    await tick()
    found = {(a["village"], a["subject"]["period"]) for a in await alerts(rule="D01")}
    villages = (VILLAGE, NEIGHBOUR, FAR_VILLAGE)
    assert found == {(v, p) for v in villages for p in ("2026-08", "2026-09", "2026-10")}
    assert not any(v == ZONE for v, _ in found)


async def set_start(audit: Served, day: str) -> None:
    """Move the start of all duties."""
    city = builders.division(
        builders.CITY, "盖州市", DivisionKind.CITY, None, sample=True, duties_from=day, profile="default"
    )
    event: Event = DivisionSet(**builders.stamp(builders.CITY), division=city)
    async with audit.runtime.database.transaction() as conn:
        await reference.project(conn, event)
    await audit.runtime.reference.refresh()


@pytest.mark.parametrize(("start", "periods"), [("2026-11-06", {"2026-10"}), ("2026-11-07", set())])
async def test_the_first_due_day_is_at_least_ten_days_after_the_start(
    audit: Served, alerts: Alerts, tick: Tick, start: str, periods: set[str]
) -> None:
    await tick()
    await set_start(audit, start)
    try:
        await tick()
        still = {a["subject"]["period"] for a in await alerts(rule="D01", state="open")}
        assert still == periods
    finally:
        await set_start(audit, "2026-09-01")


async def test_a_look_with_nothing_due_writes_nothing(audit: Served, tick: Tick, admin: asyncpg.Connection) -> None:
    await tick()
    before = await admin.fetch("SELECT xmin::text AS x FROM audit.deadline ORDER BY 1")
    await tick()
    assert await admin.fetch("SELECT xmin::text AS x FROM audit.deadline ORDER BY 1") == before


async def test_two_looks_at_once_raise_each_alert_once(audit: Served, alerts: Alerts, tick: Tick) -> None:
    import asyncio  # noqa: PLC0415 - read beside its use

    await asyncio.gather(tick(), tick(), tick())
    await tick()
    assert len(await alerts(rule="D01")) == 9
    assert len(await alerts(rule="D02")) == 6
    assert len(await audit.said("alert.raised.v1")) == 15


async def test_a_published_ledger_still_shows_its_arithmetic(audit: Served, alerts: Alerts, tick: Tick) -> None:
    d = Disclosure()
    await give_keys(audit, d)
    await audit.hear(d.published(at("2026-11-10 02:01")), d.approved(ledger(closing=1), at("2026-11-10 02:00")))
    await tick()
    assert await october(alerts) == []
    assert [a["rule"] for a in await alerts(village=VILLAGE) if a["subject"]["period"] == "2026-10"] == ["A03"]
