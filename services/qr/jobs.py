"""What the clock makes happen: codes in memory stay fresh, so that a scan needs no database; scans and silence are told."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from services.kit.clock import local_day
from services.kit.service import Job
from services.qr.commands.counting import KEPT_DAYS, MOST, say_health, say_scans
from services.qr.settings import QrSettings
from services.qr.store import scans
from services.qr.visit import Own, QrRuntime

#: Nobody waits for a sum: a record holds what a village's morning brought.
SAY_EVERY_S: Final = 300.0
LOOK_EVERY_S: Final = 3600.0


async def refresh_codes(runtime: QrRuntime) -> None:
    """Read new codes into the memory of the process that leads; its copies fill theirs at their first miss."""
    await runtime.own.codes.refresh()


async def tell_scans(runtime: QrRuntime) -> None:
    """Say all sums that grew."""
    while await say_scans(runtime) == MOST and not runtime.stopping.is_set():
        runtime.beat()


async def tell_health(runtime: QrRuntime) -> None:
    """Say which codes fell silent or were opened again, and forget sums of long ago."""
    while await say_health(runtime) == MOST and not runtime.stopping.is_set():
        runtime.beat()
    async with runtime.database.transaction() as conn:
        await scans.delete_old(conn, local_day(runtime.clock.now()) - timedelta(days=KEPT_DAYS))


def make_jobs() -> Sequence[Job[QrSettings, Own]]:
    """The jobs of a process."""
    return (
        Job("codes in memory", 2.0, refresh_codes, on_commit=True),
        Job("scans told", SAY_EVERY_S, tell_scans),
        Job("silent codes told", LOOK_EVERY_S, tell_health),
    )
