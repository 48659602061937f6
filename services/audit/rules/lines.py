"""Windows on the lines of an open ledger: each holds the lines that its rule may speak of, and of these what it looks at."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from services.audit.rules.details import LineFacts
from services.audit.rules.window import View, Window
from services.contracts.alert import Subject


class OpenLedger(NamedTuple):
    """A ledger's cell, whether anybody can read its open edition, and of that the event and the lines."""

    subject: Subject
    event: str
    lines: list[LineFacts]
    is_open: bool


def ledger_of(view: View) -> Iterator[OpenLedger]:
    """The ledger of a cell, as far as anybody can tell that it is one, once any edition was approved."""
    if view.cell.approved and (not view.cell.kinds or "ledger" in view.cell.kinds):
        body = view.cell.body
        if body is not None and body.kind == "ledger":
            yield OpenLedger(cell_subject(view), body.event, [LineFacts(*row) for row in body.detail], is_open=True)
        else:
            yield OpenLedger(cell_subject(view), "", [], is_open=False)


def cell_subject(view: View) -> Subject:
    """The cell as a whole."""
    return Subject(village=view.key.village, item=view.key.item, period=view.key.period)


@dataclass(frozen=True, slots=True)
class Paid:
    """A line that spends, by its number."""

    event: str
    line: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class SpendingWindow:
    """What was spent, of lines that its rule may speak of."""

    is_open: bool
    lines: tuple[Paid, ...]

    @staticmethod
    def counts(x: LineFacts) -> bool:
        """Tell whether a line that spends is one of them."""
        raise NotImplementedError

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a ledger, once any edition was approved."""
        for ledger in ledger_of(view):
            spent = (x for x in ledger.lines if x.direction == "out" and cls.counts(x))
            paid = tuple(Paid(ledger.event, x.line, x.amount_fen) for x in spent)
            yield ledger.subject, cls(ledger.is_open, paid)


class CashWindow(SpendingWindow):
    """What was paid in cash; what may be paid so in any amount is left out."""

    __slots__ = ()

    @staticmethod
    def counts(x: LineFacts) -> bool:
        """In cash, and nothing that may be paid so whatever it costs."""
        return x.is_cash and not x.any_cash


class PaperWindow(SpendingWindow):
    """What was spent without any paper beside it: no picture of a voucher or invoice, of the line or of the whole."""

    __slots__ = ()

    @staticmethod
    def counts(x: LineFacts) -> bool:
        """Without a paper."""
        return not x.papers


class UnresolvedWindow(SpendingWindow):
    """What was spent without naming a resolution."""

    __slots__ = ()

    @staticmethod
    def counts(x: LineFacts) -> bool:
        """Without a resolution."""
        return not x.resolved


@dataclass(frozen=True, slots=True)
class Numbered:
    """A line with its voucher; `word` is a number within the ledger, `day` the one it was booked on."""

    event: str
    line: int
    word: int
    number: int
    day: date


@dataclass(frozen=True, slots=True)
class VoucherWindow:
    """The lines that have a voucher, and how many these are; a hit keeps the lines it rests on."""

    is_open: bool
    numbered: int
    lines: tuple[Numbered, ...]

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a ledger, once any edition was approved."""
        for ledger in ledger_of(view):
            numbered = tuple(
                Numbered(ledger.event, x.line, x.voucher, x.voucher_no, date.fromisoformat(x.day))
                for x in ledger.lines
                if x.voucher is not None and x.voucher_no is not None
            )
            yield ledger.subject, cls(ledger.is_open, len(numbered), numbered)


@dataclass(frozen=True, slots=True)
class Till:
    """What was left in a cash account."""

    event: str
    closing_fen: int


@dataclass(frozen=True, slots=True)
class TillWindow:
    """One cash account of a ledger. `cur` None: the open edition lacks the account."""

    is_open: bool
    cur: Till | None

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a cash account that any approved edition named."""
        for account in sorted(a for a in view.cell.accounts if a.partition(":")[0] == "cash"):
            ledger = view.cell.ledger
            sums = ledger.accounts.get(account) if ledger is not None else None
            cur = Till(sums.event, sums.closing_fen) if sums is not None else None
            yield cell_subject(view).model_copy(update={"account": account}), cls(ledger is not None, cur)
