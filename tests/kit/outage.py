"""A broker that is killed and stays away, on a database of its own, so that its minute passes beside other tests."""

import asyncio
from dataclasses import dataclass
from typing import Final

from deploy.local.kafka import Kafka
from services.contracts.topics import DISCLOSURES
from services.kit.relay import RelayGuards
from tests.kit.ground import Ground, running, say_many, until

AGGREGATES: Final = [f"d{n}" for n in range(20)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said, what waited when the broker came back, what the topic holds in the end, each record once."""

    said: set[str]
    waited: int
    sent: set[str]
    versions: dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class Outage:
    """A minute without a broker, under way."""

    ground: Ground
    broker: Kafka
    task: asyncio.Task[Outcome]


async def live_through(ground: Ground, broker: Kafka, *, seconds: float, guarded: bool) -> Outcome:
    """Relay 20 events, kill the broker, submit 200 more, wait, start it again, submit 20 more."""
    await ground.admin("TRUNCATE ingest.aggregate, ingest.event, ingest.outbox")
    ground.prefix = f"away-{guarded}."
    await ground.create()
    database = await ground.open("ingest")
    async with running(await ground.relay(guards=RelayGuards(delete_after_ack=guarded))):
        said = await say_many(database, AGGREGATES, 1)
        await until(ground.nothing_waits)
        await broker.kill()
        away = asyncio.create_task(asyncio.sleep(seconds))
        said += await say_many(database, AGGREGATES, 10)
        await away
        if not guarded:
            # The relay deletes batch by batch, each behind the deadline of the one before.
            await until(ground.nothing_waits)
        waited = await ground.waiting()
        await broker.start()
        said += await say_many(database, AGGREGATES, 1)
        await until(ground.nothing_waits, 60)
    once = {dict(r.headers)["id"].decode(): dict(r.headers) for r in await ground.log(DISCLOSURES)}
    versions: dict[str, list[int]] = {name: [] for name in AGGREGATES}
    for headers in once.values():
        versions[headers["aggregate_id"].decode()].append(int(headers["aggregate_version"]))
    return Outcome(set(said), waited, set(once), versions)
