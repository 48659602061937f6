"""What the clock makes happen: approvals and withdrawals whose undo time has passed, files that nobody names any more."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from services.ingest import metrics
from services.ingest.commands import approvals, attachments, withdrawing
from services.ingest.settings import IngestSettings
from services.ingest.store.attachments import queue_unused_for_deletion
from services.ingest.store.quotas import delete_quotas
from services.ingest.store.sealing import count_clear, seal_some
from services.ingest.store.workbooks import delete_old_workbooks
from services.ingest.visit import IngestRuntime, Own
from services.kit.clock import local_day
from services.kit.heartbeats import beat_keys
from services.kit.log import get_logger
from services.kit.service import Job

log = get_logger(__name__)

_AT_ONCE: Final = 50
_QUOTAS_KEPT: Final = timedelta(days=7)
_WORKBOOKS_KEPT: Final = timedelta(days=7)


async def carry_out_approvals(runtime: IngestRuntime) -> None:
    """Approve (and so let out) what was chosen in batches whose undo time has passed."""
    while await approvals.carry_out(runtime, _AT_ONCE) == _AT_ONCE:
        pass


async def erase_withdrawn(runtime: IngestRuntime) -> None:
    """Erase what was withdrawn and not restored in time: contents, words, keys; files are queued for deletion."""
    while await withdrawing.erase_due(runtime, _AT_ONCE) == _AT_ONCE:
        pass


async def queue_unused_files(runtime: IngestRuntime) -> None:
    """Delete the uploads of a week ago that nothing uses, and queue their files; `attachments.sweep` deletes those."""
    async with runtime.database.transaction() as conn:
        await queue_unused_for_deletion(conn, runtime.clock.now(), attachments.UNUSED_AFTER)


async def seal_contents(runtime: IngestRuntime) -> None:
    """Seal what was entered before contents were sealed, a few rows at a time; then there is nothing left to do."""
    left: set[str] = set()
    taken = 1
    while taken:
        known = len(left)
        async with runtime.database.transaction() as conn:
            taken = await seal_some(conn, _AT_ONCE, left)
        runtime.beat()
        metrics.SEALED.inc(taken - (len(left) - known))
    if left:
        log.warning("rows stay in clear that cannot be sealed", rows=len(left), first=min(left).partition("/")[0])
    async with runtime.database.connection() as conn:
        metrics.CLEAR.set(await count_clear(conn))


async def roll_keys(runtime: IngestRuntime) -> None:
    """Keep the log of keys moving, so that the broker forgets within the hour what was destroyed, however quiet it is."""
    async with runtime.database.transaction() as conn:
        await beat_keys(conn, runtime.clock.now())


async def forget_quotas(runtime: IngestRuntime) -> None:
    """Forget what was handed in a week ago and before."""
    async with runtime.database.transaction() as conn:
        await delete_quotas(conn, local_day(runtime.clock.now()) - _QUOTAS_KEPT)


async def forget_workbooks(runtime: IngestRuntime) -> None:
    """Forget spreadsheets that were read a week ago and that nobody took in, with their keys."""
    taken = _AT_ONCE
    while taken == _AT_ONCE:
        async with runtime.database.transaction() as conn:
            taken = await delete_old_workbooks(conn, runtime.clock.now() - _WORKBOOKS_KEPT, _AT_ONCE)
        runtime.beat()


def make_jobs() -> Sequence[Job[IngestSettings, Own]]:
    """The jobs of a process."""
    return (
        Job("ingest approvals", 1.0, carry_out_approvals),
        Job("ingest withdrawn", 30.0, erase_withdrawn),
        Job("ingest unused files", 3600.0, queue_unused_files),
        Job("ingest quotas", 3600.0, forget_quotas),
        Job("ingest workbooks", 3600.0, forget_workbooks),
        Job("ingest files", 1.0, attachments.sweep),
        Job("ingest keys rolled", 300.0, roll_keys),
        Job("ingest contents sealed", 600.0, seal_contents),
    )
