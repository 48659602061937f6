"""What the clock makes the registry do: forget what is over, watch the calendar, keep what it said signed."""

import asyncio
from collections.abc import Sequence
from typing import Final

from services.contracts.topics import TOPICS
from services.kit.clock import local_day
from services.kit.keypair import public_half
from services.kit.log import get_logger
from services.kit.operate.republish import say_again
from services.kit.service import Job
from services.kit.wiping import write_anew
from services.registry import metrics
from services.registry.commands.states import years_missing
from services.registry.settings import RegistrySettings
from services.registry.store import references, sealed, sessions
from services.registry.visit import Own, RegistryRuntime

log = get_logger(__name__)

#: So many rows at a time and a pause: nobody who signs in waits for it.
_SEALED_AT_ONCE: Final = 200
_PAUSE_S: Final = 0.2


async def forget(runtime: RegistryRuntime) -> None:
    """Remove rows that no request looks at any more."""
    async with runtime.database.transaction() as conn:
        now = runtime.clock.now()
        await sessions.forget_the_past(conn, now, now - runtime.settings.device_length)


async def watch_calendar(runtime: RegistryRuntime) -> None:
    """Count the years that should be known and are not, for the alarm."""
    metrics.CALENDAR_MISSING.set(len(years_missing(runtime.reference, local_day(runtime.clock.now()))))


async def keep_signed(runtime: RegistryRuntime) -> None:
    """Under a root key that is new (a first start, a change of the key), say everything again: the relay signs it."""
    public = public_half(runtime.settings.root)
    async with runtime.database.connection() as conn:
        if await references.is_root_used(conn, public):
            return
    async with runtime.database.transaction() as conn:
        count = await say_again(conn, [t for t in TOPICS if t.signed])
        await references.note_root(conn, public, runtime.clock.now())
    log.info("said again under a new root key", root=public, events=count)


class Sealer:
    """Closes the secrets that rest in clear from before `SANWU_KEY_SEAL` was given; then writes their tables anew, once."""

    def __init__(self) -> None:
        """Nothing was looked at yet."""
        self._done = False

    async def run(self, runtime: RegistryRuntime) -> None:
        """Close what is left, a few rows in a transaction; a table that is in use is written anew at the next run."""
        if self._done or runtime.settings.key_seal is None:
            return
        while not runtime.stopping.is_set():
            async with runtime.database.transaction() as conn:
                if await sealed.close_some(conn, _SEALED_AT_ONCE) == 0:
                    break
            runtime.beat()
            await asyncio.sleep(_PAUSE_S)
        async with runtime.database.connection() as conn:
            if await sealed.rests_in_clear(conn):
                return
        self._done = await write_anew(runtime, *sealed.WIPE_SECRETS)


def make_jobs() -> Sequence[Job[RegistrySettings, Own]]:
    """The jobs of a process."""
    return (
        Job("sessions pruned", 600.0, forget),
        Job("calendar watched", 60.0, watch_calendar),
        Job("root kept", 60.0, keep_signed),
        Job("secrets sealed", 60.0, Sealer().run),
    )
