"""Codes over JSON: listed, issued, rotated, revoked; their pictures."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response

from services.contracts.code import read_code
from services.kit import actions
from services.kit.listing import Cursor, Listing, Page
from services.kit.route import IdempotentRoute, Route
from services.kit.visit import EXPORTS, STAFF, may
from services.qr.bulk.targets import Target, read_month
from services.qr.commands import codes as issuing
from services.qr.errors import CodeRevokedError, NoVillageError, UnknownCodeError
from services.qr.render import code as picture
from services.qr.schemas import CodeOut, IssueIn, RevokedOut, RevokeIn, RotatedOut
from services.qr.store import codes as store
from services.qr.store.codes import FIRST, CodePlace, CodeRow
from services.qr.visit import Changing, ChangingDep, ReadingDep

router = APIRouter(prefix="/qr/v1", route_class=Route, tags=["codes"])
once = APIRouter(prefix="/qr/v1", route_class=IdempotentRoute, tags=["codes"])
CODES: Final = Cursor[CodePlace](CodePlace)
CodePage = Annotated[Page[CodePlace], Depends(CODES)]
Division = Annotated[str, Query(max_length=12, description="code of a village, a township or the city")]
CodePath = Annotated[str, Path(description="the code as it stands in its address")]


def code_out(row: CodeRow, public_url: str) -> CodeOut:
    """A code as the API tells it."""
    of = row.target
    return CodeOut(
        code=row.code,
        village=row.village,
        purpose=row.purpose,
        kind=of.kind,
        place=of.place,
        item=of.item,
        period=of.period,
        subject=of.subject,
        serial=row.serial,
        state=row.state,
        replaces=row.replaces,
        issued_at=row.issued_at,
        url=picture.address(public_url, row.code),
    )


def codes_out(rows: Sequence[CodeRow], public_url: str) -> list[CodeOut]:
    """Codes as the API tells them."""
    return [code_out(row, public_url) for row in rows]


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


@once.post("/codes", status_code=201, dependencies=[may(*issuing.MAY_ISSUE)])
async def issue(body: IssueIn, desk: ChangingDep) -> CodeOut:
    """Issue a village's next code, for a place or a thing."""
    if body.village not in desk.reference.divisions:
        raise NoVillageError
    period = read_month(body.period) if body.period else None
    target = Target(body.kind, body.place, body.item, period, body.subject)
    return code_out(await issuing.issue_code(desk, body.village, target), desk.settings.public_url)


async def _authorise_print(desk: Changing, text: str) -> str:
    """Refuse a code that this person may not print (unknown, out of scope, revoked), name it for the trail; its address."""
    code = read_code(text)
    row = await store.select_code(desk.conn, code) if code is not None else None
    if row is None:
        raise UnknownCodeError(text)
    actions.about(f"code/{row.code}", row.village)
    desk.actor.require_scope(desk.reference, row.village)
    if row.state == "revoked":
        raise CodeRevokedError
    return picture.address(desk.settings.public_url, row.code)


def gives(media_type: str) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI tells of a route that gives a file."""
    return {200: {"content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}}


@router.get(
    "/codes/{code}.svg", response_class=Response, responses=gives("image/svg+xml"), dependencies=[may(*STAFF), EXPORTS]
)
async def code_svg(code: CodePath, desk: ChangingDep) -> Response:
    """A code's picture as SVG, level H, quiet zone 4."""
    drawn = picture.svg(await _authorise_print(desk, code))
    return Response(drawn, media_type="image/svg+xml", headers={"cache-control": "no-store"})


@router.get(
    "/codes/{code}.png", response_class=Response, responses=gives("image/png"), dependencies=[may(*STAFF), EXPORTS]
)
async def code_png(code: CodePath, desk: ChangingDep) -> Response:
    """A code's picture as PNG, level H, quiet zone 4."""
    drawn = picture.png(await _authorise_print(desk, code))
    return Response(drawn, media_type="image/png", headers={"cache-control": "no-store"})


@once.post("/codes/{code}/revoke", dependencies=[may(*issuing.MAY_REVOKE)])
async def revoke(code: CodePath, body: RevokeIn, desk: ChangingDep) -> RevokedOut:
    """Make a code count no more; the answer holds the one issued in its place, unless `replace` is false."""
    done = await issuing.revoke_code(desk, code, body.reason, replaced=body.replace)
    url = desk.settings.public_url
    return RevokedOut(revoked=code_out(done.revoked, url), issued=code_out(done.issued, url) if done.issued else None)


@once.post("/codes/{code}/rotate", dependencies=[may(*issuing.MAY_ISSUE)])
async def rotate(code: CodePath, desk: ChangingDep) -> RotatedOut:
    """Issue the code that will hang in this one's place; this one counts until the new one was seen to hang."""
    done, url = await issuing.rotate_code(desk, code), desk.settings.public_url
    return RotatedOut(current=code_out(done.current, url), issued=code_out(done.issued, url))
