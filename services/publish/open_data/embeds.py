"""A village's month within pages of others: a small frame, and how a site asks for it (oEmbed 1.0)."""

import json
import re
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import Response

from services.kit.errors import NotFoundError
from services.kit.route import Route
from services.kit.web import SECURITY_HEADERS
from services.publish.bodies.variants import embedded
from services.publish.hot.answers import CACHE_CONTROL, FOR_PROGRAMS, HTML, JSON
from services.publish.visit import PublicDep, VisitDep

router = APIRouter(route_class=Route, include_in_schema=False)
_VILLAGE: Final = re.compile(r"/v/([0-9]{12})")
#: What the frame needs at 18 px, in pixels; narrower ones become longer.
_WIDTH, _HEIGHT = 560, 640
_NARROWEST: Final = 280
#: Every page of the web may show this one within itself, and it alone: there is nothing to press in it but links.
_FRAMED: Final = {
    "content-security-policy": SECURITY_HEADERS["content-security-policy"].replace(
        "frame-ancestors 'none'", "frame-ancestors *"
    ),
    "cache-control": CACHE_CONTROL,
    "x-robots-tag": "noindex",
}


@router.get("/embed/v/{code}")
async def village_frame(code: str, reader: PublicDep) -> Response:
    """The five sentences of a village for a frame in a page of others; NotFoundError."""
    village = reader.village(code)
    loaded = await reader.bodies.load(reader.conn, [("village", village.code)])
    return Response(embedded(reader.bodies, loaded, village), media_type=HTML, headers=_FRAMED)


@router.get("/oembed")
async def oembed(
    visit: VisitDep,
    url: Annotated[str, Query(max_length=500)],
    form: Annotated[str, Query(alias="format", max_length=10)] = "json",
    maxwidth: Annotated[int, Query(ge=1, le=10_000)] = _WIDTH,
    maxheight: Annotated[int, Query(ge=1, le=10_000)] = _HEIGHT,
) -> Response:
    """How to show a village's page within another: the frame for the address of the page; NotFoundError for any other."""
    if form != "json":
        # As the specification wants it (oEmbed, section 2.3.4).
        raise HTTPException(HTTPStatus.NOT_IMPLEMENTED)
    bodies = visit.bodies
    found = _VILLAGE.fullmatch(url.removeprefix(bodies.public_url)) if url.startswith(bodies.public_url) else None
    village = visit.village(found[1]) if found is not None else None
    if village is None:
        detail = "这个网址不是本站的村（社区）页面。"
        raise NotFoundError(detail)
    width, height = max(min(_WIDTH, maxwidth), _NARROWEST), min(_HEIGHT, maxheight)
    title = f"{village.name}（{village.township.name}）三务公开"
    address = f"{bodies.public_url}/embed/v/{village.code}"
    told = {
        "version": "1.0",
        "type": "rich",
        "title": title,
        "provider_name": "阳光三务",
        "provider_url": bodies.public_url,
        "cache_age": 3600,
        "width": width,
        "height": height,
        "html": f'<iframe src="{address}" title="{title}" width="{width}" height="{height}" loading="lazy"></iframe>',
    }
    headers = {"cache-control": CACHE_CONTROL, **FOR_PROGRAMS}
    return Response(json.dumps(told, ensure_ascii=False), media_type=JSON, headers=headers)
