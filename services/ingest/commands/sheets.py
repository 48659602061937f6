"""The signed sheet: printed for one edition, signed by the supervisors, photographed; its code ties it to that edition.

Who signs is chosen from the village's supervisors on record, and whoever wrote the content does not bring their word.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.contracts.base import Role
from services.ingest.errors import MissingAttachmentError, UnknownSignerError, WrongSheetError
from services.ingest.gate.sheets import SheetCode, read_sheet, sheet_code
from services.ingest.store.attachments import insert_uses, select_files
from services.ingest.store.disclosures import Disclosure
from services.ingest.visit import Changing, Reading
from services.kit.errors import Fault
from services.kit.objects import Objects


def code_of(disclosure: Disclosure) -> SheetCode:
    """What the sheet of the newest edition carries."""
    return sheet_code(disclosure.id, disclosure.edition, disclosure.digest)


def signers_of(desk: Reading, village: str) -> tuple[str, ...]:
    """Names of the village's supervisors in service, each once; whose name nobody noted cannot be chosen."""
    serving = desk.reference.serving(Role.SUPERVISOR, village, desk.today)
    return tuple(dict.fromkeys(s.name for s in serving if s.name is not None))


def require_signers(desk: Changing, village: str, names: Sequence[str]) -> tuple[str, ...]:
    """The names, each once; UnknownSignerError tells who can be chosen."""
    known = signers_of(desk, village)
    choice = f"可以选：{'、'.join(known)}" if known else "本村没有登记姓名的村监委会成员，请先由平台管理员登记"
    faults = [Fault(f"names[{n}]", f"“{name}”不在册，{choice}") for n, name in enumerate(names) if name not in known]
    if faults:
        raise UnknownSignerError(faults=faults)
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A photograph that was handed in for a signed sheet, and the code that was read on it."""

    digest: str
    code: SheetCode | None


async def read_photograph(objects: Objects, digest: str) -> Sheet:
    """Look for a code on a photograph; whose it is, is looked at in the transaction that follows."""
    picture = await objects.get(digest)
    return Sheet(digest, await asyncio.to_thread(read_sheet, picture) if picture is not None else None)


async def use_sheet(desk: Changing, disclosure: Disclosure, sheet: Sheet) -> None:
    """Refuse a photograph that the village did not give, or whose code names anything but this edition; else note its use."""
    file = (disclosure.village_code, sheet.digest)
    if not await select_files(desk.conn, [file]):
        raise MissingAttachmentError(faults=[Fault("sheet", "没有上传过这张照片")])
    if sheet.code != code_of(disclosure):
        raise WrongSheetError(faults=[Fault("sheet", "照片上没有读到这一版核对单的码")])
    await insert_uses(desk.conn, [(disclosure.id, file)])
