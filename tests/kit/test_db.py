"""Transactions that are cancelled: their end is known, and their connection is as good as before."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

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
