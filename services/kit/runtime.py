"""What one process of a service holds while it lives: settings, database, clock, reference copy, consumer."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from services.kit.clock import Clock
from services.kit.db import INFRASTRUCTURE_ERRORS, Database
from services.kit.outbox import Waiting
from services.kit.pulse import Beat, Pulse, nothing
from services.kit.reference import Reference

if TYPE_CHECKING:
    from services.kit.consumer import PartitionedConsumer

PING = "SELECT 1"


@dataclass(slots=True)
class Runtime:
    """Handed to the application, the jobs and the commands that need more than a transaction."""

    service: str
    settings: Any
    database: Database
    clock: Clock
    reference: Reference
    consumer: "PartitionedConsumer | None" = None
    #: Objects of the service's own, by name; made once in its `app.py`.
    own: dict[str, Any] = field(default_factory=dict)
    #: Set when the process begins to stop.
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    pulse: Pulse = field(default_factory=Pulse)
    #: A job that works for long calls it at each step, so that it is not taken for one that hangs.
    beat: Beat = nothing
    outbox: Waiting = field(default_factory=Waiting)

    async def not_ready(self) -> str | None:
        """Why this process should get no requests yet, or None. Kafka is no reason: the outbox absorbs it."""
        try:
            async with asyncio.timeout(3), self.database.connection() as conn:
                await conn.fetchval(PING)
        except INFRASTRUCTURE_ERRORS as error:
            return f"database: {type(error).__name__}"
        if self.consumer is not None and not self.consumer.caught_up.is_set() and not self.reference.divisions:
            return "reference topics are still being read"
        return None


@dataclass(frozen=True, slots=True)
class Command:
    """An operators' command beside `serve`: it gets an open runtime and returns the exit status."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Runtime, argparse.Namespace], Awaitable[int]]
