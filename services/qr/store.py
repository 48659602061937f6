"""All SQL of qr; rows leave as frozen values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from services.kit.db import Connection, Row, affected

Purpose = Literal["board", "gate", "card"]
State = Literal["valid", "revoked"]


@dataclass(frozen=True, slots=True)
class CodeRow:
    """A code: whose, where, the how-manieth of its village, and whether it counts."""

    code: str
    village: str
    purpose: Purpose
    place: str | None
    serial: int
    state: State
    issued_at: datetime


class CodePlace(NamedTuple):
    """A place in the order of codes."""

    village: str
    serial: int


#: Before the first.
FIRST: Final = CodePlace("", 0)


def _code(row: Row) -> CodeRow:
    return CodeRow(
        row["code"], row["village"], row["purpose"], row["place"], row["serial"], row["state"], row["issued_at"]
    )


INSERT_CODE = """
INSERT INTO code (code, village, purpose, place, serial, issued_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (village, serial) DO NOTHING
"""


async def insert_code(conn: Connection, row: CodeRow) -> bool:
    """Keep a new code; False when its village has that serial already. UniqueViolationError when the code is taken."""
    tag = await conn.execute(INSERT_CODE, row.code, row.village, row.purpose, row.place, row.serial, row.issued_at)
    return affected(tag) == 1


LOCK_CODE = "SELECT code, village, purpose, place, serial, state, issued_at FROM code WHERE code = $1 FOR UPDATE"


async def lock_code(conn: Connection, code: str) -> CodeRow | None:
    """A code, held against other changes until the transaction ends."""
    row = await conn.fetchrow(LOCK_CODE, code)
    return _code(row) if row else None


REVOKE_CODE = """
UPDATE code SET state = 'revoked', revoked_at = $2, revoked_by = $3, revoked_for = $4, changed_at = clock_timestamp()
WHERE code = $1
"""


async def revoke_code(conn: Connection, code: str, at: datetime, by: str, reason: str) -> None:
    await conn.execute(REVOKE_CODE, code, at, by, reason)


SELECT_LAST_SERIAL = "SELECT max(serial) FROM code WHERE village = $1"


async def select_last_serial(conn: Connection, village: str) -> int:
    """The highest serial that a village ever had; 0 before its first."""
    last: int | None = await conn.fetchval(SELECT_LAST_SERIAL, village)
    return last or 0


SELECT_CODE = "SELECT code, village, purpose, place, serial, state, issued_at FROM code WHERE code = $1"


async def select_code(conn: Connection, code: str) -> CodeRow | None:
    row = await conn.fetchrow(SELECT_CODE, code)
    return _code(row) if row else None


SELECT_CODES = """
SELECT code, village, purpose, place, serial, state, issued_at FROM code
WHERE village = ANY($1::text[]) AND (village, serial) > ($2, $3) ORDER BY village, serial LIMIT $4
"""


async def select_codes(conn: Connection, villages: Sequence[str], after: CodePlace, limit: int) -> list[CodeRow]:
    """Codes of some villages by village and serial, from just behind a place in that order."""
    return [_code(r) for r in await conn.fetch(SELECT_CODES, villages, *after, limit)]


SELECT_ALL_CODES = """
SELECT code, village, purpose, place, serial, state, issued_at FROM code
WHERE village = ANY($1::text[]) ORDER BY village, serial DESC
"""


async def select_all_codes(conn: Connection, villages: Sequence[str]) -> list[CodeRow]:
    """Every code of some villages, each village's newest first."""
    return [_code(r) for r in await conn.fetch(SELECT_ALL_CODES, villages)]


SELECT_BOARD_CODES = """
SELECT code, village, purpose, place, serial, state, issued_at FROM code
WHERE village = ANY($1::text[]) AND purpose = 'board' AND state = 'valid' ORDER BY village, serial
"""


async def select_board_codes(conn: Connection, villages: Sequence[str]) -> list[CodeRow]:
    """The codes that posters of some villages carry."""
    return [_code(r) for r in await conn.fetch(SELECT_BOARD_CODES, villages)]


SELECT_CHANGED_CODES = """
SELECT code, village, purpose, place, serial, state, issued_at, changed_at FROM code WHERE changed_at > $1
"""


async def select_changed_codes(conn: Connection, since: datetime) -> tuple[list[CodeRow], datetime]:
    """Codes changed after a moment, and the newest change's time (the moment itself when there is none)."""
    rows = await conn.fetch(SELECT_CHANGED_CODES, since)
    return [_code(r) for r in rows], max((r["changed_at"] for r in rows), default=since)
