"""What a village owes, how that stands, and what is missing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.contracts.duties import Cell, CellRecord, CellState, Duty, cell_state, late_by
from services.publish.render.rows import Publication, Step

#: Item and period.
CellKey = tuple[str, str]

_MISSING: Final = frozenset({CellState.NOT_OPENED, CellState.IN_PROGRESS})


@dataclass(frozen=True, slots=True)
class Missing:
    """A cell that is not open although it should be, or is about to be."""

    duty: Duty
    cell: Cell
    late_days: int


def live_by_cell(publications: Iterable[Publication]) -> dict[CellKey, Publication]:
    """The newest publication of each cell that was not withdrawn; `publications` newest first."""
    found: dict[CellKey, Publication] = {}
    for p in publications:
        if p.withdrawn_at is None:
            found.setdefault((p.item, p.period), p)
    return found


def records(publications: Sequence[Publication], steps: Iterable[Step]) -> dict[CellKey, CellRecord]:
    """What is known of each cell of one village."""
    published = {
        key: CellRecord(first_published_at=p.first_published_at, nil=p.nil)
        for key, p in live_by_cell(publications).items()
    }
    under_way: dict[CellKey, Step] = {}
    for step in steps:
        key = (step.item, step.period)
        if step.submitted_at is not None and key not in published:
            known = under_way.get(key)
            if known is None or known.submitted_at is None or known.submitted_at < step.submitted_at:
                under_way[key] = step
    waiting = {
        key: CellRecord(submitted_at=s.submitted_at, confirmed_at=s.confirmed_at) for key, s in under_way.items()
    }
    return {**waiting, **published}


def missing(owed: Iterable[Duty], known: Mapping[CellKey, CellRecord], now: datetime) -> tuple[Missing, ...]:
    """What is past due or under way, money first, then what is late longest."""
    found = []
    for duty in owed:
        cell = cell_state(duty, known.get((duty.item, duty.period), CellRecord()), now)
        if cell.state in _MISSING:
            found.append(Missing(duty, cell, late_by(duty, now)))
    return tuple(sorted(found, key=lambda m: (m.duty.item[0] != "F", -m.late_days, m.duty.item, m.duty.period)))
