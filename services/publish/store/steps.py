"""Steps of one matter: a tender's notice and what came of it."""

from collections.abc import Sequence
from typing import Final

from services.kit.db import Connection
from services.publish.render.rows import Publication
from services.publish.store.publications import publications_of

#: The other steps of a matter: the notice that one follows, and what follows it.
_MOST_STEPS: Final = 20
SELECT_STEPS = """
SELECT m.*, p.disclosure_id AS of FROM publication p CROSS JOIN LATERAL (
    (SELECT * FROM publication WHERE disclosure_id = p.follows)
    UNION ALL
    (SELECT * FROM publication WHERE follows = p.disclosure_id ORDER BY period, disclosure_id LIMIT $2)
) m
WHERE p.disclosure_id = ANY($1::text[]) AND m.village_code = p.village_code AND m.withdrawn_at IS NULL
"""


async def select_steps(conn: Connection, ids: Sequence[str]) -> dict[str, list[Publication]]:
    """For each of some disclosures, the open ones of the same matter."""
    rows = await conn.fetch(SELECT_STEPS, list(ids), _MOST_STEPS)
    found: dict[str, list[Publication]] = {}
    for row, p in zip(rows, await publications_of(conn, rows), strict=True):
        found.setdefault(row["of"], []).append(p)
    return found
