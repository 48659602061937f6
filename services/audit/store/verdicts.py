"""SQL of what rules say of cells: one row a cell, for nobody asks of which subject a rule said that it passes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from services.audit.rules.facts import CellKey
from services.audit.store.alerts import AlertFilter
from services.contracts.values import period_bounds
from services.kit.db import Connection

#: Of how many subjects of one cell a rule says what: `hit`, `pass`, or `n/a` with its reason behind it.
Verdicts = Mapping[str, Mapping[str, int]]

#: Of a rule that is judged again the new words count, of the others those that are known.
UPSERT_VERDICTS = """
INSERT INTO verdict AS v (village, item, period, rules)
SELECT village, item, period, rules::jsonb FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS k (village, item, period, rules)
ON CONFLICT (period, village, item) DO UPDATE SET rules = v.rules || excluded.rules
WHERE v.rules || excluded.rules <> v.rules
"""


async def upsert_verdicts(conn: Connection, of: Mapping[CellKey, Verdicts]) -> None:
    """Keep what some rules say of some cells, all subjects of a rule together; what is known already is not written."""
    keys = list(of)
    columns = ([k.village for k in keys], [k.item for k in keys], [k.period for k in keys])
    await conn.execute(UPSERT_VERDICTS, *columns, [json.dumps(of[k], ensure_ascii=False) for k in keys])


@dataclass(frozen=True, slots=True)
class CoverageCount:
    """How often a rule said something of a period; `reason` is empty but for n/a."""

    rule: str
    result: str
    reason: str
    count: int


#: What stands in `outcome` still is from before verdicts were kept by cell.
SELECT_COVERAGE = """
SELECT rule, said, sum(n)::bigint AS n FROM (
    SELECT r.key AS rule, w.key AS said, w.value::bigint AS n FROM verdict, jsonb_each(rules) AS r, jsonb_each(r.value) AS w
    WHERE (period = $1 OR (length(period) = 10 AND period BETWEEN $4 AND $5))
      AND ($2::text[] IS NULL OR village = ANY($2)) AND ($3::text[] IS NULL OR item = ANY($3))
    UNION ALL
    SELECT rule, concat_ws(' ', result, nullif(reason, '')), 1 FROM outcome
    WHERE period = $1 AND ($2::text[] IS NULL OR village = ANY($2)) AND ($3::text[] IS NULL OR item = ANY($3))
) AS each GROUP BY rule, said ORDER BY rule, said
"""


async def select_coverage(conn: Connection, period: str, wanted: AlertFilter) -> list[CoverageCount]:
    """What each rule said of a period, and of the events on its days."""
    days = [day.isoformat() for day in period_bounds(period)]
    rows = await conn.fetch(SELECT_COVERAGE, period, wanted.villages, wanted.items, *days)
    said = [(r["rule"], *r["said"].partition(" ")[::2], r["n"]) for r in rows]
    return [CoverageCount(rule, result, reason if result == "n/a" else "", n) for rule, result, reason, n in said]


# -- what rules said of single subjects, before -------------------------------------------------------------------

SELECT_NEXT_TO_MOVE = "SELECT min(village) FROM outcome"


async def select_next_to_move(conn: Connection) -> str | None:
    """A village of which words stand in rows of their own still; None when there is none."""
    village: str | None = await conn.fetchval(SELECT_NEXT_TO_MOVE)
    return village


#: What was judged since is newer.
MOVE_OUTCOMES = """
WITH gone AS (DELETE FROM outcome WHERE village = $1 RETURNING item, period, rule, concat_ws(' ', result, nullif(reason, '')) AS said),
said AS (SELECT item, period, rule, said, count(*) AS n FROM gone GROUP BY item, period, rule, said),
ruled AS (SELECT item, period, rule, jsonb_object_agg(said, n) AS words FROM said GROUP BY item, period, rule)
INSERT INTO verdict AS v (village, item, period, rules)
SELECT $1, item, period, jsonb_object_agg(rule, words) FROM ruled GROUP BY item, period
ON CONFLICT (period, village, item) DO UPDATE SET rules = excluded.rules || v.rules
"""


async def move_outcomes(conn: Connection, village: str) -> None:
    """Count a village's words that stand in rows of their own, and delete the rows; the caller locked the village."""
    await conn.execute(MOVE_OUTCOMES, village)
