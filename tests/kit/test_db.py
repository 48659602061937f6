"""Transactions: cancelled ones have a known end and leave a good connection; slow work in an open one is seen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from services.kit.db import SlowInTransactionWarning, after_commit, outside_transaction
from services.kit.errors import ConflictError
from services.kit.limited import Limits, run_limited
from services.kit.objects import Objects
from tests.kit.ground import Ground, confirmed, leave

SLOW_COMMIT = """
CREATE FUNCTION publish.commit_slowly() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END $$;
CREATE CONSTRAINT TRIGGER commit_slowly AFTER INSERT ON publish.effect
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION publish.commit_slowly();
"""
FAST_AGAIN = "DROP TRIGGER commit_slowly ON publish.effect; DROP FUNCTION publish.commit_slowly"


@pytest_asyncio.fixture
async def slow_commit(ground: Ground) -> AsyncIterator[None]:
    conn = await asyncpg.connect(ground.pg.dsn("sanwu_admin", database=ground.database))
    await conn.execute(SLOW_COMMIT)
    yield
    await conn.execute(FAST_AGAIN)
    await conn.close()


@pytest.mark.parametrize("after", [0.1, 0.3])
async def test_transaction_cancelled_while_it_commits_is_committed(
    ground: Ground, slow_commit: None, *, after: float
) -> None:
    database = await ground.open("publish", pool_size=2)

    async def write() -> None:
        async with database.transaction() as conn:
            await leave(conn, confirmed("d1", 1))

    task = asyncio.create_task(write())
    await asyncio.sleep(after)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await ground.effects() == [("d1", 1)]


async def test_transaction_cancelled_before_its_end_leaves_nothing_and_a_good_connection(ground: Ground) -> None:
    database = await ground.open("publish", pool_size=2)

    async def write() -> None:
        async with database.transaction() as conn:
            await leave(conn, confirmed("d1", 1))
            await conn.execute("SELECT pg_sleep(5)")

    for _ in range(6):
        task = asyncio.create_task(write())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with database.transaction() as conn:
        await leave(conn, confirmed("d2", 1))
    assert await ground.effects() == [("d2", 1)]


SLOW: dict[str, Callable[[Objects], Awaitable[object]]] = {
    "a file written": lambda objects: objects.put(b"%PDF-"),
    "a file read": lambda objects: objects.get("0" * 64),
    "a file removed": lambda objects: objects.delete("0" * 64),
    "another process": lambda _: run_limited("tests.ingest.sleeper", b"0", Limits(5, 512, 9), who="a"),
}


@pytest.mark.parametrize("work", SLOW)
async def test_slow_work_in_an_open_transaction_is_seen_and_before_or_after_it_is_not(
    ground: Ground, tmp_path: Path, work: str
) -> None:
    database, objects = await ground.open("publish", pool_size=2), Objects(tmp_path, None)
    async with database.transaction():
        with pytest.raises(SlowInTransactionWarning, match=f"{work} with a transaction open"):
            await SLOW[work](objects)
    if work != "another process":
        await SLOW[work](objects)
    async with database.connection() as conn:
        await conn.fetchval("SELECT 1")
        outside_transaction(work)


async def test_a_transaction_that_failed_or_stands_in_another_task_is_not_ones_own(ground: Ground) -> None:
    database = await ground.open("publish", pool_size=4)
    begun, done = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with database.transaction():
            begun.set()
            await done.wait()

    holding = asyncio.create_task(hold())
    await begun.wait()
    outside_transaction("work beside somebody else's transaction")
    done.set()
    await holding
    with pytest.raises(ZeroDivisionError):
        async with database.transaction():
            1 / 0  # noqa: B018 - the error is the point
    outside_transaction("work after a transaction that failed")
    async with database.transaction():
        async with database.transaction():
            pass
        with pytest.raises(SlowInTransactionWarning):
            outside_transaction("work after an inner one")


async def test_what_went_wrong_is_told_though_the_server_cut_the_connection_before(ground: Ground) -> None:
    database = await ground.open("publish", pool_size=2)

    async def fail() -> None:
        async with database.transaction() as conn:
            await ground.admin(f"SELECT pg_terminate_backend({await conn.fetchval('SELECT pg_backend_pid()')})")
            await asyncio.sleep(0.3)
            raise ConflictError

    with pytest.raises(ConflictError):
        await fail()
    async with database.transaction() as conn:
        assert await conn.fetchval("SELECT 1") == 1


async def test_a_snapshot_is_of_its_first_look_and_changes_nothing(ground: Ground) -> None:
    database = await ground.open("publish")
    count = "SELECT count(*) FROM aggregate"
    add = "INSERT INTO aggregate (aggregate, aggregate_id, version) VALUES ('a', $1, 1)"
    async with database.snapshot() as conn:
        async with database.connection() as other:
            await other.execute(add, "before the first look")
        seen = await conn.fetchval(count)
        async with database.connection() as other:
            await other.execute(add, "behind it")
            assert await other.fetchval(count) == seen + 1
        assert await conn.fetchval(count) == seen
        assert await conn.fetchval("SELECT 1 FROM aggregate WHERE aggregate_id = 'before the first look'") == 1
        assert await conn.fetchval("SHOW idle_in_transaction_session_timeout") == "0"
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await conn.execute(add, "by it")
    async with database.connection() as conn:
        assert await conn.fetchval("SHOW idle_in_transaction_session_timeout") == "30s"


async def test_what_is_to_be_done_after_the_commit_is_done_then_and_never_without_one(ground: Ground) -> None:
    database = await ground.open("publish")
    done: list[str] = []

    async def fail() -> None:
        async with database.transaction():
            after_commit(lambda: done.append("rolled back"))
            raise ConflictError

    async with database.transaction():
        after_commit(lambda: done.append("committed"))
        assert done == []
    assert done == ["committed"]
    with pytest.raises(ConflictError):
        await fail()
    after_commit(lambda: done.append("without one"))
    async with database.transaction():
        pass
    assert done == ["committed"]
