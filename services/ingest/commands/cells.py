"""The cells of some villages as to-do and grid show them, from what stands in ingest's own tables.

A list reads what it shows: a stretch of periods, what is not done, or a part of everything behind a place. None reads a
city's years, and none holds the loop for long.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Final, NamedTuple, TypeVar

from pydantic import StringConstraints

from services.contracts.catalogue import Item
from services.contracts.duties import CellKey, CellRecord, CellState, Duty, GridCell, cells, declared_records
from services.contracts.owing import Owing, Run
from services.contracts.values import Frequency, VillageCode, period_bounds, period_frequency, period_of
from services.ingest.store.cells import (
    Answered,
    Periods,
    select_answered,
    select_cells_after,
    select_cells_in,
    select_declared,
    select_under_way,
    select_unsettled,
)
from services.ingest.store.disclosures import Disclosure
from services.ingest.store.questions import count_by_cell
from services.ingest.store.waivers import (
    Waiver,
    select_declarations,
    select_open_waivers,
    select_waivers_after,
    select_waivers_in,
)
from services.ingest.visit import Reading
from services.ingest.workflow import State
from services.kit.reference import Reference
from services.kit.turns import Turns

AnyRow = TypeVar("AnyRow", Disclosure, Waiver)
#: Cells on which somebody still has something to do.
OPEN_CELLS: Final = frozenset({CellState.NOT_OPENED, CellState.NOT_DUE, CellState.IN_PROGRESS})
#: So many villages are read in one go, and shown on one page: more than any township here has.
VILLAGES_AT_ONCE: Final = 30
#: So many cells of one village are read in one go.
_CELLS: Final = 300
#: So many cells are looked at for one page of a list, however few of them are wanted.
_LOOKED_AT: Final = 500


@dataclass(frozen=True, slots=True)
class VillageCells:
    """A village's cells, with the disclosure and the waiver that stand in each."""

    village: str
    cells: tuple[GridCell, ...]
    disclosures: Mapping[CellKey, Disclosure]
    waivers: Mapping[CellKey, Waiver]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some periods, and the quarter whose yes/no page speaks of cells among them."""

    periods: tuple[str, ...]
    quarter: str | None

    @classmethod
    def of(cls, period: str) -> "Stretch":
        """One period; what is no period holds no cells."""
        try:
            frequency, (first, _) = period_frequency(period), period_bounds(period)
        except ValueError:
            return cls((), None)
        speaks = frequency in {Frequency.QUARTERLY, Frequency.ON_EVENT}
        return cls((period,), period_of(first, Frequency.QUARTERLY) if speaks else None)

    @classmethod
    def around(cls, month: date) -> "Stretch":
        """A month with its days, and the longer periods that hold it."""
        first, last = period_bounds(period_of(month, Frequency.MONTHLY))
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        longer = (period_of(month, f) for f in Frequency if f is not Frequency.ON_EVENT)
        return cls((*longer, *(d.isoformat() for d in days)), period_of(month, Frequency.QUARTERLY))

    def of_item(self, item: Item) -> Iterator[Periods]:
        """Those that fit an item: one period, or all of the days."""
        fitting = [p for p in self.periods if item.at(period_bounds(p)[1]).frequency is period_frequency(p)]
        days = [p for p in fitting if period_frequency(p) is Frequency.ON_EVENT]
        yield from (Periods(item.code, p, p) for p in fitting if p not in days)
        if days:
            yield Periods(item.code, days[0], days[-1])


@dataclass(slots=True)
class _Known:
    """What stands in one village's rows."""

    disclosures: list[Disclosure] = field(default_factory=list)
    waivers: list[Waiver] = field(default_factory=list)
    records: dict[CellKey, CellRecord] = field(default_factory=dict)
    owed: list[Duty] = field(default_factory=list)
    asked: Mapping[CellKey, int] = field(default_factory=dict)


def _batches(villages: Sequence[str]) -> Iterator[Sequence[str]]:
    return (villages[start : start + VILLAGES_AT_ONCE] for start in range(0, len(villages), VILLAGES_AT_ONCE))


async def _asked_in(desk: Reading, villages: Sequence[str]) -> dict[str, _Known]:
    """What is known of some villages to begin with: the questions on their cells."""
    asked = await count_by_cell(desk.conn, villages)
    return {v: _Known(asked=asked.get(v, {})) for v in villages}


# -- a stretch of periods, and what is open ------------------------------------------------------------------------


async def cells_in(desk: Reading, villages: Sequence[str], stretch: Stretch) -> AsyncIterator[VillageCells]:
    """The cells of some periods, by village."""
    items, turns = sorted(desk.reference.items), Turns()
    of = [p for code in items for p in stretch.of_item(desk.reference.items[code])]
    for batch in _batches(villages):
        known = await _asked_in(desk, batch)
        for d in await select_cells_in(desk.conn, batch, of):
            known[d.village_code].disclosures.append(d)
        for w in await select_waivers_in(desk.conn, batch, items, stretch.periods):
            known[w.village_code].waivers.append(w)
        if stretch.quarter is not None:
            for page in await select_declarations(desk.conn, batch, stretch.quarter, "confirmed"):
                said = declared_records(stretch.quarter, {a.item: a.days for a in page.answers})
                records = {key: record for key, record in said.items() if key.period in stretch.periods}
                known[page.village_code].records = records
        for village in batch:
            if (owing := _owing(desk.reference, village)) is not None:
                known[village].owed += owing.owed_in(stretch.periods, desk.now)
            yield _village_cells(owing, village, known[village], desk.now)
            await turns.rest()


async def open_cells(desk: Reading, villages: Sequence[str]) -> AsyncIterator[VillageCells]:
    """The cells on which somebody still has something to do, whatever their periods, by village.

    `disclosures` are all that are under way, corrections of what is public too.
    """
    turns = Turns()
    for batch in _batches(villages):
        known = await _asked_in(desk, batch)
        for d in await select_under_way(desk.conn, batch):
            known[d.village_code].disclosures.append(d)
        for w in await select_open_waivers(desk.conn, batch):
            known[w.village_code].waivers.append(w)
        for village, key in await select_declared(desk.conn, batch):
            known[village].records[key] = CellRecord()
        owing = {v: _owing(desk.reference, v) for v in batch}
        for one in dict.fromkeys(o for o in owing.values() if o is not None):
            await _add_unsettled(desk, one, [v for v in batch if owing[v] is one], known, turns)
        for village in batch:
            found = _village_cells(owing[village], village, known[village], desk.now)
            yield replace(found, cells=tuple(c for c in found.cells if c.beneath in OPEN_CELLS))
            await turns.rest()


async def _add_unsettled(
    desk: Reading, owing: Owing, villages: Sequence[str], known: Mapping[str, _Known], turns: Turns
) -> None:
    """What alike villages owe and have neither published nor had waived."""
    runs: dict[tuple[str, str], Run] = {}
    for code in sorted(desk.reference.items):
        runs |= {(run.item, run.frequency.value): run for run in owing.runs(code, desk.now)}
        await turns.rest()
    for left in await select_unsettled(desk.conn, villages, list(runs.values())):
        known[left.village].owed += runs[left.item, left.frequency].within(left.first, left.last)


def _owing(reference: Reference, village: str) -> Owing | None:
    """What a village owes; without a profile nothing, and it has no cells."""
    try:
        return reference.owing(village)
    except KeyError:
        return None


def _village_cells(owing: Owing | None, village: str, known: _Known, now: datetime) -> VillageCells:
    by_key = {CellKey(d.item, d.period): d for d in known.disclosures}
    waived = {CellKey(w.item, w.period): w for w in known.waivers}
    granted = {k: w.decided_at for k, w in waived.items() if w.state == "granted"}
    records = known.records | {key: _record(by_key.get(key), granted.get(key)) for key in {*by_key, *granted}}
    of_cells = {*records, *(CellKey(d.item, d.period) for d in known.owed)}
    records |= {
        key: replace(records.get(key, CellRecord()), open_questions=n)
        for key, n in known.asked.items()
        if key in of_cells
    }

    def make(key: CellKey) -> Duty | None:
        found = owing.duty(key) if owing is not None else None
        return replace(found, division=village) if found is not None else None

    made = cells((replace(d, division=village) for d in known.owed), records, make, now)
    return VillageCells(village, made, by_key, waived)


_HANDED_IN: Final = frozenset({State.SUBMITTED, State.CONFIRMED, State.APPROVED, State.PUBLISHED})


def _record(disclosure: Disclosure | None, waived_at: datetime | None) -> CellRecord:
    if disclosure is None:
        return CellRecord(waived_at=waived_at)
    is_handed_in = disclosure.state in _HANDED_IN
    submitted_at = disclosure.submitted_at if is_handed_in else None
    confirmed_at = disclosure.confirmed_at if is_handed_in else None
    if disclosure.published_at is not None:
        # Lateness is of the first edition; a correction's way is its own.
        submitted_at, confirmed_at = disclosure.first_submitted_at, disclosure.first_confirmed_at
    return CellRecord(
        first_published_at=disclosure.published_at,
        nil=disclosure.published_at is not None and disclosure.nil,
        waived_at=waived_at,
        submitted_at=submitted_at,
        confirmed_at=confirmed_at,
        delivered_at=disclosure.delivered_at,
    )


# -- a list of cells, page by page -----------------------------------------------------------------------------------


class Place(NamedTuple):
    """Where a list of cells goes on: behind this cell; without item and period at the village's first one."""

    village: VillageCode
    item: Annotated[str, StringConstraints(pattern=r"^([A-Z][0-9]{2})?$")]
    period: Annotated[str, StringConstraints(pattern=r"^[0-9QH-]{0,10}$")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cells a list tells; None does not restrict."""

    villages: Sequence[str]
    period: str | None = None
    state: CellState | None = None
    items: Sequence[str] | None = None


class Found(NamedTuple):
    """A cell of a list, among the others of its village."""

    of: VillageCells
    cell: GridCell

    @property
    def place(self) -> Place:
        """Where a list that ended with this cell goes on."""
        return Place(self.of.village, *self.cell.key)


async def cells_page(
    desk: Reading, wanted: Wanted, after: Place | None, limit: int
) -> tuple[list[Found], Place | None]:
    """At most so many cells behind a place, by village, item and period, and where the list goes on, None at its end.

    A page may be short: it ends early when many cells had to be looked at, and tells of no more villages than are read
    in one go.
    """
    villages = [v for v in sorted(wanted.villages) if after is None or v >= after.village]
    later = villages[VILLAGES_AT_ONCE:]
    found: list[Found] = []
    looked_at = 0
    async for one in _walk(desk, wanted, villages[:VILLAGES_AT_ONCE], after):
        if wanted.state in {None, one.cell.cell.state, one.cell.beneath} and (
            wanted.items is None or one.cell.duty.item in wanted.items
        ):
            if len(found) == limit:
                return found, found[-1].place
            found.append(one)
        looked_at += 1
        if looked_at == _LOOKED_AT:
            return found, one.place
    return found, Place(later[0], "", "") if later else None


async def _walk(desk: Reading, wanted: Wanted, villages: Sequence[str], after: Place | None) -> AsyncIterator[Found]:
    """Every cell of some villages behind a place, in order."""
    async for of in _parts(desk, wanted, villages, after):
        for cell in sorted(of.cells, key=lambda c: c.key):
            one = Found(of, cell)
            if after is None or one.place > after:
                yield one


def _parts(desk: Reading, wanted: Wanted, villages: Sequence[str], after: Place | None) -> AsyncIterator[VillageCells]:
    if wanted.period is not None:
        return cells_in(desk, villages, Stretch.of(wanted.period))
    if wanted.state in OPEN_CELLS:
        return open_cells(desk, villages)
    return _all_cells(desk, villages, after)


async def _all_cells(desk: Reading, villages: Sequence[str], after: Place | None) -> AsyncIterator[VillageCells]:
    """Every cell of some villages, a few hundred of one village at a time."""
    turns = Turns()
    for village in villages:
        is_begun = after is not None and after.village == village
        key: CellKey | None = CellKey(after.item, after.period) if is_begun and after is not None else CellKey("", "")
        asked = (await count_by_cell(desk.conn, [village])).get(village, {})
        answers = await select_answered(desk.conn, village, key.item if key is not None else "")
        while key is not None:
            disclosures = await select_cells_after(desk.conn, village, key, _CELLS)
            waivers = await select_waivers_after(desk.conn, village, key, _CELLS)
            # As far as both are known; None: to the end.
            until = min((e for e in (_end(disclosures), _end(waivers)) if e is not None), default=None)
            owing = _owing(desk.reference, village)
            for known in _item_by_item(desk, owing, _Span(key, until), _Rows(disclosures, waivers, answers, asked)):
                yield _village_cells(owing, village, known, desk.now)
                await turns.rest()
            key = until


def _end(rows: Sequence[AnyRow]) -> CellKey | None:
    return CellKey(rows[-1].item, rows[-1].period) if len(rows) == _CELLS else None


class _Span(NamedTuple):
    """Cells behind one, up to another or to the end."""

    after: CellKey
    until: CellKey | None

    def holds(self, of: Disclosure | Waiver | Duty | CellKey) -> bool:
        key = CellKey(of.item, of.period)
        return self.after < key and (self.until is None or key <= self.until)


class _Rows(NamedTuple):
    """What stands in a village's rows of some cells."""

    disclosures: Sequence[Disclosure]
    waivers: Sequence[Waiver]
    answers: Sequence[Answered]
    asked: Mapping[CellKey, int]


def _item_by_item(desk: Reading, owing: Owing | None, span: _Span, rows: _Rows) -> Iterator[_Known]:
    """What is known of a span's cells, an item at a time: a page may end before the next one is worked out."""
    for code in sorted(desk.reference.items):
        if code < span.after.item or (span.until is not None and code > span.until.item):
            continue
        runs = owing.runs(code, desk.now) if owing is not None else ()
        said = ((key, record) for a in rows.answers if a.item == code for key, record in _said(a))
        yield _Known(
            [d for d in rows.disclosures if d.item == code and span.holds(d)],
            [w for w in rows.waivers if w.item == code and span.holds(w)],
            {key: record for key, record in said if span.holds(key)},
            [d for run in runs for d in run.duties if span.holds(d)],
            rows.asked,
        )


def _said(answer: Answered) -> Iterator[tuple[CellKey, CellRecord]]:
    """The cells that a quarter's page makes: each day of an event, each quarter of nothing."""
    day = answer.first
    while day <= answer.last:
        period = period_of(day, Frequency.QUARTERLY if answer.nil else Frequency.ON_EVENT)
        yield CellKey(answer.item, period), CellRecord(nil=answer.nil)
        day = period_bounds(period)[1] + timedelta(days=1)
