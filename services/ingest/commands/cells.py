"""The cells of some villages as to-do and grid show them, from what stands in ingest's own tables."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from services.contracts.duties import CellKey, CellRecord, GridCell, cells, declared_records
from services.ingest import store
from services.ingest.commands.desk import Desk
from services.ingest.store import Declaration, Disclosure, Waiver
from services.ingest.workflow import State

AnyRow = TypeVar("AnyRow", Disclosure, Waiver, Declaration)


@dataclass(frozen=True, slots=True)
class VillageCells:
    """A village's cells, with the disclosure and the waiver that stand in each."""

    village: str
    cells: tuple[GridCell, ...]
    disclosures: Mapping[CellKey, Disclosure]
    waivers: Mapping[CellKey, Waiver]


async def cells_of(desk: Desk, villages: Sequence[str], period: str | None = None) -> list[VillageCells]:
    """Every cell of some villages (of one period, if it is named), in three statements."""
    disclosures = _by_village(await store.select_cells(desk.conn, villages))
    waivers = _by_village(await store.select_live_waivers(desk.conn, villages))
    declared = _by_village(await store.select_declarations(desk.conn, villages, "confirmed"))
    return [
        _village_cells(desk, v, _Known(disclosures.get(v, []), waivers.get(v, []), declared.get(v, [])), period)
        for v in villages
    ]


def _by_village(rows: Iterable[AnyRow]) -> dict[str, list[AnyRow]]:
    found: dict[str, list[AnyRow]] = {}
    for row in rows:
        found.setdefault(row.village_code, []).append(row)
    return found


@dataclass(frozen=True, slots=True)
class _Known:
    """What stands in one village's rows."""

    disclosures: Sequence[Disclosure]
    waivers: Sequence[Waiver]
    declared: Sequence[Declaration]


def _village_cells(desk: Desk, village: str, known: _Known, period: str | None) -> VillageCells:
    by_key = {CellKey(d.item, d.period): d for d in known.disclosures}
    waived = {CellKey(w.item, w.period): w for w in known.waivers}
    records: dict[CellKey, CellRecord] = {}
    for declaration in known.declared:
        records |= declared_records(declaration.quarter, {a.item: a.days for a in declaration.answers})
    granted = {k: w.decided_at for k, w in waived.items() if w.state == "granted"}
    for key in {*by_key, *granted}:
        records[key] = _record(by_key.get(key), granted.get(key))
    owed = desk.reference.owed(village, desk.now)
    if period is not None:
        owed = tuple(d for d in owed if d.period == period)
        records = {key: record for key, record in records.items() if key.period == period}
    made = cells(owed, records, lambda key: desk.reference.duty(village, key), desk.now)
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
