"""Attachments: what was uploaded, which disclosures name it, what has to leave the object store."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.kit.db import Connection


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


INSERT_ATTACHMENT = """
INSERT INTO attachment (village_code, digest, media_type, size, uploaded_by, uploaded_at, key, nonce, original, personal)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb)
ON CONFLICT (village_code, digest) DO UPDATE SET uploaded_at = excluded.uploaded_at, personal = excluded.personal
"""
#: A file that comes back must not be swept away by an older order.
FORGET_DELETION = "DELETE FROM object_deletion WHERE digest = $1"


async def insert_attachment(conn: Connection, a: Attachment) -> None:
    """Keep an upload; the same file again is the same row."""
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
    )
    await conn.execute(FORGET_DELETION, a.digest)


SELECT_KNOWN_DIGESTS = "SELECT digest FROM attachment WHERE village_code = $1 AND digest = ANY($2::text[])"


async def select_known_digests(conn: Connection, village: str, digests: Collection[str]) -> set[str]:
    """Which of some files the village handed in."""
    return {r["digest"] for r in await conn.fetch(SELECT_KNOWN_DIGESTS, village, list(digests))}


SELECT_PERSONAL = """
SELECT digest, personal::text AS personal FROM attachment
WHERE village_code = $1 AND digest = ANY($2::text[]) AND personal <> '[]'
"""


async def select_personal(conn: Connection, village: str, digests: Collection[str]) -> dict[str, list[tuple[int, str]]]:
    """What was found in the texts of some of a village's files: pages and kinds, by file."""
    rows = await conn.fetch(SELECT_PERSONAL, village, list(digests))
    return {r["digest"]: [(page, kind) for page, kind in json.loads(r["personal"])] for r in rows}


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
INSERT INTO attachment_use (digest, disclosure_id, village_code) SELECT d, $2, $3 FROM unnest($1::text[]) AS t (d)
ON CONFLICT DO NOTHING
"""


async def insert_uses(conn: Connection, digests: Collection[str], disclosure_id: UUID, village: str) -> None:
    await conn.execute(INSERT_USES, list(digests), disclosure_id, village)


#: Sealed originals go with the last use in their village; the file goes with the last use anywhere.
DELETE_USES = """
WITH gone AS (DELETE FROM attachment_use WHERE disclosure_id = $1 RETURNING digest, village_code),
unused AS (
    DELETE FROM attachment a USING gone g WHERE a.digest = g.digest AND a.village_code = g.village_code
      AND NOT EXISTS (
        SELECT FROM attachment_use u
        WHERE u.digest = a.digest AND u.village_code = a.village_code AND u.disclosure_id <> $1
      )
    RETURNING a.digest, a.village_code
)
INSERT INTO object_deletion (digest, queued_at)
SELECT DISTINCT x.digest, $2::timestamptz FROM unused x WHERE NOT EXISTS (
    SELECT FROM attachment a WHERE a.digest = x.digest AND a.village_code <> x.village_code
)
ON CONFLICT (digest) DO NOTHING
"""


async def delete_uses(conn: Connection, disclosure_id: UUID, at: datetime) -> None:
    """A disclosure names nothing any more: what nobody else names is queued for deletion, its original is gone."""
    await conn.execute(DELETE_USES, disclosure_id, at)


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


async def queue_unused(conn: Connection, now: datetime, after: timedelta) -> None:
    """Files that were uploaded long ago and never used."""
    await conn.execute(QUEUE_UNUSED, now, after)


SELECT_DELETIONS = "SELECT digest FROM object_deletion ORDER BY queued_at LIMIT $1 FOR UPDATE"


async def lock_deletions(conn: Connection, limit: int) -> Sequence[str]:
    """Files to delete, held so that an upload of the same file waits."""
    return [r["digest"] for r in await conn.fetch(SELECT_DELETIONS, limit)]


async def forget_deletion(conn: Connection, digest: str) -> None:
    await conn.execute(FORGET_DELETION, digest)
