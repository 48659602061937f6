"""What the clock makes the registry do: forget sessions that are over and failures that count no more."""

from collections.abc import Sequence

from services.kit.clock import local_day
from services.kit.service import Job
from services.registry import metrics, store
from services.registry.commands.states import years_missing
from services.registry.settings import RegistrySettings
from services.registry.visit import RegistryRuntime


async def forget(runtime: RegistryRuntime) -> None:
    """Remove rows that no request looks at any more."""
    async with runtime.database.transaction() as conn:
        await store.forget_the_past(conn, runtime.clock.now())


async def watch_calendar(runtime: RegistryRuntime) -> None:
    """Count the years that should be known and are not, for the alarm."""
    metrics.CALENDAR_MISSING.set(len(years_missing(runtime.reference, local_day(runtime.clock.now()))))


def make_jobs() -> Sequence[Job[RegistrySettings, None]]:
    """The jobs of a process."""
    return (Job("sessions pruned", 600.0, forget), Job("calendar watched", 60.0, watch_calendar))
