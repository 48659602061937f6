"""How cells of villages stand: each of them as `contracts.duties.cells` tells it, or counted for a part of the tree.

A whole city's year is tens of thousands of cells. What a village's cells come to changes with what is heard of it, with a day,
and with reference data; until then it is remembered (`memory.Tallies`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from services.audit.memory import Tallies
from services.audit.rules.asking import count_open
from services.audit.rules.facts import CellKey, Fact, fold, is_declared
from services.audit.rules.grid import Absence, Count, Stretch, Tally, absence_of, add_up, tally
from services.audit.store import alerts, facts, heard
from services.audit.visit import Bench, Reading
from services.contracts import duties
from services.contracts.duties import CellRecord, GridCell
from services.contracts.owing import Owing
from services.contracts.values import Frequency, period_frequency
from services.kit.clock import local_day
from services.kit.db import Connection
from services.kit.turns import Turns

#: Villages whose cells are made at once, a whole city's; what is made of them is dropped before the next.
_AT_ONCE: Final = 300


async def grid_cells(
    conn: Connection, bench: Bench, villages: Sequence[str], stretch: Stretch
) -> dict[str, tuple[GridCell, ...]]:
    """The cells of some villages as `contracts.duties.cells` tells them from facts."""
    plain, others = await facts.select_stretch(conn, villages, stretch)
    records: dict[str, dict[duties.CellKey, CellRecord]] = {v: {} for v in villages}
    for key, record in plain.items():
        records[key.village][duties.CellKey(key.item, key.period)] = record
    for key, found in (await facts.select_facts(conn, others) if others else {}).items():
        if (told := _record_of(key, found)) is not None:
            records[key.village][duties.CellKey(key.item, key.period)] = told
    cells, turns = {}, Turns()
    for village in villages:
        cells[village] = _cells_of(bench, village, records[village], stretch)
        await turns.rest()
    return cells


def _record_of(key: CellKey, found: Sequence[Fact]) -> CellRecord | None:
    """What is known of a cell of which more was said; None where that makes none."""
    cell, asked = fold(found), count_open(found)
    event = period_frequency(key.period) is Frequency.ON_EVENT and is_declared(found)
    is_told = cell.has_row or cell.record.waived_at is not None or asked or event
    return replace(cell.record, open_questions=asked) if is_told else None


def _cells_of(
    bench: Bench, village: str, records: dict[duties.CellKey, CellRecord], stretch: Stretch
) -> tuple[GridCell, ...]:
    owed = bench.reference.owed_in(village, sorted(stretch.periods), bench.now)
    return duties.cells(owed, records, lambda key: bench.reference.duty(village, key), bench.now)


async def grid_of(
    desk: Reading, villages: Sequence[str], stretch: Stretch
) -> tuple[dict[str, list[GridCell]], set[CellKey]]:
    """Cells of some villages in the caller's affairs, and which of them are blind."""
    found = await grid_cells(desk.conn, desk.bench, villages, stretch)
    allowed = desk.items
    cells = {v: [c for c in its if allowed is None or c.duty.item in allowed] for v, its in found.items()}
    return cells, await alerts.select_blind(desk.conn, villages, list(stretch.periods))


def absences(
    desk: Reading, part_of: Mapping[str, str], items: Sequence[str], stretch: Stretch
) -> dict[tuple[str, str], Absence]:
    """Why squares without a cell are empty, by part of the tree and item; of several reasons the one that somebody can act on."""
    # Most villages owe alike: what one of them owes is worked out once.
    alike: dict[str, set[Owing | None]] = {}
    for village, part in part_of.items():
        alike.setdefault(part, set()).add(_owing_of(desk, village))
    order, found = list(Absence), dict[tuple[str, str], Absence]()
    for item in items:
        frequency = desk.reference.items[item].at(stretch.last).frequency
        shown = Frequency.QUARTERLY if frequency is Frequency.ON_EVENT else frequency
        key = duties.CellKey(item, next((p for p in sorted(stretch.periods) if period_frequency(p) is shown), ""))
        for part, owing in alike.items():
            reasons = {
                absence_of(one.duty(key), frequency, desk.today) if one is not None else Absence.BEFORE_DUTIES
                for one in owing
            }
            found[part, item] = min(reasons, key=order.index)
    return found


def _owing_of(desk: Reading, village: str) -> Owing | None:
    """What a village owes; None where no deadline profile says so yet."""
    try:
        return desk.reference.owing(village)
    except KeyError:
        return None


async def counts_of(desk: Reading, part_of: Mapping[str, str], stretch: Stretch) -> dict[tuple[str, str], Count]:
    """Cells in the caller's affairs, counted by part of the tree and item; `part_of` names each village's part."""
    tallies = await tallies_of(desk.own.tallies, desk.conn, desk.bench, list(part_of), stretch)
    allowed = desk.items
    return add_up(tallies, part_of, None if allowed is None else frozenset(allowed))


async def tallies_of(
    memory: Tallies, conn: Connection, bench: Bench, villages: Sequence[str], stretch: Stretch
) -> dict[str, tuple[Tally, ...]]:
    """What the cells of some villages come to; looked through again where something was heard since the last time."""
    async with memory.turn:
        memory.good_for(bench.reference.calendar, local_day(bench.now))
        # The horizon first: what ends after it is seen by the next look, whatever this one saw of it.
        horizon = await heard.select_horizon(conn)
        if memory.horizon is not None:
            memory.forget(await heard.select_heard_since(conn, memory.horizon))
        memory.horizon = horizon
        blind: dict[str, set[CellKey]] = {}
        for key in await alerts.select_blind(conn, villages, list(stretch.periods)):
            blind.setdefault(key.village, set()).add(key)
        missing = memory.missing(stretch, villages, blind)
        for n in range(0, len(missing), _AT_ONCE):
            for village, cells in (await grid_cells(conn, bench, missing[n : n + _AT_ONCE], stretch)).items():
                memory.keep(stretch, village, blind.get(village, ()), tally(cells, blind.get(village, ())))
        return memory.of(stretch, villages)
