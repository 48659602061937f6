"""What carries codes, as PDF, as a package of a township, as a picture beforehand."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.contracts.code import read_code
from services.kit.route import Route
from services.kit.visit import may
from services.qr.api.codes import Division, gives
from services.qr.commands import codes as issuing
from services.qr.commands import printing
from services.qr.commands.printing import MAX_POSTERS, Run
from services.qr.errors import UnknownCodeError
from services.qr.render.poster import Form
from services.qr.visit import Caller, CallerDep

router = APIRouter(prefix="/qr/v1", route_class=Route, tags=["codes"])
Size = Annotated[
    Form, Query(description="what is printed: a poster, a gate's sign, cards, labels, the year's stickers")
]
OneCode = Annotated[str | None, Query(max_length=20, description="this one code alone")]
Copies = Annotated[int, Query(ge=1, le=100, description="of cards: sheets of ten of each code")]
_REFUSED: Final[dict[int | str, dict[str, str]]] = {
    409: {"description": "`nothing_to_print`: no valid code of this form yet."},
    413: {"description": "`too_many_posters`: print township by township."},
}


async def _load(caller: Caller, division: str, size: Form, code: str | None = None, copies: int = 1) -> Run:
    caller.actor.require_scope(caller.reference, division)
    known = read_code(code) if code else None
    if code and known is None:
        raise UnknownCodeError(code)
    return await printing.load_run(caller.runtime, division, size, code=known, copies=copies, at_most=MAX_POSTERS)


def _file(content: bytes, media_type: str, name: str) -> Response:
    headers = {"cache-control": "no-store", "content-disposition": f'inline; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


@router.get(
    "/posters",
    response_class=Response,
    responses={**gives("application/pdf"), **_REFUSED},
    dependencies=[may(*issuing.MAY_PRINT)],
)
async def posters_pdf(
    caller: CallerDep, division: Division, size: Size = Form.A4, code: OneCode = None, copies: Copies = 1
) -> Response:
    """A PDF of everything of a form in a division: a page for every board, sheets of cards, labels, stickers."""
    run = await _load(caller, division, size, code, copies)
    async with caller.own.printer:
        pdf = await printing.draw(caller.runtime, run)
    await caller.record_export(f"division/{division}", division if not caller.reference.children(division) else None)
    return _file(pdf, "application/pdf", f"posters-{division}-{size.value}.pdf")


@router.get(
    "/posters.zip",
    response_class=Response,
    responses={**gives("application/zip"), **_REFUSED},
    dependencies=[may(*issuing.MAY_PRINT)],
)
async def posters_zip(caller: CallerDep, division: Division, size: Size = Form.A4, copies: Copies = 1) -> Response:
    """A township's package: the PDFs and 装箱单.csv, which tells code by code what is in them."""
    run = await _load(caller, division, size, None, copies)
    async with caller.own.printer:
        package = await printing.draw_township(caller.runtime, run)
    await caller.record_export(f"division/{division}", division if not caller.reference.children(division) else None)
    return _file(package, "application/zip", f"posters-{division}-{size.value}.zip")


@router.get(
    "/posters/preview.png",
    response_class=Response,
    responses={**gives("image/png"), **_REFUSED},
    dependencies=[may(*issuing.MAY_PRINT)],
)
async def posters_preview(
    caller: CallerDep, division: Division, size: Size = Form.A4, code: OneCode = None
) -> Response:
    """The first print of a run as a picture, to look at before paper is used."""
    run = await _load(caller, division, size, code)
    async with caller.own.printer:
        drawn = await printing.draw_preview(caller.runtime, run)
    return _file(drawn, "image/png", "preview.png")
