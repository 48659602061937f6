"""Facts as audit keeps them, and a cell folded from its facts.

In come the facts of one village, item and period, in any order; out goes the same cell, whatever the order was.
What leaves a body for a fact says `details.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from services.contracts.duties import CellRecord
from services.contracts.values import (
    Frequency,
    period_bounds,
    period_frequency,
    period_of,
)

FactKind = Literal[
    "delivered",
    "submitted",
    "confirmed",
    "returned",
    "approved",
    "filed",
    "corrected",
    "discarded",
    "withdrawn",
    "restored",
    "erased",
    "reset",
    "published",
    "unpublished",
    "waived",
    "waiver_over",
    "declared",
    "asked",
    "unclear",
    "answered",
    "handed_up",
    "hidden",
]
_SIGHT: Final = frozenset({"withdrawn", "restored"})


class CellKey(NamedTuple):
    """One cell of the grid."""

    village: str
    item: str
    period: str

    def before(self) -> "CellKey | None":
        """The cell of the period before; None for on-event items, which form no chain."""
        return self._beside(timedelta(days=-1))

    def after(self) -> "CellKey | None":
        """The cell of the next period; None for on-event items."""
        return self._beside(timedelta(days=1))

    def _beside(self, step: timedelta) -> "CellKey | None":
        frequency = period_frequency(self.period)
        if frequency is Frequency.ON_EVENT:
            return None
        first, last = period_bounds(self.period)
        return self._replace(period=period_of((first if step.days < 0 else last) + step, frequency))


@dataclass(frozen=True, slots=True)
class Fact:
    """What one event said of a cell. `seq` is the order of hearing; nothing but `--as-of` may depend on it."""

    seq: int
    event: str
    kind: FactKind
    key: CellKey
    disclosure: str
    edition: int
    version: int
    occurred_at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AccountSums:
    """One account of an open ledger, in fen."""

    event: str
    opening_fen: int
    income_fen: int
    expense_fen: int
    transfer_in_fen: int
    transfer_out_fen: int
    closing_fen: int


@dataclass(frozen=True, slots=True)
class LedgerTotals:
    """Stated totals of an open ledger beside the sums of its lines, in fen; None when none are stated."""

    event: str
    income_stated_fen: int | None
    expense_stated_fen: int | None
    income_lines_fen: int
    expense_lines_fen: int


@dataclass(frozen=True, slots=True)
class OpenLedger:
    """The edition that everybody can read."""

    totals: LedgerTotals
    accounts: dict[str, AccountSums]


@dataclass(frozen=True, slots=True)
class OpenBody:
    """What is kept of the open edition beside its sums: the kind of its body, and what `details.py` makes of it."""

    event: str
    kind: str
    detail: Any


@dataclass(frozen=True, slots=True)
class EditionFacts:
    """One approved edition, numbered 1, 2, 3 … as villagers count them: a digest over its figures, whether it says what it changed, who handed in and let out."""

    event: str
    edition: int
    figures: str
    noted: bool
    submitted_by: str | None
    approved_by: str | None
    release: str
    delegation: str | None


@dataclass(frozen=True, slots=True)
class Review:
    """An edition that the village handed over, and when the township decided, if it has."""

    event: str
    handed_over_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as all its facts together tell it.

    `ledger`: the open edition, None when nothing is open or its content was destroyed. `accounts`: every account that
    any approved edition named. `correcting`: a later edition is under way. `as_of`: the newest fact's `seq`. `editions`:
    approved ones of what is open, oldest first. `has_row`: anything at all was handed in or declared. `dropped`: the open
    edition no longer lists an account that an earlier one of the same disclosure had figures for. `kinds`: of the bodies of
    all approved editions that could be read. `body`: the open edition's.
    """

    approved: bool
    ledger: OpenLedger | None
    accounts: frozenset[str]
    correcting: bool
    record: CellRecord
    published_by: str | None
    as_of: int
    editions: tuple[EditionFacts, ...] = ()
    review: Review | None = None
    has_row: bool = False
    dropped: bool = False
    kinds: frozenset[str | None] = frozenset()
    body: OpenBody | None = None


EMPTY: Final = Cell(
    approved=False, ledger=None, accounts=frozenset(), correcting=False, record=CellRecord(), published_by=None, as_of=0
)


def _open_ledger(fact: Fact) -> OpenLedger | None:
    rows: dict[str, list[int]] | None = fact.data.get("accounts")
    if rows is None:
        return None
    stated = fact.data["totals"] or (None, None)
    return OpenLedger(
        LedgerTotals(fact.event, *stated, *fact.data["lines"]),
        {name: AccountSums(fact.event, *numbers) for name, numbers in rows.items()},
    )


def kind_of(fact: Fact) -> str | None:
    """The kind of an approved edition's body; facts from before it was kept tell a ledger by its accounts."""
    if "kind" in fact.data:
        return str(fact.data["kind"])
    return "ledger" if "accounts" in fact.data else "other" if "figures" in fact.data else None


def _open_body(newest: Fact | None) -> OpenBody | None:
    if newest is None or "detail" not in newest.data:
        return None
    return OpenBody(newest.event, newest.data["kind"], newest.data["detail"])


def _newest(fact: Fact) -> tuple[int, datetime, str]:
    return fact.edition, fact.occurred_at, fact.event


def gone(facts: Sequence[Fact]) -> frozenset[str]:
    """Disclosures that nobody can read any more: withdrawn and not restored; publish's word counts while ingest's is missing."""
    last: dict[str, Fact] = {}
    for f in facts:
        if f.kind in _SIGHT and (f.disclosure not in last or last[f.disclosure].version < f.version):
            last[f.disclosure] = f
    unseen = {f.disclosure for f in facts if f.kind == "unpublished" and f.disclosure not in last}
    return frozenset(unseen | {d for d, f in last.items() if f.kind == "withdrawn"})


def fold(facts: Iterable[Fact]) -> Cell:
    """Make the cell that these facts tell; their order and repeats do not matter.

    Facts come from two topics, in any order and more than once: every order must make the same cell. `approved` and
    `accounts` count withdrawn disclosures too, so that alerts about their accounts still have a subject to clear.
    """
    known = sorted({f.event: f for f in facts}.values(), key=lambda f: (f.occurred_at, f.version, f.event))
    if not known:
        return EMPTY
    ended = gone(known)
    live = [f for f in known if f.disclosure not in ended]
    approved = [f for f in known if f.kind == "approved"]
    newest = max((f for f in live if f.kind == "approved"), key=_newest, default=None)
    first = min((f for f in live if f.kind == "published"), key=_published, default=None)
    record = _record(live, first, newest)
    return Cell(
        approved=bool(approved),
        ledger=_open_ledger(newest) if newest is not None else None,
        accounts=frozenset(name for f in approved for name in f.data.get("accounts") or ()),
        correcting=newest is not None and _under_way(live, newest),
        record=record,
        published_by=first.event if first is not None else None,
        as_of=max(f.seq for f in known),
        editions=_editions(live, newest) if newest is not None else (),
        review=_review(live),
        has_row=record.nil or any(f.kind in _ROWS for f in live),
        dropped=newest is not None and any(_drops(f, newest) for f in live),
        kinds=frozenset(map(kind_of, approved)) - {None},
        body=_open_body(newest),
    )


def _drops(earlier: Fact, newest: Fact) -> bool:
    """Tell whether an account of an earlier edition is gone from the newest; under another name it is still there."""
    is_before = (earlier.kind, earlier.disclosure) == ("approved", newest.disclosure) and earlier is not newest
    before, now = earlier.data.get("accounts"), newest.data.get("accounts")
    if not is_before or before is None or now is None:
        return False
    new = [rows for name, rows in now.items() if name not in before]
    return any(any(rows) and name not in now and rows not in new for name, rows in before.items())


#: Facts that say that somebody handed something in.
_ROWS: Final = frozenset({"delivered", "submitted", "confirmed", "returned", "approved", "published"})
_STEPS: Final = frozenset({"submitted", "confirmed", "returned", "approved", "discarded"})


def _editions(live: Sequence[Fact], newest: Fact) -> tuple[EditionFacts, ...]:
    """Approved editions of the open disclosure whose content was readable, oldest first."""
    mine = {f.edition: f for f in live if f.kind == "approved" and f.disclosure == newest.disclosure}
    return tuple(
        EditionFacts(
            event=f.event,
            edition=number,
            figures=f.data["figures"],
            noted=bool(f.data.get("noted")),
            submitted_by=f.data.get("submitted_by"),
            approved_by=f.data.get("approved_by"),
            release=f.data.get("release", "approve"),
            delegation=f.data.get("delegation"),
        )
        for number, (_, f) in enumerate(sorted(mine.items()), 1)
        if "figures" in f.data
    )


def _review(live: Sequence[Fact]) -> Review | None:
    """The newest hand-over of the newest disclosure to the township."""
    steps = _steps(live)
    handed: Fact | None = None
    handed_at: datetime | None = None
    submitted_at: datetime | None = None
    decided_at: datetime | None = None
    for fact in steps:
        match fact.kind:
            case "submitted":
                submitted_at, handed, handed_at, decided_at = fact.occurred_at, None, None, None
            case "confirmed" if fact.data["complete"] and submitted_at is not None:
                handed, handed_at = fact, max(submitted_at, fact.occurred_at)
            case "returned" | "approved" | "discarded":
                decided_at = fact.occurred_at
            case _:
                pass
    if handed is None or handed_at is None:
        return None
    if decided_at is None:
        # Publish may be heard before ingest's own approval.
        shown = [f.occurred_at for f in live if f.kind == "published" and f.edition >= handed.edition]
        decided_at = min(shown, default=None)
    return Review(handed.event, handed_at, decided_at)


def _steps(live: Sequence[Fact]) -> list[Fact]:
    """The newest disclosure's steps, in the order of their versions."""
    steps = [f for f in live if f.kind in _STEPS]
    current = steps[-1].disclosure if steps else None
    return sorted((f for f in steps if f.disclosure == current), key=lambda f: f.version)


def _published(fact: Fact) -> tuple[datetime, int, str]:
    return datetime.fromisoformat(fact.data["first_published_at"]), fact.edition, fact.event


def _under_way(live: Sequence[Fact], newest: Fact) -> bool:
    """Tell whether an edition after the open one is being made, from its beginning until it was approved or given up."""
    later = [f for f in live if f.disclosure == newest.disclosure and f.version > newest.version]
    steps = [f.kind for f in sorted(later, key=lambda f: f.version)]
    return bool(steps) and steps[-1] in {"corrected", "submitted", "confirmed"}


def _waived_at(live: Sequence[Fact]) -> datetime | None:
    """Since when a waiver is in force; each waiver's newest word counts."""
    newest: dict[str, Fact] = {}
    for f in live:
        known = newest.get(f.disclosure)
        if f.kind in {"waived", "waiver_over"} and (known is None or known.version < f.version):
            newest[f.disclosure] = f
    return min((f.occurred_at for f in newest.values() if f.kind == "waived"), default=None)


def _declared_nil(live: Sequence[Fact]) -> bool:
    """Whether the newest answer of the quarter's page is no."""
    newest = max((f for f in live if f.kind == "declared"), key=lambda f: f.edition, default=None)
    return newest is not None and bool(newest.data.get("nil"))


def is_declared(facts: Iterable[Fact]) -> bool:
    """Tell whether the newest answer says that this event happened."""
    newest = max((f for f in facts if f.kind == "declared"), key=lambda f: f.edition, default=None)
    return newest is not None and not newest.data.get("dropped")


def _record(live: Sequence[Fact], first: Fact | None, newest: Fact | None) -> CellRecord:
    """Who had the disclosure when: the newest disclosure's steps, in the order of their versions."""
    submitted_at: datetime | None = None
    confirmed_at: datetime | None = None
    # Lateness is of the first edition that everybody could read; a correction's way is its own.
    for fact in (f for f in _steps(live) if first is None or f.edition <= first.edition):
        match fact.kind:
            case "submitted":
                submitted_at, confirmed_at = fact.occurred_at, None
            case "confirmed" if fact.data["complete"]:
                confirmed_at = fact.occurred_at
            case "returned" | "discarded":
                submitted_at = confirmed_at = None
            case "approved":
                submitted_at = datetime.fromisoformat(fact.data["submitted_at"])
                confirmed_at = datetime.fromisoformat(fact.data["confirmed_at"])
            case _:
                pass
    opened_nil = first is not None and newest is not None and bool(newest.data.get("nil"))
    return CellRecord(
        first_published_at=_published(first)[0] if first is not None else None,
        nil=opened_nil or (first is None and _declared_nil(live)),
        waived_at=_waived_at(live),
        submitted_at=submitted_at,
        confirmed_at=confirmed_at,
        delivered_at=min((f.occurred_at for f in live if f.kind == "delivered"), default=None),
    )
