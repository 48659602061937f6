"""Handlers of many records under way at the same time, so that what they write goes together.

Each chain of records is a coroutine that is driven from here: it runs until it wants something of the model. When all of
them want something, each statement is run once, for the rows of all that want it; then they go on with their answers. So
handlers and statements are those of the consumer, and a batch costs as many round trips as its longest chain has steps.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, LiteralString, Self, TypeVar

import asyncpg

from services.kit.db import Row
from services.kit.rebuild.helpers import FAILED, Call, Helpers
from services.kit.shred import KeyMissingError

Work = Coroutine[Any, Any, None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class _Write:
    """A row to be written; the answer is whether something came of it."""

    query: LiteralString
    row: tuple[object, ...]

    def __await__(self) -> Generator[Self, bool, bool]:
        return (yield self)


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """Work on values; the answer is what the function makes of them, or FAILED."""

    call: Call

    def __await__(self) -> Generator[Self, Any, Any]:
        return (yield self)


@dataclass(frozen=True, slots=True, eq=False)
class _Statement:
    """A statement of one handler alone; the answer is what it gives."""

    run: Callable[[], Awaitable[object]]

    def __await__(self) -> Generator[Self, Any, Any]:
        return (yield self)


class BuiltModel:
    """The read model that is built, for handlers that are run together."""

    def __init__(self, session: asyncpg.Connection) -> None:
        """Take a session that sees the new model and nothing else."""
        self._session = session

    async def write(self, query: LiteralString, *row: object) -> bool:
        """Wait until the others have something to write too."""
        return await _Write(query, row)

    async def work_out(self, function: Callable[..., T], *args: object) -> T:
        """Wait until the others have something to work out too."""
        answer: T = await _Call((function, args))
        # Again where the error can be raised.
        return function(*args) if answer == FAILED else answer

    async def execute(self, query: LiteralString, *args: object) -> str:
        """Run a statement for this handler alone; returns its command tag."""
        tag: str = await _Statement(partial(self._session.execute, query, *args))
        return tag

    async def fetch(self, query: LiteralString, *args: object) -> list[Row]:
        """All rows, for this handler alone."""
        rows: list[Row] = await _Statement(partial(self._session.fetch, query, *args))
        return rows

    async def fetchrow(self, query: LiteralString, *args: object) -> Row | None:
        """The first row, for this handler alone."""
        row: Row | None = await _Statement(partial(self._session.fetchrow, query, *args))
        return row

    async def fetchval(self, query: LiteralString, *args: object) -> object:
        """The first column of the first row, for this handler alone."""
        return await _Statement(partial(self._session.fetchval, query, *args))


class Nowhere:
    """What a service owns beside its read model, as a rebuild's handlers see it: nothing is there, nothing is changed."""

    async def execute(self, _query: LiteralString, *_args: object) -> str:
        """Nothing is there to change."""
        return "NOTHING 0"

    async def fetch(self, _query: LiteralString, *_args: object) -> list[Row]:
        """There are no rows here."""
        return []

    async def fetchrow(self, _query: LiteralString, *_args: object) -> Row | None:
        """There is no row here."""
        return None

    async def fetchval(self, _query: LiteralString, *_args: object) -> None:
        """There is no value here."""


class LearntKeys:
    """Keys that were read for a whole batch. They are destroyed in this copy alone: the serving model's consumer did."""

    def __init__(self, known: dict[str, str | None]) -> None:
        """Take the keys by aggregate, None for the shredded."""
        self._known = known

    async def find(self, aggregate_id: str) -> str | None:
        """Look it up in what was learnt."""
        if aggregate_id not in self._known:
            raise KeyMissingError(aggregate_id)
        return self._known[aggregate_id]

    async def destroy(self, aggregate_id: str) -> None:
        """For those that come behind in this batch; the next one reads the tombstone."""
        self._known[aggregate_id] = None


async def run_together(session: asyncpg.Connection, helpers: Helpers, works: Iterable[Work]) -> None:
    """Drive works to their ends. What the database raises ends them all; a work must keep its other errors to itself."""
    going = list(works)
    try:
        wishes = _go_on((work, None) for work in going)
        while wishes:
            wishes = await _grant(session, helpers, wishes)
    finally:
        for work in going:
            work.close()


def _go_on(answered: Iterable[tuple[Work, object]]) -> list[tuple[Work, object]]:
    """Let works go on with their answers; what those that have not ended want next."""
    wishes = []
    for work, answer in answered:
        with contextlib.suppress(StopIteration):
            wishes.append((work, work.send(answer)))
    return wishes


async def _write(
    session: asyncpg.Connection, query: LiteralString, of: Mapping[object, tuple[Work, _Write]]
) -> list[tuple[Work, object]]:
    """Write rows of one statement, by their names; who learns that something came of its own."""
    rows = await session.fetch(query, *zip(*(wish.row for _, wish in of.values()), strict=True))
    written = {row[0] for row in rows}
    return [(work, name in written) for name, (work, _) in of.items()]


async def _grant(
    session: asyncpg.Connection, helpers: Helpers, wishes: list[tuple[Work, object]]
) -> list[tuple[Work, object]]:
    """Do what is wanted, rows of one statement together; what is wanted next, and what has to wait until then."""
    together: dict[LiteralString, dict[object, tuple[Work, _Write]]] = {}
    answered: list[tuple[Work, object]] = []
    calls: list[tuple[Work, Call]] = []
    waiting = []
    for work, wish in wishes:
        match wish:
            case _Write():
                # One statement writes no row twice: who comes later wants to see what the first has written.
                first = together.setdefault(wish.query, {}).setdefault(wish.row[0], (work, wish))
                if first[0] is not work:
                    waiting.append((work, wish))
            case _Call():
                calls.append((work, wish.call))
            case _Statement():
                answered.append((work, await wish.run()))
            case None:
                answered.append((work, None))
            case asyncio.Future():
                # Of a thread, or of whatever else a handler awaits.
                await asyncio.wait([wish])
                answered.append((work, None))
            case _:
                message = f"a handler waits for {wish!r}, which nobody here can give"
                raise TypeError(message)
    answers = await helpers.work_out([call for _, call in calls])
    answered += [(work, answer) for (work, _), answer in zip(calls, answers, strict=True)]
    for query, of in together.items():
        answered += await _write(session, query, of)
    return waiting + _go_on(answered)
