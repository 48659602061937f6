"""Handlers run together: each statement once for all that want it, in order where it matters, and to the end."""

import asyncio
from collections.abc import AsyncIterator, Generator, Sequence
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from services.kit.rebuild import Helpers
from services.kit.rebuild.together import BuiltModel, LearntKeys, Nowhere, Work, run_together
from services.kit.shred import KeyMissingError

UPSERT = """
INSERT INTO seat AS s (name, version, who) SELECT * FROM unnest($1::text[], $2::int[], $3::text[])
ON CONFLICT (name) DO UPDATE SET version = excluded.version, who = excluded.who WHERE excluded.version > s.version
RETURNING name
"""
FREE = "DELETE FROM seat WHERE name = ANY($1::text[]) RETURNING name"


@pytest_asyncio.fixture
async def session(admin: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """A session with a table of seats."""
    await admin.execute("CREATE TEMPORARY TABLE seat (name text PRIMARY KEY, version int, who text)")
    yield admin
    await admin.execute("DROP TABLE seat")


async def seats(session: asyncpg.Connection) -> list[tuple[Any, ...]]:
    return [tuple(r) for r in await session.fetch("SELECT name, version, who FROM seat ORDER BY name")]


async def run(session: asyncpg.Connection, works: Sequence[Work]) -> list[str]:
    """The writing statements that it took, by their first words; the driver looks up types by others."""
    said: list[str] = []
    with session.query_logger(lambda record: said.append(record.query.split()[0])):
        await run_together(session, Helpers(0), works)
        # The driver tells of them one turn later.
        await asyncio.sleep(0)
    return [word for word in said if word in {"INSERT", "DELETE"}]


async def test_a_hundred_handlers_take_as_many_statements_as_one(session: asyncpg.Connection) -> None:
    model, told = BuiltModel(session), []

    async def sit_and_go(n: int) -> None:
        told.append(await model.write(UPSERT, f"s{n:03}", 1, "a"))
        if n % 2:
            told.append(await model.write(FREE, f"s{n:03}"))

    assert await run(session, [sit_and_go(n) for n in range(100)]) == ["INSERT", "DELETE"]
    assert told == [True] * 150
    assert [name for name, *_ in await seats(session)] == [f"s{n:03}" for n in range(0, 100, 2)]


async def test_each_learns_what_came_of_its_own_row(session: asyncpg.Connection) -> None:
    await session.execute("INSERT INTO seat VALUES ('taken', 5, 'first')")
    model, told = BuiltModel(session), {}

    async def sit(name: str, version: int) -> None:
        told[name] = await model.write(UPSERT, name, version, "late")

    assert await run(session, [sit("free", 1), sit("taken", 4)]) == ["INSERT"]
    assert told == {"free": True, "taken": False}
    assert await seats(session) == [("free", 1, "late"), ("taken", 5, "first")]


async def test_two_that_want_the_same_row_have_it_one_after_the_other(session: asyncpg.Connection) -> None:
    model, told = BuiltModel(session), []

    async def sit(version: int, who: str) -> None:
        told.append((who, await model.write(UPSERT, "s", version, who)))

    works = [sit(2, "first"), sit(1, "stale"), sit(3, "newest"), sit(3, "again")]
    assert await run(session, works) == ["INSERT"] * 4
    assert told == [("first", True), ("stale", False), ("newest", True), ("again", False)]
    assert await seats(session) == [("s", 3, "newest")]


async def test_what_a_handler_asks_alone_is_answered_to_it(session: asyncpg.Connection) -> None:
    model, told = BuiltModel(session), []

    async def count(who: str) -> None:
        await model.write(UPSERT, who, 1, who)
        assert await model.execute("UPDATE seat SET version = 7 WHERE name = $1", who) == "UPDATE 1"
        row = await model.fetchrow("SELECT who, version FROM seat WHERE name = $1", who)
        assert row is not None
        told.append((row["who"], row["version"], await model.fetchval("SELECT $1::text", who)))
        assert len(await model.fetch("SELECT FROM seat")) == 2

    await run(session, [count("a"), count("b")])
    assert told == [("a", 7, "a"), ("b", 7, "b")]


async def test_what_is_worked_out_comes_back_and_so_does_its_error(session: asyncpg.Connection) -> None:
    model, told = BuiltModel(session), []

    async def divide(by: int) -> None:
        try:
            told.append(await model.work_out(divmod, 7, by))
        except ZeroDivisionError as error:
            told.append(str(error))
        assert await model.write(UPSERT, f"s{by}", by, "a")

    assert await run(session, [divide(2), divide(0)]) == ["INSERT"]
    assert told[0] == (3, 1)
    assert "by zero" in str(told[1])


async def test_a_handler_may_wait_for_a_thread_or_let_others_go_first(session: asyncpg.Connection) -> None:
    model, told = BuiltModel(session), []

    async def wait(name: str) -> None:
        told.append(await asyncio.to_thread(lambda: name * 2))
        await asyncio.sleep(0)
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        await model.write(UPSERT, name, 1, "a")

    assert await run(session, [wait("a"), wait("b")]) == ["INSERT"]
    assert told == ["aa", "bb"]


async def test_what_the_database_refuses_ends_all_of_them(session: asyncpg.Connection) -> None:
    model, ended = BuiltModel(session), []

    async def sit(name: str, version: object) -> None:
        try:
            await model.write(UPSERT, name, version, "a")
        finally:
            ended.append(name)

    with pytest.raises(asyncpg.DataError):
        await run(session, [sit("a", 1), sit("b", "many")])
    assert ended == ["a", "b"]


async def test_a_handler_that_waits_for_what_nobody_gives_is_refused(session: asyncpg.Connection) -> None:
    class Never:
        def __await__(self) -> Generator[str, None, None]:
            yield "a word"

    async def wait() -> None:
        await Never()

    with pytest.raises(TypeError, match="waits for 'a word'"):
        await run(session, [wait()])


async def test_an_error_of_a_handler_comes_out(session: asyncpg.Connection) -> None:
    async def fail() -> None:
        await BuiltModel(session).write(UPSERT, "a", 1, "a")
        message = "nobody sits here"
        raise ValueError(message)

    with pytest.raises(ValueError, match="nobody sits here"):
        await run(session, [fail()])


async def test_nowhere_nothing_is_and_nothing_changes() -> None:
    conn = Nowhere()
    assert await conn.execute("DELETE FROM event") == "NOTHING 0"
    assert await conn.fetch("SELECT 1") == []
    assert await conn.fetchrow("SELECT 1") is None
    told: list[object] = [await conn.fetchval("SELECT 1")]  # type: ignore[func-returns-value] # that is what it is for
    assert told == [None]


async def test_a_key_that_was_destroyed_opens_nothing_behind_that_and_one_that_nobody_knows_is_missing() -> None:
    keys = LearntKeys({"d1": "a2V5", "d2": None})
    assert (await keys.find("d1"), await keys.find("d2")) == ("a2V5", None)
    await keys.destroy("d1")
    assert await keys.find("d1") is None
    with pytest.raises(KeyMissingError, match="d3"):
        await keys.find("d3")
