"""JSON routes of publish: open to all, cacheable, keyset cursors. One village or disclosure is usually answered before."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.responses import Response

from services.contracts.catalogue import Affair, ItemCode
from services.contracts.division import Division
from services.contracts.duties import CellKey, CellState, Duty, GridCell
from services.contracts.values import Frequency, Period, period_bounds
from services.contracts.words import SETS
from services.kit.clock import local_day
from services.kit.errors import Fault, InvalidInputError
from services.kit.reference import Reference
from services.kit.web import Page, PageDep, RuntimeDep
from services.publish import store
from services.publish.bodies.asked import BodiesDep, Promptly, VillageDep, render_now
from services.publish.bodies.out import rfc3339, village_out
from services.publish.bodies.renderer import Bodies
from services.publish.hot.front import cached_json
from services.publish.render.cells import grid, live_by_cell
from services.publish.render.due import how_due
from services.publish.render.places import affair_of
from services.publish.render.rows import Change, Publication
from services.publish.render.texts import names_anybody
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


def _list(
    page: Page, items: list[Any], next_after: str | None, seen: str | None, *, of_persons: bool = False
) -> Response:
    answer = page.answer([i.model_dump() for i in items], next_after)
    return cached_json(
        json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode(), seen, of_persons=of_persons
    )


def _by_code(page: Page, codes: list[str], out: Callable[[str], Any], seen: str | None) -> Response:
    chosen = [c for c in codes if page.after is None or c > page.after]
    items = [out(c) for c in chosen[: page.limit]]
    return _list(page, items, chosen[page.limit - 1] if len(chosen) > page.limit else None, seen)


@router.get("/words", response_model=dict[str, dict[str, str]])
async def words(seen: Seen = None) -> Response:
    """What the members of every closed set are called, by the field that holds them: the same words as on the pages."""
    return cached_json(_WORDS, seen)


_WORDS = json.dumps(
    {name: {str(k): word for k, word in of.items()} for name, of in SETS.items()}, ensure_ascii=False
).encode()


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
async def village(village: VillageDep, bodies: BodiesDep, conn: Promptly) -> Response:
    """One village or community."""
    return await render_now(conn, bodies, ("village", village.code), f"/api/v1/villages/{village.code}")


# -- disclosures --------------------------------------------------------------------------------------------------


@router.get("/villages/{code}/disclosures", response_model=dict[str, list[DisclosureOut] | str | None])  # noqa: FAST003 - the village is read from it by a dependency
async def disclosures(
    *,
    village: VillageDep,
    runtime: RuntimeDep,
    bodies: BodiesDep,
    conn: Promptly,
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
async def disclosure(disclosure_id: str, bodies: BodiesDep, conn: Promptly) -> Response:
    """One disclosure with its newest content; 410 with the reason once it was withdrawn."""
    return await render_now(conn, bodies, ("disclosure", disclosure_id), f"/api/v1/disclosures/{disclosure_id}")


@router.get("/changes", response_model=dict[str, list[ChangeOut] | str | None])
async def changes(conn: Promptly, page: PageDep, seen: Seen = None) -> Response:
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
        version=change.number,
        changed_at=rfc3339(change.changed_at),
    )


# -- duties -------------------------------------------------------------------------------------------------------


@router.get("/villages/{code}/duties", response_model=dict[str, list[DutyOut] | str | None])  # noqa: FAST003 - the village is read from it by a dependency
async def duties(
    *,
    village: VillageDep,
    runtime: RuntimeDep,
    conn: Promptly,
    page: PageDep,
    period: Period | None = None,
    seen: Seen = None,
) -> Response:
    """What a village owes in a period (without one: all it owed until now and all it opened) and how that stands."""
    now, reference = runtime.clock.now(), runtime.reference
    facts = await store.select_cell_facts(conn, village.code)
    owed: Iterable[Duty] = reference.owed(village.code, now)
    if period is not None:
        owed = _periodic(reference, village.code, period)
    cells = grid(facts, owed, lambda key: reference.duty(village.code, key), now)
    order = {f"{c.key.period} {c.key.item}": c for c in cells if period is None or c.key.period == period}
    chosen = [place for place in sorted(order) if page.after is None or place > page.after]
    shown, live = chosen[: page.limit], live_by_cell(facts.publications)
    reasons = {CellKey(w.item, w.period): w.reason for w in facts.waivers}
    items = [_duty_out(order[place], live.get(order[place].key), reasons) for place in shown]
    of_persons = names_anybody(i.waiver for i in items)
    return _list(page, items, shown[-1] if len(chosen) > page.limit else None, seen, of_persons=of_persons)


def _periodic(reference: Reference, code: str, period: str) -> list[Duty]:
    """What a division owes in a period, due yet or not; on-event items have a cell once there is an event or an answer."""
    found = (reference.duty(code, CellKey(item, period)) for item in sorted(reference.items))
    last = period_bounds(period)[1]
    return [d for d in found if d is not None and reference.items[d.item].at(last).frequency is not Frequency.ON_EVENT]


def _duty_out(of: GridCell, live: Publication | None, reasons: Mapping[CellKey, str | None]) -> DutyOut:
    return DutyOut(
        item=of.duty.item,
        period=of.duty.period,
        due=of.duty.due.isoformat(),
        state=of.cell.state.value,
        held_by=of.cell.held_by,
        since=rfc3339(of.cell.since) if of.cell.since is not None else None,
        late_days=of.late_days,
        how_due=how_due(of.duty) if not of.duty.history else "",
        history=of.duty.history,
        reference=of.duty.reference,
        disclosure_id=live.disclosure_id if live is not None else None,
        waiver=reasons.get(of.key) if of.cell.state is CellState.WAIVED else None,
    )
