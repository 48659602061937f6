"""The first page of each role: what is to be done, and the list of everything."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from services.contracts.base import Role
from services.contracts.catalogue import ItemKind
from services.contracts.duties import GridCell
from services.contracts.values import Frequency, period_bounds, period_of, previous_period
from services.ingest import workflow
from services.ingest.commands.cells import VillageCells, open_cells
from services.ingest.commands.findings import listed, titles_of
from services.ingest.pages.frame import part_of, render, to
from services.ingest.pages.outlook import outlook_of
from services.ingest.store.approvals import select_batches
from services.ingest.store.disclosures import Disclosure, Filter
from services.ingest.store.lists import select_disclosures
from services.ingest.store.opinions import select_to_confirm, select_word_marks
from services.ingest.store.questions import select_open
from services.ingest.store.typed import TypedForm, select_typed_in
from services.ingest.store.waivers import (
    Declaration,
    Waiver,
    select_declarations,
    select_submitted_declarations,
    select_waivers,
)
from services.ingest.visit import Reading, ReadingDep
from services.ingest.workflow import State
from services.kit.route import Route
from services.kit.visit import may

router = APIRouter(route_class=Route)
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


def tasks_of(desk: Reading, village: VillageCells) -> list[Task]:
    """Open cells of a village, the longest overdue first; the actor's part of the affairs only."""
    found = [
        Task(village.village, c, village.disclosures.get(c.key), village.waivers.get(c.key))
        for c in village.cells
        if _concerns(desk, c)
    ]
    return sorted(found, key=lambda t: (not t.is_mine, -t.cell.late_days, t.cell.duty.due, t.cell.duty.item))


def _concerns(desk: Reading, cell: GridCell) -> bool:
    declared = period_bounds(cell.duty.period)[0] != period_bounds(cell.duty.period)[1]
    item = desk.item(cell.duty.item, cell.duty.period)
    if item.frequency is Frequency.ON_EVENT and declared:
        return False
    return not desk.actor.affairs or item.affair in desk.actor.affairs


@router.get("", dependencies=[may(*workflow.READERS)])
async def desk_page(
    request: Request,
    desk: ReadingDep,
    village: Annotated[str, Query(max_length=12)] = "",
    after: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """What waits for me; of many villages a part at a time, those behind one."""
    role = desk.actor.role
    if role is Role.CLERK or (role is Role.ACCOUNTANT and village):
        desk.actor.require_scope(desk.reference, code := village or desk.actor.scope)
        return await _entering(request, desk, code)
    if role is Role.ACCOUNTANT:
        return await _villages(request, desk, after)
    if role in _FIRST_PAGES:
        return await _FIRST_PAGES[role](request, desk, village)
    return to("/desk/grid" if role in {Role.DEPARTMENT, Role.INSPECTOR} else "/desk/list")


async def _entering(request: Request, desk: Reading, village: str) -> Response:
    """The to-do of whoever enters for one village."""
    (cells,) = [of async for of in open_cells(desk, [village])]
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
        half_filled=await _half_filled(desk, village),
        outlook=await outlook_of(desk, village),
        refused=await _refused_waivers(desk, village),
        questions=await _asked(desk, village),
        marks=await select_word_marks(desk.conn, checked),
        quarter=await unanswered_quarter(desk, village),
        nil_kinds=NIL_KINDS,
        ledger=ItemKind.LEDGER,
        to_confirm=await _to_confirm(desk, [village]) if desk.actor.role is Role.ACCOUNTANT else [],
    )


async def _refused_waivers(desk: Reading, village: str) -> dict[tuple[str, str], Waiver]:
    """Waivers that the township did not agree to, by cell: the newest of each."""
    found = await select_waivers(desk.conn, [village], "refused", None, 50, desk.items_within())
    return {(w.item, w.period): w for w in reversed(found)}


async def _asked(desk: Reading, village: str) -> tuple[int, date | None]:
    """How many questions wait for the village's answer, and by when the first has to be answered."""
    found = await select_open(desk.conn, [village], desk.items_within(), _MOST)
    mine = [q.due for q in found if q.holder == "village"]
    return len(mine), min(mine, default=None)


async def _half_filled(desk: Reading, village: str) -> list[tuple[TypedForm, str]]:
    """Forms that were left half filled in, with who did; those in the actor's part of the affairs."""
    found = await select_typed_in(desk.conn, [village])
    affairs = desk.actor.affairs
    mine = [t for t in found if not affairs or desk.item(t.item, t.period).affair in affairs]
    return [(t, desk.reference.name_of(t.saved_by)) for t in mine]


async def unanswered_quarter(desk: Reading, village: str) -> tuple[str, Declaration | None] | None:
    """The last quarter that is over, when its yes/no page still has to be answered; with what was returned."""
    quarter = previous_period(period_of(desk.today, Frequency.QUARTERLY))
    assert quarter is not None  # noqa: S101 - quarters form a chain
    last = next(iter(await select_declarations(desk.conn, [village], quarter)), None)
    return (quarter, last) if last is None or last.state == "returned" else None


async def _villages(request: Request, desk: Reading, after: str) -> Response:
    """An accountant's villages with what is open in each."""
    villages, more = part_of(desk, None, after)
    rows = []
    async for cells in open_cells(desk, villages):
        mine = [t for t in tasks_of(desk, cells) if t.is_mine]
        rows.append((cells.village, len(mine), sum(t.cell.late_days > 0 for t in mine)))
    to_confirm = await _to_confirm(desk, desk.villages())
    return render(request, desk, "villages.html", rows=rows, more=more, to_confirm=to_confirm)


async def _to_confirm(desk: Reading, villages: list[str]) -> list[Disclosure]:
    """Handed in, asking for this role's word, and this person has not spoken yet."""
    party = workflow.PARTIES[desk.actor.role]
    asked = [c for c, i in desk.reference.items.items() if any(party in r.confirmations for r in i.revisions)]
    wanted = Filter(villages, items=asked, limit=_MOST)
    found = await select_to_confirm(desk.conn, wanted, party, desk.actor.staff_id)
    return [d for d in found if party in desk.item_of(d).confirmations]


async def _checking(request: Request, desk: Reading, _village: str) -> Response:
    villages = desk.villages()
    declarations = []
    if desk.actor.role is Role.SUPERVISOR:
        declarations = await select_submitted_declarations(desk.conn, villages)
    recent = await select_disclosures(desk.conn, Filter(villages, limit=20))
    to_confirm = await _to_confirm(desk, villages)
    return render(
        request,
        desk,
        "checking.html",
        to_confirm=to_confirm,
        titles=await titles_of(desk, [*to_confirm, *recent]),
        declarations=declarations,
        recent=recent,
    )


async def _reviewing(request: Request, desk: Reading, village: str) -> Response:
    """What a township has to let out, to file and to decide."""
    everything_ticked = bool(request.query_params.get("all"))
    values = await reviewing_values(desk, village)
    ticked = {f"{d.id}|{d.edition}" for d in values["confirmed"]} if everything_ticked else set()
    return render(request, desk, "reviewing.html", **values, ticked=ticked, names={}, error=None)


async def reviewing_values(desk: Reading, village: str) -> dict[str, Any]:
    """What the page of a reviewer shows, of one village or of all."""
    villages = desk.villages(village or None)
    confirmed = await _mine(desk, villages, State.CONFIRMED, undecided=True)
    submitted = await _mine(desk, villages, State.SUBMITTED)
    filed = await select_waivers(desk.conn, villages, "filed", None, 200, desk.items_within())
    return {
        "confirmed": confirmed,
        "told": await listed(desk, confirmed),
        "batches": await select_batches(desk.conn, villages),
        "to_file": await _mine(desk, villages, State.PUBLISHED, to_file=True),
        "waivers": filed,
        "submitted": submitted,
        "marks": await select_word_marks(desk.conn, [*confirmed, *submitted]),
        "most": _MOST,
        "villages": desk.reference.villages(desk.actor.scope),
        "village": village,
    }


async def _mine(
    desk: Reading, villages: list[str], state: State, *, to_file: bool = False, undecided: bool = False
) -> list[Disclosure]:
    items = desk.items_within()
    wanted = Filter(villages, items=items, states=[state.value], limit=_MOST, to_file=to_file, undecided=undecided)
    return await select_disclosures(desk.conn, wanted)


_FIRST_PAGES: Final[Mapping[Role, Callable[[Request, Reading, str], Awaitable[Response]]]] = MappingProxyType(
    {
        Role.SUPERVISOR: _checking,
        Role.PRINCIPAL: _checking,
        Role.REVIEWER: _reviewing,
    }
)


@router.get("/list", dependencies=[may(*workflow.READERS)])
async def everything(
    request: Request,
    desk: ReadingDep,
    village: Annotated[str, Query(max_length=12)] = "",
    item: Annotated[str, Query(max_length=3)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Disclosures of one's part of the tree, newest first."""
    villages = desk.reference.villages(desk.actor.scope)
    wanted = Filter(
        desk.villages(village or None),
        item=item or None,
        items=desk.items_within(),
        states=[state] if state else None,
        limit=200,
    )
    found = await select_disclosures(desk.conn, wanted)
    chosen = {"village": village, "item": item, "state": state}
    items = [(code, i.revisions[-1].name) for code, i in sorted(desk.reference.items.items())]
    titles = await titles_of(desk, found)
    return render(request, desk, "list.html", found=found, villages=villages, items=items, chosen=chosen, titles=titles)
