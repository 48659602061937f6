"""What the clock makes the registry do: forget sessions that are over and failures that count no more."""

from typing import Final

from services.kit.process import Job
from services.kit.runtime import Runtime
from services.registry import metrics, store
from services.registry.commands.states import years_missing


async def forget(runtime: Runtime) -> None:
    """Remove rows that no request looks at any more."""
    async with runtime.database.transaction() as conn:
        await store.forget_the_past(conn, runtime.clock.now())


async def watch_calendar(runtime: Runtime) -> None:
    """Count the years that should be known and are not, for the alarm."""
    metrics.CALENDAR_MISSING.set(len(years_missing(runtime)))


JOBS: Final = (Job("sessions pruned", 600.0, forget), Job("calendar watched", 60.0, watch_calendar))
