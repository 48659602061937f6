"""What members of staff did: accounts reset and used, many withdrawals; judged the same whichever was heard first."""

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from services.contracts.staff import Reset, StaffSet
from services.kit import reference
from tests import builders
from tests.audit.events import Disclosure, at, give_keys, ledger
from tests.audit.test_pages import page
from tests.builders import VILLAGE
from tests.conftest import Served

CLERK, SUPERVISOR = builders.staff_id("clerk-210881006206"), builders.staff_id("supervisor-210881006206")
REVIEWER = builders.staff_id("reviewer-210881006")
RESET_AT = at("2026-11-08 02:00")


def reset_of(username: str, by: str = REVIEWER, moment: datetime = RESET_AT, version: int = 2) -> StaffSet:
    """The registry's word that somebody gave an account a new password."""
    [known] = [e.staff for e in builders.reference_events() if isinstance(e, StaffSet) and e.staff.username == username]
    staff = known.model_copy(update={"resets": (Reset(by=by, at=moment),)})
    return StaffSet(**builders.stamp(staff.staff_id, version), staff=staff)


def let_out(d: Disclosure, *, submitted: datetime, approved: datetime, by: str = REVIEWER) -> list[Any]:
    """A disclosure's way: handed in by the clerk's account, confirmed by the supervisor's, let out by a reviewer."""
    return [
        d.submitted(submitted),
        d.confirmed(submitted + timedelta(hours=1)).model_copy(update={"actor_id": SUPERVISOR}),
        d.approved(ledger(), approved, submitted).model_copy(update={"actor_id": by, "submitted_by": CLERK}),
    ]


async def alerts_of(audit: Served, rule: str) -> list[tuple[int, str]]:
    answer = await audit.client.get(f"/audit/v1/alerts?rule={rule}", headers=audit.bearer("inspector-210881"))
    return [(a["level"], a["state"]) for a in answer.json()["items"]]


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
@pytest.mark.parametrize(("username", "level"), [("clerk-210881006206", 3), ("supervisor-210881006206", 2)])
async def test_a_reset_account_that_spoke_before_its_resetter_let_out_is_an_alert_in_any_order(
    audit: Served, order: tuple[int, ...], username: str, level: int
) -> None:
    d = Disclosure(VILLAGE)
    await give_keys(audit, d)
    way = let_out(d, submitted=at("2026-11-09 02:00"), approved=at("2026-11-10 02:00"))
    # A service hears its partition in order; the topic of staff comes whenever it comes.
    moments = [way[:1], way[1:2], way[2:]]
    heard = [[reset_of(username)], *moments] if order[0] == 0 else [*moments, [reset_of(username)]]
    if order[0] == 1:
        heard = [moments[0], [reset_of(username)], *moments[1:]]
    for events in heard:
        await audit.hear(*events)
    assert await alerts_of(audit, "D11") == [(level, "open")]


@pytest.mark.parametrize(
    ("by", "moment"),
    [
        (builders.staff_id("operator"), RESET_AT),
        (REVIEWER, at("2026-11-09 05:00")),
        (REVIEWER, at("2026-10-09 02:00")),
    ],
)
async def test_a_reset_by_others_after_the_use_or_long_ago_is_none(audit: Served, by: str, moment: datetime) -> None:
    d = Disclosure(VILLAGE)
    await give_keys(audit, d)
    way = let_out(d, submitted=at("2026-11-09 02:00"), approved=at("2026-11-10 02:00"))
    await audit.hear(reset_of("clerk-210881006206", by, moment), *way)
    assert await alerts_of(audit, "D11") == []


async def test_inspectors_see_resets_and_one_of_an_inspector_at_once_on_top(audit: Served) -> None:
    operator = builders.staff_id("operator")
    events = (
        reset_of("clerk-210881006206"),
        reset_of("inspector-210881006", operator, audit.clock.now() - timedelta(days=1)),
    )
    async with audit.runtime.database.transaction() as conn:
        for event in events:
            await reference.project(conn, event)
    await audit.runtime.reference.refresh()
    await audit.hear(*events, *events)
    _, text = await page(audit, "/inspect/resets")
    assert text.count("<tr><td>") == 2
    assert "reviewer-210881006" in text
    _, front = await page(audit, "/inspect")
    assert front.count("的密码在") == 1
    assert "inspector-210881006（西海街道的纪检监察干部）的密码在" in front
    _, department = await page(audit, "/inspect/resets", "department-210881-finance")
    assert "没有重置过密码" in department
    told = await audit.client.get("/audit/v1/resets", headers=audit.bearer("inspector-210881006"))
    assert {(r["account_name"], r["by_name"]) for r in told.json()["items"]} == {
        ("clerk-210881006206", "reviewer-210881006"),
        ("inspector-210881006", "operator"),
    }


def taken_back(d: Disclosure, moment: datetime, recent: int) -> Any:
    return d.withdrawn(moment).model_copy(update={"recent": recent, "actor_id": REVIEWER})


async def test_the_fifth_withdrawal_of_one_person_is_an_alert_and_the_fourth_is_none(audit: Served) -> None:
    fourth, fifth = Disclosure(VILLAGE, "2026-09"), Disclosure(VILLAGE)
    await give_keys(audit, fourth, fifth)
    for d, recent in ((fourth, 4), (fifth, 5)):
        await audit.hear(d.approved(ledger(), at("2026-11-10 02:00")), taken_back(d, at("2026-11-11 02:00"), recent))
    assert await alerts_of(audit, "D12") == [(3, "open")]


@pytest.mark.parametrize(("closing", "expected"), [(98_600, [(2, "open")]), (98_500, [])])
async def test_what_comes_back_after_a_withdrawal_with_other_figures_is_an_alert(
    audit: Served, closing: int, expected: list[tuple[int, str]]
) -> None:
    first, second = Disclosure(VILLAGE), Disclosure(VILLAGE, number=2)
    await give_keys(audit, first, second)
    await audit.hear(first.approved(ledger(), at("2026-11-10 02:00")), taken_back(first, at("2026-11-11 02:00"), 1))
    await audit.hear(second.approved(ledger(closing=closing), at("2026-11-12 02:00")))
    assert await alerts_of(audit, "D12") == expected
