"""JSON routes of qr, the pictures and the posters."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response

from services.contracts.division import DivisionKind
from services.kit import actions
from services.kit.listing import Cursor, Listing, Page
from services.kit.reference import Reference
from services.kit.route import IdempotentRoute, Route
from services.kit.visit import EXPORTS, STAFF, may
from services.qr import commands, metrics, store
from services.qr.errors import (
    CodeRevokedError,
    NothingToPrintError,
    TooManyPostersError,
    UnknownCodeError,
    ZoneHasNoCodeError,
)
from services.qr.render import code as picture
from services.qr.render.poster import Poster, posters
from services.qr.schemas import CodeOut, RevokedOut, RevokeIn
from services.qr.store import FIRST, CodePlace, CodeRow
from services.qr.visit import CallerDep, Changing, ChangingDep, QrRuntime, ReadingDep

router = APIRouter(prefix="/qr/v1", route_class=Route, tags=["codes"])
once = APIRouter(prefix="/qr/v1", route_class=IdempotentRoute, tags=["codes"])
#: A page takes some 130 KB of memory while it is drawn; larger runs are for the operators' command.
MAX_POSTERS: Final = 3000
CODES: Final = Cursor[CodePlace](CodePlace)
CodePage = Annotated[Page[CodePlace], Depends(CODES)]
Division = Annotated[str, Query(max_length=12, description="code of a village, a township or the city")]
Code = Annotated[str, Path(description="the code as it stands in its address")]


def code_out(row: CodeRow, public_url: str) -> CodeOut:
    """A code as the API tells it."""
    return CodeOut(
        code=row.code,
        village=row.village,
        purpose=row.purpose,
        place=row.place,
        serial=row.serial,
        state=row.state,
        issued_at=row.issued_at,
        url=picture.address(public_url, row.code),
    )


def place_of(row: CodeRow) -> CodePlace:
    """Where a code stands in the list."""
    return CodePlace(row.village, row.serial)


@router.get("/codes", dependencies=[may(*STAFF)])
async def codes(
    desk: ReadingDep,
    page: CodePage,
    division: Annotated[
        Division | None,
        Query(description="code of a village, a township or the city; without it all within the caller's scope"),
    ] = None,
) -> Listing[CodeOut]:
    """Codes within the caller's part of the tree, or of one division in it, by village and serial."""
    if division is not None:
        desk.actor.require_scope(desk.reference, division)
    villages = [v.code for v in desk.reference.villages(division or desk.actor.scope)]
    rows = await store.select_codes(desk.conn, villages, page.after or FIRST, page.fetch_limit)
    return page.of(rows, place_of, lambda row: code_out(row, desk.settings.public_url))


async def _authorise_print(desk: Changing, text: str) -> str:
    """Refuse a code that this person may not print (unknown, out of scope, revoked), name it for the trail; its address."""
    code = picture.read_code(text)
    row = await store.select_code(desk.conn, code) if code is not None else None
    if row is None:
        raise UnknownCodeError(text)
    actions.about(f"code/{row.code}", row.village)
    desk.actor.require_scope(desk.reference, row.village)
    if row.state == "revoked":
        raise CodeRevokedError
    return picture.address(desk.settings.public_url, row.code)


def _gives(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}}


@router.get(
    "/codes/{code}.svg", response_class=Response, responses=_gives("image/svg+xml"), dependencies=[may(*STAFF), EXPORTS]
)
async def code_svg(code: Code, desk: ChangingDep) -> Response:
    """A code's picture as SVG, level H, quiet zone 4."""
    drawn = picture.svg(await _authorise_print(desk, code))
    return Response(drawn, media_type="image/svg+xml", headers={"cache-control": "no-store"})


@router.get(
    "/codes/{code}.png", response_class=Response, responses=_gives("image/png"), dependencies=[may(*STAFF), EXPORTS]
)
async def code_png(code: Code, desk: ChangingDep) -> Response:
    """A code's picture as PNG, level H, quiet zone 4."""
    drawn = picture.png(await _authorise_print(desk, code))
    return Response(drawn, media_type="image/png", headers={"cache-control": "no-store"})


@once.post("/codes/{code}/revoke", dependencies=[may(*commands.MAY_REVOKE)])
async def revoke(code: Code, body: RevokeIn, desk: ChangingDep) -> RevokedOut:
    """Make a code count no more; the answer holds the one issued in its place."""
    replaced, url = await commands.revoke_code(desk, code, body.reason), desk.settings.public_url
    return RevokedOut(revoked=code_out(replaced.revoked, url), issued=code_out(replaced.issued, url))


@router.get(
    "/posters",
    response_class=Response,
    responses={
        **_gives("application/pdf"),
        409: {"description": "`nothing_to_print`: no valid code yet."},
        413: {"description": "`too_large`: print township by township."},
    },
    dependencies=[may(*commands.MAY_PRINT)],
)
async def posters_pdf(
    caller: CallerDep,
    division: Division,
    size: Annotated[Literal["a4"], Query(description="paper")] = "a4",
) -> Response:
    """A PDF with a page for every board in a division."""
    reference = caller.reference
    caller.actor.require_scope(reference, division)
    async with caller.own.printer:
        pdf = await draw_posters(caller.runtime, division, at_most=MAX_POSTERS)
    await caller.record_export(f"division/{division}", division if not reference.children(division) else None)
    name = f"posters-{division}-{size}.pdf"
    return Response(
        pdf,
        media_type="application/pdf",
        headers={"cache-control": "no-store", "content-disposition": f'inline; filename="{name}"'},
    )


async def draw_posters(runtime: QrRuntime, division: str, *, at_most: int | None = None) -> bytes:
    """The posters of every valid board code in a division.

    Raises ZoneHasNoCodeError, NothingToPrintError, and TooManyPostersError beyond the limit.
    """
    ref = runtime.reference
    if ref.divisions[division].now.kind is DivisionKind.ZONE:
        raise ZoneHasNoCodeError
    # Drawing takes seconds; no connection waits for it.
    async with runtime.database.connection() as conn:
        rows = await store.select_board_codes(conn, [v.code for v in ref.villages(division)])
    if not rows:
        raise NothingToPrintError
    if at_most is not None and len(rows) > at_most:
        raise TooManyPostersError(at_most=at_most, asked=len(rows))
    pages = _pages(ref, rows)
    with metrics.POSTERS_DURATION.time():
        pdf = await asyncio.to_thread(posters, pages, runtime.settings.public_url, runtime.clock.now())
    metrics.POSTERS.inc(len(pages))
    return pdf


def _pages(ref: Reference, rows: Sequence[CodeRow]) -> list[Poster]:
    sample = ref.is_sample()
    pages = []
    for row in rows:
        village, *above = ref.ancestors(row.village)
        pages.append(
            Poster(
                above=" ".join(d.now.name for d in reversed(above)),
                village=village.now.name,
                community=village.now.kind is DivisionKind.COMMUNITY,
                serial=row.serial,
                code=row.code,
                sample=sample,
            ),
        )
    return pages
