"""Attachments: the public file goes to the object store, the upload stays here sealed, both go with their last use."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.contracts.base import Finding
from services.contracts.bodies import Body
from services.ingest import store, workflow
from services.ingest.commands.desk import Desk, items_within, village_of
from services.ingest.errors import MissingAttachmentError, UnknownAttachmentError, UnusableUploadError
from services.ingest.gate.findings import file_findings
from services.ingest.gate.images import MAX_FILE_BYTES, size_fault
from services.ingest.store import Attachment, Disclosure
from services.ingest.workflow import Errand
from services.kit import actions
from services.kit.db import Connection, Database
from services.kit.errors import Fault
from services.kit.limited import OverLimitError, run_limited
from services.kit.objects import Objects, digest_of

UPLOADERS: Final = workflow.ROLES[Errand.ATTACH]
#: A file that nobody uses goes after this time.
UNUSED_AFTER: Final = timedelta(days=7)
_NONCE_BYTES: Final = 12
_KEY_BITS: Final = 256


_SECONDS: Final = 20.0
_MEMORY_MIB: Final = 1536


@dataclass(frozen=True, slots=True)
class _Prepared:
    content: bytes
    media_type: str
    personal: tuple[tuple[int, str], ...] | None


async def prepare(data: bytes) -> _Prepared:
    """Make the public file in a process of its own; UnusableUploadError says what is wrong with the upload."""
    if len(data) > MAX_FILE_BYTES or not data:
        raise UnusableUploadError(faults=[Fault("file", size_fault(data))])
    try:
        written = await run_limited("services.ingest.gate.child", data, _SECONDS, _MEMORY_MIB)
    except OverLimitError as error:
        raise UnusableUploadError(faults=[Fault("file", "这个文件太复杂，打不开，请另存或分成几个再上传。")]) from error
    line, _, content = written.partition(b"\n")
    head = json.loads(line)
    if "error" in head:
        raise UnusableUploadError(faults=[Fault("file", head["error"])])
    read = head["personal"]
    personal = None if read is None else tuple((page, kind) for page, kind in read)
    return _Prepared(content, head["media_type"], personal)


async def attach(desk: Desk, objects: Objects, village: str, data: bytes) -> Attachment:
    """Take a file in for a village; what was uploaded is sealed under a key of its own (AES-256-GCM)."""
    desk.actor.require(*UPLOADERS)
    village_of(desk, village)
    desk.actor.require_scope(desk.reference, village)
    made = await prepare(data)
    key, nonce = AESGCM.generate_key(_KEY_BITS), os.urandom(_NONCE_BYTES)
    digest = digest_of(made.content)
    attachment = Attachment(
        village_code=village,
        digest=digest,
        media_type=made.media_type,
        size=len(made.content),
        uploaded_by=desk.actor.staff_id,
        uploaded_at=desk.now,
        key=key,
        nonce=nonce,
        original=AESGCM(key).encrypt(nonce, data, digest.encode()),
        personal=made.personal,
    )
    await store.insert_attachment(desk.conn, attachment)
    # After the row: its lock keeps an older deletion of the same file away. A file whose row is not kept is never shown.
    await objects.put(made.content)
    return attachment


async def file_of(desk: Desk, objects: Objects, digest: str) -> tuple[bytes, str]:
    """A file for staff within whose part of the tree and of the affairs it was handed in: content and media type."""
    desk.actor.require(*workflow.READERS)
    items = items_within(desk)
    reached = [
        h
        for h in await store.select_holders(desk.conn, digest)
        if desk.reference.covers(desk.actor.scope, h.village_code)
        and (not h.withdrawn or desk.actor.role in workflow.KEEPERS)
        and (items is None or h.uploaded_by == desk.actor.staff_id or not set(items).isdisjoint(h.items))
    ]
    content = await objects.get(digest) if reached else None
    if content is None:
        raise UnknownAttachmentError
    actions.about(f"attachment/{digest}", reached[0].village_code)
    return content, reached[0].media_type


async def use_files(desk: Desk, disclosure: Disclosure, body: Body) -> None:
    """Note which files a content names; MissingAttachmentError names the places of those that the village never gave."""
    wanted = body.files()
    if not wanted:
        return
    known = await store.select_known_digests(desk.conn, disclosure.village_code, wanted)
    if wanted - known:
        raise MissingAttachmentError(
            faults=[
                Fault(at, "没有上传过这个附件")
                for at, digest in _places(body.model_dump(mode="json"), "body")
                if digest in wanted - known
            ]
        )
    await store.insert_uses(desk.conn, wanted, disclosure.id, disclosure.village_code)


async def findings_in_files(desk: Desk, disclosure: Disclosure, body: Body) -> tuple[Finding, ...]:
    """What was read in the files that a content names."""
    wanted = body.files()
    personal = await store.select_personal(desk.conn, disclosure.village_code, wanted) if wanted else {}
    if not personal:
        return ()
    titles = {a.digest: a.title for a in body.attachments}
    return tuple(
        finding
        for at, digest in _places(body.model_dump(mode="json"), "body")
        if digest in personal
        for finding in file_findings(at.removesuffix(".digest"), titles.get(digest, ""), personal[digest])
    )


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


async def release_files(conn: Connection, disclosure_id: UUID, now: datetime) -> None:
    """A disclosure names nothing any more; files without another use are deleted once this has committed."""
    await store.delete_uses(conn, disclosure_id, now)


async def queue_unused(database: Database, now: datetime) -> None:
    """Queue files that were uploaded a week ago and never used."""
    async with database.transaction() as conn:
        await store.queue_unused(conn, now, UNUSED_AFTER)


async def sweep(database: Database, objects: Objects) -> None:
    """Take queued files out of the store; an order is forgotten only after the file is gone."""
    async with database.transaction() as conn:
        for digest in await store.lock_deletions(conn, 500):
            await objects.delete(digest)
            await store.forget_deletion(conn, digest)
