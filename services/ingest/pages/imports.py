"""一键导入: a prepared file in, its faults by line, and undoing it."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.ingest.commands.imports import import_file, load_import, read_file, undo_import
from services.ingest.errors import QuotaUsedUpError
from services.ingest.pages.frame import ENTERING, UploadDep, render, to
from services.ingest.visit import CallerDep, Changing, ChangingDep, ReadingDep
from services.ingest.workflow import State
from services.kit.errors import ConflictError, InvalidInputError, TooLargeError, UnavailableError
from services.kit.route import Route
from services.kit.visit import may

router = APIRouter(route_class=Route)


@router.get("/imports", dependencies=[may(*ENTERING)])
async def imports(request: Request, desk: ReadingDep) -> Response:
    """Where a file is handed in."""
    return render(request, desk, "imports.html")


@router.post("/imports", dependencies=[may(*ENTERING)])
async def post_import(request: Request, upload: UploadDep, caller: CallerDep) -> Response:
    """All of a file or nothing."""
    try:
        if not upload.data:
            raise InvalidInputError("请先选择文件。")  # noqa: EM101, TRY301 - one place
        read = await read_file(caller, upload.data)
        async with caller.changing(Changing) as desk:
            imported = await import_file(desk, upload.name, read)
    except (InvalidInputError, ConflictError, TooLargeError, UnavailableError, QuotaUsedUpError) as error:
        return render(request, caller, "imports.html", status=error.status, error=error)
    return to(f"/desk/imports/{imported.made.id}")


@router.get("/imports/{import_id}", dependencies=[may(*ENTERING)])
async def import_page(request: Request, import_id: UUID, desk: ReadingDep) -> Response:
    """What an import made, and whether it can still be undone."""
    made, drafts = await load_import(desk, import_id)
    # What the agency had delivered is withdrawn when it is undone, with nothing in it: it is no draft any more.
    left = [d for d in drafts if d.state is not State.WITHDRAWN]
    untouched = sum(d.state is State.DRAFT and d.edition == 1 for d in left)
    return render(request, desk, "import.html", made=made, drafts=left, untouched=untouched)


@router.post("/imports/{import_id}/undo", dependencies=[may(*ENTERING)])
async def undo(import_id: UUID, desk: ChangingDep) -> Response:
    """Remove the drafts that nobody has touched."""
    await undo_import(desk, import_id)
    return to(f"/desk/imports/{import_id}")
