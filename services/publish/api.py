"""JSON routes of publish: open to all, cacheable, keyset cursors. One village or disclosure is usually answered before."""

import json
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from operator import attrgetter
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Depends, Header, Path, Query
from fastapi.responses import Response

from services.contracts.catalogue import Affair, ItemCode
from services.contracts.duties import CellKey, GridCell
from services.contracts.values import DivisionCode, Period
from services.contracts.words import SETS
from services.kit.listing import Cursor, Listing, Page
from services.kit.route import Route
from services.publish.bodies.out import (
    CHANGES,
    catalogue_item_out,
    change_out,
    division_out,
    duty_out,
    village_out,
)
from services.publish.hot.front import cached_json
from services.publish.render.cells import Cells
from services.publish.render.rows import Publication
from services.publish.render.texts import names_anybody
from services.publish.schemas import (
    CatalogueItemOut,
    ChangeOut,
    DisclosureBodyOut,
    DisclosureOut,
    DivisionOut,
    DutyOut,
    VillageOut,
    VillagePageOut,
    WordsOut,
)
from services.publish.store import cells, marks, publications
from services.publish.store.publications import ListPlace
from services.publish.visit import Public, PublicDep, VisitDep, codes_within


class DutyPlace(NamedTuple):
    """Where a cell stands among a village's."""

    period: Period
    item: ItemCode


router = APIRouter(prefix="/api/v1", route_class=Route, tags=["public"])
DIVISIONS: Final = Cursor[str](DivisionCode)
ITEMS: Final = Cursor[str](ItemCode)
DISCLOSURES: Final = Cursor[ListPlace](ListPlace)
DUTIES: Final = Cursor[DutyPlace](DutyPlace)
DivisionPage = Annotated[Page[str], Depends(DIVISIONS)]
Seen = Annotated[
    str | None,
    Header(alias="If-None-Match", description="`ETag` of an earlier answer; 304 when it is still the newest"),
]
VillageOf = Annotated[str, Path(description="the village's 12 digits")]
Within = Annotated[Period | None, Query(description="2026-10, 2026Q3, 2026H1, 2026, or a day")]
_TAGGED: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "What `If-None-Match` names is still the newest."}
}
_WORDS: Final = json.dumps(
    {name: {str(k): word for k, word in of.items()} for name, of in SETS.items()}, ensure_ascii=False
).encode()


def _tagged(listing: Listing[Any], seen: str | None, *, of_persons: bool = False) -> Response:
    return cached_json(listing.model_dump_json().encode(), seen, of_persons=of_persons)


@router.get("/words", response_model=WordsOut, responses=_TAGGED)
async def words(seen: Seen = None) -> Response:
    """What the members of every closed set are called, by the field that holds them: the same words as on the pages."""
    return cached_json(_WORDS, seen)


# -- places -------------------------------------------------------------------------------------------------------


def _codes_behind(page: Page[str], codes: Iterable[str]) -> list[str]:
    return sorted(code for code in codes if page.after is None or code > page.after)


@router.get("/divisions", response_model=Listing[DivisionOut], responses=_TAGGED)
async def divisions(visit: VisitDep, page: DivisionPage, seen: Seen = None) -> Response:
    """The whole tree, by code."""
    known, bodies = visit.reference.divisions, visit.bodies
    rows = [(known[code], bodies.township(known[code].now.parent or "")) for code in _codes_behind(page, known)]
    return _tagged(page.of(rows, lambda row: row[0].code, lambda row: division_out(*row)), seen)


@router.get("/villages", response_model=Listing[VillageOut], responses=_TAGGED)
async def villages(visit: VisitDep, page: DivisionPage, seen: Seen = None) -> Response:
    """Villages and communities, by code."""
    found = (visit.bodies.village(code) for code in _codes_behind(page, visit.reference.divisions))
    return _tagged(page.of([v for v in found if v is not None], lambda v: v.code, village_out), seen)


@router.get("/villages/{code}", response_model=VillagePageOut, responses=_TAGGED)
async def village(code: VillageOf, reader: PublicDep) -> Response:
    """A village or community with its newest month; 404 for anything else."""
    return await reader.render(("village", reader.village(code).code), f"/api/v1/villages/{code}")


# -- catalogue ----------------------------------------------------------------------------------------------------


@router.get("/catalogue", response_model=Listing[CatalogueItemOut], responses=_TAGGED)
async def catalogue(visit: VisitDep, page: Annotated[Page[str], Depends(ITEMS)], seen: Seen = None) -> Response:
    """What villages have to open: each item with its names, how often and until when, how names are shown, on what law; by code."""
    items = visit.reference.items
    rows = [items[code] for code in _codes_behind(page, items)]
    return _tagged(page.of(rows, attrgetter("code"), partial(catalogue_item_out, today=visit.today)), seen)


# -- disclosures --------------------------------------------------------------------------------------------------


@router.get("/villages/{code}/disclosures", response_model=Listing[DisclosureOut], responses=_TAGGED)
async def disclosures(
    *,
    code: VillageOf,
    reader: PublicDep,
    page: Annotated[Page[ListPlace], Depends(DISCLOSURES)],
    affair: Annotated[Affair | None, Query(description="one of the three affairs")] = None,
    item: Annotated[ItemCode | None, Query(description="code of an item of the catalogue, as F01")] = None,
    period: Within = None,
    seen: Seen = None,
) -> Response:
    """What a village opened, newest first, withdrawn ones as their tombstones."""
    village, wanted = reader.village(code), reader.wanted(affair, item, period)
    select = partial(publications.select_list, reader.conn, village.code, wanted, period)
    return await _listed(reader, page, select, seen)


async def _listed(
    reader: Public,
    page: Page[ListPlace],
    select: Callable[[ListPlace | None, int], Awaitable[list[Publication]]],
    seen: str | None,
) -> Response:
    rows = await select(page.after, page.fetch_limit)
    return _tagged(
        page.of(rows, lambda p: ListPlace(p.published_at, p.disclosure_id), reader.bodies.disclosure_out), seen
    )


@router.get("/disclosures", response_model=Listing[DisclosureOut], responses=_TAGGED)
async def everywhere(
    *,
    reader: PublicDep,
    page: Annotated[Page[ListPlace], Depends(DISCLOSURES)],
    township: Annotated[DivisionCode | None, Query(description="only villages of this township")] = None,
    affair: Annotated[Affair | None, Query(description="one of the three affairs")] = None,
    item: Annotated[ItemCode | None, Query(description="code of an item of the catalogue, as F01")] = None,
    period: Within = None,
    seen: Seen = None,
) -> Response:
    """What all villages opened, newest first, withdrawn ones as their tombstones."""
    reader.require_township(township)
    wanted = reader.wanted(affair, item, period)
    select = partial(publications.select_everywhere, reader.conn, wanted, codes_within(township or ""), period)
    return await _listed(reader, page, select, seen)


@router.get(
    "/disclosures/{disclosure_id}",
    response_model=DisclosureBodyOut,
    responses={**_TAGGED, 410: {"description": "`withdrawn`: the reason stays, the content is gone."}},
)
async def disclosure(
    disclosure_id: Annotated[str, Path(description="id of the disclosure")], reader: PublicDep
) -> Response:
    """One disclosure with its newest content; 410 with the reason once it was withdrawn."""
    return await reader.render(("disclosure", disclosure_id), f"/api/v1/disclosures/{disclosure_id}")


@router.get("/changes", response_model=Listing[ChangeOut], responses=_TAGGED)
async def changes(reader: PublicDep, page: Annotated[Page[int], Depends(CHANGES)], seen: Seen = None) -> Response:
    """Everything that changed for readers, in the order of commits. Keep the last item's `cursor` to go on later."""
    rows = await marks.select_changes(reader.conn, page.after or 0, page.fetch_limit)
    return _tagged(page.of(rows, lambda change: change.position, change_out), seen)


# -- duties -------------------------------------------------------------------------------------------------------


def _place_of(cell: GridCell) -> DutyPlace:
    return DutyPlace(cell.key.period, cell.key.item)


@router.get("/villages/{code}/duties", response_model=Listing[DutyOut], responses=_TAGGED)
async def duties(
    code: VillageOf,
    reader: PublicDep,
    page: Annotated[Page[DutyPlace], Depends(DUTIES)],
    period: Within = None,
    seen: Seen = None,
) -> Response:
    """What a village owes in a period (without one: all it owed until now and all it opened) and how that stands."""
    village, bodies = reader.village(code), reader.bodies
    facts = (await cells.select_cell_facts(reader.conn, [village.code], period=period))[village.code]
    known = Cells(facts)
    # By period and item. Which cells there are is told fast; how one stands only where it is shown.
    places = sorted(DutyPlace(key.period, key.item) for key in bodies.keys_of(village, known, reader.now, period))
    keys = [CellKey(p.item, p.period) for p in places if page.after is None or p > page.after]
    rows = bodies.grid_of(village, known, keys, reader.now, page.fetch_limit)
    reasons = {CellKey(w.item, w.period): w.reason for w in facts.waivers}
    shown = page.of(rows, _place_of, lambda cell: duty_out(cell, known.live(cell.key), reasons.get(cell.key)))
    return _tagged(shown, seen, of_persons=names_anybody(duty.waiver for duty in shown.items))
