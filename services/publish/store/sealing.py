"""Sealing what was opened before contents were: rows are read in clear, and written back with nothing in clear.

A row whose key is gone or not here yet is not taken; one that today's rules do not read is named and left.
"""

import json
from collections.abc import Mapping
from typing import Any

from services.contracts.bodies import BODY
from services.kit.db import Connection
from services.publish.render.rows import Said
from services.publish.store.publications import close_edition

TAKE_EDITIONS = """
SELECT e.disclosure_id, e.edition, e.body::text AS body, e.said::text AS said, e.published_at, k.key
FROM edition e JOIN shred_key k ON k.aggregate_id = e.disclosure_id AND k.key IS NOT NULL
WHERE e.sealed IS NULL AND concat_ws('/', e.disclosure_id, e.edition) <> ALL($2::text[])
LIMIT $1 FOR UPDATE OF e SKIP LOCKED
"""
SEAL_EDITIONS = """
UPDATE edition e SET sealed = t.sealed, body = NULL, said = DEFAULT
FROM unnest($1::text[], $2::int[], $3::bytea[]) AS t (id, edition, sealed)
WHERE (e.disclosure_id, e.edition) = (t.id, t.edition)
"""
#: What is set aside in clear: few rows, for a week.
TAKE_WITHHELD = """
SELECT w.disclosure_id, w.kept::text AS kept, k.key
FROM withheld w JOIN shred_key k ON k.aggregate_id = w.disclosure_id AND k.key IS NOT NULL
WHERE w.kept @? '$.editions[*] ? (@.sealed == null || !exists(@.sealed))' AND w.disclosure_id <> ALL($2::text[])
LIMIT $1 FOR UPDATE OF w SKIP LOCKED
"""
SEAL_WITHHELD = "UPDATE withheld SET kept = $2::jsonb WHERE disclosure_id = $1"


async def seal_some(conn: Connection, limit: int, left: set[str]) -> int:
    """Seal up to so many rows of each table; returns how many were taken, 0 when there is no other.

    Rows named in `left` are not taken; those that cannot be sealed are added to it.
    """
    return await _seal_editions(conn, limit, left) + await _seal_withheld(conn, limit, left)


def _as_written_now(key: str, disclosure_id: str, row: Mapping[str, Any]) -> bytes:
    """The bytes that a rebuild would come to: the body as it was said, with nothing that was added to its kind since."""
    body = BODY.validate_json(row["body"]).model_dump_json(exclude_unset=True)
    said = Said.model_validate_json(row["said"])
    return close_edition(key, disclosure_id, row["edition"], body, said)


async def _seal_editions(conn: Connection, limit: int, left: set[str]) -> int:
    rows = await conn.fetch(TAKE_EDITIONS, limit, list(left))
    sealed = []
    for r in rows:
        try:
            closed = _as_written_now(r["key"], r["disclosure_id"], dict(r.items()))
        except ValueError:
            left.add(f"{r['disclosure_id']}/{r['edition']}")
        else:
            sealed.append((r["disclosure_id"], r["edition"], closed))
    if sealed:
        await conn.execute(SEAL_EDITIONS, *zip(*sealed, strict=True))
    return len(rows)


async def _seal_withheld(conn: Connection, limit: int, left: set[str]) -> int:
    rows = await conn.fetch(TAKE_WITHHELD, limit, list(left))
    for row in rows:
        kept = json.loads(row["kept"])
        try:
            for edition in kept["editions"]:
                if edition.get("sealed") is None:
                    texts = {name: json.dumps(edition[name]) for name in ("body", "said")}
                    closed = _as_written_now(row["key"], row["disclosure_id"], {**edition, **texts})
                    edition |= {"sealed": f"\\x{closed.hex()}", "body": None, "said": {}}
        except ValueError:
            left.add(row["disclosure_id"])
        else:
            await conn.execute(SEAL_WITHHELD, row["disclosure_id"], json.dumps(kept))
    return len(rows)


COUNT_CLEAR = "SELECT count(*) FROM edition WHERE sealed IS NULL"


async def count_clear(conn: Connection) -> int:
    """How many rows still hold content in clear."""
    found: int = await conn.fetchval(COUNT_CLEAR)
    return found
