"""What the clock makes the registry do: forget sessions that are over and failures that count no more."""

from typing import Final

from services.kit.process import Job
from services.kit.runtime import Runtime
from services.registry import store


async def forget(runtime: Runtime) -> None:
    """Remove rows that no request looks at any more."""
    async with runtime.database.transaction() as conn:
        await store.forget_the_past(conn, runtime.clock.now())


JOBS: Final = (Job("sessions pruned", 600.0, forget),)
