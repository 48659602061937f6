"""Through the real broker: audit that was away hears the news before it says that something is missing."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest_asyncio
from aiokafka import AIOKafkaProducer

from services.audit.jobs import Watch
from services.contracts.base import Event
from services.contracts.keys import KeySet
from services.contracts.topics import KEYS, TOPIC_OF, TOPICS
from services.kit.consumer import Effects, PartitionedConsumer
from tests import builders
from tests.audit.conftest import Alerts
from tests.audit.events import KEY, Disclosure, at, ledger
from tests.builders import FAR_VILLAGE, NEIGHBOUR, VILLAGE
from tests.conftest import Place, Served

HEARD = [t for t in TOPICS if "audit" in t.consumers]


@pytest_asyncio.fixture(scope="module")
async def broker(place: Place) -> Place:
    """The module's own topics."""
    await place.apply_topics()
    return place


async def send(place: Place, *events: Event) -> None:
    """Put events on their topics as a relay would."""
    async with AIOKafkaProducer(**place.parts.kafka.broker().options()) as producer:
        for event in events:
            headers = {
                "type": event.type,
                "aggregate": event.aggregate,
                "aggregate_id": event.aggregate_id,
                "aggregate_version": str(event.aggregate_version),
            }
            topic = TOPIC_OF[event.type]
            key = event.aggregate_id if topic is KEYS else event.village_code or event.aggregate_id
            await producer.send_and_wait(
                place.prefix + topic.name,
                event.model_dump_json().encode(),
                key.encode(),
                headers=[(n, v.encode()) for n, v in headers.items()],
            )


def key_of(d: Disclosure) -> KeySet:
    return KeySet(**builders.stamp(d.id), key=base64.b64encode(KEY).decode())


@asynccontextmanager
async def running(audit: Served) -> AsyncIterator[PartitionedConsumer]:
    """Audit's consumer, as `serve` runs it."""
    runtime, stop = audit.runtime, asyncio.Event()
    handlers = {"project": audit.service.project, "react": audit.service.react}
    effects = Effects(runtime.settings, runtime.reference, runtime.clock, **handlers)
    consumer = PartitionedConsumer("audit", runtime.settings, runtime.database, effects, HEARD)
    runtime.consumer = consumer
    task = asyncio.create_task(consumer.run(stop))
    try:
        yield consumer
    finally:
        stop.set()
        await task
        runtime.consumer = None


async def test_what_is_still_on_its_way_is_not_called_missing(broker: Place, audit: Served, alerts: Alerts) -> None:
    periods = ("2026-08", "2026-09", "2026-10")
    opened = [Disclosure(v, p) for v in (VILLAGE, NEIGHBOUR) for p in periods]
    await send(broker, *(d.published(at("2026-09-10 02:00")) for d in opened))
    wrong = Disclosure(FAR_VILLAGE, "2026-10")
    await send(broker, key_of(wrong), wrong.approved(ledger(closing=1), at("2026-11-10 02:00")))
    async with running(audit) as consumer:
        # The driver is not up yet, so nothing may be judged missing.
        await Watch().run(audit.runtime)
        assert await alerts(rule="D01") == []
        async with asyncio.timeout(60):
            await consumer.caught_up.wait()
            while not await alerts(rule="D01"):
                await Watch().run(audit.runtime)
    assert len(await alerts(rule="A03")) == 1
    late = await alerts(rule="D01")
    assert {(a["village"], a["subject"]["period"]) for a in late} == {(FAR_VILLAGE, p) for p in periods}
    assert not [e for e in await audit.said("alert.raised.v1") if VILLAGE in e or NEIGHBOUR in e]


async def test_a_broker_that_is_away_leaves_deadlines_unjudged(broker: Place, audit: Served, alerts: Alerts) -> None:
    async with running(audit):
        pass
    runtime = audit.runtime
    effects = Effects(runtime.settings, runtime.reference, runtime.clock)
    runtime.consumer = PartitionedConsumer("audit", runtime.settings, runtime.database, effects, HEARD)
    try:
        await Watch().run(runtime)
    finally:
        runtime.consumer = None
    assert await alerts() == []
