"""PostgreSQL: one pool per process and the only BEGIN and COMMIT of the project.

A transaction is open for one request, one partition's batch or one run of a job. Slow work (hashing, files, other
processes, Kafka, HTTP) comes before or after it: what does such work calls `outside_transaction`.
After every commit the listeners are woken (relay, renderer), so that nobody has to poll fast.
"""

import asyncio
import time
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Final, LiteralString, Protocol, TypeVar, cast

import asyncpg

from services.kit import metrics
from services.kit.settings import Settings

#: Errors that say nothing about the data: the same work may succeed in a while.
INFRASTRUCTURE_ERRORS: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.PostgresSystemError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
T = TypeVar("T")

#: A value that no row can hold, such as text with NUL or a number beyond bigint.
UnstorableError = asyncpg.DataError
UniqueViolationError = asyncpg.UniqueViolationError


class Row(Protocol):
    """A row; it never leaves the module that asked for it."""

    def __getitem__(self, key: str | int) -> Any:
        """A column by name or place."""
        ...

    def items(self) -> Iterable[tuple[str, Any]]:
        """Columns by name."""
        ...


class Connection(Protocol):
    """What stores may do with a connection: run constant SQL."""

    async def execute(self, query: LiteralString, *args: object) -> str:
        """Run a statement; returns its command tag."""
        ...

    async def fetch(self, query: LiteralString, *args: object) -> list[Row]:
        """Run a statement; returns all its rows."""
        ...

    async def fetchrow(self, query: LiteralString, *args: object) -> Row | None:
        """Run a statement; returns its first row, None without any."""
        ...

    async def fetchval(self, query: LiteralString, *args: object) -> Any:
        """The first column of the first row."""
        ...


class Model(Connection, Protocol):
    """A read model as handlers write it: the one that serves, or one that is built anew, where rows of many records go together."""

    async def write(self, query: LiteralString, *row: object) -> bool:
        """Write a row by a statement on many, whose parameters are columns (arrays); True when something came of it.

        The row's first value names it: the statement returns the names of the rows that it wrote.
        """
        ...

    async def work_out(self, function: Callable[..., T], *args: object) -> T:
        """What a function of a module makes of values: here and now, or in another process while a model is built."""
        ...


class ServingModel:
    """The read model that serves, in the transaction of the batch: each row is written at once."""

    __slots__ = ("execute", "fetch", "fetchrow", "fetchval")

    def __init__(self, conn: Connection) -> None:
        """Take the connection on which the transaction is open."""
        self.execute, self.fetch, self.fetchrow, self.fetchval = conn.execute, conn.fetch, conn.fetchrow, conn.fetchval

    async def write(self, query: LiteralString, *row: object) -> bool:
        """Write it at once and alone."""
        return await self.fetchrow(query, *([value] for value in row)) is not None

    async def work_out(self, function: Callable[..., T], *args: object) -> T:
        """Call it here and now."""
        return function(*args)


class SlowInTransactionWarning(RuntimeWarning):
    """Slow work began while a transaction was open: whoever waits for its rows or its connection waits for that too."""


_open: ContextVar[bool] = ContextVar("transaction_open", default=False)


def outside_transaction(work: str) -> None:
    """Warn when the caller has a transaction open; tests take warnings for errors."""
    if _open.get():
        warnings.warn(f"{work} with a transaction open", SlowInTransactionWarning, stacklevel=3)


_afterwards: ContextVar[list[Callable[[], None]] | None] = ContextVar("after_commit", default=None)


def after_commit(step: Callable[[], None]) -> None:
    """Do something small when the transaction that is open here is committed, and nothing when it is not."""
    steps = _afterwards.get()
    if steps is not None:
        steps.append(step)


async def _keep(_conn: object) -> None:
    """Nothing to reset: sessions of the pool change no settings and take no session locks. Saves a round trip."""


async def _to_its_end(step: Coroutine[Any, Any, None]) -> None:
    """Await a step; a cancellation meanwhile comes through when the step, and so the connection, is done."""
    task = asyncio.ensure_future(step)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _is_gone(conn: Connection) -> bool:
    try:
        return cast("asyncpg.Connection", conn).is_closed()
    except asyncpg.InterfaceError:
        # The server cut it while nobody spoke: the pool has taken it back already.
        return True


def affected(tag: str) -> int:
    """How many rows a command tag reports: `UPDATE 3` -> 3."""
    return int(tag.rsplit(" ", 1)[-1])


class Database:
    """A pool. `listeners` are set after every commit."""

    def __init__(self, settings: Settings, application: str, patience_s: int = 10) -> None:
        """Prepare only; `open` connects. No statement runs longer than the patience."""
        self._patience_s = patience_s
        self._settings = settings
        self._application = application
        self._pool: asyncpg.Pool | None = None
        self.listeners: list[asyncio.Event] = []

    async def open(self) -> None:
        """Connect; waits as long as the server takes to come up."""
        while self._pool is None:
            try:
                self._pool = await asyncpg.create_pool(
                    self._settings.database_url.get_secret_value(),
                    min_size=2,
                    max_size=self._settings.pool_size,
                    reset=_keep,
                    timeout=5,
                    command_timeout=self._patience_s,
                    server_settings={
                        "application_name": self._application,
                        "statement_timeout": f"{self._patience_s}s",
                        "lock_timeout": "5s",
                        "idle_in_transaction_session_timeout": "30s",
                    },
                )
            except INFRASTRUCTURE_ERRORS:
                await asyncio.sleep(0.5)

    async def close(self) -> None:
        """Close the pool; connections that do not end within 5 s are cut."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                async with asyncio.timeout(5):
                    await pool.close()
            except TimeoutError:
                pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for reading, each statement on its own."""
        if self._pool is None:
            message = "the pool is closed"
            raise asyncpg.InterfaceError(message)
        asked = time.perf_counter()
        async with self._pool.acquire(timeout=5) as conn:
            metrics.POOL_ACQUIRE.observe(time.perf_counter() - asked)
            metrics.POOL_SIZE.set(self._pool.get_size())
            metrics.POOL_IN_USE.set(self._pool.get_size() - self._pool.get_idle_size())
            yield cast("Connection", conn)

    @asynccontextmanager
    async def connection_within(self, seconds: float) -> AsyncIterator[Connection]:
        """A connection for reading, everything done with it under one deadline: TimeoutError when it is missed."""
        async with asyncio.timeout(seconds), self.connection() as conn:
            try:
                yield conn
            except asyncio.CancelledError:
                # A server that hangs answers no cancellation either: cut, so that nobody waits for this one again.
                cast("asyncpg.Connection", conn).terminate()
                raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction: committed when the block ends well, rolled back otherwise; listeners woken after commit."""
        async with self.connection() as conn:
            transaction = cast("asyncpg.Connection", conn).transaction()
            await transaction.start()
            was_open = _open.get()
            _open.set(True)
            steps: list[Callable[[], None]] = []
            before = _afterwards.get()
            _afterwards.set(steps)
            try:
                yield conn
            except BaseException:
                # A dead connection has rolled back by itself.
                if not _is_gone(conn):
                    await _to_its_end(transaction.rollback())
                raise
            finally:
                _open.set(was_open)
                _afterwards.set(before)
            # A cancelled request must not leave it unknown whether the commit ran.
            await _to_its_end(transaction.commit())
        for step in steps:
            step()
        for listener in self.listeners:
            listener.set()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """A connection that from its first statement on sees everything as of one moment, however long it looks."""
        async with (
            self.connection() as conn,
            cast("asyncpg.Connection", conn).transaction(isolation="repeatable_read", readonly=True),
        ):
            await conn.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield conn

    async def dedicated(self, command_timeout: float = 10) -> asyncpg.Connection:
        """A connection outside the pool, whose session locks outlive transactions; the caller closes it."""
        return await asyncpg.connect(
            self._settings.database_url.get_secret_value(),
            timeout=5,
            command_timeout=command_timeout,
            server_settings={"application_name": f"{self._application}-session"},
        )
