"""Codes: which exist, whose, where, and whether they count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from services.contracts.code import PURPOSE_OF, CodeKind
from services.kit.db import Connection, Row, affected
from services.qr.bulk.targets import Target

State = Literal["valid", "revoked"]
#: What the code of before wrote: a purpose and no kind.
_KIND_OF: Final = {"board": CodeKind.BOARD, "gate": CodeKind.GATE, "card": CodeKind.HOUSEHOLD}


@dataclass(frozen=True, slots=True)
class CodeRow:
    """A code: whose, what for, the how-manieth of its village, and whether it counts."""

    code: str
    village: str
    target: Target
    serial: int
    state: State
    issued_at: datetime
    #: The code in whose place it will hang.
    replaces: str | None = None

    @property
    def purpose(self) -> str:
        """Its kind as readers of before know it."""
        return PURPOSE_OF[self.target.kind]


class CodePlace(NamedTuple):
    """A place in the order of codes."""

    village: str
    serial: int


#: Before the first.
FIRST: Final = CodePlace("", 0)


def _code(row: Row) -> CodeRow:
    kind = CodeKind(row["kind"]) if row["kind"] else _KIND_OF[row["purpose"]]
    target = Target(kind, row["place"], row["item"], row["period"], row["subject"])
    return CodeRow(row["code"], row["village"], target, row["serial"], row["state"], row["issued_at"], row["replaces"])


INSERT_CODES = """
INSERT INTO code (code, village, purpose, kind, place, item, period, subject, serial, issued_at, replaces)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::int[], $10::timestamptz[], $11::text[])
ON CONFLICT (village, serial) DO NOTHING
"""


async def insert_codes(conn: Connection, rows: Sequence[CodeRow]) -> bool:
    """Keep new codes; False when a village has some serial already. UniqueViolationError when a code is taken."""
    columns = [
        (
            r.code,
            r.village,
            r.purpose,
            of.kind.value,
            of.place,
            of.item,
            of.period,
            of.subject,
            r.serial,
            r.issued_at,
            r.replaces,
        )
        for r in rows
        for of in (r.target,)
    ]
    tag = await conn.execute(INSERT_CODES, *map(list, zip(*columns, strict=True)))
    return affected(tag) == len(rows)


LOCK_CODE = """
SELECT code, village, purpose, kind, place, item, period, subject, serial, state, issued_at, replaces
FROM code WHERE code = $1 FOR UPDATE
"""


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


UPDATE_PLACES = """
UPDATE code SET place = t.place, changed_at = clock_timestamp()
FROM unnest($1::text[], $2::text[]) AS t (code, place) WHERE code.code = t.code
"""


async def update_places(conn: Connection, rows: Sequence[CodeRow]) -> None:
    """Keep where some codes hang now."""
    await conn.execute(UPDATE_PLACES, [r.code for r in rows], [r.target.place for r in rows])


LOCK_VILLAGES = """
SELECT pg_advisory_xact_lock(hashtext('codes of a village'), hashtext(village))
FROM (SELECT village FROM unnest($1::text[]) AS t (village) ORDER BY village) AS sorted
"""


async def lock_villages(conn: Connection, villages: Sequence[str]) -> None:
    """Hold some villages' serials against others who issue, in one order for everybody."""
    await conn.execute(LOCK_VILLAGES, sorted(set(villages)))


COUNT_OF_VILLAGES = """
SELECT village, max(serial) AS last, count(*) FILTER (WHERE state = 'valid') AS valid
FROM code WHERE village = ANY($1::text[]) GROUP BY village
"""


@dataclass(frozen=True, slots=True)
class Issued:
    """How far a village's serials have come, and how many of its codes count."""

    last: int
    valid: int


async def count_of_villages(conn: Connection, villages: Sequence[str]) -> dict[str, Issued]:
    """Of villages that have any."""
    rows = await conn.fetch(COUNT_OF_VILLAGES, list(villages))
    return {r["village"]: Issued(r["last"], r["valid"]) for r in rows}


SELECT_CODE = """
SELECT code, village, purpose, kind, place, item, period, subject, serial, state, issued_at, replaces
FROM code WHERE code = $1
"""


async def select_code(conn: Connection, code: str) -> CodeRow | None:
    row = await conn.fetchrow(SELECT_CODE, code)
    return _code(row) if row else None


SELECT_SUCCESSOR = """
SELECT code, village, purpose, kind, place, item, period, subject, serial, state, issued_at, replaces
FROM code WHERE replaces = $1 AND state = 'valid'
"""


async def select_successor(conn: Connection, code: str) -> CodeRow | None:
    """The valid code that was issued to hang in a code's place."""
    row = await conn.fetchrow(SELECT_SUCCESSOR, code)
    return _code(row) if row else None


SELECT_CODES = """
SELECT code, village, purpose, kind, place, item, period, subject, serial, state, issued_at, replaces FROM code
WHERE village = ANY($1::text[]) AND (village, serial) > ($2, $3) ORDER BY village, serial LIMIT $4
"""


async def select_codes(conn: Connection, villages: Sequence[str], after: CodePlace, limit: int) -> list[CodeRow]:
    """Codes of some villages by village and serial, from just behind a place in that order."""
    return [_code(r) for r in await conn.fetch(SELECT_CODES, villages, *after, limit)]


SELECT_ALL_CODES = """
SELECT code, village, purpose, kind, place, item, period, subject, serial, state, issued_at, replaces FROM code
WHERE village = ANY($1::text[]) ORDER BY village, serial DESC
"""


async def select_all_codes(conn: Connection, villages: Sequence[str]) -> list[CodeRow]:
    """Every code of some villages, each village's newest first."""
    return [_code(r) for r in await conn.fetch(SELECT_ALL_CODES, villages)]


SELECT_VALID_CODES = """
SELECT code, village, purpose, kind, place, item, period, subject, serial, state, issued_at, replaces FROM code
WHERE village = ANY($1::text[]) AND state = 'valid'
    AND coalesce(kind, CASE purpose WHEN 'card' THEN 'household' ELSE purpose END) = ANY($2::text[])
ORDER BY village, serial
"""


async def select_valid_codes(conn: Connection, villages: Sequence[str], kinds: Sequence[CodeKind]) -> list[CodeRow]:
    """The codes that prints of some villages carry."""
    return [_code(r) for r in await conn.fetch(SELECT_VALID_CODES, list(villages), [k.value for k in kinds])]


SELECT_CHANGED_CODES = """
SELECT code, village, purpose, kind, place, item, period, subject, serial, state, issued_at, replaces, changed_at
FROM code WHERE changed_at > $1
"""


async def select_changed_codes(conn: Connection, since: datetime) -> tuple[list[CodeRow], datetime]:
    """Codes changed after a moment, and the newest change's time (the moment itself when there is none)."""
    rows = await conn.fetch(SELECT_CHANGED_CODES, since)
    return [_code(r) for r in rows], max((r["changed_at"] for r in rows), default=since)
