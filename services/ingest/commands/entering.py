"""Entering: drafts, the one tap for a period in which nothing happened, handing in, corrections."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import uuid_utils.compat

from services.contracts.base import AcceptedFinding, Role
from services.contracts.bodies import Body, Ledger, Roster, Table, body_digest
from services.contracts.catalogue import ItemKind
from services.contracts.disclosure import (
    DisclosureCorrected,
    DisclosureDelivered,
    DisclosureDiscarded,
    DisclosureSubmitted,
    FindingRef,
    SubmittedContent,
)
from services.contracts.values import period_bounds
from services.ingest import metrics, store, workflow
from services.ingest.commands.attachments import findings_in_files, use_files
from services.ingest.commands.checking import let_out
from services.ingest.commands.desk import (
    Desk,
    Reason,
    Saved,
    accepted_of,
    cell,
    content_of,
    counted,
    duty_of,
    findings_of,
    item_of,
    locked,
    profile_of,
    refuse_personal,
    require_reach,
    require_right,
    sealed,
    stamp_of,
)
from services.ingest.commands.withdrawing import end
from services.ingest.errors import (
    AlreadyEnteredError,
    FuturePeriodError,
    ItemDoesNotApplyError,
    KindMismatchError,
    NothingToStateError,
    SecrecyCheckMissingError,
    UnexplainedFindingsError,
)
from services.ingest.gate.findings import findings, needs_reviewer, unexplained
from services.ingest.store import Disclosure, Edition, NewDisclosure
from services.ingest.workflow import Action, State
from services.kit.clock import local_day
from services.kit.errors import Fault
from services.kit.outbox import append


async def create(desk: Desk, village: str, item: str, period: str, body: Body) -> Saved:
    """Make a draft in an empty cell; what the accounting agency makes is delivered to the village by it."""
    desk.actor.require(*workflow.ROLES[Action.SAVE])
    owed = duty_of(desk, village, item, period)
    revision = item_of(desk, item, period)
    require_reach(desk, village, revision)
    require_right(desk, Action.SAVE, revision)
    _refuse_kind(revision.kind, item, body)
    if not owed.applies:
        raise ItemDoesNotApplyError(faults=[Fault("item", f"{village} 没有事项 {item}")])
    if period_bounds(period)[0] > local_day(desk.now):
        raise FuturePeriodError(faults=[Fault("period", f"{period} 还没有开始")])
    delivered = desk.actor.role is Role.ACCOUNTANT
    new = NewDisclosure(
        id=uuid_utils.compat.uuid7(),
        village_code=village,
        item=item,
        period=period,
        digest=body_digest(body),
        history=owed.history,
        by=desk.actor.staff_id,
        at=desk.now,
        nil=body.nil,
        delivered=delivered,
    )
    try:
        disclosure = await store.insert_disclosure(desk.conn, new)
    except store.CellTakenError as error:
        raise AlreadyEnteredError(faults=[Fault("period", f"{village} 的 {item} {period} 已经录入")]) from error
    saved = await _kept(desk, disclosure, body, None)
    if delivered:
        await append(desk.conn, DisclosureDelivered(**await stamp_of(desk, disclosure), **cell(disclosure)))
    return saved


def _refuse_kind(kind: ItemKind, item: str, body: Body) -> None:
    if body.kind != kind:
        raise KindMismatchError(faults=[Fault("body.kind", f"事项 {item} 的内容类型是 {kind.value}")])


async def _kept(desk: Desk, disclosure: Disclosure, body: Body, note: str | None) -> Saved:
    """Keep an edition's content with what does not add up in it."""
    await use_files(desk, disclosure, body)
    found_in_files = await findings_in_files(desk, disclosure, body)
    edition = Edition(body, findings=(*findings(body, disclosure.period), *found_in_files), note=note)
    await store.insert_edition(desk.conn, disclosure, edition, desk.actor.staff_id, desk.now)
    found = await findings_of(desk, disclosure, edition)
    for finding in found:
        metrics.FINDINGS.labels(code=finding.code).inc()
    return Saved(counted(disclosure, Action.SAVE), found)


async def save(desk: Desk, disclosure_id: UUID, version: int, body: Body, note: str | None = None) -> Saved:
    """Replace a draft's or returned disclosure's content: the next edition. A correction's note stays unless given anew."""
    disclosure = await locked(desk, disclosure_id, version, Action.SAVE)
    _refuse_kind(item_of(desk, disclosure.item, disclosure.period).kind, disclosure.item, body)
    if note is None and disclosure.published_edition is not None:
        note = (await content_of(desk, disclosure)).note
    return await _next_edition(desk, disclosure, body, note)


async def _next_edition(desk: Desk, disclosure: Disclosure, body: Body, note: str | None) -> Saved:
    if note is not None:
        refuse_personal(note, "note")
    digest = body_digest(body)
    saved = await store.update_saved(desk.conn, disclosure, digest, desk.actor.staff_id, nil=body.nil)
    return await _kept(desk, saved, body, note)


async def create_nil(desk: Desk, village: str, item: str, period: str) -> Saved:
    """Make the draft that says nothing happened: a ledger with the closings of before, an empty roster or table."""
    desk.actor.require(*workflow.ROLES[Action.SAVE])
    duty_of(desk, village, item, period)
    revision = item_of(desk, item, period)
    require_reach(desk, village, revision)
    require_right(desk, Action.SAVE, revision)
    last = await store.select_last_body(desk.conn, village, item, period)
    if last is None and revision.kind is ItemKind.TABLE:
        # A later period has the same columns; what it has in them is not asked.
        last = await store.select_any_body(desk.conn, village, item)
    return await create(desk, village, item, period, _nothing(revision.kind, last))


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
    desk: Desk, disclosure_id: UUID, version: int, reasons: Sequence[Reason], secrecy_checked_by: str | None = None
) -> Disclosure:
    """Hand an edition in. Each finding needs a reason; UnexplainedFindingsError lists those without."""
    disclosure = await locked(desk, disclosure_id, version, Action.SUBMIT)
    if duty_of(desk, disclosure.village_code, disclosure.item, disclosure.period).opens_on > local_day(desk.now):
        raise FuturePeriodError(faults=[Fault("period", f"{disclosure.period} 还没有期满")])
    edition = await content_of(desk, disclosure)
    found = await findings_of(desk, disclosure, edition)
    for n, reason in enumerate(reasons):
        refuse_personal(reason.text, f"accept[{n}].reason")
    given = accepted_of(found, reasons)
    granted = [a for a in edition.accepted if needs_reviewer(a.code)]
    if desk.actor.role in workflow.ROLES[Action.ACCEPT]:
        granted += [a for a in given if needs_reviewer(a.code)]
    open_ones = unexplained(found, given, granted)
    if open_ones:
        raise UnexplainedFindingsError(findings=[f.model_dump(exclude_none=True) for f in open_ones])
    accepted = tuple({(a.code, a.at): a for a in (*given, *granted)}.values())
    if secrecy_checked_by is not None:
        refuse_personal(secrecy_checked_by, "secrecy_checked_by")
    edition = replace(edition, accepted=accepted, secrecy_checked_by=secrecy_checked_by)
    return counted(await _handed_in(desk, disclosure, edition), Action.SUBMIT)


async def _handed_in(desk: Desk, disclosure: Disclosure, edition: Edition) -> Disclosure:
    item = item_of(desk, disclosure.item, disclosure.period)
    files = profile_of(desk, disclosure.village_code).release == "file"
    if files and item.secrecy and edition.secrecy_checked_by is None:
        raise SecrecyCheckMissingError(faults=[Fault("secrecy_checked_by", "请写明保密审查人的姓名")])
    state = State.SUBMITTED if item.confirmations else State.CONFIRMED
    submitted = await store.update_submitted(desk.conn, disclosure, edition, state, desk.actor.staff_id, desk.now)
    await _say_submitted(desk, disclosure, edition.accepted)
    if files and state is State.CONFIRMED:
        return await let_out(desk, submitted, edition, release="file")
    return submitted


async def _say_submitted(desk: Desk, disclosure: Disclosure, accepted: tuple[AcceptedFinding, ...]) -> None:
    content = SubmittedContent(accepted=accepted)
    event = DisclosureSubmitted(
        **await stamp_of(desk, disclosure),
        **cell(disclosure),
        digest=disclosure.digest,
        accepted=tuple(FindingRef(code=a.code, at=a.at) for a in accepted),
        sealed=await sealed(desk, disclosure, "disclosure.submitted.v1", content) if accepted else None,
    )
    await append(desk.conn, event)


# -- corrections --------------------------------------------------------------------------------------------------


async def correct(desk: Desk, disclosure_id: UUID, version: int, note: str | None, body: Body | None) -> Saved:
    """Begin a correction: the next edition as a draft, with the published content unless another is given."""
    disclosure = await locked(desk, disclosure_id, version, Action.CORRECT)
    if body is None:
        body = (await content_of(desk, disclosure)).body
    else:
        _refuse_kind(item_of(desk, disclosure.item, disclosure.period).kind, disclosure.item, body)
    saved = await _next_edition(desk, disclosure, body, note)
    event = DisclosureCorrected(**await stamp_of(desk, saved.disclosure), **cell(saved.disclosure))
    await append(desk.conn, event)
    return Saved(counted(saved.disclosure, Action.CORRECT), saved.findings)


async def discard(desk: Desk, disclosure_id: UUID, version: int) -> Disclosure | None:
    """Give a draft up. Of a correction the published edition stays; a draft that was never public is gone: None."""
    disclosure = await locked(desk, disclosure_id, version, Action.DISCARD)
    counted(disclosure, Action.DISCARD)
    if disclosure.published_edition is None:
        await _remove(desk, disclosure)
        return None
    public = await store.select_edition(desk.conn, disclosure.id, disclosure.published_edition)
    assert public is not None  # noqa: S101 - its number says that it was published and not withdrawn
    digest = body_digest(public.body)
    after = await store.update_discarded(desk.conn, disclosure, digest, nil=public.body.nil)
    await append(desk.conn, DisclosureDiscarded(**await stamp_of(desk, after), **cell(after)))
    return after


async def _remove(desk: Desk, disclosure: Disclosure) -> None:
    # Others have heard of it when it was handed in or delivered: then it ends as what it is, withdrawn.
    if disclosure.submitted_at is not None or disclosure.delivered_at is not None:
        await end(desk, disclosure, "草稿作废，没有公开过。")
    else:
        await store.delete_draft(desk.conn, disclosure.id)
