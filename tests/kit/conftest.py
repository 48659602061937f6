"""Ground for the fault tests: one database for all of them, emptied before each, a topic prefix each."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Final

import asyncpg
import pytest
import pytest_asyncio

from deploy.local.kafka import Kafka
from tests.conftest import Parts
from tests.kit.ground import KIT_TABLES, OWNERS, Ground, lay
from tests.kit.outage import Outage, live_through

_numbers = itertools.count(1)
DATABASE: Final = "kit_tests"
OUTAGE_DATABASE: Final = "kit_tests_outage"
_SLOW: Final = "test_broker_away.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ask for the end of the outage last: its minute passes beside the other tests of this folder."""
    mine = [i for i, item in enumerate(items) if item.path.parent.name == "kit"]
    ordered = sorted((items[i] for i in mine), key=lambda item: item.path.name == _SLOW)
    for place, item in zip(mine, ordered, strict=True):
        items[place] = item


@pytest_asyncio.fixture(scope="session")
async def laid(parts: Parts) -> Parts:
    """The shared parts with this folder's databases."""
    for name in (DATABASE, OUTAGE_DATABASE):
        await parts.pg.copy_database(name)
        await lay(parts.pg, name)
    return parts


@pytest_asyncio.fixture(scope="session")
async def outage(laid: Parts, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outage]:
    """A broker of its own, away for a minute from the first test that asks."""
    async with Kafka(tmp_path_factory.mktemp("broker")) as broker:
        ground = Ground(laid.pg, broker.bootstrap, OUTAGE_DATABASE, "", laid.home)
        task = asyncio.create_task(live_through(ground, broker, seconds=60, guarded=True))
        yield Outage(ground, broker, task)
        await asyncio.wait([task])
        for database in ground.opened:
            await database.close()


@pytest.fixture
def _begin_outage(request: pytest.FixtureRequest) -> None:
    """Let the minute begin when somebody will ask for its end."""
    if any(item.path.name == _SLOW for item in request.session.items):
        request.getfixturevalue("outage")


@pytest_asyncio.fixture
async def ground(laid: Parts, _begin_outage: None) -> AsyncIterator[Ground]:
    """A test's own ground."""
    conn = await asyncpg.connect(laid.pg.dsn("sanwu_admin", database=DATABASE))
    tables = ", ".join(["publish.effect", *(f"{o}.{t}" for o in OWNERS for t in KIT_TABLES)])
    await conn.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    await conn.close()
    ground = Ground(laid.pg, laid.kafka.bootstrap, DATABASE, f"kit{next(_numbers)}.", laid.home)
    yield ground
    for database in ground.opened:
        await database.close()
