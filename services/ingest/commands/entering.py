"""Entering: drafts, the one tap for a period in which nothing happened, handing in, corrections."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final
from uuid import UUID

import uuid_utils.compat

from services.contracts.base import AcceptedFinding, Finding, Role
from services.contracts.bodies import Body, Ledger, Roster, Table, body_digest
from services.contracts.catalogue import ItemKind
from services.contracts.disclosure import (
    DisclosureCorrected,
    DisclosureDelivered,
    DisclosureSubmitted,
    FindingRef,
    SubmittedContent,
)
from services.contracts.values import period_words
from services.ingest import metrics, workflow
from services.ingest.commands.attachments import (
    KnownFiles,
    findings_in_files,
    known_files,
    places_of_files,
    require_files,
    use_files,
)
from services.ingest.commands.checking import let_out, refuse_unseen
from services.ingest.commands.doubts import doubts_of
from services.ingest.commands.findings import (
    Content,
    Reason,
    Saved,
    accepted_of,
    findings_of,
    findings_of_all,
    look_at,
    refuse_personal,
)
from services.ingest.commands.households import with_households
from services.ingest.commands.invoices import note_invoices
from services.ingest.commands.typed import require_finished, require_open_cell
from services.ingest.errors import (
    AlreadyEnteredError,
    BodyTooLargeError,
    FuturePeriodError,
    KindMismatchError,
    NothingToStateError,
    SecrecyCheckMissingError,
    UnexplainedFindingsError,
)
from services.ingest.gate.bodies import MalformedBodyError, OversizeError, fits_item, read_body
from services.ingest.gate.findings import needs_reviewer, unexplained
from services.ingest.metrics import count_step
from services.ingest.store.cells import select_any_body, select_last_body
from services.ingest.store.contents import Edition
from services.ingest.store.disclosures import (
    Disclosure,
    NewDisclosure,
    insert_disclosures,
    insert_editions,
    update_saved,
    update_submitted,
)
from services.ingest.store.typed import select_begun
from services.ingest.visit import Changing
from services.ingest.workflow import Action, State
from services.kit import actions
from services.kit.errors import Fault, InvalidInputError, SanwuError, faults_of
from services.kit.outbox import append, append_all


def parse_body(raw: dict[str, object]) -> Body:
    """Read a body from JSON, its faults below `body`."""
    try:
        return read_body(raw)
    except OversizeError as error:
        raise BodyTooLargeError(faults=[Fault(error.at, str(error))]) from error
    except MalformedBodyError as error:
        raise InvalidInputError(faults=faults_of(error.errors, below=("body",))) from error


#: Rows of a body that are read sooner than a thread takes them.
_FEW_ROWS: Final = 50


async def read_content(raw: dict[str, object]) -> Content:
    """The same, with the personal data in it; of a large body both beside the loop, for they take long."""
    rows = sum(len(rows) for rows in raw.values() if isinstance(rows, list))
    return await look_at(parse_body(raw) if rows <= _FEW_ROWS else await asyncio.to_thread(parse_body, raw))


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be entered into an empty cell."""

    village: str
    item: str
    period: str
    content: Content
    #: Of a form that is one event of several on a day, so that it makes one however often it is sent.
    id: UUID | None = None


class DraftsRefusedError(Exception):
    """Some of many drafts cannot be made, by their places among them; nothing of any stays."""

    def __init__(self, errors: Mapping[int, SanwuError]) -> None:
        """Take why each cannot be."""
        super().__init__(f"{len(errors)} drafts refused")
        self.errors = errors


async def create(
    desk: Changing, village: str, item: str, period: str, content: Content, disclosure_id: UUID | None = None
) -> Saved:
    """Make a draft in an empty cell, edition 1; what the accounting agency makes is delivered to the village by it."""
    try:
        (saved,) = await create_all(desk, [Draft(village, item, period, content, disclosure_id)])
    except DraftsRefusedError as refused:
        raise refused.errors[0] from None
    actions.about(f"disclosure/{saved.disclosure.id}", village)
    return saved


async def create_all(desk: Changing, drafts: Sequence[Draft]) -> list[Saved]:
    """Make drafts in many empty cells, in as many statements as for one; DraftsRefusedError tells everything that cannot be."""
    errors: dict[int, SanwuError] = {}
    new: dict[int, NewDisclosure] = {}
    drafts = list(drafts)
    for n, draft in enumerate(drafts):
        try:
            drafts[n] = replace(draft, content=with_households(draft.content, desk.settings.household_key))
            new[n] = _check_draft(desk, drafts[n])
        except SanwuError as error:
            errors[n] = error
    delivered = desk.actor.role is Role.ACCOUNTANT
    await _take_begun(desk, drafts, new)
    # Inserted before files are looked at, for only the insertion tells which cells are taken; when anything is refused, the
    # error undoes it with the transaction.
    made = await insert_disclosures(desk.conn, list(new.values()), desk.actor.staff_id, desk.now, delivered=delivered)
    contents = {n: (made[one.id], drafts[n].content) for n, one in new.items() if one.id in made}
    known = await known_files(desk, [(d, content.body) for d, content in contents.values()])
    for n in new:
        try:
            _require_entered(desk, drafts[n], contents.get(n), known)
        except SanwuError as error:
            errors[n] = error
    if errors:
        raise DraftsRefusedError(errors)
    if not contents:
        return []
    saved = await _insert_editions(desk, [(d, content, None) for d, content in contents.values()], known)
    if delivered:
        await _append_delivered(desk, [s.disclosure for s in saved])
    return saved


async def _take_begun(desk: Changing, drafts: Sequence[Draft], new: dict[int, NewDisclosure]) -> None:
    """Give drafts the ids under which somebody began to type for their cells: what was typed stays beside them, under one key."""
    first = {n: d for n, d in new.items() if drafts[n].id is None}
    cells = list(dict.fromkeys((d.village_code, d.item, d.period) for d in first.values()))
    begun = {(t.village_code, t.item, t.period): t.id for t in await select_begun(desk.conn, cells)}
    for n, draft in first.items():
        if (thing := begun.pop((draft.village_code, draft.item, draft.period), None)) is not None:
            new[n] = replace(draft, id=thing)


def _check_draft(desk: Changing, draft: Draft) -> NewDisclosure:
    """Make every check of a draft that needs no row of ours, and return it as it will be stored."""
    owed = require_open_cell(desk, draft.village, draft.item, draft.period)
    _refuse_kind(desk.item(draft.item, draft.period).kind, draft.item, draft.content.body)
    return NewDisclosure(
        id=draft.id or uuid_utils.compat.uuid7(),
        village_code=draft.village,
        item=draft.item,
        period=draft.period,
        digest=body_digest(draft.content.body),
        history=owed.history,
        nil=draft.content.body.nil,
    )


def _require_entered(desk: Changing, draft: Draft, made: tuple[Disclosure, Content] | None, known: KnownFiles) -> None:
    """Refuse a draft whose cell was taken, or whose files nobody gave."""
    if made is None:
        item = desk.item(draft.item, draft.period).name
        words = f"{desk.reference.divisions[draft.village].now.name}{period_words(draft.period)}的“{item}”已经录入"
        raise AlreadyEnteredError(faults=[Fault("period", words)])
    require_files(made[0], made[1].body, known)


async def _append_delivered(desk: Changing, disclosures: Sequence[Disclosure]) -> None:
    stamps = await desk.stamps_of(disclosures)
    await append_all(desk.conn, [DisclosureDelivered(**stamps[d.id]) for d in disclosures])


def _refuse_kind(kind: ItemKind, item: str, body: Body) -> None:
    if not fits_item(kind, body):
        raise KindMismatchError(faults=[Fault("body.kind", f"事项 {item} 的内容类型是 {kind.value}")])


async def _insert_editions(
    desk: Changing, contents: Sequence[tuple[Disclosure, Content, str | None]], known: KnownFiles
) -> list[Saved]:
    """Store new editions' contents and notes with what does not add up in them, and which files they use."""
    await use_files(desk, [(d, content.body) for d, content, _ in contents])
    doubts = await doubts_of(desk, [(d, content.body) for d, content, _ in contents])
    invoices = await note_invoices(desk, [(d, content.body) for d, content, _ in contents])
    of = []
    for d, content, note in contents:
        beside = (*invoices.get(d.id, ()), *doubts[d.id], *findings_in_files(d, content.body, known))
        of.append((d, _edition(d, content, note, beside)))
    await insert_editions(desk.conn, of, desk.actor.staff_id, desk.now)
    found = await findings_of_all(desk, of)
    for finding in chain.from_iterable(found.values()):
        metrics.FINDINGS.labels(code=finding.code).inc()
    return [Saved(count_step(Action.SAVE, d), found[d.id]) for d, _ in of]


def _edition(disclosure: Disclosure, content: Content, note: str | None, beside: tuple[Finding, ...]) -> Edition:
    """A content with what is to mend or to explain: arithmetic, dates, doubts, personal data, also in its files."""
    found = (*content.body.findings(disclosure.period), *content.personal, *beside)
    return Edition(content.body, findings=found, note=note)


async def save(desk: Changing, disclosure_id: UUID, version: int, content: Content, note: str | None = None) -> Saved:
    """Store the next edition of a draft or of a returned disclosure. A correction's note stays unless another is given."""
    disclosure = await desk.lock_for(Action.SAVE, disclosure_id, version)
    _refuse_kind(desk.item_of(disclosure).kind, disclosure.item, content.body)
    if note is None and disclosure.published_edition is not None:
        note = (await desk.content_of(disclosure)).note
    return await _next_edition(desk, disclosure, content, note)


async def _next_edition(desk: Changing, disclosure: Disclosure, content: Content, note: str | None) -> Saved:
    content = with_households(content, desk.settings.household_key)
    body = content.body
    if note is not None:
        refuse_personal(note, "note")
    digest = body_digest(body)
    known = await known_files(desk, [(disclosure, body)])
    require_files(disclosure, body, known)
    after = await update_saved(desk.conn, disclosure, digest, desk.actor.staff_id, nil=body.nil)
    (saved,) = await _insert_editions(desk, [(after, content, note)], known)
    return saved


async def create_nil(desk: Changing, village: str, item: str, period: str) -> Saved:
    """Make the draft that says nothing happened: a ledger with the closings of before, an empty roster or table."""
    desk.duty(village, item, period)
    revision = desk.item(item, period)
    desk.require_entering(village, revision)
    last = await select_last_body(desk.conn, village, item, period)
    if last is None and revision.kind is ItemKind.TABLE:
        # A later period has the same columns; what it has in them is not asked.
        last = await select_any_body(desk.conn, village, item)
    return await create(desk, village, item, period, await look_at(_nothing(revision.kind, last)))


def _nothing(kind: ItemKind, last: Body | None) -> Body:
    match kind:
        case ItemKind.ROSTER:
            return Roster(entries=())
        case ItemKind.TABLE if isinstance(last, Table):
            return last.model_copy(update={"rows": (), "totals": {}, "attachments": ()})
        case ItemKind.LEDGER if isinstance(last, Ledger):
            accounts = tuple(a.model_copy(update={"opening_fen": a.closing_fen}) for a in last.accounts)
            return Ledger(accounts=accounts, lines=())
        case ItemKind.LEDGER:
            detail = "本村没有录入过更早一期的账，不知道有哪些账户、期初各是多少，请用“录入”填写各账户的期初和期末。"
            raise NothingToStateError(detail)
        case ItemKind.TABLE:
            detail = "本村还没有录入过这个事项，不知道有哪些栏目，请用“录入”填写一次。"
            raise NothingToStateError(detail)
        case _:
            raise NothingToStateError


async def submit(
    desk: Changing, disclosure_id: UUID, version: int, reasons: Sequence[Reason], secrecy_checked_by: str | None = None
) -> Disclosure:
    """Hand an edition in: the state becomes submitted, `disclosure.submitted.v1` is appended.

    Where the item asks for nobody's word it is confirmed at once and, where the profile releases by filing, let out. Each
    finding needs a reason; UnexplainedFindingsError lists those without.
    """
    disclosure = await desk.lock_for(Action.SUBMIT, disclosure_id, version)
    if desk.duty(disclosure.village_code, disclosure.item, disclosure.period).opens_on > desk.today:
        raise FuturePeriodError(faults=[Fault("period", f"{period_words(disclosure.period)}还没有过完")])
    await require_finished(desk, disclosure)
    edition = await desk.content_of(disclosure)
    found = await findings_of(desk, disclosure, edition)
    for n, reason in enumerate(reasons):
        refuse_personal(reason.text, f"accept[{n}].reason")
    given = accepted_of(found, reasons)
    granted = [a for a in edition.accepted if needs_reviewer(a.code)]
    if desk.actor.role in workflow.RIGHTS[Action.ACCEPT]:
        granted += [a for a in given if needs_reviewer(a.code)]
    open_ones = unexplained(found, given, granted)
    if open_ones:
        raise UnexplainedFindingsError(findings=[f.model_dump(exclude_none=True) for f in open_ones])
    accepted = tuple({(a.code, a.at): a for a in (*given, *granted)}.values())
    if secrecy_checked_by is not None:
        refuse_personal(secrecy_checked_by, "secrecy_checked_by")
    edition = replace(edition, accepted=accepted, secrecy_checked_by=secrecy_checked_by)
    return count_step(Action.SUBMIT, await _hand_in(desk, disclosure, edition))


async def _hand_in(desk: Changing, disclosure: Disclosure, edition: Edition) -> Disclosure:
    item = desk.item_of(disclosure)
    files = desk.profile(disclosure.village_code).release == "file"
    if files and item.secrecy and edition.secrecy_checked_by is None:
        raise SecrecyCheckMissingError(faults=[Fault("secrecy_checked_by", "请写明保密审查人的姓名")])
    state = State.SUBMITTED if item.confirmations else State.CONFIRMED
    submitted = await update_submitted(desk.conn, disclosure, edition, state, desk.actor.staff_id, desk.now)
    await _append_submitted(desk, disclosure, edition.accepted)
    if files and state is State.CONFIRMED:
        await refuse_unseen(desk, disclosure, edition.body)
        return await let_out(desk, submitted, edition, release="file")
    return submitted


async def _append_submitted(desk: Changing, disclosure: Disclosure, accepted: tuple[AcceptedFinding, ...]) -> None:
    content = SubmittedContent(accepted=accepted)
    event = DisclosureSubmitted(
        **await desk.stamp_of(disclosure),
        digest=disclosure.digest,
        accepted=tuple(FindingRef(code=a.code, at=a.at) for a in accepted),
        sealed=await desk.seal(disclosure.id, "disclosure.submitted.v1", content) if accepted else None,
    )
    await append(desk.conn, event)
    await desk.tell_key(disclosure)


# -- corrections --------------------------------------------------------------------------------------------------


async def correct(
    desk: Changing, disclosure_id: UUID, version: int, note: str | None, content: Content | None
) -> Saved:
    """Store the next edition of what was let out as a draft, with the same content unless another is given; say so by event."""
    disclosure = await desk.lock_for(Action.CORRECT, disclosure_id, version)
    if content is None:
        content = as_found(await desk.content_of(disclosure))
    else:
        _refuse_kind(desk.item_of(disclosure).kind, disclosure.item, content.body)
    saved = await _next_edition(desk, disclosure, content, note)
    event = DisclosureCorrected(**await desk.stamp_of(saved.disclosure))
    await append(desk.conn, event)
    return Saved(count_step(Action.CORRECT, saved.disclosure), saved.findings)


def as_found(edition: Edition) -> Content:
    """The content of an edition with the personal data that was found in it when it was saved; its files are read anew."""
    files = places_of_files(edition.body)
    found = tuple(f for f in edition.findings if f.code.startswith("privacy.") and f.at not in files)
    return Content(edition.body, found)
