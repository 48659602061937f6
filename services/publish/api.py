"""JSON routes of publish: open to all, cacheable, keyset cursors. One village or disclosure is usually answered before."""

import json
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Depends, Header, Path, Query
from fastapi.responses import Response

from services.contracts.bodies import Direction
from services.contracts.catalogue import Affair, ItemCode
from services.contracts.duties import CellKey, GridCell
from services.contracts.values import FEN_LIMIT, DivisionCode, Period, period_bounds
from services.contracts.words import SETS
from services.kit.errors import Fault, InvalidInputError
from services.kit.listing import Cursor, Listing, Page
from services.kit.route import Route
from services.publish.bodies import finding
from services.publish.bodies.out import (
    CHANGES,
    catalogue_item_out,
    change_out,
    division_out,
    duty_out,
    line_out,
    village_out,
)
from services.publish.hot.front import cached_json
from services.publish.render.cells import Cells
from services.publish.render.found import Hit, LineTerms
from services.publish.render.passages import LINES, firm_of
from services.publish.render.rows import Publication
from services.publish.render.texts import names_anybody
from services.publish.schemas import (
    CatalogueItemOut,
    ChangeOut,
    DisclosureBodyOut,
    DisclosureOut,
    DivisionOut,
    DutyOut,
    FirmOut,
    FoundItemOut,
    FoundLineOut,
    SearchOut,
    VillageOut,
    VillagePageOut,
    WordsOut,
)
from services.publish.store import cells, marks, publications
from services.publish.store.publications import ListPlace
from services.publish.store.searchable import FoundPlace, Sought
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
FOUND: Final = Cursor[FoundPlace](FoundPlace)
DivisionPage = Annotated[Page[str], Depends(DIVISIONS)]
Seen = Annotated[
    str | None,
    Header(alias="If-None-Match", description="`ETag` of an earlier answer; 304 when it is still the newest"),
]
_VILLAGE_DIGITS: Final = 12
LONGEST_SEARCH: Final = 60
FIRM_KEY: Final = re.compile(r"[0-9a-f]{16}")
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


# -- lines --------------------------------------------------------------------------------------------------------

Money = Annotated[
    int | None, Query(ge=-FEN_LIMIT, le=FEN_LIMIT, description="fen; both ends count; a reversal is below nothing")
]


@router.get("/search", response_model=SearchOut, responses=_TAGGED)
async def find(
    reader: PublicDep,
    part: Annotated[Page[FoundPlace], Depends(FOUND)],
    q: Annotated[
        str, Query(max_length=LONGEST_SEARCH, description="names, words, amounts, periods, as people type them")
    ],
    seen: Seen = None,
) -> Response:
    """Villages, items, firms and lines by what people type, as `/search` shows them. Persons are never found."""
    bodies, items = reader.bodies, reader.reference.items
    asked = finding.ask(q, bodies.villages(), items, reader.today)
    hits: list[Hit] = []
    following = None
    if asked.sought is not None:
        look = finding.Look(items, reader.today, part.after, part.limit)
        hits, following = await finding.find(reader.conn, look, asked.sought, asked.terms)
    url = bodies.public_url
    out = SearchOut(
        villages=[village_out(v) for v in asked.found.villages],
        alike=[village_out(v) for v in asked.found.alike],
        items=[FoundItemOut(plain_name=i.plain, name=i.official) for i in asked.found.items],
        firms=[FirmOut(key=k, name=n, url=f"{url}/f/{k}") for k, n in finding.firms_in(hits, asked.terms.words)],
        lines=[_line_out(reader, hit) for hit in hits],
        next=FOUND.text(following) if following is not None else None,
        persons=bool(asked.persons),
    )
    return cached_json(out.model_dump_json().encode(), seen, of_persons=True)


def _line_out(reader: Public, hit: Hit) -> FoundLineOut:
    key = finding.firm_key(hit.firm) if hit.firm is not None else None
    return line_out(hit, reader.bodies.public_url, key)


@router.get("/lines", response_model=Listing[FoundLineOut], responses=_TAGGED)
async def lines(
    *,
    reader: PublicDep,
    part: Annotated[Page[FoundPlace], Depends(FOUND)],
    item: Annotated[ItemCode | None, Query(description="code of an item of the catalogue, as F01")] = None,
    period: Within = None,
    township: Annotated[DivisionCode | None, Query(description="only villages of this township")] = None,
    village: Annotated[DivisionCode | None, Query(description="only this village")] = None,
    category: Annotated[
        str | None, Query(min_length=1, max_length=200, description="account title, as 管理费用")
    ] = None,
    direction: Annotated[Direction | None, Query(description="in, out or transfer")] = None,
    least_fen: Money = None,
    most_fen: Money = None,
    firm: Annotated[
        str | None, Query(min_length=1, max_length=200, description="a firm that was paid: name or key")
    ] = None,
    seen: Seen = None,
) -> Response:
    """Lines of ledgers of all villages, newest period first. An answer may hold fewer than `limit` and name a `next` all the same."""
    if least_fen is not None and most_fen is not None and least_fen > most_fen:
        raise InvalidInputError(faults=[Fault("query.least_fen", "最少的金额不能比最多的 most_fen 大")])
    within, key = _where(reader, township, village), _firm_key(firm)
    paid = finding.is_firm_with(key).firm if key is not None else None
    terms = LineTerms(category, direction, least_fen, most_fen, paid)
    marks, sizes, fens = finding.line_marks(terms, key)
    items = [item] if item is not None else list(reader.reference.items)
    sought = Sought([LINES, *marks], sizes, within, items=items, fens=fens)
    if period is not None:
        sought = replace(sought, days=(last := period_bounds(period)[1], last), periods=[period])
    look = finding.Look(reader.reference.items, reader.today, part.after, part.limit)
    hits, following = await finding.find(reader.conn, look, sought, terms)
    shown: Listing[FoundLineOut] = Listing(
        items=[_line_out(reader, hit) for hit in hits],
        next=FOUND.text(following) if following is not None else None,
    )
    return _tagged(shown, seen, of_persons=True)


def _where(reader: Public, township: str | None, village: str | None) -> tuple[str, str]:
    """The first and the last code of villages that are meant."""
    if township is not None and reader.bodies.township(township) is None:
        raise InvalidInputError(faults=[Fault("query.township", "没有这个代码的镇街")])
    if village is not None and reader.bodies.village(village) is None:
        raise InvalidInputError(faults=[Fault("query.village", "没有这个代码的村（社区）")])
    if village is not None and township is not None and not village.startswith(township):
        raise InvalidInputError(faults=[Fault("query.village", "这个村（社区）不在所选的镇街")])
    code = village or township or ""
    return code.ljust(_VILLAGE_DIGITS, "0"), code.ljust(_VILLAGE_DIGITS, "9")


def _firm_key(firm: str | None) -> str | None:
    """The key of a firm that is asked for by name or by key."""
    if firm is None or FIRM_KEY.fullmatch(firm):
        return firm
    name = firm_of("".join(firm.split()))
    if name is None:
        raise InvalidInputError(faults=[Fault("query.firm", "不是单位、商店的名称；收款的个人不按姓名查")])
    return finding.firm_key(name)


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
    shown = page.of(
        rows, _place_of, lambda cell: duty_out(cell, known.live(cell.key), reasons.get(cell.key), reader.now)
    )
    return _tagged(shown, seen, of_persons=names_anybody(duty.waiver for duty in shown.items))
