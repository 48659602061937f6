"""Waivers and the quarter's yes/no pages."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter

from services.contracts.disclosure import DeclaredItem
from services.contracts.duties import CellKey
from services.kit.db import Connection, Row, UniqueViolationError, affected


@dataclass(frozen=True, slots=True)
class Waiver:
    """A cell that a village asks not to open (不公开备案)."""

    id: UUID
    village_code: str
    item: str
    period: str
    state: str
    reason: str
    decision: str | None
    filed_by: str
    filed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Declaration:
    """One edition of a quarter's yes/no page."""

    village_code: str
    quarter: str
    edition: int
    state: str
    answers: tuple[DeclaredItem, ...]
    submitted_by: str
    submitted_at: datetime
    confirmed_at: datetime | None
    note: str | None


class WaiverLiveError(Exception):
    """The cell has a waiver that is asked for or granted."""


def _waiver(row: Row) -> Waiver:
    return Waiver(**{name: row[name] for name in Waiver.__dataclass_fields__})


INSERT_WAIVER = """
INSERT INTO waiver (id, village_code, item, period, state, reason, filed_by, filed_at)
VALUES ($1, $2, $3, $4, 'filed', $5, $6, $7)
"""


async def insert_waiver(conn: Connection, waiver: Waiver) -> None:
    """File one; WaiverLiveError when the cell has one."""
    try:
        await conn.execute(
            INSERT_WAIVER,
            waiver.id,
            waiver.village_code,
            waiver.item,
            waiver.period,
            waiver.reason,
            waiver.filed_by,
            waiver.filed_at,
        )
    except UniqueViolationError as error:
        raise WaiverLiveError from error


LOCK_WAIVER = "SELECT * FROM waiver WHERE id = $1 FOR UPDATE"


async def lock_waiver(conn: Connection, waiver_id: UUID) -> Waiver | None:
    row = await conn.fetchrow(LOCK_WAIVER, waiver_id)
    return _waiver(row) if row else None


UPDATE_WAIVER = """
UPDATE waiver SET state = $2::text, decision = $3,
    decided_by = CASE WHEN $2 = 'ended' THEN decided_by ELSE $4 END,
    decided_at = CASE WHEN $2 = 'ended' THEN decided_at ELSE $5 END,
    ended_at = CASE WHEN $2 = 'ended' THEN $5::timestamptz END
WHERE id = $1 RETURNING *
"""


async def update_waiver(
    conn: Connection, waiver_id: UUID, state: str, decision: str | None, by: str, at: datetime
) -> Waiver:
    """Grant, refuse or end it."""
    row = await conn.fetchrow(UPDATE_WAIVER, waiver_id, state, decision, by, at)
    assert row is not None  # noqa: S101 - inserted, or locked by this transaction
    return _waiver(row)


SELECT_WAIVERS = """
SELECT * FROM waiver WHERE village_code = ANY($1::text[]) AND ($2::text IS NULL OR state = $2)
  AND ($3::uuid IS NULL OR id < $3) AND ($5::text[] IS NULL OR item = ANY($5::text[]))
ORDER BY id DESC LIMIT $4
"""


async def select_waivers(
    conn: Connection,
    villages: Sequence[str],
    state: str | None,
    after: UUID | None,
    limit: int,
    items: Sequence[str] | None = None,
) -> list[Waiver]:
    """Newest first; of some items only, if any are named."""
    return [_waiver(r) for r in await conn.fetch(SELECT_WAIVERS, list(villages), state, after, limit, items)]


SELECT_WAIVERS_IN = """
SELECT * FROM waiver WHERE village_code = ANY($1::text[]) AND item = ANY($2::text[]) AND period = ANY($3::text[])
  AND state IN ('filed', 'granted')
"""


async def select_waivers_in(
    conn: Connection, villages: Sequence[str], items: Sequence[str], periods: Sequence[str]
) -> list[Waiver]:
    """Those asked for and those in force in some villages' cells of some periods."""
    return [_waiver(r) for r in await conn.fetch(SELECT_WAIVERS_IN, villages, items, periods)]


#: What is waived is settled; only where somebody works on it nevertheless the cell still has to know.
SELECT_OPEN_WAIVERS = """
SELECT * FROM waiver WHERE village_code = ANY($1::text[]) AND state = 'filed'
UNION ALL
SELECT w.* FROM disclosure d JOIN waiver w USING (village_code, item, period)
WHERE d.village_code = ANY($1::text[]) AND d.state IN ('draft', 'submitted', 'confirmed', 'returned', 'approved')
  AND w.state = 'granted'
"""


async def select_open_waivers(conn: Connection, villages: Sequence[str]) -> list[Waiver]:
    """Those asked for, and those in force on cells that somebody works on."""
    return [_waiver(r) for r in await conn.fetch(SELECT_OPEN_WAIVERS, villages)]


SELECT_WAIVERS_AFTER = """
SELECT * FROM waiver WHERE village_code = $1 AND (item, period) > ($2, $3) AND state IN ('filed', 'granted')
ORDER BY item, period LIMIT $4
"""


async def select_waivers_after(conn: Connection, village: str, after: CellKey, limit: int) -> list[Waiver]:
    """Those asked for and those in force in a village's cells behind one of them, by item and period."""
    return [_waiver(r) for r in await conn.fetch(SELECT_WAIVERS_AFTER, village, *after, limit)]


# -- declarations -------------------------------------------------------------------------------------------------


def _declaration(row: Row) -> Declaration:
    values = {name: row[name] for name in Declaration.__dataclass_fields__}
    return Declaration(**{**values, "answers": _ANSWERS.validate_json(row["answers"])})


_ANSWERS: Final = TypeAdapter(tuple[DeclaredItem, ...])


SELECT_DECLARATION = """
SELECT village_code, quarter, edition, state, answers::text AS answers, submitted_by, submitted_at, confirmed_at, note
FROM declaration WHERE village_code = $1 AND quarter = $2 ORDER BY edition DESC LIMIT 1 FOR UPDATE
"""


async def lock_declaration(conn: Connection, village: str, quarter: str) -> Declaration | None:
    """The newest edition of a quarter's page, held until the transaction ends."""
    row = await conn.fetchrow(SELECT_DECLARATION, village, quarter)
    return _declaration(row) if row else None


INSERT_DECLARATION = """
INSERT INTO declaration (village_code, quarter, edition, state, answers, submitted_by, submitted_at)
VALUES ($1, $2, $3, 'submitted', $4::jsonb, $5, $6) ON CONFLICT DO NOTHING
"""


async def insert_declaration(conn: Connection, d: Declaration) -> bool:
    """Keep an edition; False when somebody else's has this number already."""
    answers = json.dumps([a.model_dump(mode="json") for a in d.answers])
    status = await conn.execute(
        INSERT_DECLARATION, d.village_code, d.quarter, d.edition, answers, d.submitted_by, d.submitted_at
    )
    return affected(status) == 1


CONFIRM_DECLARATION = """
INSERT INTO declaration_confirmation (village_code, quarter, edition, actor_id, confirmed_at)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
"""
COUNT_DECLARATION = """
SELECT count(*) FROM declaration_confirmation WHERE village_code = $1 AND quarter = $2 AND edition = $3
"""


async def insert_agreement(conn: Connection, d: Declaration, by: str, at: datetime) -> int:
    """Note a supervisor's agreement; how many different people have agreed."""
    await conn.execute(CONFIRM_DECLARATION, d.village_code, d.quarter, d.edition, by, at)
    count: int = await conn.fetchval(COUNT_DECLARATION, d.village_code, d.quarter, d.edition)
    return count


UPDATE_DECLARATION = """
UPDATE declaration SET state = $4::text, note = $5,
    confirmed_at = CASE WHEN $4 = 'confirmed' THEN $6::timestamptz END
WHERE village_code = $1 AND quarter = $2 AND edition = $3
"""


async def update_declaration(conn: Connection, d: Declaration, state: str, note: str | None, at: datetime) -> None:
    await conn.execute(UPDATE_DECLARATION, d.village_code, d.quarter, d.edition, state, note, at)


SELECT_DECLARATIONS = """
SELECT DISTINCT ON (village_code) village_code, quarter, edition, state, answers::text AS answers,
    submitted_by, submitted_at, confirmed_at, note
FROM declaration WHERE village_code = ANY($1::text[]) AND quarter = $2 AND ($3::text IS NULL OR state = $3)
ORDER BY village_code, edition DESC
"""


async def select_declarations(
    conn: Connection, villages: Sequence[str], quarter: str, state: str | None = None
) -> list[Declaration]:
    """The newest edition of a quarter, of those in a state if one is named."""
    return [_declaration(r) for r in await conn.fetch(SELECT_DECLARATIONS, villages, quarter, state)]


SELECT_DECLARATION_STATES = """
SELECT DISTINCT ON (village_code) village_code, state FROM declaration
WHERE village_code = ANY($1::text[]) AND quarter = $2 ORDER BY village_code, edition DESC
"""


async def select_declaration_states(conn: Connection, villages: Sequence[str], quarter: str) -> dict[str, str]:
    """How villages stand with a quarter, by village; one that has not answered is not among them."""
    rows = await conn.fetch(SELECT_DECLARATION_STATES, villages, quarter)
    return {r["village_code"]: r["state"] for r in rows}


SELECT_SUBMITTED_DECLARATIONS = """
SELECT village_code, quarter, edition, state, answers::text AS answers, submitted_by, submitted_at, confirmed_at, note
FROM declaration d WHERE village_code = ANY($1::text[]) AND state = 'submitted' AND NOT EXISTS (
    SELECT FROM declaration n WHERE (n.village_code, n.quarter) = (d.village_code, d.quarter) AND n.edition > d.edition
)
ORDER BY village_code, quarter
"""


async def select_submitted_declarations(conn: Connection, villages: Sequence[str]) -> list[Declaration]:
    """Quarters whose newest edition waits for a word."""
    return [_declaration(r) for r in await conn.fetch(SELECT_SUBMITTED_DECLARATIONS, villages)]
