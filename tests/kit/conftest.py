"""Ground for the fault tests: one database for all of them, emptied before each, a topic prefix each."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Final

import asyncpg
import pytest
import pytest_asyncio

from deploy.local.kafka import Kafka
from deploy.local.postgres import Postgres
from tests.conftest import Parts
from tests.kit.ground import KIT_TABLES, OWNERS, Ground, lay
from tests.kit.outage import (
    Movable,
    Outages,
    Outcome,
    Scene,
    elsewhere,
    hanging,
    no_database,
    refused,
    second_port,
)

_numbers = itertools.count(1)
DATABASE: Final = "kit_tests"
_SLOW: Final = "test_broker_away.py"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Ask for the end of the outage last: its minute passes beside the other tests of this folder."""
    if hasattr(config, "workerinput"):
        return
    mine = [i for i, item in enumerate(items) if item.path.parent.name == "kit"]
    ordered = sorted((items[i] for i in mine), key=lambda item: item.path.name == _SLOW)
    for place, item in zip(mine, ordered, strict=True):
        items[place] = item


@pytest_asyncio.fixture(scope="session")
async def laid(parts: Parts) -> Parts:
    """The shared parts with this folder's database, and Kafka."""
    await parts.start_kafka()
    await parts.pg.copy_database(DATABASE)
    await lay(parts.pg, DATABASE)
    return parts


@pytest_asyncio.fixture(scope="session")
async def outages(laid: Parts, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outages]:
    """Two brokers and a database server of their own, away for more than a minute from the first test that asks."""
    homes = [tmp_path_factory.mktemp(name) for name in ("broker", "movable", "mortal")]
    # PostgreSQL runs as another user when we are root.
    homes[2].chmod(0o711)
    async with Kafka(homes[0]) as broker, Movable(homes[1]) as movable, Postgres(homes[2]) as mortal:
        databases = [f"kit_outage_{n}" for n in range(9)]
        for pg, names in ((laid.pg, databases[:7]), (mortal, databases[7:])):
            for name in names:
                await pg.copy_database(name)
                await lay(pg, name)

        def ground(n: int, kafka: Kafka, prefix: str, servers: str | None = None) -> Ground:
            pg = laid.pg if n < 7 else mortal
            return Ground(pg, kafka, databases[n], prefix, laid.home, servers)

        def scene(kafka: Kafka, prefix: str, numbers: tuple[int, int, int], servers: str | None = None) -> Scene:
            return Scene(*(ground(n, kafka, prefix, servers) for n in numbers))

        first, port = movable.address, second_port(movable)
        scenes = [
            scene(broker, "refused.", (0, 0, 1)),
            scene(movable, "hanging.", (2, 2, 3), first),
            scene(movable, "moved.", (4, 4, 5), f"{first},127.0.0.1:{port}"),
            scene(laid.kafka, "nodatabase.", (6, 7, 8)),
        ]
        hung = asyncio.create_task(hanging(scenes[1], movable))

        async def then_moved() -> Outcome:
            await asyncio.wait([hung])
            return await elsewhere(scenes[2], movable, port)

        tasks = (
            asyncio.create_task(refused(scenes[0], broker)),
            hung,
            asyncio.create_task(then_moved()),
            asyncio.create_task(no_database(scenes[3], mortal)),
        )
        short = (ground(0, broker, "short."), ground(2, broker, "frozen."))
        yield Outages(*tasks, broker, short)
        await asyncio.wait(tasks)
        for one in (*(g for s in scenes for g in s.grounds), *short):
            for database in one.opened:
                await database.close()


@pytest.fixture
def _begin_outage(request: pytest.FixtureRequest) -> None:
    """Let the minute begin when somebody will ask for its end: of several processes, the one that does asks itself."""
    if not hasattr(request.config, "workerinput") and any(item.path.name == _SLOW for item in request.session.items):
        request.getfixturevalue("outages")


@pytest_asyncio.fixture
async def ground(laid: Parts, _begin_outage: None) -> AsyncIterator[Ground]:
    """A test's own ground."""
    conn = await asyncpg.connect(laid.pg.dsn("sanwu_admin", database=DATABASE))
    tables = ", ".join(["publish.effect", *(f"{o}.{t}" for o in OWNERS for t in KIT_TABLES)])
    await conn.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    await conn.close()
    ground = Ground(laid.pg, laid.kafka, DATABASE, f"kit{next(_numbers)}.", laid.home)
    yield ground
    for database in ground.opened:
        await database.close()
