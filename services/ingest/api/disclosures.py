"""JSON routes of disclosures and their steps."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.contracts.disclosure import LineReason
from services.contracts.values import DivisionCode
from services.ingest import commands, store, workflow
from services.ingest.api.desk import DeskDep, ReadingDeskDep, after_id, answer_once, parse_body
from services.ingest.commands import Reason, Saved, Word
from services.ingest.schemas import (
    AcceptIn,
    ApproveIn,
    ChangeOut,
    ConfirmIn,
    CorrectIn,
    DetailOut,
    DifferenceOut,
    DisclosureIn,
    DisclosureOut,
    FindingName,
    GrantIn,
    MaskIn,
    NilIn,
    ReasonIn,
    ReturnIn,
    ReturnOut,
    SavedOut,
    SaveIn,
    StepIn,
    SubmitIn,
    WithdrawIn,
)
from services.ingest.store import Disclosure, Filter, Return
from services.kit.errors import InvalidInputError
from services.kit.web import IdempotencyDep, PageDep, RuntimeDep

router = APIRouter(prefix="/ingest/v1/disclosures")


def disclosure_out(d: Disclosure) -> DisclosureOut:
    """A disclosure for JSON."""
    return DisclosureOut(
        id=str(d.id),
        village=d.village_code,
        item=d.item,
        period=d.period,
        version=d.edition,
        state=d.state,
        history=d.history,
        submitted_at=d.submitted_at,
        confirmed_at=d.confirmed_at,
        approved_at=d.approved_at,
        published_at=d.published_at,
        published_version=d.published_edition,
        filed_at=d.filed_at,
        note=d.note,
        withdrawal_kind=d.withdrawal_kind,
        key_dies_at=d.key_dies_at,
    )


def _return_out(r: Return) -> ReturnOut:
    return ReturnOut(version=r.edition, reason=r.reason, lines=list(r.lines), by=r.by, at=r.at)


def saved_out(saved: Saved) -> SavedOut:
    """A draft after saving."""
    d = saved.disclosure
    return SavedOut(id=str(d.id), version=d.edition, state=d.state, findings=list(saved.findings))


def _reason(a: AcceptIn) -> Reason:
    if isinstance(a.finding, FindingName):
        return Reason(a.finding.code, a.finding.at, a.reason)
    return Reason(a.finding, None, a.reason)


async def _step(once: IdempotencyDep, desk: DeskDep, work: Callable[[], Awaitable[Disclosure]]) -> Response:
    return await answer_once(once, desk, work, disclosure_out)


@router.post("", status_code=201, response_model=SavedOut)
async def create(body: DisclosureIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Make a draft; `findings` tells what does not add up."""
    content = parse_body(body.body)
    return await answer_once(
        once, desk, lambda: commands.create(desk, body.village, body.item, body.period, content), saved_out, 201
    )


@router.get("")
async def disclosures(
    desk: ReadingDeskDep,
    page: PageDep,
    division: DivisionCode | None = None,
    item: Annotated[str | None, Query(max_length=3)] = None,
    period: Annotated[str | None, Query(max_length=10)] = None,
    state: Annotated[str | None, Query(max_length=20)] = None,
) -> dict[str, Any]:
    """Disclosures of a part of the tree within the caller's scope, newest first."""
    scope = division or desk.actor.scope
    desk.actor.require(*workflow.READERS)
    desk.actor.require_scope(desk.reference, scope)
    wanted = Filter(
        villages=[v.code for v in desk.reference.villages(scope)],
        item=item,
        period=period,
        items=commands.items_within(desk),
        states=[state] if state is not None else None,
        after=after_id(page),
        limit=page.limit + 1,
    )
    found = await store.select_disclosures(desk.conn, wanted)
    items = [disclosure_out(d) for d in found[: page.limit]]
    return page.answer(items, items[-1].id if len(found) > page.limit else None)


@router.post("/nil", status_code=201, response_model=SavedOut)
async def create_nil(body: NilIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Make the draft that says nothing happened in the period (本月无收支、本期无此事项)."""
    return await answer_once(
        once, desk, lambda: commands.create_nil(desk, body.village, body.item, body.period), saved_out, 201
    )


@router.get("/{disclosure_id}")
async def disclosure(disclosure_id: UUID, desk: ReadingDeskDep) -> DetailOut:
    """One disclosure with its content and findings."""
    found = await commands.found_for(desk, disclosure_id)
    edition = await commands.visible_edition(desk, found, found.edition)
    return DetailOut(
        **disclosure_out(found).model_dump(),
        body=edition.body.model_dump(mode="json", exclude_none=True) if edition else None,
        findings=list(await commands.findings_of(desk, found, edition)) if edition else [],
        accepted=[a.model_dump() for a in edition.accepted] if edition else [],
        # What was said of content that is out of sight is out of sight as well.
        opinions=list(await store.select_opinions(desk.conn, found.id, found.edition)) if edition else [],
        returns=[_return_out(r) for r in await store.select_returns(desk.conn, found)] if edition else [],
        returned_lines=list(await store.select_note_lines(desk.conn, found.id)) if edition else [],
        correction_note=edition.note if edition else None,
        sheet_signers=list(commands.signers_of(desk, found.village_code)),
        sheet_code=commands.code_of(found).text,
    )


@router.get("/{disclosure_id}/difference")
async def difference(
    disclosure_id: UUID,
    desk: ReadingDeskDep,
    older: Annotated[int | None, Query(alias="from", ge=1)] = None,
    newer: Annotated[int | None, Query(alias="to", ge=1)] = None,
    other: Annotated[Literal["previous"] | None, Query(alias="with")] = None,
) -> DifferenceOut:
    """What changed from one edition to another, or (`with=previous`) from the period before."""
    changes: commands.Difference | None
    if other is not None:
        changes = await commands.against_previous(desk, disclosure_id)
    elif older is None or newer is None:
        detail = "请写明 from 和 to 两个版本号，或 with=previous。"
        raise InvalidInputError(detail)
    else:
        changes = await commands.against_edition(desk, disclosure_id, older, newer)
    if changes is None:
        return DifferenceOut(changes=None)
    return DifferenceOut(changes=[ChangeOut(at=c.at, before=c.before, after=c.after) for c in changes])


@router.put("/{disclosure_id}", response_model=SavedOut)
async def save(disclosure_id: UUID, body: SaveIn, desk: DeskDep) -> Response:
    """Replace the content of a draft or of a returned disclosure; the version goes up by one."""
    content = parse_body(body.body)
    saved = await commands.save(desk, disclosure_id, body.version, content, body.note)
    return Response(saved_out(saved).model_dump_json(), media_type="application/json")


@router.post("/{disclosure_id}/mask", response_model=SavedOut)
async def mask(disclosure_id: UUID, body: MaskIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Put stars over personal data in a draft (遮盖): the next version, of all findings or of those named."""
    wanted = None if body.findings is None else [(f.code, f.at) for f in body.findings]
    return await answer_once(once, desk, lambda: commands.mask(desk, disclosure_id, body.version, wanted), saved_out)


@router.post("/{disclosure_id}/accept", response_model=SavedOut)
async def accept(disclosure_id: UUID, body: GrantIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Let personal data in a draft stand, for the township; the clerk then hands it in."""
    reasons = [_reason(a) for a in body.accept]
    return await answer_once(once, desk, lambda: commands.accept(desk, disclosure_id, body.version, reasons), saved_out)


@router.post("/{disclosure_id}/submit", response_model=DisclosureOut)
async def submit(disclosure_id: UUID, body: SubmitIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Hand a version in; 409 lists findings without a reason."""
    reasons = [_reason(a) for a in body.accept]
    return await _step(
        once, desk, lambda: commands.submit(desk, disclosure_id, body.version, reasons, body.secrecy_checked_by)
    )


@router.post("/{disclosure_id}/confirm", response_model=DisclosureOut)
async def confirm(disclosure_id: UUID, body: ConfirmIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """A party's word on the version: agreement, or a dissent with its reason; or a signed sheet."""
    word = Word(body.opinion, body.reason, tuple(body.names), body.sheet)
    return await _step(once, desk, lambda: commands.confirm(desk, disclosure_id, body.version, word))


@router.post("/{disclosure_id}/approve", response_model=DisclosureOut)
async def approve(disclosure_id: UUID, body: ApproveIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Let the version out; publishing follows by itself."""
    return await _step(once, desk, lambda: commands.approve(desk, disclosure_id, body.version, body.secrecy_checked_by))


@router.post("/{disclosure_id}/file", response_model=DisclosureOut)
async def file(disclosure_id: UUID, body: StepIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Take note of what the village let out itself (备案)."""
    return await _step(once, desk, lambda: commands.file(desk, disclosure_id, body.version))


@router.post("/{disclosure_id}/return", response_model=DisclosureOut)
async def send_back(disclosure_id: UUID, body: ReturnIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Send the version back to the clerk with reasons."""
    lines = [LineReason(at=x.at, reason=x.reason) for x in body.lines]
    return await _step(once, desk, lambda: commands.send_back(desk, disclosure_id, body.version, body.reason, lines))


@router.post("/{disclosure_id}/correct", response_model=SavedOut)
async def correct(disclosure_id: UUID, body: CorrectIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Begin a correction: the next version as a draft; what is published stays until it is approved."""
    content = parse_body(body.body) if body.body is not None else None
    return await answer_once(
        once, desk, lambda: commands.correct(desk, disclosure_id, body.version, body.note, content), saved_out
    )


@router.post("/{disclosure_id}/discard", response_model=DisclosureOut | None)
async def discard(disclosure_id: UUID, body: StepIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Give a draft up: of a correction the published version stays, any other draft is gone (null)."""
    return await answer_once(
        once,
        desk,
        lambda: commands.discard(desk, disclosure_id, body.version),
        lambda left: disclosure_out(left) if left is not None else None,
    )


@router.post("/{disclosure_id}/withdraw", response_model=DisclosureOut)
async def withdraw(
    disclosure_id: UUID, body: WithdrawIn, desk: DeskDep, once: IdempotencyDep, runtime: RuntimeDep
) -> Response:
    """Take it out of everybody's sight at once; it is erased when the time to undo has passed. The reason stays."""
    keep = timedelta(days=runtime.settings.withdrawal_days)
    return await _step(
        once,
        desk,
        lambda: commands.withdraw(desk, disclosure_id, body.version, body.reason, kind=body.kind, keep=keep),
    )


@router.post("/{disclosure_id}/restore", response_model=DisclosureOut)
async def restore(disclosure_id: UUID, body: ReasonIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Undo a mistaken withdrawal before it is erased; the reason is public."""
    return await _step(once, desk, lambda: commands.restore(desk, disclosure_id, body.version, body.reason))


@router.post("/{disclosure_id}/erase", response_model=DisclosureOut)
async def erase(disclosure_id: UUID, body: StepIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Agree, as a second reviewer or an inspector, that withdrawn personal data is erased now."""
    return await _step(once, desk, lambda: commands.agree_to_erase(desk, disclosure_id, body.version))
