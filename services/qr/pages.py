"""The pages of qr: what a scan opens (one redirect, or a plain word), and the staff's list of codes and posters."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from starlette.responses import RedirectResponse

from services.contracts.division import Division
from services.contracts.values import ShortText, VillageCode
from services.kit.db import INFRASTRUCTURE_ERRORS
from services.kit.listing import Cursor, Page
from services.kit.pages import pages_of
from services.kit.problems import headers_of
from services.kit.rates import TooOftenError
from services.kit.reference import Reference
from services.kit.route import Route
from services.kit.visit import STAFF, may
from services.qr import commands, metrics, store
from services.qr.render.code import read_code
from services.qr.store import CodeRow
from services.qr.visit import ChangingDep, ReadingDep, VisitDep

router = APIRouter(route_class=Route, include_in_schema=False)
#: Whatever a code says, whoever scanned it gets a page in words that are for them.
scans = APIRouter(include_in_schema=False)
STATIC = "/posters/static"
#: Of qr's own stylesheet: a villager's page has larger letters than the staff's.
OWN_STATIC = "/posters/own"


# -- a scan -------------------------------------------------------------------------------------------------------


@scans.api_route("/c/{code}", methods=["GET", "HEAD"])
async def scan(request: Request, code: str, visit: VisitDep) -> Response:
    """Lead to the village's page by one redirect; a strange code gets a word of warning, and nobody is ever asked anything."""
    try:
        visit.own.scans.let_in(visit.now)
    except TooOftenError as error:
        metrics.SCANS.labels(outcome="too_often").inc()
        page = pages_of(request).answer("too_often.html", status=error.status, own=OWN_STATIC, error=error)
        page.headers.update(headers_of(error))
        return page
    known = read_code(code)
    try:
        row = await visit.own.codes.find(known) if known is not None else None
    except INFRASTRUCTURE_ERRORS:
        metrics.SCANS.labels(outcome="unavailable").inc()
        return pages_of(request).answer("try_again.html", status=503, own=OWN_STATIC)
    if row is None:
        metrics.SCANS.labels(outcome="unknown").inc()
        return pages_of(request).answer("unknown_code.html", status=404, own=OWN_STATIC)
    metrics.SCANS.labels(outcome=row.state).inc()
    # The page lists the serials that count; one that does not must find no place there.
    hint = f"#s-{row.code}" if row.state == "valid" else ""
    return RedirectResponse(f"/v/{row.village}{hint}", 302, {"cache-control": "no-store"})


# -- the poster desk ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VillageLine:
    """A village with its codes, newest first; none while the first is still on its way."""

    division: Division
    codes: Sequence[CodeRow]


def _townships(ref: Reference, villages: Sequence[Division]) -> list[Division]:
    parents = dict.fromkeys(v.now.parent for v in villages)
    return [ref.divisions[p] for p in parents if p in ref.divisions]


#: Of villages by their codes.
VILLAGES: Final = Cursor[str](VillageCode)


@router.get("/posters", dependencies=[may(*STAFF)])
async def codes_and_posters(
    request: Request,
    desk: ReadingDep,
    page: Annotated[Page[str], Depends(VILLAGES)],
    division: Annotated[str | None, Query(max_length=12)] = None,
) -> Response:
    """The villages of my part of the tree with their codes and posters."""
    ref, actor, top = desk.reference, desk.actor, division or desk.actor.scope
    actor.require_scope(ref, top)
    villages = ref.villages(top)
    rest = [v for v in villages if page.after is None or v.code > page.after]
    shown = rest[: page.limit]
    rows = await store.select_all_codes(desk.conn, [v.code for v in shown])
    of_village = {code: list(of) for code, of in groupby(rows, key=lambda r: r.village)}
    lines = [VillageLine(v, of_village.get(v.code, [])) for v in shown]
    more = page.following(rest, lambda v: v.code)
    return pages_of(request).answer(
        "posters.html",
        static=STATIC,
        actor=actor,
        top=ref.divisions[top],
        townships=_townships(ref, villages),
        groups=[(ref.divisions[p], list(of)) for p, of in groupby(lines, key=lambda x: x.division.now.parent) if p],
        may_print=actor.role in commands.MAY_PRINT,
        may_revoke=actor.role in commands.MAY_REVOKE,
        more=urlencode({"division": top, "limit": page.limit, "cursor": more}) if more else None,
    )


@router.post("/posters/{code}/revoke", dependencies=[may(*commands.MAY_REVOKE)])
async def revoke(code: str, desk: ChangingDep, reason: Annotated[ShortText, Form()]) -> Response:
    """Make a code count no more; the list then shows the one in its place."""
    replaced = await commands.revoke_code(desk, code, reason)
    parent = desk.reference.divisions[replaced.issued.village].now.parent
    return RedirectResponse(f"/posters?division={parent}#v-{replaced.issued.village}", 303)
