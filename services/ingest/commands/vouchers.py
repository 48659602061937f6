"""Pictures of vouchers behind a draft's lines: handed in, matched to lines, covered or cleared, taken back.

The picture itself stays here, sealed, and is never public. What may be shown is a copy with boxes burnt in, or one that
somebody let stand without; only that is named by a line (`pictures`), so whoever confirms and approves sees what will be public.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.contracts.bodies import Body, Ledger, Line
from services.contracts.catalogue import Masking
from services.ingest.commands.attachments import LIMITS, NONCE_BYTES, make_public, open_inside, seal_file
from services.ingest.commands.entering import as_found, save
from services.ingest.commands.quotas import count_upload
from services.ingest.errors import BeingRemovedError, UnknownAttachmentError, UnusableUploadError
from services.ingest.gate import vouchers as gate
from services.ingest.gate.files import MAX_FILE_BYTES, PublicFile, UnusableFileError, size_fault
from services.ingest.store.attachments import insert_attachment, insert_uses, queue_unowned_for_deletion
from services.ingest.store.disclosures import Disclosure
from services.ingest.store.vouchers import (
    Paper,
    Redaction,
    SealedPicture,
    delete_paper,
    delete_redaction,
    note_inside,
    select_inside,
    select_papers,
    upsert_redaction,
)
from services.ingest.visit import Caller, Changing, Reading
from services.ingest.workflow import Action
from services.kit.errors import ConflictError, Fault, InvalidInputError
from services.kit.limited import OverLimitError, run_limited

#: Pictures of one disclosure; a month of a large village has fifty lines.
MOST_PAPERS: Final = 200
#: A voucher's number as people name files: 记-12, 记12号, 记_012(2), 12; a camera's own names tell none.
_NAMED: Final = re.compile(r"([^\d\s\-_()（）]{0,4})[\-_ 第]*0*(\d{1,5})号?(?:[\-_ ]?[(（]?\d{1,2}[)）]?)?")


def ledger_with_vouchers(desk: Reading, disclosure: Disclosure, body: Body) -> Ledger | None:
    """The ledger whose vouchers may be shown; None of what has no lines, or whose lines nobody is shown."""
    if not isinstance(body, Ledger) or desk.item_of(disclosure).masking is Masking.AGGREGATE:
        return None
    return body


def ledger_of(desk: Reading, disclosure: Disclosure, body: Body) -> Ledger:
    """The same; ConflictError where there is none."""
    ledger = ledger_with_vouchers(desk, disclosure, body)
    if ledger is None:
        detail = "这一份没有可以公开的凭证：只有逐笔公开的收支明细才有，名单和只公布合计的事项没有。"
        raise ConflictError(detail)
    return ledger


async def papers_of(desk: Reading, disclosure: Disclosure, ledger: Ledger) -> list[Paper]:
    """The files behind a ledger's lines, matched or not, in the order in which they came."""
    return await select_papers(desk.conn, disclosure.id, {d for line in ledger.lines for d in line.attachments})


def voucher_of(name: str, lines: Sequence[Line]) -> str | None:
    """The voucher of these lines that a file's name tells, such as 记-12; None when it tells none, or one of several."""
    match = _NAMED.fullmatch(name.rpartition(".")[0] or name)
    if match is None:
        return None
    word, number = match[1], int(match[2])
    known = {(x.voucher.word, x.voucher.no) for x in lines if x.voucher is not None}
    fitting = {v for v in known if v[1] == number and (not word or v[0] == word)}
    return "{}-{}".format(*fitting.pop()) if len(fitting) == 1 else None


def line_of(paper: Paper, lines: Sequence[Line]) -> int | None:
    """The line that a file stands behind, by place."""
    return next((n for n, line in enumerate(lines) if paper.digest in line.attachments), None)


def proposed_line(paper: Paper, lines: Sequence[Line]) -> int | None:
    """The only line with the voucher that a file's name told."""
    fitting = [
        n for n, x in enumerate(lines) if x.voucher is not None and f"{x.voucher.word}-{x.voucher.no}" == paper.voucher
    ]
    return fitting[0] if len(fitting) == 1 else None


async def hand_in(caller: Caller, disclosure_id: UUID, data: bytes, name: str) -> str:
    """Take a file in behind a draft's lines and return its digest; nothing of it goes into the object store."""
    async with caller.reading(Reading) as desk:
        found = await desk.disclosure(disclosure_id)
        ledger = ledger_of(desk, found, (await desk.content_of(found)).body)
    await count_upload(caller, len(data))
    if data.startswith(b"%PDF-"):
        made, thumbnail = await make_public(data, caller.actor.staff_id), b""
    else:
        taken = await _drawn(data, gate.order_of(boxes=None), caller.actor.staff_id)
        made, thumbnail = PublicFile(taken.content, "image/jpeg"), taken.thumbnail
    sealed = replace(seal_file(caller, found.village_code, made, made.content), inside=True)
    file = (found.village_code, sealed.digest)
    async with caller.changing(Changing) as desk:
        await _lock(desk, disclosure_id)
        if len(await papers_of(desk, found, ledger)) >= MOST_PAPERS:
            raise UnusableUploadError(faults=[Fault("file", f"这一份的凭证图太多，最多 {MOST_PAPERS} 张。")])
        if not await insert_attachment(desk.conn, sealed):
            raise BeingRemovedError
        kept = await select_inside(desk.conn, *file)
        if kept is None:
            message = "同一个文件已经作为附件上传过，会跟着附件公开。要放在某一笔后面，请重新拍一张。"
            raise UnusableUploadError(faults=[Fault("file", message)])
        small = _close_thumbnail(kept, sealed.digest, thumbnail) if thumbnail else None
        await note_inside(desk.conn, *file, small, voucher_of(name, ledger.lines))
        await insert_uses(desk.conn, [(disclosure_id, file)])
    return sealed.digest


async def _lock(desk: Changing, disclosure_id: UUID) -> Disclosure:
    """Lock a draft as it is now, for what does not depend on what somebody saw of its content."""
    return await desk.lock_for(Action.SAVE, disclosure_id, (await desk.disclosure(disclosure_id)).edition)


async def _drawn(data: bytes, order: bytes, who: str) -> gate.Taken:
    if len(data) > MAX_FILE_BYTES or not data:
        raise UnusableUploadError(faults=[Fault("file", size_fault(data))])
    try:
        return gate.read_answer(await run_limited("services.ingest.gate.vouchers", order + data, LIMITS, who=who))
    except OverLimitError as error:
        raise UnusableUploadError(faults=[Fault("file", "这张图片太复杂，打不开，请重新拍一张。")]) from error
    except UnusableFileError as error:
        raise UnusableUploadError(faults=[Fault("file", str(error))]) from error


def _close_thumbnail(kept: SealedPicture, digest: str, thumbnail: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(kept.key).encrypt(nonce, thumbnail, f"{digest}:thumbnail".encode())


async def match(
    desk: Changing, disclosure_id: UUID, version: int, chosen: Mapping[str, int | None], dropped: Iterable[str] = ()
) -> Disclosure:
    """Put files behind lines and what may be shown of them before everybody; others that came for it are dropped for good.

    `chosen` gives the place of the line of each file; what it does not name stays where it is. Without a change nothing is saved.
    """
    disclosure = await desk.lock_for(Action.SAVE, disclosure_id, version)
    edition = await desk.content_of(disclosure)
    ledger = ledger_of(desk, disclosure, edition.body)
    papers = {p.digest: p for p in await papers_of(desk, disclosure, ledger)}
    gone = set(dropped) & papers.keys()
    lines = _lines_with(ledger.lines, papers, {**chosen, **dict.fromkeys(gone)})
    for digest in gone:
        await delete_paper(desk.conn, disclosure_id, (disclosure.village_code, digest))
    if lines == ledger.lines:
        return disclosure
    # No word changed: what was found in them when they were saved stays found.
    content = replace(as_found(edition), body=ledger.model_copy(update={"lines": lines}))
    return (await save(desk, disclosure_id, version, content, edition.note)).disclosure


def _lines_with(
    lines: Sequence[Line], papers: Mapping[str, Paper], chosen: Mapping[str, int | None]
) -> tuple[Line, ...]:
    """The lines with the files chosen for each behind them; InvalidInputError for a line that there is not."""
    places = {digest: chosen.get(digest, line_of(paper, lines)) for digest, paper in papers.items()}
    beyond = [n for n in places.values() if n is not None and n >= len(lines)]
    if beyond:
        message = f"没有第 {beyond[0] + 1} 行，这一份一共 {len(lines)} 行。"
        raise InvalidInputError(message, faults=[Fault("line", message)])
    return tuple(_behind(x, [p for d, p in papers.items() if places[d] == n]) for n, x in enumerate(lines))


def _behind(line: Line, papers: Sequence[Paper]) -> Line:
    shown = dict.fromkeys(p.redaction.shown_digest for p in papers if p.redaction is not None)
    return line.model_copy(update={"attachments": tuple(p.digest for p in papers), "pictures": tuple(shown)})


async def redact(
    caller: Caller, disclosure_id: UUID, digest: str, boxes: Sequence[gate.Box], turn: int = 0
) -> Disclosure:
    """Make what may be shown of a picture: a copy with the boxes burnt in; without any it is cleared as it is."""
    async with caller.reading(Reading) as desk:
        paper, village = await _paper(desk, disclosure_id, digest)
        kept = await select_inside(desk.conn, village, digest)
    content = open_inside(kept, digest) if kept is not None else await caller.own.objects.get(digest)
    if content is None or not paper.is_picture:
        raise UnknownAttachmentError
    taken = await _drawn(content, gate.order_of(boxes=boxes, turn=turn), caller.actor.staff_id)
    # What it was made of rests sealed beside it already.
    shown = seal_file(caller, village, PublicFile(taken.content, "image/jpeg"), b"")
    async with caller.changing(Changing) as desk:
        disclosure = await _lock(desk, disclosure_id)
        if not await insert_attachment(desk.conn, shown):
            raise BeingRemovedError
        await insert_uses(desk.conn, [(disclosure_id, (village, shown.digest))])
        made = Redaction(
            shown.digest, tuple((b.left, b.top, b.right, b.bottom) for b in boxes), caller.actor.staff_id, caller.now
        )
        await upsert_redaction(desk.conn, disclosure_id, (village, digest), made)
        after = await _show_when_done(desk, disclosure, paper)
    await caller.own.objects.put(taken.content)
    async with caller.runtime.database.transaction() as conn:
        await queue_unowned_for_deletion(conn, shown.digest, caller.now)
    return after


async def hide(desk: Changing, disclosure_id: UUID, digest: str) -> Disclosure:
    """Keep a picture inside: nothing of it is shown from the draft's next saving on."""
    paper, _ = await _paper(desk, disclosure_id, digest)
    disclosure = await _lock(desk, disclosure_id)
    await delete_redaction(desk.conn, disclosure_id, digest)
    return await _show_when_done(desk, disclosure, paper)


async def _paper(desk: Reading, disclosure_id: UUID, digest: str) -> tuple[Paper, str]:
    found = await desk.disclosure(disclosure_id)
    ledger = ledger_of(desk, found, (await desk.content_of(found)).body)
    paper = next((p for p in await papers_of(desk, found, ledger) if p.digest == digest), None)
    if paper is None:
        raise UnknownAttachmentError
    return paper, found.village_code


async def _show_when_done(desk: Changing, disclosure: Disclosure, before: Paper) -> Disclosure:
    """Save what may be shown once every matched picture was decided on: one edition, not one for each picture.

    Where the draft shows what the picture was before, it is saved at once, for that may not be shown any more.
    """
    ledger = ledger_of(desk, disclosure, (await desk.content_of(disclosure)).body)
    papers = await papers_of(desk, disclosure, ledger)
    left = [p for p in papers if p.is_picture and p.redaction is None and line_of(p, ledger.lines) is not None]
    was = before.redaction.shown_digest if before.redaction is not None else None
    if left and all(was not in line.pictures for line in ledger.lines):
        return disclosure
    return await match(desk, disclosure.id, disclosure.edition, {})
