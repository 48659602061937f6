"""Pages that are read: what is asked for rarely, or before it was rendered; and errors as pages."""

import re
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.contracts.catalogue import Masking
from services.contracts.values import Period
from services.kit.db import INFRASTRUCTURE_ERRORS
from services.kit.errors import NotFoundError, SanwuError, UnavailableError
from services.kit.log import get_logger
from services.kit.problems import headers_of, problem
from services.kit.route import Route
from services.publish.bodies import variants
from services.publish.bodies.paper import bulletin_of
from services.publish.bodies.renderer import Bodies
from services.publish.errors import CodeRevokedError, CodeUnknownError
from services.publish.hot.answers import FOR_PROGRAMS, OF_PERSONS, Answer, Body, pack
from services.publish.hot.files import file_of
from services.publish.hot.front import AnswerResponse
from services.publish.render.bulletin import Paper
from services.publish.render.disclosure import masking_of
from services.publish.render.places import item_at
from services.publish.render.rows import edition_before, public_number
from services.publish.render.search import search
from services.publish.render.sentences import MONEY_ITEM
from services.publish.store import cells, marks, publications
from services.publish.visit import PATIENCE_S, PublicDep, VisitDep

log = get_logger(__name__)
router = APIRouter(route_class=Route, include_in_schema=False)
_LONGEST_CODE: Final = 64
_YEAR: Final = re.compile(r"20[0-9]{2}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@router.get("/")
async def city(reader: PublicDep) -> Response:
    """The front page: townships and what was opened last."""
    return await reader.render(("city", ""), "/")


@router.get("/search")
async def find(visit: VisitDep, q: Annotated[str, Query(max_length=60)] = "") -> Response:
    """Villages and items by name, sound or a part of either; an empty question shows how to ask."""
    bodies = visit.bodies
    found = search(q, bodies.villages(), visit.reference.items)
    return _answer(bodies.html("search.html", of_persons=True, found=found))


@router.get("/t/{code}")
async def township(code: str, reader: PublicDep) -> Response:
    """A township's villages; NotFoundError for a code that is none."""
    if reader.bodies.township(code) is None:
        raise NotFoundError
    return await reader.render(("township", code), f"/t/{code}")


@router.get("/v/{code}")
async def village(code: str, reader: PublicDep) -> Response:
    """A village's page; NotFoundError for a zone and anything that is no village."""
    return await reader.render(("village", reader.village(code).code), f"/v/{code}")


@router.get("/v/{code}/big")
async def elder(code: str, reader: PublicDep) -> Response:
    """A village's page in three facts and large type; NotFoundError."""
    village = reader.village(code)
    loaded = await reader.bodies.load(reader.conn, [("village", village.code)])
    return _answer(variants.elder(reader.bodies, loaded, village))


@router.get("/v/{code}/en")
async def english(code: str, reader: PublicDep) -> Response:
    """A village's page in English: the figures, what is missing, what is open; NotFoundError."""
    village = reader.village(code)
    loaded = await reader.bodies.load(reader.conn, [("village", village.code)])
    return _answer(variants.english(reader.bodies, loaded, village))


@router.get("/v/{code}/bulletin.pdf")
async def bulletin(
    code: str,
    visit: VisitDep,
    period: Annotated[Period | None, Query(description="a month, as 2026-10; the newest that is open without")] = None,
    size: Annotated[Paper, Query(description="a3 for a board, a4 for a printer at hand")] = "a4",
) -> Response:
    """A village's month on paper, with everything else of the month and what is missing; NotFoundError where its ledger is not open."""
    village, bodies = visit.village(code), visit.bodies
    # No connection is held while it is drawn.
    async with visit.runtime.database.connection_within(PATIENCE_S) as conn:
        if period is None:
            newest = await publications.select_newest_of_item(conn, [code], MONEY_ITEM)
            period = newest[code].period if code in newest else None
        ids = await cells.select_ids(conn, code, period) if period is not None else []
        loaded = await bodies.load(conn, [("village", code), *(("disclosure", i) for i in ids)])
    found = bulletin_of(bodies, loaded, village, ids)
    if found is None:
        raise NotFoundError
    pdf = await visit.own.making.make(partial(found.pdf, size))
    headers = {
        "cache-control": OF_PERSONS,
        "x-robots-tag": "noindex",
        "content-disposition": f'inline; filename="{code}-{period}-{size}.pdf"',
    }
    return Response(pdf, media_type="application/pdf", headers=headers)


@router.get("/v/{code}/{item}")
async def item_of_village(code: str, item: str, reader: PublicDep) -> Response:
    """One item of a village: the newest year of what is open (往期), and what is not and why."""
    village = reader.village(code)
    if item not in reader.reference.items:
        raise NotFoundError
    return await reader.render(("item", f"{village.code}/{item}"), f"/v/{code}/{item}")


@router.get("/v/{code}/{item}/{year}")
async def item_of_year(code: str, item: str, year: str, reader: PublicDep) -> Response:
    """One item of a village as it was in an earlier year; NotFoundError for a year of which nothing was ever open."""
    village = reader.village(code)
    if item not in reader.reference.items or not _YEAR.fullmatch(year):
        raise NotFoundError
    body = await reader.bodies.item_of_year(reader.conn, village, item, year)
    if body is None:
        raise NotFoundError
    return _answer(body)


@router.get("/d/{disclosure_id}")
async def disclosure(disclosure_id: str, reader: PublicDep) -> Response:
    """A disclosure's newest edition, or its tombstone."""
    return await reader.render(("disclosure", disclosure_id), f"/d/{disclosure_id}")


@router.get("/d/{disclosure_id}/{number}")
async def edition(disclosure_id: str, number: int, reader: PublicDep) -> Response:
    """An earlier public edition, counted 1, 2, 3 …: it stays readable when a newer one replaced it."""
    bodies = reader.bodies
    if file_of(bodies.release, f"/d/{disclosure_id}") is None or not 0 < number < 2**31:
        raise NotFoundError
    loaded = await bodies.load(reader.conn, [("disclosure", disclosure_id)])
    times = loaded.times.get(disclosure_id, ())
    if number > len(times):
        # Addresses of before counted savings at the desk too; one that cannot be meant otherwise leads on.
        known = public_number(times, number)
        if known is None:
            raise NotFoundError
        return RedirectResponse(f"/d/{disclosure_id}/{known}", 301)
    edition, p = times[number - 1][0], loaded.publications.get(disclosure_id)
    before = edition_before(times, edition)
    loaded.editions.update(
        await publications.select_editions(reader.conn, [(disclosure_id, before), (disclosure_id, edition)])
    )
    content = loaded.editions.get((disclosure_id, edition))
    village = bodies.village(p.village_code) if p is not None else None
    if p is None or village is None or content is None:
        raise NotFoundError
    return _answer(bodies.edition_page(loaded, p, edition, content))


@router.get("/objects/{digest}")
async def public_file(digest: str, reader: PublicDep) -> Response:
    """A file that something public shows; gone with the last disclosure that showed it."""
    if not _DIGEST.fullmatch(digest):
        raise NotFoundError
    items, today = reader.reference.items, reader.today
    showing = await publications.select_showing(reader.conn, digest)
    # A file shows names: where only totals are left, it is gone as well.
    if all(masking_of(item_at(items, i, p), p, kind, today) is Masking.AGGREGATE for i, p, kind in showing):
        raise NotFoundError
    content = await reader.own.objects.get(digest)
    if content is None:
        raise NotFoundError
    is_pdf = content.startswith(b"%PDF-")
    headers = {
        "cache-control": OF_PERSONS,
        "x-robots-tag": "noindex",
        "content-security-policy": "sandbox; default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    }
    return Response(content, media_type="application/pdf" if is_pdf else "image/jpeg", headers=headers)


def _brake(visit: VisitDep) -> None:
    visit.own.scans.let_in(visit.now)


# Before a connection is taken.
@router.get("/c/{code}", dependencies=[Depends(_brake)])
async def code(code: str, reader: PublicDep) -> Response:
    """The code on the wall, when the service that usually answers is away: one redirect."""
    known = await marks.select_code(reader.conn, code) if len(code) <= _LONGEST_CODE else None
    if known is None:
        raise CodeUnknownError
    if known.state != "valid":
        raise CodeRevokedError
    return RedirectResponse(f"/v/{known.village_code}#s-{known.code}", 302, {"cache-control": "no-store"})


@router.get("/{path:path}")
async def unknown(path: str) -> Response:  # noqa: ARG001 - whatever it is, it is nothing
    """Any address that leads nowhere: 404, as a page or a problem."""
    raise NotFoundError


def _answer(body: Body) -> Response:
    return AnswerResponse(Answer(pack(body)))


def mount_errors(app: FastAPI, bodies: Bodies) -> None:
    """Errors as friendly pages, except under /api."""

    def on_error(request: Request, error: SanwuError) -> Response:
        if request.url.path.startswith("/api/"):
            answer = problem(request, error)
            answer.headers.update(FOR_PROGRAMS)
            return answer
        body = bodies.html("error.html", error.status, error=error)
        return Response(body.content, error.status, headers_of(error), body.media_type)

    def on_unavailable(request: Request, error: Exception) -> Response:
        log.warning("database unavailable", error=repr(error))
        return on_error(request, UnavailableError("暂时打不开，请过一会儿再试。"))

    app.state.on_error = on_error
    for kind in INFRASTRUCTURE_ERRORS:
        app.add_exception_handler(kind, on_unavailable)
