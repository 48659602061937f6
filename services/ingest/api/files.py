"""Routes that take and give files: attachments, imports."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Path, Request, Response, UploadFile

from services.contracts.values import Digest, VillageCode
from services.ingest.api.disclosures import disclosure_out, saved_out
from services.ingest.bulk.prepared import MAX_FILE_BYTES as MAX_IMPORT_BYTES
from services.ingest.commands import attachments
from services.ingest.commands import imports as importing
from services.ingest.commands.findings import Saved
from services.ingest.gate.files import MAX_FILE_BYTES
from services.ingest.schemas import AttachmentOut, ImportedDraftOut, ImportOut, UndoneOut
from services.ingest.store.imports import Import, select_imports
from services.ingest.visit import CallerDep, ChangingDep, ReadingDep
from services.ingest.workflow import READERS, RIGHTS, Action
from services.kit.errors import Fault, InvalidInputError
from services.kit.listing import Listing
from services.kit.route import IdempotentRoute, Route
from services.kit.visit import STAFF, may

router = APIRouter(prefix="/ingest/v1", route_class=Route)
once = APIRouter(prefix="/ingest/v1", route_class=IdempotentRoute)
#: Room for the frame of a form around a file.
_FRAME_BYTES: Final = 64 * 1024
#: Paths that take more than a request usually may.
UPLOADS: Final = {
    "/ingest/v1/attachments": MAX_FILE_BYTES + _FRAME_BYTES,
    "/ingest/v1/imports": MAX_IMPORT_BYTES + _FRAME_BYTES,
}
_BINARY: Final = {"type": "string", "format": "binary"}
_PREPARED: Final = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["disclosures"],
            "properties": {
                "disclosures": {
                    "type": "array",
                    "maxItems": 200,
                    "items": {"$ref": "#/components/schemas/DisclosureIn"},
                }
            },
        }
    },
    "multipart/form-data": {
        "schema": {"type": "object", "required": ["file"], "properties": {"file": _BINARY}},
    },
}
_QUOTA: Final[dict[int | str, dict[str, Any]]] = {
    429: {"description": "`quota_used_up`: come again after `retry_after_s` seconds, when the day ends."}
}
ImportId = Annotated[UUID, Path(description="id of the import")]


# -- attachments --------------------------------------------------------------------------------------------------


@router.post(
    "/attachments",
    status_code=201,
    responses=_QUOTA,
    dependencies=[may(*attachments.UPLOADERS)],
    tags=["attachments"],
)
async def attach(
    caller: CallerDep, village: Annotated[VillageCode, Form()], file: Annotated[UploadFile, File()]
) -> AttachmentOut:
    """Take a picture or a PDF in; a picture is made anew without what it carries beside the picture."""
    made = await attachments.attach(caller, village, await file.read())
    return AttachmentOut(digest=made.digest, media_type=made.media_type, bytes=made.size)


@router.get(
    "/attachments/{digest}",
    response_class=Response,
    responses={
        200: {"content": {kind: {"schema": _BINARY} for kind in ("image/jpeg", "image/png", "application/pdf")}}
    },
    dependencies=[may(*READERS)],
    tags=["attachments"],
)
async def attachment(
    digest: Annotated[Digest, Path(description="SHA-256 of the file, as the upload answered it")], caller: CallerDep
) -> Response:
    """The public file of an attachment, for staff before it is public."""
    content, media_type = await attachments.export_file(caller, digest)
    headers = {"cache-control": "private, no-store", "content-security-policy": "sandbox"}
    return Response(content, media_type=media_type, headers=headers)


# -- imports ------------------------------------------------------------------------------------------------------


def import_out(made: Import, drafts: Sequence[Saved]) -> ImportOut:
    """What JSON tells of an import and of its drafts."""
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


class _Upload(NamedTuple):
    name: str
    read: list[importing.Read]


async def _read_upload(request: Request, caller: CallerDep) -> _Upload:
    """Read the body, or the one file of a form, as a prepared file."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return _Upload("import.json", await importing.read_file(caller, await request.body()))
    async with request.form(max_files=1, max_fields=10) as form:
        file = form.get("file")
        if file is None or isinstance(file, str):
            raise InvalidInputError(faults=[Fault("file", "请选择要导入的文件")])
        return _Upload(file.filename or "import", await importing.read_file(caller, await file.read()))


@once.post(
    "/imports",
    status_code=201,
    responses=_QUOTA,
    openapi_extra={"requestBody": {"required": True, "content": _PREPARED}},
    dependencies=[may(*RIGHTS[Action.SAVE])],
    tags=["imports"],
)
async def import_file(file: Annotated[_Upload, Depends(_read_upload)], desk: ChangingDep) -> ImportOut:
    """Take a prepared file of many villages in: JSON as the body, or JSON or CSV as the form's `file`; all or nothing."""
    made = await importing.import_file(desk, file.name, file.read)
    return import_out(made.made, made.drafts)


# For all staff, unlike one import: it is a list of one's own and reveals nothing to whoever never imported.
@router.get("/imports", dependencies=[may(*STAFF)], tags=["imports"])
async def imports(desk: ReadingDep) -> Listing[ImportOut]:
    """One's own last 200 imports, newest first, without their drafts; empty for whoever never imported."""
    return Listing(items=[import_out(i, []) for i in await select_imports(desk.conn, desk.actor.staff_id, 200)])


@router.get("/imports/{import_id}", dependencies=[may(*RIGHTS[Action.SAVE])], tags=["imports"])
async def import_of(import_id: ImportId, desk: ReadingDep) -> ImportOut:
    """An import of one's own with its drafts and what does not add up in them."""
    found = await importing.load_import_with_findings(desk, import_id)
    return import_out(found.made, found.drafts)


@router.delete("/imports/{import_id}", dependencies=[may(*RIGHTS[Action.SAVE])], tags=["imports"])
async def undo_import(import_id: ImportId, desk: ChangingDep) -> UndoneOut:
    """Remove the drafts of an import that nobody has touched since."""
    undone = await importing.undo_import(desk, import_id)
    return UndoneOut(removed=[str(i) for i in undone.removed], kept=[disclosure_out(d) for d in undone.kept])
