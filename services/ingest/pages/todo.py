"""The first page of each role: what is to be done, and the list of everything."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from services.contracts.base import Role
from services.contracts.catalogue import ItemKind
from services.contracts.duties import CellState, GridCell
from services.contracts.values import Frequency, period_bounds, period_of, previous_period
from services.ingest import store, workflow
from services.ingest.api import ReadingDeskDep
from services.ingest.commands.cells import VillageCells, cells_of
from services.ingest.commands.desk import Desk, item_of, items_within, remarks_of
from services.ingest.pages.frame import render, to
from services.ingest.store import Declaration, Disclosure, Filter, Waiver
from services.ingest.workflow import State
from services.kit.clock import local_day

router = APIRouter()
#: Cells on which somebody still has something to do.
OPEN_CELLS: Final = frozenset({CellState.NOT_OPENED, CellState.NOT_DUE, CellState.IN_PROGRESS})
NIL_KINDS: Final = frozenset({ItemKind.LEDGER, ItemKind.ROSTER, ItemKind.TABLE})
#: Rows of one list of the to-do.
_MOST: Final = 200
_IN_CHECK: Final = frozenset({State.SUBMITTED, State.CONFIRMED})
_UNDER_WAY: Final = _IN_CHECK | {State.DRAFT, State.RETURNED}
PARTY_ROLES: Final = frozenset(workflow.PARTIES)


@dataclass(frozen=True, slots=True)
class Task:
    """A cell of the to-do with what stands in it."""

    village: str
    cell: GridCell
    disclosure: Disclosure | None
    waiver: Waiver | None

    @property
    def is_mine(self) -> bool:
        """Tell whether whoever enters has to do something, rather than wait."""
        return self.disclosure is None or self.disclosure.state in {State.DRAFT, State.RETURNED}


def tasks_of(desk: Desk, village: VillageCells) -> list[Task]:
    """Open cells of a village, the longest overdue first; the actor's part of the affairs only."""
    found = [
        Task(village.village, c, village.disclosures.get(c.key), village.waivers.get(c.key))
        for c in village.cells
        if c.cell.state in OPEN_CELLS and _concerns(desk, c)
    ]
    return sorted(found, key=lambda t: (not t.is_mine, -t.cell.late_days, t.cell.duty.due, t.cell.duty.item))


def _concerns(desk: Desk, cell: GridCell) -> bool:
    declared = period_bounds(cell.duty.period)[0] != period_bounds(cell.duty.period)[1]
    item = item_of(desk, cell.duty.item, cell.duty.period)
    if item.frequency is Frequency.ON_EVENT and declared:
        return False
    return not desk.actor.affairs or item.affair in desk.actor.affairs


@router.get("")
async def desk_page(
    request: Request, desk: ReadingDeskDep, village: Annotated[str, Query(max_length=12)] = ""
) -> Response:
    """What waits for me."""
    desk.actor.require(*workflow.READERS)
    role = desk.actor.role
    if role is Role.CLERK or (role is Role.ACCOUNTANT and village):
        desk.actor.require_scope(desk.reference, code := village or desk.actor.scope)
        return await _entering(request, desk, code)
    if role in _FIRST_PAGES:
        return await _FIRST_PAGES[role](request, desk)
    return to("/desk/grid" if role in {Role.DEPARTMENT, Role.INSPECTOR} else "/desk/list")


async def _entering(request: Request, desk: Desk, village: str) -> Response:
    """The to-do of whoever enters for one village."""
    (cells,) = await cells_of(desk, [village])
    tasks = tasks_of(desk, cells)
    corrections = [d for d in cells.disclosures.values() if d.published_edition and d.state in _UNDER_WAY]
    checked = [d for d in cells.disclosures.values() if d.state in _IN_CHECK]
    return render(
        request,
        desk,
        "todo.html",
        village=village,
        mine=[t for t in tasks if t.is_mine],
        waiting=[t for t in tasks if not t.is_mine],
        corrections=corrections,
        marks=await store.select_word_marks(desk.conn, checked),
        quarter=await unanswered_quarter(desk, village),
        nil_kinds=NIL_KINDS,
        ledger=ItemKind.LEDGER,
        to_confirm=await _to_confirm(desk, [village]) if desk.actor.role is Role.ACCOUNTANT else [],
    )


async def unanswered_quarter(desk: Desk, village: str) -> tuple[str, Declaration | None] | None:
    """The last quarter that is over, when its yes/no page still has to be answered; with what was returned."""
    quarter = previous_period(period_of(local_day(desk.now), Frequency.QUARTERLY))
    found = await store.select_declarations(desk.conn, [village])
    last = next((d for d in found if d.quarter == quarter), None)
    if quarter is None or (last is not None and last.state != "returned"):
        return None
    return quarter, last


async def _villages(request: Request, desk: Desk) -> Response:
    """An accountant's villages with what is open in each."""
    villages = [v.code for v in desk.reference.villages(desk.actor.scope)]
    rows = []
    for cells in await cells_of(desk, villages):
        mine = [t for t in tasks_of(desk, cells) if t.is_mine]
        rows.append((cells.village, len(mine), sum(t.cell.late_days > 0 for t in mine)))
    return render(request, desk, "villages.html", rows=rows, to_confirm=await _to_confirm(desk, villages))


async def _to_confirm(desk: Desk, villages: list[str]) -> list[Disclosure]:
    """Handed in, asking for this role's word, and this person has not spoken yet."""
    party = workflow.PARTIES[desk.actor.role]
    asked = [c for c, i in desk.reference.items.items() if any(party in r.confirmations for r in i.revisions)]
    wanted = Filter(villages, items=asked, limit=_MOST)
    found = await store.select_to_confirm(desk.conn, wanted, party, desk.actor.staff_id)
    return [d for d in found if party in item_of(desk, d.item, d.period).confirmations]


async def _checking(request: Request, desk: Desk) -> Response:
    villages = [v.code for v in desk.reference.villages(desk.actor.scope)]
    declarations = []
    if desk.actor.role is Role.SUPERVISOR:
        declarations = await store.select_declarations(desk.conn, villages)
    recent = await store.select_disclosures(desk.conn, Filter(villages, limit=20))
    return render(
        request,
        desk,
        "checking.html",
        to_confirm=await _to_confirm(desk, villages),
        declarations=[d for d in declarations if d.state == "submitted"],
        recent=recent,
    )


async def _reviewing(request: Request, desk: Desk) -> Response:
    """What a township has to let out, to file and to decide."""
    villages = [v.code for v in desk.reference.villages(desk.actor.scope)]
    confirmed = await _mine(desk, villages, State.CONFIRMED, undecided=True)
    submitted = await _mine(desk, villages, State.SUBMITTED)
    filed = await store.select_waivers(desk.conn, villages, "filed", None, 200, items_within(desk))
    return render(
        request,
        desk,
        "reviewing.html",
        confirmed=confirmed,
        remarks=await remarks_of(desk, confirmed),
        batches=await store.select_batches(desk.conn, villages),
        to_file=await _mine(desk, villages, State.PUBLISHED, to_file=True),
        waivers=filed,
        submitted=submitted,
        marks=await store.select_word_marks(desk.conn, [*confirmed, *submitted]),
        most=_MOST,
    )


async def _mine(
    desk: Desk, villages: list[str], state: State, *, to_file: bool = False, undecided: bool = False
) -> list[Disclosure]:
    items = items_within(desk)
    wanted = Filter(villages, items=items, states=[state.value], limit=_MOST, to_file=to_file, undecided=undecided)
    return await store.select_disclosures(desk.conn, wanted)


_FIRST_PAGES: Final[Mapping[Role, Callable[[Request, Desk], Awaitable[Response]]]] = MappingProxyType(
    {
        Role.ACCOUNTANT: _villages,
        Role.SUPERVISOR: _checking,
        Role.PRINCIPAL: _checking,
        Role.REVIEWER: _reviewing,
    }
)


@router.get("/list")
async def everything(
    request: Request,
    desk: ReadingDeskDep,
    village: Annotated[str, Query(max_length=12)] = "",
    item: Annotated[str, Query(max_length=3)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Disclosures of one's part of the tree, newest first."""
    desk.actor.require(*workflow.READERS)
    scope = village or desk.actor.scope
    desk.actor.require_scope(desk.reference, scope)
    villages = desk.reference.villages(desk.actor.scope)
    wanted = Filter(
        [v.code for v in desk.reference.villages(scope)],
        item=item or None,
        items=items_within(desk),
        states=[state] if state else None,
        limit=200,
    )
    found = await store.select_disclosures(desk.conn, wanted)
    chosen = {"village": village, "item": item, "state": state}
    items = [(code, i.revisions[-1].name) for code, i in sorted(desk.reference.items.items())]
    return render(request, desk, "list.html", found=found, villages=villages, items=items, chosen=chosen)
