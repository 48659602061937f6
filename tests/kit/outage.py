"""Outages longer than a minute, side by side: a broker that refuses, that hangs, that moves; a database that is away.

Each has databases of its own and runs in the background, so that its minute passes beside other tests. Twenty
disclosures are worked on throughout: version 1 before, 2 to 11 during the outage, 12 after it. Beside the relay and the
consumer runs a second consumer that lacks the guard in question, so that the loss is seen.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import psutil
from aiokafka import AIOKafkaConsumer

from deploy.local.home import free_port
from deploy.local.kafka import Kafka
from deploy.local.postgres import Postgres
from services.contracts.disclosure import DisclosureConfirmed
from services.contracts.topics import DISCLOSURES
from services.kit.consumer import Assignment, Handlers, Handling, PartitionedConsumer
from tests.kit.ground import Ground, on_confirmed, running, say_many, until
from tests.kit.unguarded import DeletesFirst, OffsetFirst, Unwatched

AGGREGATES: Final = [f"d{n}" for n in range(20)]
ALL: Final = {name: list(range(1, 13)) for name in AGGREGATES}
BEFORE: Final = {name: [1] for name in AGGREGATES}
#: Longer than the minute after which consumers once were gone for ever.
AWAY_S: Final = 75.0

Versions = dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said, what waited when all was back, what the log and the effects hold, what the other consumer made."""

    said: set[str]
    waited: int
    sent: set[str]
    log: Versions
    effects: Versions
    unguarded: Versions
    #: The longest that the relay and the consumer went without a beat.
    longest_s: float


@dataclass(slots=True)
class Beats:
    """Hears the beat of a role."""

    last: float = field(default_factory=time.monotonic)
    longest: float = 0.0

    def beat(self) -> None:
        now = time.monotonic()
        self.last, self.longest = now, max(self.longest, now - self.last)


@dataclass(frozen=True, slots=True)
class Scene:
    """Where an outage is lived through: who says, who hears, and who hears without the guard."""

    says: Ground
    hears: Ground
    unguarded: Ground

    @property
    def grounds(self) -> tuple[Ground, Ground, Ground]:
        return self.says, self.hears, self.unguarded


class ClosedPlainly(Assignment):
    """An assignment that ends its driver as it once did: whatever the driver cancels, it takes for its own end."""

    async def close(self) -> None:
        driver, self.driver = self.driver, None
        if driver is not None:
            # On a refused connection its fetcher is between two tries nearly always; the test wants always.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    while driver._fetcher is not None and not driver._fetcher._pending_tasks:  # noqa: ASYNC110 - see above
                        await asyncio.sleep(0.01)
            with contextlib.suppress(TimeoutError, OSError):
                async with asyncio.timeout(20):
                    await driver.stop()


class ClosesPlainly(PartitionedConsumer):
    """A consumer with such an assignment."""

    def _assign(self, driver: AIOKafkaConsumer | None) -> Assignment:
        return ClosedPlainly(driver, self._look_up)


class Movable(Kafka):
    """A broker that comes back at another port, as one does on another machine."""

    moved_to: int | None = None

    def _port_of(self, node: int) -> int:
        return self.moved_to or super()._port_of(node)


async def versions(ground: Ground) -> Versions:
    """The versions of which effects were made, by disclosure, in order."""
    found: Versions = {name: [] for name in AGGREGATES}
    for name, version in await ground.effects():
        found[name].append(version)
    return found


async def logged(ground: Ground) -> tuple[set[str], Versions]:
    """What the topic holds in the end, each record once."""
    once = {dict(r.headers)["id"].decode(): dict(r.headers) for r in await ground.log(DISCLOSURES)}
    found: Versions = {name: [] for name in AGGREGATES}
    for headers in once.values():
        found[headers["aggregate_id"].decode()].append(int(headers["aggregate_version"]))
    return set(once), found


async def live_through(
    scene: Scene,
    outage: AbstractAsyncContextManager[None],
    *,
    unguarded: type[PartitionedConsumer] = PartitionedConsumer,
    holds: "Holds | None" = None,
    seconds: float = AWAY_S,
) -> Outcome:
    """Say once, then ten times while something is away, then once more; wait until all of it was heard."""
    await scene.says.create()
    database = await scene.says.open("ingest")
    beats = (Beats(), Beats())
    relay, consumer = await scene.says.relay(), await scene.hears.consumer(project=_handlers(holds))
    relay.beat, consumer.beat = (b.beat for b in beats)
    other = await scene.unguarded.consumer(unguarded, project=_handlers(holds), group="unguarded")
    stop = asyncio.Event()
    other_task = asyncio.create_task(other.run(stop))
    async with running(relay, consumer):
        said = await say_many(database, AGGREGATES, 1)
        await until(lambda: _both_heard(scene), 90)
        if holds is not None:
            said += await say_many(database, AGGREGATES, 1)
            await asyncio.wait_for(holds.both.wait(), 60)
        async with outage:
            if holds is not None:
                holds.go_on.set()
            away = asyncio.create_task(asyncio.sleep(seconds))
            said += await say_many(database, AGGREGATES, 9 if holds is not None else 10)
            await away
            waited = await scene.says.waiting()
        said += await say_many(database, AGGREGATES, 1)
        await until(lambda: _all_heard(scene), 180)
    stop.set()
    await asyncio.wait([other_task], timeout=20)
    other_task.cancel()
    sent, log = await logged(scene.says)
    heard = await versions(scene.hears)
    return Outcome(set(said), waited, sent, log, heard, await versions(scene.unguarded), max(b.longest for b in beats))


async def _both_heard(scene: Scene) -> bool:
    return await versions(scene.hears) == await versions(scene.unguarded) == BEFORE


async def _all_heard(scene: Scene) -> bool:
    heard = await versions(scene.hears)
    return all(found and found[-1] == ALL[name][-1] for name, found in heard.items())


class Holds:
    """Keeps both consumers in the middle of a batch, a row written and not committed, until it may go on."""

    def __init__(self) -> None:
        self.both, self.go_on = asyncio.Event(), asyncio.Event()
        self._holding: set[str] = set()

    async def handle(self, handling: Handling, event: DisclosureConfirmed) -> None:
        await on_confirmed(handling, event)
        if event.aggregate_version == 2 and not self.go_on.is_set():
            self._holding.add(await handling.conn.fetchval("SELECT current_database()"))
            if len(self._holding) == 2:
                self.both.set()
            await self.go_on.wait()


def _handlers(holds: Holds | None) -> Handlers:
    return {DisclosureConfirmed: holds.handle if holds is not None else on_confirmed}


# -- what goes away -----------------------------------------------------------------------------------------------


@asynccontextmanager
async def killed(broker: Kafka) -> AsyncIterator[None]:
    """Connections are refused."""
    await broker.kill()
    yield
    await broker.start()


@asynccontextmanager
async def frozen(broker: Kafka) -> AsyncIterator[None]:
    """Connections are taken and nothing is answered on them."""
    process = psutil.Process(broker.process.pid)
    process.suspend()
    try:
        yield
    finally:
        process.resume()


@asynccontextmanager
async def moved(broker: Movable, port: int) -> AsyncIterator[None]:
    """It comes back at another port, and the old one refuses for good."""
    await broker.kill()
    broker.moved_to = port
    await broker.start()
    yield


@asynccontextmanager
async def lost(pg: Postgres) -> AsyncIterator[None]:
    """Without the server and without any of its children, as after a loss of power; then up again."""
    everybody = [psutil.Process(pg.process.pid), *psutil.Process(pg.process.pid).children(recursive=True)]
    for process in everybody:
        process.kill()
    await pg.wait()
    await asyncio.to_thread(psutil.wait_procs, everybody[1:], 10)
    yield
    await pg.start()


# -- the four -----------------------------------------------------------------------------------------------------


async def refused(scene: Scene, broker: Kafka) -> Outcome:
    return await live_through(scene, killed(broker), unguarded=ClosesPlainly)


async def hanging(scene: Scene, broker: Kafka) -> Outcome:
    return await live_through(scene, frozen(broker))


async def elsewhere(scene: Scene, broker: Movable, port: int) -> Outcome:
    # Away for as long as it takes to start; the watchdog is what finds it again.
    return await live_through(scene, moved(broker, port), unguarded=Unwatched, seconds=0)


async def no_database(scene: Scene, pg: Postgres) -> Outcome:
    return await live_through(scene, lost(pg), unguarded=OffsetFirst, holds=Holds())


async def deleted_before_the_ack(
    ground: Ground, outage: AbstractAsyncContextManager[None]
) -> tuple[set[str], set[str]]:
    """What was said and what was sent by a relay that deletes first, across a short outage."""
    await ground.create()
    database = await ground.open("ingest")
    async with running(await ground.relay(DeletesFirst)):
        said = await say_many(database, AGGREGATES, 1)
        await until(ground.nothing_waits)
        async with outage:
            # What is on its way to a frozen broker arrives when it goes on; what comes behind it has no producer.
            for _ in range(2):
                said += await say_many(database, AGGREGATES, 1)
                await until(ground.nothing_waits, 60)
                await asyncio.sleep(1)
        said += await say_many(database, AGGREGATES, 1)
        await until(ground.nothing_waits, 60)
        await asyncio.sleep(1)
    return set(said), (await logged(ground))[0]


@dataclass(frozen=True, slots=True)
class Outages:
    """All four under way."""

    refused: asyncio.Task[Outcome]
    hanging: asyncio.Task[Outcome]
    elsewhere: asyncio.Task[Outcome]
    no_database: asyncio.Task[Outcome]
    #: For short outages once the long ones are over.
    broker: Kafka
    grounds: tuple[Ground, Ground]

    @property
    def tasks(self) -> tuple[asyncio.Task[Outcome], ...]:
        return self.refused, self.hanging, self.elsewhere, self.no_database


def second_port(broker: Kafka) -> int:
    """Where a broker will move to."""
    return free_port({broker.port})
