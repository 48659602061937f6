"""The chain of balances from period to period: what a form begins with, what is found before and after, who sees it."""

from typing import Any

import pytest

from tests import builders
from tests.ingest.conftest import CLERK, PATH, REVIEWER, SUPERVISOR, Month

Accounts = dict[str, tuple[int, int]]


def ledger(accounts: Accounts) -> dict[str, Any]:
    """A ledger without lines; what its accounts gained or lost is a finding of its own."""
    listed = [{"account": a, "opening_fen": o, "closing_fen": c} for a, (o, c) in accounts.items()]
    return builders.ledger(accounts=listed, lines=[], totals=None)


async def public(month: Month, period: str, accounts: Accounts) -> str:
    """A ledger that everybody can read, whatever was found in it."""
    made = await month.draft(period=period, body=ledger(accounts))
    await handed_in(month, made)
    await month.step(made, "confirm", SUPERVISOR)
    await month.step(made, "approve", REVIEWER)
    await month.published(made)
    return made


async def handed_in(month: Month, made: str) -> None:
    detail = await month.done("GET", f"{PATH}/{made}", CLERK)
    accept = [{"finding": f, "reason": "原件如此"} for f in detail["findings"]]
    await month.step(made, "submit", CLERK, detail["version"], accept=accept)


async def form(month: Month, period: str, shape: str = "") -> str:
    answer = await month.served.client.get(
        "/desk/form",
        params={"village": builders.VILLAGE, "item": "F01", "period": period, "shape": shape},
        headers={**month.served.bearer(CLERK), "accept": "text/html"},
    )
    assert answer.status_code == 200
    return answer.text


async def page(month: Month, made: str, user: str) -> str:
    headers = {**month.served.bearer(user), "accept": "text/html"}
    return (await month.served.client.get(f"/desk/disclosures/{made}", headers=headers)).text


async def found(month: Month, made: str) -> list[tuple[str, str]]:
    detail = await month.done("GET", f"{PATH}/{made}", CLERK)
    return [(f["code"], f["at"]) for f in detail["findings"] if f["code"] != "ledger.closing"]


# -- what a period begins with ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["", "1"])
async def test_a_period_filled_in_afterwards_does_not_begin_with_what_a_later_one_ended_with(
    month: Month, shape: str
) -> None:
    await public(month, "2026-10", {"cash": (54_036, 57_317), "bank": (62_997_675, 28_805_352)})
    text = await form(month, "2026-09", shape)
    assert "573.17" not in text
    assert "288,053.52" not in text
    assert "288053.52" not in text
    assert "沿用上月格式" not in text


@pytest.mark.parametrize("shape", ["", "1"])
async def test_a_period_begins_with_the_closing_of_the_nearest_one_before(month: Month, shape: str) -> None:
    await public(month, "2026-07", {"cash": (100, 100)})
    await public(month, "2026-08", {"cash": (100, 71_234)})
    await public(month, "2026-10", {"cash": (999_900, 999_900)})
    assert 'name="accounts.0.opening_fen" value="712.34"' in await form(month, "2026-09", shape)


async def test_a_draft_and_a_returned_ledger_before_are_begun_from_too(month: Month) -> None:
    await month.draft(period="2026-08", body=ledger({"cash": (4_321, 4_321)}))
    assert 'name="accounts.0.opening_fen" value="43.21"' in await form(month, "2026-09")


async def test_what_was_withdrawn_is_not_begun_from(month: Month) -> None:
    await public(month, "2026-07", {"cash": (111, 111)})
    gone = await public(month, "2026-08", {"cash": (111, 222)})
    await month.step(gone, "withdraw", REVIEWER, reason="录错了村")
    assert 'name="accounts.0.opening_fen" value="1.11"' in await form(month, "2026-09")


async def test_nothing_happened_is_said_with_the_balances_of_before_alone(month: Month) -> None:
    await public(month, "2026-08", {"cash": (500, 700)})
    await public(month, "2026-10", {"cash": (54_036, 56_636)})
    cell = {"village": builders.VILLAGE, "item": "F01", "period": "2026-09"}
    made = await month.done("POST", f"{PATH}/nil", CLERK, cell)
    detail = await month.done("GET", f"{PATH}/{made['id']}", CLERK)
    assert detail["body"]["accounts"] == [{"account": "cash", "opening_fen": 700, "closing_fen": 700}]
    assert await found(month, made["id"]) == [("ledger.next_opening", "body.accounts[0].closing_fen")]


async def test_nothing_happened_cannot_be_said_when_only_a_later_ledger_is_there(month: Month) -> None:
    await public(month, "2026-10", {"cash": (54_036, 56_636)})
    cell = {"village": builders.VILLAGE, "item": "F01", "period": "2026-09"}
    problem = await month.refused(422, "nothing_to_state", "POST", f"{PATH}/nil", CLERK, cell)
    assert "没有录入过更早一期的账" in problem["detail"]
    assert await month.rows("SELECT 1 FROM disclosure WHERE period = '2026-09'") == []


# -- both ways ----------------------------------------------------------------------------------------------------


async def test_a_period_filled_in_between_ties_to_both_sides(month: Month) -> None:
    await public(month, "2026-08", {"cash": (100, 200)})
    await public(month, "2026-10", {"cash": (54_654, 54_654)})
    made = await month.draft(period="2026-09", body=ledger({"cash": (150, 143_174)}))
    assert await found(month, made) == [
        ("ledger.opening", "body.accounts[0].opening_fen"),
        ("ledger.next_opening", "body.accounts[0].closing_fen"),
    ]
    for user in (CLERK, REVIEWER):
        text = await page(month, made, user)
        assert "库存现金：2026年10月的期初是 546.54，和这里的期末 1,431.74 差 885.20元，请核对。" in text
        assert "库存现金：2026年8月的期末是 2.00，这里的期初写 1.50，差 0.50元，请核对。" in text
    problem = await month.ask("POST", f"{PATH}/{made}/submit", CLERK, {"version": 1})
    assert problem.json()["code"] == "unexplained_findings"


async def test_a_period_that_ties_to_both_sides_has_nothing_found(month: Month) -> None:
    await public(month, "2026-08", {"cash": (100, 200)})
    await public(month, "2026-10", {"cash": (300, 300)})
    made = await month.draft(period="2026-09", body=ledger({"cash": (200, 300)}))
    assert await found(month, made) == []


async def test_what_came_in_between_after_it_was_handed_in_is_shown_to_the_reviewer(month: Month) -> None:
    later = await month.draft(period="2026-10", body=ledger({"cash": (300, 300)}))
    await handed_in(month, later)
    await month.step(later, "confirm", SUPERVISOR)
    assert await found(month, later) == []
    await public(month, "2026-09", {"cash": (200, 250)})
    text = await page(month, later, REVIEWER)
    assert "库存现金：2026年9月的期末是 2.50，这里的期初写 3.00，差 0.50元" in text
    assert "没有说明：" in text


async def test_the_reviewers_list_tells_what_there_is_to_look_at(month: Month) -> None:
    headers = {**month.served.bearer(REVIEWER), "accept": "text/html"}
    clean = await month.draft(period="2026-08", body=ledger({"cash": (300, 300)}))
    await handed_in(month, clean)
    await month.step(clean, "confirm", SUPERVISOR)
    assert "处要看" not in (await month.served.client.get("/desk", headers=headers)).text
    made = await month.draft(period="2026-09", body=ledger({"cash": (200, 250), "bank": (7, 7)}))
    await handed_in(month, made)
    await month.step(made, "confirm", SUPERVISOR)
    # Opening, a new bank account, a closing that its lines do not make; and August's closing seen from there.
    text = (await month.served.client.get("/desk", headers=headers)).text
    assert "3 处要看" in text
    assert "2 处要看" in text


async def test_the_list_asks_the_database_alike_for_one_and_for_many(month: Month) -> None:
    headers = {**month.served.bearer(REVIEWER), "accept": "text/html"}
    for n in range(1, 9):
        made = await month.draft(period=f"2026-{n:02}", body=ledger({"cash": (300, 300)}))
        await handed_in(month, made)
        await month.step(made, "confirm", SUPERVISOR)
    answer = await month.served.client.get("/desk", headers=headers)
    assert answer.text.count('name="chosen"') == 8


# -- accounts that go ---------------------------------------------------------------------------------------------


async def test_an_account_with_money_that_is_left_out_is_found(month: Month) -> None:
    await public(month, "2026-09", {"cash": (100, 100), "bank": (79_275_199, 79_275_199)})
    made = await month.draft(period="2026-10", body=ledger({"cash": (100, 100)}))
    assert await found(month, made) == [("ledger.account_missing", "body.accounts[bank]")]
    text = await page(month, made, CLERK)
    assert "银行存款：2026年9月末还有 792,751.99元，这里没有列出这个账户，请补上，或写明钱到哪里去了。" in text


async def test_it_is_found_over_a_gap_as_well(month: Month) -> None:
    await public(month, "2026-07", {"cash": (100, 100), "bank": (5_000, 5_000)})
    made = await month.draft(period="2026-10", body=ledger({"cash": (90, 90)}))
    assert await found(month, made) == [("ledger.account_missing", "body.accounts[bank]")]


@pytest.mark.parametrize(
    "now", [{"cash": (100, 100)}, {"cash": (100, 100), "bank": (0, 0)}, {"cash": (100, 100), "bank:信用社": (0, 0)}]
)
async def test_an_account_that_ended_empty_may_go(month: Month, now: Accounts) -> None:
    await public(month, "2026-09", {"cash": (100, 100), "bank": (5_000, 0)})
    assert await found(month, await month.draft(period="2026-10", body=ledger(now))) == []


async def test_an_account_under_another_name_goes_on(month: Month) -> None:
    await public(month, "2026-09", {"bank": (5_000, 5_000)})
    made = await month.draft(period="2026-10", body=ledger({"bank:信用社": (5_000, 5_000)}))
    assert await found(month, made) == []


async def test_a_correction_that_drops_an_account_is_found_and_its_reason_offered_again(month: Month) -> None:
    await public(month, "2026-09", {"cash": (100, 100), "bank": (5_000, 5_000)})
    made = await public(month, "2026-10", {"cash": (90, 100), "bank": (5_000, 5_000)})
    body = {"version": 1, "note": "去掉银行账户", "body": ledger({"cash": (90, 100)})}
    await month.done("POST", f"{PATH}/{made}/correct", CLERK, body)
    assert await found(month, made) == [
        ("ledger.opening", "body.accounts[0].opening_fen"),
        ("ledger.account_missing", "body.accounts[bank]"),
    ]
    assert 'name="reason|ledger.opening|body.accounts[0].opening_fen" value="原件如此"' in await page(
        month, made, CLERK
    )


async def test_the_form_names_the_later_month_before_and_after_anything_is_typed(month: Month) -> None:
    await public(month, "2026-07", {"cash": (100, 100)})
    await public(month, "2026-10", {"cash": (54_654, 54_654), "bank": (28_851_707, 28_851_707)})
    text = await form(month, "2026-09")
    assert "2026年8月的账还没有，带入的是2026年7月的期末，请按账本核对期初。" in text
    assert "2026年10月的账已经有了，期初是：库存现金 546.54元，银行存款 288,517.07元。这里的期末应当和它一样。" in text
    made = await month.draft(period="2026-09", body=ledger({"cash": (100, 143_174), "bank": (5, 28_851_707)}))
    headers = {**month.served.bearer(CLERK), "accept": "text/html"}
    again = (await month.served.client.get(f"/desk/disclosures/{made}/edit", headers=headers)).text
    assert "库存现金：2026年10月的期初是 546.54，和这里的期末 1,431.74 差 885.20元，请核对。" in again
