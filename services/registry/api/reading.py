"""Reading the divisions, the catalogue and the calendar."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends

from services.contracts.division import Division
from services.contracts.values import DivisionCode
from services.kit.listing import Cursor, Listing, Page
from services.kit.reference import Reference
from services.kit.route import Route
from services.kit.visit import STAFF, may
from services.registry.commands.states import years_missing
from services.registry.schemas import CalendarsOut, DivisionOut, ItemOut
from services.registry.visit import Caller, CallerDep

router = APIRouter(route_class=Route, tags=["reference data"])
DIVISIONS: Final = Cursor[str](DivisionCode)


def own_divisions(caller: Caller) -> list[Division]:
    """Divisions within the caller's part of the tree, by code."""
    reference, scope = caller.reference, caller.actor.scope
    return [d for code, d in sorted(reference.divisions.items()) if reference.covers(scope, code)]


def _division_out(reference: Reference, division: Division) -> DivisionOut:
    now, start = division.now, reference.duty_division(division.code).duties_from
    return DivisionOut(
        code=division.code,
        name=now.name,
        kind=now.kind,
        parent=now.parent,
        duties_from=start.isoformat() if start else None,
        sample=reference.is_sample(),
    )


@router.get("/divisions", dependencies=[may(*STAFF)])
async def divisions(caller: CallerDep, page: Annotated[Page[str], Depends(DIVISIONS)]) -> Listing[DivisionOut]:
    """Divisions within the caller's part of the tree, by code."""
    rest = [d for d in own_divisions(caller) if page.after is None or d.code > page.after]
    return page.of(rest, lambda d: d.code, lambda d: _division_out(caller.reference, d))


@router.get("/catalogue", dependencies=[may(*STAFF)])
async def catalogue(caller: CallerDep) -> Listing[ItemOut]:
    """The catalogue as it stands today."""
    items = sorted(caller.reference.items.items())
    return Listing(items=[ItemOut(code=code, **item.at(caller.today).model_dump()) for code, item in items])


@router.get("/calendar", dependencies=[may(*STAFF)])
async def calendar(caller: CallerDep) -> CalendarsOut:
    """The years whose days off and make-up working days are known, and those that should be."""
    years = sorted(caller.reference.years.values(), key=lambda y: y.year)
    return CalendarsOut(items=years, missing=list(years_missing(caller.reference, caller.today)))
