"""Cells: what stands in them, and what a village said there or elsewhere."""

from collections.abc import Sequence

from services.contracts.bodies import BODY, Body
from services.ingest.store.disclosures import Disclosure, disclosure_of
from services.kit.db import Connection

SELECT_CELL = """
SELECT * FROM disclosure WHERE village_code = $1 AND item = $2 AND period = $3 AND state <> 'withdrawn' LIMIT 1
"""


async def select_cell(conn: Connection, village: str, item: str, period: str) -> Disclosure | None:
    """What stands in a cell."""
    row = await conn.fetchrow(SELECT_CELL, village, item, period)
    return disclosure_of(row) if row else None


SELECT_BODY_OF_CELL = """
SELECT e.body::text AS body FROM disclosure d
JOIN edition e ON e.disclosure_id = d.id
    AND e.edition = CASE WHEN d.state IN ('draft', 'returned') THEN d.published_edition ELSE d.edition END
WHERE d.village_code = $1 AND d.item = $2 AND d.period = $3 AND d.state <> 'withdrawn'
"""


async def select_body_of_cell(conn: Connection, village: str, item: str, period: str) -> Body | None:
    """What the village handed in for a period, whether published yet or not; of a correction, the edition before it."""
    row = await conn.fetchrow(SELECT_BODY_OF_CELL, village, item, period)
    return BODY.validate_json(row["body"]) if row else None


SELECT_NEWEST_BODY = """
SELECT e.body::text AS body FROM disclosure d JOIN edition e ON e.disclosure_id = d.id AND e.edition = d.edition
WHERE d.village_code = $1 AND d.item = $2 AND d.state <> 'withdrawn' AND d.period <> $3
ORDER BY d.period DESC, d.id DESC LIMIT 1
"""


async def select_newest_body(conn: Connection, village: str, item: str, period: str) -> Body | None:
    """What the village entered last for an item, in whatever other period: its shape can be used again."""
    row = await conn.fetchrow(SELECT_NEWEST_BODY, village, item, period)
    return BODY.validate_json(row["body"]) if row else None


SELECT_CELLS = """
SELECT * FROM disclosure WHERE village_code = ANY($1::text[]) AND state <> 'withdrawn' ORDER BY id
"""


async def select_cells(conn: Connection, villages: Sequence[str]) -> list[Disclosure]:
    """Everything under way or public in some villages, oldest first."""
    return [disclosure_of(r) for r in await conn.fetch(SELECT_CELLS, list(villages))]
