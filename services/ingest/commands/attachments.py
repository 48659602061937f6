"""Attachments: the public file goes to the object store, the upload stays here sealed, both go with their last use."""

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.contracts.base import Finding
from services.contracts.bodies import Body
from services.ingest import workflow
from services.ingest.commands.quotas import count_upload
from services.ingest.errors import (
    BeingRemovedError,
    MissingAttachmentError,
    UnknownAttachmentError,
    UnusableUploadError,
)
from services.ingest.gate.files import (
    MAX_FILE_BYTES,
    MAX_PUBLIC_BYTES,
    PublicFile,
    UnusableFileError,
    read_answer,
    size_fault,
)
from services.ingest.gate.findings import file_findings
from services.ingest.store.attachments import (
    Attachment,
    KnownFile,
    VillageFile,
    forget_deletions,
    insert_attachment,
    insert_uses,
    queue_unowned_for_deletion,
    select_files,
    select_holders,
    take_deletions,
)
from services.ingest.store.disclosures import Disclosure
from services.ingest.store.vouchers import SealedPicture, select_inside
from services.ingest.visit import Caller, Changing, IngestRuntime, Reading
from services.ingest.workflow import Errand
from services.kit import actions
from services.kit.errors import Fault
from services.kit.limited import Limits, OverLimitError, run_limited
from services.kit.objects import digest_of

UPLOADERS: Final = workflow.RIGHTS[Errand.ATTACH]
#: A file that nobody uses goes after this time.
UNUSED_AFTER: Final = timedelta(days=7)
#: How long an order of deletion is one process's own: longer than the store's library tries one call (3 minutes).
TAKEN_FOR: Final = timedelta(minutes=10)
_AT_ONCE: Final = 500
NONCE_BYTES: Final = 12
_KEY_BITS: Final = 256


#: Of a picture of 40 million pixels, or of a PDF: what the libraries themselves take, and the content twice.
LIMITS: Final = Limits(seconds=15.0, memory_mib=512, answer_bytes=MAX_PUBLIC_BYTES + 64 * 1024)
_PDF: Final = b"%PDF-"


async def make_public(data: bytes, who: str) -> PublicFile:
    """Make the public file in a process of its own; UnusableUploadError says what is wrong with the upload."""
    if len(data) > MAX_FILE_BYTES or not data:
        raise UnusableUploadError(faults=[Fault("file", size_fault(data))])
    maker = "documents" if data.startswith(_PDF) else "images"
    try:
        return read_answer(await run_limited(f"services.ingest.gate.{maker}", data, LIMITS, who=who))
    except OverLimitError as error:
        raise UnusableUploadError(faults=[Fault("file", "这个文件太复杂，打不开，请另存或分成几个再上传。")]) from error
    except UnusableFileError as error:
        raise UnusableUploadError(faults=[Fault("file", str(error))]) from error


def seal_file(caller: Caller, village: str, made: PublicFile, data: bytes) -> Attachment:
    """The row of a file: what was uploaded stands in it sealed under a key of its own (AES-256-GCM)."""
    key, nonce = AESGCM.generate_key(_KEY_BITS), os.urandom(NONCE_BYTES)
    digest = digest_of(made.content)
    return Attachment(
        village_code=village,
        digest=digest,
        media_type=made.media_type,
        size=len(made.content),
        uploaded_by=caller.actor.staff_id,
        uploaded_at=caller.now,
        key=key,
        nonce=nonce,
        original=AESGCM(key).encrypt(nonce, data, digest.encode()),
        personal=made.personal,
    )


async def attach(caller: Caller, village: str, data: bytes) -> Attachment:
    """Take a file in for a village; BeingRemovedError when the same file is just leaving the store.

    It is opened before the transaction and put into the store after it. A process that ends in between leaves a row that
    nobody was told of; it goes as every file does that nobody uses.
    """
    caller.require_village(village)
    caller.actor.require_scope(caller.reference, village)
    await count_upload(caller, len(data))
    made = await make_public(data, caller.actor.staff_id)
    attachment = seal_file(caller, village, made, data)
    async with caller.changing(Changing) as desk:
        actions.about(f"attachment/{attachment.digest}", village)
        if not await insert_attachment(desk.conn, attachment):
            raise BeingRemovedError
    await caller.own.objects.put(made.content)
    async with caller.runtime.database.transaction() as conn:
        # The row may have gone with its last use before the file came: then the file goes too.
        await queue_unowned_for_deletion(conn, attachment.digest, caller.now)
    return attachment


async def export_file(caller: Caller, digest: str, *, small: bool = False) -> tuple[bytes, str]:
    """Read a file, or the small picture of it where there is one, record in the trail who took it; content and media type.

    For staff within whose part of the tree and of the affairs it was handed in; to others it is unknown.
    """
    items = caller.items_within()
    async with caller.reading(Reading) as desk:
        holders = await select_holders(desk.conn, digest)
    reached = [
        h
        for h in holders
        if caller.reference.covers(caller.actor.scope, h.village_code)
        and (not h.withdrawn or caller.actor.role in workflow.KEEPERS)
        and (items is None or h.uploaded_by == caller.actor.staff_id or not set(items).isdisjoint(h.items))
    ]
    content = await _content_of(caller, reached[0].village_code, digest, small=small) if reached else None
    if content is None:
        raise UnknownAttachmentError
    await caller.record_export(f"attachment/{digest}", reached[0].village_code)
    return content, reached[0].media_type


def open_inside(kept: SealedPicture, digest: str, *, small: bool = False) -> bytes:
    """A picture that is in no object store, or the small one of it where there is one."""
    opener = AESGCM(kept.key)
    if small and kept.thumbnail is not None:
        nonce, closed = kept.thumbnail[:NONCE_BYTES], kept.thumbnail[NONCE_BYTES:]
        return opener.decrypt(nonce, closed, f"{digest}:thumbnail".encode())
    return opener.decrypt(kept.nonce, kept.original, digest.encode())


async def _content_of(caller: Caller, village: str, digest: str, *, small: bool) -> bytes | None:
    """A file of the object store, or a picture that rests sealed here."""
    async with caller.runtime.database.connection() as conn:
        kept = await select_inside(conn, village, digest)
    return open_inside(kept, digest, small=small) if kept is not None else await caller.own.objects.get(digest)


#: Files that villages handed in, with what is known of each.
KnownFiles = Mapping[VillageFile, KnownFile]


async def known_files(desk: Changing, of: Iterable[tuple[Disclosure, Body]]) -> KnownFiles:
    """Those of the files that some contents name which their villages handed in."""
    wanted = {(d.village_code, digest) for d, body in of for digest in body.files()}
    return await select_files(desk.conn, wanted) if wanted else {}


def require_files(disclosure: Disclosure, body: Body, known: KnownFiles) -> None:
    """MissingAttachmentError names the places of files that the village never gave, or that may not be shown there."""
    files = body.files()
    if not files:
        return
    named = [(at, d) for at, d in _places(body.model_dump(mode="json"), "body") if d in files]
    faults = [Fault(at, said) for at, d in named if (said := _fault_of(at, known.get((disclosure.village_code, d))))]
    if faults:
        raise MissingAttachmentError(faults=faults)


def _fault_of(at: str, file: KnownFile | None) -> str | None:
    """Why a file cannot stand in a place of a body; None when it can."""
    if file is None:
        return "没有上传过这个附件"
    if ".pictures[" in at and not file.shown:
        return "这张凭证图还没有遮盖，也没有人确认无需遮盖，不能公开；请在“凭证和附件”页上处理"
    if at.startswith("body.attachments[") and file.inside:
        return "这是留在村里的凭证原图，不能作为附件公开"
    return None


async def use_files(desk: Changing, of: Iterable[tuple[Disclosure, Body]]) -> None:
    """Store which files some contents name."""
    uses = [(d.id, (d.village_code, digest)) for d, body in of for digest in body.files()]
    if uses:
        await insert_uses(desk.conn, uses)


def _read_in(file: KnownFile | None) -> tuple[tuple[int, str], ...]:
    """What was read in a file that may be shown; what stays inside shows nobody anything."""
    return file.personal if file is not None and not file.inside else ()


def findings_in_files(disclosure: Disclosure, body: Body, known: KnownFiles) -> tuple[Finding, ...]:
    """What was read in the files that a content names."""
    personal = {d: read for d in body.files() if (read := _read_in(known.get((disclosure.village_code, d))))}
    if not personal:
        return ()
    titles = {a.digest: a.title for a in body.attachments}
    return tuple(
        finding
        for at, digest in _places(body.model_dump(mode="json"), "body")
        if digest in personal
        for finding in file_findings(at.removesuffix(".digest"), titles.get(digest, ""), personal[digest])
    )


def places_of_files(body: Body) -> set[str]:
    """Where what is read in files is told."""
    files = set(body.files())
    named = _places(body.model_dump(mode="json"), "body") if files else ()
    return {at.removesuffix(".digest") for at, digest in named if digest in files}


def _places(value: Any, at: str) -> Iterator[tuple[str, str]]:
    """Every text with its path."""
    match value:
        case str():
            yield at, value
        case dict():
            for name, inner in value.items():
                yield from _places(inner, f"{at}.{name}")
        case list():
            for n, inner in enumerate(value):
                yield from _places(inner, f"{at}[{n}]")


async def sweep(runtime: IngestRuntime) -> None:
    """Take queued files out of the store; an order is forgotten only after the file is gone.

    While an order is taken, the same file cannot come in. What this process does not get done (the store does not answer, it
    is stopped) is taken again after a while; by then it deletes nothing more, for the file may have come anew.
    """
    taken_at = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        taken = await take_deletions(conn, taken_at, TAKEN_FOR, _AT_ONCE)
    gone = []
    for digest in taken:
        if runtime.clock.now() > taken_at + TAKEN_FOR / 2:
            break
        runtime.beat()
        await runtime.own.objects.delete(digest)
        gone.append(digest)
    if gone:
        async with runtime.database.transaction() as conn:
            await forget_deletions(conn, gone, taken_at)
