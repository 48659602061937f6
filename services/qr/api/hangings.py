"""Where codes hang: told by a clerk's telephone, one by one, or by a file of many."""

from typing import Annotated, Final

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import Response

from services.kit.route import Route
from services.kit.visit import EXPORTS, STAFF, may
from services.qr.api.codes import CodePath, codes_out, gives
from services.qr.bulk.places import MAX_BYTES as MAX_IMPORT_BYTES
from services.qr.commands import codes as issuing
from services.qr.commands import hanging, importing
from services.qr.gate.photographs import MAX_BYTES
from services.qr.schemas import HangingOut, PlacesOut
from services.qr.store.hangings import Hanging, Spot
from services.qr.visit import CallerDep, Changing, ChangingDep

router = APIRouter(prefix="/qr/v1", route_class=Route, tags=["codes"])
#: Room for the frame of a form around a file.
_FRAME_BYTES: Final = 64 * 1024
#: Paths that take more than a request usually may.
UPLOADS: Final = {
    "/qr/v1/hangings": MAX_BYTES + _FRAME_BYTES,
    "/posters/hang": MAX_BYTES + _FRAME_BYTES,
    "/qr/v1/places": MAX_IMPORT_BYTES + _FRAME_BYTES,
    "/posters/import": MAX_IMPORT_BYTES + _FRAME_BYTES,
}
Latitude = Annotated[float | None, Form(ge=-90, le=90, description="WGS 84, degrees")]
Longitude = Annotated[float | None, Form(ge=-180, le=180, description="WGS 84, degrees")]
Accuracy = Annotated[float | None, Form(ge=0, le=100_000, description="metres, as the telephone says")]


def spot_of(latitude: float | None, longitude: float | None, accuracy_m: float | None) -> Spot | None:
    """A place on the ground; None when either half of it is missing."""
    if latitude is None or longitude is None:
        return None
    return Spot(latitude, longitude, round(accuracy_m) if accuracy_m is not None else None)


def _out(of: Hanging) -> HangingOut:
    return HangingOut(
        code=of.code,
        hung_at=of.hung_at,
        latitude=of.spot.latitude if of.spot else None,
        longitude=of.spot.longitude if of.spot else None,
        accuracy_m=of.spot.accuracy_m if of.spot else None,
        photograph=of.has_photograph,
    )


@router.post("/hangings", status_code=201, dependencies=[may(*hanging.MAY_HANG)])
async def hang(
    caller: CallerDep,
    code: Annotated[str, Form(description="the code that was hung")],
    latitude: Latitude = None,
    longitude: Longitude = None,
    accuracy_m: Accuracy = None,
    file: Annotated[
        UploadFile | None, File(description="a photograph of it; made anew, EXIF removed, for staff alone")
    ] = None,
) -> HangingOut:
    """Tell that a code hangs, where, and how it looks; the code in whose place it hangs counts no more."""
    data = await file.read() if file is not None else None
    return _out(await hanging.record_hanging(caller, code, spot_of(latitude, longitude, accuracy_m), data))


@router.get(
    "/codes/{code}/photograph",
    response_class=Response,
    responses=gives("image/jpeg"),
    dependencies=[may(*STAFF), EXPORTS],
)
async def photograph(code: CodePath, desk: ChangingDep) -> Response:
    """The photograph of a code where it hangs, for staff of its village."""
    found = await hanging.export_photograph(desk, code)
    headers = {"cache-control": "private, no-store", "content-security-policy": "sandbox"}
    return Response(found, media_type="image/jpeg", headers=headers)


@router.post("/places", status_code=201, dependencies=[may(*issuing.MAY_ISSUE)])
async def import_places(
    caller: CallerDep, file: Annotated[UploadFile, File(description="CSV: docs/codes.md")]
) -> PlacesOut:
    """Take a file of what hangs where: rows without 码号 get new codes, the others tell a place; all or nothing."""
    wanted = await importing.read_file(caller, await file.read())
    async with caller.changing(Changing) as desk:
        done = await importing.import_places(desk, wanted)
    url = caller.settings.public_url
    return PlacesOut(issued=codes_out(done.issued, url), placed=codes_out(done.placed, url))
