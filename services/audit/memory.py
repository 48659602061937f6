"""What a process remembers of how cells stand, so that nobody looks through all of a city's cells at each reading."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from services.audit.rules.facts import CellKey
from services.audit.rules.grid import Stretch, Tally
from services.contracts.catalogue import WorkCalendar

#: Those asked for lately: a year of months, some years and quarters. Each takes some 200 KB of a city of 299 villages.
_STRETCHES: Final = 24


class _Kept(NamedTuple):
    blind: frozenset[CellKey]
    tallies: tuple[Tally, ...]


class Tallies:
    """What the cells of each village come to in some stretches of time.

    A cell's state changes with what is heard of its village, at midnight, and with reference data, and with nothing else
    (`contracts.duties.cell_state`): what was heard is told by `forget`, the other two by `good_for`.
    """

    def __init__(self) -> None:
        """Begin with nothing known of any village."""
        #: One reader at a time looks and counts; the others find it done.
        self.turn = asyncio.Lock()
        #: Up to where facts were heeded (`store.heard`); None before the first look.
        self.horizon: str | None = None
        self._calendar: WorkCalendar | None = None
        self._day = date.min
        self._kept: OrderedDict[Stretch, dict[str, _Kept]] = OrderedDict()
        # Most villages stand alike: each tally is kept once.
        self._same: dict[Tally, Tally] = {}

    def good_for(self, calendar: WorkCalendar, day: date) -> None:
        """Drop all that was found on another day or by other reference data; every change of it makes a new calendar."""
        if self._calendar is not calendar or self._day != day:
            self._calendar, self._day = calendar, day
            self._kept.clear()
            self._same.clear()

    def forget(self, villages: Iterable[str]) -> None:
        """Drop what was found of some villages."""
        for village in villages:
            for kept in self._kept.values():
                kept.pop(village, None)

    def missing(self, stretch: Stretch, villages: Sequence[str], blind: Mapping[str, Collection[CellKey]]) -> list[str]:
        """Villages to look through: those not known, and those of which other cells are blind by now."""
        kept = self._kept.setdefault(stretch, {})
        self._kept.move_to_end(stretch)
        if len(self._kept) > _STRETCHES:
            self._kept.popitem(last=False)
        return [v for v in villages if (k := kept.get(v)) is None or k.blind != frozenset(blind.get(v, ()))]

    def keep(self, stretch: Stretch, village: str, blind: Collection[CellKey], found: Iterable[Tally]) -> None:
        """Remember what a village's cells come to."""
        same = tuple(self._same.setdefault(t, t) for t in found)
        self._kept[stretch][village] = _Kept(frozenset(blind), same)

    def of(self, stretch: Stretch, villages: Sequence[str]) -> dict[str, tuple[Tally, ...]]:
        """What is known of some villages, none of them missing."""
        kept = self._kept[stretch]
        return {v: kept[v].tallies for v in villages}
