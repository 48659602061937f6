"""SQL of what was heard lately, whoever heard it: copies of a process see each other's facts by it."""

from services.kit.db import Connection

#: Every transaction before it has ended, so a later look for facts since then finds all that this moment does not see.
SELECT_HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text"


async def select_horizon(conn: Connection) -> str:
    """From where on a later look has to read."""
    horizon: str = await conn.fetchval(SELECT_HORIZON)
    return horizon


SELECT_HEARD_SINCE = "SELECT DISTINCT village FROM fact WHERE heard_in >= $1::text::xid8"


async def select_heard_since(conn: Connection, horizon: str) -> list[str]:
    """Villages of which anything was heard since an earlier horizon; some that was known already may be among it."""
    return [r["village"] for r in await conn.fetch(SELECT_HEARD_SINCE, horizon)]
