"""What a village's month comes to: how much of what is due in it is done, and what falls due in the next one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.contracts.duties import CellKey, CellState, Duty, GridCell
from services.contracts.values import Frequency, period_bounds, period_of, previous_period
from services.ingest.commands.cells import Stretch, VillageCells, cells_in
from services.ingest.visit import Reading
from services.ingest.workflow import State

_DONE = frozenset({CellState.OPENED, CellState.OPENED_LATE, CellState.NIL, CellState.WAIVED})
_HANDED_IN = frozenset({State.SUBMITTED, State.CONFIRMED, State.APPROVED})
_PERIODIC = tuple(f for f in Frequency if f is not Frequency.ON_EVENT)


@dataclass(frozen=True, slots=True)
class Outlook:
    """The month's duties by how they stand, and those of the next month by day."""

    month: int
    done: int
    in_progress: int
    left: int
    next_month: int
    coming: tuple[Duty, ...]

    @property
    def due(self) -> int:
        """How many fall due in the month."""
        return self.done + self.in_progress + self.left


async def outlook_of(desk: Reading, village: str) -> Outlook:
    """The outlook of one village, of what is owed by periods; events are owed when they happen."""
    first, last = period_bounds(period_of(desk.today, Frequency.MONTHLY))
    after = period_bounds(period_of(last + timedelta(days=1), Frequency.MONTHLY))
    periods = tuple(p for f in _PERIODIC for p in _near(desk.today, f))
    (found,) = [of async for of in cells_in(desk, [village], Stretch(periods, None))]
    cells = [c for c in found.cells if c.duty.applies and not c.duty.history and _is_mine(desk, c.duty)]
    done, going, left = _counts(found, [c for c in cells if first <= c.duty.due <= last])
    owed = [c.duty for c in cells if c.beneath not in _DONE] + list(_later(desk, village))
    coming = sorted((d for d in owed if after[0] <= d.due <= after[1]), key=lambda d: (d.due, d.item))
    return Outlook(first.month, done, going, left, after[0].month, tuple(coming))


def _counts(found: VillageCells, cells: Sequence[GridCell]) -> tuple[int, int, int]:
    """How many of some cells are done, under check, and left; who handed in too late has nothing to enter any more all the same."""
    handed_in = {key for key, d in found.disclosures.items() if d.state in _HANDED_IN}
    done = sum(c.beneath in _DONE for c in cells)
    going = sum(c.beneath not in _DONE and c.key in handed_in for c in cells)
    return done, going, len(cells) - done - going


def _near(today: date, frequency: Frequency) -> Iterator[str]:
    """The period that today lies in and the two before it: none falls due later than that."""
    period: str | None = period_of(today, frequency)
    for _ in range(3):
        if period is not None:
            yield period
            period = previous_period(period)


def _is_mine(desk: Reading, duty: Duty) -> bool:
    return not desk.actor.affairs or desk.item(duty.item, duty.period).affair in desk.actor.affairs


def _later(desk: Reading, village: str) -> Iterator[Duty]:
    """What the periods that are not over yet will demand."""
    for code, item in sorted(desk.reference.items.items()):
        frequency = item.at(desk.today).frequency
        if frequency is Frequency.ON_EVENT or item.retired(desk.today):
            continue
        duty = desk.reference.duty(village, CellKey(code, period_of(desk.today, frequency)))
        if duty is not None and duty.applies and duty.opens_on > desk.today and _is_mine(desk, duty):
            yield duty
