"""Sealing what was opened before contents were: rows are read in clear, and written back with nothing in clear."""

import json
from collections.abc import Mapping
from typing import Any

from services.contracts.bodies import BODY
from services.kit.db import Connection
from services.kit.shred import select_keys
from services.publish.render.rows import Edition, Said
from services.publish.store.publications import close_edition

TAKE_EDITIONS = """
SELECT disclosure_id, edition, body::text AS body, said::text AS said, published_at
FROM edition WHERE sealed IS NULL LIMIT $1 FOR UPDATE SKIP LOCKED
"""
SEAL_EDITIONS = """
UPDATE edition e SET sealed = t.sealed, body = NULL, said = DEFAULT
FROM unnest($1::text[], $2::int[], $3::bytea[]) AS t (id, edition, sealed)
WHERE (e.disclosure_id, e.edition) = (t.id, t.edition)
"""
#: What is set aside in clear: few rows, for a week.
TAKE_WITHHELD = """
SELECT disclosure_id, kept::text AS kept FROM withheld
WHERE kept @? '$.editions[*] ? (@.sealed == null || !exists(@.sealed))' LIMIT $1 FOR UPDATE SKIP LOCKED
"""
SEAL_WITHHELD = "UPDATE withheld SET kept = $2::jsonb WHERE disclosure_id = $1"


async def seal_some(conn: Connection, limit: int) -> int:
    """Seal up to so many rows of each table; returns how many were sealed, 0 when nothing stands in clear."""
    return await _seal_editions(conn, limit) + await _seal_withheld(conn, limit)


def _as_written_now(key: str, disclosure_id: str, row: Mapping[str, Any]) -> bytes:
    """The bytes that a rebuild would come to."""
    body = BODY.validate_json(row["body"]).model_dump_json()
    said = Said.model_validate_json(row["said"])
    return close_edition(key, Edition(disclosure_id, row["edition"], row["published_at"], body, said))


async def _seal_editions(conn: Connection, limit: int) -> int:
    rows = await conn.fetch(TAKE_EDITIONS, limit)
    if not rows:
        return 0
    keys = await select_keys(conn, [r["disclosure_id"] for r in rows])
    sealed = [
        (r["disclosure_id"], r["edition"], _as_written_now(key, r["disclosure_id"], dict(r.items())))
        for r in rows
        if (key := keys.get(r["disclosure_id"])) is not None
    ]
    if sealed:
        await conn.execute(SEAL_EDITIONS, *zip(*sealed, strict=True))
    return len(sealed)


async def _seal_withheld(conn: Connection, limit: int) -> int:
    rows = await conn.fetch(TAKE_WITHHELD, limit)
    keys = await select_keys(conn, [r["disclosure_id"] for r in rows]) if rows else {}
    sealable = [(r, key) for r in rows if (key := keys.get(r["disclosure_id"])) is not None]
    for row, key in sealable:
        kept = json.loads(row["kept"])
        for edition in kept["editions"]:
            if edition.get("sealed") is None:
                texts = {name: json.dumps(edition[name]) for name in ("body", "said")}
                closed = _as_written_now(key, row["disclosure_id"], {**edition, **texts})
                edition |= {"sealed": f"\\x{closed.hex()}", "body": None, "said": {}}
        await conn.execute(SEAL_WITHHELD, row["disclosure_id"], json.dumps(kept))
    return len(sealable)


COUNT_CLEAR = "SELECT count(*) FROM edition WHERE sealed IS NULL"


async def count_clear(conn: Connection) -> int:
    """How many rows still hold content in clear."""
    found: int = await conn.fetchval(COUNT_CLEAR)
    return found
