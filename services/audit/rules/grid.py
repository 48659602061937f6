"""三务公开一张表: cells of villages for one stretch of time, and how many stand how, by part of the tree and item."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from services.audit.rules.facts import CellKey
from services.contracts.duties import CellState, Duty, GridCell
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


class Absence(StrEnum):
    """Why a square of the grid holds no cell; the order is the order in which one of several is told."""

    UNANSWERED = "unanswered"
    NOT_DUE = "not_due"
    BEFORE_DUTIES = "before_duties"
    NO_SUCH_ITEM = "no_such_item"


def absence_of(duty: Duty | None, frequency: Frequency, today: date) -> Absence:
    """Why nothing stands where this duty would be: of an event the quarter in which nobody said whether there was one."""
    if duty is None or not duty.applies:
        return Absence.NO_SUCH_ITEM
    if duty.history:
        return Absence.BEFORE_DUTIES
    if frequency is Frequency.ON_EVENT and duty.opens_on <= today:
        return Absence.UNANSWERED
    return Absence.NOT_DUE


def cell_key(cell: GridCell) -> CellKey:
    """A cell by its village too."""
    return CellKey(cell.duty.division, cell.duty.item, cell.duty.period)


class Tally(NamedTuple):
    """How many cells of one item of one village stand in one state, how many of them are blind, their days past due."""

    item: str
    state: CellState
    cells: int
    blind: int
    late_days: int


def tally(cells: Iterable[GridCell], blind: Collection[CellKey]) -> tuple[Tally, ...]:
    """What the cells of one village come to, by item and state."""
    found: dict[tuple[str, CellState], list[int]] = {}
    for cell in cells:
        numbers = found.setdefault((cell.duty.item, cell.cell.state), [0, 0, 0])
        numbers[0] += 1
        numbers[1] += bool(blind) and cell_key(cell) in blind
        numbers[2] += cell.late_days
    return tuple(Tally(*place, *numbers) for place, numbers in found.items())


@dataclass(slots=True)
class Count:
    """How the cells of one item stand in one part of the tree."""

    states: Counter[CellState] = field(default_factory=Counter)
    blind: int = 0
    late_days: int = 0

    def add(self, of: Tally) -> None:
        """Count some cells of one state, with their days past due."""
        self.states[of.state] += of.cells
        self.blind += of.blind
        self.late_days += of.late_days

    @property
    def gravest(self) -> CellState:
        """The state that colours the square."""
        return next(s for s in GRAVEST_FIRST if self.states[s])

    @property
    def in_order(self) -> list[tuple[CellState, int]]:
        """States with their numbers, gravest first."""
        return [(s, self.states[s]) for s in GRAVEST_FIRST if self.states[s]]


def add_up(
    tallies: Mapping[str, Sequence[Tally]], part_of: Mapping[str, str], items: Collection[str] | None
) -> dict[tuple[str, str], Count]:
    """Cells by part of the tree and item, of some items or of all; `part_of` names each village's part."""
    found: dict[tuple[str, str], Count] = {}
    for village, its in tallies.items():
        part = part_of[village]
        for one in its:
            if items is None or one.item in items:
                found.setdefault((part, one.item), Count()).add(one)
    return found
