"""A code's own page, from which a clerk says that it hangs; and the file of what hangs where."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from starlette.responses import RedirectResponse

from services.contracts.code import read_code
from services.kit.errors import ConflictError, InvalidInputError, UnavailableError
from services.kit.pages import BlankIsNone
from services.kit.route import Route
from services.kit.visit import STAFF, may
from services.qr.api.hangings import spot_of
from services.qr.bulk.places import COLUMNS
from services.qr.commands import codes as issuing
from services.qr.commands import hanging, importing
from services.qr.errors import UnknownCodeError
from services.qr.pages.frame import staff_page
from services.qr.pages.scanning import leads_to
from services.qr.store import codes as store
from services.qr.store import hangings, scans
from services.qr.visit import CallerDep, Changing, ReadingDep

router = APIRouter(route_class=Route, include_in_schema=False)
#: How far back scans are added up on a code's page.
LATELY: Final = timedelta(days=30)
Latitude = Annotated[float | None, BlankIsNone, Form(ge=-90, le=90)]
Longitude = Annotated[float | None, BlankIsNone, Form(ge=-180, le=180)]
Accuracy = Annotated[float | None, BlankIsNone, Form(ge=0, le=100_000)]


@router.get("/posters/codes/{code}", dependencies=[may(*STAFF)])
async def code_page(request: Request, code: str, desk: ReadingDep) -> Response:
    """A code: what it is for, where it hangs, how often it is opened."""
    known = read_code(code)
    row = await store.select_code(desk.conn, known) if known else None
    if row is None:
        raise UnknownCodeError(code)
    desk.actor.require_scope(desk.reference, row.village)
    hung = await hangings.select_hangings(desk.conn, [row.code])
    opened = await scans.count_by_code(desk.conn, [row.code], desk.today - LATELY)
    health = await scans.select_health(desk.conn, [row.code])
    return staff_page(
        request,
        desk.actor,
        "code.html",
        row=row,
        village=desk.reference.divisions[row.village],
        leads_to=leads_to(row),
        hanging=hung.get(row.code),
        hung_by=desk.reference.name_of(hung[row.code].hung_by) if row.code in hung else "",
        opened=opened.get(row.code),
        health=health.get(row.code),
        successor=await store.select_successor(desk.conn, row.code),
    )


@router.post("/posters/hang", dependencies=[may(*hanging.MAY_HANG)])
async def hang(
    caller: CallerDep,
    code: Annotated[str, Form()],
    latitude: Latitude = None,
    longitude: Longitude = None,
    accuracy_m: Accuracy = None,
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Take what a telephone saw of a code where it hangs."""
    data = await file.read() if file is not None else None
    done = await hanging.record_hanging(caller, code, spot_of(latitude, longitude, accuracy_m), data)
    return RedirectResponse(f"/posters/codes/{done.code}", 303)


@router.get("/posters/import", dependencies=[may(*issuing.MAY_ISSUE)])
async def import_form(request: Request, desk: ReadingDep) -> Response:
    """Where a file of what hangs where is handed in."""
    return staff_page(request, desk.actor, "places.html", error=None, done=None, columns=COLUMNS)


@router.post("/posters/import", dependencies=[may(*issuing.MAY_ISSUE)])
async def import_places(request: Request, caller: CallerDep, file: Annotated[UploadFile, File()]) -> Response:
    """All of a file or nothing."""
    try:
        wanted = await importing.read_file(caller, await file.read())
        async with caller.changing(Changing) as desk:
            done = await importing.import_places(desk, wanted)
    except (InvalidInputError, ConflictError, UnavailableError) as error:
        return staff_page(
            request, caller.actor, "places.html", status=error.status, error=error, done=None, columns=COLUMNS
        )
    divisions = caller.reference.divisions
    return staff_page(request, caller.actor, "places.html", error=None, done=done, columns=COLUMNS, divisions=divisions)
