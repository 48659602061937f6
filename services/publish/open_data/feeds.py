"""Feeds of what was opened, corrected and withdrawn last; which pages there are, for search engines."""

import re
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.kit.errors import Fault, InvalidInputError, NotFoundError
from services.kit.route import Route
from services.publish.hot.answers import CACHE_CONTROL
from services.publish.render.feed import ATOM, XML, Feed, atom, sitemap
from services.publish.render.rows import Publication
from services.publish.store import publications
from services.publish.visit import Public, PublicDep, VisitDep, codes_within

router = APIRouter(route_class=Route, include_in_schema=False)
_NEWEST: Final = 40
_TAKEN: Final = re.compile(r"([0-9A-Za-z-]{1,64})\.([1-9][0-9]{0,8})", re.ASCII)
_MOST_TAKEN: Final = 50
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


@router.get("/feed.atom")
async def feed_of_city(reader: PublicDep) -> Response:
    """What all villages opened, corrected and withdrew last."""
    return await _of_several(reader, Feed("/", "各村三务公开", "阳光三务"))


@router.get("/adopted.atom")
async def feed_of_adopted(
    reader: PublicDep, taken: Annotated[list[str], Query(min_length=1, max_length=_MOST_TAKEN)]
) -> Response:
    """Corrections and withdrawals of what somebody took over; the address itself holds which editions, so nobody is written down."""
    editions = dict(map(_taken, taken))
    known = await publications.select_publications(reader.conn, list(editions))
    if missing := editions.keys() - known.keys():
        raise InvalidInputError(faults=[Fault("query.taken", f"没有编号为 {min(missing)} 的公开内容")])
    changed = [p for p in known.values() if not p.is_live or p.number > editions[p.disclosure_id]]
    changed.sort(key=lambda p: p.withdrawn_at or p.published_at, reverse=True)
    path = "/adopted.atom?" + "&".join(f"taken={i}.{n}" for i, n in sorted(editions.items()))
    about = Feed("/", "采用过的公开内容：更正和撤回", "阳光三务", path)
    return _feed(reader, about, _with_villages(reader, changed))


def _taken(text: str) -> tuple[str, int]:
    found = _TAKEN.fullmatch(text)
    if found is None:
        raise InvalidInputError(faults=[Fault("query.taken", "要写成“公开编号.第几版”，比如 01a1a943.1")])
    return found[1], int(found[2])


@router.get("/t/{code}/feed.atom")
async def feed_of_township(code: str, reader: PublicDep) -> Response:
    """What a township's villages opened, corrected and withdrew last; NotFoundError."""
    township = reader.bodies.township(code)
    if township is None:
        raise NotFoundError
    return await _of_several(reader, Feed(f"/t/{code}", f"{township.name}各村三务公开", township.name), within=code)


@router.get("/items/{item}/feed.atom")
async def feed_of_item(item: str, reader: PublicDep) -> Response:
    """What all villages opened, corrected and withdrew last of one item; NotFoundError."""
    name = _item_name(reader, item)
    return await _of_several(reader, Feed("/", f"各村：{name}", "阳光三务", f"/items/{item}"), item=item)


@router.get("/v/{code}/feed.atom")
async def feed_of_village(code: str, reader: PublicDep) -> Response:
    """What a village opened, corrected and withdrew last; NotFoundError."""
    village = reader.village(code)
    about = Feed(f"/v/{code}", f"{village.name}（{village.township.name}）三务公开", village.name)
    return await _of_village(reader, about, code, list(reader.reference.items))


@router.get("/v/{code}/{item}/feed.atom")
async def feed_of_item_of_village(code: str, item: str, reader: PublicDep) -> Response:
    """What a village opened, corrected and withdrew last of one item; NotFoundError."""
    village = reader.village(code)
    about = Feed(f"/v/{code}/{item}", f"{village.name}：{_item_name(reader, item)}", village.name)
    return await _of_village(reader, about, code, [item])


def _item_name(reader: Public, item: str) -> str:
    found = reader.reference.items.get(item)
    if found is None:
        raise NotFoundError
    return found.at(reader.today).plain_name


async def _of_village(reader: Public, about: Feed, code: str, items: list[str]) -> Response:
    rows = await publications.select_list(reader.conn, code, items, None, None, _NEWEST)
    return _feed(reader, about, [(p, "") for p in rows])


async def _of_several(reader: Public, about: Feed, *, within: str = "", item: str | None = None) -> Response:
    items = [item] if item is not None else list(reader.reference.items)
    rows = await publications.select_everywhere(reader.conn, items, codes_within(within), None, None, _NEWEST)
    return _feed(reader, about, _with_villages(reader, rows))


def _with_villages(reader: Public, rows: Sequence[Publication]) -> list[tuple[Publication, str]]:
    return [(p, f"{v.name}：") for p in rows if (v := reader.bodies.village(p.village_code)) is not None]


def _feed(reader: Public, about: Feed, newest_first: Sequence[tuple[Publication, str]]) -> Response:
    bodies = reader.bodies
    rows = [(p, whose, bodies.entry_of(p)) for p, whose in newest_first]
    content = atom(bodies.public_url, about, rows, reader.now)
    return Response(content, media_type=ATOM, headers={"cache-control": CACHE_CONTROL})
