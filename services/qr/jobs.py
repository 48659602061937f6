"""What the clock makes happen: the codes in memory stay fresh, so that a scan needs no database."""

from collections.abc import Sequence

from services.kit.service import Job
from services.qr.settings import QrSettings
from services.qr.visit import Own, QrRuntime


async def refresh_codes(runtime: QrRuntime) -> None:
    """Read new codes into the memory of the process that leads; its copies fill theirs at their first miss."""
    await runtime.own.codes.refresh()


def make_jobs() -> Sequence[Job[QrSettings, Own]]:
    """The jobs of a process."""
    return (Job("codes in memory", 2.0, refresh_codes, on_commit=True),)
