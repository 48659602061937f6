"""Reading the divisions, the catalogue and the calendar."""

from typing import Any

from fastapi import APIRouter

from services.kit.clock import local_day
from services.kit.web import ActorDep, PageDep, RuntimeDep
from services.registry.commands.states import years_missing
from services.registry.schemas import CalendarsOut, DivisionOut

router = APIRouter()


@router.get("/divisions")
async def divisions(runtime: RuntimeDep, actor: ActorDep, page: PageDep) -> dict[str, Any]:
    """Divisions within the caller's part of the tree, by code."""
    codes = [c for c in sorted(runtime.reference.divisions) if runtime.reference.covers(actor.scope, c)]
    chosen = [c for c in codes if page.after is None or c > page.after]
    items = []
    for code in chosen[: page.limit]:
        now = runtime.reference.divisions[code].now
        start = runtime.reference.duty_division(code).duties_from
        items.append(
            DivisionOut(
                code=code,
                name=now.name,
                kind=now.kind,
                parent=now.parent,
                duties_from=start.isoformat() if start else None,
                sample=runtime.reference.is_sample(),
            ),
        )
    return page.answer(items, items[-1].code if len(chosen) > page.limit else None)


@router.get("/catalogue")
async def catalogue(runtime: RuntimeDep, _actor: ActorDep) -> dict[str, Any]:
    """The catalogue as it stands today."""
    today = local_day(runtime.clock.now())
    items = [
        {"code": code, **item.at(today).model_dump(mode="json")}
        for code, item in sorted(runtime.reference.items.items())
    ]
    return {"items": items, "next": None}


@router.get("/calendar")
async def calendar(runtime: RuntimeDep, _actor: ActorDep) -> CalendarsOut:
    """The years whose days off and make-up working days are known, and those that should be."""
    years = runtime.reference.years.values()
    return CalendarsOut(items=sorted(years, key=lambda y: y.year), missing=list(years_missing(runtime)))
