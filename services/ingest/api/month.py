"""JSON routes of a month's other work: waivers, the quarter's page, approvals with undo, the cells."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from services.contracts.disclosure import DeclaredItem
from services.contracts.duties import CellState
from services.contracts.values import DivisionCode, Period, VillageCode
from services.ingest.commands import approvals, declarations
from services.ingest.commands import waivers as waiving
from services.ingest.commands.cells import Found, Place, Wanted, cells_page
from services.ingest.commands.waivers import WaiverDecision
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
from services.ingest.store.approvals import Approval, ApprovalItem
from services.ingest.store.waivers import Declaration, Waiver, select_declarations, select_waivers
from services.ingest.visit import ChangingDep, ReadingDep
from services.ingest.workflow import READERS, RIGHTS, Action
from services.kit.listing import Cursor, Listing, Page
from services.kit.route import IdempotentRoute, Route
from services.kit.visit import may

router = APIRouter(prefix="/ingest/v1", route_class=Route)
once = APIRouter(prefix="/ingest/v1", route_class=IdempotentRoute)
Division = Annotated[
    DivisionCode | None,
    Query(description="code of a village, a township or the city; without it all within the caller's scope"),
]


# -- waivers ------------------------------------------------------------------------------------------------------

WAIVERS: Final = Cursor[UUID](UUID)


def waiver_out(w: Waiver) -> WaiverOut:
    """What JSON tells of a waiver: not who filed and who decided it."""
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


@once.post("/waivers", status_code=201, dependencies=[may(*waiving.FILERS)], tags=["waivers"])
async def file_waiver(body: WaiverIn, desk: ChangingDep) -> WaiverOut:
    """Ask the township for not opening a cell; the reason will be public."""
    return waiver_out(await waiving.file_waiver(desk, body.village, body.item, body.period, body.reason))


@router.get("/waivers", dependencies=[may(*READERS)], tags=["waivers"])
async def waivers(
    desk: ReadingDep,
    page: Annotated[Page[UUID], Depends(WAIVERS)],
    division: Division = None,
    state: Annotated[str | None, Query(max_length=10, description="those in this state alone")] = None,
) -> Listing[WaiverOut]:
    """Waivers of a part of the tree within the caller's scope, newest first."""
    villages, items = desk.villages(division), desk.items_within()
    found = await select_waivers(desk.conn, villages, state, page.after, page.fetch_limit, items)
    return page.of(found, lambda w: w.id, waiver_out)


@once.post("/waivers/{waiver_id}/{decision}", dependencies=[may(*waiving.DECIDERS)], tags=["waivers"])
async def decide_waiver(
    waiver_id: Annotated[UUID, Path(description="id of the waiver")],
    decision: Annotated[WaiverDecision, Path(description="what is decided")],
    body: DecisionIn,
    desk: ChangingDep,
) -> WaiverOut:
    """Grant or refuse a waiver that was filed, or end one that was granted; refusing and ending need a reason."""
    return waiver_out(await waiving.decide_waiver(desk, waiver_id, decision, body.reason))


# -- the quarter's page -------------------------------------------------------------------------------------------

Village = Annotated[VillageCode, Path(description="the village's 12 digits")]
Quarter = Annotated[Period, Path(description="2026Q3")]


def declaration_out(d: Declaration) -> DeclarationOut:
    """What JSON tells of a quarter's page."""
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


@once.put("/declarations/{village}/{quarter}", dependencies=[may(*declarations.FILERS)], tags=["declarations"])
async def declare(village: Village, quarter: Quarter, body: DeclarationIn, desk: ChangingDep) -> DeclarationOut:
    """Hand in the answers for every on-event item of a quarter; they take the place of those before."""
    answers = [DeclaredItem(item=a.item, days=tuple(a.days)) for a in body.answers]
    return declaration_out(await declarations.declare(desk, village, quarter, answers))


@router.get("/declarations/{village}/{quarter}", dependencies=[may(*READERS)], tags=["declarations"])
async def declaration(village: Village, quarter: Quarter, desk: ReadingDep) -> DeclarationOut:
    """The newest edition of a quarter's answers, and whether it was confirmed or returned; 404 when nobody answered yet."""
    desk.actor.require_scope(desk.reference, village)
    found = await select_declarations(desk.conn, [village], quarter)
    if not found:
        raise UnknownDeclarationError
    return declaration_out(found[0])


@once.post(
    "/declarations/{village}/{quarter}/confirm", dependencies=[may(*declarations.CONFIRMERS)], tags=["declarations"]
)
async def confirm_declaration(village: Village, quarter: Quarter, body: EditionIn, desk: ChangingDep) -> DeclarationOut:
    """A supervisor's agreement to an edition of the answers; with the last one needed the quarter's page is public."""
    return declaration_out(await declarations.confirm_declaration(desk, village, quarter, body.edition))


@once.post(
    "/declarations/{village}/{quarter}/return", dependencies=[may(*declarations.RETURNERS)], tags=["declarations"]
)
async def return_declaration(
    village: Village, quarter: Quarter, body: EditionReasonIn, desk: ChangingDep
) -> DeclarationOut:
    """Send an edition of the answers back to the clerk with a reason; answers have to be handed in anew."""
    return declaration_out(await declarations.return_declaration(desk, village, quarter, body.edition, body.reason))


# -- approvals ----------------------------------------------------------------------------------------------------

ApprovalId = Annotated[UUID, Path(description="id of the batch")]


def approval_out(a: Approval) -> ApprovalOut:
    """What JSON tells of a batch."""
    items = [
        ApprovalItemOut(id=str(i.disclosure_id), version=i.edition, state=i.state, problem=i.problem) for i in a.items
    ]
    return ApprovalOut(id=str(a.id), due_at=a.due_at, undone_at=a.undone_at, items=items)


@once.post(
    "/approvals",
    status_code=201,
    responses={404: {"description": "`unknown_disclosure`: one of them is not there."}},
    dependencies=[may(*RIGHTS[Action.APPROVE])],
    tags=["approvals"],
)
async def approve_later(body: ApprovalIn, desk: ChangingDep) -> ApprovalOut:
    """Store a batch to be approved once the time to undo has passed (`due_at`); until then it can be taken back."""
    items = [ApprovalItem(i.id, i.version, i.secrecy_checked_by) for i in body.items]
    return approval_out(await approvals.approve_later(desk, items))


@router.get("/approvals/{approval_id}", dependencies=[may(*RIGHTS[Action.APPROVE])], tags=["approvals"])
async def approval(approval_id: ApprovalId, desk: ReadingDep) -> ApprovalOut:
    """A batch of one's own: what of it waits, was approved, was taken back, or failed and why."""
    return approval_out(await approvals.approval_of(desk, approval_id))


@router.delete("/approvals/{approval_id}", dependencies=[may(*RIGHTS[Action.APPROVE])], tags=["approvals"])
async def undo(approval_id: ApprovalId, desk: ChangingDep) -> ApprovalOut:
    """Take a batch of one's own back while it waits; 409 once any of it was carried out."""
    return approval_out(await approvals.undo(desk, approval_id))


# -- cells --------------------------------------------------------------------------------------------------------


CELLS: Final = Cursor[Place](Place)


@router.get("/duties", dependencies=[may(*READERS)], tags=["duties"])
async def duties(
    desk: ReadingDep,
    page: Annotated[Page[Place], Depends(CELLS)],
    division: Division = None,
    period: Annotated[str | None, Query(max_length=10, description="2026-10, 2026Q3, 2026H1, 2026, or a day")] = None,
    state: Annotated[CellState | None, Query(description="those in this state alone")] = None,
) -> Listing[CellOut]:
    """Cells of a part of the tree by village, item and period: what is owed, how it stands, who holds it.

    A page may be shorter than its limit, even empty, before the end: `next` is null at the end alone.
    """
    wanted = Wanted(desk.villages(division), period, state, desk.items_within())
    found, end = await cells_page(desk, wanted, page.after, page.limit)
    return Listing(items=[_cell_out(f) for f in found], next=CELLS.text(end) if end is not None else None)


def _cell_out(found: Found) -> CellOut:
    of, c = found
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
