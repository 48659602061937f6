"""JSON routes of a month's other work: waivers, the quarter's page, approvals with undo, the cells."""

import re
from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.contracts.disclosure import DeclaredItem
from services.contracts.duties import CellState, GridCell
from services.contracts.values import DivisionCode, Period, VillageCode
from services.ingest import commands, store, workflow
from services.ingest.api.desk import DeskDep, ReadingDeskDep, after_id, answer_once
from services.ingest.commands import Decision, VillageCells
from services.ingest.errors import UnknownDeclarationError
from services.ingest.schemas import (
    ApprovalIn,
    ApprovalItemOut,
    ApprovalOut,
    CellOut,
    DecisionIn,
    DeclarationIn,
    DeclarationOut,
    EditionIn,
    EditionReasonIn,
    LateOut,
    WaiverIn,
    WaiverOut,
)
from services.ingest.store import Approval, ApprovalItem, Declaration, Waiver
from services.kit.errors import Fault, InvalidInputError
from services.kit.web import IdempotencyDep, PageDep, RuntimeDep

router = APIRouter(prefix="/ingest/v1")


# -- waivers ------------------------------------------------------------------------------------------------------


def waiver_out(w: Waiver) -> WaiverOut:
    """A waiver for JSON."""
    return WaiverOut(
        id=str(w.id),
        village=w.village_code,
        item=w.item,
        period=w.period,
        state=w.state,
        reason=w.reason,
        decision=w.decision,
        filed_at=w.filed_at,
        decided_at=w.decided_at,
        ended_at=w.ended_at,
    )


@router.post("/waivers", status_code=201, response_model=WaiverOut)
async def file_waiver(body: WaiverIn, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Ask not to open a cell."""
    return await answer_once(
        once,
        desk,
        lambda: commands.file_waiver(desk, body.village, body.item, body.period, body.reason),
        waiver_out,
        201,
    )


@router.get("/waivers")
async def waivers(
    desk: ReadingDeskDep,
    page: PageDep,
    division: DivisionCode | None = None,
    state: Annotated[str | None, Query(max_length=10)] = None,
) -> dict[str, Any]:
    """Waivers of a part of the tree, newest first."""
    desk.actor.require(*workflow.READERS)
    scope = division or desk.actor.scope
    desk.actor.require_scope(desk.reference, scope)
    villages = [v.code for v in desk.reference.villages(scope)]
    items = commands.items_within(desk)
    found = await store.select_waivers(desk.conn, villages, state, after_id(page), page.limit + 1, items)
    shown = [waiver_out(w) for w in found[: page.limit]]
    return page.answer(shown, shown[-1].id if len(found) > page.limit else None)


@router.post("/waivers/{waiver_id}/{decision}", response_model=WaiverOut)
async def decide_waiver(
    waiver_id: UUID, decision: Decision, body: DecisionIn, desk: DeskDep, once: IdempotencyDep
) -> Response:
    """Grant, refuse or end a waiver."""
    return await answer_once(
        once, desk, lambda: commands.decide_waiver(desk, waiver_id, decision, body.reason), waiver_out
    )


# -- the quarter's page -------------------------------------------------------------------------------------------


def declaration_out(d: Declaration) -> DeclarationOut:
    """A quarter's page for JSON."""
    return DeclarationOut(
        village=d.village_code,
        quarter=d.quarter,
        edition=d.edition,
        state=d.state,
        answers=list(d.answers),
        submitted_at=d.submitted_at,
        confirmed_at=d.confirmed_at,
        note=d.note,
    )


@router.put("/declarations/{village}/{quarter}", response_model=DeclarationOut)
async def declare(
    village: VillageCode, quarter: Period, body: DeclarationIn, desk: DeskDep, once: IdempotencyDep
) -> Response:
    """Answer for every on-event item of a quarter."""
    answers = [DeclaredItem(item=a.item, days=tuple(a.days)) for a in body.answers]
    return await answer_once(once, desk, lambda: commands.declare(desk, village, quarter, answers), declaration_out)


@router.get("/declarations/{village}/{quarter}")
async def declaration(village: VillageCode, quarter: Period, desk: ReadingDeskDep) -> DeclarationOut:
    """A quarter's newest answers."""
    desk.actor.require(*workflow.READERS)
    desk.actor.require_scope(desk.reference, village)
    found = [d for d in await store.select_declarations(desk.conn, [village]) if d.quarter == quarter]
    if not found:
        raise UnknownDeclarationError
    return declaration_out(found[0])


@router.post("/declarations/{village}/{quarter}/confirm", response_model=DeclarationOut)
async def confirm_declaration(
    village: VillageCode, quarter: Period, body: EditionIn, desk: DeskDep, once: IdempotencyDep
) -> Response:
    """A supervisor agrees."""
    return await answer_once(
        once, desk, lambda: commands.confirm_declaration(desk, village, quarter, body.edition), declaration_out
    )


@router.post("/declarations/{village}/{quarter}/return", response_model=DeclarationOut)
async def return_declaration(
    village: VillageCode, quarter: Period, body: EditionReasonIn, desk: DeskDep, once: IdempotencyDep
) -> Response:
    """Send it back to the clerk."""
    return await answer_once(
        once,
        desk,
        lambda: commands.return_declaration(desk, village, quarter, body.edition, body.reason),
        declaration_out,
    )


# -- approvals ----------------------------------------------------------------------------------------------------


def approval_out(a: Approval) -> ApprovalOut:
    """A batch for JSON."""
    items = [
        ApprovalItemOut(id=str(i.disclosure_id), version=i.edition, state=i.state, problem=i.problem) for i in a.items
    ]
    return ApprovalOut(id=str(a.id), due_at=a.due_at, undone_at=a.undone_at, items=items)


@router.post("/approvals", status_code=201, response_model=ApprovalOut)
async def approve_later(body: ApprovalIn, desk: DeskDep, once: IdempotencyDep, runtime: RuntimeDep) -> Response:
    """Approve many once the time to undo has passed."""
    wait = timedelta(seconds=runtime.settings.undo_seconds)
    items = [ApprovalItem(i.id, i.version, i.secrecy_checked_by) for i in body.items]
    return await answer_once(once, desk, lambda: commands.approve_later(desk, items, wait), approval_out, 201)


@router.get("/approvals/{approval_id}")
async def approval(approval_id: UUID, desk: DeskDep) -> ApprovalOut:
    """How it stands with a batch of one's own."""
    return approval_out(await commands.approval_of(desk, approval_id))


@router.delete("/approvals/{approval_id}")
async def undo(approval_id: UUID, desk: DeskDep) -> ApprovalOut:
    """Take a batch back while it waits."""
    return approval_out(await commands.undo(desk, approval_id))


# -- cells --------------------------------------------------------------------------------------------------------


@router.get("/duties")
async def duties(
    desk: ReadingDeskDep,
    page: PageDep,
    division: DivisionCode | None = None,
    period: Annotated[str | None, Query(max_length=10)] = None,
    state: CellState | None = None,
) -> dict[str, Any]:
    """Cells of a part of the tree by village, item and period: what is owed, how it stands, who holds it."""
    desk.actor.require(*workflow.READERS)
    scope = division or desk.actor.scope
    desk.actor.require_scope(desk.reference, scope)
    items = commands.items_within(desk)

    def wanted(c: GridCell) -> bool:
        return (state is None or c.cell.state is state) and (items is None or c.duty.item in items)

    since, skip = _place(page.after)
    villages = [v.code for v in desk.reference.villages(scope) if v.code >= since]
    found: list[tuple[str, CellOut]] = []
    # Some villages at a time: a whole city's cells of years would keep everybody else waiting.
    for start in range(0, len(villages), _VILLAGES_AT_ONCE):
        for of in await commands.cells_of(desk, villages[start : start + _VILLAGES_AT_ONCE], period):
            chosen = [c for c in of.cells if wanted(c)]
            passed = skip if of.village == since else 0
            found += [(f"{of.village}:{n}", _cell_out(of, c)) for n, c in enumerate(chosen) if n >= passed]
        if len(found) > page.limit:
            return page.answer([c for _, c in found[: page.limit]], found[page.limit][0])
    return page.answer([c for _, c in found], None)


_VILLAGES_AT_ONCE: Final = 20


def _place(after: str | None) -> tuple[str, int]:
    """From which village on a list goes on, and how many of its cells were told already."""
    if after is None:
        return "", 0
    match = re.fullmatch(r"(\d{12}):(\d{1,5})", after, re.ASCII)
    if match is None:
        raise InvalidInputError(faults=[Fault("query.cursor", "不是本接口给出的游标，请从头读取")])
    return match[1], int(match[2])


def _cell_out(of: VillageCells, c: GridCell) -> CellOut:
    disclosure, waiver = of.disclosures.get(c.key), of.waivers.get(c.key)
    return CellOut(
        village=of.village,
        item=c.duty.item,
        period=c.duty.period,
        due=c.duty.due,
        state=c.cell.state,
        held_by=c.cell.held_by,
        since=c.cell.since,
        late=LateOut(**c.late._asdict()),
        disclosure_id=str(disclosure.id) if disclosure else None,
        waiver_id=str(waiver.id) if waiver else None,
    )
