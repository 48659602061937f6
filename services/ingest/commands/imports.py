"""Imports: a prepared file becomes one draft per disclosure, all or none; undone, the drafts nobody touched go."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import uuid_utils.compat

from services.contracts.values import period_bounds
from services.ingest.bulk.prepared import FileFaultsError, Prepared, read_prepared
from services.ingest.commands.entering import Draft, DraftsRefusedError, create_all, discard_all, parse_body
from services.ingest.commands.findings import Saved, findings_of_all
from services.ingest.errors import AlreadyUndoneError, ImportFaultsError, UnknownImportError
from services.ingest.store.disclosures import Disclosure, select_editions
from services.ingest.store.imports import (
    Import,
    insert_import,
    lock_import,
    lock_import_drafts,
    select_import,
    select_import_drafts,
    update_undone,
)
from services.ingest.visit import Changing, Reading
from services.ingest.workflow import State
from services.kit.errors import Fault, SanwuError


@dataclass(frozen=True, slots=True)
class Imported:
    """An import with its drafts and what does not add up in each."""

    made: Import
    drafts: tuple[Saved, ...]


@dataclass(frozen=True, slots=True)
class Undone:
    """What went, and what stayed because somebody worked on it since."""

    removed: tuple[UUID, ...]
    kept: tuple[Disclosure, ...]


async def read_file(data: bytes) -> list[Prepared]:
    """What a prepared file holds; ImportFaultsError when it cannot be read. Megabytes take seconds, beside the loop."""
    try:
        return await asyncio.to_thread(read_prepared, data)
    except FileFaultsError as error:
        raise ImportFaultsError(faults=[Fault(f.at, f.message) for f in error.faults]) from error


async def import_file(desk: Changing, name: str, prepared: Sequence[Prepared]) -> Imported:
    """Take a prepared file in; ImportFaultsError tells everything that is wrong, and nothing is taken then."""
    drafts, refused = _drafts(prepared)
    saved: list[Saved] = []
    try:
        saved = await create_all(desk, list(drafts.values()))
    except DraftsRefusedError as error:
        places = list(drafts)
        refused |= {places[n]: why for n, why in error.errors.items()}
    if refused:
        raise ImportFaultsError(faults=[f for n, why in sorted(refused.items()) for f in _located(prepared[n], why)])
    made = Import(
        uuid_utils.compat.uuid7(), name[:200], desk.actor.staff_id, desk.actor.scope, desk.now, undone_at=None
    )
    await insert_import(desk.conn, made, [s.disclosure for s in saved])
    return Imported(made, tuple(saved))


def _drafts(prepared: Sequence[Prepared]) -> tuple[dict[int, Draft], dict[int, SanwuError]]:
    """What can be read of a file, and why the rest cannot, both by their places in it."""
    drafts: dict[int, Draft] = {}
    refused: dict[int, SanwuError] = {}
    for n, one in enumerate(prepared):
        try:
            drafts[n] = _draft(one)
        except SanwuError as error:
            refused[n] = error
    return drafts, refused


def _draft(one: Prepared) -> Draft:
    body = parse_body(one.body)
    try:
        period_bounds(one.period)
    except ValueError as error:
        raise ImportFaultsError(faults=[Fault("period", str(error))]) from error
    return Draft(one.village, one.item, one.period, body)


def _located(one: Prepared, error: SanwuError) -> Iterator[Fault]:
    """A refusal's places as places of the file."""
    who = f"{one.village} {one.item} {one.period}"
    for f in error.faults or (Fault("", error.detail),):
        place = one.place(f.at)
        yield Fault(place, f"{place}（{who}）{f.at}：{f.message}")


async def load_import(desk: Reading, import_id: UUID) -> tuple[Import, list[Disclosure]]:
    """Read an import of one's own with those of its drafts that are still there."""
    made = _own(desk, await select_import(desk.conn, import_id))
    return made, await select_import_drafts(desk.conn, import_id)


def _own(desk: Reading, made: Import | None) -> Import:
    if made is None or made.imported_by != desk.actor.staff_id:
        raise UnknownImportError
    return made


async def load_import_with_findings(desk: Reading, import_id: UUID) -> Imported:
    """Read an import of one's own with what does not add up in each draft; nothing is told of what the actor may not read."""
    made, drafts = await load_import(desk, import_id)
    shown = {(d.id, d.edition): d for d in drafts if desk.may_read(d)}
    editions = await select_editions(desk.conn, shown)
    found = await findings_of_all(desk, [(shown[key], edition) for key, edition in editions.items()])
    return Imported(made, tuple(Saved(d, found.get(d.id, ())) for d in drafts))


async def undo_import(desk: Changing, import_id: UUID) -> Undone:
    """Remove the drafts of an import that nobody has touched since."""
    made = _own(desk, await lock_import(desk.conn, import_id))
    drafts = await lock_import_drafts(desk.conn, import_id)
    if made.undone_at is not None:
        raise AlreadyUndoneError
    untouched = [d for d in drafts if d.state is State.DRAFT and d.edition == 1 and d.submitted_at is None]
    kept = [d for d in drafts if d not in untouched and d.state is not State.WITHDRAWN]
    await discard_all(desk, untouched)
    await update_undone(desk.conn, import_id, desk.now)
    return Undone(tuple(d.id for d in untouched), tuple(kept))
