"""JSON routes of publish: open to all, cacheable, keyset cursors. One village or disclosure is usually answered before."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.responses import Response

from services.contracts.catalogue import Affair, ItemCode
from services.contracts.division import Division
from services.contracts.duties import CellRecord, Duty, cell_state, duty
from services.contracts.values import Frequency, Period, period_bounds, period_frequency
from services.kit.clock import local_day
from services.kit.errors import Fault, InvalidInputError
from services.kit.web import Page, PageDep, Reading, RuntimeDep, Transaction
from services.publish import store
from services.publish.bodies.asked import BodiesDep, VillageDep, render_now
from services.publish.bodies.renderer import Bodies, rfc3339, village_out
from services.publish.hot.front import cached_json
from services.publish.render.cells import CellKey, live_by_cell, records
from services.publish.render.places import Village, affair_of
from services.publish.render.rows import Change, Publication
from services.publish.schemas import (
    ChangeOut,
    DisclosureBodyOut,
    DisclosureOut,
    DivisionOut,
    DutyOut,
    PlaceOut,
    VillageOut,
)

router = APIRouter(prefix="/api/v1")
Seen = Annotated[str | None, Header(alias="If-None-Match")]


def _list(page: Page, items: list[Any], next_after: str | None, seen: str | None) -> Response:
    answer = page.answer([i.model_dump() for i in items], next_after)
    return cached_json(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode(), seen)


def _by_code(page: Page, codes: list[str], out: Callable[[str], Any], seen: str | None) -> Response:
    chosen = [c for c in codes if page.after is None or c > page.after]
    items = [out(c) for c in chosen[: page.limit]]
    return _list(page, items, chosen[page.limit - 1] if len(chosen) > page.limit else None, seen)


# -- places -------------------------------------------------------------------------------------------------------


@router.get("/divisions", response_model=dict[str, list[DivisionOut] | str | None])
async def divisions(runtime: RuntimeDep, bodies: BodiesDep, page: PageDep, seen: Seen = None) -> Response:
    """The whole tree, by code."""
    known = runtime.reference.divisions
    return _by_code(page, sorted(known), lambda code: _division_out(bodies, known[code]), seen)


def _division_out(bodies: Bodies, division: Division) -> DivisionOut:
    now = division.now
    township = bodies.township(now.parent or "")
    return DivisionOut(
        code=division.code,
        name=now.name,
        kind=now.kind.value,
        parent=now.parent,
        township=PlaceOut(code=township.code, name=township.name) if township is not None else None,
    )


@router.get("/villages", response_model=dict[str, list[VillageOut] | str | None])
async def villages(runtime: RuntimeDep, bodies: BodiesDep, page: PageDep, seen: Seen = None) -> Response:
    """Villages and communities, by code."""
    known = {code: v for code in runtime.reference.divisions if (v := bodies.village(code)) is not None}
    return _by_code(page, sorted(known), lambda code: village_out(known[code]), seen)


@router.get("/villages/{code}", response_model=VillageOut)  # noqa: FAST003 - the village is read from it by a dependency
async def village(village: VillageDep, bodies: BodiesDep, conn: Transaction) -> Response:
    """One village or community."""
    return await render_now(conn, bodies, ("village", village.code), f"/api/v1/villages/{village.code}")


# -- disclosures --------------------------------------------------------------------------------------------------


@router.get("/villages/{code}/disclosures", response_model=dict[str, list[DisclosureOut] | str | None])  # noqa: FAST003 - the village is read from it by a dependency
async def disclosures(
    *,
    village: VillageDep,
    runtime: RuntimeDep,
    bodies: BodiesDep,
    conn: Reading,
    page: PageDep,
    affair: Affair | None = None,
    item: ItemCode | None = None,
    period: Period | None = None,
    seen: Seen = None,
) -> Response:
    """What a village opened, newest first, withdrawn ones as their tombstones."""
    wanted = [item] if item is not None else list(runtime.reference.items)
    if affair is not None:
        today = local_day(runtime.clock.now()).isoformat()
        wanted = [i for i in wanted if affair_of(runtime.reference.items, i, period or today) is affair]
    found = await store.select_list(conn, village.code, wanted, period, _after_time(page), page.limit + 1)
    last = found[page.limit - 1] if len(found) > page.limit else None
    items = [bodies.disclosure_out(p) for p in found[: page.limit]]
    return _list(page, items, f"{last.published_at.isoformat()} {last.disclosure_id}" if last else None, seen)


def _after_time(page: Page) -> tuple[datetime, str] | None:
    if page.after is None:
        return None
    at, _, disclosure_id = page.after.partition(" ")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not disclosure_id.replace("-", "").isalnum():
        raise _strange_cursor()
    return moment, disclosure_id


def _strange_cursor() -> InvalidInputError:
    return InvalidInputError(faults=[Fault("query.cursor", "不是本接口给出的游标，请从头读取")])


@router.get("/disclosures/{disclosure_id}", response_model=DisclosureBodyOut)
async def disclosure(disclosure_id: str, bodies: BodiesDep, conn: Reading) -> Response:
    """One disclosure with its newest content; 410 with the reason once it was withdrawn."""
    return await render_now(conn, bodies, ("disclosure", disclosure_id), f"/api/v1/disclosures/{disclosure_id}")


@router.get("/changes", response_model=dict[str, list[ChangeOut] | str | None])
async def changes(conn: Reading, page: PageDep, seen: Seen = None) -> Response:
    """Everything that changed for readers, in the order of commits. Keep the last item's `cursor` to go on later."""
    after = page.after or "0"
    if not (after.isascii() and after.isdigit() and len(after) < 19):  # noqa: PLR2004 - digits of a bigint
        raise _strange_cursor()
    found = await store.select_changes(conn, int(after), page.limit + 1)
    items = [_change_out(c, page) for c in found[: page.limit]]
    return _list(page, items, str(found[page.limit - 1].position) if len(found) > page.limit else None, seen)


def _change_out(change: Change, page: Page) -> ChangeOut:
    return ChangeOut(
        cursor=page.answer([], str(change.position))["next"],
        kind=change.kind,
        id=change.disclosure_id,
        village=change.village_code,
        item=change.item,
        period=change.period,
        version=change.edition,
        changed_at=rfc3339(change.changed_at),
    )


# -- duties -------------------------------------------------------------------------------------------------------


@router.get("/villages/{code}/duties", response_model=dict[str, list[DutyOut] | str | None])  # noqa: FAST003 - the village is read from it by a dependency
async def duties(
    *,
    village: VillageDep,
    runtime: RuntimeDep,
    bodies: BodiesDep,
    conn: Reading,
    page: PageDep,
    period: Period | None = None,
    seen: Seen = None,
) -> Response:
    """What a village owes in a period (without one: all it owed until now and all it opened) and how that stands."""
    now = runtime.clock.now()
    publications = await store.select_of_villages(conn, [village.code])
    known = records(publications, await store.select_steps(conn, [village.code]))
    if period is not None:
        cells = _duties_of_period(runtime, village, period, known)
    else:
        owed = {(d.item, d.period): d for d in bodies.owed(village, local_day(now), now)}
        cells = {**_duties_for(runtime, village, sorted(known)), **owed}
    order = {f"{at} {item}": (item, at) for item, at in cells}
    chosen = [place for place in sorted(order) if page.after is None or place > page.after]
    shown, live = chosen[: page.limit], live_by_cell(publications)
    cells_shown = [order[place] for place in shown]
    items = [_duty_out(cells[key], known.get(key, CellRecord()), live.get(key), now) for key in cells_shown]
    return _list(page, items, shown[-1] if len(chosen) > page.limit else None, seen)


def _duties_of_period(
    runtime: RuntimeDep, village: Village, period: str, known: Mapping[CellKey, CellRecord]
) -> dict[CellKey, Duty]:
    cells = _duties_for(runtime, village, [(code, period) for code in sorted(runtime.reference.items)])
    if period_frequency(period) is Frequency.ON_EVENT:
        # On-event items have a cell once there is an event.
        return {key: d for key, d in cells.items() if key in known}
    return cells


def _duties_for(runtime: RuntimeDep, village: Village, cells: list[CellKey]) -> dict[CellKey, Duty]:
    """The duties of cells whose item exists and has such periods."""
    reference = runtime.reference
    division, profile = reference.duty_division(village.code), reference.profile(village.code)
    found = {}
    for code, period in cells:
        item = reference.items.get(code)
        if item is not None and item.at(period_bounds(period)[1]).frequency is period_frequency(period):
            found[code, period] = duty(item, division, period, profile, reference.calendar)
    return found


def _duty_out(of: Duty, record: CellRecord, live: Publication | None, now: datetime) -> DutyOut:
    return DutyOut(
        item=of.item,
        period=of.period,
        due=of.due.isoformat(),
        state=cell_state(of, record, now).state.value,
        disclosure_id=live.disclosure_id if live is not None else None,
        waiver=None,
    )
