"""Everything that is known of villages' cells, in outline: years of it are read for every page."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from services.contracts.values import quarters_within
from services.kit.db import Connection, Row
from services.publish.render.cells import CellFacts, Known
from services.publish.render.sentences import MONEY_ITEM
from services.publish.store.marks import select_steps
from services.publish.store.questions import count_by_cell
from services.publish.store.unopened import select_declarations, select_waivers

#: One row a village: a thousand rows of ten years cost the reader ten times as much.
_known_where: Final = """
SELECT village_code, array_agg(disclosure_id) AS ids, array_agg(item) AS items, array_agg(period) AS periods,
    array_agg(withdrawn_at IS NULL) AS live, array_agg(nil) AS nil, array_agg(sums IS NOT NULL) AS sums,
    array_agg(first_published_at) AS firsts, array_agg(published_at) AS newest, array_agg(submitted_at) AS submitted,
    array_agg(confirmed_at) AS confirmed, array_agg(delivered_at) AS delivered
FROM (
    SELECT * FROM publication WHERE village_code = ANY($1::text[]) AND {condition}
    ORDER BY village_code, published_at DESC, disclosure_id DESC
) p GROUP BY village_code
"""
SELECT_KNOWN = _known_where.format(condition="($2::text[] IS NULL OR item = ANY($2))")
#: Of its own, for a condition that may be none keeps the database from looking in the index.
SELECT_KNOWN_OF_PERIOD = _known_where.format(condition="period = $2")

#: The cells that are open, and of the publications the newest of each shape of period of an item, the months of money, and
#: whatever tells that nothing happened. Within a shape a later period is a greater text.
SELECT_OUTLINES = """
WITH known AS (
    SELECT village_code, disclosure_id, item, period, withdrawn_at IS NULL AS live, nil, sums IS NOT NULL AS sums,
        first_published_at, published_at FROM publication WHERE village_code = ANY($1::text[])
), newest AS (
    SELECT village_code, item, live, max(period) AS period FROM known
    GROUP BY village_code, item, live, length(period), substr(period, 5, 1)
), opened AS (
    SELECT village_code, array_agg(item) AS open_items, array_agg(period) AS open_periods FROM known WHERE live
    GROUP BY village_code
), told AS (
    SELECT village_code, array_agg(disclosure_id) AS ids, array_agg(item) AS items, array_agg(period) AS periods,
        array_agg(live) AS live, array_agg(nil) AS nil, array_agg(sums) AS sums,
        array_agg(first_published_at) AS firsts, array_agg(published_at) AS newest
    FROM (
        SELECT * FROM known WHERE live AND (item = $2 OR nil)
            OR (village_code, item, live, period) IN (SELECT village_code, item, live, period FROM newest)
        ORDER BY village_code, published_at DESC, disclosure_id DESC
    ) t GROUP BY village_code
)
SELECT * FROM told LEFT JOIN opened USING (village_code)
"""


async def select_outlines(conn: Connection, villages: Sequence[str]) -> dict[str, CellFacts]:
    """What the page of each of some villages tells of its cells: of what is open, however many years of it, only the newest."""
    codes = list(villages)
    rows = await conn.fetch(SELECT_OUTLINES, codes, MONEY_ITEM) if codes else []
    known = {r["village_code"]: _known(r) for r in rows}
    opened = {r["village_code"]: _opened(r) for r in rows}
    return {
        village: replace(facts, known=known.get(village, []), opened=opened.get(village, frozenset()))
        for village, facts in (await _unopened(conn, codes)).items()
    }


async def select_cell_facts(
    conn: Connection, villages: Sequence[str], *, period: str | None = None, items: Sequence[str] | None = None
) -> dict[str, CellFacts]:
    """What each of some villages has opened, has under way, waived and declared, in all years or as far as one period asks for it.

    `items`: of what was opened in all years only these.
    """
    codes = list(villages)
    if not codes:
        return {}
    if period is not None:
        rows = await conn.fetch(SELECT_KNOWN_OF_PERIOD, codes, period)
    else:
        rows = await conn.fetch(SELECT_KNOWN, codes, None if items is None else list(items))
    known = {r["village_code"]: _known(r, *_HANDS) for r in rows}
    facts = await _unopened(conn, codes, None if period is None else quarters_within(period))
    return {village: replace(of, known=known.get(village, [])) for village, of in facts.items()}


async def _unopened(
    conn: Connection, codes: Sequence[str], quarters: Sequence[str] | None = None
) -> dict[str, CellFacts]:
    """What is known of what is not open; of quarters' pages those of some, or of all."""
    if not codes:
        return {}
    steps = _by_village(await select_steps(conn, codes))
    waivers = _by_village(await select_waivers(conn, codes))
    declarations = _by_village(await select_declarations(conn, codes, quarters))
    asked = await count_by_cell(conn, codes)
    return {
        v: CellFacts([], steps.get(v, []), waivers.get(v, []), declarations.get(v, []), asked=asked.get(v, {}))
        for v in codes
    }


def _opened(row: Row) -> frozenset[tuple[str, str]]:
    # Pairs, which are equal to the keys of cells: to make a thousand keys takes longer than the rest.
    return frozenset(zip(row["open_items"] or (), row["open_periods"] or (), strict=True))


#: In whose hands it was is told in lists of duties alone; no page reads it.
_HANDS: Final = ("submitted", "confirmed", "delivered")


def _known(row: Row, *more: str) -> list[Known]:
    columns = ("ids", "items", "periods", "live", "nil", "sums", "firsts", "newest", *more)
    return [Known(*values) for values in zip(*(row[c] for c in columns), strict=True)]


def _by_village(rows: Sequence[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.village_code, []).append(row)
    return found


SELECT_IDS = """
SELECT disclosure_id FROM publication WHERE village_code = $1 AND starts_with(period, $2) ORDER BY item, period, disclosure_id
"""


async def select_ids(conn: Connection, village: str, within: str = "") -> list[str]:
    """Ids of all that a village ever opened, tombstones too; `within` is what the periods begin with, as `2026-10` for a month and its days."""
    return [r["disclosure_id"] for r in await conn.fetch(SELECT_IDS, village, within)]
