"""Windows on the lines of an open ledger: each holds the lines that its rule may speak of, and of these what it looks at."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from services.audit.rules.details import LineFacts
from services.audit.rules.window import View, Window
from services.contracts.alert import Subject


def is_ledger(view: View) -> bool:
    """Tell whether a cell is a ledger's, as far as anybody can tell, once any edition was approved."""
    return view.cell.approved and (not view.cell.kinds or "ledger" in view.cell.kinds)


def lines_of(view: View) -> tuple[str, list[LineFacts]] | None:
    """The open edition's event and lines; None when nobody can read it."""
    body = view.cell.body
    if body is None or body.kind != "ledger":
        return None
    return body.event, [LineFacts(*row) for row in body.detail]


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
class CashWindow:
    """What was paid in cash; what may be paid so in any amount is left out."""

    is_open: bool
    lines: tuple[Paid, ...]

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a ledger, once any edition was approved."""
        if is_ledger(view):
            found = lines_of(view)
            event, rows = found or ("", [])
            paid = (
                Paid(event, x.line, x.amount_fen) for x in rows if x.direction == "out" and x.is_cash and not x.any_cash
            )
            yield cell_subject(view), cls(found is not None, tuple(paid))


@dataclass(frozen=True, slots=True)
class PaperWindow:
    """What was spent without any paper beside it: no picture of a voucher or invoice, of the line or of the whole."""

    is_open: bool
    lines: tuple[Paid, ...]

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a ledger, once any edition was approved."""
        if is_ledger(view):
            found = lines_of(view)
            event, rows = found or ("", [])
            paid = (Paid(event, x.line, x.amount_fen) for x in rows if x.direction == "out" and not x.papers)
            yield cell_subject(view), cls(found is not None, tuple(paid))


@dataclass(frozen=True, slots=True)
class UnresolvedWindow:
    """What was spent without naming a resolution."""

    is_open: bool
    lines: tuple[Paid, ...]

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a ledger, once any edition was approved."""
        if is_ledger(view):
            found = lines_of(view)
            event, rows = found or ("", [])
            paid = (Paid(event, x.line, x.amount_fen) for x in rows if x.direction == "out" and not x.resolved)
            yield cell_subject(view), cls(found is not None, tuple(paid))


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
        if is_ledger(view):
            found = lines_of(view)
            event, rows = found or ("", [])
            numbered = tuple(
                Numbered(event, x.line, x.voucher, x.voucher_no, date.fromisoformat(x.day))
                for x in rows
                if x.voucher is not None and x.voucher_no is not None
            )
            yield cell_subject(view), cls(found is not None, len(numbered), numbered)


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
