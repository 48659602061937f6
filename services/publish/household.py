"""家里的一行: a household looks for its own lines, by full name and the last four digits of the card that they are paid to.

Nothing is indexed for it: every look opens the village's open rosters and reads through all of them, whoever is asked for,
and every answer takes the same time. Nothing of a question is kept.
"""

import asyncio
import time
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Path
from fastapi.responses import Response

from services.contracts.households import household_ref
from services.kit.errors import NotFoundError
from services.kit.rates import TooOftenError
from services.kit.route import Route
from services.publish.bodies.renderer import Bodies
from services.publish.commands.allowances import count_look
from services.publish.errors import LookedForTooOftenError
from services.publish.hot.answers import HTML, JSON
from services.publish.render.disclosure import fades_on
from services.publish.render.household import HouseholdLine, lines_of
from services.publish.render.places import Village, item_at
from services.publish.schemas import HouseholdIn, HouseholdLineOut, HouseholdOut
from services.publish.store import publications, rosters
from services.publish.visit import PATIENCE_S, Visit, VisitDep

router = APIRouter(route_class=Route)
#: What nobody may keep, least of all a telephone that others use.
_KEPT_BY_NOBODY: Final = {"cache-control": "no-store", "x-robots-tag": "noindex", "referrer-policy": "no-referrer"}
#: Every answer takes so long, whatever was found: what a look costs is well below it.
ANSWER_S: Final = 1.0


def _on(visit: VisitDep) -> None:
    """NotFoundError in a city that did not turn it on."""
    if visit.settings.household_key is None:
        raise NotFoundError


async def _let_in(visit: Visit, village: Village, name: str) -> None:
    """Count a look; TooOftenError for a network that looked too often, LookedForTooOftenError for a name of the village."""
    async with visit.changing() as conn:
        of_network, of_name = await count_look(visit, conn, village.code, name)
    # Behind the commit: whoever is refused for a name has looked all the same.
    if of_network:
        raise TooOftenError(retry_after_s=of_network)
    if of_name:
        raise LookedForTooOftenError(retry_after_s=of_name)


async def _look(visit: Visit, village: Village, asked: HouseholdIn) -> list[HouseholdLine]:
    """The lines of a household, in an answer's time."""
    await _let_in(visit, village, asked.name)
    started = time.monotonic()
    key = visit.settings.household_key
    assert key is not None  # noqa: S101 - `_on` stands before
    ref = household_ref(key.get_secret_value().encode(), asked.name, asked.card_tail)
    async with visit.own.looking:
        async with visit.runtime.database.connection_within(PATIENCE_S) as conn:
            known = await rosters.select_open_rosters(conn, village.code)
            shown = [p for p in known if not _faded(visit.bodies, p.item, p.period, visit)]
            editions = await publications.select_editions(conn, [(p.disclosure_id, p.edition) for p in shown])
        bodies = [
            (p, editions[p.disclosure_id, p.edition].body) for p in shown if (p.disclosure_id, p.edition) in editions
        ]
        found = await asyncio.to_thread(lines_of, visit.bodies.reference.items, bodies, ref)
    await asyncio.sleep(max(0.0, ANSWER_S - (time.monotonic() - started)))
    return found


def _faded(bodies: Bodies, item: str, period: str, visit: Visit) -> bool:
    fades = fades_on(item_at(bodies.reference.items, item, period), period)
    return fades is not None and visit.today >= fades


VillageOf = Annotated[str, Path(description="the village's 12 digits")]


@router.get("/v/{code}/mine", include_in_schema=False, dependencies=[Depends(_on)])
async def form(code: VillageOf, visit: VisitDep) -> Response:
    """Ask for name and card; NotFoundError where it is off."""
    return _page(visit, visit.village(code), None)


@router.post("/v/{code}/mine", include_in_schema=False, dependencies=[Depends(_on)])
async def looked(code: VillageOf, visit: VisitDep, asked: Annotated[HouseholdIn, Form()]) -> Response:
    """The household's own lines, or that there are none; TooOftenError."""
    village = visit.village(code)
    return _page(visit, village, await _look(visit, village, asked))


def _page(visit: Visit, village: Village, lines: list[HouseholdLine] | None) -> Response:
    body = visit.bodies.html("mine.html", of_persons=True, village=village, lines=lines)
    return Response(body.content, headers=_KEPT_BY_NOBODY, media_type=HTML)


@router.post(
    "/api/v1/villages/{code}/household",
    tags=["public"],
    response_model=HouseholdOut,
    dependencies=[Depends(_on)],
    responses={429: {"description": "`too_often`, `looked_for_too_often`: `Retry-After` says when to come again."}},
)
async def household(code: VillageOf, visit: VisitDep, asked: HouseholdIn) -> Response:
    """A household's own lines of the village's open rosters; the same empty answer for a name that is not there and for other digits. 404 where the city did not turn it on."""
    lines = await _look(visit, visit.village(code), asked)
    told = HouseholdOut(lines=[_out(line, visit.bodies.public_url) for line in lines])
    return Response(told.model_dump_json(), headers=_KEPT_BY_NOBODY, media_type=JSON)


def _out(line: HouseholdLine, public_url: str) -> HouseholdLineOut:
    return HouseholdLineOut(
        item=line.item,
        title=f"{line.period_words}{line.official}",
        period=line.period,
        amount_fen=line.amount_fen,
        facts=dict(line.facts),
        url=f"{public_url}/d/{line.disclosure_id}",
    )
