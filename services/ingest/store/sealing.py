"""Sealing what was entered before contents were: rows are read in clear, and written back with nothing in clear.

A row that cannot be sealed, for its key is gone or today's rules do not read it, is named and left: the others do not wait.
"""

import json
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag

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
from services.kit.shred import KeyShreddedError, make_keys

#: A step that has the row now is waited for the next time.
TAKE_EDITIONS = """
SELECT e.disclosure_id, e.edition, e.body::text AS body, e.accepted::text AS accepted, e.findings::text AS findings, e.note,
    e.secrecy_checked_by, e.returns::text AS returns, e.body_sealed, e.remarks_sealed, s.key
FROM edition e LEFT JOIN shred_key s ON s.aggregate_id = e.disclosure_id::text
WHERE (e.body_sealed IS NULL OR e.remarks_sealed IS NULL) AND concat_ws('/', e.disclosure_id, e.edition) <> ALL($2::text[])
LIMIT $1 FOR UPDATE OF e SKIP LOCKED
"""
SEAL_EDITIONS = """
UPDATE edition e SET kind = t.kind, body_sealed = t.body, remarks_sealed = t.remarks, body = NULL, accepted = '[]',
    findings = '[]', note = NULL, secrecy_checked_by = NULL, returns = '[]'
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::bytea[], $5::bytea[]) AS t (id, edition, kind, body, remarks)
WHERE (e.disclosure_id, e.edition) = (t.id, t.edition)
"""
TAKE_WORDS = """
SELECT disclosure_id, edition, kind, actor_id, names::text AS names, reason FROM confirmation
WHERE said_sealed IS NULL AND concat_ws('/', disclosure_id, edition, kind, actor_id) <> ALL($2::text[])
LIMIT $1 FOR UPDATE SKIP LOCKED
"""
SEAL_WORDS = """
UPDATE confirmation c SET said_sealed = t.said, names = '[]', reason = NULL
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::bytea[]) AS t (id, edition, kind, actor, said)
WHERE (c.disclosure_id, c.edition, c.kind, c.actor_id) = (t.id, t.edition, t.kind, t.actor)
"""
TAKE_NOTES = """
SELECT id, note, note_lines::text AS lines FROM disclosure
WHERE state = 'returned' AND note IS NOT NULL AND id::text <> ALL($2::text[]) LIMIT $1 FOR UPDATE SKIP LOCKED
"""
SEAL_NOTES = """
UPDATE disclosure d SET note_sealed = t.said, note = NULL, note_lines = '[]'
FROM unnest($1::uuid[], $2::bytea[]) AS t (id, said) WHERE d.id = t.id
"""


async def seal_some(conn: Connection, limit: int, left: set[str]) -> int:
    """Seal up to so many rows of each table; returns how many were taken, 0 when there is no other.

    Rows named in `left` are not taken; those that cannot be sealed are added to it.
    """
    taken = 0
    for take, put, names, seal in (
        (TAKE_EDITIONS, SEAL_EDITIONS, ("disclosure_id", "edition"), _edition),
        (TAKE_WORDS, SEAL_WORDS, ("disclosure_id", "edition", "kind", "actor_id"), _words),
        (TAKE_NOTES, SEAL_NOTES, ("id",), _note),
    ):
        rows = await conn.fetch(take, limit, list(left))
        sealed = await _sealed(conn, rows, names, seal, left)
        if sealed:
            await conn.execute(put, *zip(*sealed, strict=True))
        taken += len(rows)
    return taken


async def _sealed(
    conn: Connection,
    rows: Sequence[Row],
    names: Sequence[str],
    seal: Callable[[str, str, Row], tuple[object, ...]],
    left: set[str],
) -> list[tuple[object, ...]]:
    keys, sealed = await _keys(conn, {str(r[names[0]]) for r in rows}), []
    for row in rows:
        disclosure = str(row[names[0]])
        try:
            sealed.append(seal(keys[disclosure], disclosure, row))
        except (KeyError, ValueError, InvalidTag):
            left.add("/".join(str(row[name]) for name in names))
    return sealed


async def _keys(conn: Connection, disclosures: set[str]) -> dict[str, str]:
    """The keys of those that have not lost theirs."""
    while True:
        try:
            return await make_keys(conn, disclosures)
        except KeyShreddedError as error:
            disclosures = disclosures - {error.aggregate_id}


def _edition(key: str, disclosure: str, row: Row) -> tuple[object, ...]:
    edition, body = row["edition"], body_of(row)
    remarks = close_remarks(key, disclosure, edition, remarks_of(edition_of(row)))
    return row["disclosure_id"], edition, body.kind, close_body(key, disclosure, edition, body), remarks


def _words(key: str, disclosure: str, row: Row) -> tuple[object, ...]:
    place = (row["edition"], row["kind"], row["actor_id"])
    said = Said(names=tuple(json.loads(row["names"])), reason=row["reason"])
    return row["disclosure_id"], *place, close_said(key, disclosure, place, said)


def _note(key: str, disclosure: str, row: Row) -> tuple[object, ...]:
    lines = tuple(LineReason.model_validate(x) for x in json.loads(row["lines"]))
    return row["id"], close_note(key, disclosure, Note(reason=row["note"], lines=lines))


COUNT_CLEAR = """
SELECT (SELECT count(*) FROM edition WHERE body_sealed IS NULL OR remarks_sealed IS NULL)
    + (SELECT count(*) FROM confirmation WHERE said_sealed IS NULL)
    + (SELECT count(*) FROM disclosure WHERE state = 'returned' AND note IS NOT NULL)
"""


async def count_clear(conn: Connection) -> int:
    """How many rows still hold something in clear."""
    found: int = await conn.fetchval(COUNT_CLEAR)
    return found
