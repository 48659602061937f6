"""What one process of a service holds while it lives: settings, database, clock, reference copy, consumer.

`Runtime[QrSettings, Own]` says which settings a service has and what it made for itself when it started. What serves
every service takes `AnyRuntime`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from services.contracts.topics import Topic
from services.kit.clock import Clock
from services.kit.db import INFRASTRUCTURE_ERRORS, Database
from services.kit.noted import Noted
from services.kit.outbox import Waiting
from services.kit.pulse import Beat, Pulse, nothing
from services.kit.reference import Reference
from services.kit.settings import Settings
from services.kit.stalls import LoopWatch

PING = "SELECT 1"

#: A service's settings, and what it made for itself. A runtime is only read from, so a narrower one stands for a wider.
Settings_co = TypeVar("Settings_co", bound=Settings, covariant=True)
Own_co = TypeVar("Own_co", covariant=True)


class Consumer(Protocol):
    """What the others in a process may ask its consumer."""

    #: Set for good when the compacted topics were read to where they ended at the start.
    caught_up: asyncio.Event

    async def catch_up_with(self, topics: Sequence[Topic], within_s: float) -> bool:
        """Wait until all that stands on topics now was handled, here or by a copy; False when it was not in time."""
        ...


@dataclass(slots=True)
class Runtime(Generic[Settings_co, Own_co]):
    """Handed to the application, the jobs and the commands that need more than a transaction."""

    service: str
    settings: Settings_co
    database: Database
    clock: Clock
    reference: Reference
    #: What the service made once, in `Service.make_own`.
    own: Own_co
    consumer: Consumer | None = None
    #: Set when the process begins to stop.
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    pulse: Pulse = field(default_factory=Pulse)
    #: Of a process that serves.
    loop_watch: LoopWatch | None = None
    #: A job that works for long calls it at each step, so that it is not taken for one that hangs.
    beat: Beat = nothing
    #: What waits to be sent, as it was seen last.
    outbox_backlog: Waiting = field(default_factory=Waiting)
    #: Who looked at what, and was refused how often, so that the trail does not fill with it.
    noted: Noted = field(default_factory=Noted)

    async def unready_reason(self) -> str | None:
        """Why this process should get no requests yet, or None. Kafka is no reason: the outbox absorbs it."""
        try:
            async with asyncio.timeout(3), self.database.connection() as conn:
                await conn.fetchval(PING)
        except INFRASTRUCTURE_ERRORS as error:
            return f"database: {type(error).__name__}"
        if self.consumer is not None and not self.consumer.caught_up.is_set() and not self.reference.divisions:
            return "reference topics are still being read"
        return None


AnyRuntime = Runtime[Settings, object]
#: Of what works with a runtime: what can work with a wider one can work with a narrower.
Settings_contra = TypeVar("Settings_contra", bound=Settings, contravariant=True)
Own_contra = TypeVar("Own_contra", contravariant=True)
