"""Rosters of a village that are open, for households that look for their own lines."""

from services.kit.db import Connection
from services.publish.render.rows import Publication
from services.publish.store.publications import select_publications

#: What is older has left the web long ago; more than these nobody reads through for one question.
SELECT_OPEN_ROSTERS = """
SELECT disclosure_id FROM publication
WHERE village_code = $1 AND kind = 'roster' AND withdrawn_at IS NULL AND NOT nil
ORDER BY period DESC, disclosure_id LIMIT 200
"""


async def select_open_rosters(conn: Connection, village: str) -> list[Publication]:
    """A village's newest open rosters."""
    ids = [r["disclosure_id"] for r in await conn.fetch(SELECT_OPEN_ROSTERS, village)]
    return list((await select_publications(conn, ids)).values())
