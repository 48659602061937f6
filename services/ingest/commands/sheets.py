"""The signed sheet: printed for one edition, signed by the supervisors, photographed; its code ties it to that edition."""

import asyncio

from services.ingest import store
from services.ingest.commands.desk import Desk
from services.ingest.errors import MissingAttachmentError, WrongSheetError
from services.ingest.gate.sheets import SheetCode, read_sheet, sheet_code
from services.ingest.store import Disclosure
from services.kit.errors import Fault


def code_of(disclosure: Disclosure) -> SheetCode:
    """What the sheet of the newest edition carries."""
    return sheet_code(disclosure.id, disclosure.edition, disclosure.digest)


async def require_sheet_of(desk: Desk, disclosure: Disclosure, digest: str) -> None:
    """Refuse a photograph that the village did not give, or whose code names anything but this edition."""
    if not await store.select_known_digests(desk.conn, disclosure.village_code, [digest]):
        raise MissingAttachmentError(faults=[Fault("sheet", "没有上传过这张照片")])
    picture = await desk.objects.get(digest)
    found = await asyncio.to_thread(read_sheet, picture) if picture is not None else None
    if found != code_of(disclosure):
        raise WrongSheetError(faults=[Fault("sheet", "照片上没有读到这一版核对单的码")])
    await store.insert_uses(desk.conn, [digest], disclosure.id, disclosure.village_code)
