"""一键导入: a prepared file or a spreadsheet in, earlier imports, their drafts handed in or undone."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.ingest.bulk.prepared import looks_prepared
from services.ingest.commands.handing_in import submit_import
from services.ingest.commands.imports import (
    Imported,
    import_file,
    load_import_with_findings,
    read_file,
    undo_import,
)
from services.ingest.commands.workbooks import items_of, keep_workbook
from services.ingest.errors import QuotaUsedUpError
from services.ingest.pages.frame import ENTERING, UploadDep, render, to
from services.ingest.store.imports import select_imports
from services.ingest.store.workbooks import select_workbooks
from services.ingest.visit import CallerDep, Changing, ChangingDep, Reading, ReadingDep
from services.ingest.workflow import State
from services.kit.errors import ConflictError, InvalidInputError, SanwuError, TooLargeError, UnavailableError
from services.kit.route import Route
from services.kit.visit import may

router = APIRouter(route_class=Route)
#: Earlier ones that the page lists.
_EARLIER = 30


@router.get("/imports", dependencies=[may(*ENTERING)])
async def imports(request: Request, desk: ReadingDep) -> Response:
    """Where a file is handed in, with what waits and what was imported before."""
    return await _imports_page(request, desk)


async def _imports_page(request: Request, desk: Reading, error: SanwuError | None = None) -> Response:
    earlier = await select_imports(desk.conn, desk.actor.staff_id, _EARLIER)
    waiting = await select_workbooks(desk.conn, desk.actor.staff_id, _EARLIER)
    status = error.status if error is not None else 200
    return render(
        request,
        desk,
        "imports.html",
        status=status,
        error=error,
        earlier=earlier,
        waiting=waiting,
        blanks=items_of(desk),
    )


@router.post("/imports", dependencies=[may(*ENTERING)])
async def post_import(request: Request, upload: UploadDep, caller: CallerDep) -> Response:
    """A prepared file becomes drafts, all of it or nothing; a spreadsheet is read, and shown before anything becomes of it."""
    try:
        if not upload.data:
            raise InvalidInputError("请先选择文件；选了的，文件是空的。")  # noqa: EM101, TRY301 - one place
        if not looks_prepared(upload.data):
            return to(f"/desk/imports/workbooks/{await keep_workbook(caller, upload.name, upload.data)}")
        read = await read_file(caller, upload.data)
        async with caller.changing(Changing) as desk:
            imported = await import_file(desk, upload.name, read)
    except (InvalidInputError, ConflictError, TooLargeError, UnavailableError, QuotaUsedUpError) as error:
        async with caller.reading(Reading) as reading:
            return await _imports_page(request, reading, error)
    return to(f"/desk/imports/{imported.made.id}")


@router.get("/imports/{import_id}", dependencies=[may(*ENTERING)])
async def import_page(request: Request, import_id: UUID, desk: ReadingDep) -> Response:
    """What an import made, what does not add up in it, and whether it can still be undone."""
    return _result(request, desk, await load_import_with_findings(desk, import_id))


def _result(request: Request, desk: Reading, found: Imported, left: dict[UUID, str] | None = None) -> Response:
    # What the agency had delivered is withdrawn when it is undone, with nothing in it: it is no draft any more.
    drafts = [s.disclosure for s in found.drafts if s.disclosure.state is not State.WITHDRAWN]
    findings = {s.disclosure.id: s.findings for s in found.drafts}
    waiting = [d for d in drafts if d.state is State.DRAFT]
    return render(
        request,
        desk,
        "import.html",
        made=found.made,
        drafts=drafts,
        findings=findings,
        waiting=len(waiting),
        ready=sum(not findings.get(d.id) for d in waiting),
        untouched=sum(d.edition == 1 and d.submitted_at is None for d in waiting),
        may_submit=True,
        left=[(d, (left or {})[d.id]) for d in drafts if d.id in (left or {})],
    )


@router.post("/imports/{import_id}/submit", dependencies=[may(*ENTERING)])
async def submit(request: Request, import_id: UUID, desk: ChangingDep) -> Response:
    """Hand in the drafts in which everything adds up; what stays is named with its reason."""
    done = await submit_import(desk, import_id)
    if not done.left:
        return to(f"/desk/imports/{import_id}")
    return _result(request, desk, await load_import_with_findings(desk, import_id), dict(done.left))


@router.post("/imports/{import_id}/undo", dependencies=[may(*ENTERING)])
async def undo(import_id: UUID, desk: ChangingDep) -> Response:
    """Remove the drafts that nobody has touched."""
    await undo_import(desk, import_id)
    return to(f"/desk/imports/{import_id}")
