"""Pictures of vouchers: those of a disclosure, sealed; what of each may be shown, who made that and when."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.ingest.store.attachments import VillageFile
from services.kit.db import Connection


@dataclass(frozen=True, slots=True)
class Redaction:
    """What may be shown of a picture: a copy with so many boxes burnt in, or with none when it was cleared as it is."""

    shown_digest: str
    boxes: tuple[tuple[int, int, int, int], ...]
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Paper:
    """A file behind a disclosure's lines; `voucher` is the number that its name told, such as 记-12."""

    digest: str
    media_type: str
    uploaded_by: str
    uploaded_at: datetime
    voucher: str | None
    redaction: Redaction | None

    @property
    def is_picture(self) -> bool:
        """Tell whether it can be covered and shown; a PDF stays inside."""
        return self.media_type == "image/jpeg"


SELECT_PAPERS = """
SELECT a.digest, a.media_type, a.uploaded_by, a.uploaded_at, a.voucher, r.shown_digest, r.boxes::text AS boxes, r.made_by,
    r.made_at
FROM attachment_use u JOIN attachment a ON a.digest = u.digest AND a.village_code = u.village_code
LEFT JOIN redaction r ON r.digest = a.digest AND r.disclosure_id = u.disclosure_id
WHERE u.disclosure_id = $1 AND (a.inside OR a.digest = ANY($2::text[]))
ORDER BY a.uploaded_at, a.digest
"""


async def select_papers(conn: Connection, disclosure: UUID, behind_lines: Collection[str]) -> list[Paper]:
    """The files of a disclosure that are no attachments of the whole, in the order in which they came."""
    rows = await conn.fetch(SELECT_PAPERS, disclosure, list(behind_lines))
    return [
        Paper(
            r["digest"],
            r["media_type"],
            r["uploaded_by"],
            r["uploaded_at"],
            r["voucher"],
            Redaction(r["shown_digest"], tuple(map(tuple, json.loads(r["boxes"]))), r["made_by"], r["made_at"])
            if r["shown_digest"] is not None
            else None,
        )
        for r in rows
    ]


@dataclass(frozen=True, slots=True)
class SealedPicture:
    """What rests of a picture that is in no object store."""

    key: bytes
    nonce: bytes
    original: bytes
    thumbnail: bytes | None
    uploaded_by: str


SELECT_INSIDE = """
SELECT key, nonce, original, thumbnail, uploaded_by FROM attachment WHERE village_code = $1 AND digest = $2 AND inside
"""


async def select_inside(conn: Connection, village: str, digest: str) -> SealedPicture | None:
    """A picture that is in no object store; None of any other file."""
    row = await conn.fetchrow(SELECT_INSIDE, village, digest)
    if row is None:
        return None
    return SealedPicture(row["key"], row["nonce"], row["original"], row["thumbnail"], row["uploaded_by"])


NOTE_INSIDE = (
    "UPDATE attachment SET thumbnail = $3, voucher = coalesce($4, voucher) WHERE village_code = $1 AND digest = $2"
)


async def note_inside(
    conn: Connection, village: str, digest: str, thumbnail: bytes | None, voucher: str | None
) -> None:
    """Keep the small picture of a file that was handed in just now, and the voucher that its name told."""
    await conn.execute(NOTE_INSIDE, village, digest, thumbnail, voucher)


UPSERT_REDACTION = """
INSERT INTO redaction (disclosure_id, village_code, digest, shown_digest, boxes, made_by, made_at)
VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7)
ON CONFLICT (disclosure_id, digest) DO UPDATE SET shown_digest = excluded.shown_digest, boxes = excluded.boxes,
    made_by = excluded.made_by, made_at = excluded.made_at
"""


async def upsert_redaction(conn: Connection, disclosure: UUID, file: VillageFile, r: Redaction) -> None:
    """What may be shown of a picture from now on."""
    await conn.execute(UPSERT_REDACTION, disclosure, *file, r.shown_digest, json.dumps(r.boxes), r.made_by, r.made_at)


DELETE_REDACTION = "DELETE FROM redaction WHERE disclosure_id = $1 AND digest = $2"


async def delete_redaction(conn: Connection, disclosure: UUID, digest: str) -> None:
    """Nothing may be shown of a picture any more."""
    await conn.execute(DELETE_REDACTION, disclosure, digest)


SELECT_SHOWN = """
SELECT DISTINCT shown_digest FROM redaction WHERE village_code = $1 AND shown_digest = ANY($2::text[])
"""
SELECT_CLEARED_BY = """
SELECT DISTINCT made_by FROM redaction WHERE village_code = $1 AND shown_digest = ANY($2::text[]) AND boxes = '[]'
"""


async def select_shown(conn: Connection, village: str, digests: Collection[str]) -> set[str]:
    """Those of some files that may be shown for a picture of a voucher."""
    return {r["shown_digest"] for r in await conn.fetch(SELECT_SHOWN, village, list(digests))}


async def select_cleared_by(conn: Connection, village: str, digests: Collection[str]) -> set[str]:
    """Who let some of those files be shown without anything covered."""
    return {r["made_by"] for r in await conn.fetch(SELECT_CLEARED_BY, village, list(digests))}


DELETE_PAPER = "DELETE FROM attachment_use WHERE disclosure_id = $1 AND village_code = $2 AND digest = $3"
DELETE_UNUSED_PAPER = """
DELETE FROM attachment a WHERE village_code = $1 AND digest = $2 AND inside AND NOT EXISTS (
    SELECT FROM attachment_use u WHERE u.digest = a.digest AND u.village_code = a.village_code
)
"""


async def delete_paper(conn: Connection, disclosure: UUID, file: VillageFile) -> None:
    """Forget a picture that was handed in for a disclosure, for good when no other has it."""
    await delete_redaction(conn, disclosure, file[1])
    await conn.execute(DELETE_PAPER, disclosure, *file)
    await conn.execute(DELETE_UNUSED_PAPER, *file)
