"""A ledger as people read it: accounts, lines, transfers apart, sums by category."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.contracts.account import account_words
from services.contracts.bodies import Direction, Ledger, Line
from services.publish.render.passages import firm_of
from services.publish.render.words import about, amount, method_words


@dataclass(frozen=True, slots=True)
class LineView:
    """One line; `amount` has no sign, `way` says 收 or 支; `invoice` is its number and its seller; `firm` is the payee where a firm was paid, as `firm_of` reads it."""

    number: int
    day: str
    way: str
    summary: str
    amount: str
    about: str | None
    account: str
    to_account: str | None
    payee: str | None
    firm: str | None
    resolution: str | None
    contract: str | None
    invoice: tuple[str, str | None] | None
    voucher: str | None
    pictures: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AccountView:
    """What stood in an account before and after, and what moved in between."""

    name: str
    opening: str
    income: str
    expense: str
    transfer: str | None
    closing: str


@dataclass(frozen=True, slots=True)
class CategoryView:
    """The sum of a category's lines."""

    name: str
    way: str
    count: int
    amount: str


@dataclass(frozen=True, slots=True)
class LedgerView:
    """A whole ledger. `aggregate`: only sums are public."""

    accounts: tuple[AccountView, ...]
    lines: tuple[LineView, ...]
    transfers: tuple[LineView, ...]
    categories: tuple[CategoryView, ...]
    opening: str
    income: str
    expense: str
    closing: str
    expense_about: str | None
    closing_about: str | None
    aggregate: bool


_WAYS = {Direction.IN: "收", Direction.OUT: "支", Direction.TRANSFER: "划转"}


def _day(line: Line) -> str:
    return f"{line.date.month}月{line.date.day}日"


def _facts(line: Line) -> tuple[tuple[str, str], ...]:
    """What else is known of a line, official word first."""
    approver = f"{line.approver}（{line.approver_role}）" if line.approver and line.approver_role else line.approver
    named = (
        ("科目", line.category),
        ("方式", method_words(line.method)),
        ("发生日期", f"{line.occurred_on.month}月{line.occurred_on.day}日" if line.occurred_on else None),
        ("用工", f"{line.person_days}个工" if line.person_days else None),
        ("经手人", line.handler),
        ("证明人", line.attestor),
        ("审批人", approver),
    )
    return tuple((name, value) for name, value in named if value)


def line_view(number: int, line: Line) -> LineView:
    """One line for the page."""
    return LineView(
        number=number,
        day=_day(line),
        way=_WAYS[line.direction],
        summary=line.summary,
        amount=amount(line.amount_fen),
        about=about(line.amount_fen),
        account=account_words(line.account),
        to_account=account_words(line.to_account) if line.to_account else None,
        payee=line.payee,
        firm=firm_of(line.payee) if line.direction is Direction.OUT else None,
        resolution=line.resolution_id,
        contract=line.contract_no,
        invoice=(line.invoice.no, line.invoice.seller) if line.invoice else None,
        voucher=f"{line.voucher.word}{line.voucher.no}号" if line.voucher else None,
        pictures=tuple(f"/objects/{digest}" for digest in line.pictures),
        facts=_facts(line),
    )


def _sum(lines: Iterable[Line]) -> int:
    return sum(x.amount_fen for x in lines)


def _account(ledger: Ledger, name: str, opening: int, closing: int) -> AccountView:
    here = [x for x in ledger.lines if x.account == name]
    out = _sum(x for x in here if x.direction is Direction.TRANSFER)
    into = _sum(x for x in ledger.lines if x.to_account == name)
    moved = into - out
    has_transfer = any(name in {x.account, x.to_account} for x in ledger.lines if x.direction is Direction.TRANSFER)
    return AccountView(
        name=account_words(name),
        opening=amount(opening),
        income=amount(_sum(x for x in here if x.direction is Direction.IN)),
        expense=amount(_sum(x for x in here if x.direction is Direction.OUT)),
        transfer=f"{'转入' if moved >= 0 else '转出'} {amount(abs(moved))}" if has_transfer else None,
        closing=amount(closing),
    )


def _categories(lines: Sequence[Line]) -> tuple[CategoryView, ...]:
    sums: dict[tuple[Direction, str], list[int]] = {}
    for line in lines:
        if line.direction is not Direction.TRANSFER:
            sums.setdefault((line.direction, line.category or "没有写科目"), []).append(line.amount_fen)
    ordered = sorted(sums.items(), key=lambda s: (s[0][0] is Direction.OUT, -abs(sum(s[1]))))
    return tuple(CategoryView(name, _WAYS[way], len(fens), amount(sum(fens))) for (way, name), fens in ordered)


def ledger_view(full: Ledger, shown: Ledger, *, aggregate: bool) -> LedgerView:
    """A ledger for the page: sums from the full one, lines from the one that may be shown."""
    opening = sum(a.opening_fen for a in full.accounts)
    closing = sum(a.closing_fen for a in full.accounts)
    views = [line_view(n, x) for n, x in enumerate(shown.lines, 1)]
    transfers = tuple(v for v, x in zip(views, shown.lines, strict=True) if x.direction is Direction.TRANSFER)
    return LedgerView(
        accounts=tuple(_account(full, a.account, a.opening_fen, a.closing_fen) for a in full.accounts),
        lines=tuple(v for v, x in zip(views, shown.lines, strict=True) if x.direction is not Direction.TRANSFER),
        transfers=transfers,
        categories=_categories(full.lines),
        opening=amount(opening),
        income=amount(full.income_fen),
        expense=amount(full.expense_fen),
        closing=amount(closing),
        expense_about=about(full.expense_fen),
        closing_about=about(closing),
        aggregate=aggregate,
    )


def biggest(ledger: Ledger, direction: Direction, count: int) -> list[tuple[int, Line]]:
    """The biggest lines of one direction, with their numbers."""
    numbered = [(n, x) for n, x in enumerate(ledger.lines, 1) if x.direction is direction]
    return sorted(numbered, key=lambda x: (-x[1].amount_fen, x[0]))[:count]
