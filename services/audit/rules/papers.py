"""Windows on what is no ledger: rosters, decisions, contracts, notices, projects, as `details.py` keeps them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.audit.rules.details import DayFacts
from services.audit.rules.lines import cell_subject
from services.audit.rules.window import View, Window
from services.contracts.alert import Subject
from services.contracts.values import Frequency, period_bounds, period_frequency


def _is(view: View, kind: str) -> bool:
    """Tell whether a cell is one of a kind, once any edition that could be read was approved."""
    return view.cell.approved and kind in view.cell.kinds


def _detail(view: View, kind: str) -> tuple[str, Any] | None:
    """The open edition's event and what is kept of it; None when nobody can read it."""
    body = view.cell.body
    return (body.event, body.detail) if body is not None and body.kind == kind else None


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
        if _is(view, "roster"):
            found = _detail(view, "roster")
            event, detail = found or ("", {"days": []})
            first, last = period_bounds(view.key.period)
            is_event = period_frequency(view.key.period) is Frequency.ON_EVENT
            rows = tuple(Worked(event, *DayFacts(*row)) for row in detail["days"])
            yield cell_subject(view), cls(found is not None, None if is_event else (last - first).days + 1, rows)


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
        if _is(view, "roster"):
            found = _detail(view, "roster")
            yield cell_subject(view), cls(RowFacts(found[0], found[1]["twice"]) if found is not None else None)


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
        if _is(view, "roster"):
            found = _detail(view, "roster")
            cur = SumFacts(found[0], *(found[1]["total"] or (None, None))) if found is not None else None
            yield cell_subject(view), cls(cur)


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
        if _is(view, "decision"):
            found = _detail(view, "decision")
            cur = None
            if found is not None:
                cur = VoteFacts(found[0], found[1]["meeting"], *(found[1]["votes"] or (None, None, None)))
            yield cell_subject(view), cls(cur)


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
        if _is(view, "contract"):
            found = _detail(view, "contract")
            cur = None
            if found is not None:
                d = found[1]
                ends = date.fromisoformat(d["ends"]) if d["ends"] is not None else None
                cur = TermFacts(found[0], d["type"], date.fromisoformat(d["begins"]), ends)
            yield cell_subject(view), cls(cur)


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
        if _is(view, "notice"):
            found = _detail(view, "notice")
            cur = None
            if found is not None:
                days = (found[1]["from"], found[1]["until"])
                cur = PostedFacts(found[0], *(date.fromisoformat(d) if d is not None else None for d in days))
            yield cell_subject(view), cls(view.notice_days, cur)


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
        if _is(view, "project"):
            found = _detail(view, "project")
            cur = PriceFacts(found[0], found[1]["contract"], found[1]["bid"]) if found is not None else None
            yield cell_subject(view), cls(cur)


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
        if _is(view, "project"):
            found = _detail(view, "project")
            cur = None
            if found is not None:
                d = found[1]
                contract = d["contract"] if d["settled"] is None else None
                cur = PaymentFacts(found[0], contract, d["settled"], d["paid"])
            yield cell_subject(view), cls(cur)
