"""What the divisions of one kind, start and profile owe: each duty is worked out once, and a list asks only for its part.

Ten years of a catalogue are a thousand duties. A page that shows a month, or what is not done, must not make them all.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from services.contracts.catalogue import Item, Profile, WorkCalendar
from services.contracts.duties import CellKey, Duty, DutyDivision, duty, is_owed, periods_begun
from services.contracts.values import Frequency, local_day, period_bounds, period_frequency

#: How many duties are remembered, and how many different stretches of periods with theirs. Days of events are as many as
#: there are events, and anybody can ask for a period.
_DUTIES: Final = 20_000
_STRETCHES: Final = 50


@dataclass(frozen=True, slots=True)
class Run:
    """The duties of one item in one frequency, oldest first, and the days that their periods begin and end on."""

    item: str
    frequency: Frequency
    duties: tuple[Duty, ...]
    firsts: tuple[date, ...]
    lasts: tuple[date, ...]

    def within(self, first: date, last: date) -> Sequence[Duty]:
        """Those whose periods lie between two days, both inclusive."""
        start = bisect_left(self.firsts, first)
        end = bisect_left(self.lasts, date.fromordinal(last.toordinal() + 1))
        return self.duties[start:end]


class Owing:
    """What some alike divisions owe. Good as long as catalogue, profile and calendar stay as they are.

    The duties name the division that this was made of; `dataclasses.replace` names another one.
    """

    def __init__(
        self, items: Mapping[str, Item], division: DutyDivision, profile: Profile, calendar: WorkCalendar
    ) -> None:
        """Nothing is worked out yet."""
        self._items, self._division, self._profile, self._calendar = items, division, profile, calendar
        self._duties: dict[CellKey, Duty | None] = {}
        self._runs: dict[str, tuple[Run, ...]] = {}
        self._stretches: dict[tuple[str, ...], tuple[Duty, ...]] = {}
        self._keys: dict[str | None, tuple[CellKey, ...]] = {}
        self._day = date.min

    def duty(self, key: CellKey) -> Duty | None:
        """What a cell demands; None when item and period do not fit each other, or are unknown."""
        if key not in self._duties:
            if len(self._duties) == _DUTIES:
                self._duties.clear()
            self._duties[key] = self._worked_out(key)
        return self._duties[key]

    def _worked_out(self, key: CellKey) -> Duty | None:
        item = self._items.get(key.item)
        try:
            return duty(item, self._division, key.period, self._profile, self._calendar) if item is not None else None
        except ValueError:
            return None

    def runs(self, code: str, now: datetime) -> tuple[Run, ...]:
        """Every periodic duty of an item by a moment, by frequency; none of an on-event item."""
        self._turn(now)
        if code not in self._runs:
            found: dict[Frequency, list[Duty]] = {}
            for period in periods_begun(self._items[code], self._division, now):
                owed = self.duty(CellKey(code, period))
                if owed is not None and is_owed(owed, now):
                    found.setdefault(period_frequency(period), []).append(owed)
            self._runs[code] = tuple(_run(code, frequency, duties[::-1]) for frequency, duties in found.items())
        return self._runs[code]

    def owed(self, now: datetime) -> Iterator[Duty]:
        """Every periodic duty by a moment, by item and then by period."""
        for code in sorted(self._items):
            yield from self._of_item(code, now)

    def keys(self, now: datetime, item: str | None = None) -> tuple[CellKey, ...]:
        """The cells of `owed`, or of those the ones of one item; remembered for the day."""
        self._turn(now)
        if item not in self._keys:
            found = self.owed(now) if item is None else self._of_item(item, now)
            self._keys[item] = tuple(CellKey(d.item, d.period) for d in found)
        return self._keys[item]

    def _of_item(self, code: str, now: datetime) -> list[Duty]:
        return sorted((d for run in self.runs(code, now) for d in run.duties), key=_end)

    def owed_in(self, periods: Sequence[str], now: datetime) -> tuple[Duty, ...]:
        """Those of some periods, by item and then in the order of the periods; what is no period holds none."""
        self._turn(now)
        wanted = tuple(periods)
        if wanted not in self._stretches:
            if len(self._stretches) == _STRETCHES:
                self._stretches.clear()
            found = (self.duty(CellKey(code, p)) for code in sorted(self._items) for p in wanted)
            self._stretches[wanted] = tuple(
                d for d in found if d is not None and is_owed(d, now) and self._is_periodic(d)
            )
        return self._stretches[wanted]

    def _is_periodic(self, of: Duty) -> bool:
        return self._items[of.item].at(period_bounds(of.period)[1]).frequency is not Frequency.ON_EVENT

    def _turn(self, now: datetime) -> None:
        """A new day brings new periods; what a duty demands stays."""
        if (day := local_day(now)) != self._day:
            self._day, self._runs, self._stretches, self._keys = day, {}, {}, {}


def _end(of: Duty) -> tuple[date, str]:
    return period_bounds(of.period)[1], of.period


def _run(code: str, frequency: Frequency, duties: Sequence[Duty]) -> Run:
    bounds = [period_bounds(d.period) for d in duties]
    return Run(code, frequency, tuple(duties), tuple(b[0] for b in bounds), tuple(b[1] for b in bounds))
