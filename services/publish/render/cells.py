"""What a village owes, how that stands, what is missing, what is waived, what did not happen."""

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, NamedTuple, Protocol, TypeVar

from services.contracts.duties import CellKey, CellRecord, CellState, Duty, GridCell, cells, declared_records
from services.publish.render.rows import Declaration, Step, Waiver

_MISSING: Final = frozenset({CellState.NOT_OPENED, CellState.IN_PROGRESS})
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class Known(NamedTuple):
    """A publication by what decides whether a page shows it; the rest of it is read only then."""

    disclosure_id: str
    item: str
    period: str
    is_live: bool
    nil: bool
    has_sums: bool
    first_published_at: datetime
    published_at: datetime
    #: Of the edition that was public first; None where that is not known.
    submitted_at: datetime | None = None
    confirmed_at: datetime | None = None
    delivered_at: datetime | None = None


class Listed(Protocol):
    """A publication, whole or by its outline."""

    @property
    def item(self) -> str:
        """Code of the item that it belongs to."""

    @property
    def period(self) -> str:
        """The period that it tells of, as `2026-10`."""

    @property
    def is_live(self) -> bool:
        """Tell whether it is public, not withdrawn."""

    @property
    def has_sums(self) -> bool:
        """Tell whether it is a ledger whose sums are told."""

    @property
    def published_at(self) -> datetime:
        """When the newest of its editions was published."""


L = TypeVar("L", bound=Listed)


@dataclass(frozen=True, slots=True)
class CellFacts:
    """What the read model knows of one village's cells; `known` newest first, `steps` of what is not public.

    `opened`: the cells that are open, by item and period, where `known` tells only of some; None where it tells of all.
    """

    known: Sequence[Known]
    steps: Sequence[Step]
    waivers: Sequence[Waiver] = ()
    declarations: Sequence[Declaration] = ()
    opened: frozenset[tuple[str, str]] | None = None
    #: How many questions wait for an answer, by cell.
    asked: Mapping[CellKey, int] = field(default_factory=dict)

    def asked_of(self, item: str) -> Mapping[CellKey, int]:
        """How many questions wait for an answer on the cells of one item."""
        return {key: n for key, n in self.asked.items() if key.item == item}

    def of_item(self, item: str) -> "CellFacts":
        """What is known of the cells of one item."""
        return CellFacts(
            known=[p for p in self.known if p.item == item],
            steps=[s for s in self.steps if s.item == item],
            waivers=[w for w in self.waivers if w.item == item],
            declarations=[replace(d, answers={item: d.answers[item]}) for d in self.declarations if item in d.answers],
            asked=self.asked_of(item),
        )


def live_by_cell(publications: Iterable[L]) -> dict[CellKey, L]:
    """The newest publication of each cell that was not withdrawn; `publications` newest first."""
    found: dict[CellKey, L] = {}
    for p in publications:
        if p.is_live:
            found.setdefault(CellKey(p.item, p.period), p)
    return found


def _under_way(steps: Iterable[Step]) -> dict[CellKey, Step]:
    """The step of each cell that came furthest."""
    found: dict[CellKey, Step] = {}
    for step in steps:
        key = CellKey(step.item, step.period)
        known = found.get(key)
        if known is None or (step.submitted_at or step.delivered_at or _NEVER) > (
            known.submitted_at or known.delivered_at or _NEVER
        ):
            found[key] = step
    return found


def record_of(p: Known) -> CellRecord:
    """What a publication makes of its cell."""
    return CellRecord(
        first_published_at=p.first_published_at,
        nil=p.nil,
        submitted_at=p.submitted_at,
        confirmed_at=p.confirmed_at,
        delivered_at=p.delivered_at,
    )


class Cells:
    """One village's cells as they stand; only those that are asked for are worked out, however many years there are."""

    def __init__(self, facts: CellFacts) -> None:
        """Take what is known; `facts` may be of all items or of some."""
        self._known = live_by_cell(facts.known)
        self.opened: Collection[tuple[str, str]] = self._known.keys() if facts.opened is None else facts.opened
        self._others = _unopened_records(facts, self.opened)
        self._asked = facts.asked

    def live(self, key: CellKey) -> Known | None:
        """What opens a cell, if anything does and is known."""
        return self._known.get(key)

    def all(self, owed: Iterable[CellKey]) -> list[CellKey]:
        """Every cell: what is owed as it comes, then what else is known, by item and period."""
        asked = dict.fromkeys(owed)
        return [*asked, *sorted(map(CellKey._make, {*self.opened, *self._others} - asked.keys()))]

    def unopened(self, owed: Iterable[CellKey]) -> list[CellKey]:
        """Every cell of which nothing is public, in the same order."""
        asked = dict.fromkeys(key for key in owed if key not in self.opened)
        return [*asked, *sorted(self._others.keys() - asked.keys())]

    def record(self, key: CellKey) -> CellRecord:
        """What is known of a cell."""
        p = self._known.get(key)
        record = record_of(p) if p is not None else self._others.get(key, CellRecord())
        asked = self._asked.get(key, 0)
        return replace(record, open_questions=asked) if asked else record

    def grid(
        self, keys: Iterable[CellKey], make: Callable[[CellKey], Duty | None], now: datetime
    ) -> tuple[GridCell, ...]:
        """Some cells, in the order of their keys; those that cannot be, as `make` has no duty for them, are left out."""
        duties = [(key, duty) for key in keys if (duty := make(key)) is not None]
        return cells((d for _, d in duties), {key: self.record(key) for key, _ in duties}, make, now)


def _unopened_records(facts: CellFacts, opened: Container[tuple[str, str]]) -> dict[CellKey, CellRecord]:
    found: dict[CellKey, CellRecord] = {}
    for declaration in reversed(facts.declarations):
        found |= declared_records(declaration.quarter, declaration.answers)
    steps = _under_way(facts.steps)
    waived = {CellKey(w.item, w.period): w.since for w in facts.waivers}
    for key in {*steps, *waived}:
        step = steps.get(key)
        found[key] = CellRecord(
            waived_at=waived.get(key),
            submitted_at=step.submitted_at if step is not None else None,
            confirmed_at=step.confirmed_at if step is not None else None,
            delivered_at=step.delivered_at if step is not None else None,
        )
    return {key: record for key, record in found.items() if key not in opened}


def missing(of: Iterable[GridCell]) -> tuple[GridCell, ...]:
    """What is past due or under way, money first, then what is late longest."""
    found = [c for c in of if c.beneath in _MISSING]
    return tuple(sorted(found, key=lambda c: (c.duty.item[0] != "F", -c.late_days, c.duty.item, c.duty.period)))


def waived(of: Iterable[GridCell], waivers: Iterable[Waiver]) -> tuple[tuple[GridCell, Waiver], ...]:
    """Cells that are not opened for a reason on file, with the reason."""
    by_key: Mapping[CellKey, Waiver] = {CellKey(w.item, w.period): w for w in waivers}
    return tuple((c, by_key[c.key]) for c in of if c.beneath is CellState.WAIVED and c.key in by_key)


def declared_nil(of: Iterable[GridCell], published: Container[tuple[str, str]]) -> tuple[GridCell, ...]:
    """Items of which a quarter's page says that nothing happened (本期无此事项), newest first."""
    found = [c for c in of if c.beneath is CellState.NIL and c.key not in published]
    return tuple(sorted(found, key=lambda c: (c.duty.period, c.duty.item), reverse=True))
