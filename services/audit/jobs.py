"""What the clock makes happen: deadlines are planned when a day or the reference data changes, and watched.

A look costs nothing while no deadline has come: one index read. Villages that owe an item alike share one plan.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from services.audit import commands, metrics
from services.audit.settings import AuditSettings
from services.audit.store import facts, verdicts
from services.audit.visit import AuditRuntime, Bench, Own
from services.contracts.catalogue import Item, WorkCalendar
from services.contracts.division import DivisionKind
from services.contracts.owing import Owing
from services.contracts.topics import DISCLOSURES, PUBLICATIONS, QUESTIONS
from services.contracts.values import Frequency
from services.kit.clock import local_day
from services.kit.service import Job

#: Cells judged in one transaction.
BATCH: Final = 200
#: A look that cannot read all the news within this time leaves the deadlines to the next look.
HEAR_WITHIN_S: Final = 5.0
_NEWS: Final = (DISCLOSURES, PUBLICATIONS, QUESTIONS)


class Watch:
    """The job that watches deadlines; it remembers what it planned for."""

    def __init__(self) -> None:
        """Begin without a plan: the first run makes one."""
        self._planned_for: tuple[date, WorkCalendar] | None = None

    async def run(self, runtime: AuditRuntime) -> None:
        """Plan if something changed, then judge every cell whose time has come."""
        with metrics.CLOCK_DURATION.time():
            await self._plan_if_changed(runtime)
            now = runtime.clock.now()
            async with runtime.database.connection() as conn:
                more = await facts.has_due_cells(conn, now)
            if more and not await _wait_until_caught_up(runtime):
                return
            while more and not runtime.stopping.is_set():
                runtime.beat()
                more = await _judge_some(runtime, now)

    async def _plan_if_changed(self, runtime: AuditRuntime) -> None:
        """Plan anew on a new day and whenever reference data changed: every change makes a new calendar object."""
        now = runtime.clock.now()
        state = (local_day(now), runtime.reference.calendar)
        if self._planned_for != state and runtime.reference.city() is not None:
            await plan_deadlines(runtime, now)
            self._planned_for = state


async def _wait_until_caught_up(runtime: AuditRuntime) -> bool:
    """Wait up to `HEAR_WITHIN_S` for the consumer to read all that was published up to now; False when it did not.

    Without it, what is missing may only be on its way.

    A process without a consumer cannot tell and goes on; run jobs where the consumer runs.
    """
    return runtime.consumer is None or await runtime.consumer.catch_up_with(_NEWS, HEAR_WITHIN_S)


async def _judge_some(runtime: AuditRuntime, now: datetime) -> bool:
    """Judge a batch; True when more may be waiting."""
    async with runtime.database.transaction() as conn:
        keys = await facts.select_due_cells(conn, now, BATCH)
        if keys:
            await commands.judge_by_clock(conn, Bench(runtime.reference, runtime.settings, now), keys)
    return len(keys) == BATCH


# -- the plan -----------------------------------------------------------------------------------------------------


async def plan_deadlines(runtime: AuditRuntime, now: datetime) -> None:
    """Watch what is owed now, and look once more at what no longer is."""
    groups = _alike(runtime)
    bench = Bench(runtime.reference, runtime.settings, now)
    # What an on-event item owes comes from what villages declare and hand in, not from the calendar.
    items = [
        item
        for code, item in sorted(runtime.reference.items.items())
        if bench.watches(code) and item.at(local_day(now)).frequency is not Frequency.ON_EVENT
    ]
    watched = 0
    for item in items:
        for owing, villages in groups.items():
            runtime.beat()
            watched += await _plan_group(runtime, item, owing, villages, now)
    metrics.CLOCK_CELLS.set(watched)


def _alike(runtime: AuditRuntime) -> dict[Owing, list[str]]:
    """Divisions at the foot of the tree by what they owe."""
    groups = defaultdict(list)
    for code, division in runtime.reference.divisions.items():
        if division.now.kind not in {DivisionKind.CITY, DivisionKind.TOWNSHIP}:
            groups[runtime.reference.owing(code)].append(code)
    return groups


async def _plan_group(runtime: AuditRuntime, item: Item, owing: Owing, villages: Sequence[str], now: datetime) -> int:
    """Watch one item in divisions that owe it alike; how many cells that are."""
    due = {d.period: d.due_at for run in owing.runs(item.code, now) for d in run.duties}
    async with runtime.database.transaction() as conn:
        await facts.plan_deadlines(conn, villages, item.code, due, now)
        await facts.recall_deadlines(conn, villages, item.code, list(due), now)
    return len(due) * len(villages)


# -- verdicts -----------------------------------------------------------------------------------------------------


async def move_verdicts(runtime: AuditRuntime) -> None:
    """Count what rules said of single subjects before verdicts were kept by cell, a village at a time, until all is counted."""
    while not runtime.stopping.is_set():
        async with runtime.database.transaction() as conn:
            village = await verdicts.select_next_to_move(conn)
            if village is None:
                return
            await facts.lock_village(conn, village)
            await verdicts.move_outcomes(conn, village)
        runtime.beat()


def make_jobs() -> Sequence[Job[AuditSettings, Own]]:
    """The jobs of a process."""
    return (Job("deadlines", 5.0, Watch().run), Job("verdicts moved", 600.0, move_verdicts))
