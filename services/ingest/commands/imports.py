"""Imports: a prepared file becomes one draft per disclosure, all or none; undone, the drafts nobody touched go."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import uuid_utils.compat

from services.contracts.bodies import Body
from services.contracts.values import period_bounds
from services.ingest import store, workflow
from services.ingest.bulk.prepared import FileFaultsError, Prepared, read_prepared
from services.ingest.commands.desk import Desk, Saved
from services.ingest.commands.entering import create, discard
from services.ingest.errors import AlreadyUndoneError, ImportFaultsError, UnknownImportError
from services.ingest.gate.bodies import MalformedBodyError, OversizeError, read_body
from services.ingest.store import Disclosure, Import
from services.ingest.workflow import Action, State
from services.kit.errors import Fault, SanwuError, faults_of


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


async def import_file(desk: Desk, name: str, data: bytes) -> Imported:
    """Take a prepared file in; ImportFaultsError tells everything that is wrong, and nothing is taken then."""
    desk.actor.require(*workflow.ROLES[Action.SAVE])
    try:
        prepared = read_prepared(data)
    except FileFaultsError as error:
        raise ImportFaultsError(faults=[Fault(f.at, f.message) for f in error.faults]) from error
    faults: list[Fault] = []
    drafts: list[Saved] = []
    for one in prepared:
        try:
            drafts.append(await _draft(desk, one))
        except SanwuError as error:
            faults += list(_located(one, error))
    if faults:
        raise ImportFaultsError(faults=faults)
    made = Import(
        uuid_utils.compat.uuid7(), name[:200], desk.actor.staff_id, desk.actor.scope, desk.now, undone_at=None
    )
    await store.insert_import(desk.conn, made, [d.disclosure for d in drafts])
    return Imported(made, tuple(drafts))


async def _draft(desk: Desk, one: Prepared) -> Saved:
    """One draft; whatever is refused, the others are looked at too, and then all of them go with the transaction."""
    body = _body(one)
    try:
        period_bounds(one.period)
    except ValueError as error:
        raise ImportFaultsError(faults=[Fault("period", str(error))]) from error
    return await create(desk, one.village, one.item, one.period, body)


def _body(one: Prepared) -> Body:
    try:
        return read_body(one.body)
    except OversizeError as error:
        raise ImportFaultsError(faults=[Fault(error.at, str(error))]) from error
    except MalformedBodyError as error:
        raise ImportFaultsError(faults=faults_of(error.errors, below=("body",))) from error


def _located(one: Prepared, error: SanwuError) -> Iterator[Fault]:
    """A refusal's places as places of the file."""
    who = f"{one.village} {one.item} {one.period}"
    for f in error.faults or (Fault("", error.detail),):
        place = one.place(f.at)
        yield Fault(place, f"{place}（{who}）{f.at}：{f.message}")


async def import_of(desk: Desk, import_id: UUID) -> tuple[Import, list[Disclosure]]:
    """One of one's own imports with those of its drafts that are still there."""
    desk.actor.require(*workflow.ROLES[Action.SAVE])
    made = await store.lock_import(desk.conn, import_id)
    if made is None or made.imported_by != desk.actor.staff_id:
        raise UnknownImportError
    return made, await _present(desk, await store.select_import_drafts(desk.conn, import_id))


async def _present(desk: Desk, ids: Sequence[UUID]) -> list[Disclosure]:
    found = [await store.lock_disclosure(desk.conn, i) for i in ids]
    return [d for d in found if d is not None]


async def undo_import(desk: Desk, import_id: UUID) -> Undone:
    """Remove the drafts of an import that nobody has touched since."""
    made, drafts = await import_of(desk, import_id)
    if made.undone_at is not None:
        raise AlreadyUndoneError
    removed, kept = [], []
    for draft in drafts:
        if draft.state is State.DRAFT and draft.edition == 1 and draft.submitted_at is None:
            await discard(desk, draft.id, 1)
            removed.append(draft.id)
        elif draft.state is not State.WITHDRAWN:
            kept.append(draft)
    await store.update_undone(desk.conn, import_id, desk.now)
    return Undone(tuple(removed), tuple(kept))
