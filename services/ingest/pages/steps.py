"""The buttons of a disclosure's page; what stands in the way comes back on the page, with what was typed."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.contracts.disclosure import LineReason, WithdrawalKind
from services.contracts.values import ShortText
from services.ingest import workflow
from services.ingest.commands import checking, entering, masking, withdrawing
from services.ingest.commands.attachments import attach
from services.ingest.commands.checking import Word
from services.ingest.commands.findings import Reason
from services.ingest.commands.sheets import read_photograph
from services.ingest.errors import QuotaUsedUpError
from services.ingest.pages.frame import FieldsDep, UploadDep, needed, refusal_page, render, to, whole
from services.ingest.pages.kept import KeptRoute
from services.ingest.pages.reading import page_values
from services.ingest.store.disclosures import Disclosure
from services.ingest.visit import CallerDep, Changing, ChangingDep, Reading
from services.ingest.workflow import Action
from services.kit.errors import ConflictError, Fault, ForbiddenError, InvalidInputError, SanwuError, UnavailableError
from services.kit.visit import STAFF, may

router = APIRouter(route_class=KeptRoute)
MAX_REASON = 200
MAX_TEXT = 2000
#: A ticked name on the sheet's form; what an opinion holds at most.
SIGNER = "signer|"
MAX_SIGNERS = 10


@router.post("/sheets", dependencies=[may(*workflow.SHEET_BEARERS)])
async def post_sheet(request: Request, upload: UploadDep, caller: CallerDep) -> Response:
    """A photograph of the signed sheet speaks for those who signed it.

    It is taken in first and stays for a while, whatever comes of the word.
    """
    fields = upload.fields
    try:
        disclosure_id = UUID(fields.get("id", ""))
    except ValueError as error:
        raise InvalidInputError from error
    async with caller.reading(Reading) as desk:
        found = await desk.disclosure(disclosure_id)
    try:
        if not upload.data:
            raise InvalidInputError("请先选择核对单的照片。")  # noqa: EM101, TRY301 - one place
        names = tuple(name.removeprefix(SIGNER) for name in fields if name.startswith(SIGNER))[:MAX_SIGNERS]
        made = await attach(caller, found.village_code, upload.data)
        word = Word(names=names, sheet=await read_photograph(caller, made.digest))
        async with caller.changing(Changing) as desk:
            await checking.confirm(desk, found.id, whole(fields.get("version", "")), word)
    except (InvalidInputError, ConflictError, ForbiddenError, UnavailableError, QuotaUsedUpError) as error:
        async with caller.reading(Reading) as desk:
            raise await _again(request, desk, found, error, fields) from error
    return to(f"/desk/disclosures/{found.id}")


@router.post("/disclosures/{disclosure_id}/{action}", dependencies=[may(*STAFF)])
async def step(request: Request, disclosure_id: UUID, action: Action, fields: FieldsDep, desk: ChangingDep) -> Response:
    """Take the step of a button; what stands in the way comes back on the page."""
    found = await desk.disclosure(disclosure_id)
    try:
        await _take(desk, found, action, fields)
    except (InvalidInputError, ConflictError, ForbiddenError) as error:
        raise await _again(request, desk, found, error, fields) from error
    if action is Action.MASK:
        # What was typed beside other findings is not lost.
        after = await desk.disclosure(disclosure_id)
        values = {**await page_values(desk, after), "typed": fields, "masked": True}
        return render(request, desk, "disclosure.html", **values)
    if action is Action.CORRECT:
        return to(f"/desk/disclosures/{disclosure_id}/edit")
    return to(f"/desk/disclosures/{disclosure_id}")


async def _again(
    request: Request, desk: Reading, d: Disclosure, error: SanwuError, typed: Mapping[str, str]
) -> SanwuError:
    """The page once more, with what was typed into it."""
    values = {**await page_values(desk, await desk.disclosure(d.id), error), "typed": typed}
    return refusal_page(request, desk, "disclosure.html", status=error.status, **values)


async def _take(desk: Changing, d: Disclosure, action: Action, fields: Mapping[str, str]) -> None:
    version = whole(fields.get("version", ""))
    checked_by = fields.get("secrecy_checked_by", "").strip()[:MAX_REASON] or None
    match action:
        case Action.SUBMIT:
            await entering.submit(desk, d.id, version, reasons_of(fields), checked_by)
        case Action.CONFIRM:
            await checking.confirm(desk, d.id, version, _word(fields))
        case Action.APPROVE:
            await checking.approve(desk, d.id, version, checked_by)
        case Action.FILE:
            await checking.file(desk, d.id, version)
        case Action.RETURN:
            reason = _text(fields, "reason", "请写明退回的原因。", MAX_TEXT)
            await checking.send_back(desk, d.id, version, reason, line_reasons(fields))
        case Action.WITHDRAW | Action.RESTORE | Action.ERASE:
            await _take_away(desk, d, action, fields)
        case Action.CORRECT:
            note = _text(fields, "note", "请写明更正说明，说明会随新的一版公开。", MAX_TEXT)
            await entering.correct(desk, d.id, version, note, None)
        case Action.MASK | Action.ACCEPT:
            await _let_stand_or_mask(desk, d, action, fields)
        case Action.SAVE | Action.DISCARD:
            raise InvalidInputError("请在填写页上操作。")  # noqa: EM101 - one place


async def _let_stand_or_mask(desk: Changing, d: Disclosure, action: Action, fields: Mapping[str, str]) -> None:
    version = whole(fields.get("version", ""))
    if action is Action.MASK:
        await masking.mask(desk, d.id, version, _wanted(fields))
    else:
        await masking.accept(desk, d.id, version, reasons_of(fields))


def _wanted(fields: Mapping[str, str]) -> list[tuple[str, str]] | None:
    """The finding beside whose button somebody pressed; None for all of them."""
    code, _, at = fields.get("what", "").partition("|")
    return [(code, at)] if at else None


async def _take_away(desk: Changing, d: Disclosure, action: Action, fields: Mapping[str, str]) -> None:
    """Withdraw, restore or erase at the version that was shown; a missing reason is refused."""
    version = whole(fields.get("version", ""))
    match action:
        case Action.WITHDRAW:
            reason = _text(fields, "reason", "请写明撤回的原因，原因会公开。", MAX_TEXT)
            needed(fields, "sure", "请先勾选“确定撤回”。")
            kind: WithdrawalKind = "personal_data" if fields.get("kind") == "personal_data" else "content"
            await withdrawing.withdraw(desk, d.id, version, reason, kind)
        case Action.RESTORE:
            reason = _text(fields, "reason", "请写明恢复的原因，原因会公开。", MAX_TEXT)
            await withdrawing.restore(desk, d.id, version, reason)
        case Action.ERASE:
            needed(fields, "sure", "删除后不能恢复，请先勾选“确定永久删除”。")
            await withdrawing.agree_to_erase(desk, d.id, version)
        case _:
            raise InvalidInputError


def _text(fields: Mapping[str, str], name: str, message: str, most: int) -> str:
    text = needed(fields, name, message)
    if len(text) > most:
        too_long = f"太长，最多 {most} 个字"
        raise InvalidInputError(too_long, faults=[Fault(name, too_long)])
    return text


def _word(fields: Mapping[str, str]) -> Word:
    if fields.get("opinion") != "dissent":
        return Word()
    return Word(opinion="dissent", reason=_text(fields, "reason", "请写明不同意见的内容。", MAX_TEXT))


def reasons_of(fields: Mapping[str, str]) -> list[Reason]:
    """Reasons typed beside findings: fields `reason|code|at`."""
    given = []
    for name, text in fields.items():
        kind, _, place = name.partition("|")
        code, _, at = place.partition("|")
        if kind == "reason" and at and text.strip():
            given.append(Reason(code, at, _short(name, text)))
    return given


def line_reasons(fields: Mapping[str, str]) -> list[LineReason]:
    """Reasons typed beside lines: fields `line|at`."""
    given = []
    for name, text in fields.items():
        kind, _, at = name.partition("|")
        if kind == "line" and 0 < len(at) <= MAX_REASON and text.strip():
            given.append(LineReason(at=at, reason=_short(name, text)))
    return given


def _short(name: str, text: str) -> ShortText:
    if len(text.strip()) > MAX_REASON:
        message = f"每条原因最多 {MAX_REASON} 个字"
        raise InvalidInputError(message, faults=[Fault(name, message)])
    return text.strip()
