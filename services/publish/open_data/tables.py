"""Tables for spreadsheets, CSV and XLSX, of a disclosure and of every list: made beside the loop, never cut off in silence."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import Response

from services.contracts.catalogue import Affair, ItemCode
from services.contracts.duties import CellKey
from services.contracts.values import DivisionCode, Period
from services.kit.errors import Fault, InvalidInputError, NotFoundError
from services.kit.route import Route
from services.publish.bodies import lists
from services.publish.bodies.loading import Loaded
from services.publish.bodies.out import catalogue_item_out, division_out, duty_out, village_out
from services.publish.errors import WithdrawnError
from services.publish.hot.answers import CACHE_CONTROL, FOR_PROGRAMS, OF_PERSONS, etag_of
from services.publish.render.cells import Cells
from services.publish.render.export import Sheet, csv_of, xlsx_of
from services.publish.render.places import Village
from services.publish.render.rows import Publication
from services.publish.render.sentences import MONEY_ITEM
from services.publish.render.tabular import content_sheets, workbook
from services.publish.render.texts import names_anybody
from services.publish.render.township import village_sheet
from services.publish.render.words import LICENCE
from services.publish.schemas import DisclosureOut
from services.publish.store import cells, publications, questions, standings
from services.publish.store.publications import ListPlace
from services.publish.visit import Public, Visit, VisitDep, codes_within

pages = APIRouter(route_class=Route, include_in_schema=False)
lists_of_api = APIRouter(prefix="/api/v1", route_class=Route, tags=["tables"])
router = APIRouter()
CSV: Final = "text/csv; charset=utf-8; header=present"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TYPES: Final = {"csv": CSV, "xlsx": XLSX}
#: A month of every item of a city of 300 villages; what is longer is read page by page.
_MOST_ROWS: Final = 20_000
_PAGE: Final = 1_000
_TABLE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The table.",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        },
    },
    304: {"description": "What `If-None-Match` names is still the newest."},
    503: {"description": "Too many tables are asked for; `Retry-After` says when to come again."},
}
Rows = Awaitable[list[Publication]]
Suffix = Annotated[Literal["csv", "xlsx"], Path(description="csv, or xlsx for Excel, WPS and LibreOffice")]
Seen = Annotated[
    str | None,
    Header(alias="If-None-Match", description="`ETag` of an earlier answer; 304 when it is still the newest"),
]
VillageOf = Annotated[str, Path(description="the village's 12 digits")]
ItemOf = Annotated[ItemCode | None, Query(description="code of an item of the catalogue, as F01")]
Within = Annotated[Period | None, Query(description="2026-10, 2026Q3, 2026H1, 2026, or a day")]
AffairOf = Annotated[Affair | None, Query(description="one of the three affairs")]


def table_answer(content: bytes, name: str, suffix: str, seen: str | None, *, of_persons: bool = False) -> Response:
    """A table as a file with its name; 304 for whoever has it."""
    tag = etag_of(content)
    headers = {
        "etag": f'"{tag}"',
        "cache-control": OF_PERSONS if of_persons else CACHE_CONTROL,
        "link": f'<{LICENCE}>; rel="license"',
        **({"x-robots-tag": "noindex"} if of_persons else {}),
        **FOR_PROGRAMS,
    }
    if seen is not None and (tag in seen or seen == "*"):
        return Response(status_code=304, headers=headers)
    plain = "".join(sign for sign in name if sign.isascii()).strip("_")
    headers["content-disposition"] = (
        f"attachment; filename=\"{plain}.{suffix}\"; filename*=UTF-8''{quote(f'{name}.{suffix}')}"
    )
    return Response(content, media_type=TYPES[suffix], headers=headers)


def _written(suffix: str, sheets: Sequence[Sheet]) -> bytes:
    return csv_of(sheets) if suffix == "csv" else xlsx_of(sheets)


def _require_type(suffix: str) -> None:
    """A page has the tables that there are; any other ending is an address of nothing."""
    if suffix not in TYPES:
        raise NotFoundError


# -- one disclosure -----------------------------------------------------------------------------------------------


@pages.get("/d/{disclosure_id}.{suffix}")
async def table(disclosure_id: str, suffix: str, visit: VisitDep, seen: Seen = None) -> Response:
    """A disclosure for spreadsheets, as its page shows it; NotFoundError, WithdrawnError."""
    _require_type(suffix)
    return await _disclosure(visit, disclosure_id, suffix, seen)


@lists_of_api.get(
    "/disclosures/{disclosure_id}.{suffix}",
    response_class=Response,
    responses={**_TABLE, 410: {"description": "`withdrawn`: the reason stays, the content is gone."}},
)
async def disclosure_table(
    disclosure_id: Annotated[str, Path(description="id of the disclosure")],
    suffix: Suffix,
    visit: VisitDep,
    seen: Seen = None,
) -> Response:
    """One disclosure's newest content as a table; names as on its page."""
    return await _disclosure(visit, disclosure_id, suffix, seen)


async def _disclosure(visit: Visit, disclosure_id: str, suffix: str, seen: str | None) -> Response:
    async with visit.reading() as reader:
        loaded = await visit.bodies.load(reader.conn, [("disclosure", disclosure_id)])
    p = loaded.publications.get(disclosure_id)
    if p is None:
        raise NotFoundError
    content, of_persons = await visit.own.making.make(partial(_disclosure_table, visit, loaded, disclosure_id, suffix))
    village = visit.bodies.village(p.village_code)
    name = f"{village.name if village is not None else ''}_{p.item}_{p.period}"
    return table_answer(content, name, suffix, seen, of_persons=of_persons)


def _disclosure_table(visit: Visit, loaded: Loaded, disclosure_id: str, suffix: str) -> tuple[bytes, bool]:
    found = visit.bodies.opened(loaded, disclosure_id)
    if found is None:
        raise WithdrawnError
    page, content = found
    url = f"{visit.bodies.public_url}/d/{disclosure_id}"
    sheets = content_sheets(page, content) if suffix == "csv" else workbook(page, content, url)
    return _written(suffix, sheets), content.of_persons


# -- villages side by side ----------------------------------------------------------------------------------------


@pages.get("/t/{code}.{suffix}")
async def township_table(code: str, suffix: str, visit: VisitDep, seen: Seen = None) -> Response:
    """A township's villages for spreadsheets: the newest month of each, and what it lacks; NotFoundError."""
    _require_type(suffix)
    if visit.bodies.township(code) is None:
        raise NotFoundError
    return await _villages_table(visit, visit.bodies.villages_of(code), code, suffix, seen)


@pages.get("/villages.{suffix}")
async def city_table(suffix: str, visit: VisitDep, seen: Seen = None) -> Response:
    """The same of all villages of the city."""
    _require_type(suffix)
    return await _villages_table(visit, visit.bodies.villages(), "villages", suffix, seen)


async def _villages_table(
    visit: Visit, villages: Sequence[Village], name: str, suffix: str, seen: str | None
) -> Response:
    async with visit.reading() as reader:
        codes = [v.code for v in villages]
        newest = await publications.select_newest_of_item(reader.conn, codes, MONEY_ITEM)
        lacking = await standings.select_standings(reader.conn)
        tallies = await questions.select_tallies(reader.conn, codes, reader.today)
    sheet = village_sheet(villages, newest, lacking, tallies)
    return await _made(visit, name, [sheet], suffix, seen)


async def _made(
    visit: Visit, name: str, sheets: Sequence[Sheet], suffix: str, seen: str | None, *, of_persons: bool = False
) -> Response:
    content = await visit.own.making.make(partial(_written, suffix, sheets))
    return table_answer(content, name, suffix, seen, of_persons=of_persons)


# -- lists --------------------------------------------------------------------------------------------------------


def _suffix(request: Request) -> str:
    return request.url.path.rpartition(".")[2]


# Each by its name: other endings have addresses of their own.
@pages.get("/v/{code}/{item}.csv")
@pages.get("/v/{code}/{item}.xlsx")
async def item_table(
    code: str, item: str, suffix: Annotated[str, Depends(_suffix)], visit: VisitDep, seen: Seen = None
) -> Response:
    """All that a village ever opened of one item, newest first; NotFoundError."""
    village = visit.village(code)
    if item not in visit.reference.items:
        raise NotFoundError
    return await _disclosures_of_village(visit, village, [item], None, suffix, seen)


@lists_of_api.get("/villages/{code}/disclosures.{suffix}", response_class=Response, responses=_TABLE)
async def village_disclosures(
    *,
    code: VillageOf,
    suffix: Suffix,
    visit: VisitDep,
    affair: AffairOf = None,
    item: ItemOf = None,
    period: Within = None,
    seen: Seen = None,
) -> Response:
    """What a village opened as a table, newest first; 422 beyond 20,000 rows."""
    village = visit.village(code)
    return await _disclosures_of_village(visit, village, visit.wanted(affair, item, period), period, suffix, seen)


async def _disclosures_of_village(
    visit: Visit, village: Village, items: list[str], period: str | None, suffix: str, seen: str | None
) -> Response:
    def select(reader: Public, place: ListPlace | None) -> Rows:
        return publications.select_list(reader.conn, village.code, items, period, place, _PAGE)

    return await _disclosures(visit, village.code, select, suffix, seen)


@lists_of_api.get("/disclosures.{suffix}", response_class=Response, responses=_TABLE)
async def all_disclosures(
    *,
    suffix: Suffix,
    visit: VisitDep,
    township: Annotated[DivisionCode | None, Query(description="only villages of this township")] = None,
    affair: AffairOf = None,
    item: ItemOf = None,
    period: Within = None,
    seen: Seen = None,
) -> Response:
    """What all villages opened as a table, newest first; 422 beyond 20,000 rows."""
    visit.require_township(township)
    items, within = visit.wanted(affair, item, period), codes_within(township or "")

    def select(reader: Public, place: ListPlace | None) -> Rows:
        return publications.select_everywhere(reader.conn, items, within, period, place, _PAGE)

    name = "_".join(filter(None, ["disclosures", township, item, period]))
    return await _disclosures(visit, name, select, suffix, seen)


async def _disclosures(
    visit: Visit,
    name: str,
    select: Callable[[Public, ListPlace | None], Rows],
    suffix: str,
    seen: str | None,
) -> Response:
    found: list[Publication] = []
    place: ListPlace | None = None
    page: list[Publication] | None = None
    while page is None or len(page) == _PAGE:
        async with visit.reading() as reader:
            page = await select(reader, place)
        found += page
        if len(found) > _MOST_ROWS:
            raise InvalidInputError(
                faults=[Fault("query", "超过2万行，请加上 item、period 或 township 缩小范围，或者分页读 JSON")]
            )
        place = ListPlace(page[-1].published_at, page[-1].disclosure_id) if page else None
    content = await visit.own.making.make(partial(_disclosure_list, visit, found, suffix))
    return table_answer(content, name, suffix, seen)


def _disclosure_list(visit: Visit, found: Sequence[Publication], suffix: str) -> bytes:
    bodies = visit.bodies
    rows: list[tuple[DisclosureOut, str]] = []
    for p in found:
        village = bodies.village(p.village_code)
        rows.append((bodies.disclosure_out(p), village.name if village is not None else ""))
    return _written(suffix, [lists.disclosures_sheet(rows)])


@lists_of_api.get("/villages/{code}/duties.{suffix}", response_class=Response, responses=_TABLE)
async def village_duties(
    code: VillageOf, suffix: Suffix, visit: VisitDep, period: Within = None, seen: Seen = None
) -> Response:
    """What a village owes and how that stands, as a table; without a period all of it until now."""
    village, bodies = visit.village(code), visit.bodies
    async with visit.reading() as reader:
        facts = (await cells.select_cell_facts(reader.conn, [village.code], period=period))[village.code]
    known = Cells(facts)
    keys = sorted(bodies.keys_of(village, known, visit.now, period), key=lambda key: (key.period, key.item))
    reasons = {CellKey(w.item, w.period): w.reason for w in facts.waivers}

    def work() -> bytes:
        grid = bodies.grid_of(village, known, keys, visit.now, _MOST_ROWS)
        rows = [duty_out(cell, known.live(cell.key), reasons.get(cell.key), visit.now) for cell in grid]
        return _written(suffix, [lists.duties_sheet(rows)])

    content = await visit.own.making.make(work)
    return table_answer(content, f"{code}_duties", suffix, seen, of_persons=names_anybody(reasons.values()))


@lists_of_api.get("/catalogue.{suffix}", response_class=Response, responses=_TABLE)
async def catalogue_table(suffix: Suffix, visit: VisitDep, seen: Seen = None) -> Response:
    """The catalogue as a table."""
    rows = [catalogue_item_out(item, visit.today) for _, item in sorted(visit.reference.items.items())]
    return await _made(visit, "catalogue", [lists.catalogue_sheet(rows)], suffix, seen)


@lists_of_api.get("/villages.{suffix}", response_class=Response, responses=_TABLE)
async def villages_table(suffix: Suffix, visit: VisitDep, seen: Seen = None) -> Response:
    """Villages and communities as a table."""
    rows = [village_out(v) for v in visit.bodies.villages()]
    return await _made(visit, "villages", [lists.villages_sheet(rows)], suffix, seen)


@lists_of_api.get("/divisions.{suffix}", response_class=Response, responses=_TABLE)
async def divisions_table(suffix: Suffix, visit: VisitDep, seen: Seen = None) -> Response:
    """The whole tree as a table."""
    known = visit.reference.divisions
    rows = [division_out(known[code], visit.bodies.township(known[code].now.parent or "")) for code in sorted(known)]
    return await _made(visit, "divisions", [lists.divisions_sheet(rows)], suffix, seen)


router.include_router(pages)
router.include_router(lists_of_api)
