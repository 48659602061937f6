"""The catalogue file, the years of working days and the deadline profiles."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from services.contracts.catalogue import CalendarYear, Profile, ProfileRevision
from services.contracts.values import ShortText
from services.kit.errors import NotFoundError
from services.kit.listing import Listing
from services.kit.route import Route
from services.kit.visit import STAFF, may
from services.registry.api.files import TAKES_CSV, CsvDep
from services.registry.commands import imports
from services.registry.schemas import CalendarIn, CatalogueAppliedOut, CatalogueCheckOut, DifferenceOut, ProfileIn
from services.registry.visit import MAY_MANAGE, CallerDep, ChangingDep

router = APIRouter(route_class=Route, tags=["catalogue"])
Year = Annotated[int, Path(ge=2000, le=2100, description="the calendar year, as 2027")]
Code = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", description="code of the deadline profile")]


@router.post("/catalogue/check", openapi_extra=TAKES_CSV, dependencies=[may(*MAY_MANAGE)])
async def check(data: CsvDep, caller: CallerDep) -> CatalogueCheckOut:
    """Read a catalogue file (CSV as the body) and tell what it would change; faults by line and column."""
    items = imports.read_catalogue(data, caller.today)
    found = imports.differences(caller.reference, items)
    return CatalogueCheckOut(
        items=len(items),
        differences=[DifferenceOut(item=d.item, field=d.field, before=d.before, after=d.after) for d in found],
        absent=sorted(set(caller.reference.items) - {i.code for i in items}),
    )


@router.post("/catalogue/apply", openapi_extra=TAKES_CSV, dependencies=[may(*MAY_MANAGE)])
async def apply(data: CsvDep, desk: ChangingDep) -> CatalogueAppliedOut:
    """Take a catalogue file over from today: all of it or nothing."""
    return CatalogueAppliedOut(changed=await imports.apply_catalogue(desk, data))


@router.put("/calendar/{year}", dependencies=[may(*MAY_MANAGE)])
async def put_calendar(year: Year, body: CalendarIn, desk: ChangingDep) -> CalendarYear:
    """State a year's days off and make-up working days (调休), as the State Council announced them."""
    made = imports.make_year(year, body.days_off, body.working_weekends, body.source)
    return await imports.put_calendar(desk, made)


@router.post("/calendar/{year}/file", openapi_extra=TAKES_CSV, dependencies=[may(*MAY_MANAGE)])
async def calendar_file(
    year: Year, data: CsvDep, desk: ChangingDep, source: Annotated[ShortText, Query(description="the announcement")]
) -> CalendarYear:
    """State a year's days by a CSV with the columns `date` and `kind` (`off` or `work`); all of it or nothing."""
    return await imports.put_calendar(desk, imports.read_calendar_file(data, year, source))


@router.get("/profiles/{code}", dependencies=[may(*STAFF)])
async def profile(code: Code, caller: CallerDep) -> Profile:
    """A deadline profile with its history."""
    known = caller.reference.profiles.get(code)
    if known is None:
        detail = f"没有代码为 {code} 的期限档案。"
        raise NotFoundError(detail)
    return known


@router.get("/profiles", dependencies=[may(*STAFF)])
async def profiles(caller: CallerDep) -> Listing[Profile]:
    """All deadline profiles with their histories, by code."""
    return Listing(items=[p for _, p in sorted(caller.reference.profiles.items())])


@router.put("/profiles/{code}", dependencies=[may(*MAY_MANAGE)])
async def put_profile(code: Code, body: ProfileIn, desk: ChangingDep) -> Profile:
    """State a deadline profile from today on."""
    return await imports.put_profile(desk, code, ProfileRevision(since=desk.today, **body.model_dump()))
