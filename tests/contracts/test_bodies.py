"""Ledgers: what is refused, and what does not add up."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.contracts.bodies import Ledger, body_digest


def line(**changes: Any) -> dict[str, Any]:
    return {
        "date": "2026-10-03",
        "summary": "修水管",
        "direction": "out",
        "amount_fen": 21500,
        "account": "cash",
        **changes,
    }


def account(name: str = "cash", opening: int = 120000, closing: int = 98500) -> dict[str, Any]:
    return {"account": name, "opening_fen": opening, "closing_fen": closing}


def ledger(*lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    accounts = [account(), account("bank", 5000000, 5000000)]
    return {"kind": "ledger", "accounts": accounts, "lines": list(lines or [line()]), **changes}


@pytest.mark.parametrize(
    "body",
    [
        ledger(line(direction="transfer")),
        ledger(line(direction="transfer", to_account="cash")),
        ledger(line(to_account="bank")),
        ledger(line(direction="in", to_account="bank")),
        ledger(line(direction="transfer", to_account="imprest")),
        ledger(line(account="imprest")),
        ledger(line(account="alipay")),
        ledger(line(account="bank:")),
        ledger(line(account="bank:a b")),
        ledger(line(amount_fen=0)),
        ledger(line(amount_fen=2**53)),
        ledger(line(amount_fen=-(2**53))),
        ledger(line(amount_fen=215.0)),
        ledger(line(amount_fen="21500")),
        ledger(line(amount_fen=True)),
        ledger(line(amount_fen=float("nan"))),
        ledger(line(summary="修\x00水管")),
        ledger(line(summary=" ")),
        ledger(line(summary="长" * 201)),
        ledger(line(direction="both")),
        ledger(line(date="2026-02-30")),
        ledger(line(date="2026年10月3日")),
        ledger(line(date="202131日")),
        ledger(line(date=20261003)),
        ledger(line(date="2026-10-03T00:00:00Z")),
        ledger(line(date=None)),
        ledger(line(occurred_on=46298)),
        ledger(line(method="wechat")),
        ledger(line(voucher={"word": "记", "no": 0})),
        ledger(line(voucher={"word": "记", "no": 100000})),
        ledger(line(person_days=0)),
        ledger(line(attachments=["a"] * 51)),
        ledger(line(invoice={"code": "1"})),
        ledger(*[line()] * 2001),
        ledger(accounts=[]),
        ledger(accounts=[account(), account()]),
        ledger(accounts=[account(closing=2**53)]),
        ledger(accounts=[account(f"bank:{n}") for n in range(20)] + [account()]),
        ledger(kind="roster"),
        ledger(totals={"income_fen": 0}),
        {"kind": "ledger"},
    ],
)
def test_malformed_ledger_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Ledger.model_validate(body)


@pytest.mark.parametrize(
    "body",
    [
        ledger(),
        ledger(line(direction="transfer", to_account="bank")),
        ledger(line(amount_fen=-21500)),
        ledger(line(amount_fen=2**53 - 1)),
        ledger(line(account="bank:农商银行"), accounts=[account("bank:农商银行")]),
        ledger(*[line()] * 2000),
        ledger(lines=[]),
        ledger(from_the_future=1),
        ledger(line(summary="𠮷田 修水管🚰")),
    ],
)
def test_well_formed_ledger_is_taken(body: dict[str, Any]) -> None:
    Ledger.model_validate(body)


def found(body: dict[str, Any], period: str = "2026-10") -> list[tuple[str, str]]:
    return [(f.code, f.at) for f in Ledger.model_validate(body).findings(period)]


def test_ledger_that_adds_up_has_no_findings() -> None:
    assert found(ledger(totals={"income_fen": 0, "expense_fen": 21500})) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (ledger(line(amount_fen=21400)), [("ledger.closing", "body.accounts[0]")]),
        (ledger(line(direction="in")), [("ledger.closing", "body.accounts[0]")]),
        (
            ledger(line(direction="transfer", to_account="bank")),
            [("ledger.closing", "body.accounts[1]")],
        ),
        (ledger(totals={"income_fen": 1, "expense_fen": 21500}), [("ledger.total", "body.totals.income_fen")]),
        (ledger(totals={"income_fen": 0, "expense_fen": 0}), [("ledger.total", "body.totals.expense_fen")]),
        (ledger(line(date="2026-09-30")), [("ledger.date", "body.lines[0].date")]),
        (ledger(line(date="2026-11-01")), [("ledger.date", "body.lines[0].date")]),
        (ledger(line(date="2026-10-31")), []),
        (ledger(line(occurred_on="2026-08-01")), []),
        (ledger(lines=[]), [("ledger.closing", "body.accounts[0]")]),
    ],
)
def test_what_does_not_add_up_is_found_at_its_place(body: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(body) == expected


def test_finding_says_how_much_is_missing() -> None:
    (finding,) = Ledger.model_validate(ledger(line(amount_fen=21400))).findings("2026-10")
    assert finding.message == "库存现金：期初加收入减支出与期末相差 1.00 元，请核对期末余额或补上漏记的行。"


def test_on_event_ledger_is_booked_around_its_day() -> None:
    assert found(ledger(line(date="2026-09-30")), "2026-10-03") == []


def test_transfer_is_neither_income_nor_spending() -> None:
    lines = (
        line(direction="transfer", to_account="bank", amount_fen=100000),
        line(amount_fen=-500),
        line(direction="in", amount_fen=700),
    )
    body = Ledger.model_validate(ledger(*lines))
    assert (body.income_fen, body.expense_fen) == (700, -500)
    assert body.movement_fen("cash") == -98800
    assert body.movement_fen("bank") == 100000
    assert body.movement_fen("imprest") == 0


def test_digest_is_of_the_content_not_of_the_writing() -> None:
    first = Ledger.model_validate(ledger(line()))
    again = Ledger.model_validate({**ledger(line(summary=" 修水管 ")), "ignored": 1})
    other = Ledger.model_validate(ledger(line(amount_fen=21501)))
    assert body_digest(first) == body_digest(again)
    assert body_digest(first) != body_digest(other)
    assert len(body_digest(first)) == 64


AMOUNTS = st.integers(-(10**9), 10**9).filter(bool)
MOVES = st.lists(
    st.tuples(st.sampled_from(["in", "out", "transfer"]), st.sampled_from(["cash", "bank"]), AMOUNTS), max_size=30
)


@given(MOVES)
def test_books_kept_line_by_line_add_up(moves: list[tuple[str, str, int]]) -> None:
    balance = {"cash": 0, "bank": 0}
    lines = []
    for direction, name, fen in moves:
        other = "bank" if name == "cash" else "cash"
        balance[name] += fen if direction == "in" else -fen
        if direction == "transfer":
            balance[other] += fen
        to_account = other if direction == "transfer" else None
        lines.append(line(direction=direction, account=name, amount_fen=fen, to_account=to_account))
    accounts = [account(name, 0, closing) for name, closing in balance.items()]
    assert found(ledger(accounts=accounts, lines=lines)) == []
