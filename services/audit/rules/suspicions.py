"""Windows of rules that suspect: lines side by side within one ledger, or with the ledger before it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from services.audit.rules.lines import ledger_of
from services.audit.rules.window import View, Window
from services.contracts.alert import Subject


@dataclass(frozen=True, slots=True)
class PaidTo:
    """A payment to a payee for a purpose on the day it happened; all three are numbers or days, no words."""

    event: str
    line: int
    amount_fen: int
    day: date
    payee: int
    purpose: int


@dataclass(frozen=True, slots=True)
class SplitWindow:
    """Payments whose payee and day of happening are known; days of booking say nothing of when somebody was paid."""

    is_open: bool
    lines: tuple[PaidTo, ...]

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a ledger, once any edition was approved."""
        for ledger in ledger_of(view):
            paid = (
                PaidTo(ledger.event, x.line, x.amount_fen, date.fromisoformat(x.occurred), x.payee, x.purpose)
                for x in ledger.lines
                if x.direction == "out" and x.occurred is not None and x.payee is not None
            )
            yield ledger.subject, cls(ledger.is_open, tuple(paid))


@dataclass(frozen=True, slots=True)
class Billed:
    """A payment on an invoice; payee and invoice are numbers within the ledger."""

    event: str
    line: int
    amount_fen: int
    day: date
    payee: int
    invoice: int


@dataclass(frozen=True, slots=True)
class BilledWindow:
    """Payments, and what was taken back of them, whose payee and invoice are known."""

    is_open: bool
    lines: tuple[Billed, ...]

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a ledger, once any edition was approved."""
        for ledger in ledger_of(view):
            paid = (
                Billed(ledger.event, x.line, x.amount_fen, date.fromisoformat(x.day), x.payee, x.invoice)
                for x in ledger.lines
                if x.direction == "out" and x.invoice is not None and x.payee is not None
            )
            yield ledger.subject, cls(ledger.is_open, tuple(paid))


@dataclass(frozen=True, slots=True)
class Copied:
    """How many lines this ledger and the one before have, and how many of them are the same: direction and amount to the fen."""

    event: str
    lines: int
    lines_before: int
    same: int


@dataclass(frozen=True, slots=True)
class CopyWindow:
    """A ledger beside that of the period before; None where either cannot be read."""

    cur: Copied | None

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a ledger, once any edition was approved."""
        for ledger in ledger_of(view):
            now, then = view.cell.body, view.before.body
            cur = None
            if now is not None and then is not None and now.kind == then.kind == "ledger":
                mine, theirs = (Counter((row[1], row[2]) for row in body.detail) for body in (now, then))
                cur = Copied(now.event, mine.total(), theirs.total(), (mine & theirs).total())
            yield ledger.subject, cls(cur)
