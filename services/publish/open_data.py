"""What programs, feed readers and search engines fetch beside the pages: tables, feeds, the list of pages."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import Response

from services.kit.errors import NotFoundError
from services.kit.route import Route
from services.publish.errors import WithdrawnError
from services.publish.hot.answers import CACHE_CONTROL, OF_PERSONS
from services.publish.render.export import csv_of, written
from services.publish.render.feed import ATOM, XML, atom, sitemap
from services.publish.render.places import Village
from services.publish.render.sentences import MONEY_ITEM
from services.publish.render.township import village_cells
from services.publish.store import publications, questions, standings
from services.publish.visit import Public, PublicDep, VisitDep

router = APIRouter(route_class=Route, include_in_schema=False)
CSV: Final = "text/csv; charset=utf-8; header=present"
_NEWEST: Final = 40
_STAFF: Final = ("/desk", "/admin", "/inspect", "/account", "/sign-in", "/posters")


@router.get("/robots.txt")
async def robots(visit: VisitDep) -> Response:
    """Who may read what: everybody what is public, nobody the pages of staff."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in _STAFF),
        f"Sitemap: {visit.bodies.public_url}/sitemap.xml",
    ]
    return Response(
        "\n".join(lines) + "\n", media_type="text/plain; charset=utf-8", headers={"cache-control": CACHE_CONTROL}
    )


@router.get("/sitemap.xml")
async def pages_of_all(visit: VisitDep) -> Response:
    """The front page, the townships, the villages."""
    bodies = visit.bodies
    paths = ["/", *(f"/t/{t.code}" for t in bodies.townships()), *(f"/v/{v.code}" for v in bodies.villages())]
    return Response(sitemap(bodies.public_url, paths), media_type=XML, headers={"cache-control": CACHE_CONTROL})


@router.get("/v/{code}/feed.atom")
async def feed(code: str, reader: PublicDep) -> Response:
    """What a village opened, corrected and withdrew last, for feed readers."""
    village, bodies = reader.village(code), reader.bodies
    rows = await publications.select_list(reader.conn, village.code, list(reader.reference.items), None, None, _NEWEST)
    content = atom(bodies.public_url, village, [(p, bodies.entry_of(p)) for p in rows], reader.now)
    return Response(content, media_type=ATOM, headers={"cache-control": CACHE_CONTROL})


@router.get("/d/{disclosure_id}.csv")
async def table(disclosure_id: str, reader: PublicDep) -> Response:
    """A disclosure for spreadsheets, as its page shows it; NotFoundError, WithdrawnError."""
    loaded = await reader.bodies.load(reader.conn, [("disclosure", disclosure_id)])
    p = loaded.publications.get(disclosure_id)
    found = reader.bodies.opened(loaded, disclosure_id)
    if p is None:
        raise NotFoundError
    if found is None:
        raise WithdrawnError
    page, content = found
    name = quote(f"{page.village.name}_{p.item}_{p.period}.csv")
    persons = (
        {"cache-control": OF_PERSONS, "x-robots-tag": "noindex"}
        if content.of_persons
        else {"cache-control": CACHE_CONTROL}
    )
    headers = {
        **persons,
        "content-disposition": f"attachment; filename=\"{p.item}_{p.period}.csv\"; filename*=UTF-8''{name}",
    }
    return Response(csv_of(page, content), media_type=CSV, headers=headers)


@router.get("/t/{code}.csv")
async def township_table(code: str, reader: PublicDep) -> Response:
    """A township's villages for spreadsheets: the newest month of each, and what it lacks; NotFoundError."""
    if reader.bodies.township(code) is None:
        raise NotFoundError
    return await _villages_table(reader, reader.bodies.villages_of(code), code)


@router.get("/villages.csv")
async def city_table(reader: PublicDep) -> Response:
    """The same of all villages of the city."""
    return await _villages_table(reader, reader.bodies.villages(), "villages")


async def _villages_table(reader: Public, villages: Sequence[Village], name: str) -> Response:
    codes = [v.code for v in villages]
    newest = await publications.select_newest_of_item(reader.conn, codes, MONEY_ITEM)
    tallies = await questions.select_tallies(reader.conn, codes, reader.today)
    content = written([village_cells(villages, newest, await standings.select_standings(reader.conn), tallies)])
    headers = {"cache-control": CACHE_CONTROL, "content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(content, media_type=CSV, headers=headers)
