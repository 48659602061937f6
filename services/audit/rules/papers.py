"""Windows on what is no ledger: rosters, decisions, contracts, notices, projects, as `details.py` keeps them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from services.audit.rules.details import DayFacts
from services.audit.rules.lines import cell_subject
from services.audit.rules.window import View, Window
from services.contracts.alert import Subject
from services.contracts.values import Frequency, period_bounds, period_frequency

Facts = TypeVar("Facts")


def _opened(view: View, kind: str, read: Callable[[str, Any], Facts]) -> Iterator[tuple[Subject, Facts | None]]:
    """A cell of one kind, once any edition that could be read was approved, with what is read of the open edition's event and details.

    None when nobody can read it.
    """
    if view.cell.approved and kind in view.cell.kinds:
        body = view.cell.body
        yield cell_subject(view), read(body.event, body.detail) if body is not None and body.kind == kind else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text is not None else None


@dataclass(frozen=True, slots=True)
class Worked:
    """A row of a roster that says how long somebody worked, in ten-thousandths of a day; `person` a number within the roster."""

    event: str
    line: int
    person: int
    days: int


@dataclass(frozen=True, slots=True)
class LabourWindow:
    """Days worked by row, and how many days the period has; None for a day's event, which says nothing of how long it took."""

    is_open: bool
    period_days: int | None
    rows: tuple[Worked, ...]

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a roster, once any edition was approved."""
        for subject, rows in _opened(view, "roster", cls._rows):
            first, last = period_bounds(view.key.period)
            is_event = period_frequency(view.key.period) is Frequency.ON_EVENT
            yield subject, cls(rows is not None, None if is_event else (last - first).days + 1, rows or ())

    @staticmethod
    def _rows(event: str, of: Any) -> tuple[Worked, ...]:
        return tuple(Worked(event, *DayFacts(*row)) for row in of["days"])


@dataclass(frozen=True, slots=True)
class RowFacts:
    """How many rows of a roster repeat an earlier one in everything."""

    event: str
    twice: int


@dataclass(frozen=True, slots=True)
class RowWindow:
    """An open roster's rows; None when nobody can read it."""

    cur: RowFacts | None

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a roster, once any edition was approved."""
        for subject, cur in _opened(view, "roster", lambda event, of: RowFacts(event, of["twice"])):
            yield subject, cls(cur)


@dataclass(frozen=True, slots=True)
class SumFacts:
    """A roster's stated total of money beside the sum of its rows; None when none is stated."""

    event: str
    stated_fen: int | None
    rows_fen: int | None


@dataclass(frozen=True, slots=True)
class SumWindow:
    """An open roster's sums; None when nobody can read it."""

    cur: SumFacts | None

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a roster, once any edition was approved."""
        for subject, cur in _opened(view, "roster", lambda event, of: SumFacts(event, *(of["total"] or (None, None)))):
            yield subject, cls(cur)


@dataclass(frozen=True, slots=True)
class VoteFacts:
    """Which body decided, how many were entitled, came, and agreed."""

    event: str
    meeting: str
    entitled: int | None
    present: int | None
    in_favour: int | None


@dataclass(frozen=True, slots=True)
class VoteWindow:
    """An open decision; None when nobody can read it."""

    cur: VoteFacts | None

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a decision, once any edition was approved."""
        for subject, cur in _opened(
            view, "decision", lambda event, of: VoteFacts(event, of["meeting"], *(of["votes"] or (None, None, None)))
        ):
            yield subject, cls(cur)


@dataclass(frozen=True, slots=True)
class TermFacts:
    """What a contract is, and from when to when it runs; `ends` is its last day."""

    event: str
    type: str
    begins: date
    ends: date | None


@dataclass(frozen=True, slots=True)
class TermWindow:
    """An open contract; None when nobody can read it."""

    cur: TermFacts | None

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a contract, once any edition was approved."""
        for subject, cur in _opened(view, "contract", cls._facts):
            yield subject, cls(cur)

    @staticmethod
    def _facts(event: str, of: Any) -> TermFacts:
        return TermFacts(event, of["type"], date.fromisoformat(of["begins"]), _day(of["ends"]))


@dataclass(frozen=True, slots=True)
class PostedFacts:
    """From when to when a notice hung, both days counted."""

    event: str
    posted_from: date | None
    posted_until: date | None


@dataclass(frozen=True, slots=True)
class PostedWindow:
    """An open notice, and how many days the item has to hang; 0 for none."""

    notice_days: int
    cur: PostedFacts | None

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a notice, once any edition was approved."""
        for subject, cur in _opened(
            view, "notice", lambda event, of: PostedFacts(event, _day(of["from"]), _day(of["until"]))
        ):
            yield subject, cls(view.notice_days, cur)


@dataclass(frozen=True, slots=True)
class PriceFacts:
    """A project's contract beside the one bid that won."""

    event: str
    contract_fen: int | None
    bid_fen: int | None


@dataclass(frozen=True, slots=True)
class PriceWindow:
    """An open project's prices; None when nobody can read it."""

    cur: PriceFacts | None

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a project, once any edition was approved."""
        for subject, cur in _opened(view, "project", lambda event, of: PriceFacts(event, of["contract"], of["bid"])):
            yield subject, cls(cur)


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """What was paid for a project, and what is owed by the settlement, or by the contract while there is none."""

    event: str
    contract_fen: int | None
    settled_fen: int | None
    paid_fen: int


@dataclass(frozen=True, slots=True)
class PaymentWindow:
    """An open project's payments; None when nobody can read it."""

    cur: PaymentFacts | None

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a project. A contract that was settled otherwise counts no more."""
        for subject, cur in _opened(view, "project", cls._facts):
            yield subject, cls(cur)

    @staticmethod
    def _facts(event: str, of: Any) -> PaymentFacts:
        contract = of["contract"] if of["settled"] is None else None
        return PaymentFacts(event, contract, of["settled"], of["paid"])
