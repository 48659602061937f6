"""The signed sheet: printed for one edition, signed by the supervisors, photographed; its code ties it to that edition.

Who signs is chosen from the village's supervisors on record, and whoever wrote the content does not bring their word.
"""

import asyncio
from collections.abc import Sequence

from services.contracts.base import Role
from services.ingest import store
from services.ingest.commands.desk import Desk
from services.ingest.errors import MissingAttachmentError, UnknownSignerError, WrongSheetError
from services.ingest.gate.sheets import SheetCode, read_sheet, sheet_code
from services.ingest.store import Disclosure
from services.kit.clock import local_day
from services.kit.errors import Fault


def code_of(disclosure: Disclosure) -> SheetCode:
    """What the sheet of the newest edition carries."""
    return sheet_code(disclosure.id, disclosure.edition, disclosure.digest)


def signers_of(desk: Desk, village: str) -> tuple[str, ...]:
    """Names of the village's supervisors in service, each once; whose name nobody noted cannot be chosen."""
    serving = desk.reference.serving(Role.SUPERVISOR, village, local_day(desk.now))
    return tuple(dict.fromkeys(s.name for s in serving if s.name is not None))


def require_signers(desk: Desk, village: str, names: Sequence[str]) -> tuple[str, ...]:
    """The names, each once; UnknownSignerError tells who can be chosen."""
    known = signers_of(desk, village)
    choice = f"可以选：{'、'.join(known)}" if known else "本村没有登记姓名的村监委会成员，请先由平台管理员登记"
    faults = [Fault(f"names[{n}]", f"“{name}”不在册，{choice}") for n, name in enumerate(names) if name not in known]
    if faults:
        raise UnknownSignerError(faults=faults)
    return tuple(dict.fromkeys(names))


async def require_sheet_of(desk: Desk, disclosure: Disclosure, digest: str) -> None:
    """Refuse a photograph that the village did not give, or whose code names anything but this edition."""
    if not await store.select_known_digests(desk.conn, disclosure.village_code, [digest]):
        raise MissingAttachmentError(faults=[Fault("sheet", "没有上传过这张照片")])
    picture = await desk.objects.get(digest)
    found = await asyncio.to_thread(read_sheet, picture) if picture is not None else None
    if found != code_of(disclosure):
        raise WrongSheetError(faults=[Fault("sheet", "照片上没有读到这一版核对单的码")])
    await store.insert_uses(desk.conn, [digest], disclosure.id, disclosure.village_code)
