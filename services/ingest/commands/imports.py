"""Imports: a prepared file becomes one draft per disclosure, all or none; undone, the drafts nobody touched go."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final
from uuid import UUID

import uuid_utils.compat

from services.contracts.values import period_bounds
from services.ingest.bulk.prepared import (
    MAX_FAULTS,
    MAX_FILE_BYTES,
    FileFault,
    FileFaultsError,
    Prepared,
    read_answer,
)
from services.ingest.commands.discarding import discard_all
from services.ingest.commands.entering import Draft, DraftsRefusedError, create_all, parse_body
from services.ingest.commands.findings import Content, Saved, findings_of_all
from services.ingest.commands.quotas import count_upload
from services.ingest.errors import AlreadyUndoneError, ImportFaultsError, UnknownImportError
from services.ingest.gate.findings import personal_in
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
from services.ingest.visit import Caller, Changing, Reading, the_one
from services.ingest.workflow import State
from services.kit import actions
from services.kit.errors import Fault, SanwuError
from services.kit.limited import Limits, OverLimitError, run_limited


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


#: A file of 8 MiB; CSV names its columns once, what is read of it in every row.
LIMITS: Final = Limits(seconds=30.0, memory_mib=768, answer_bytes=64 * 1024 * 1024)


@dataclass(frozen=True, slots=True)
class Read:
    """A disclosure of a file: where it stands there, and what is to be entered, or why it cannot be."""

    prepared: Prepared
    draft: Draft | SanwuError


async def read_file(caller: Caller, data: bytes) -> list[Read]:
    """What a prepared file holds; ImportFaultsError when it cannot be read. It is opened in a process of its own."""
    if len(data) > MAX_FILE_BYTES:
        raise _faulty([FileFault("file", "文件超过 8 MiB，请分成几个文件")])
    await count_upload(caller, len(data), imports=1)
    try:
        written = await run_limited("services.ingest.bulk.prepared", data, LIMITS, who=caller.actor.staff_id)
        # Still seconds when there are many: bodies are checked one by one, beside the loop.
        return await asyncio.to_thread(_drafts, written)
    except OverLimitError as error:
        raise _faulty([FileFault("file", "文件太大或太复杂，读不完，请分成几个文件")]) from error
    except FileFaultsError as error:
        raise _faulty(error.faults) from error


def _faulty(faults: Sequence[FileFault]) -> ImportFaultsError:
    return ImportFaultsError(faults=[Fault(f.at, f.message) for f in faults])


def _drafts(written: bytes) -> list[Read]:
    """What is read of a file; of the contents only what they mean is kept."""
    found = []
    for one in read_answer(written):
        try:
            draft: Draft | SanwuError = draft_of(one)
        except SanwuError as error:
            draft = error
        one.body = {}
        found.append(Read(one, draft))
    return found


async def import_file(desk: Changing, name: str, read: Sequence[Read]) -> Imported:
    """Take a prepared file in; ImportFaultsError tells everything that is wrong, and nothing is taken then."""
    drafts = {n: one.draft for n, one in enumerate(read) if isinstance(one.draft, Draft)}
    refused = {n: one.draft for n, one in enumerate(read) if isinstance(one.draft, SanwuError)}
    saved: list[Saved] = []
    try:
        saved = await create_all(desk, list(drafts.values()))
    except DraftsRefusedError as error:
        places = list(drafts)
        refused |= {places[n]: why for n, why in error.errors.items()}
    if refused:
        told = chain.from_iterable(_located(read[n].prepared, why) for n, why in sorted(refused.items()))
        raise ImportFaultsError(faults=list(islice(told, MAX_FAULTS)))
    made = Import(
        uuid_utils.compat.uuid7(), name[:200], desk.actor.staff_id, desk.actor.scope, desk.now, undone_at=None
    )
    await insert_import(desk.conn, made, [s.disclosure for s in saved])
    actions.about(f"import/{made.id}", the_one(s.disclosure.village_code for s in saved))
    return Imported(made, tuple(saved))


def draft_of(one: Prepared) -> Draft:
    """A disclosure of a file as a draft; SanwuError says why it cannot be one."""
    body = parse_body(one.body)
    try:
        period_bounds(one.period)
    except ValueError as error:
        raise ImportFaultsError(faults=[Fault("period", str(error))]) from error
    return Draft(one.village, one.item, one.period, Content(body, personal_in(body)))


def _located(one: Prepared, error: SanwuError) -> Iterator[Fault]:
    """A refusal's places as places of the file."""
    who = f"{one.village} {one.item} {one.period}"
    for f in error.faults or (Fault("", error.detail),):
        place = one.place(f.at)
        yield Fault(place, f"{place}（{who}）{one.column(f.at)}：{f.message}")


async def load_import(desk: Reading, import_id: UUID) -> tuple[Import, list[Disclosure]]:
    """Read an import of one's own with those of its drafts that are still there."""
    made = own_import(desk, await select_import(desk.conn, import_id))
    return made, await select_import_drafts(desk.conn, import_id)


def own_import(desk: Reading, made: Import | None) -> Import:
    """An import of one's own; to others it is as if there were none."""
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


def _is_untouched(d: Disclosure) -> bool:
    return d.state is State.DRAFT and d.edition == 1 and d.submitted_at is None


async def undo_import(desk: Changing, import_id: UUID) -> Undone:
    """Remove the drafts of an import that nobody has touched since."""
    made = own_import(desk, await lock_import(desk.conn, import_id))
    drafts = await lock_import_drafts(desk.conn, import_id)
    actions.about(f"import/{made.id}", the_one(d.village_code for d in drafts))
    if made.undone_at is not None:
        raise AlreadyUndoneError
    untouched = [d for d in drafts if _is_untouched(d)]
    kept = [d for d in drafts if d not in untouched and d.state is not State.WITHDRAWN]
    await discard_all(desk, untouched)
    await update_undone(desk.conn, import_id, desk.now)
    return Undone(tuple(d.id for d in untouched), tuple(kept))
