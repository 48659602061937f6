"""What the clock makes happen: the codes in memory stay fresh, so that a scan needs no database."""

from typing import Final

from services.kit.process import Job
from services.kit.runtime import Runtime
from services.qr.store import CODES, CodesInMemory


async def refresh_codes(runtime: Runtime) -> None:
    """Read new codes into the memory of the process that leads; its copies fill theirs at their first miss."""
    codes: CodesInMemory = runtime.own[CODES]
    await codes.refresh()


JOBS: Final = (Job("codes in memory", 2.0, refresh_codes, on_commit=True),)
