"""What the fault tests of the plumbing stand on: two services' kit tables, topics of their own, effects that count.

`ingest` says `disclosure.confirmed`, `publish` hears it and writes one row into `publish.effect` each time a handler
ran: so a lost, a repeated and a misplaced effect can all be seen.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Protocol

import asyncpg
import uuid_utils.compat
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from pydantic import SecretStr

from deploy.local import migrate, topics
from deploy.local.kafka import Kafka
from deploy.local.postgres import Postgres
from services.contracts.base import Event
from services.contracts.disclosure import DisclosureConfirmed
from services.contracts.topics import DISCLOSURES, Topic
from services.kit import outbox, signature
from services.kit.broker import Broker
from services.kit.clock import FixedClock
from services.kit.consumer import Effects, Handlers, Handling, PartitionedConsumer
from services.kit.db import Connection, Database
from services.kit.reference import Reference
from services.kit.relay import Relay
from services.kit.settings import Settings
from tests import builders

KIT_MIGRATIONS: Final = Path(__file__).parents[2] / "services" / "kit" / "migrations"
OWNERS: Final = ("ingest", "publish")
KIT_TABLES: Final = (
    *("aggregate", "event", "outbox", "consumer_offset", "aggregate_seen"),
    *("parked_event", "refused_record", "reference", "shred_key", "idempotency"),
)
#: The shortest that Settings allows.
SESSION_MS: Final = 6_000
#: Written by tests' handlers; `n` tells the order in which effects were made.
EFFECT: Final = """
CREATE TABLE IF NOT EXISTS publish.effect (
    n bigint GENERATED ALWAYS AS IDENTITY, aggregate_id text NOT NULL, version bigint NOT NULL, note text
);
GRANT ALL ON publish.effect TO publish;
"""


async def lay(pg: Postgres, database: str) -> None:
    """Give both owners their kit tables in a database, and `publish` its effects."""
    for owner in OWNERS:
        await migrate.migrate(owner, pg.dsn(owner, database=database), [KIT_MIGRATIONS])
    conn = await asyncpg.connect(pg.dsn("sanwu_admin", database=database))
    await conn.execute(EFFECT)
    await conn.close()


class Time:
    """A monotonic clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Runs(Protocol):
    """A relay or a consumer."""

    async def run(self, stop: asyncio.Event) -> None: ...


@dataclass(slots=True)
class Ground:
    """One test's view: a database whose tables are empty and a prefix nobody else uses."""

    pg: Postgres
    kafka: Kafka
    database: str
    prefix: str
    home: Path
    #: Where the brokers are when not where they were at the start.
    servers: str | None = None
    clock: FixedClock = field(default_factory=lambda: FixedClock(builders.NOW))
    opened: list[Database] = field(default_factory=list)

    def settings(self, owner: str, **changes: object) -> Settings:
        values: dict[str, object] = {
            "database_url": SecretStr(self.pg.dsn(owner, database=self.database)),
            "kafka": self.servers or self.kafka.bootstrap,
            "kafka_username": owner,
            "kafka_password": SecretStr(self.kafka.broker(owner).password),
            "http_port": 0,
            "home": self.home,
            "registry_root": builders.ROOT_SETTINGS["registry_root"],
            "topic_prefix": self.prefix,
            "pool_size": 5,
            "session_timeout_ms": SESSION_MS,
            **changes,
        }
        return Settings.model_validate(values)

    def environment(self, owner: str) -> dict[str, str]:
        """The same settings for a process."""
        settings = self.settings(owner)
        return {
            "SANWU_DATABASE_URL": settings.database_url.get_secret_value(),
            "SANWU_KAFKA": settings.kafka,
            "SANWU_KAFKA_USERNAME": settings.kafka_username,
            "SANWU_KAFKA_PASSWORD": settings.kafka_password.get_secret_value(),
            "SANWU_REGISTRY_ROOT": json.dumps(settings.registry_root),
            "SANWU_HTTP_PORT": "0",
            "SANWU_HOME": str(self.home),
            "SANWU_TOPIC_PREFIX": self.prefix,
            "SANWU_SESSION_TIMEOUT_MS": str(SESSION_MS),
        }

    async def create(self, *wanted: Topic) -> None:
        await topics.apply(self.broker(), self.prefix, wanted or (DISCLOSURES,))

    def broker(self) -> Broker:
        """Kafka as its operator sees it, who may do what no service may."""
        return replace(self.kafka.broker(), servers=self.servers or self.kafka.bootstrap)

    async def open(self, owner: str, **changes: object) -> Database:
        database = Database(self.settings(owner, **changes), f"test-{owner}")
        await database.open()
        self.opened.append(database)
        return database

    async def relay(self, kind: type[Relay] = Relay, owner: str = "ingest") -> Relay:
        return kind(await self.open(owner), self.settings(owner))

    async def consumer(
        self,
        kind: type[PartitionedConsumer] = PartitionedConsumer,
        effects: type[Effects] = Effects,
        project: Handlers | None = None,
        topics_: Sequence[Topic] = (DISCLOSURES,),
        group: str = "publish",
        instance: str | None = None,
    ) -> PartitionedConsumer:
        operator = self.broker()
        # A group that no service has is nobody's by right.
        beyond = (
            {} if group == "publish" else {"kafka_username": operator.username, "kafka_password": operator.password}
        )
        database, settings = await self.open("publish"), self.settings("publish", instance=instance, **beyond)
        handlers: Handlers = project if project is not None else {DisclosureConfirmed: on_confirmed}
        applied = effects(settings, Reference(database), self.clock, project=handlers)
        return kind(group, settings, database, applied, topics_)

    async def admin(self, query: str, *args: object) -> list[Any]:
        conn = await asyncpg.connect(self.pg.dsn("sanwu_admin", database=self.database))
        try:
            rows: list[Any] = await conn.fetch(query, *args)
        finally:
            await conn.close()
        return rows

    async def effects(self) -> list[tuple[str, int]]:
        """(aggregate id, version) of every run of a handler that was committed, oldest first."""
        rows = await self.admin("SELECT aggregate_id, version FROM publish.effect ORDER BY n")
        return [(r["aggregate_id"], r["version"]) for r in rows]

    async def waiting(self, owner: str = "ingest") -> int:
        """How many rows the outbox of an owner holds."""
        return int((await self.admin(f"SELECT count(*) AS n FROM {owner}.outbox"))[0]["n"])

    async def nothing_waits(self) -> bool:
        return await self.waiting() == 0

    async def produce(
        self, topic: Topic, *records: tuple[bytes, bytes | None, dict[str, str]], partition: int = 0
    ) -> None:
        """Put (key, value, headers) into one partition of a topic, as a relay would: signed where that is asked for."""
        if topic.signed:
            root = builders.ROOT_KEY
            records = tuple(
                (k, v, {**h, signature.HEADER: signature.sign(root, topic.name, k, v, h).decode()})
                for k, v, h in records
            )
        async with AIOKafkaProducer(**self.broker().options(), acks="all") as producer:
            acks = [
                await producer.send(
                    self.prefix + topic.name,
                    value,
                    key=key,
                    partition=partition,
                    headers=[(n, v.encode()) for n, v in headers.items()],
                )
                for key, value, headers in records
            ]
            await asyncio.gather(*acks)

    async def log(self, topic: Topic) -> list[ConsumerRecord]:
        """All records of a topic, by partition and offset."""
        async with AIOKafkaConsumer(**self.broker().options(), enable_auto_commit=False) as driver:
            places = [TopicPartition(self.prefix + topic.name, n) for n in range(topic.partitions)]
            driver.assign(places)
            await driver.seek_to_beginning(*places)
            ends = await driver.end_offsets(places)
            found: list[ConsumerRecord] = []
            while [tp for tp, end in ends.items() if await driver.position(tp) < end]:
                for records in (await driver.getmany(timeout_ms=200)).values():
                    found += records
        return sorted(found, key=lambda r: (r.partition, r.offset))


async def on_confirmed(handling: Handling, event: DisclosureConfirmed) -> None:
    """Leave one row for each run."""
    await leave(handling.conn, event)


async def leave(conn: Connection, event: Event, note: str | None = None) -> None:
    await conn.execute(
        "INSERT INTO effect (aggregate_id, version, note) VALUES ($1, $2, $3)",
        event.aggregate_id,
        event.aggregate_version,
        note,
    )


def confirmed(aggregate_id: str, version: int, village: str = builders.VILLAGE) -> DisclosureConfirmed:
    """A small event without sealed content."""
    return DisclosureConfirmed(
        **builders.stamp(aggregate_id, version, village),
        item="F01",
        period="2026-10",
        edition=1,
        digest="0" * 64,
        confirmation="supervisors",
        complete=True,
    )


def record(event: Event) -> tuple[bytes, bytes, dict[str, str]]:
    """An event as the relay puts it on its topic."""
    headers = {
        "id": str(event.event_id),
        "type": event.type,
        "aggregate": event.aggregate,
        "aggregate_id": event.aggregate_id,
        "aggregate_version": str(event.aggregate_version),
    }
    return (event.village_code or event.aggregate_id).encode(), event.model_dump_json().encode(), headers


async def say(conn: Connection, aggregate_id: str, village: str = builders.VILLAGE) -> str:
    """Append the next event of an aggregate, as a service does; returns its id."""
    stamp = await outbox.stamp(conn, "disclosure", aggregate_id, at=builders.NOW, village_code=village)
    event = confirmed(aggregate_id, stamp["aggregate_version"], village)
    event = event.model_copy(update={"event_id": stamp["event_id"]})
    await outbox.append(conn, event)
    return str(event.event_id)


async def say_many(database: Database, aggregates: Iterable[str], rounds: int) -> list[str]:
    """`rounds` events of each aggregate, one transaction each, aggregates taking turns."""
    said = []
    names = list(aggregates)
    for _ in range(rounds):
        for name in names:
            async with database.transaction() as conn:
                said.append(await say(conn, name, village_of(name)))
    return said


def village_of(aggregate_id: str) -> str:
    """A made-up village for an aggregate named like `d7`, so that aggregates spread over partitions."""
    return f"2108810062{int(aggregate_id[1:]) % 100:02}"


@asynccontextmanager
async def running(*parts: Runs) -> AsyncIterator[None]:
    """Run relays and consumers meanwhile; a failure of one fails the test."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(part.run(stop)) for part in parts]
    try:
        yield
    finally:
        stop.set()
        done, late = await asyncio.wait(tasks, timeout=30)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    for task in done:
        task.result()
    assert not late


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Wait until something holds; fail with its name when it does not in time."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"not in {seconds} s: {condition.__name__}"
        await asyncio.sleep(0.05)


async def joined(consumer: PartitionedConsumer) -> None:
    """Wait until a consumer has its partitions."""

    async def has_partitions() -> bool:
        return bool(consumer._assignment.held())

    await until(has_partitions)


async def settle(ground: Ground, count: int, seconds: float = 30) -> list[tuple[str, int]]:
    """Wait for at least so many effects, then a moment for those that should not come; returns all."""

    async def arrived() -> bool:
        return len(await ground.effects()) >= count

    await until(arrived, seconds)
    await asyncio.sleep(0.5)
    return await ground.effects()


def unique(word: str) -> str:
    """A name nobody else uses."""
    return f"{word}-{uuid_utils.compat.uuid7()}"
