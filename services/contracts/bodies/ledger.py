"""A ledger (收支明细): accounts with balances, and every line (逐笔)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from services.contracts.base import Finding, Model
from services.contracts.bodies.base import MAX_LINES, Amount, Content, Day, off, outside, sum_finding
from services.contracts.bodies.sums import AccountSums, LedgerSums
from services.contracts.checks import Check
from services.contracts.values import Digest, Fen, ShortText, yuan

#: `cash`, `bank`, `imprest`, or one of several accounts of a kind: `bank:信用社`.
AccountName = Annotated[str, StringConstraints(pattern=r"^(cash|bank|imprest)(:[^\s:\x00]{1,20})?$")]


class Direction(StrEnum):
    """`transfer` moves money between the village's own accounts and is neither income nor spending."""

    IN = "in"
    OUT = "out"
    TRANSFER = "transfer"


_COLUMNS: Final = {Direction.IN: 0, Direction.OUT: 1, Direction.TRANSFER: 2}


class Account(Model):
    """One account's balances at the start and the end of the period."""

    account: AccountName
    opening_fen: Fen
    closing_fen: Fen


class Voucher(Model):
    """Voucher word and number; numbers restart every month for each word."""

    word: ShortText
    no: int = Field(ge=1, le=99999)


class Invoice(Model):
    """An invoice's identity, as printed."""

    code: ShortText | None = None
    no: ShortText
    seller: ShortText


class Line(Model):
    """One line of a ledger. `amount_fen` may be negative for a reversal (红字冲销), never zero."""

    date: Day = Field(description="booked on (记账日期)")
    occurred_on: Day | None = None
    summary: ShortText
    direction: Direction
    amount_fen: Amount
    account: AccountName
    to_account: AccountName | None = None
    method: Literal["cash", "transfer", "card"] | None = None
    category: ShortText | None = None
    payee: ShortText | None = None
    payee_ref: ShortText | None = None
    voucher: Voucher | None = None
    handler: ShortText | None = None
    attestor: ShortText | None = None
    approver: ShortText | None = None
    approver_role: ShortText | None = None
    invoice: Invoice | None = None
    resolution_id: ShortText | None = None
    contract_no: ShortText | None = Field(
        default=None, description="number of the contract that it is paid by (合同编号)"
    )
    person_days: int | None = Field(default=None, ge=1, le=100000)
    attachments: tuple[Digest, ...] = Field(default=(), max_length=50)
    pictures: tuple[Digest, ...] = Field(
        default=(),
        max_length=50,
        description="pictures of vouchers that everybody may see: covered, or cleared as they are",
    )

    @model_validator(mode="after")
    def _transfer_has_both_ends(self) -> Self:
        if (self.direction is Direction.TRANSFER) != (self.to_account is not None):
            message = "内部划转要写转入账户 to_account，收入和支出不能写"
            raise ValueError(message)
        if self.to_account == self.account:
            message = "内部划转的转出和转入不能是同一账户"
            raise ValueError(message)
        return self


class Moved(Model):
    """A line of a ledger that was checked before: what it moves."""

    direction: Direction
    amount_fen: int
    account: str
    to_account: str | None = None
    pictures: tuple[Digest, ...] = ()


class Totals(Model):
    """Totals as the author's own books state them; transfers belong to neither."""

    income_fen: Fen
    expense_fen: Fen


def _sums(accounts: Sequence[Account], lines: Sequence[Line | Moved], stated: Totals | None) -> LedgerSums:
    """What a ledger comes to by account, lines read once."""
    rows = {a.account: [0, 0, 0] for a in accounts}
    for x in lines:
        rows[x.account][_COLUMNS[x.direction]] += -x.amount_fen if x.to_account is not None else x.amount_fen
        if x.to_account is not None:
            rows[x.to_account][2] += x.amount_fen
    return LedgerSums(
        accounts=tuple(
            AccountSums(
                account=a.account,
                opening_fen=a.opening_fen,
                income_fen=rows[a.account][0],
                expense_fen=rows[a.account][1],
                transfer_fen=rows[a.account][2],
                closing_fen=a.closing_fen,
            )
            for a in accounts
        ),
        income_stated_fen=stated.income_fen if stated is not None else None,
        expense_stated_fen=stated.expense_fen if stated is not None else None,
    )


class LedgerOutline(Content):
    """A ledger that was checked before, without the words of its lines."""

    kind: Literal["ledger"] = "ledger"
    accounts: tuple[Account, ...]
    lines: tuple[Moved, ...]
    totals: Totals | None = None

    @property
    def nil(self) -> bool:
        """Tell whether nothing came in or went out (本月无收支)."""
        return not self.lines

    @property
    def row_count(self) -> int:
        """How many lines there are."""
        return len(self.lines)

    @property
    def sums(self) -> LedgerSums:
        """What the ledger comes to by account."""
        return _sums(self.accounts, self.lines, self.totals)

    def shown_files(self) -> frozenset[str]:
        """Files of the whole, and what may be shown of single vouchers."""
        return super().shown_files().union(*(x.pictures for x in self.lines))


class Ledger(Content):
    """A ledger (收支明细): accounts with balances, and every line (逐笔)."""

    kind: Literal["ledger"] = "ledger"
    accounts: tuple[Account, ...] = Field(min_length=1, max_length=20)
    lines: tuple[Line, ...] = Field(max_length=MAX_LINES)
    totals: Totals | None = None

    @model_validator(mode="after")
    def _accounts_are_known(self) -> Self:
        names = [a.account for a in self.accounts]
        if len(set(names)) != len(names):
            message = "同一账户出现了两次"
            raise ValueError(message)
        for n, line in enumerate(self.lines):
            for account in (line.account, line.to_account):
                if account is not None and account not in names:
                    message = f"第 {n + 1} 行的账户 {account} 不在 accounts 里"
                    raise ValueError(message)
        return self

    @property
    def income_fen(self) -> int:
        """Sum of all income lines, in fen."""
        return sum(x.amount_fen for x in self.lines if x.direction is Direction.IN)

    @property
    def expense_fen(self) -> int:
        """Sum of all spending lines, in fen."""
        return sum(x.amount_fen for x in self.lines if x.direction is Direction.OUT)

    def movement_fen(self, account: str) -> int:
        """Sum what the lines add to one account, in fen: income − spending − transfers out + transfers in."""
        moved = 0
        for line in self.lines:
            if line.account == account:
                moved += line.amount_fen if line.direction is Direction.IN else -line.amount_fen
            if line.to_account == account:
                moved += line.amount_fen
        return moved

    @property
    def nil(self) -> bool:
        """Tell whether nothing came in or went out (本月无收支)."""
        return not self.lines

    @property
    def row_count(self) -> int:
        """How many lines there are."""
        return len(self.lines)

    @property
    def sums(self) -> LedgerSums:
        """What the ledger comes to by account."""
        return _sums(self.accounts, self.lines, self.totals)

    def compare(self, period: str) -> tuple[Check, ...]:
        """Every account's closing beside opening, income, spending and transfers; stated totals beside the lines."""
        return (*super().compare(period), *self.sums.compare())

    def files(self) -> frozenset[str]:
        """Files of the whole and of every line."""
        return super().files().union(*((*x.attachments, *x.pictures) for x in self.lines))

    def shown_files(self) -> frozenset[str]:
        """Files of the whole, and what may be shown of single vouchers."""
        return super().shown_files().union(*(x.pictures for x in self.lines))

    def findings(self, period: str) -> tuple[Finding, ...]:
        """Everything that does not add up: account balances, stated totals, dates outside the period."""
        stated = self.totals
        days = [(f"body.lines[{n}].date", x.date, f"第 {n + 1} 行的记账日期") for n, x in enumerate(self.lines)]
        return (
            *self._balance_findings(),
            *sum_finding(
                "ledger.total", "body.totals.income_fen", stated.income_fen if stated else None, self.income_fen
            ),
            *sum_finding(
                "ledger.total", "body.totals.expense_fen", stated.expense_fen if stated else None, self.expense_fen
            ),
            *outside(days, period, "ledger.date"),
        )

    def _balance_findings(self) -> tuple[Finding, ...]:
        found = []
        for n, a in enumerate(self.accounts):
            gap = a.opening_fen + self.movement_fen(a.account) - a.closing_fen
            if gap:
                message = f"期初加收入减支出与期末相差 {yuan(gap)} 元，请核对期末余额或补上漏记的行。"
                found.append(off("ledger.closing", f"body.accounts[{n}]", message))
        return tuple(found)
