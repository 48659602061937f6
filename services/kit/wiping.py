"""Keys at rest: none in clear, and after keys were destroyed the pages go on which they stood.

An UPDATE leaves the old row where it is, and a plain VACUUM only forgets where that was: the bytes stay in the file until
something else is written over them. So the table of keys, and it alone, is written anew. Everything else that speaks of
contents is closed with those keys.
"""

import asyncio
from typing import Final

import asyncpg

from services.kit.db import Connection
from services.kit.log import get_logger
from services.kit.runtime import AnyRuntime
from services.kit.shred import wrap_some

log = get_logger(__name__)

#: How often it is looked whether a key was destroyed since.
LOOK_EVERY_S: Final = 60.0
_PATIENCE_S: Final = 60.0
#: So many keys at a time and a pause, so that those who wait for the relay do not wait behind a whole city's.
_WRAPPED_AT_ONCE: Final = 200
_PAUSE_S: Final = 0.2
#: Whoever seals waits for it: better the next minute than a queue behind a long transaction.
SET_PATIENCE: Final = "SET lock_timeout = '300ms'"
#: 10,000 keys take 0.06 s, 100,000 took 1.5 s on a machine under load.
WIPE: Final = "VACUUM (FULL) shred_key"
COUNT_CHANGED: Final = """
SELECT coalesce(sum(n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables
WHERE relname = 'shred_key' AND schemaname = current_schema()
"""


async def count_changed(conn: Connection) -> int:
    """How many keys were ever changed or destroyed here, as the server's statistics say."""
    return int(await conn.fetchval(COUNT_CHANGED))


async def write_anew(runtime: AnyRuntime, *statements: str) -> bool:
    """Write tables anew by `VACUUM (FULL)`; False when one is in use, for which nobody waits long."""
    session = await runtime.database.dedicated(_PATIENCE_S)
    try:
        await session.execute(SET_PATIENCE)
        for statement in statements:
            await session.execute(statement)
    except asyncpg.LockNotAvailableError:
        log.info("secrets are in use, wiped later")
        return False
    finally:
        await session.close(timeout=2)
    return True


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
        if await write_anew(runtime, WIPE):
            self._done = changed


class Keeper:
    """Wraps what keys rest in clear from before `SANWU_KEY_SEAL` was given, once; then wipes."""

    def __init__(self) -> None:
        self._wrapped = False
        self._wiper = Wiper()

    async def run(self, runtime: AnyRuntime) -> None:
        """Wrap what is left, a few keys in a transaction; wipe when a key changed."""
        while not self._wrapped and not runtime.stopping.is_set():
            async with runtime.database.transaction() as conn:
                self._wrapped = await wrap_some(conn, _WRAPPED_AT_ONCE) == 0
            runtime.beat()
            await asyncio.sleep(_PAUSE_S)
        await self._wiper.run(runtime)
