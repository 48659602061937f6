"""凭证和附件: pictures of vouchers of a draft, many at once; which line each belongs to; boxes over what nobody may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import UploadFile

from services.contracts.bodies import Body, Ledger
from services.contracts.values import yuan
from services.contracts.words import DIRECTIONS
from services.ingest.commands import vouchers
from services.ingest.commands.vouchers import line_of, proposed_line
from services.ingest.errors import UnknownAttachmentError, UnusableUploadError
from services.ingest.gate import vouchers as gate
from services.ingest.gate.files import MAX_FILE_BYTES
from services.ingest.pages.frame import ENTERING, MAX_FIELDS, FieldsDep, refusal_page, render, to, whole
from services.ingest.pages.kept import KeptRoute
from services.ingest.store.disclosures import Disclosure
from services.ingest.store.vouchers import Paper
from services.ingest.visit import CallerDep, Changing, ChangingDep, Reading, ReadingDep
from services.kit.errors import ConflictError, Fault, InvalidInputError
from services.kit.visit import may

router = APIRouter(route_class=KeptRoute)
#: Files of one form without script; with it each comes by itself.
MOST_AT_ONCE = 60


@dataclass(frozen=True, slots=True)
class PaperView:
    """A file with what the page says of it. `line`: its line's place, or the one that its name proposes; None for none yet."""

    paper: Paper
    number: int
    line: int | None
    matched: bool
    state: str
    made: str


def _views(desk: Reading, ledger: Ledger, papers: Sequence[Paper]) -> list[PaperView]:
    """Files in the order of their lines, those without one behind them as they came."""
    placed = [(p, line_of(p, ledger.lines)) for p in papers]
    shown = [(p, at, at if at is not None else proposed_line(p, ledger.lines)) for p, at in placed]
    shown.sort(key=lambda one: len(ledger.lines) if one[2] is None else one[2])
    return [PaperView(p, n, line, at is not None, *_state(desk, p)) for n, (p, at, line) in enumerate(shown, 1)]


def _line_words(ledger: Ledger) -> list[str]:
    """Each line in a few words, to tell it by."""
    return [
        f"第{n}行 {x.voucher.word + '-' + str(x.voucher.no) if x.voucher else '无凭证号'} {x.summary[:20]}"
        f" {DIRECTIONS[x.direction]} {yuan(x.amount_fen)}"
        for n, x in enumerate(ledger.lines, 1)
    ]


def _state(desk: Reading, paper: Paper) -> tuple[str, str]:
    """What becomes of a file, and who decided so."""
    r = paper.redaction
    if r is None:
        return "还没有遮盖，不公开" if paper.is_picture else "PDF，只留在村里，不公开", ""
    done = f"遮盖了 {len(r.boxes)} 处" if r.boxes else "无需遮盖"
    return f"{done}，会公开", f"{desk.reference.name_of(r.made_by)} {'遮盖' if r.boxes else '确认无需遮盖'}"


class Shown(NamedTuple):
    """The files of a draft, those of them that wait for somebody to decide, and all that their page shows."""

    papers: list[PaperView]
    undecided: list[PaperView]
    values: dict[str, object]


async def _shown(desk: Reading, disclosure: Disclosure) -> Shown:
    edition = await desk.visible_edition(disclosure, disclosure.edition)
    if edition is None:
        raise UnknownAttachmentError
    ledger = vouchers.ledger_of(desk, disclosure, edition.body)
    papers = _views(desk, ledger, await vouchers.papers_of(desk, disclosure, ledger))
    undecided = [v for v in papers if v.matched and v.paper.is_picture and v.paper.redaction is None]
    values: dict[str, object] = {
        "d": disclosure,
        "item": desk.item_of(disclosure),
        "papers": papers,
        "undecided": undecided,
        "lines": _line_words(ledger),
        "bare": sum(not any(v.line == n for v in papers) for n in range(len(ledger.lines))),
        "saved": sum(len(x.pictures) for x in ledger.lines),
    }
    return Shown(papers, undecided, values)


@dataclass(frozen=True, slots=True)
class PapersShown:
    """What the page of a disclosure tells of its vouchers: those that will be public, and how many more there are."""

    shown: tuple[tuple[str, PaperView], ...]
    waiting: int
    inside: int


async def papers_shown(desk: Reading, disclosure: Disclosure, body: Body) -> PapersShown | None:
    """The pictures of vouchers of an edition as everybody will see them; None where there can be none."""
    ledger = vouchers.ledger_with_vouchers(desk, disclosure, body)
    if ledger is None:
        return None
    papers = _views(desk, ledger, await vouchers.papers_of(desk, disclosure, ledger))
    made = {v.paper.redaction.shown_digest: v for v in papers if v.paper.redaction is not None}
    shown = tuple((d, made[d]) for line in ledger.lines for d in line.pictures if d in made)
    waiting = sum(v.matched and v.paper.redaction is None and v.paper.is_picture for v in papers)
    return PapersShown(shown, waiting, len(papers) - len(shown) - waiting)


@router.get("/disclosures/{disclosure_id}/vouchers", dependencies=[may(*ENTERING)])
async def vouchers_page(request: Request, disclosure_id: UUID, desk: ReadingDep) -> Response:
    """All pictures of a draft's vouchers, each with its line."""
    found = await desk.disclosure(disclosure_id)
    desk.require_entering(found.village_code, desk.item_of(found))
    return render(request, desk, "vouchers.html", status=200, **(await _shown(desk, found)).values)


class Papers(NamedTuple):
    """The fields of a form with the files that were chosen in it: names and contents."""

    fields: dict[str, str]
    files: list[tuple[str, bytes]]


async def _texts_and_files(request: Request) -> Papers:
    async with request.form(max_fields=MAX_FIELDS, max_files=MOST_AT_ONCE) as form:
        fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
        chosen = [v for _, v in form.multi_items() if isinstance(v, UploadFile) and v.filename]
        # One byte more than any file may have tells that it is too large.
        return Papers(fields, [(f.filename or "", await f.read(MAX_FILE_BYTES + 1)) for f in chosen])


@router.post("/vouchers", dependencies=[may(*ENTERING)])
async def post_vouchers(
    request: Request, sent: Annotated[Papers, Depends(_texts_and_files)], caller: CallerDep
) -> Response:
    """Take pictures and PDFs in behind a draft's lines; what cannot be taken is named, the others are there."""
    try:
        disclosure_id = UUID(sent.fields.get("id", ""))
    except ValueError as error:
        raise InvalidInputError from error
    faults = [] if sent.files else [Fault("file", "请先选择照片或 PDF，再点“上传”。")]
    taken: list[str] = []
    for name, data in sent.files:
        try:
            taken.append(await vouchers.hand_in(caller, disclosure_id, data, name))
        except UnusableUploadError as error:
            faults += [Fault("file", f"{name[:40]}：{f.message}") for f in error.faults]
    if "text/html" not in request.headers.get("accept", ""):
        if faults:
            raise UnusableUploadError(faults=faults)
        return JSONResponse({"digests": taken}, 201)
    if faults:
        async with caller.reading(Reading) as desk:
            found = await desk.disclosure(disclosure_id)
            desk.require_entering(found.village_code, desk.item_of(found))
            values = {**(await _shown(desk, found)).values, "error": UnusableUploadError(faults=faults)}
            raise refusal_page(request, desk, "vouchers.html", status=422, **values)
    return to(f"/desk/disclosures/{disclosure_id}/vouchers")


@router.post("/disclosures/{disclosure_id}/vouchers", dependencies=[may(*ENTERING)])
async def match(request: Request, disclosure_id: UUID, fields: FieldsDep, desk: ChangingDep) -> Response:
    """Put each picture behind the line that was chosen for it, and go on to the first that is to be covered."""
    try:
        chosen, dropped = _choices(fields)
        await vouchers.match(desk, disclosure_id, whole(fields.get("version", "")), chosen, dropped)
    except (ConflictError, InvalidInputError) as error:
        found = await desk.disclosure(disclosure_id)
        values = {**(await _shown(desk, found)).values, "error": error}
        raise refusal_page(request, desk, "vouchers.html", status=error.status, **values) from error
    return await _onward(desk, disclosure_id)


def _choices(fields: Mapping[str, str]) -> tuple[dict[str, int | None], list[str]]:
    """What was chosen for each file: fields `line|digest` with a line's number, `drop|digest` for what goes."""
    chosen: dict[str, int | None] = {}
    for name, value in fields.items():
        kind, _, digest = name.partition("|")
        if kind == "line":
            chosen[digest] = _line(value.strip(), name)
    return chosen, [name.partition("|")[2] for name in fields if name.startswith("drop|")]


def _line(text: str, name: str) -> int | None:
    """The place of the line whose number was typed; None for none."""
    if text and not whole(text):
        message = f"“{text[:10]}”不是行号，请写 3 这样的数字，或者空着。"
        raise InvalidInputError(message, faults=[Fault(name, message)])
    return whole(text) - 1 if text else None


async def _onward(desk: Changing, disclosure_id: UUID) -> Response:
    undecided = (await _shown(desk, await desk.disclosure(disclosure_id))).undecided
    page = f"/desk/disclosures/{disclosure_id}/vouchers"
    return to(f"{page}/{undecided[0].paper.digest}" if undecided else page)


@router.get("/disclosures/{disclosure_id}/vouchers/{digest}", dependencies=[may(*ENTERING)])
async def voucher_page(request: Request, disclosure_id: UUID, digest: str, desk: ReadingDep) -> Response:
    """One picture, to draw boxes on."""
    found = await desk.disclosure(disclosure_id)
    desk.require_entering(found.village_code, desk.item_of(found))
    return render(request, desk, "voucher.html", status=200, **await _one(desk, found, digest))


async def _one(desk: Reading, found: Disclosure, digest: str) -> dict[str, object]:
    shown = await _shown(desk, found)
    view = next((v for v in shown.papers if v.paper.digest == digest), None)
    if view is None:
        raise UnknownAttachmentError
    r = view.paper.redaction
    boxes = ";".join(",".join(map(str, b)) for b in r.boxes) if r is not None else ""
    return {**shown.values, "view": view, "boxes": boxes}


@router.post("/disclosures/{disclosure_id}/vouchers/{digest}", dependencies=[may(*ENTERING)])
async def cover(request: Request, disclosure_id: UUID, digest: str, fields: FieldsDep, caller: CallerDep) -> Response:
    """Cover what was drawn over, or clear the picture as it is, or keep it inside; then the next one."""
    try:
        await _decide(caller, disclosure_id, digest, fields)
    except (InvalidInputError, ConflictError, UnusableUploadError) as error:
        async with caller.reading(Reading) as desk:
            found = await desk.disclosure(disclosure_id)
            desk.require_entering(found.village_code, desk.item_of(found))
            values = {**await _one(desk, found, digest), "error": error}
            raise refusal_page(request, desk, "voucher.html", status=error.status, **values) from error
    async with caller.changing(Changing) as desk:
        return await _onward(desk, disclosure_id)


async def _decide(caller: CallerDep, disclosure_id: UUID, digest: str, fields: Mapping[str, str]) -> None:
    how = fields.get("how", "")
    if how == "hide":
        async with caller.changing(Changing) as desk:
            await vouchers.hide(desk, disclosure_id, digest)
        return
    try:
        boxes = gate.read_boxes(fields.get("boxes", "")) if how == "cover" else ()
    except ValueError as error:
        raise InvalidInputError(str(error), faults=[Fault("boxes", str(error))]) from error
    if how not in {"cover", "clear"} or (how == "cover" and not boxes):
        message = "还没有画遮盖框：在图上按住拖动，盖住身份证号、银行卡号、电话、签名和住址；确实没有的，点“无需遮盖”。"
        raise InvalidInputError(message, faults=[Fault("boxes", message)])
    turn = whole(fields.get("turn", ""))
    await vouchers.redact(caller, disclosure_id, digest, boxes, turn if turn in gate.TURNS else 0)
