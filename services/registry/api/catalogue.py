"""The catalogue file, the years of working days and the deadline profiles."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from services.contracts.base import Role
from services.contracts.catalogue import CalendarYear, Profile, ProfileRevision
from services.contracts.values import ShortText
from services.kit.clock import local_day
from services.kit.errors import NotFoundError
from services.kit.web import ActorDep, RuntimeDep, Transaction
from services.registry.api.staff import office_of
from services.registry.bulk.days import checked_year, read_calendar
from services.registry.commands import imports
from services.registry.schemas import CalendarIn, CatalogueAppliedOut, CatalogueCheckOut, DifferenceOut, ProfileIn

router = APIRouter()
Year = Annotated[int, Path(ge=2000, le=2100)]
Code = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


@router.post("/catalogue/check")
async def check(request: Request, runtime: RuntimeDep, actor: ActorDep) -> CatalogueCheckOut:
    """Read a catalogue file (CSV as the body) and tell what it would change; faults by line and column."""
    actor.require(Role.OPERATOR)
    items = imports.read_catalogue(await request.body(), local_day(runtime.clock.now()))
    found = imports.differences(runtime.reference, items)
    absent = sorted(set(runtime.reference.items) - {i.code for i in items})
    return CatalogueCheckOut(
        items=len(items),
        differences=[DifferenceOut(item=d.item, field=d.field, before=d.before, after=d.after) for d in found],
        absent=absent,
    )


@router.post("/catalogue/apply")
async def apply(request: Request, runtime: RuntimeDep, actor: ActorDep, conn: Transaction) -> CatalogueAppliedOut:
    """Take a catalogue file over from today: all of it or nothing."""
    office = await office_of(runtime, actor, conn)
    return CatalogueAppliedOut(changed=await imports.apply_catalogue(office, await request.body()))


@router.put("/calendar/{year}")
async def put_calendar(
    year: Year, body: CalendarIn, runtime: RuntimeDep, actor: ActorDep, conn: Transaction
) -> CalendarYear:
    """State a year's days off and make-up working days (调休), as the State Council announced them."""
    office = await office_of(runtime, actor, conn)
    made = imports.stated(lambda: checked_year(year, body.days_off, body.working_weekends, body.source))
    return await imports.put_calendar(office, made)


@router.post("/calendar/{year}/file")
async def calendar_file(
    year: Year,
    request: Request,
    runtime: RuntimeDep,
    actor: ActorDep,
    conn: Transaction,
    source: Annotated[ShortText, Query(description="the announcement")],
) -> CalendarYear:
    """The same from a CSV with the columns `date` and `kind` (`off` or `work`); all of it or nothing."""
    office = await office_of(runtime, actor, conn)
    data = await request.body()
    return await imports.put_calendar(office, imports.parsed(lambda d: read_calendar(d, year, source), data))


@router.get("/profiles/{code}")
async def profile(code: Code, runtime: RuntimeDep, _actor: ActorDep) -> Profile:
    """A deadline profile with its history."""
    known = runtime.reference.profiles.get(code)
    if known is None:
        detail = f"没有代码为 {code} 的期限档案。"
        raise NotFoundError(detail)
    return known


@router.get("/profiles")
async def profiles(runtime: RuntimeDep, _actor: ActorDep) -> dict[str, Any]:
    """All deadline profiles."""
    return {"items": [p for _, p in sorted(runtime.reference.profiles.items())], "next": None}


@router.put("/profiles/{code}")
async def put_profile(code: Code, body: ProfileIn, runtime: RuntimeDep, actor: ActorDep, conn: Transaction) -> Profile:
    """State a deadline profile from today on."""
    office = await office_of(runtime, actor, conn)
    revision = ProfileRevision(since=office.today, **body.model_dump())
    return await imports.put_profile(office, code, revision)
