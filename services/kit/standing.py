"""How a service stands, by its tables alone: what waits to be sent, what is parked, who relays, where its consumer is.

`state` and `sanwu status` ask with the service's own role. Nothing else is imported here: `sanwu status` answers within
a second, of which reading our modules must not take the greater part. Ages are by the database's clock.
"""

from collections.abc import Sequence
from typing import Any, Final, LiteralString, Protocol

SELECT_OUTBOX: Final = """
SELECT count(*) FILTER (WHERE error IS NULL) AS pending, count(*) FILTER (WHERE error IS NOT NULL) AS refused,
       round(extract(epoch FROM now() - min(queued_at) FILTER (WHERE error IS NULL)), 1)::float8 AS oldest_age_s
FROM outbox
"""
SELECT_PARKED: Final = """
SELECT count(*) AS parked, count(*) FILTER (WHERE error <> 'behind a parked record') AS poisoned FROM parked_event
"""
COUNT_REFUSED: Final = "SELECT count(*) FROM refused_record"
#: The session that holds the relay's lock, seen by the role that holds it.
SELECT_LEADER: Final = """
SELECT a.pid, a.backend_start AS since FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = hashtext('relay')::oid
  AND l.objid = hashtext(current_user)::oid LIMIT 1
"""
SELECT_OFFSETS: Final = """
SELECT topic, partition, next_offset, extract(epoch FROM now() - updated_at)::float8 AS still_s FROM consumer_offset
"""
SELECT_SIZE: Final = "SELECT pg_database_size(current_database())"
COUNT_EVENTS: Final = "SELECT count(*) FROM event"


class Queried(Protocol):
    """As much of a connection as is needed here: asyncpg's own will do, within a pool or without."""

    async def fetch(self, query: LiteralString) -> Sequence[Any]:
        """All rows."""
        ...

    async def fetchrow(self, query: LiteralString) -> Any:
        """The first row."""
        ...

    async def fetchval(self, query: LiteralString) -> Any:
        """The first column of the first row."""
        ...


async def tables(conn: Queried) -> dict[str, Any]:
    """Outbox, leader, parked and refused records, size."""
    outbox, parked = await conn.fetchrow(SELECT_OUTBOX), await conn.fetchrow(SELECT_PARKED)
    leader = await conn.fetchrow(SELECT_LEADER)
    return {
        "outbox": {name: outbox[name] for name in ("pending", "refused", "oldest_age_s")},
        "relay_leader": {"pid": leader["pid"], "since": leader["since"].isoformat()} if leader else None,
        "parked": parked["parked"],
        "poisoned": parked["poisoned"],
        "refused_signatures": await conn.fetchval(COUNT_REFUSED),
        "database_bytes": await conn.fetchval(SELECT_SIZE),
    }


async def offsets(conn: Queried) -> dict[tuple[str, int], tuple[int, float]]:
    """By topic and partition: the next offset that is wanted, and for how many seconds it has been that one."""
    rows = await conn.fetch(SELECT_OFFSETS)
    return {(r["topic"], r["partition"]): (r["next_offset"], r["still_s"]) for r in rows}
