"""The signed sheet: printed for one edition, signed by the supervisors, photographed; its code ties it to that edition.

Who signs is chosen from the village's supervisors on record, and whoever wrote the content does not bring their word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.contracts.base import Role
from services.ingest.errors import MissingAttachmentError, UnknownSignerError, WrongSheetError
from services.ingest.gate.sheets import SheetCode, read_code, sheet_code
from services.ingest.store.attachments import insert_uses, select_files
from services.ingest.store.disclosures import Disclosure
from services.ingest.visit import Caller, Changing, Reading
from services.kit.errors import Fault
from services.kit.limited import Limits, OverLimitError, run_limited


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


#: A public picture has 2560 pixels at most, 7 million in all.
LIMITS: Final = Limits(seconds=20.0, memory_mib=512, answer_bytes=1024)


async def read_photograph(caller: Caller, digest: str) -> Sheet:
    """Look for a code on a photograph; whose it is, is looked at in the transaction that follows."""
    picture = await caller.own.objects.get(digest)
    if picture is None:
        return Sheet(digest, None)
    try:
        text = await run_limited("services.ingest.gate.sheets", picture, LIMITS, who=caller.actor.staff_id)
    except OverLimitError:
        return Sheet(digest, None)
    return Sheet(digest, read_code(text.decode()))


async def use_sheet(desk: Changing, disclosure: Disclosure, sheet: Sheet) -> None:
    """Refuse a photograph that the village did not give, or whose code names anything but this edition; else note its use."""
    file = (disclosure.village_code, sheet.digest)
    if not await select_files(desk.conn, [file]):
        raise MissingAttachmentError(faults=[Fault("sheet", "没有上传过这张照片")])
    if sheet.code != code_of(disclosure):
        raise WrongSheetError(faults=[Fault("sheet", "照片上没有读到这一版核对单的码")])
    await insert_uses(desk.conn, [(disclosure.id, file)])
