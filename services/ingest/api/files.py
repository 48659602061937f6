"""Routes that take and give files: attachments, imports."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, Request, Response, UploadFile

from services.contracts.values import Digest, VillageCode
from services.ingest import commands, store
from services.ingest.api.desk import DeskDep, ReadingDeskDep, answer_once
from services.ingest.api.disclosures import disclosure_out, saved_out
from services.ingest.bulk.prepared import MAX_FILE_BYTES as MAX_IMPORT_BYTES
from services.ingest.commands import Saved
from services.ingest.gate.images import MAX_FILE_BYTES
from services.ingest.schemas import AttachmentOut, ImportedDraftOut, ImportOut, UndoneOut
from services.ingest.store import Import
from services.kit.errors import Fault, InvalidInputError
from services.kit.web import EXPORTS, IdempotencyDep

router = APIRouter(prefix="/ingest/v1")
#: Room for the frame of a form around a file.
_FRAME_BYTES = 64 * 1024
#: Paths that take more than a request usually may.
UPLOADS = {
    "/ingest/v1/attachments": MAX_FILE_BYTES + _FRAME_BYTES,
    "/ingest/v1/imports": MAX_IMPORT_BYTES + _FRAME_BYTES,
    "/desk/imports": MAX_IMPORT_BYTES + _FRAME_BYTES,
}


@router.post("/attachments", status_code=201)
async def attach(
    village: Annotated[VillageCode, Form()], file: Annotated[UploadFile, File()], desk: DeskDep
) -> AttachmentOut:
    """Take a picture or a PDF in; a picture is made anew without what it carries beside the picture."""
    made = await commands.attach(desk, desk.objects, village, await file.read())
    return AttachmentOut(digest=made.digest, media_type=made.media_type, bytes=made.size)


@router.get("/attachments/{digest}", response_class=Response, dependencies=[EXPORTS])
async def attachment(digest: Digest, desk: DeskDep) -> Response:
    """The public file of an attachment, for staff before it is public."""
    content, media_type = await commands.file_of(desk, desk.objects, digest)
    headers = {"cache-control": "private, no-store", "content-security-policy": "sandbox"}
    return Response(content, media_type=media_type, headers=headers)


def import_out(made: Import, drafts: list[Saved]) -> ImportOut:
    """An import for JSON."""
    return ImportOut(
        id=str(made.id),
        name=made.name,
        imported_at=made.imported_at,
        undone_at=made.undone_at,
        disclosures=[
            ImportedDraftOut(
                **saved_out(s).model_dump(),
                village=s.disclosure.village_code,
                item=s.disclosure.item,
                period=s.disclosure.period,
            )
            for s in drafts
        ],
    )


@router.post("/imports", status_code=201, response_model=ImportOut)
async def import_file(request: Request, desk: DeskDep, once: IdempotencyDep) -> Response:
    """Take a prepared file of many villages in: JSON as the body, or JSON or CSV as the form's `file`; all or nothing."""
    name, data = await _uploaded(request)
    return await answer_once(
        once,
        desk,
        lambda: commands.import_file(desk, name, data),
        lambda made: import_out(made.made, list(made.drafts)),
        201,
    )


async def _uploaded(request: Request) -> tuple[str, bytes]:
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return "import.json", await request.body()
    async with request.form(max_files=1, max_fields=10) as form:
        file = form.get("file")
        if file is None or isinstance(file, str):
            raise InvalidInputError(faults=[Fault("file", "请选择要导入的文件")])
        return file.filename or "import", await file.read()


@router.get("/imports")
async def imports(desk: ReadingDeskDep) -> dict[str, Any]:
    """One's own last imports."""
    found = await store.select_imports(desk.conn, desk.actor.staff_id, 200)
    return {"items": [import_out(i, []) for i in found], "next": None}


@router.get("/imports/{import_id}")
async def import_of(import_id: UUID, desk: DeskDep) -> ImportOut:
    """An import of one's own with its drafts and what does not add up in them."""
    made, drafts = await commands.import_of(desk, import_id)
    saved = []
    for draft in drafts:
        edition = await commands.visible_edition(desk, draft, draft.edition)
        found = await commands.findings_of(desk, draft, edition) if edition is not None else ()
        saved.append(Saved(draft, found))
    return import_out(made, saved)


@router.delete("/imports/{import_id}")
async def undo_import(import_id: UUID, desk: DeskDep) -> UndoneOut:
    """Remove the drafts of an import that nobody has touched since."""
    undone = await commands.undo_import(desk, import_id)
    return UndoneOut(removed=[str(i) for i in undone.removed], kept=[disclosure_out(d) for d in undone.kept])
