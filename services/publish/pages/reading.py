"""Pages that are read: what is asked for rarely, or before it was rendered; and errors as pages."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.contracts.catalogue import Masking
from services.contracts.values import Period
from services.kit.db import INFRASTRUCTURE_ERRORS
from services.kit.errors import NotFoundError, SanwuError, UnavailableError
from services.kit.listing import MAX_LIMIT, Page
from services.kit.log import get_logger
from services.kit.problems import headers_of, problem
from services.kit.route import Route
from services.publish.api import FIRM_KEY, FOUND, LONGEST_SEARCH
from services.publish.bodies import finding, variants
from services.publish.bodies.paper import bulletin_of
from services.publish.bodies.renderer import Bodies
from services.publish.bodies.spending import load_spending
from services.publish.errors import CodeRevokedError, CodeUnknownError
from services.publish.hot.answers import CACHE_CONTROL, FOR_PROGRAMS, OF_PERSONS, Answer, Body, pack
from services.publish.hot.files import file_of
from services.publish.hot.front import AnswerResponse
from services.publish.open_data.tables import CSV
from services.publish.render.bulletin import Paper
from services.publish.render.disclosure import masking_of
from services.publish.render.export import Sheet, csv_of
from services.publish.render.firm import firm_page
from services.publish.render.found import Hit, HitView, hit_view
from services.publish.render.numbered import number_page
from services.publish.render.passages import NumberKind
from services.publish.render.places import item_at
from services.publish.render.rows import edition_before, public_number
from services.publish.render.sentences import MONEY_ITEM
from services.publish.render.spending import SpendingPage
from services.publish.render.texts import public_text
from services.publish.store import cells, marks, publications
from services.publish.store.searchable import FoundPlace
from services.publish.visit import PATIENCE_S, Public, PublicDep, Visit, VisitDep

log = get_logger(__name__)
router = APIRouter(route_class=Route, include_in_schema=False)
_LONGEST_CODE: Final = 64
#: Lines on a page of what was found.
_HITS: Final = 20
_YEAR: Final = re.compile(r"20[0-9]{2}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@router.get("/")
async def city(reader: PublicDep) -> Response:
    """The front page: townships and what was opened last."""
    return await reader.render(("city", ""), "/")


@router.get("/search")
async def find(
    visit: VisitDep,
    part: Annotated[Page[FoundPlace], Depends(FOUND)],
    q: Annotated[str, Query(max_length=LONGEST_SEARCH)] = "",
) -> Response:
    """Villages and items by name, lines and firms by what is written; an empty question shows how to ask.

    Without the database villages and items are found all the same.
    """
    bodies, after = visit.bodies, part.after
    asked = finding.ask(q, bodies.villages(), visit.reference.items, visit.today)
    hits: Sequence[Hit] = ()
    following, unread = None, False
    if asked.sought is not None:
        look = finding.Look(visit.reference.items, visit.today, after, _HITS)
        try:
            async with visit.runtime.database.connection_within(PATIENCE_S) as conn:
                hits, following = await finding.find(conn, look, asked.sought, asked.terms)
        except INFRASTRUCTURE_ERRORS as error:
            log.warning("lines not looked through", error=repr(error))
            unread = True
    return _answer(
        bodies.html(
            "search.html",
            of_persons=True,
            asked=asked,
            query=public_text(q.strip()) or "",
            typed=q.strip(),
            found=asked.found,
            firms=finding.firms_in(hits, asked.terms.words),
            hits=_views(visit, hits),
            following=FOUND.text(following) if following is not None else None,
            is_first=after is None,
            unread=unread,
        )
    )


def _views(visit: Visit, hits: Sequence[Hit]) -> list[HitView]:
    """Hits of villages that there are, as people read them."""
    villages = {hit.where.village: visit.bodies.village(hit.where.village) for hit in hits}
    return [
        hit_view(hit, v, visit.reference.items, f"/f/{finding.firm_key(hit.firm)}" if hit.firm else None)
        for hit in hits
        if (v := villages[hit.where.village]) is not None
    ]


@router.get("/f/{key}")
async def firm(
    key: str,
    reader: PublicDep,
    part: Annotated[Page[FoundPlace], Depends(FOUND)],
    year: Annotated[str | None, Query(max_length=4)] = None,
) -> Response:
    """What a firm was paid, by year, by village, line by line; NotFoundError where nothing of it is open."""
    if not FIRM_KEY.fullmatch(key):
        raise NotFoundError
    bodies, look = reader.bodies, finding.Look(reader.reference.items, reader.today, part.after, _HITS)
    found = await finding.load_firm(reader.conn, look, key, year)
    if found is None:
        raise NotFoundError
    page = firm_page(found.name, found.year, found.years, found.villages, bodies.villages())
    return _answer(
        bodies.html(
            "firm.html",
            of_persons=True,
            page=page,
            url=f"/f/{key}",
            hits=_views(reader, found.hits),
            following=FOUND.text(found.following) if found.following is not None else None,
            is_first=part.after is None,
            is_stored=False,
        )
    )


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


_FoundPart = Annotated[Page[FoundPlace], Depends(FOUND)]
_Number = Annotated[str, Query(min_length=1, max_length=200)]


@router.get("/v/{code}/resolution")
async def resolution(code: str, reader: PublicDep, part: _FoundPart, no: _Number) -> Response:
    """What of a village rests on a meeting's resolution: lines, contracts, projects that name its number; NotFoundError where nothing does."""
    return await _numbered(reader, code, "resolution", no, part)


@router.get("/v/{code}/contract")
async def contract(code: str, reader: PublicDep, part: _FoundPart, no: _Number) -> Response:
    """A contract of a village and the lines that were paid by it, with their invoices; NotFoundError where nothing names its number."""
    return await _numbered(reader, code, "contract", no, part)


@router.get("/v/{code}/invoice")
async def invoice(code: str, reader: PublicDep, part: _FoundPart, no: _Number) -> Response:
    """The lines of a village that name an invoice's number, and by it their contracts; NotFoundError where none does."""
    return await _numbered(reader, code, "invoice", no, part)


async def _numbered(reader: Public, code: str, kind: NumberKind, no: str, part: Page[FoundPlace]) -> Response:
    village, look = reader.village(code), finding.Look(reader.reference.items, reader.today, part.after, MAX_LIMIT)
    hits, following = await finding.load_numbered(reader.conn, look, village.code, kind, no)
    if not hits:
        raise NotFoundError
    is_whole = part.after is None and following is None
    page = number_page(village, kind, no, hits, _views(reader, hits), is_whole=is_whole)
    more = FOUND.text(following) if following is not None else None
    return _answer(reader.bodies.html("numbered.html", of_persons=True, page=page, following=more))


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


@router.get("/v/{code}/{item}/{year}/spending")
async def spending(code: str, item: str, year: str, reader: PublicDep) -> Response:
    """What a year's money went for, by purpose and month, beside the budget; NotFoundError."""
    page = await _spending(reader, code, item, year)
    return _answer(reader.bodies.html("spending.html", page=page))


@router.get("/v/{code}/{item}/{year}/spending.csv")
async def spending_table(code: str, item: str, year: str, reader: PublicDep) -> Response:
    """The same for spreadsheets: purposes by months; NotFoundError."""
    page = await _spending(reader, code, item, year)
    named = quote(f"{page.village.name}_{year}年钱花在哪.csv")
    headers = {
        "cache-control": CACHE_CONTROL,
        "content-disposition": f"attachment; filename=\"{code}_{year}.csv\"; filename*=UTF-8''{named}",
    }
    return Response(csv_of([Sheet("钱花在哪", page.table)]), media_type=CSV, headers=headers)


async def _spending(reader: Public, code: str, item: str, year: str) -> SpendingPage:
    village = reader.village(code)
    if item != MONEY_ITEM or not _YEAR.fullmatch(year):
        raise NotFoundError
    page = await load_spending(reader.conn, reader.reference.items, village, year, reader.today)
    if page is None:
        raise NotFoundError
    return page


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
