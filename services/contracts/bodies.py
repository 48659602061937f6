"""Bodies of disclosures and their arithmetic.

A malformed body is refused by the models (422 at the edge, naming the place); a well-formed body that does not
add up yields findings, which its author may explain and accept.
"""

import hashlib
import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from services.contracts.base import Finding, Model
from services.contracts.values import Fen, Frequency, ShortText, canonical_json, period_bounds, period_frequency, yuan

#: A disclosure with more is refused with the advice to split it.
MAX_LINES: Final = 2000
MAX_BODY_BYTES: Final = 512 * 1024
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _not_zero(value: int) -> int:
    if value == 0:
        message = "金额不能为 0"
        raise ValueError(message)
    return value


def _written_day(value: object) -> object:
    # pydantic would read 20261003 as seconds since 1970: a date is refused, never guessed (domain.md section 5).
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    message = "日期应写作 2026-10-03"
    raise ValueError(message)


#: A local day as `2026-10-03`; no timestamp, no other order. Named so because a line's own field is called `date`.
Day = Annotated[date, BeforeValidator(_written_day)]

#: `cash`, `bank`, `imprest`, or one of several accounts of a kind: `bank:信用社`.
AccountName = Annotated[str, StringConstraints(pattern=r"^(cash|bank|imprest)(:[^\s:\x00]{1,20})?$")]


class Direction(StrEnum):
    """`transfer` moves money between the village's own accounts and is neither income nor spending."""

    IN = "in"
    OUT = "out"
    TRANSFER = "transfer"


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
    amount_fen: Annotated[Fen, AfterValidator(_not_zero)]
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
    person_days: int | None = Field(default=None, ge=1, le=100000)
    attachments: tuple[ShortText, ...] = Field(default=(), max_length=50)

    @model_validator(mode="after")
    def _transfer_has_both_ends(self) -> Self:
        if (self.direction is Direction.TRANSFER) != (self.to_account is not None):
            message = "内部划转要写转入账户 to_account，收入和支出不能写"
            raise ValueError(message)
        if self.to_account == self.account:
            message = "内部划转的转出和转入不能是同一账户"
            raise ValueError(message)
        return self


class Totals(Model):
    """Totals as the author's own books state them; transfers belong to neither."""

    income_fen: Fen
    expense_fen: Fen


class Ledger(Model):
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

    def findings(self, period: str) -> tuple[Finding, ...]:
        """Everything that does not add up: account balances, stated totals, dates outside the period."""
        return (*self._balance_findings(), *self._total_findings(), *self._date_findings(period))

    def _balance_findings(self) -> tuple[Finding, ...]:
        found = []
        for n, a in enumerate(self.accounts):
            gap = a.opening_fen + self.movement_fen(a.account) - a.closing_fen
            if gap:
                found.append(
                    Finding(
                        code="ledger.closing",
                        at=f"body.accounts[{n}]",
                        message=f"期初加收入减支出与期末相差 {yuan(gap)} 元，请核对期末余额或补上漏记的行。",
                    ),
                )
        return tuple(found)

    def _total_findings(self) -> tuple[Finding, ...]:
        if self.totals is None:
            return ()
        stated = (
            ("income_fen", self.totals.income_fen, self.income_fen),
            ("expense_fen", self.totals.expense_fen, self.expense_fen),
        )
        return tuple(
            Finding(
                code="ledger.total",
                at=f"body.totals.{name}",
                message=f"合计 {yuan(total)} 元与逐笔相加 {yuan(lines)} 元不符，请核对。",
            )
            for name, total, lines in stated
            if total != lines
        )

    def _date_findings(self, period: str) -> tuple[Finding, ...]:
        # An on-event item is named after the event's day; what it cost is booked before and after.
        if period_frequency(period) is Frequency.ON_EVENT:
            return ()
        first, last = period_bounds(period)
        return tuple(
            Finding(
                code="ledger.date",
                at=f"body.lines[{n}].date",
                message=f"第 {n + 1} 行的记账日期 {line.date} 不在公开期 {period} 内。",
            )
            for n, line in enumerate(self.lines)
            if not first <= line.date <= last
        )


#: Grows by one kind at a time; `kind` decides which model reads the body.
Body = Ledger


def body_digest(body: Body) -> str:
    """SHA-256 over the canonical JSON of a body (RFC 8785), hex."""
    return hashlib.sha256(canonical_json(body.model_dump(mode="json"))).hexdigest()
