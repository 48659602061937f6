"""Pages to look things up: the trail of actions, divisions, catalogue, calendar and deadline profiles."""

from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.contracts.values import ShortText
from services.kit.errors import InvalidInputError
from services.kit.reference import Reference
from services.kit.route import Route
from services.kit.trail import LOOKERS
from services.kit.trail_page import FiltersDep, trail_values
from services.kit.visit import STAFF, may
from services.registry.api.reading import own_divisions
from services.registry.commands import imports
from services.registry.pages.frame import page
from services.registry.visit import MAY_MANAGE, CallerDep, ChangingDep, ReadingDep

router = APIRouter(prefix="/admin", route_class=Route)


@router.get("/actions", dependencies=[may(*LOOKERS)])
async def staff_actions(request: Request, desk: ReadingDep, filters: FiltersDep) -> Response:
    """What was done in the registry."""
    return page(request, desk, "actions.html", **await trail_values(desk, request.url.path, filters))


@router.get("/divisions", dependencies=[may(*STAFF)])
async def divisions(request: Request, caller: CallerDep) -> Response:
    """The divisions of one's part of the tree."""
    found = own_divisions(caller)
    starts = {d.code: caller.reference.duty_division(d.code).duties_from for d in found}
    return page(request, caller, "divisions.html", divisions=found, starts=starts)


@router.get("/catalogue", dependencies=[may(*STAFF)])
async def catalogue(request: Request, caller: CallerDep) -> Response:
    """The catalogue as it stands today."""
    items = [(code, item.at(caller.today)) for code, item in sorted(caller.reference.items.items())]
    return page(request, caller, "catalogue.html", items=items)


def _known(reference: Reference) -> dict[str, Any]:
    """Years and profiles as the page lists them."""
    years = [y for _, y in sorted(reference.years.items())]
    return {"years": years, "profiles": [(c, p.revisions[-1]) for c, p in sorted(reference.profiles.items())]}


@router.get("/calendar", dependencies=[may(*STAFF)])
async def calendar(request: Request, caller: CallerDep) -> Response:
    """Days off, make-up working days, and the deadline profiles."""
    return page(request, caller, "calendar.html", form=None, error=None, done=None, **_known(caller.reference))


class CalendarForm(BaseModel):
    """A year as it is typed: days and spans in words, or a CSV file instead of both."""

    year: Annotated[int, Field(ge=2000, le=2100)]
    source: ShortText
    days_off: str = ""
    working_weekends: str = ""


@router.post("/calendar", dependencies=[may(*MAY_MANAGE)])
async def enter_calendar(
    request: Request,
    desk: ChangingDep,
    form: Annotated[CalendarForm, Form()],
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Enter a year's working days; what was typed comes back when something in it is wrong."""
    known = _known(desk.reference)
    try:
        made = (
            imports.read_calendar_file(data, form.year, form.source)
            if file is not None and (data := await file.read())
            else imports.read_year(form.year, form.days_off, form.working_weekends, form.source)
        )
        await imports.put_calendar(desk, made)
    except InvalidInputError as error:
        values = {"form": form, "error": error, "done": None}
        return page(request, desk, "calendar.html", status=error.status, **known, **values)
    return page(request, desk, "calendar.html", form=None, error=None, done=made, **known)
