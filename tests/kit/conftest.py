"""Ground for the fault tests: one database for all of them, emptied before each, a topic prefix each."""

import itertools
from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from tests.conftest import Parts
from tests.kit.ground import KIT_TABLES, OWNERS, Ground, lay

_numbers = itertools.count(1)
DATABASE = "kit_tests"


@pytest_asyncio.fixture(scope="session")
async def laid(parts: Parts) -> Parts:
    """The shared parts with this folder's database."""
    await parts.pg.copy_database(DATABASE)
    await lay(parts.pg, DATABASE)
    return parts


@pytest_asyncio.fixture
async def ground(laid: Parts) -> AsyncIterator[Ground]:
    """A test's own ground."""
    conn = await asyncpg.connect(laid.pg.dsn("sanwu_admin", database=DATABASE))
    tables = ", ".join(["publish.effect", *(f"{o}.{t}" for o in OWNERS for t in KIT_TABLES)])
    await conn.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    await conn.close()
    ground = Ground(laid.pg, laid.kafka.bootstrap, DATABASE, f"kit{next(_numbers)}.", laid.home)
    yield ground
    for database in ground.opened:
        await database.close()
