"""Spreadsheets as accountants keep them: read, kept sealed while questions are answered, taken in as drafts all or none."""

import asyncio
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

import uuid_utils.compat

from services.contracts.account import ACCOUNTS
from services.contracts.bodies import Ledger
from services.contracts.catalogue import ItemRevision
from services.contracts.division import DivisionKind
from services.contracts.duties import publishing_holder
from services.contracts.values import period_bounds
from services.ingest import workflow
from services.ingest.bulk.prepared import MAX_DISCLOSURES, MAX_FILE_BYTES, Prepared
from services.ingest.commands.imports import Imported, Read, draft_of, import_file
from services.ingest.commands.quotas import count_upload
from services.ingest.errors import UnknownImportError, UnreadableWorkbookError, WorkbookNotReadyError, WrongPeriodError
from services.ingest.store.cells import select_last_bodies
from services.ingest.store.workbooks import (
    Held,
    delete_workbook,
    insert_workbook,
    lock_workbook,
    select_column_words,
    select_workbook,
    update_answers,
    upsert_column_words,
)
from services.ingest.visit import Caller, Changing, Member, Reading, the_one
from services.ingest.workbooks.drafts import Made
from services.ingest.workbooks.plan import (
    TAKEN_KINDS,
    Answers,
    ItemFacts,
    Office,
    Plan,
    Understood,
    compose,
    understand,
)
from services.ingest.workbooks.reading import require_readable
from services.ingest.workbooks.villages import Place
from services.ingest.workbooks.words import ROLES, bare
from services.ingest.workbooks.workbook import JsonObject, UnreadableError, loaded
from services.ingest.workflow import Action
from services.kit import actions
from services.kit.errors import Fault, SanwuError
from services.kit.limited import Limits, OverLimitError, run_limited
from services.kit.shred import close, make_keys, reopen

LIMITS: Final = Limits(seconds=12.0, memory_mib=384, answer_bytes=48 * 1024 * 1024)
_WORKBOOK, _ANSWERS = "workbook", "workbook.answers"
#: What an agency may have taught; more is a mistake.
MAX_WORDS: Final = 500
_TOO_LARGE: Final = "文件超过 8 MiB，请按月或按村分成几个文件再上传。"
_OVER_LIMIT: Final = "文件太大或太复杂，没有打开。请只留需要的表，另存为 xlsx 后再上传。"


@dataclass(frozen=True, slots=True)
class Preview:
    """A spreadsheet that waits, with what was answered and what it comes to."""

    held: Held
    answers: Answers
    office: Office
    understood: Understood
    plan: Plan


async def keep_workbook(caller: Caller, name: str, data: bytes) -> UUID:
    """Read a spreadsheet in a process of its own and keep it sealed; UnreadableWorkbookError says what it is and what to do."""
    packed = await _read(caller, data)
    workbook_id = uuid_utils.compat.uuid7()
    async with caller.changing(Changing) as desk:
        key = (await make_keys(desk.conn, [str(workbook_id)]))[str(workbook_id)]
    sealed = await asyncio.to_thread(close, key, str(workbook_id), _WORKBOOK, packed)
    held = Held(workbook_id, name[:200], caller.actor.staff_id, caller.actor.scope, caller.now, sealed, None)
    async with caller.changing(Changing) as desk:
        await insert_workbook(desk.conn, held)
        actions.about(f"import/{workbook_id}", the_one(desk.villages()))
    return workbook_id


async def _read(caller: Caller, data: bytes) -> bytes:
    """A spreadsheet as the other process read it."""
    if len(data) > MAX_FILE_BYTES:
        raise _unreadable(_TOO_LARGE)
    await count_upload(caller, len(data), imports=1)
    try:
        written = await run_limited("services.ingest.workbooks.reading", data, LIMITS, who=caller.actor.staff_id)
        require_readable(written)
    except OverLimitError as error:
        raise _unreadable(_OVER_LIMIT) from error
    except UnreadableError as error:
        raise _unreadable(str(error)) from error
    return written


def _unreadable(message: str) -> UnreadableWorkbookError:
    return UnreadableWorkbookError(message, faults=[Fault("file", message)])


# -- the preview --------------------------------------------------------------------------------------------------


async def load_preview(caller: Caller, workbook_id: UUID) -> Preview:
    """What a spreadsheet of one's own comes to, by what was answered so far."""
    async with caller.reading(Reading) as desk:
        held = _own(caller, await select_workbook(desk.conn, workbook_id))
        office = await _office_of(desk)
    answers = _answers_of(held)
    understood = await asyncio.to_thread(_understood, held, answers, office)
    first = await asyncio.to_thread(compose, understood, {})
    async with caller.reading(Reading) as desk:
        before = await _closings_before(desk, first, understood.wanted.item)
    if not before:
        return Preview(held, answers, office, understood, first)
    understood = await asyncio.to_thread(_understood, held, answers, office)
    return Preview(held, answers, office, understood, await asyncio.to_thread(compose, understood, before))


def _own(caller: Caller, held: Held | None) -> Held:
    if held is None or held.read_by != caller.actor.staff_id or held.sealed is None or held.key is None:
        raise UnknownImportError
    return held


def _understood(held: Held, answers: Answers, office: Office) -> Understood:
    book = loaded(reopen(held.key or "", str(held.id), _WORKBOOK, held.sealed or b""))
    return understand(book, held.name, answers, office)


async def _office_of(desk: Reading) -> Office:
    words = await select_column_words(desk.conn, agency_of(desk), MAX_WORDS)
    mine = places_of(desk)
    others = _places(desk, {d.code for d in desk.reference.divisions.values()} - {p.code for p in mine})
    return Office(items_of(desk), mine, {w.word: w.role for w in words}, desk.today, others)


def agency_of(desk: Member) -> str:
    """The township whose agency keeps the books of a part of the tree; of a whole city, the city."""
    above = [d for d in desk.reference.ancestors(desk.actor.scope) if d.now.kind is DivisionKind.TOWNSHIP]
    return above[0].code if above else desk.actor.scope


def items_of(desk: Member) -> list[ItemFacts]:
    """What somebody may enter from a spreadsheet, by code."""
    within = desk.items_within()
    now = {code: item.at(desk.today) for code, item in sorted(desk.reference.items.items())}
    return [_facts(code, i) for code, i in now.items() if i.kind in TAKEN_KINDS and _may_enter(desk, code, i, within)]


def _facts(code: str, item: ItemRevision) -> ItemFacts:
    return ItemFacts(code, item.name, item.kind, item.frequency)


def _may_enter(desk: Member, code: str, item: ItemRevision, within: Sequence[str] | None) -> bool:
    is_mine = within is None or code in within
    return is_mine and workflow.takes_step(desk.actor.role, Action.SAVE, publishing_holder(item))


def places_of(desk: Member) -> list[Place]:
    """The villages that somebody may enter for, with their townships' names."""
    return _places(desk, desk.villages())


def _places(desk: Member, codes: Iterable[str]) -> list[Place]:
    divisions = desk.reference.divisions
    kinds = {DivisionKind.VILLAGE, DivisionKind.COMMUNITY}
    found = [divisions[code] for code in codes if divisions[code].now.kind in kinds]
    return [
        Place(d.code, d.now.name, divisions[d.now.parent].now.name if d.now.parent in divisions else "") for d in found
    ]


async def _closings_before(desk: Reading, plan: Plan, item: str) -> dict[str, dict[str, int]]:
    """What the period before leaves in each account, of the villages whose ledgers the file comes to."""
    first: dict[str, Made] = {}
    for one in plan.made:
        if one.body.get("kind") == "ledger":
            first[one.village] = min(first.get(one.village, one), one, key=lambda m: m.period)
    bodies = await select_last_bodies(desk.conn, item, {v: one.period for v, one in first.items()}) if first else {}
    return {
        first[village].key: {a.account: a.closing_fen for a in body.accounts}
        for village, body in bodies.items()
        if isinstance(body, Ledger)
    }


# -- answers ------------------------------------------------------------------------------------------------------


def _answers_of(held: Held) -> Answers:
    if held.answers_sealed is None or held.key is None:
        return Answers()
    return Answers(**json.loads(reopen(held.key, str(held.id), _ANSWERS, held.answers_sealed)))


async def answer_questions(caller: Caller, workbook_id: UUID, fields: Mapping[str, str]) -> None:
    """Keep what was answered of a spreadsheet; what a column means is known to the agency from then on."""
    preview_columns = {k.removeprefix("column:"): v for k, v in fields.items() if k.startswith("column:")}
    async with caller.changing(Changing) as desk:
        held = _own(caller, await lock_workbook(desk.conn, workbook_id))
        answers = _merged(_answers_of(held), fields)
        sealed = close(held.key or "", str(held.id), _ANSWERS, json.dumps(asdict(answers)).encode())
        await update_answers(desk.conn, held.id, sealed)
        words = {bare(fields.get(f"name:{key}", "")): role for key, role in preview_columns.items() if role in ROLES}
        words = {word[:60]: role for word, role in words.items() if word and fields.get("learn")}
        if words and len(await select_column_words(desk.conn, agency_of(desk), MAX_WORDS)) + len(words) <= MAX_WORDS:
            await upsert_column_words(desk.conn, agency_of(desk), words, desk.actor.staff_id, desk.now)
        actions.about(f"import/{held.id}", the_one(desk.villages()))


def require_period(text: str) -> None:
    """Refuse a period that is none, naming the field."""
    try:
        period_bounds(text)
    except ValueError as error:
        raise WrongPeriodError(faults=[Fault("period", f"公开期“{text[:20]}”不对：{error}")]) from error


_PLAIN: Final = ("item", "village", "period", "account", "year", "unit")
_MAX_ANSWER: Final = 200


def _merged(answers: Answers, fields: Mapping[str, str]) -> Answers:
    """What was answered before with what a form says now; another item asks for its period anew."""
    now: JsonObject = asdict(answers)
    for name in _PLAIN:
        if name in fields:
            now[name] = fields[name].strip()[:_MAX_ANSWER]
    if now["period"]:
        require_period(now["period"])
    now["year"] = now["year"] if re.fullmatch(r"20\d\d", now["year"], re.ASCII) else ""
    now["account"] = now["account"] if now["account"] in ACCOUNTS else ""
    if now["item"] != answers.item:
        now["period"] = fields.get("period", "").strip()[:_MAX_ANSWER] if answers.item == "" else ""
    for prefix, name in (("column:", "columns"), ("opening:", "openings"), ("village:", "villages")):
        said = {k.removeprefix(prefix): v.strip()[:_MAX_ANSWER] for k, v in fields.items() if k.startswith(prefix)}
        now[name] = {k: v for k, v in {**now[name], **said}.items() if v}
    return Answers(**now)


# -- taking in ----------------------------------------------------------------------------------------------------


async def take_workbook(caller: Caller, workbook_id: UUID) -> Imported:
    """Make a spreadsheet's drafts, all or none, and forget it; WorkbookNotReadyError while anything is asked or wrong."""
    preview = await load_preview(caller, workbook_id)
    plan = preview.plan
    if not plan.ready:
        raise WorkbookNotReadyError(faults=[Fault(f.place, f.words) for f in plan.faults[:50]])
    if len(plan.made) > MAX_DISCLOSURES:
        message = f"有 {len(plan.made)} 份，最多 {MAX_DISCLOSURES} 份，请分成几个文件"
        raise WorkbookNotReadyError(message)
    read = await asyncio.to_thread(_reads, preview)
    async with caller.changing(Changing) as desk:
        # Whoever presses twice takes it in once: the second finds nothing.
        _own(caller, await lock_workbook(desk.conn, workbook_id))
        imported = await import_file(desk, preview.held.name, read)
        await delete_workbook(desk.conn, workbook_id)
    return imported


def _reads(preview: Preview) -> list[Read]:
    found: list[Read] = []
    for one in preview.plan.made:
        rows = next(k for k in ("lines", "entries", "rows") if k in one.body)
        places = {f"body.{rows}[{n}]": place for n, (place, _) in enumerate(one.sources)}
        at = one.sources[0][0] if one.sources else preview.held.name
        prepared = Prepared(at, one.village, one.item, one.period, one.body, places=places)
        try:
            found.append(Read(prepared, draft_of(prepared)))
        except SanwuError as error:
            found.append(Read(prepared, error))
        prepared.body = {}
    return found


async def drop_workbook(caller: Caller, workbook_id: UUID) -> None:
    """Forget a spreadsheet of one's own."""
    async with caller.changing(Changing) as desk:
        held = _own(caller, await lock_workbook(desk.conn, workbook_id))
        actions.about(f"import/{held.id}", the_one(desk.villages()))
        await delete_workbook(desk.conn, held.id)
