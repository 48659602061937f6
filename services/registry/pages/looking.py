"""Pages to look things up: the trail of actions, divisions, catalogue, calendar and deadline profiles."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, BeforeValidator, Field

from services.contracts.values import ShortText
from services.kit import actions
from services.kit.clock import local_day, start_of_day
from services.kit.trail import visible, who_is
from services.kit.web import ActorDep, Reading, RuntimeDep
from services.registry.pages.frame import page

router = APIRouter(prefix="/admin")
PAGE_SIZE = 100
BlankIsNone = BeforeValidator(lambda text: text or None)


class ActionFilters(BaseModel):
    """Which actions are wanted; blank fields narrow nothing. Both days are local and included."""

    actor: Annotated[ShortText | None, BlankIsNone] = None
    object: Annotated[ShortText | None, BlankIsNone] = None
    since: Annotated[date | None, BlankIsNone] = None
    before: Annotated[Annotated[int, Field(ge=0, lt=2**63)] | None, BlankIsNone] = None


@router.get("/actions")
async def staff_actions(
    request: Request, runtime: RuntimeDep, actor: ActorDep, conn: Reading, filters: Annotated[ActionFilters, Query()]
) -> Response:
    """What was done in the registry, newest first; other services tell their own by API."""
    within = visible(actor, runtime.reference)
    since = start_of_day(filters.since) if filters.since else None
    wanted = actions.Wanted(who_is(runtime.reference, filters.actor), filters.object, since, None, within)
    rows = await actions.select_actions(conn, wanted, filters.before, PAGE_SIZE + 1)
    names = {s.staff_id: s.username for s in runtime.reference.staff.values()}
    more = rows[PAGE_SIZE - 1].id if len(rows) > PAGE_SIZE else None
    return page(request, actor, "actions.html", rows=rows[:PAGE_SIZE], names=names, filters=filters, more=more)


@router.get("/divisions")
async def divisions(request: Request, runtime: RuntimeDep, actor: ActorDep) -> Response:
    """The divisions of one's part of the tree."""
    ref = runtime.reference
    found = [d for c, d in sorted(ref.divisions.items()) if ref.covers(actor.scope, c)]
    starts = {d.code: ref.duty_division(d.code).duties_from for d in found}
    return page(request, actor, "divisions.html", divisions=found, starts=starts)


@router.get("/catalogue")
async def catalogue(request: Request, runtime: RuntimeDep, actor: ActorDep) -> Response:
    """The catalogue as it stands today."""
    today = local_day(runtime.clock.now())
    items = [(code, item.at(today)) for code, item in sorted(runtime.reference.items.items())]
    return page(request, actor, "catalogue.html", items=items)


@router.get("/calendar")
async def calendar(request: Request, runtime: RuntimeDep, actor: ActorDep) -> Response:
    """Days off, make-up working days, and the deadline profiles."""
    years = [y for _, y in sorted(runtime.reference.years.items())]
    profiles = [(c, p.revisions[-1]) for c, p in sorted(runtime.reference.profiles.items())]
    return page(request, actor, "calendar.html", years=years, profiles=profiles)
