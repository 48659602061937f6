"""Checks: what a ledger states beside what its lines and its neighbours make of it, as a reader is told."""

import pytest

from services.contracts.base import AcceptedFinding
from services.contracts.bodies import BODY, Body, Ledger, Neighbour, closing_checks, opening_checks
from services.contracts.checks import Check, explained

Accounts = dict[str, tuple[int, int]]


def ledger(accounts: Accounts, lines: list[dict[str, object]] | None = None, totals: object = None) -> Ledger:
    body: Body = BODY.validate_python(
        {
            "kind": "ledger",
            "accounts": [{"account": a, "opening_fen": o, "closing_fen": c} for a, (o, c) in accounts.items()],
            "lines": [{"date": "2026-10-03", "summary": "事", **x} for x in lines or []],
            "totals": totals,
        }
    )
    assert isinstance(body, Ledger)
    return body


def line(direction: str, fen: int, account: str = "cash", to: str | None = None) -> dict[str, object]:
    return {"direction": direction, "amount_fen": fen, "account": account, "to_account": to}


def test_every_account_is_told_with_its_arithmetic() -> None:
    body = ledger(
        {"cash": (100_00, 90_50), "bank:信用社": (55_888_388, 54_498_090)},
        [
            line("out", 59_50),
            line("in", 1_786_300, "bank:信用社"),
            line("out", 3_171_598, "bank:信用社"),
            line("transfer", 50_00, "bank:信用社", "cash"),
        ],
    )
    cash, bank = body.compare("2026-10")
    assert (cash.code, cash.at, cash.ok) == ("ledger.closing", "body.accounts[0]", True)
    assert cash.arithmetic == "100.00 + 0.00 − 59.50 + 50.00 = 90.50"
    assert bank.label == "银行存款（信用社）：写的期末，和期初加收入减支出"
    assert bank.arithmetic == "558,883.88 + 17,863.00 − 31,715.98 − 50.00 = 544,980.90"
    assert (bank.stated_fen, bank.computed_fen, bank.ok) == (54_498_090, 54_498_090, True)


def test_a_difference_keeps_both_figures_and_the_reason() -> None:
    body = ledger({"bank": (30_168_857, 30_424_414)}, [line("in", 4_398_500, "bank"), line("out", 4_141_693, "bank")])
    given = AcceptedFinding(code="ledger.closing", at="body.accounts[0]", reason="银行手续费下月补记")
    other = AcceptedFinding(code="ledger.total", at="body.accounts[0]", reason="别的")
    (check,) = explained(body.compare("2026-10"), [other, given])
    assert check.arithmetic == "301,688.57 + 43,985.00 − 41,416.93 = 304,256.64"
    assert (check.stated_fen, check.computed_fen, check.gap_fen) == (30_424_414, 30_425_664, -12_50)
    assert (check.ok, check.reason) == (False, "银行手续费下月补记")


def test_what_adds_up_needs_no_reason() -> None:
    given = AcceptedFinding(code="ledger.closing", at="body.accounts[0]", reason="不用说")
    (check,) = explained(ledger({"cash": (5, 5)}).compare("2026-10"), [given])
    assert (check.ok, check.reason) == (True, None)


def test_reversals_and_debts_are_written_so_that_they_can_be_recomputed() -> None:
    (check,) = ledger({"cash": (-500, -200)}, [line("out", -300)]).compare("2026-10")
    assert check.arithmetic == "-5.00 + 0.00 − (-3.00) = -2.00"


def test_stated_totals_stand_beside_the_sum_of_the_lines() -> None:
    body = ledger({"cash": (0, 300)}, [line("in", 300)], {"income_fen": 428, "expense_fen": 0})
    income, expense = body.compare("2026-10")[1:]
    assert (income.code, income.at) == ("ledger.total", "body.totals.income_fen")
    assert (income.stated_fen, income.computed_fen, income.ok) == (428, 300, False)
    assert expense.ok


def told(checks: tuple[Check, ...]) -> list[tuple[str, str, int | None, int | None]]:
    return [(c.code, c.at, c.stated_fen, c.computed_fen) for c in checks if not c.ok]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({"cash": (0, 7)}, {"cash": (7, 9)}, []),
        ({"cash": (0, 7)}, {"cash": (6, 9)}, [("ledger.opening", "body.accounts[0].opening_fen", 6, 7)]),
        # An account that ended with money and is not listed any more.
        (
            {"cash": (0, 7), "bank": (0, 79_275_199)},
            {"cash": (7, 9)},
            [("ledger.account_missing", "body.accounts[bank]", None, 79_275_199)],
        ),
        ({"cash": (0, 7), "bank": (5, 0)}, {"cash": (7, 9)}, []),
        # A debt is as much missed as money.
        (
            {"cash": (0, 7), "bank": (0, -1)},
            {"cash": (7, 9)},
            [("ledger.account_missing", "body.accounts[bank]", None, -1)],
        ),
        # Another name for the same money is no difference; a fen less is two.
        ({"bank": (0, 70)}, {"bank:信用社": (70, 70)}, []),
        (
            {"bank": (0, 70)},
            {"bank:信用社": (69, 70)},
            [
                ("ledger.account_new", "body.accounts[0].opening_fen", 69, None),
                ("ledger.account_missing", "body.accounts[bank]", None, 70),
            ],
        ),
        # One new account takes over from one, not from two.
        (
            {"bank:甲": (0, 70), "bank:乙": (0, 70)},
            {"bank": (70, 70)},
            [("ledger.account_missing", "body.accounts[bank:乙]", None, 70)],
        ),
        ({"cash": (0, 7)}, {"cash": (7, 9), "bank": (0, 4)}, []),
        (
            {"cash": (0, 7)},
            {"cash": (7, 9), "bank": (4, 4)},
            [("ledger.account_new", "body.accounts[1].opening_fen", 4, None)],
        ),
    ],
)
def test_what_an_account_opens_with_follows_from_the_period_before(
    before: Accounts, now: Accounts, expected: list[object]
) -> None:
    earlier = Neighbour(period="2026-09", accounts=ledger(before).sums.accounts)
    assert told(opening_checks("2026-10", ledger(now).sums.accounts, earlier)) == expected


def test_over_a_gap_only_accounts_that_came_or_went_are_told() -> None:
    earlier = Neighbour(period="2026-08", accounts=ledger({"cash": (0, 7), "bank": (0, 5)}).sums.accounts)
    found = opening_checks("2026-10", ledger({"cash": (1, 1)}).sums.accounts, earlier)
    assert told(found) == [("ledger.account_missing", "body.accounts[bank]", None, 5)]
    assert len(found) == 1
    assert found[0].label == "银行存款：2026年8月还有期末，这里没有列出这个账户"


@pytest.mark.parametrize(
    ("now", "later", "expected"),
    [
        ({"cash": (0, 7)}, {"cash": (7, 9)}, []),
        (
            {"cash": (0, 143_174)},
            {"cash": (54_654, 0)},
            [("ledger.next_opening", "body.accounts[0].closing_fen", 143_174, 54_654)],
        ),
        ({"bank": (0, 7)}, {"cash": (0, 9)}, [("ledger.next_opening", "body.accounts[0].closing_fen", 7, None)]),
        ({"cash": (0, 0)}, {"cash": (0, 0), "bank": (6, 6)}, [("ledger.next_opening", "body.accounts[bank]", None, 6)]),
        ({"bank": (0, 7)}, {"bank:信用社": (7, 9)}, []),
    ],
)
def test_what_is_left_agrees_with_the_period_after(now: Accounts, later: Accounts, expected: list[object]) -> None:
    after = Neighbour(period="2026-10", accounts=ledger(later).sums.accounts)
    assert told(closing_checks("2026-09", ledger(now).sums.accounts, after)) == expected


def test_a_later_period_over_a_gap_is_asked_for_vanished_accounts_alone() -> None:
    after = Neighbour(period="2026-10", accounts=ledger({"cash": (3, 3), "imprest": (2, 2)}).sums.accounts)
    found = closing_checks("2026-07", ledger({"cash": (0, 7), "bank": (0, 5)}).sums.accounts, after)
    assert told(found) == [("ledger.next_opening", "body.accounts[1].closing_fen", 5, None)]
    assert len(found) == 1


def test_the_first_month_of_a_year_follows_the_last_of_the_year_before() -> None:
    earlier = Neighbour(period="2025-12", accounts=ledger({"cash": (0, 7)}).sums.accounts)
    assert told(opening_checks("2026-01", ledger({"cash": (8, 8)}).sums.accounts, earlier)) == [
        ("ledger.opening", "body.accounts[0].opening_fen", 8, 7)
    ]
