"""What the clock makes happen: approvals and withdrawals whose undo time has passed, files that nobody names any more."""

from typing import Final

from services.ingest import commands
from services.kit.objects import Objects
from services.kit.process import Job
from services.kit.runtime import Runtime

_AT_ONCE: Final = 50


def objects_of(runtime: Runtime) -> Objects:
    """The process's object store."""
    objects: Objects = runtime.own["objects"]
    return objects


async def carry_out_approvals(runtime: Runtime) -> None:
    """Approve what is due."""
    while await commands.carry_out(runtime, objects_of(runtime), _AT_ONCE) == _AT_ONCE:
        pass


async def erase_withdrawn(runtime: Runtime) -> None:
    """Erase what was withdrawn and not brought back in time."""
    while await commands.erase_due(runtime, _AT_ONCE) == _AT_ONCE:
        pass


async def queue_files(runtime: Runtime) -> None:
    """Note the files without a use."""
    await commands.queue_unused(runtime.database, runtime.clock.now())


async def sweep_files(runtime: Runtime) -> None:
    """Delete the files that were noted."""
    await commands.sweep(runtime.database, objects_of(runtime))


JOBS: Final = (
    Job("ingest approvals", 1.0, carry_out_approvals),
    Job("ingest withdrawn", 30.0, erase_withdrawn),
    Job("ingest unused files", 3600.0, queue_files),
    Job("ingest files", 1.0, sweep_files),
)
