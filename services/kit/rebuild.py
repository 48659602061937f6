"""Builds a service's read model anew from the topics' beginning, by its PROJECT handlers alone, while the old one serves.

A handler runs as in the consumer, on a session whose search path begins with the new schema. Every other table of the
service but the keys and the reference copy is hidden by an empty temporary one, so that nothing a handler might write
beside the read model (an event, an announcement, a mark) can reach the real table.

The new model never runs ahead of the serving one: it reads up to the offsets that the service has stored. So keys and
reference are there, and what was parked is passed over: it comes by its replay, or was discarded.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, LiteralString, cast

import asyncpg

from services.contracts.topics import EVENTS, TOPICS
from services.kit import signature
from services.kit.cli import Refusal
from services.kit.consumer import Handlers, Handling
from services.kit.consumer.log import LogReader, Place
from services.kit.db import Connection, Row
from services.kit.log import get_logger
from services.kit.park import reason
from services.kit.record import Incoming
from services.kit.runtime import AnyRuntime
from services.kit.shred import DROP_KEY, SELECT_KEY

log = get_logger(__name__)

#: Partitions under way at the same time, a session each.
AT_ONCE: Final = 4
#: So few records behind, the rest is read under the locks.
NEAR: Final = 200
_PATIENCE_S: Final = 3600.0
#: Tables outside the read model that a handler may read: they are the service's own copies, not what it does.
_SEEN: Final = ("shred_key", "reference", "schema_migrations")

SELECT_LOCKED = "SELECT pg_try_advisory_lock(hashtext('rebuild'), hashtext(current_user))"
SET_PATH = "SELECT set_config('search_path', $1, false), set_config('synchronous_commit', 'off', false)"
HIDE_THE_REST = """
SELECT format('CREATE TEMPORARY TABLE %I (LIKE %I.%I INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING INDEXES)',
              relname, relnamespace::regnamespace::text, relname)
FROM pg_class
WHERE relnamespace = to_regnamespace(current_user::text)::oid AND relkind IN ('r', 'p') AND NOT relispartition
  AND relname <> ALL($1::text[])
"""
SELECT_KEYS = "SELECT aggregate_id, key FROM shred_key WHERE aggregate_id = ANY($1::text[])"
SELECT_OFFSETS = "SELECT topic, partition, next_offset FROM consumer_offset"
LOCK_OFFSETS = "SELECT topic, partition, next_offset FROM consumer_offset ORDER BY topic, partition FOR UPDATE"
#: A replay or a new parked record waits until the switch has happened.
LOCK_PARKED = "LOCK TABLE parked_event IN SHARE ROW EXCLUSIVE MODE"
SELECT_NOW = "SELECT now()"
SELECT_SET_ASIDE = """
SELECT topic, partition, record_offset, headers ->> 'id' AS event_id FROM parked_event
UNION ALL SELECT topic, partition, record_offset, event_id FROM park_decision WHERE decision = 'discarded'
"""


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


class Aside:
    """A session of the rebuild as handlers see it. `answered`: statements that need no answer from the database."""

    def __init__(self, session: asyncpg.Connection, answered: frozenset[str]) -> None:
        """Take a session whose path is set."""
        self._session: Any = session
        self._answered = answered
        self._keys: dict[str, str | None] = {}

    async def learn_keys(self, aggregate_ids: Sequence[str]) -> None:
        """Read many keys at once; a handler asks for them one by one."""
        rows = await self._session.fetch(SELECT_KEYS, list(aggregate_ids))
        self._keys = {r["aggregate_id"]: r["key"] for r in rows}

    async def execute(self, query: LiteralString, *args: object) -> str:
        """Run a statement; keys are never destroyed from here: the serving model's consumer did."""
        if query in self._answered:
            return "INSERT 0 0"
        if query == DROP_KEY:
            self._keys[str(args[0])] = None
            return "INSERT 0 1"
        tag: str = await self._session.execute(query, *args)
        return tag

    async def fetch(self, query: LiteralString, *args: object) -> list[Row]:
        """All rows."""
        rows: list[Row] = await self._session.fetch(query, *args)
        return rows

    async def fetchrow(self, query: LiteralString, *args: object) -> Any:
        """The first row; keys from what was learnt."""
        if query == SELECT_KEY and args[0] in self._keys:
            return {"key": self._keys[str(args[0])]}
        return await self._session.fetchrow(query, *args)

    async def fetchval(self, query: LiteralString, *args: object) -> Any:
        """The first column of the first row."""
        return await self._session.fetchval(query, *args)


class Rebuild:
    """One rebuild into an empty schema that the caller made. `answered`: see `Aside`."""

    def __init__(
        self, runtime: AnyRuntime, project: Handlers, schema: str, settings: Any, answered: frozenset[str]
    ) -> None:
        """`settings` are the handlers': their folders must not be those that serve."""
        self._runtime = runtime
        self._project = project
        self._schema = schema
        self._settings = settings
        self._answered = answered
        self._seen: dict[tuple[str, str], int] = {}
        #: Places in the log, and ids of events: in a log that was said anew, they stand at other places.
        self._set_aside: set[tuple[str, int, int] | str] = set()
        self._sessions: list[asyncpg.Connection] = []
        self.tally = Tally()
        topics = [t for t in TOPICS if runtime.service in t.consumers and any(e in project for e in t.events)]
        self._reader = LogReader(runtime.settings, topics)

    async def session(self) -> asyncpg.Connection:
        """A session that sees the new model first and, beside it, only what handlers may read."""
        session = await self._runtime.database.dedicated(_PATIENCE_S)
        await session.execute(SET_PATH, f"{self._schema}, {self._runtime.service}")
        await session.execute("SET jit = off")
        for row in await session.fetch(HIDE_THE_REST, list(_SEEN)):
            await session.execute(row[0])
        return session

    @contextlib.asynccontextmanager
    async def building(self, progress: Callable[[Tally], None]) -> AsyncIterator[None]:
        """Build until near the serving model; the caller goes on with `snapshot` and `held`."""
        async with self._reader, contextlib.AsyncExitStack() as stack:
            self._sessions = [await self.session() for _ in range(AT_ONCE)]
            for session in self._sessions:
                stack.push_async_callback(session.close, timeout=5)
            while True:
                until = await self._stored()
                self.tally.total = self.tally.read + self._reader.left(until)
                if self._reader.left(until) <= NEAR:
                    break
                async for batches in self._reader.read(until):
                    await self._share(self._sessions, batches)
                    progress(self.tally)
            yield
            progress(self.tally)

    @contextlib.asynccontextmanager
    async def hold_consumers(self) -> AsyncIterator[Connection]:
        """The service's consumers stand still and the new model stands where the serving one does.

        The block runs in the transaction that holds every offset; what it does is done when it ends. The model's own session
        commits before: if the switch fails the model is ahead, serves nobody, and the next rebuild drops it.
        """
        session = await self._runtime.database.dedicated(_PATIENCE_S)
        try:
            async with session.transaction():
                await session.execute("SET LOCAL lock_timeout = '20s'")
                rows = await session.fetch(LOCK_OFFSETS)
                await session.execute(LOCK_PARKED)
                await self._note_set_aside(session)
                until = {(r["topic"], r["partition"]): r["next_offset"] for r in rows}
                async with self._sessions[0].transaction():
                    await self._finish(self._sessions[0], until)
                yield cast("Connection", session)
        finally:
            await session.close(timeout=5)

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """Both models as of one moment at which they stood at the same place; nobody is held while it is looked at."""
        session = await self._runtime.database.dedicated(_PATIENCE_S)
        try:
            async with session.transaction(isolation="repeatable_read", readonly=True):
                async with self.hold_consumers():
                    # The first statement takes the snapshot.
                    await session.fetchval(SELECT_NOW)
                yield cast("Connection", session)
        finally:
            await session.close(timeout=5)

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

    async def _finish(self, session: asyncpg.Connection, until: Mapping[Place, int]) -> None:
        """While consumers stand still: the rest of the log, and what was replayed after it had been passed over."""
        async for batches in self._reader.read(until):
            for _, incoming in batches:
                await self._apply(session, incoming)
        replayed = [r for r in self.tally.passed_over if not self._is_set_aside(r)]
        for record in replayed:
            self.tally.passed_over.remove(record)
            await self._one(Aside(session, self._answered), record)

    async def _share(
        self, sessions: Sequence[asyncpg.Connection], batches: Sequence[tuple[Place, list[Incoming]]]
    ) -> None:
        """Partitions side by side, each in order, over as many sessions as there are."""
        waiting = sorted(batches, key=lambda b: len(b[1]))

        async def work(session: asyncpg.Connection) -> None:
            while waiting:
                _, incoming = waiting.pop()
                async with session.transaction():
                    await self._apply(session, incoming)

        async with asyncio.TaskGroup() as tasks:
            for session in sessions:
                tasks.create_task(work(session))

    async def _apply(self, session: asyncpg.Connection, incoming: Sequence[Incoming]) -> None:
        """Project a batch; when one record cannot be, the others still are."""
        self.tally.read += len(incoming)
        wanted = [r for r in incoming if self._wanted(r)]
        conn = Aside(session, self._answered)
        if wanted:
            await conn.learn_keys([r.aggregate[1] for r in wanted])
        for record in wanted:
            await self._one(conn, record)

    def _wanted(self, record: Incoming) -> bool:
        """Tell whether a record is true, newer than all seen of its aggregate, and not set aside."""
        if self._is_set_aside(record):
            self.tally.passed_over.append(record)
            return False
        if signature.fault_of(record, self._runtime.settings.registry_root) is not None:
            return False
        version, seen = record.version, self._seen.get(record.aggregate, 0)
        if version is not None and version <= seen:
            return False
        if version is not None:
            self._seen[record.aggregate] = version
        return EVENTS.get(record.type) in self._project

    async def _one(self, conn: Aside, record: Incoming) -> None:
        try:
            event = record.event()
            handler = self._project[type(event)]
            handling = Handling(conn, self._runtime.clock, self._runtime.reference, self._settings)
            await handler(handling, event)
            self.tally.projected += 1
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            # The transaction is broken, or the database away: nothing of this model can be trusted.
            raise
        except Exception as error:  # noqa: BLE001 - told at the end; the serving model parked or survived it
            self.tally.failed.append((record, reason(error)))


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
