"""What a scan opens: one redirect; a plain word where the code is strange, or counts no more."""

from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from services.contracts.code import CodeKind, read_code
from services.kit.db import INFRASTRUCTURE_ERRORS
from services.kit.pages import pages_of
from services.kit.problems import headers_of
from services.kit.rates import TooOftenError
from services.qr import metrics
from services.qr.pages.frame import OWN_STATIC
from services.qr.store.codes import CodeRow
from services.qr.visit import Visit, VisitDep

#: Whatever a code says, whoever scanned it gets a page in words that are for them.
router = APIRouter(include_in_schema=False)
#: These lead to the page of their item.
_OF_ITEMS: Final = frozenset({CodeKind.ASSET, CodeKind.PROJECT, CodeKind.CONTRACT, CodeKind.BULLETIN})


def leads_to(row: CodeRow) -> str:
    """The page of a code that counts: its item's, or its village's, which shows its serial large."""
    if row.target.kind in _OF_ITEMS and row.target.item:
        return f"/v/{row.village}/{row.target.item}"
    return f"/v/{row.village}#s-{row.code}"


@router.api_route("/c/{code}", methods=["GET", "HEAD"])
async def scan(request: Request, code: str, visit: VisitDep) -> Response:
    """Lead on by one redirect; a strange code gets a word of warning, and nobody is ever asked anything."""
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
    if request.method == "GET":
        visit.own.counted.count(visit.today, row.code)
    if row.state == "revoked":
        return _revoked(request, visit, row)
    return RedirectResponse(leads_to(row), 302, {"cache-control": "no-store"})


def _revoked(request: Request, visit: Visit, row: CodeRow) -> Response:
    """Say that a code counts no more, and lead on to its village all the same."""
    village = visit.reference.divisions.get(row.village)
    name = village.now.name if village else "您的村"
    return pages_of(request).answer("revoked_code.html", status=410, own=OWN_STATIC, village=name, row=row)
