"""一键导入: a prepared file in, its faults by line, and undoing it."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.ingest.api import DeskDep, ReadingDeskDep
from services.ingest.commands.imports import import_file, import_of, undo_import
from services.ingest.pages.frame import ENTERING, refused, render, texts_and_file, to
from services.ingest.workflow import State
from services.kit.errors import ConflictError, InvalidInputError, TooLargeError

router = APIRouter()


@router.get("/imports")
async def imports(request: Request, desk: ReadingDeskDep) -> Response:
    """Where a file is handed in."""
    desk.actor.require(*ENTERING)
    return render(request, desk, "imports.html")


@router.post("/imports")
async def post_import(request: Request, desk: DeskDep) -> Response:
    """All of a file or nothing."""
    desk.actor.require(*ENTERING)
    _, name, data = await texts_and_file(request)
    try:
        if not data:
            raise InvalidInputError("请先选择文件。")  # noqa: EM101, TRY301 - one place
        imported = await import_file(desk, name, data)
    except (InvalidInputError, ConflictError, TooLargeError) as error:
        raise refused(request, desk, "imports.html", status=error.status, error=error) from error
    return to(f"/desk/imports/{imported.made.id}")


@router.get("/imports/{import_id}")
async def import_page(request: Request, import_id: UUID, desk: DeskDep) -> Response:
    """What an import made, and whether it can still be undone."""
    made, drafts = await import_of(desk, import_id)
    # What the agency had delivered is withdrawn when it is undone, with nothing in it: it is no draft any more.
    left = [d for d in drafts if d.state is not State.WITHDRAWN]
    untouched = sum(d.state is State.DRAFT and d.edition == 1 for d in left)
    return render(request, desk, "import.html", made=made, drafts=left, untouched=untouched)


@router.post("/imports/{import_id}/undo")
async def undo(import_id: UUID, desk: DeskDep) -> Response:
    """Remove the drafts that nobody has touched."""
    await undo_import(desk, import_id)
    return to(f"/desk/imports/{import_id}")
