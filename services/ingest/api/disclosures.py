"""JSON routes of disclosures and their steps."""

import asyncio
from typing import Annotated, Final, Literal, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response

from services.contracts.disclosure import LineReason
from services.contracts.values import DivisionCode
from services.ingest.commands import checking, differences, discarding, entering, masking, withdrawing
from services.ingest.commands.checking import Word
from services.ingest.commands.findings import Content, Reason, Saved, findings_of
from services.ingest.commands.sheets import code_of, read_photograph, signers_of
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
from services.ingest.store.disclosures import Disclosure, Filter, select_note_lines
from services.ingest.store.lists import select_disclosures
from services.ingest.store.opinions import select_opinions
from services.ingest.store.returns import Return, select_returns
from services.ingest.visit import CallerDep, ChangingDep, ReadingDep
from services.ingest.workflow import READERS, RIGHTS, Action
from services.kit.errors import InvalidInputError
from services.kit.listing import Cursor, Listing, Page
from services.kit.route import IdempotentRoute, Route
from services.kit.visit import may

router = APIRouter(prefix="/ingest/v1/disclosures", route_class=Route, tags=["disclosures"])
once = APIRouter(prefix="/ingest/v1/disclosures", route_class=IdempotentRoute, tags=["disclosures"])
DISCLOSURES: Final = Cursor[UUID](UUID)
Id = Annotated[UUID, Path(description="id of the disclosure")]


def disclosure_out(d: Disclosure) -> DisclosureOut:
    """What JSON tells of a disclosure beside its content."""
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
    """What JSON tells of a draft that was saved: its version and what does not add up."""
    d = saved.disclosure
    return SavedOut(id=str(d.id), version=d.edition, state=d.state, findings=list(saved.findings))


def _reason(a: AcceptIn) -> Reason:
    if isinstance(a.finding, FindingName):
        return Reason(a.finding.code, a.finding.at, a.reason)
    return Reason(a.finding, None, a.reason)


class _New(NamedTuple):
    village: str
    item: str
    period: str
    content: Content


async def _read_new(body: DisclosureIn) -> _New:
    """Read a draft and look for personal data in it, before the transaction begins."""
    return _New(body.village, body.item, body.period, await entering.read_content(body.body))


class _Next(NamedTuple):
    version: int
    note: str | None
    content: Content


async def _read_next(body: SaveIn) -> _Next:
    """The same for the next edition of one."""
    return _Next(body.version, body.note, await entering.read_content(body.body))


class _Corrected(NamedTuple):
    version: int
    note: str | None
    content: Content | None


async def _read_corrected(body: CorrectIn) -> _Corrected:
    """The same for a correction, which may begin with the content as it is."""
    content = await entering.read_content(body.body) if body.body is not None else None
    return _Corrected(body.version, body.note, content)


@once.post("", status_code=201, dependencies=[may(*RIGHTS[Action.SAVE])])
async def create(new: Annotated[_New, Depends(_read_new)], desk: ChangingDep) -> SavedOut:
    """Make a draft; `findings` tells what does not add up."""
    return saved_out(await entering.create(desk, new.village, new.item, new.period, new.content))


@router.get("", dependencies=[may(*READERS)])
async def disclosures(
    desk: ReadingDep,
    page: Annotated[Page[UUID], Depends(DISCLOSURES)],
    division: Annotated[
        DivisionCode | None,
        Query(description="code of a village, a township or the city; without it all within the caller's scope"),
    ] = None,
    item: Annotated[str | None, Query(max_length=3, description="code of an item of the catalogue, as F01")] = None,
    period: Annotated[str | None, Query(max_length=10, description="2026-10, 2026Q3, 2026H1, 2026, or a day")] = None,
    state: Annotated[str | None, Query(max_length=20, description="those in this state alone")] = None,
) -> Listing[DisclosureOut]:
    """Disclosures of a part of the tree within the caller's scope, newest first."""
    wanted = Filter(
        villages=desk.villages(division),
        item=item,
        period=period,
        items=desk.items_within(),
        states=[state] if state is not None else None,
        after=page.after,
        limit=page.fetch_limit,
    )
    return page.of(await select_disclosures(desk.conn, wanted), lambda d: d.id, disclosure_out)


@once.post("/nil", status_code=201, dependencies=[may(*RIGHTS[Action.SAVE])])
async def create_nil(body: NilIn, desk: ChangingDep) -> SavedOut:
    """Make the draft that says nothing happened in the period (本月无收支、本期无此事项)."""
    return saved_out(await entering.create_nil(desk, body.village, body.item, body.period))


@router.get("/{disclosure_id}", dependencies=[may(*READERS)])
async def disclosure(disclosure_id: Id, desk: ReadingDep) -> DetailOut:
    """One disclosure with its content and findings."""
    found = await desk.disclosure(disclosure_id)
    edition = await desk.visible_edition(found, found.edition)
    return DetailOut(
        **disclosure_out(found).model_dump(),
        body=edition.body.model_dump(mode="json", exclude_none=True) if edition else None,
        findings=list(await findings_of(desk, found, edition)) if edition else [],
        accepted=[a.model_dump() for a in edition.accepted] if edition else [],
        # What was said of content that is out of sight is out of sight as well.
        opinions=list(await select_opinions(desk.conn, found.id, found.edition)) if edition else [],
        returns=[_return_out(r) for r in await select_returns(desk.conn, found)] if edition else [],
        returned_lines=list(await select_note_lines(desk.conn, found.id)) if edition else [],
        correction_note=edition.note if edition else None,
        sheet_signers=list(signers_of(desk, found.village_code)),
        sheet_code=code_of(found).text,
    )


@router.get("/{disclosure_id}/difference", dependencies=[may(*READERS)], response_model=DifferenceOut)
async def difference(
    disclosure_id: Id,
    caller: CallerDep,
    older: Annotated[int | None, Query(alias="from", ge=1, description="version to compare from")] = None,
    newer: Annotated[int | None, Query(alias="to", ge=1, description="version to compare with")] = None,
    other: Annotated[
        Literal["previous"] | None, Query(alias="with", description="compare with the period before instead")
    ] = None,
) -> Response:
    """What changed from one edition to another, or (`with=previous`) from the period before."""
    changes: differences.Difference | None
    if other is not None:
        changes = await differences.against_previous(caller, disclosure_id)
    elif older is None or newer is None:
        detail = "请写明 from 和 to 两个版本号，或 with=previous。"
        raise InvalidInputError(detail)
    else:
        changes = await differences.against_edition(caller, disclosure_id, older, newer)
    return await asyncio.to_thread(_told, changes)


def _told(found: differences.Difference | None) -> Response:
    """What changed as an answer; of thousands of changes it takes long enough to stop others, so not on their loop."""
    told = None if found is None else [ChangeOut(at=c.at, before=c.before, after=c.after) for c in found]
    return Response(DifferenceOut(changes=told).model_dump_json(), media_type="application/json")


@router.put("/{disclosure_id}", dependencies=[may(*RIGHTS[Action.SAVE])])
async def save(disclosure_id: Id, new: Annotated[_Next, Depends(_read_next)], desk: ChangingDep) -> SavedOut:
    """Replace the content of a draft or of a returned disclosure; the version goes up by one."""
    return saved_out(await entering.save(desk, disclosure_id, new.version, new.content, new.note))


@once.post("/{disclosure_id}/mask", dependencies=[may(*RIGHTS[Action.MASK])])
async def mask(disclosure_id: Id, body: MaskIn, desk: ChangingDep) -> SavedOut:
    """Put stars over personal data in a draft (遮盖): the next version, of all findings or of those named."""
    wanted = None if body.findings is None else [(f.code, f.at) for f in body.findings]
    return saved_out(await masking.mask(desk, disclosure_id, body.version, wanted))


@once.post("/{disclosure_id}/accept", dependencies=[may(*RIGHTS[Action.ACCEPT])])
async def accept(disclosure_id: Id, body: GrantIn, desk: ChangingDep) -> SavedOut:
    """Let personal data in a draft stand, for the township; the clerk then hands it in."""
    return saved_out(await masking.accept(desk, disclosure_id, body.version, [_reason(a) for a in body.accept]))


@once.post("/{disclosure_id}/submit", dependencies=[may(*RIGHTS[Action.SUBMIT])])
async def submit(disclosure_id: Id, body: SubmitIn, desk: ChangingDep) -> DisclosureOut:
    """Hand a version in; 409 lists findings without a reason."""
    reasons = [_reason(a) for a in body.accept]
    return disclosure_out(await entering.submit(desk, disclosure_id, body.version, reasons, body.secrecy_checked_by))


class _Said(NamedTuple):
    version: int
    word: Word


async def _read_opinion(body: ConfirmIn, caller: CallerDep) -> _Said:
    """Read what somebody says of a version. A photograph is read here, before the transaction begins."""
    sheet = await read_photograph(caller, body.sheet) if body.sheet is not None else None
    return _Said(body.version, Word(body.opinion, body.reason, tuple(body.names), sheet))


@once.post("/{disclosure_id}/confirm", dependencies=[may(*RIGHTS[Action.CONFIRM])])
async def confirm(
    disclosure_id: Id, said: Annotated[_Said, Depends(_read_opinion)], desk: ChangingDep
) -> DisclosureOut:
    """A party's word on the version: agreement, or a dissent with its reason; or a signed sheet."""
    return disclosure_out(await checking.confirm(desk, disclosure_id, said.version, said.word))


@once.post("/{disclosure_id}/approve", dependencies=[may(*RIGHTS[Action.APPROVE])])
async def approve(disclosure_id: Id, body: ApproveIn, desk: ChangingDep) -> DisclosureOut:
    """Approve a confirmed version: it is let out, and publishing follows by itself."""
    return disclosure_out(await checking.approve(desk, disclosure_id, body.version, body.secrecy_checked_by))


@once.post("/{disclosure_id}/file", dependencies=[may(*RIGHTS[Action.FILE])])
async def file(disclosure_id: Id, body: StepIn, desk: ChangingDep) -> DisclosureOut:
    """Take note of what the village let out itself (备案)."""
    return disclosure_out(await checking.file(desk, disclosure_id, body.version))


@once.post("/{disclosure_id}/return", dependencies=[may(*RIGHTS[Action.RETURN])])
async def send_back(disclosure_id: Id, body: ReturnIn, desk: ChangingDep) -> DisclosureOut:
    """Send the version back to the clerk with reasons."""
    lines = [LineReason(at=x.at, reason=x.reason) for x in body.lines]
    return disclosure_out(await checking.send_back(desk, disclosure_id, body.version, body.reason, lines))


@once.post("/{disclosure_id}/correct", dependencies=[may(*RIGHTS[Action.CORRECT])])
async def correct(
    disclosure_id: Id, new: Annotated[_Corrected, Depends(_read_corrected)], desk: ChangingDep
) -> SavedOut:
    """Begin a correction: the next version as a draft; what is published stays until it is approved."""
    return saved_out(await entering.correct(desk, disclosure_id, new.version, new.note, new.content))


@once.post("/{disclosure_id}/discard", dependencies=[may(*RIGHTS[Action.DISCARD])])
async def discard(disclosure_id: Id, body: StepIn, desk: ChangingDep) -> DisclosureOut | None:
    """Give a draft up: of a correction the published version stays, any other draft is gone (null)."""
    left = await discarding.discard(desk, disclosure_id, body.version)
    return disclosure_out(left) if left is not None else None


@once.post("/{disclosure_id}/withdraw", dependencies=[may(*RIGHTS[Action.WITHDRAW])])
async def withdraw(disclosure_id: Id, body: WithdrawIn, desk: ChangingDep) -> DisclosureOut:
    """Take it out of everybody's sight at once; it is erased when the time to undo has passed. The reason stays."""
    return disclosure_out(await withdrawing.withdraw(desk, disclosure_id, body.version, body.reason, body.kind))


@once.post("/{disclosure_id}/restore", dependencies=[may(*RIGHTS[Action.RESTORE])])
async def restore(disclosure_id: Id, body: ReasonIn, desk: ChangingDep) -> DisclosureOut:
    """Undo a mistaken withdrawal before it is erased; the reason is public."""
    return disclosure_out(await withdrawing.restore(desk, disclosure_id, body.version, body.reason))


@once.post("/{disclosure_id}/erase", dependencies=[may(*RIGHTS[Action.ERASE])])
async def erase(disclosure_id: Id, body: StepIn, desk: ChangingDep) -> DisclosureOut:
    """Agree, as a second reviewer or an inspector, that withdrawn personal data is erased now."""
    return disclosure_out(await withdrawing.agree_to_erase(desk, disclosure_id, body.version))
