"""After keys were destroyed: the pages go on which they stood.

An UPDATE leaves the old row where it is, and a plain VACUUM only forgets where that was: the bytes stay in the file until
something else is written over them. So the table of keys, and it alone, is written anew. Everything else that speaks of
contents is closed with those keys.
"""

import asyncpg

from services.kit.db import Connection
from services.kit.log import get_logger
from services.kit.runtime import AnyRuntime

log = get_logger(__name__)

#: How often it is looked whether a key was destroyed since.
WIPE_EVERY_S = 60.0
_PATIENCE_S = 60.0
#: Whoever seals waits for it: better the next minute than a queue behind a long transaction.
SET_PATIENCE = "SET lock_timeout = '300ms'"
#: 100,000 keys take about half a second.
WIPE = "VACUUM (FULL) shred_key"
COUNT_CHANGED = """
SELECT coalesce(sum(n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables
WHERE relname = 'shred_key' AND schemaname = current_schema()
"""


async def count_changed(conn: Connection) -> int:
    """How many keys were ever changed or destroyed here, as the server's statistics say."""
    return int(await conn.fetchval(COUNT_CHANGED))


class Wiper:
    """Writes the table of keys anew when a key in it was destroyed since the last time."""

    def __init__(self) -> None:
        self._done = 0

    async def run(self, runtime: AnyRuntime) -> None:
        """Look, and wipe when there is something; a table that is in use is left for the next run."""
        async with runtime.database.connection() as conn:
            changed = await count_changed(conn)
        if changed == self._done:
            return
        session = await runtime.database.dedicated(_PATIENCE_S)
        try:
            await session.execute(SET_PATIENCE)
            await session.execute(WIPE)
        except asyncpg.LockNotAvailableError:
            log.info("keys are in use, wiped later")
        else:
            self._done = changed
        finally:
            await session.close(timeout=2)
