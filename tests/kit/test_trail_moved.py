"""A city of before, whose services owned their trails: they are moved as they stand, and every link still holds."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
import pytest_asyncio

from services.kit import actions, trail
from tests import builders
from tests.conftest import Parts, Place, open_on
from tests.trails import lay_trail

#: What migrations 0004 and 0011 had made.
AS_BEFORE = """
ALTER TABLE ingest_trail.action DROP COLUMN address, DROP COLUMN refused, DROP COLUMN times;
ALTER TABLE ingest_trail.action SET SCHEMA ingest;
ALTER TABLE ingest_trail.action_chain SET SCHEMA ingest;
ALTER TABLE ingest.action OWNER TO ingest;
ALTER TABLE ingest.action_chain OWNER TO ingest;
DROP SCHEMA ingest_trail CASCADE;
"""
INSERT = """
INSERT INTO ingest.action
    (happened_at, actor_id, actor_role, actor_scope, action, object, village_code, request_id, position, link)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
ROWS = 5


@pytest_asyncio.fixture(scope="module")
async def before(parts: Parts) -> AsyncIterator[Place]:
    """A database as the last release left it, with chained rows and one that waits."""
    name = "trail_of_before"
    await parts.pg.copy_database(name)
    conn = await asyncpg.connect(parts.pg.dsn("sanwu_admin", database=name))
    # Functions name the tables by their types.
    await conn.execute("DROP FUNCTION ingest_trail.link_of CASCADE; DROP FUNCTION ingest_trail.hold_chain CASCADE")
    await conn.execute(AS_BEFORE)
    link = bytes(32)
    for n in range(1, ROWS + 1):
        at = builders.NOW + timedelta(minutes=n)
        said = ("s-1", "clerk", builders.VILLAGE, f"POST /x/{n}", f"thing/{n}", None, "r")
        row = actions.Action(n, at, *said, None, None, None, n, None)
        link = row.linked(n, link)
        await conn.execute(INSERT, at, *said, n, link)
    await conn.execute(INSERT, builders.NOW, *said, None, None)
    await conn.execute("UPDATE ingest.action_chain SET head_position = $1, head_link = $2", ROWS, link)
    yield Place(parts, name, f"{name}.")
    await conn.close()


async def test_a_trail_of_before_is_moved_with_every_link_and_goes_on(before: Place) -> None:
    conn = await asyncpg.connect(before.parts.pg.dsn("sanwu_admin", database=before.database))
    links = await conn.fetch("SELECT id, position, link FROM ingest.action ORDER BY id")
    for _ in range(2):
        # At every start.
        await lay_trail(conn)
    moved = await conn.fetch("SELECT id, position, link FROM ingest_trail.action ORDER BY id")
    assert moved == links
    assert await conn.fetchval("SELECT to_regclass('ingest.action')") is None
    served = await open_on(before, "ingest", {})
    async with served.runtime.database.transaction() as own:
        await actions.record(own, actions.Who("s-2", "clerk", None), "POST /new", builders.NOW)
    await trail.link(served.runtime)
    chain, broken = await trail.verify(served.runtime)
    assert (chain.head_position, broken) == (ROWS + 2, None)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with served.runtime.database.transaction() as own:
            await own.execute("DELETE FROM action")
    await served.client.aclose()
    await served.runtime.database.close()
    await conn.close()
