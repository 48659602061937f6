"""三务公开一张表: cells of villages for one stretch of time, and how many stand how, by part of the tree and item."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from services.audit.rules.facts import CellKey
from services.contracts.duties import CellState, GridCell
from services.contracts.values import Frequency, period_bounds, period_frequency, period_of

_PERIODIC: Final = (Frequency.MONTHLY, Frequency.QUARTERLY, Frequency.HALF_YEAR, Frequency.YEARLY)
#: What an inspector has to see first when one square stands for several cells.
GRAVEST_FIRST: Final = (
    CellState.NOT_OPENED,
    CellState.QUESTIONED,
    CellState.OPENED_LATE,
    CellState.WAIVED,
    CellState.IN_PROGRESS,
    CellState.NOT_DUE,
    CellState.NIL,
    CellState.OPENED,
    CellState.NOT_APPLICABLE,
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Periods that are looked at together, and the days whose events count."""

    periods: frozenset[str]
    first: date
    last: date

    @classmethod
    def exactly(cls, period: str) -> "Stretch":
        """One period, and the events within it."""
        return cls(frozenset({period}), *period_bounds(period))

    @classmethod
    def around(cls, month: str) -> "Stretch":
        """A month, its events, and the quarter, half year and year that it lies in."""
        first, last = period_bounds(month)
        return cls(frozenset(period_of(first, f) for f in _PERIODIC), first, last)


@dataclass(frozen=True, slots=True)
class Spot:
    """A village's square of the grid: its gravest cell of one item, how many cells it stands for."""

    cell: GridCell
    count: int
    blind: bool


def spots(cells: Iterable[GridCell], blind: Collection[CellKey]) -> dict[str, Spot]:
    """One village's squares, by item; an event is shown rather than the quarter's answer."""
    by_item: dict[str, list[GridCell]] = {}
    for cell in cells:
        by_item.setdefault(cell.duty.item, []).append(cell)
    return {item: _spot(found, blind) for item, found in by_item.items()}


def _spot(found: Sequence[GridCell], blind: Collection[CellKey]) -> Spot:
    events = [c for c in found if period_frequency(c.duty.period) is Frequency.ON_EVENT] or found
    gravest = min(events, key=lambda c: (GRAVEST_FIRST.index(c.cell.state), -c.late_days))
    return Spot(gravest, len(events), any(cell_key(c) in blind for c in events))


def cell_key(cell: GridCell) -> CellKey:
    """A cell by its village too."""
    return CellKey(cell.duty.division, cell.duty.item, cell.duty.period)


@dataclass(slots=True)
class Count:
    """How the cells of one item stand in one part of the tree."""

    states: Counter[CellState] = field(default_factory=Counter)
    blind: int = 0
    late_days: int = 0

    def add(self, cell: GridCell, *, is_blind: bool) -> None:
        """Count a cell by its state, with its days past due."""
        self.states[cell.cell.state] += 1
        self.blind += is_blind
        self.late_days += cell.late_days

    @property
    def gravest(self) -> CellState:
        """The state that colours the square."""
        return next(s for s in GRAVEST_FIRST if self.states[s])

    @property
    def in_order(self) -> list[tuple[CellState, int]]:
        """States with their numbers, gravest first."""
        return [(s, self.states[s]) for s in GRAVEST_FIRST if self.states[s]]


def count_cells(
    cells: Mapping[str, Iterable[GridCell]], part_of: Mapping[str, str], blind: Collection[CellKey]
) -> dict[tuple[str, str], Count]:
    """Cells by part of the tree and item; `part_of` names each village's part."""
    found: dict[tuple[str, str], Count] = {}
    for village, its_cells in cells.items():
        for cell in its_cells:
            count = found.setdefault((part_of[village], cell.duty.item), Count())
            count.add(cell, is_blind=cell_key(cell) in blind)
    return found
