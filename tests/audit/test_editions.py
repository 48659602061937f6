"""Corrections and approvals as audit hears them: silent changes and self-review, in any order and repeated."""

from typing import Any

import pytest

from services.contracts.base import Event
from tests.audit.conftest import Alerts
from tests.audit.events import Disclosure, at, give_keys, ledger
from tests.conftest import Served

CHANGED = ledger(closing=108_500, totals=(70_000, 81_500))


def let_out(edition: int, body: dict[str, Any], **changes: object) -> Event:
    """An approved edition with some of its event told otherwise."""
    d = Disclosure()
    d.edition = edition
    for _ in range(edition - 1):
        d._version += 1
    return d.approved(body, at(f"2026-11-1{edition} 02:00")).model_copy(update=changes)


async def hear(audit: Served, *events: Event) -> None:
    await give_keys(audit, Disclosure())
    await audit.hear(*events)


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (1, 0, 1, 0)])
async def test_figures_that_changed_without_a_note_are_told(
    audit: Served, alerts: Alerts, order: tuple[int, ...]
) -> None:
    said = (let_out(1, ledger()), let_out(2, CHANGED, noted=False))
    await hear(audit, *(said[n] for n in order))
    found = await alerts(rule="D07", state="open")
    assert [(a["level"], a["sentence"]) for a in found] == [(2, "第 2 版改动了已公开的数字，没有写更正说明。")]


async def test_an_edition_is_called_by_the_number_that_villagers_know(audit: Served, alerts: Alerts) -> None:
    # Savings at the desk lie between the two that became public.
    await hear(audit, let_out(2, ledger()), let_out(5, CHANGED, noted=False))
    found = await alerts(rule="D07", state="open")
    assert [a["sentence"] for a in found] == ["第 2 版改动了已公开的数字，没有写更正说明。"]


async def test_a_noted_change_and_a_change_of_words_alone_pass(audit: Served, alerts: Alerts) -> None:
    words = ledger()
    words["lines"][0]["summary"] = "修村部水管"
    await hear(audit, let_out(1, ledger()), let_out(2, words, noted=False), let_out(3, CHANGED, noted=True))
    assert await alerts(rule="D07") == []


async def test_a_later_note_does_not_clear_a_silent_change(audit: Served, alerts: Alerts) -> None:
    await hear(audit, let_out(1, ledger()), let_out(2, CHANGED, noted=False), let_out(3, ledger(), noted=True))
    assert len(await alerts(rule="D07", state="open")) == 1


@pytest.mark.parametrize(
    ("changes", "levels"),
    [
        ({}, [3]),
        ({"delegation": "西海街道〔2026〕12号"}, [1]),
        ({"release": "file"}, []),
        ({"actor_id": "somebody else"}, []),
        ({"actor_id": None}, []),
    ],
)
async def test_who_hands_in_and_approves(
    audit: Served, alerts: Alerts, changes: dict[str, object], levels: list[int]
) -> None:
    await hear(audit, let_out(1, ledger(), **{"actor_id": "clerk", **changes}))
    assert [a["level"] for a in await alerts(rule="D10")] == levels


async def test_the_document_of_a_delegation_is_in_the_evidence(audit: Served, alerts: Alerts) -> None:
    await hear(audit, let_out(1, ledger(), actor_id="clerk", delegation="西海街道〔2026〕12号"))
    found = (await alerts(rule="D10"))[0]
    answer = await audit.client.get(f"/audit/v1/alerts/{found['id']}", headers=audit.bearer("inspector-210881"))
    assert "委托文件：西海街道〔2026〕12号" in answer.json()["evidence"]["steps"]
