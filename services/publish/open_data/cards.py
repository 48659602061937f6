"""What editors take: pictures of a village's month and of a disclosure, drawn when somebody asks, and text to paste."""

from functools import partial
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from services.kit.errors import NotFoundError
from services.kit.route import Route
from services.publish.bodies.loading import Loaded
from services.publish.errors import WithdrawnError
from services.publish.hot.answers import CACHE_CONTROL, Answer, etag_of, pack
from services.publish.hot.front import AnswerResponse
from services.publish.open_data.tables import Seen
from services.publish.render.card import SHAPES, disclosure_card, drawn, village_card
from services.publish.render.media import media_view
from services.publish.render.places import Village
from services.publish.visit import Visit, VisitDep

router = APIRouter(route_class=Route, include_in_schema=False)
PNG: Final = "image/png"


@router.get("/v/{code}/card-{shape}.png")
async def card_of_village(code: str, shape: str, visit: VisitDep, seen: Seen = None) -> Response:
    """A village's newest month as a picture; NotFoundError."""
    _require_shape(shape)
    village = visit.village(code)
    async with visit.reading() as reader:
        loaded = await visit.bodies.load(reader.conn, [("village", code)])
    return _picture(await visit.own.making.make(partial(_of_village, visit, loaded, village, shape)), seen)


@router.get("/d/{disclosure_id}/card-{shape}.png")
async def card_of_disclosure(disclosure_id: str, shape: str, visit: VisitDep, seen: Seen = None) -> Response:
    """A disclosure as a picture, of persons nothing; NotFoundError, WithdrawnError."""
    _require_shape(shape)
    async with visit.reading() as reader:
        loaded = await visit.bodies.load(reader.conn, [("disclosure", disclosure_id)])
    if disclosure_id not in loaded.publications:
        raise NotFoundError
    return _picture(await visit.own.making.make(partial(_of_disclosure, visit, loaded, disclosure_id, shape)), seen)


@router.get("/d/{disclosure_id}/media")
async def media(disclosure_id: str, visit: VisitDep) -> Response:
    """What an editor takes of a disclosure, or why it is not to be passed on; NotFoundError, WithdrawnError."""
    bodies = visit.bodies
    async with visit.reading() as reader:
        loaded = await bodies.load(reader.conn, [("disclosure", disclosure_id)])
    found = bodies.opened(loaded, disclosure_id)
    if disclosure_id not in loaded.publications:
        raise NotFoundError
    if found is None:
        raise WithdrawnError
    told = media_view(*found, disclosure_id, bodies.public_url)
    page = bodies.html("media.html", of_persons=told.refusal is not None, media=told)
    return AnswerResponse(Answer(pack(page)))


def _require_shape(shape: str) -> None:
    if shape not in SHAPES:
        raise NotFoundError


def _of_village(visit: Visit, loaded: Loaded, village: Village, shape: str) -> bytes:
    bodies = visit.bodies
    page = bodies.village_page(loaded, village)
    return drawn(village_card(page, bodies.public_url, sample=bodies.reference.is_sample()), shape)


def _of_disclosure(visit: Visit, loaded: Loaded, disclosure_id: str, shape: str) -> bytes:
    bodies = visit.bodies
    found = bodies.opened(loaded, disclosure_id)
    if found is None:
        raise WithdrawnError
    return drawn(disclosure_card(found[0], bodies.public_url, sample=bodies.reference.is_sample()), shape)


def _picture(content: bytes, seen: str | None) -> Response:
    tag = etag_of(content)
    headers = {"etag": f'"{tag}"', "cache-control": CACHE_CONTROL}
    if seen is not None and (tag in seen or seen == "*"):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=PNG, headers=headers)
