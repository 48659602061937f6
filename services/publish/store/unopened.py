"""What villages said they do not open: waivers, and quarters in which nothing happened."""

import json
from collections.abc import Sequence
from datetime import date

from services.kit.db import Connection, Model
from services.publish.render.rows import Declaration, Waiver
from services.publish.render.texts import public_text

UPSERT_WAIVER = """
INSERT INTO waiver AS w (waiver_id, village_code, item, period, version, state, reason, since)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::timestamptz[]
)
ON CONFLICT (waiver_id) DO UPDATE SET
    version = excluded.version, state = excluded.state, reason = excluded.reason, since = excluded.since
WHERE excluded.version > w.version
RETURNING waiver_id
"""


async def upsert_waiver(model: Model, w: Waiver) -> None:
    """Keep a waiver's newest state."""
    await model.write(
        UPSERT_WAIVER, w.waiver_id, w.village_code, w.item, w.period, w.version, w.state, w.reason, w.since
    )


SELECT_WAIVERS = "SELECT * FROM waiver WHERE village_code = ANY($1::text[]) AND state = 'granted' ORDER BY since DESC"


async def select_waivers(conn: Connection, villages: Sequence[str]) -> list[Waiver]:
    """Waivers in force of some villages."""
    rows = await conn.fetch(SELECT_WAIVERS, list(villages))
    found = ({name: row[name] for name in Waiver.__dataclass_fields__} for row in rows)
    # Everybody may read the reason, so nobody reads it otherwise.
    return [Waiver(**{**row, "reason": public_text(row["reason"])}) for row in found]


UPSERT_DECLARATION = """
INSERT INTO declaration AS d (village_code, quarter, edition, answers, confirmed_at)
SELECT v, q, e, a::jsonb, at
FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::timestamptz[]) AS t (v, q, e, a, at)
ON CONFLICT (village_code, quarter) DO UPDATE SET
    edition = excluded.edition, answers = excluded.answers, confirmed_at = excluded.confirmed_at
WHERE excluded.edition > d.edition
RETURNING village_code
"""


async def upsert_declaration(model: Model, d: Declaration) -> None:
    """Keep a quarter's newest answers."""
    answers = json.dumps({item: [day.isoformat() for day in days] for item, days in d.answers.items()})
    await model.write(UPSERT_DECLARATION, d.village_code, d.quarter, d.edition, answers, d.confirmed_at)


SELECT_DECLARATIONS = """
SELECT village_code, quarter, edition, answers::text AS answers, confirmed_at FROM declaration
WHERE village_code = ANY($1::text[]) AND ($2::text[] IS NULL OR quarter = ANY($2)) ORDER BY quarter DESC
"""


async def select_declarations(
    conn: Connection, villages: Sequence[str], quarters: Sequence[str] | None = None
) -> list[Declaration]:
    """What some villages declared of some quarters or of all, newest first."""
    return [
        Declaration(
            row["village_code"],
            row["quarter"],
            row["edition"],
            {item: [date.fromisoformat(day) for day in days] for item, days in json.loads(row["answers"]).items()},
            row["confirmed_at"],
        )
        for row in await conn.fetch(SELECT_DECLARATIONS, list(villages), quarters)
    ]
