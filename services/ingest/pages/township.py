"""For a township and the departments: the grid of villages and items, what to urge, approving many with time to undo."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.contracts.base import Role
from services.contracts.catalogue import Affair, Item, ItemRevision
from services.contracts.division import Division, DivisionKind
from services.contracts.duties import CellKey, CellRecord, CellState, GridCell, Lateness, cell_state
from services.contracts.values import Frequency, period_bounds, period_of, previous_period
from services.contracts.words import AFFAIRS, HOLDERS, cell_words
from services.ingest import store
from services.ingest.api import DeskDep, ReadingDeskDep
from services.ingest.commands.approvals import approval_of, approve_later, undo
from services.ingest.commands.cells import VillageCells, cells_of
from services.ingest.commands.desk import Desk, item_of
from services.ingest.pages.frame import checked_period, render, to, whole
from services.ingest.pages.kept import KeptRoute
from services.ingest.store import ApprovalItem, Disclosure
from services.kit.clock import local_day
from services.kit.errors import InvalidInputError
from services.kit.web import RuntimeDep

router = APIRouter(route_class=KeptRoute)
WATCHING: Final = (Role.REVIEWER, Role.ACCOUNTANT, Role.DEPARTMENT, Role.INSPECTOR, Role.OPERATOR)


@dataclass(frozen=True, slots=True)
class Spot:
    """A cell of the grid as it is shown; several events of one item are one spot, the worst of them."""

    state: CellState
    words: str
    holder: str
    late_days: int
    period: str
    disclosure: Disclosure | None
    count: int


_WORST_FIRST: Final = (
    CellState.QUESTIONED,
    CellState.NOT_OPENED,
    CellState.IN_PROGRESS,
    CellState.NOT_DUE,
    CellState.OPENED_LATE,
    CellState.WAIVED,
    CellState.OPENED,
    CellState.NIL,
    CellState.NOT_APPLICABLE,
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What part of the grid is looked at."""

    month: str
    affair: str
    township: str


def chosen_of(desk: Desk, month: str, affair: str, township: str) -> Chosen:
    """The month that was asked for, else the one before this; one township; one affair or all one has."""
    today = local_day(desk.now)
    wanted = month or previous_period(period_of(today, Frequency.MONTHLY)) or ""
    if period_of(period_bounds(checked_period(wanted))[0], Frequency.MONTHLY) != wanted:
        wanted = period_of(period_bounds(wanted)[0], Frequency.MONTHLY)
    places = townships(desk)
    code = township or (places[0].code if places else desk.actor.scope)
    desk.actor.require_scope(desk.reference, code)
    return Chosen(wanted, affair if affair in set(Affair) else "", code)


def townships(desk: Desk) -> list[Division]:
    """Townships within one's scope, for a choice; none for who has one village or one township."""
    found = [d for _, d in sorted(desk.reference.divisions.items()) if d.now.kind is DivisionKind.TOWNSHIP]
    return [d for d in found if desk.reference.covers(desk.actor.scope, d.code)]


def items_of(desk: Desk, chosen: Chosen) -> list[tuple[Item, ItemRevision]]:
    """Columns of the grid."""
    last = period_bounds(chosen.month)[1]
    found = [(i, i.at(last)) for _, i in sorted(desk.reference.items.items()) if not i.retired(last)]
    affairs = set(desk.actor.affairs or Affair)
    if chosen.affair:
        affairs &= {Affair(chosen.affair)}
    return [(i, r) for i, r in found if r.affair in affairs]


def spot_of(desk: Desk, village: VillageCells, item: Item, revision: ItemRevision, month: date) -> Spot | None:
    """How an item stands in the period that holds a month; on-event items by the month's events, else by the quarter."""
    period = period_of(month, revision.frequency)
    if revision.frequency is Frequency.ON_EVENT:
        prefix = period_of(month, Frequency.MONTHLY)
        found = [c for c in village.cells if c.duty.item == item.code and c.duty.period.startswith(f"{prefix}-")]
        quarter = period_of(month, Frequency.QUARTERLY)
        found = found or [c for c in village.cells if c.key == CellKey(item.code, quarter)]
    else:
        found = [c for c in village.cells if c.key == CellKey(item.code, period)]
        if not found and (duty := desk.reference.duty(village.village, CellKey(item.code, period))) is not None:
            record = CellRecord()
            found = [GridCell(duty, record, cell_state(duty, record, desk.now), Lateness())]
    if not found:
        return None
    worst = min(found, key=lambda c: _WORST_FIRST.index(c.cell.state))
    holder = HOLDERS[worst.cell.held_by] if worst.cell.held_by is not None else ""
    disclosure = village.disclosures.get(worst.key)
    return Spot(worst.cell.state, cell_words(worst), holder, worst.late_days, worst.duty.period, disclosure, len(found))


@router.get("/grid")
async def grid(
    request: Request,
    desk: ReadingDeskDep,
    month: Annotated[str, Query(max_length=10)] = "",
    affair: Annotated[str, Query(max_length=10)] = "",
    township: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """一表看全镇: villages × items of a month, each with its state and who holds it."""
    desk.actor.require(*WATCHING)
    chosen = chosen_of(desk, month, affair, township)
    villages = [v.code for v in desk.reference.villages(chosen.township)]
    columns = items_of(desk, chosen)
    day = period_bounds(chosen.month)[0]
    rows = [(v.village, [spot_of(desk, v, i, r, day) for i, r in columns]) for v in await cells_of(desk, villages)]
    values: dict[str, Any] = {
        "chosen": chosen,
        "columns": columns,
        "rows": rows,
        "affairs": AFFAIRS,
        "townships": townships(desk),
    }
    return render(request, desk, "grid.html", **values)


@router.get("/urge")
async def urge(
    request: Request,
    desk: ReadingDeskDep,
    affair: Annotated[str, Query(max_length=10)] = "",
    township: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """一键催办: what is overdue by village, as a text to paste and as a list to print."""
    desk.actor.require(*WATCHING)
    chosen = chosen_of(desk, "", affair, township)
    villages = [v.code for v in desk.reference.villages(chosen.township)]
    affairs = {r.affair for _, r in items_of(desk, chosen)}
    missing = []
    for village in await cells_of(desk, villages):
        late = [c for c in village.cells if c.late_days > 0 and c.record.first_published_at is None]
        late = [c for c in late if c.cell.state in _UNDONE and item_of(desk, *c.key).affair in affairs]
        if late:
            missing.append((village.village, sorted(late, key=lambda c: -c.late_days)))
    values: dict[str, Any] = {"chosen": chosen, "missing": missing, "affairs": AFFAIRS, "townships": townships(desk)}
    return render(request, desk, "urge.html", **values, text=urge_text(desk, missing))


_UNDONE: Final = frozenset({CellState.NOT_OPENED, CellState.IN_PROGRESS})


def urge_text(desk: Desk, missing: Sequence[tuple[str, Sequence[GridCell]]]) -> str:
    """The message for a group of villages: one block a village, every overdue item with its day and holder."""
    today = local_day(desk.now)
    parts = [f"【三务公开催办】截至 {today.month} 月 {today.day} 日，以下事项已过公开期限，请尽快办理："]
    for village, late in missing:
        parts.append(f"■ {desk.reference.divisions[village].now.name}")
        for c in late:
            name = item_of(desk, *c.key).name
            holder = HOLDERS[c.cell.held_by] if c.cell.held_by is not None else HOLDERS["village"]
            parts.append(
                f"  {name}（{c.duty.period}）：应于 {c.duty.due} 前公开，已晚 {c.late_days} 天，现由{holder}办理"
            )
    return "\n".join(parts) if missing else ""


# -- approving many -----------------------------------------------------------------------------------------------


@router.post("/approvals")
async def approve_many(request: Request, desk: DeskDep, runtime: RuntimeDep) -> Response:
    """Let the ticked ones out once the time to undo has passed."""
    async with request.form(max_fields=2000, max_files=0) as form:
        ticked = [t for t in form.getlist("chosen") if isinstance(t, str)]
        names = {t: str(form.get(f"secrecy|{t.partition('|')[0]}", "")).strip()[:200] for t in ticked}
    items = [_item(t, names[t]) for t in ticked]
    if not items:
        raise InvalidInputError("请先勾选要发布的内容。")  # noqa: EM101 - one place
    for item in items:
        await _require_secrecy(desk, item)
    made = await approve_later(desk, items, timedelta(seconds=runtime.settings.undo_seconds))
    return to(f"/desk/approvals/{made.id}")


def _item(ticked: str, checked_by: str) -> ApprovalItem:
    text, _, version = ticked.partition("|")
    try:
        return ApprovalItem(UUID(text), whole(version), checked_by or None)
    except ValueError as error:
        raise InvalidInputError from error


async def _require_secrecy(desk: Desk, item: ApprovalItem) -> None:
    """Told now, not when it fails half a minute later."""
    found = await store.select_disclosure(desk.conn, item.disclosure_id)
    if found is None or item.secrecy_checked_by is not None:
        return
    edition = await store.select_edition(desk.conn, found.id, found.edition)
    revision = item_of(desk, found.item, found.period)
    if revision.secrecy and edition is not None and edition.secrecy_checked_by is None:
        message = f"{desk.reference.divisions[found.village_code].now.name}“{revision.name}”要写明保密审查人的姓名。"
        raise InvalidInputError(message)


@router.get("/approvals/{approval_id}")
async def approval_page(request: Request, approval_id: UUID, desk: DeskDep) -> Response:
    """How a batch stands; while it waits it can be undone."""
    approval = await approval_of(desk, approval_id)
    found = [(i, await store.select_disclosure(desk.conn, i.disclosure_id)) for i in approval.items]
    left = max(int((approval.due_at - desk.now).total_seconds()), 0)
    waits = any(i.state == "waiting" for i in approval.items)
    return render(request, desk, "approval.html", approval=approval, found=found, left=left, waits=waits)


@router.post("/approvals/{approval_id}/undo")
async def undo_approval(approval_id: UUID, desk: DeskDep) -> Response:
    """撤销: take a batch back while it waits."""
    await undo(desk, approval_id)
    return to(f"/desk/approvals/{approval_id}")
