"""Who gave whose account a new password, and where that meets what the account did and they let out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.audit.rules.facts import CellKey
from services.kit.db import Connection


@dataclass(frozen=True, slots=True)
class ResetRow:
    """One reset: both are ids of members of staff, or `machine` for who did it."""

    account: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Meeting:
    """An edition that a reset account handed in or confirmed, and that its resetter let out."""

    reset: ResetRow
    key: CellKey
    disclosure: str
    edition: int
    version: int


INSERT_RESETS = """
INSERT INTO staff_reset (account, reset_by, reset_at) SELECT $1, b, a FROM unnest($2::text[], $3::timestamptz[]) AS t (b, a)
ON CONFLICT DO NOTHING
"""


async def insert_resets(conn: Connection, resets: Sequence[ResetRow]) -> None:
    """Keep resets of one account; what is known already changes nothing."""
    if resets:
        await conn.execute(INSERT_RESETS, resets[0].account, [r.by for r in resets], [r.at for r in resets])


#: The account handed the edition in, or confirmed it by itself; a word on paper is not the account's.
SELECT_MEETINGS = """
SELECT r.account, r.reset_by, r.reset_at, a.village, a.item, a.period, a.disclosure, a.edition, a.version
FROM staff_reset r
JOIN fact a ON a.kind = 'approved' AND a.data ->> 'approved_by' = r.reset_by
    AND a.occurred_at BETWEEN r.reset_at AND r.reset_at + $3::interval
WHERE ($1::text IS NULL OR r.account = $1) AND ($2::uuid IS NULL OR a.event_id = $2)
  AND (a.data ->> 'submitted_by' = r.account OR EXISTS (
    SELECT FROM fact c
    WHERE (c.village, c.item, c.period) = (a.village, a.item, a.period) AND c.kind = 'confirmed'
      AND c.disclosure = a.disclosure AND c.edition = a.edition
      AND c.data ->> 'by' = r.account AND NOT c.data ? 'by_sheet'
  ))
"""


async def select_meetings(
    conn: Connection, window: timedelta, *, account: str | None = None, approval: str | None = None
) -> list[Meeting]:
    """Where an account's resets, or one approval, meet."""
    rows = await conn.fetch(SELECT_MEETINGS, account, approval, window)
    return [
        Meeting(
            ResetRow(r["account"], r["reset_by"], r["reset_at"]),
            CellKey(r["village"], r["item"], r["period"]),
            r["disclosure"],
            r["edition"],
            r["version"],
        )
        for r in rows
    ]


SELECT_RESETS = """
SELECT account, reset_by, reset_at FROM staff_reset
WHERE account = ANY($1::text[]) AND ($2::timestamptz IS NULL OR reset_at >= $2) ORDER BY reset_at DESC, account LIMIT $3
"""


async def select_resets(
    conn: Connection, accounts: Sequence[str], since: datetime | None, limit: int
) -> list[ResetRow]:
    """Resets of some accounts, newest first."""
    rows = await conn.fetch(SELECT_RESETS, list(accounts), since, limit)
    return [ResetRow(r["account"], r["reset_by"], r["reset_at"]) for r in rows]
