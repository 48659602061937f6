"""JSON routes of ingest."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from services.contracts.bodies import Body
from services.contracts.values import DivisionCode
from services.ingest import commands, store
from services.ingest.commands import Desk, Reason, Saved
from services.ingest.errors import BodyTooLargeError, UnknownDisclosureError
from services.ingest.gate.bodies import MalformedBodyError, OversizeError, read_body
from services.ingest.schemas import (
    AcceptIn,
    DetailOut,
    DisclosureIn,
    DisclosureOut,
    FindingName,
    ReasonIn,
    SavedOut,
    SaveIn,
    StepIn,
    SubmitIn,
)
from services.ingest.store import Disclosure, Filter
from services.kit.errors import Fault, InvalidInputError, faults_of
from services.kit.web import ActorDep, IdempotencyDep, PageDep, Reading, RuntimeDep, Transaction

router = APIRouter(prefix="/ingest/v1/disclosures")


async def _desk(conn: Transaction, runtime: RuntimeDep, actor: ActorDep) -> Desk:
    return Desk(conn, runtime.reference, actor, runtime.clock.now())


async def _reading_desk(conn: Reading, runtime: RuntimeDep, actor: ActorDep) -> Desk:
    return Desk(conn, runtime.reference, actor, runtime.clock.now())


DeskDep = Annotated[Desk, Depends(_desk)]
ReadingDeskDep = Annotated[Desk, Depends(_reading_desk)]


def parse_body(raw: dict[str, Any]) -> Body:
    """Read a body from JSON, its faults below `body`."""
    try:
        return read_body(raw)
    except OversizeError as error:
        raise BodyTooLargeError(faults=[Fault(error.at, str(error))]) from error
    except MalformedBodyError as error:
        raise InvalidInputError(faults=faults_of(error.errors, below=("body",))) from error


def _out(d: Disclosure) -> DisclosureOut:
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
        note=d.note,
    )


def _saved(saved: Saved) -> str:
    d = saved.disclosure
    return SavedOut(id=str(d.id), version=d.edition, state=d.state, findings=list(saved.findings)).model_dump_json()


def _reason(a: AcceptIn) -> Reason:
    if isinstance(a.finding, FindingName):
        return Reason(a.finding.code, a.finding.at, a.reason)
    return Reason(a.finding, None, a.reason)


async def _step(once: IdempotencyDep, desk: Desk, work: Callable[[], Awaitable[Disclosure]]) -> Response:
    async def answered() -> tuple[int, str]:
        return 200, _out(await work()).model_dump_json()

    return await once.answer(answered, desk.now)


@router.post("", status_code=201, response_model=SavedOut)
async def create(body: DisclosureIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Make a draft; `findings` tells what does not add up."""

    async def work() -> tuple[int, str]:
        content = parse_body(body.body)
        return 201, _saved(await commands.create(desk, body.village, body.item, body.period, content))

    return await once.answer(work, desk.now)


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
    desk.actor.require_scope(desk.reference, scope)
    wanted = Filter(
        villages=[v.code for v in desk.reference.villages(scope)],
        item=item,
        period=period,
        states=[state] if state is not None else None,
        after=_uuid(page.after),
        limit=page.limit + 1,
    )
    found = await store.select_disclosures(desk.conn, wanted)
    items = [_out(d) for d in found[: page.limit]]
    return page.answer(items, items[-1].id if len(found) > page.limit else None)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text is not None else None
    except ValueError as error:
        raise InvalidInputError from error


@router.get("/{disclosure_id}")
async def disclosure(disclosure_id: UUID, desk: ReadingDeskDep) -> DetailOut:
    """One disclosure with its content and findings."""
    found = await store.select_disclosure(desk.conn, disclosure_id)
    if found is None:
        raise UnknownDisclosureError
    desk.actor.require_scope(desk.reference, found.village_code)
    edition = await store.select_edition(desk.conn, found.id, found.edition)
    return DetailOut(
        **_out(found).model_dump(),
        body=edition.body.model_dump(mode="json", exclude_none=True) if edition else None,
        findings=list(await commands.findings_of(desk, found, edition)) if edition else [],
        accepted=[a.model_dump() for a in edition.accepted] if edition else [],
    )


@router.put("/{disclosure_id}", response_model=SavedOut)
async def save(disclosure_id: UUID, body: SaveIn, desk: DeskDep) -> Response:
    """Replace the content of a draft or of a returned disclosure; the version goes up by one."""
    content = parse_body(body.body)
    return Response(
        _saved(await commands.save(desk, disclosure_id, body.version, content)), media_type="application/json"
    )


@router.post("/{disclosure_id}/submit", response_model=DisclosureOut)
async def submit(disclosure_id: UUID, body: SubmitIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Hand a version in; 409 lists findings without a reason."""

    async def work() -> Disclosure:
        return await commands.submit(desk, disclosure_id, body.version, [_reason(a) for a in body.accept])

    return await _step(once, desk, work)


@router.post("/{disclosure_id}/confirm", response_model=DisclosureOut)
async def confirm(disclosure_id: UUID, body: StepIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """A supervisor found the version right."""
    return await _step(once, desk, lambda: commands.confirm(desk, disclosure_id, body.version))


@router.post("/{disclosure_id}/approve", response_model=DisclosureOut)
async def approve(disclosure_id: UUID, body: StepIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Let the version out; publishing follows by itself."""
    return await _step(once, desk, lambda: commands.approve(desk, disclosure_id, body.version))


@router.post("/{disclosure_id}/return", response_model=DisclosureOut)
async def send_back(disclosure_id: UUID, body: ReasonIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Send the version back to the clerk with a reason."""
    return await _step(once, desk, lambda: commands.send_back(desk, disclosure_id, body.version, body.reason))


@router.post("/{disclosure_id}/withdraw", response_model=DisclosureOut)
async def withdraw(disclosure_id: UUID, body: ReasonIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Take it out for good; the reason stays."""
    return await _step(once, desk, lambda: commands.withdraw(desk, disclosure_id, body.version, body.reason))
