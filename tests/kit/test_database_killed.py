"""PostgreSQL killed with all its children, in the middle of relaying and consuming."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.postgres import DATABASE, Postgres
from services.contracts.disclosure import DisclosureConfirmed
from services.kit.consumer import Handling, PartitionedConsumer
from tests.conftest import Parts
from tests.kit.ground import Ground, lay, on_confirmed, running, say_many, settle, until
from tests.kit.outage import lost
from tests.kit.unguarded import OffsetFirst

AGGREGATES = [f"d{n}" for n in range(10)]


def _reachable(home: Path) -> Path:
    """The server runs as another user when we are root."""
    home.chmod(0o711)
    return home


@pytest_asyncio.fixture(scope="module")
async def mortal(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Postgres]:
    """A server that may be killed."""
    home = _reachable(tmp_path_factory.mktemp("mortal"))
    async with Postgres(home) as pg:
        await lay(pg, DATABASE)
        yield pg


@pytest.mark.parametrize("guarded", [True, False])
async def test_effects_are_made_once_across_kills_of_the_database(
    parts: Parts, mortal: Postgres, *, guarded: bool
) -> None:
    prefix = f"mortal-{guarded}."
    ground = Ground(mortal, parts.kafka, DATABASE, prefix, mortal.home.path)
    await ground.admin("TRUNCATE publish.effect, ingest.aggregate, publish.aggregate_seen, publish.consumer_offset")
    await ground.create()
    in_batch, dead = asyncio.Event(), asyncio.Event()

    async def held_up(handling: Handling, event: DisclosureConfirmed) -> None:
        await on_confirmed(handling, event)
        if event.aggregate_version % 20 == 10:
            # In the middle of a batch, until the server is gone.
            in_batch.set()
            await dead.wait()

    kind = PartitionedConsumer if guarded else OffsetFirst
    hearer = await ground.consumer(kind, project={DisclosureConfirmed: held_up})
    database = await ground.open("ingest")
    async with running(hearer, await ground.relay()):
        for _ in range(2):
            in_batch.clear()
            dead.clear()
            await say_many(database, AGGREGATES, 20)
            await asyncio.wait_for(in_batch.wait(), 30)
            async with lost(mortal):
                dead.set()
                await asyncio.sleep(0.5)
        await until(ground.nothing_waits)
        effects = await settle(ground, 400 if guarded else 1)
    for database in ground.opened:
        await database.close()
    once = {name: [v for n, v in effects if n == name] for name in AGGREGATES}
    assert (once == {name: list(range(1, 41)) for name in AGGREGATES}) is guarded
