"""Spreadsheets that wait for answers, and what agencies call their columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.kit.db import Connection, Row, affected
from services.kit.shred import drop_untold, select_keys


@dataclass(frozen=True, slots=True)
class Held:
    """A spreadsheet that was read. `sealed`, `answers_sealed`: under `key`; None before there is anything."""

    id: UUID
    name: str
    read_by: str
    scope: str
    read_at: datetime
    sealed: bytes | None
    answers_sealed: bytes | None
    key: str | None = None


INSERT_WORKBOOK = "INSERT INTO workbook (id, name, read_by, scope, read_at, sealed) VALUES ($1, $2, $3, $4, $5, $6)"


async def insert_workbook(conn: Connection, held: Held) -> None:
    await conn.execute(INSERT_WORKBOOK, held.id, held.name, held.read_by, held.scope, held.read_at, held.sealed)


SELECT_WORKBOOK = "SELECT * FROM workbook WHERE id = $1"
LOCK_WORKBOOK = "SELECT * FROM workbook WHERE id = $1 FOR UPDATE"


async def select_workbook(conn: Connection, workbook_id: UUID) -> Held | None:
    """A spreadsheet with the key that opens it."""
    return await _held(conn, await conn.fetchrow(SELECT_WORKBOOK, workbook_id))


async def lock_workbook(conn: Connection, workbook_id: UUID) -> Held | None:
    """The same, held until the transaction ends."""
    return await _held(conn, await conn.fetchrow(LOCK_WORKBOOK, workbook_id))


async def _held(conn: Connection, row: Row | None) -> Held | None:
    if row is None:
        return None
    keys = await select_keys(conn, [str(row["id"])])
    values = {name: row[name] for name in Held.__dataclass_fields__ if name != "key"}
    return Held(**values, key=keys.get(str(row["id"])))


SELECT_WORKBOOKS = """
SELECT id, name, read_by, scope, read_at FROM workbook WHERE read_by = $1 ORDER BY id DESC LIMIT $2
"""


async def select_workbooks(conn: Connection, by: str, limit: int) -> list[Held]:
    """A person's spreadsheets that wait, newest first, without what is in them."""
    rows = await conn.fetch(SELECT_WORKBOOKS, by, limit)
    return [Held(r["id"], r["name"], r["read_by"], r["scope"], r["read_at"], None, None) for r in rows]


UPDATE_ANSWERS = "UPDATE workbook SET answers_sealed = $2 WHERE id = $1"


async def update_answers(conn: Connection, workbook_id: UUID, sealed: bytes) -> None:
    await conn.execute(UPDATE_ANSWERS, workbook_id, sealed)


DELETE_WORKBOOK = "DELETE FROM workbook WHERE id = $1"


async def delete_workbook(conn: Connection, workbook_id: UUID) -> None:
    """Forget a spreadsheet and destroy its key."""
    await conn.execute(DELETE_WORKBOOK, workbook_id)
    await drop_untold(conn, [str(workbook_id)])


DELETE_OLD = """
DELETE FROM workbook WHERE id IN (SELECT id FROM workbook WHERE read_at < $1 ORDER BY read_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING id
"""


async def delete_old_workbooks(conn: Connection, before: datetime, limit: int) -> int:
    """Forget spreadsheets that nobody took in, a few at a time; returns how many."""
    rows = await conn.fetch(DELETE_OLD, before, limit)
    await drop_untold(conn, [str(r["id"]) for r in rows])
    return len(rows)


# -- words of columns ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ColumnWord:
    """What an agency's column name means."""

    word: str
    role: str
    said_at: datetime


SELECT_WORDS = "SELECT word, role, said_at FROM column_word WHERE agency = $1 ORDER BY said_at DESC, word LIMIT $2"


async def select_column_words(conn: Connection, agency: str, limit: int) -> list[ColumnWord]:
    """What an agency calls its columns, newest first."""
    return [ColumnWord(r["word"], r["role"], r["said_at"]) for r in await conn.fetch(SELECT_WORDS, agency, limit)]


UPSERT_WORDS = """
INSERT INTO column_word (agency, word, role, said_by, said_at)
SELECT $1, w, r, $4, $5 FROM unnest($2::text[], $3::text[]) AS t (w, r) ORDER BY w
ON CONFLICT (agency, word) DO UPDATE SET role = excluded.role, said_by = excluded.said_by, said_at = excluded.said_at
"""


async def upsert_column_words(conn: Connection, agency: str, words: Mapping[str, str], by: str, at: datetime) -> None:
    """Note what an agency's columns mean; what was said before is said anew."""
    await conn.execute(UPSERT_WORDS, agency, list(words), list(words.values()), by, at)


DELETE_WORDS = "DELETE FROM column_word WHERE agency = $1 AND word = ANY($2::text[])"


async def delete_column_words(conn: Connection, agency: str, words: Sequence[str]) -> int:
    """Forget what some column names mean; returns how many were known."""
    return affected(await conn.execute(DELETE_WORDS, agency, list(words)))
