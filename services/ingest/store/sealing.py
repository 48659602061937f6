"""Sealing what was entered before contents were: rows are read in clear, and written back with nothing in clear."""

import json
from collections.abc import Sequence

from services.contracts.disclosure import LineReason
from services.ingest.store.contents import (
    Note,
    Said,
    body_of,
    close_body,
    close_note,
    close_remarks,
    close_said,
    edition_of,
    remarks_of,
)
from services.kit.db import Connection, Row
from services.kit.shred import make_keys

#: A step that has the row now is waited for the next time.
TAKE_EDITIONS = """
SELECT e.disclosure_id, e.edition, e.body::text AS body, e.accepted::text AS accepted, e.findings::text AS findings, e.note,
    e.secrecy_checked_by, e.returns::text AS returns, e.body_sealed, e.remarks_sealed, s.key
FROM edition e LEFT JOIN shred_key s ON s.aggregate_id = e.disclosure_id::text
WHERE e.body_sealed IS NULL OR e.remarks_sealed IS NULL LIMIT $1 FOR UPDATE OF e SKIP LOCKED
"""
SEAL_EDITIONS = """
UPDATE edition e SET kind = t.kind, body_sealed = t.body, remarks_sealed = t.remarks, body = NULL, accepted = '[]',
    findings = '[]', note = NULL, secrecy_checked_by = NULL, returns = '[]'
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::bytea[], $5::bytea[]) AS t (id, edition, kind, body, remarks)
WHERE (e.disclosure_id, e.edition) = (t.id, t.edition)
"""
TAKE_WORDS = """
SELECT disclosure_id, edition, kind, actor_id, names::text AS names, reason FROM confirmation
WHERE said_sealed IS NULL LIMIT $1 FOR UPDATE SKIP LOCKED
"""
SEAL_WORDS = """
UPDATE confirmation c SET said_sealed = t.said, names = '[]', reason = NULL
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::bytea[]) AS t (id, edition, kind, actor, said)
WHERE (c.disclosure_id, c.edition, c.kind, c.actor_id) = (t.id, t.edition, t.kind, t.actor)
"""
TAKE_NOTES = """
SELECT id, note, note_lines::text AS lines FROM disclosure
WHERE state = 'returned' AND note IS NOT NULL LIMIT $1 FOR UPDATE SKIP LOCKED
"""
SEAL_NOTES = """
UPDATE disclosure d SET note_sealed = t.said, note = NULL, note_lines = '[]'
FROM unnest($1::uuid[], $2::bytea[]) AS t (id, said) WHERE d.id = t.id
"""


async def seal_some(conn: Connection, limit: int) -> int:
    """Seal up to so many rows of each table; returns how many were sealed, 0 when nothing stands in clear."""
    return await _seal_editions(conn, limit) + await _seal_words(conn, limit) + await _seal_notes(conn, limit)


async def _keys(conn: Connection, rows: Sequence[Row], name: str = "disclosure_id") -> dict[str, str]:
    return await make_keys(conn, [str(r[name]) for r in rows])


async def _seal_editions(conn: Connection, limit: int) -> int:
    rows = await conn.fetch(TAKE_EDITIONS, limit)
    if not rows:
        return 0
    keys = await _keys(conn, rows)
    sealed = []
    for r in rows:
        disclosure, edition, key = str(r["disclosure_id"]), r["edition"], keys[str(r["disclosure_id"])]
        body = body_of(r)
        sealed.append(
            (
                r["disclosure_id"],
                edition,
                body.kind,
                close_body(key, disclosure, edition, body),
                close_remarks(key, disclosure, edition, remarks_of(edition_of(r))),
            )
        )
    await conn.execute(SEAL_EDITIONS, *zip(*sealed, strict=True))
    return len(rows)


async def _seal_words(conn: Connection, limit: int) -> int:
    rows = await conn.fetch(TAKE_WORDS, limit)
    if not rows:
        return 0
    keys = await _keys(conn, rows)
    sealed = []
    for r in rows:
        said = Said(names=tuple(json.loads(r["names"])), reason=r["reason"])
        place = (r["edition"], r["kind"], r["actor_id"])
        disclosure = str(r["disclosure_id"])
        sealed.append((r["disclosure_id"], *place, close_said(keys[disclosure], disclosure, place, said)))
    await conn.execute(SEAL_WORDS, *zip(*sealed, strict=True))
    return len(rows)


async def _seal_notes(conn: Connection, limit: int) -> int:
    rows = await conn.fetch(TAKE_NOTES, limit)
    if not rows:
        return 0
    keys = await _keys(conn, rows, "id")
    sealed = []
    for r in rows:
        lines = tuple(LineReason.model_validate(x) for x in json.loads(r["lines"]))
        sealed.append((r["id"], close_note(keys[str(r["id"])], str(r["id"]), Note(reason=r["note"], lines=lines))))
    await conn.execute(SEAL_NOTES, *zip(*sealed, strict=True))
    return len(rows)


COUNT_CLEAR = """
SELECT (SELECT count(*) FROM edition WHERE body_sealed IS NULL OR remarks_sealed IS NULL)
    + (SELECT count(*) FROM confirmation WHERE said_sealed IS NULL)
    + (SELECT count(*) FROM disclosure WHERE state = 'returned' AND note IS NOT NULL)
"""


async def count_clear(conn: Connection) -> int:
    """How many rows still hold something in clear."""
    found: int = await conn.fetchval(COUNT_CLEAR)
    return found
