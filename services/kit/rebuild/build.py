"""One rebuild: the log read ahead, handlers run on sessions side by side, both models looked at while consumers stand still."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import asyncpg

from services.contracts.topics import EVENTS, TOPICS
from services.kit import signature
from services.kit.cli import Refusal
from services.kit.consumer import Handlers, Handling
from services.kit.consumer.log import LogReader, Place
from services.kit.db import Connection
from services.kit.log import get_logger
from services.kit.park import reason
from services.kit.rebuild.helpers import Helpers
from services.kit.rebuild.together import BuiltModel, LearntKeys, Nowhere, run_together
from services.kit.record import Incoming
from services.kit.runtime import AnyRuntime
from services.kit.shred import select_keys

log = get_logger(__name__)

#: Sessions side by side; what is of one partition stays on one, in order.
AT_ONCE: Final = 3
#: Polls that wait for a session: the log is read meanwhile, and no further ahead.
AHEAD: Final = 2
#: So few records behind, the rest is read under the locks.
NEAR: Final = 200
_PATIENCE_S: Final = 3600.0

SELECT_LOCKED = "SELECT pg_try_advisory_lock(hashtext('rebuild'), hashtext(current_user))"
#: The new tables grow from nothing: a plan made for few rows must not stay. Nobody waits for these commits.
PREPARE_SESSION = """
SELECT set_config('search_path', $1, false), set_config('plan_cache_mode', 'force_custom_plan', false),
    set_config('jit', 'off', false), set_config('synchronous_commit', 'off', false)
"""
SELECT_OFFSETS = "SELECT topic, partition, next_offset FROM consumer_offset"
LOCK_OFFSETS = "SELECT topic, partition, next_offset FROM consumer_offset ORDER BY topic, partition FOR UPDATE"
#: A replay or a new parked record waits until the switch has happened.
LOCK_PARKED = "LOCK TABLE parked_event IN SHARE ROW EXCLUSIVE MODE"
SELECT_NOW = "SELECT now()"
SELECT_SET_ASIDE = """
SELECT topic, partition, record_offset, headers ->> 'id' AS event_id FROM parked_event
UNION ALL SELECT topic, partition, record_offset, event_id FROM park_decision WHERE decision = 'discarded'
"""
Batch = Sequence[Incoming]


class RebuildError(Refusal):
    """The rebuild cannot go on; the text is one sentence for the operator."""


@dataclass(slots=True)
class Tally:
    """What a rebuild has done so far."""

    total: int = 0
    read: int = 0
    projected: int = 0
    passed_over: list[Incoming] = field(default_factory=list)
    failed: list[tuple[Incoming, str]] = field(default_factory=list)


class Rebuild:
    """One rebuild into an empty schema that the caller made."""

    def __init__(self, runtime: AnyRuntime, project: Handlers, schema: str, settings: Any, helpers: Helpers) -> None:
        """`settings` are the handlers': their folders must not be those that serve."""
        self._runtime = runtime
        self._project = project
        self._schema = schema
        self._settings = settings
        self._helpers = helpers
        #: The newest version of each aggregate, by kind and id.
        self._seen: dict[str, dict[str, int]] = defaultdict(dict)
        #: Places in the log, and ids of events: in a log that was said anew, they stand at other places.
        self._set_aside: set[tuple[str, int, int] | str] = set()
        #: One that holds the consumers, and those that see the new model and no other table.
        self._holder: asyncpg.Connection
        self._sessions: list[asyncpg.Connection] = []
        self.tally = Tally()
        topics = [t for t in TOPICS if runtime.service in t.consumers and any(e in project for e in t.events)]
        self._reader = LogReader(runtime.settings, topics)

    @contextlib.asynccontextmanager
    async def building(self, progress: Callable[[Tally], None]) -> AsyncIterator[None]:
        """Build until near the serving model; the caller goes on with `snapshots` and `hold_consumers`."""
        async with self._reader, contextlib.AsyncExitStack() as stack:
            dedicated = self._runtime.database.dedicated
            self._holder, *self._sessions = await asyncio.gather(*(dedicated(_PATIENCE_S) for _ in range(1 + AT_ONCE)))
            for session in (self._holder, *self._sessions):
                stack.push_async_callback(session.close, timeout=5)
            for session in self._sessions:
                await session.execute(PREPARE_SESSION, self._schema)
            while True:
                until = await self._stored()
                self.tally.total = self.tally.read + self._reader.left(until)
                if self._reader.left(until) <= NEAR:
                    break
                await self._read(until, progress)
            yield
            progress(self.tally)

    @contextlib.asynccontextmanager
    async def hold_consumers(self) -> AsyncIterator[Connection]:
        """The service's consumers stand still and the new model stands where the serving one does.

        The block runs in the transaction that holds every offset; what it does is done when it ends. The model's own session
        commits before: if the switch fails the model is ahead, serves nobody, and the next rebuild drops it.
        """
        # Not of the pool, of which the snapshots have two: it may have no more.
        conn = cast("Connection", self._holder)
        async with self._holder.transaction():
            await conn.execute("SET LOCAL lock_timeout = '20s'")
            rows = await conn.fetch(LOCK_OFFSETS)
            await conn.execute(LOCK_PARKED)
            await self._note_set_aside(conn)
            until = {(r["topic"], r["partition"]): r["next_offset"] for r in rows}
            await self._finish(conn, until)
            yield conn

    @contextlib.asynccontextmanager
    async def snapshots(self) -> AsyncIterator[tuple[Connection, Connection]]:
        """Two connections that see both models as of one moment, at which they stood at the same place; nobody is held meanwhile."""
        async with self._runtime.database.snapshot() as one, self._runtime.database.snapshot() as other:
            async with self.hold_consumers():
                # Whoever writes to a model stands still until both have looked.
                for conn in (one, other):
                    await conn.fetchval(SELECT_NOW)
            yield one, other

    async def _stored(self) -> dict[Place, int]:
        async with self._runtime.database.connection() as conn:
            # Offsets first: what is parked behind them is of no interest yet.
            rows = await conn.fetch(SELECT_OFFSETS)
            await self._note_set_aside(conn)
        return {(r["topic"], r["partition"]): r["next_offset"] for r in rows}

    async def _note_set_aside(self, conn: Any) -> None:
        rows = await conn.fetch(SELECT_SET_ASIDE)
        self._set_aside = {(r["topic"], r["partition"], r["record_offset"]) for r in rows}
        self._set_aside |= {r["event_id"] for r in rows if r["event_id"]}

    def _is_set_aside(self, record: Incoming) -> bool:
        place = (record.topic, record.partition, record.offset)
        return place in self._set_aside or record.headers.get("id", "") in self._set_aside

    async def _read(self, until: Mapping[Place, int], progress: Callable[[Tally], None]) -> None:
        """Read up to there; sessions work side by side and the log is read on meanwhile, but not far ahead of them."""
        queues: list[asyncio.Queue[Batch]] = [asyncio.Queue(AHEAD) for _ in self._sessions]
        async with asyncio.TaskGroup() as tasks:
            for session, queue in zip(self._sessions, queues, strict=True):
                tasks.create_task(self._work(session, queue))
            async for batches in self._reader.read(until):
                shares: list[list[Incoming]] = [[] for _ in queues]
                for (_, partition), incoming in batches:
                    shares[partition % len(queues)] += incoming
                for queue, share in zip(queues, shares, strict=True):
                    if share:
                        await queue.put(share)
                progress(self.tally)
            for queue in queues:
                await queue.put(())

    async def _work(self, session: asyncpg.Connection, queue: asyncio.Queue[Batch]) -> None:
        while incoming := await queue.get():
            records = self._take(incoming)
            async with self._runtime.database.connection() as conn:
                keys = await _learn(conn, records)
            async with session.transaction():
                await self._project_all(session, records, keys)

    async def _finish(self, conn: Connection, until: Mapping[Place, int]) -> None:
        """While consumers stand still: the rest of the log, and what was replayed after it had been passed over."""
        session = self._sessions[0]
        async with session.transaction():
            async for batches in self._reader.read(until):
                records = self._take([r for _, incoming in batches for r in incoming])
                await self._project_all(session, records, await _learn(conn, records))
            replayed = [r for r in self.tally.passed_over if not self._is_set_aside(r)]
            for record in replayed:
                self.tally.passed_over.remove(record)
            await self._project_all(session, replayed, await _learn(conn, replayed))

    async def _project_all(self, session: asyncpg.Connection, records: Batch, keys: LearntKeys) -> None:
        """Run the handlers of records together, those of one aggregate one after the other."""
        chains: dict[tuple[str, str], list[Incoming]] = defaultdict(list)
        for record in records:
            chains[record.aggregate].append(record)
        given = (self._runtime.clock, self._runtime.reference, self._settings)
        handling = Handling(Nowhere(), *given, BuiltModel(session), keys, again=True)
        await run_together(session, self._helpers, [self._chain(handling, chain) for chain in chains.values()])

    def _take(self, incoming: Batch) -> list[Incoming]:
        """Count a batch; those of it that have to be projected."""
        self.tally.read += len(incoming)
        return [r for r in incoming if self._wanted(r)]

    def _wanted(self, record: Incoming) -> bool:
        """Tell whether a record is true, newer than all seen of its aggregate, and not set aside."""
        if self._is_set_aside(record):
            self.tally.passed_over.append(record)
            return False
        if signature.fault_of(record, self._runtime.settings.registry_root) is not None:
            return False
        kind, aggregate_id = record.aggregate
        version, seen = record.version, self._seen[kind]
        if version is not None and version <= seen.get(aggregate_id, 0):
            return False
        if version is not None:
            seen[aggregate_id] = version
        return EVENTS.get(record.type) in self._project

    async def _chain(self, handling: Handling, records: Batch) -> None:
        for record in records:
            try:
                event = record.event()
                await self._project[type(event)](handling, event)
                self.tally.projected += 1
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                # The transaction is broken, or the database away: nothing of this model can be trusted.
                raise
            except Exception as error:  # noqa: BLE001 - told at the end; the serving model parked or survived it
                self.tally.failed.append((record, reason(error)))


async def _learn(conn: Connection, records: Batch) -> LearntKeys:
    """Read the keys of a batch at once; its handlers ask for them one by one."""
    return LearntKeys(await select_keys(conn, list({r.aggregate[1] for r in records})) if records else {})


class Alone:
    """The session whose lock makes a rebuild the only one of its service."""

    def __init__(self, session: asyncpg.Connection) -> None:
        """Take a session that holds the lock."""
        self._session = session

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction of this session."""
        async with self._session.transaction():
            yield cast("Connection", self._session)


@contextlib.asynccontextmanager
async def lock_rebuild(runtime: AnyRuntime) -> AsyncIterator[Alone]:
    """Hold the lock that makes this the only rebuild of a service; RebuildError when another has it."""
    session = await runtime.database.dedicated(_PATIENCE_S)
    try:
        if not await session.fetchval(SELECT_LOCKED):
            message = "Another rebuild of this service runs: wait until it has ended."
            raise RebuildError(message)
        yield Alone(session)
    finally:
        await session.close(timeout=5)
