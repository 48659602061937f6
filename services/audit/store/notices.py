"""What inspectors are shown beside the alerts: signed sheets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.audit.rules.facts import CellKey
from services.kit.db import Connection


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A signed sheet that spoke for supervisors; `brought_by` is a member of staff's id."""

    seq: int
    key: CellKey
    disclosure: str
    edition: int
    brought_by: str | None
    at: datetime


SELECT_SHEETS = """
SELECT seq, village, item, period, disclosure, edition, data ->> 'brought_by' AS brought_by, occurred_at
FROM fact
WHERE kind = 'confirmed' AND data ? 'by_sheet' AND ($1::text[] IS NULL OR village = ANY($1::text[]))
  AND ($2::text[] IS NULL OR item = ANY($2::text[])) AND ($3::bigint IS NULL OR seq < $3)
ORDER BY seq DESC LIMIT $4
"""


async def select_sheets(
    conn: Connection, villages: Sequence[str] | None, items: Sequence[str] | None, before: int | None, limit: int
) -> list[SheetRow]:
    """Signed sheets of some villages, newest first; None does not restrict."""
    rows = await conn.fetch(SELECT_SHEETS, villages, items, before, limit)
    return [
        SheetRow(
            r["seq"],
            CellKey(r["village"], r["item"], r["period"]),
            r["disclosure"],
            r["edition"],
            r["brought_by"],
            r["occurred_at"],
        )
        for r in rows
    ]
