"""What is missing in each village, as its page told when it was rendered last."""

import json
from collections.abc import Mapping

from services.kit.db import Connection
from services.publish.render.standing import Standing

UPSERT_STANDINGS = """
INSERT INTO standing AS s (village_code, missing, held, late_days)
SELECT v, m, h::jsonb, d FROM unnest($1::text[], $2::int[], $3::text[], $4::int[]) AS t (v, m, h, d)
ON CONFLICT (village_code) DO UPDATE SET missing = excluded.missing, held = excluded.held, late_days = excluded.late_days
WHERE (s.missing, s.held, s.late_days) IS DISTINCT FROM (excluded.missing, excluded.held, excluded.late_days)
RETURNING village_code
"""


async def upsert_standings(conn: Connection, of: Mapping[str, Standing]) -> list[str]:
    """Keep what some villages lack; returns those of which it changed."""
    # In one order, so that two renderers cannot wait for each other.
    codes = sorted(of)
    rows = await conn.fetch(
        UPSERT_STANDINGS,
        codes,
        [of[c].missing for c in codes],
        [json.dumps(dict(of[c].held)) for c in codes],
        [of[c].late_days for c in codes],
    )
    return [r["village_code"] for r in rows]


SELECT_STANDINGS = "SELECT village_code, missing, held::text AS held, late_days FROM standing"


async def select_standings(conn: Connection) -> dict[str, Standing]:
    """What every village lacks whose page was rendered."""
    rows = await conn.fetch(SELECT_STANDINGS)
    return {r["village_code"]: Standing(r["missing"], json.loads(r["held"]), r["late_days"]) for r in rows}
