"""Attachments: what was uploaded, which disclosures name it, what has to leave the object store."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.kit.db import Connection, affected


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a village handed in; `key`, `nonce` and `original` are the upload, sealed."""

    village_code: str
    digest: str
    media_type: str
    size: int
    uploaded_by: str
    uploaded_at: datetime
    key: bytes
    nonce: bytes
    original: bytes
    personal: tuple[tuple[int, str], ...] | None = None
    #: Of what is behind a line nothing stands in the object store.
    inside: bool = False


INSERT_ATTACHMENT = """
INSERT INTO attachment
    (village_code, digest, media_type, size, uploaded_by, uploaded_at, key, nonce, original, personal, inside)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11)
ON CONFLICT (village_code, digest) DO UPDATE SET uploaded_at = excluded.uploaded_at, personal = excluded.personal,
    inside = attachment.inside AND excluded.inside
"""
#: Until this has committed, nobody else can queue the file: an order of its own, and nobody sees it.
CLAIM_OBJECT = "INSERT INTO object_deletion (digest, queued_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING"
#: A file that comes back must not be swept away by an older order.
FORGET_DELETION = "DELETE FROM object_deletion WHERE digest = $1 AND taken_at IS NULL"


async def insert_attachment(conn: Connection, a: Attachment) -> bool:
    """Keep an upload; the same file again is the same row. False when the file is being removed from the store just now."""
    await conn.execute(
        INSERT_ATTACHMENT,
        a.village_code,
        a.digest,
        a.media_type,
        a.size,
        a.uploaded_by,
        a.uploaded_at,
        a.key,
        a.nonce,
        a.original,
        None if a.personal is None else json.dumps(a.personal),
        a.inside,
    )
    await conn.execute(CLAIM_OBJECT, a.digest, a.uploaded_at)
    return affected(await conn.execute(FORGET_DELETION, a.digest)) == 1


#: A file that a village handed in: its code and the file's digest.
VillageFile = tuple[str, str]


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What was found in a file's text (pages and kinds); whether it stays inside, or was made to be shown behind a line."""

    personal: tuple[tuple[int, str], ...]
    inside: bool
    shown: bool


SELECT_FILES = """
SELECT village_code, digest, coalesce(personal, '[]')::text AS personal, inside, EXISTS (
    SELECT FROM redaction r WHERE r.village_code = a.village_code AND r.shown_digest = a.digest
) AS shown
FROM attachment a JOIN unnest($1::text[], $2::text[]) AS k (village_code, digest) USING (village_code, digest)
"""


async def select_files(conn: Connection, wanted: Collection[VillageFile]) -> dict[VillageFile, KnownFile]:
    """Which of some files were handed in, with what is known of each."""
    rows = await conn.fetch(SELECT_FILES, [v for v, _ in wanted], [d for _, d in wanted])
    return {
        (r["village_code"], r["digest"]): KnownFile(
            tuple((page, kind) for page, kind in json.loads(r["personal"])), r["inside"], r["shown"]
        )
        for r in rows
    }


@dataclass(frozen=True, slots=True)
class Holder:
    """A village that handed a file in: by whom, the items of its disclosures that name it, whether all are withdrawn."""

    village_code: str
    media_type: str
    uploaded_by: str
    items: tuple[str, ...]
    withdrawn: bool


SELECT_HOLDERS = """
SELECT a.village_code, a.media_type, a.uploaded_by, array_remove(array_agg(DISTINCT d.item), NULL) AS items,
    coalesce(bool_and(d.state = 'withdrawn') FILTER (WHERE d.id IS NOT NULL), false) AS withdrawn
FROM attachment a LEFT JOIN attachment_use u ON u.digest = a.digest AND u.village_code = a.village_code
LEFT JOIN disclosure d ON d.id = u.disclosure_id
WHERE a.digest = $1 GROUP BY a.village_code, a.media_type, a.uploaded_by ORDER BY a.village_code
"""


async def select_holders(conn: Connection, digest: str) -> list[Holder]:
    """Villages that handed a file in."""
    return [
        Holder(r["village_code"], r["media_type"], r["uploaded_by"], tuple(r["items"]), r["withdrawn"])
        for r in await conn.fetch(SELECT_HOLDERS, digest)
    ]


INSERT_USES = """
INSERT INTO attachment_use (digest, disclosure_id, village_code)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[])
ON CONFLICT DO NOTHING
"""


async def insert_uses(conn: Connection, uses: Collection[tuple[UUID, VillageFile]]) -> None:
    """Note which disclosures name which files of their village."""
    columns = ([f[1] for _, f in uses], [i for i, _ in uses], [f[0] for _, f in uses])
    await conn.execute(INSERT_USES, *columns)


#: Sealed originals go with the last use in their village; the file goes with the last use anywhere.
DELETE_USES = """
WITH gone AS (DELETE FROM attachment_use WHERE disclosure_id = ANY($1::uuid[]) RETURNING digest, village_code),
undone AS (DELETE FROM redaction WHERE disclosure_id = ANY($1::uuid[])),
forgotten AS (DELETE FROM invoice_mark WHERE disclosure_id = ANY($1::uuid[])),
unused AS (
    DELETE FROM attachment a USING gone g WHERE a.digest = g.digest AND a.village_code = g.village_code
      AND NOT EXISTS (
        SELECT FROM attachment_use u
        WHERE u.digest = a.digest AND u.village_code = a.village_code AND u.disclosure_id <> ALL($1::uuid[])
      )
    RETURNING a.digest, a.village_code
)
INSERT INTO object_deletion (digest, queued_at)
SELECT DISTINCT x.digest, $2::timestamptz FROM unused x WHERE NOT EXISTS (
    SELECT FROM attachment a WHERE a.digest = x.digest AND a.village_code <> x.village_code
)
ON CONFLICT (digest) DO NOTHING
"""


async def delete_uses(conn: Connection, ids: Sequence[UUID], at: datetime) -> None:
    """Some disclosures name nothing any more, no file and no invoice: what nobody else names is queued for deletion, its original is gone."""
    await conn.execute(DELETE_USES, ids, at)


QUEUE_UNUSED = """
WITH unused AS (
    DELETE FROM attachment a WHERE uploaded_at < $1::timestamptz - $2::interval AND NOT EXISTS (
        SELECT FROM attachment_use u WHERE u.digest = a.digest AND u.village_code = a.village_code
    ) RETURNING digest, village_code
)
INSERT INTO object_deletion (digest, queued_at) SELECT DISTINCT x.digest, $1::timestamptz FROM unused x WHERE NOT EXISTS (
    SELECT FROM attachment a WHERE a.digest = x.digest AND a.village_code <> x.village_code
)
ON CONFLICT (digest) DO NOTHING
"""


async def queue_unused_for_deletion(conn: Connection, now: datetime, after: timedelta) -> None:
    """Delete uploads of long ago that nothing uses, and queue the files that no other village handed in."""
    await conn.execute(QUEUE_UNUSED, now, after)


QUEUE_UNOWNED = """
INSERT INTO object_deletion (digest, queued_at) SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM attachment WHERE digest = $1)
ON CONFLICT (digest) DO NOTHING
"""


async def queue_unowned_for_deletion(conn: Connection, digest: str, at: datetime) -> None:
    """Queue a file that no village has handed in any more."""
    await conn.execute(QUEUE_UNOWNED, digest, at)


#: A file that a village handed in while another's withdrawal queued it stays.
TAKE_DELETIONS = """
UPDATE object_deletion SET taken_at = $1 WHERE digest IN (
    SELECT o.digest FROM object_deletion o
    WHERE (o.taken_at IS NULL OR o.taken_at <= $1::timestamptz - $2::interval)
      AND NOT EXISTS (SELECT FROM attachment a WHERE a.digest = o.digest)
    ORDER BY o.queued_at LIMIT $3 FOR UPDATE SKIP LOCKED
) RETURNING digest
"""


async def take_deletions(conn: Connection, at: datetime, taken_for: timedelta, limit: int) -> list[str]:
    """Take orders of files to delete that nobody has taken, or took so long ago that they were left."""
    return [r["digest"] for r in await conn.fetch(TAKE_DELETIONS, at, taken_for, limit)]


FORGET_DELETIONS = "DELETE FROM object_deletion WHERE digest = ANY($1::text[]) AND taken_at = $2"


async def forget_deletions(conn: Connection, digests: Sequence[str], taken_at: datetime) -> None:
    """The files are gone; an order that somebody else took since is theirs."""
    await conn.execute(FORGET_DELETIONS, list(digests), taken_at)
