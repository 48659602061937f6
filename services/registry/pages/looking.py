"""Pages to look things up: the trail of actions, divisions, catalogue, calendar and deadline profiles."""

from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.contracts.base import Role
from services.contracts.catalogue import CalendarYear, ProfileRevision
from services.contracts.values import ShortText
from services.kit.clock import local_day
from services.kit.errors import InvalidInputError
from services.kit.runtime import Runtime
from services.kit.trail_page import FiltersDep, trail_values
from services.kit.web import ActorDep, Reading, RuntimeDep, Transaction
from services.registry.api.staff import office_of
from services.registry.bulk.days import checked_year, read_calendar, read_days
from services.registry.commands import imports
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


def _known(runtime: Runtime) -> tuple[list[CalendarYear], list[tuple[str, ProfileRevision]]]:
    """Years and profiles as the page lists them."""
    years = [y for _, y in sorted(runtime.reference.years.items())]
    return years, [(c, p.revisions[-1]) for c, p in sorted(runtime.reference.profiles.items())]


@router.get("/calendar")
async def calendar(request: Request, runtime: RuntimeDep, actor: ActorDep) -> Response:
    """Days off, make-up working days, and the deadline profiles."""
    years, profiles = _known(runtime)
    return page(request, actor, "calendar.html", years=years, profiles=profiles, form=None, error=None, done=None)


class CalendarForm(BaseModel):
    """A year as it is typed: days and spans in words, or a CSV file instead of both."""

    year: Annotated[int, Field(ge=2000, le=2100)]
    source: ShortText
    days_off: str = ""
    working_weekends: str = ""


def _typed(form: CalendarForm, data: bytes) -> CalendarYear:
    if data:
        return imports.parsed(lambda d: read_calendar(d, form.year, form.source), data)
    return imports.stated(
        lambda: checked_year(
            form.year,
            read_days(form.days_off, form.year, "days_off"),
            read_days(form.working_weekends, form.year, "working_weekends"),
            form.source,
        )
    )


@router.post("/calendar")
async def enter_calendar(
    *,
    request: Request,
    runtime: RuntimeDep,
    actor: ActorDep,
    conn: Transaction,
    form: Annotated[CalendarForm, Form()],
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Enter a year's working days; what was typed comes back when something in it is wrong."""
    office = await office_of(runtime, actor, conn)
    office.actor.require(Role.OPERATOR)
    years, profiles = _known(runtime)
    values = {"years": years, "profiles": profiles, "form": form}
    try:
        made = _typed(form, await file.read() if file is not None else b"")
        await imports.put_calendar(office, made)
    except InvalidInputError as error:
        answer = page(request, actor, "calendar.html", error=error, done=None, **values)
        answer.status_code = error.status
        return answer
    return page(request, actor, "calendar.html", error=None, done=made, **(values | {"form": None}))
