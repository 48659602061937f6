"""JSON routes of qr, the pictures and the posters."""

import asyncio
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.contracts.division import DivisionKind
from services.kit import actions
from services.kit.auth import Actor
from services.kit.db import Connection
from services.kit.errors import Fault, InvalidInputError
from services.kit.reference import Reference
from services.kit.runtime import Runtime
from services.kit.web import EXPORTS, ActorDep, IdempotencyDep, Page, PageDep, Reading, RuntimeDep, Transaction
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
from services.qr.store import CodeRow

router = APIRouter(prefix="/qr/v1")
#: Village and serial of the last code on a page of the list.
_PLACE = re.compile(r"([0-9]{12})-([0-9]{1,9})", re.ASCII)
#: The name of the lock under which one print run at a time is drawn.
PRINTER = "printer"
#: A page takes some 130 KB of memory while it is drawn; larger runs are for the operators' command.
MAX_POSTERS = 3000
Division = Annotated[str, Query(max_length=12, description="code of a village, a township or the city")]


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


def _after(page: Page) -> tuple[str, int]:
    """The place in the list that a cursor names."""
    if page.after is None:
        return "", 0
    named = _PLACE.fullmatch(page.after)
    if named is None:
        raise InvalidInputError(faults=[Fault("query.cursor", "不是本接口给出的游标，请从头读取")])
    return named[1], int(named[2])


@router.get("/codes")
async def codes(
    runtime: RuntimeDep, actor: ActorDep, page: PageDep, conn: Reading, division: Division | None = None
) -> dict[str, Any]:
    """Codes within the caller's part of the tree, or of one division in it, by village and serial."""
    if division is not None:
        actor.require_scope(runtime.reference, division)
    villages = [v.code for v in runtime.reference.villages(division or actor.scope)]
    rows = await store.select_codes(conn, villages, _after(page), page.limit + 1)
    shown = rows[: page.limit]
    last = f"{shown[-1].village}-{shown[-1].serial}" if len(rows) > page.limit else None
    return page.answer([code_out(r, runtime.settings.public_url) for r in shown], last)


async def _to_print(conn: Connection, ref: Reference, actor: Actor, text: str) -> CodeRow:
    """A code that may be printed by this person: known, within scope, still valid."""
    code = picture.read_code(text)
    row = await store.select_code(conn, code) if code is not None else None
    if row is None:
        raise UnknownCodeError(text)
    actor.require_scope(ref, row.village)
    if row.state == "revoked":
        raise CodeRevokedError
    actions.about(f"code/{row.code}", row.village)
    return row


@router.get("/codes/{code}.svg", response_class=Response, dependencies=[EXPORTS])
async def code_svg(code: str, runtime: RuntimeDep, actor: ActorDep, conn: Transaction) -> Response:
    """A code's picture as SVG, level H, quiet zone 4."""
    row = await _to_print(conn, runtime.reference, actor, code)
    drawn = picture.svg(picture.address(runtime.settings.public_url, row.code))
    return Response(drawn, media_type="image/svg+xml", headers={"cache-control": "no-store"})


@router.get("/codes/{code}.png", response_class=Response, dependencies=[EXPORTS])
async def code_png(code: str, runtime: RuntimeDep, actor: ActorDep, conn: Transaction) -> Response:
    """A code's picture as PNG, level H, quiet zone 4."""
    row = await _to_print(conn, runtime.reference, actor, code)
    drawn = picture.png(picture.address(runtime.settings.public_url, row.code))
    return Response(drawn, media_type="image/png", headers={"cache-control": "no-store"})


@router.post("/codes/{code}/revoke")
async def revoke(
    code: str, body: RevokeIn, runtime: RuntimeDep, actor: ActorDep, conn: Transaction, once: IdempotencyDep
) -> Response:
    """Make a code count no more; the answer holds the one issued in its place."""

    async def work() -> tuple[int, str]:
        now = runtime.clock.now()
        replaced = await commands.revoke_code(conn, runtime.reference, code, body.reason, actor, now)
        url = runtime.settings.public_url
        answer = RevokedOut(revoked=code_out(replaced.revoked, url), issued=code_out(replaced.issued, url))
        return 200, answer.model_dump_json()

    return await once.answer(work, runtime.clock.now())


@router.get("/posters", response_class=Response)
async def posters_pdf(
    runtime: RuntimeDep,
    actor: ActorDep,
    division: Division,
    size: Annotated[Literal["a4"], Query(description="paper")] = "a4",
) -> Response:
    """A PDF with a page for every board in a division."""
    actor.require(*commands.MAY_PRINT)
    actor.require_scope(runtime.reference, division)
    async with runtime.own[PRINTER]:
        pdf = await draw_posters(runtime, division, at_most=MAX_POSTERS)
    await commands.note_posters(runtime.database, runtime.reference, division, actor, runtime.clock.now())
    name = f"posters-{division}-{size}.pdf"
    return Response(
        pdf,
        media_type="application/pdf",
        headers={"cache-control": "no-store", "content-disposition": f'inline; filename="{name}"'},
    )


async def draw_posters(runtime: Runtime, division: str, *, at_most: int | None = None) -> bytes:
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
