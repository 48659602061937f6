"""Everything that is known of villages' cells, in outline: years of it are read for every page."""

from collections.abc import Sequence
from typing import Any

from services.contracts.values import quarters_within
from services.kit.db import Connection, Row
from services.publish.render.cells import CellFacts, Known
from services.publish.store.marks import select_steps
from services.publish.store.unopened import select_declarations, select_waivers

#: One row a village: a thousand rows of ten years cost the reader ten times as much.
SELECT_KNOWN = """
SELECT village_code, array_agg(disclosure_id) AS ids, array_agg(item) AS items, array_agg(period) AS periods,
    array_agg(withdrawn_at IS NULL) AS live, array_agg(nil) AS nil, array_agg(sums IS NOT NULL) AS sums,
    array_agg(first_published_at) AS firsts, array_agg(published_at) AS newest
FROM (
    SELECT * FROM publication WHERE village_code = ANY($1::text[])
      AND ($2::text IS NULL OR period = $2) AND ($3::text[] IS NULL OR item = ANY($3))
    ORDER BY village_code, published_at DESC, disclosure_id DESC
) p GROUP BY village_code
"""


async def select_cell_facts(
    conn: Connection, villages: Sequence[str], period: str | None = None, items: Sequence[str] | None = None
) -> dict[str, CellFacts]:
    """What each of some villages has opened, has under way, waived and declared, in all years or as far as one period asks for it.

    `items`: of what was opened only these.
    """
    codes = list(villages)
    if not codes:
        return {}
    rows = await conn.fetch(SELECT_KNOWN, codes, period, None if items is None else list(items))
    known = {r["village_code"]: _known(r) for r in rows}
    steps = _by_village(await select_steps(conn, codes))
    waivers = _by_village(await select_waivers(conn, codes))
    quarters = None if period is None else quarters_within(period)
    declarations = _by_village(await select_declarations(conn, codes, quarters))
    return {
        v: CellFacts(known.get(v, []), steps.get(v, []), waivers.get(v, []), declarations.get(v, [])) for v in codes
    }


def _known(row: Row) -> list[Known]:
    columns = ("ids", "items", "periods", "live", "nil", "sums", "firsts", "newest")
    return [Known._make(values) for values in zip(*(row[c] for c in columns), strict=True)]


def _by_village(rows: Sequence[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.village_code, []).append(row)
    return found
