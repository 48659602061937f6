"""For a township and the departments: the grid of villages and items, what to urge, approving many with time to undo."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.contracts.base import Role
from services.contracts.catalogue import Affair, Item, ItemRevision
from services.contracts.division import Division, DivisionKind
from services.contracts.duties import CellKey, CellRecord, CellState, GridCell, Lateness, cell_state
from services.contracts.values import Frequency, period_bounds, period_frequency, period_of, previous_period
from services.contracts.words import AFFAIRS, HOLDERS, cell_words
from services.ingest.commands.approvals import approval_of, approve_later, undo
from services.ingest.commands.cells import Stretch, VillageCells, cells_in, open_cells
from services.ingest.pages.frame import checked_period, part_of, refusal_page, render, render_in_turns, to, whole
from services.ingest.pages.kept import KeptRoute
from services.ingest.pages.todo import reviewing_values
from services.ingest.store.approvals import ApprovalItem
from services.ingest.store.disclosures import Disclosure, select_editions, select_known
from services.ingest.visit import ChangingDep, Reading, ReadingDep
from services.ingest.workflow import RIGHTS, Action, State
from services.kit.errors import Fault, InvalidInputError
from services.kit.visit import may

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


def chosen_of(desk: Reading, month: str, affair: str, township: str) -> Chosen:
    """The month that was asked for, else the one before this; one township; one affair or all one has."""
    today = desk.today
    wanted = month or previous_period(period_of(today, Frequency.MONTHLY)) or ""
    if period_of(period_bounds(checked_period(wanted))[0], Frequency.MONTHLY) != wanted:
        wanted = period_of(period_bounds(wanted)[0], Frequency.MONTHLY)
    places = townships(desk)
    code = township or (places[0].code if places else desk.actor.scope)
    desk.actor.require_scope(desk.reference, code)
    return Chosen(wanted, affair if affair in set(Affair) else "", code)


def townships(desk: Reading) -> list[Division]:
    """Townships within one's scope, for a choice; none for who has one village or one township."""
    found = [d for _, d in sorted(desk.reference.divisions.items()) if d.now.kind is DivisionKind.TOWNSHIP]
    return [d for d in found if desk.reference.covers(desk.actor.scope, d.code)]


def items_of(desk: Reading, chosen: Chosen) -> list[tuple[Item, ItemRevision]]:
    """Items that are in force at the month's end, of the affair that was asked for: the columns of the grid."""
    last = period_bounds(chosen.month)[1]
    found = [(i, i.at(last)) for _, i in sorted(desk.reference.items.items()) if not i.retired(last)]
    affairs = set(desk.actor.affairs or Affair)
    if chosen.affair:
        affairs &= {Affair(chosen.affair)}
    return [(i, r) for i, r in found if r.affair in affairs]


def spots_of(
    desk: Reading, village: VillageCells, columns: Sequence[tuple[Item, ItemRevision]], month: date
) -> list[Spot | None]:
    """How each item stands in the period that holds a month; None where there is nothing to tell."""
    by_key = {c.key: c for c in village.cells}
    events: dict[str, list[GridCell]] = {}
    for key, cell in by_key.items():
        if period_frequency(key.period) is Frequency.ON_EVENT:
            events.setdefault(key.item, []).append(cell)
    found: list[Spot | None] = []
    for item, revision in columns:
        if revision.frequency is Frequency.ON_EVENT:
            # The month's events, else the quarter's answer.
            quarter = by_key.get(CellKey(item.code, period_of(month, Frequency.QUARTERLY)))
            shown: Sequence[GridCell] = events.get(item.code) or ([quarter] if quarter is not None else [])
        else:
            shown = _periodic(desk, village, CellKey(item.code, period_of(month, revision.frequency)), by_key)
        found.append(_spot(village, shown) if shown else None)
    return found


def _periodic(
    desk: Reading, village: VillageCells, key: CellKey, by_key: Mapping[CellKey, GridCell]
) -> Sequence[GridCell]:
    """A cell that is owed or on record, else as nobody touched it."""
    if key in by_key:
        return [by_key[key]]
    duty, record = desk.reference.duty(village.village, key), CellRecord()
    if duty is None:
        return []
    cell = cell_state(duty, record, desk.now)
    return [GridCell(duty, record, cell, Lateness(), cell.state)]


def _spot(village: VillageCells, shown: Sequence[GridCell]) -> Spot:
    worst = min(shown, key=lambda c: _WORST_FIRST.index(c.cell.state))
    holder = HOLDERS[worst.cell.held_by] if worst.cell.held_by is not None else ""
    disclosure = village.disclosures.get(worst.key)
    return Spot(worst.cell.state, cell_words(worst), holder, worst.late_days, worst.duty.period, disclosure, len(shown))


@router.get("/grid", dependencies=[may(*WATCHING)])
async def grid(
    request: Request,
    desk: ReadingDep,
    month: Annotated[str, Query(max_length=10)] = "",
    affair: Annotated[str, Query(max_length=10)] = "",
    township: Annotated[str, Query(max_length=12)] = "",
    after: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """一表看全镇: villages × items of a month, each with its state and who holds it."""
    chosen = chosen_of(desk, month, affair, township)
    villages, more = part_of(desk, chosen.township, after)
    columns = items_of(desk, chosen)
    day = period_bounds(chosen.month)[0]
    rows = [(v.village, spots_of(desk, v, columns, day)) async for v in cells_in(desk, villages, Stretch.around(day))]
    values: dict[str, Any] = {
        "chosen": chosen,
        "columns": columns,
        "rows": rows,
        "affairs": AFFAIRS,
        "townships": townships(desk),
        "more": more,
    }
    return await render_in_turns(request, desk, "grid.html", **values)


@router.get("/urge", dependencies=[may(*WATCHING)])
async def urge(
    request: Request,
    desk: ReadingDep,
    affair: Annotated[str, Query(max_length=10)] = "",
    township: Annotated[str, Query(max_length=12)] = "",
    after: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """一键催办: what is overdue by village, as a text to paste and as a list to print."""
    chosen = chosen_of(desk, "", affair, township)
    villages, more = part_of(desk, chosen.township, after)
    affairs = {r.affair for _, r in items_of(desk, chosen)}
    missing: list[tuple[str, list[Late]]] = []
    async for village in open_cells(desk, villages):
        late = [found for c in village.cells if (found := _late(desk, c, affairs)) is not None]
        if late:
            missing.append((village.village, sorted(late, key=lambda c: -c.days)))
    values: dict[str, Any] = {"chosen": chosen, "missing": missing, "affairs": AFFAIRS, "townships": townships(desk)}
    return await render_in_turns(request, desk, "urge.html", **values, more=more, text=urge_text(desk, missing))


class Late(NamedTuple):
    """What is overdue and not public, as it is urged."""

    item: str
    period: str
    due: date
    days: int
    holder: str
    since: datetime | None


def _late(desk: Reading, cell: GridCell, affairs: Container[Affair]) -> Late | None:
    days = cell.late_days
    if not days or cell.record.first_published_at is not None or cell.beneath not in _UNDONE:
        return None
    item, duty = desk.item(*cell.key), cell.duty
    if item.affair not in affairs:
        return None
    holder = HOLDERS[cell.cell.held_by] if cell.cell.held_by is not None else ""
    return Late(item.name, duty.period, duty.due, days, holder, cell.cell.since)


_UNDONE: Final = frozenset({CellState.NOT_OPENED, CellState.IN_PROGRESS})


def urge_text(desk: Reading, missing: Sequence[tuple[str, Sequence[Late]]]) -> str:
    """The message for a group of villages: one block a village, every overdue item with its day and holder."""
    today = desk.today
    parts = [f"【三务公开催办】截至 {today.month} 月 {today.day} 日，以下事项已过公开期限，请尽快办理："]
    for village, late in missing:
        parts.append(f"■ {desk.reference.divisions[village].now.name}")
        parts += [
            f"  {c.item}（{c.period}）：应于 {c.due} 前公开，已晚 {c.days} 天，现由{c.holder or HOLDERS['village']}办理"
            for c in late
        ]
    return "\n".join(parts) if missing else ""


# -- approving many -----------------------------------------------------------------------------------------------


class _Choices(NamedTuple):
    """What a reviewer ticked, and every name that was typed beside a disclosure."""

    ticked: tuple[str, ...]
    names: Mapping[str, str]
    village: str


async def _read_choices(request: Request) -> _Choices:
    """Read the form: what was ticked, and who checked each for secrecy."""
    async with request.form(max_fields=2000, max_files=0) as form:
        ticked = tuple(t for t in form.getlist("chosen") if isinstance(t, str))
        typed = {n: v for n, v in form.items() if n.startswith(_SECRECY) and isinstance(v, str)}
        names = {n.removeprefix(_SECRECY): v.strip()[:200] for n, v in typed.items()}
        return _Choices(ticked, names, str(form.get("village", ""))[:12])


_SECRECY: Final = "secrecy|"


@router.post("/approvals", dependencies=[may(*RIGHTS[Action.APPROVE])])
async def approve_many(
    request: Request, choices: Annotated[_Choices, Depends(_read_choices)], desk: ChangingDep
) -> Response:
    """Store the ticked ones as a batch; a job approves them once the time to undo has passed."""
    items = [_item(t, choices.names.get(t.partition("|")[0], "")) for t in choices.ticked]
    try:
        if not items:
            raise InvalidInputError("请先勾选要发布的内容。")  # noqa: EM101, TRY301 - one place
        await _require_secrecy(desk, items)
    except InvalidInputError as error:
        values = await reviewing_values(desk, choices.village)
        chosen = {"ticked": set(choices.ticked), "names": choices.names}
        raise refusal_page(
            request, desk, "reviewing.html", status=error.status, **values, **chosen, error=error
        ) from error
    made = await approve_later(desk, items)
    return to(f"/desk/approvals/{made.id}")


def _item(ticked: str, checked_by: str) -> ApprovalItem:
    text, _, version = ticked.partition("|")
    try:
        return ApprovalItem(UUID(text), whole(version), checked_by or None)
    except ValueError as error:
        raise InvalidInputError from error


async def _require_secrecy(desk: Reading, items: Sequence[ApprovalItem]) -> None:
    """Refuse what wants a name for its secrecy check and has none: now, not when it fails half a minute later."""
    unnamed = [i.disclosure_id for i in items if i.secrecy_checked_by is None]
    known = await select_known(desk.conn, unnamed)
    in_need = {d.id: d for d in known.values() if desk.item_of(d).secrecy}
    editions = await select_editions(desk.conn, [(d.id, d.edition) for d in in_need.values()])
    faults = []
    for found in (in_need[i] for i in unnamed if i in in_need):
        edition = editions.get((found.id, found.edition))
        if edition is not None and edition.secrecy_checked_by is None:
            village, item = desk.reference.divisions[found.village_code].now.name, desk.item_of(found).name
            faults.append(Fault(f"{_SECRECY}{found.id}", f"{village}“{item}”要写明保密审查人的姓名。"))
    if faults:
        raise InvalidInputError(faults[0].message if len(faults) == 1 else None, faults=faults)


@router.get("/approvals/{approval_id}", dependencies=[may(*RIGHTS[Action.APPROVE])])
async def approval_page(request: Request, approval_id: UUID, desk: ReadingDep) -> Response:
    """How a batch stands; while it waits it can be undone."""
    approval = await approval_of(desk, approval_id)
    known = await select_known(desk.conn, [i.disclosure_id for i in approval.items])
    found = [(i, known.get(i.disclosure_id)) for i in approval.items]
    left = max(int((approval.due_at - desk.now).total_seconds()), 0)
    waits = any(i.state == "waiting" for i in approval.items)
    on_its_way = any(i.state == "approved" and d is not None and d.state is State.APPROVED for i, d in found)
    return render(
        request,
        desk,
        "approval.html",
        approval=approval,
        found=found,
        left=left,
        waits=waits,
        on_its_way=on_its_way,
    )


@router.post("/approvals/{approval_id}/undo", dependencies=[may(*RIGHTS[Action.APPROVE])])
async def undo_approval(approval_id: UUID, desk: ChangingDep) -> Response:
    """撤销: take a batch back while it waits."""
    await undo(desk, approval_id)
    return to(f"/desk/approvals/{approval_id}")
