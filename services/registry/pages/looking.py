"""Pages to look things up: the trail of actions, divisions, catalogue, calendar and deadline profiles."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.kit.clock import local_day
from services.kit.trail_page import FiltersDep, trail_values
from services.kit.web import ActorDep, Reading, RuntimeDep
from services.registry.pages.frame import page

router = APIRouter(prefix="/admin")


@router.get("/actions")
async def staff_actions(
    request: Request, runtime: RuntimeDep, actor: ActorDep, conn: Reading, filters: FiltersDep
) -> Response:
    """What was done in the registry."""
    values = await trail_values(request, runtime, actor, conn, filters)
    return page(request, actor, "actions.html", **values)


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
