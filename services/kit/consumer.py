"""The consumer: from topics to handlers, effect and offset in one transaction, fenced against zombies.

The truth of "how far" is the row in `consumer_offset`. A batch locks it, compares it with the value this process
holds, applies the handlers, moves it, commits; a process that lost the partition while frozen finds another value and
forgets the partition. The driver hands out records before the assignment callback was awaited (aiokafka#738), so
records of a partition whose offset was not loaded when they were handed out are dropped: the seek that follows brings
them again.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from services.contracts.base import Event
from services.contracts.keys import KeySet
from services.contracts.topics import EVENTS, KEYS, TOPIC_OF, TOPICS, Topic
from services.kit import metrics, park, reference
from services.kit.clock import Clock
from services.kit.db import INFRASTRUCTURE_ERRORS, Connection, Database
from services.kit.errors import Reject, Retry
from services.kit.log import get_logger
from services.kit.park import Incoming
from services.kit.settings import Settings
from services.kit.shred import KeyMissingError, save_key

log = get_logger(__name__)

MAX_RECORDS: Final = 1000
POLL_MS: Final = 500
#: Partitions whose batches are under way at the same time; each takes a connection of the pool.
AT_ONCE: Final = 4
TIDY_S: Final = 1.0
TRIES: Final = 3
REVOKE_WAIT_S: Final = 30.0
SILENT_LIMIT_S: Final = 30.0
#: How often a consumer that gets nothing asks whether there is something.
IDLE_LOOK_S: Final = 30.0
#: A code that is still unknown after so long will not become known by waiting.
RETRY_LIMIT_S: Final = 300.0
#: So many parked in an hour mean a bad deploy, not bad records.
PARK_LIMIT: Final = 100

LOCK_OFFSET = "SELECT next_offset FROM consumer_offset WHERE topic = $1 AND partition = $2 FOR UPDATE"
CREATE_OFFSET = """
INSERT INTO consumer_offset (topic, partition, next_offset) VALUES ($1, $2, $3)
ON CONFLICT (topic, partition) DO NOTHING
"""
MOVE_OFFSET = """
UPDATE consumer_offset SET next_offset = $3, updated_at = now() WHERE topic = $1 AND partition = $2
"""
SELECT_OFFSETS = "SELECT topic, partition, next_offset FROM consumer_offset WHERE topic = ANY($1::text[])"


@dataclass(frozen=True, slots=True)
class ConsumerGuards:
    """What protects the consumer; tests switch one off to prove that they would see the loss."""

    ready: bool = True
    fence: bool = True
    versions: bool = True
    park: bool = True
    compacted_first: bool = True
    atomic_offset: bool = True
    watchdog: bool = True


@dataclass(slots=True)
class Handling:
    """What a handler works with: the batch's transaction, the time, the reference copy, and its service's state."""

    conn: Connection
    clock: Clock
    reference: reference.Reference
    settings: Any
    shredded: frozenset[str] = frozenset()


Handler = Callable[[Handling, Any], Awaitable[None]]
Handlers = Mapping[type[Event], Handler]


class LogLostError(Exception):
    """The stored offset lies outside the log: going on would skip or repeat in silence. Republish, then restart."""

    def __init__(self, tp: TopicPartition, offset: int, begin: int, end: int) -> None:
        """Name the partition and the three numbers."""
        super().__init__(f"{tp.topic}[{tp.partition}]: stored offset {offset} is outside the log {begin}..{end}")


class TooManyParkedError(Exception):
    """A bad deploy, not bad records: stopped before all of the log lands among the dead letters."""

    def __init__(self) -> None:
        """Say what was counted."""
        super().__init__(f"{PARK_LIMIT} records parked within an hour: see the dead letters, mend or discard, restart")


class _ZombieError(Exception):
    """Another process has moved the offset: this one no longer owns the partition."""


@dataclass(slots=True)
class _Progress:
    held: dict[TopicPartition, int] = field(default_factory=dict)
    wait_until: dict[TopicPartition, float] = field(default_factory=dict)
    retried_since: dict[TopicPartition, tuple[int, float]] = field(default_factory=dict)
    #: Handed out and of no interest to this service: the stored offset follows later, many at a time.
    passed: dict[TopicPartition, int] = field(default_factory=dict)
    #: Moved since the last mirror commit.
    moved: dict[TopicPartition, int] = field(default_factory=dict)
    next_tidy: float = 0.0


class PartitionedConsumer:
    """Consumes the topics of one service. `run` returns when stopped and raises when only a restart can help."""

    def __init__(
        self,
        service: str,
        settings: Settings,
        database: Database,
        ref: reference.Reference,
        clock: Clock,
        *,
        topics: Sequence[Topic] | None = None,
        project: Handlers | None = None,
        react: Handlers | None = None,
        guards: ConsumerGuards | None = None,
    ) -> None:
        """Prepare only; `run` works. Topics default to those that name the service as a consumer."""
        self._service = service
        self._settings = settings
        self._database = database
        self._reference = ref
        self._clock = clock
        self._topics = {
            settings.topic_prefix + t.name: t for t in (topics or [t for t in TOPICS if service in t.consumers])
        }
        self._project = project or {}
        self._react = react or {}
        self._guards = guards or ConsumerGuards()
        self._driver: AIOKafkaConsumer | None = None
        self._progress = _Progress()
        self._in_hand = asyncio.Lock()
        self._missing_keys: dict[str, dict[TopicPartition, int]] = {}
        self._shredded: set[str] = set()
        self._behind: dict[TopicPartition, int] = {}
        self._next_look = 0.0
        self._fatal: Exception | None = None
        self.caught_up = asyncio.Event()

    # -- life ---------------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Work until stopped; a lost broker or database is waited out."""
        pause = 0.5
        while not stop.is_set():
            try:
                await park.replay_known_types(self)
                await self._consume(stop)
                pause = 0.5
            except (*INFRASTRUCTURE_ERRORS, KafkaError) as error:
                log.warning("consumer interrupted", error=repr(error))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), pause)
                pause = min(pause * 2, 30.0)
            finally:
                await self._close()

    async def _consume(self, stop: asyncio.Event) -> None:
        driver = AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka,
            group_id=self._settings.topic_prefix + self._service,
            group_instance_id=self._settings.instance,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=self._settings.session_timeout_ms,
            rebalance_timeout_ms=max(60_000, self._settings.session_timeout_ms),
            heartbeat_interval_ms=min(3_000, self._settings.session_timeout_ms // 3),
            max_partition_fetch_bytes=4 * 1024 * 1024,
        )
        self._driver = driver
        driver.subscribe(list(self._topics), listener=_Listener(self))
        async with asyncio.timeout(60):
            await driver.start()
        noted = await self._note_ends([t for t in self._topics.values() if t.compacted])
        self._next_look = time.monotonic() + IDLE_LOOK_S
        while not stop.is_set():
            # A poll that does not return never will: a new driver is the cure.
            async with asyncio.timeout(SILENT_LIMIT_S):
                batches = await driver.getmany(timeout_ms=POLL_MS, max_records=MAX_RECORDS)
            loaded = dict(self._progress.held)
            if self._fatal is not None:
                raise self._fatal
            metrics.CONSUMER_LAST_POLL.set(time.time())  # noqa: TID251 - a metric of the wall clock
            if not self.caught_up.is_set() and await self._reached(noted):
                await self._reference.refresh()
                self.caught_up.set()
            async with self._in_hand:
                worked = await self._work(batches, loaded)
                await self._tidy()
            if batches and not worked:
                await asyncio.sleep(0.1)
            if self._guards.watchdog:
                await self._look_whether_stalled(driver, got_records=bool(batches))

    async def _look_whether_stalled(self, driver: AIOKafkaConsumer, *, got_records: bool) -> None:
        """A driver can live on outside its group (aiokafka#1154): records wait, none come; then raise."""
        now = time.monotonic()
        if got_records:
            self._behind, self._next_look = {}, now + IDLE_LOOK_S
        if now < self._next_look:
            return
        self._next_look = now + IDLE_LOOK_S
        partitions = driver.assignment() or self._partitions(self._topics.values())
        begins, ends = await driver.beginning_offsets(partitions), await driver.end_offsets(partitions)
        stored = await self._stored(set(partitions))
        behind = {tp: at for tp in partitions if (at := stored.get(tp, begins[tp])) < ends[tp]}
        if any(self._behind.get(tp) == at for tp, at in behind.items()):
            message = f"records wait and none came for {IDLE_LOOK_S} s"
            raise TimeoutError(message)
        self._behind = behind

    async def _close(self) -> None:
        driver, self._driver = self._driver, None
        self._progress, self._behind = _Progress(), {}
        if driver is not None:
            with contextlib.suppress(TimeoutError, KafkaError, OSError):
                async with asyncio.timeout(5):
                    await driver.stop()

    # -- assignment ---------------------------------------------------------------------------------------------

    async def revoked(self, _revoked: set[TopicPartition]) -> None:
        """Wait for the batch in hand, then hold nothing."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REVOKE_WAIT_S), self._in_hand:
                self._progress.held.clear()
        self._progress.held.clear()
        self._progress.passed.clear()

    async def assigned(self, assigned: set[TopicPartition]) -> None:
        """Load each partition's offset and seek there; nothing of it is handled before."""
        driver = self._driver
        if driver is None or not assigned:
            return
        if self._guards.ready:
            driver.pause(*assigned)
        metrics.CONSUMER_REBALANCES.inc()
        await self._load(assigned)
        driver.resume(*(assigned & driver.assignment()))

    async def _load(self, partitions: set[TopicPartition]) -> None:
        """Take the stored offsets of partitions as held; retries until PostgreSQL and Kafka answer."""
        pause = 0.1
        while (driver := self._driver) is not None:
            try:
                stored = await self._stored(partitions)
                begin, end = await driver.beginning_offsets(partitions), await driver.end_offsets(partitions)
                for tp in partitions & driver.assignment():
                    offset = stored.get(tp, begin[tp])
                    if not begin[tp] <= offset <= end[tp]:
                        self._fatal = LogLostError(tp, offset, begin[tp], end[tp])
                        return
                    driver.seek(tp, offset)
                    self._progress.held[tp] = offset
                    self._progress.passed.pop(tp, None)
            except (*INFRASTRUCTURE_ERRORS, KafkaError) as error:
                log.warning("offsets not loaded yet", error=repr(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
            else:
                return

    async def _stored(self, partitions: set[TopicPartition]) -> dict[TopicPartition, int]:
        async with self._database.connection() as conn:
            rows = await conn.fetch(SELECT_OFFSETS, list({tp.topic for tp in partitions}))
        found = {TopicPartition(r["topic"], r["partition"]): r["next_offset"] for r in rows}
        return {tp: offset for tp, offset in found.items() if tp in partitions}

    async def _note_ends(self, topics: Sequence[Topic]) -> dict[TopicPartition, int]:
        driver = self._driver
        if driver is None:
            return {}
        partitions = self._partitions(topics)
        ends = await driver.end_offsets(partitions) if partitions else {}
        begins = await driver.beginning_offsets(partitions) if partitions else {}
        return {tp: end for tp, end in ends.items() if end > begins[tp]}

    def _partitions(self, topics: Iterable[Topic]) -> list[TopicPartition]:
        prefix = self._settings.topic_prefix
        return [TopicPartition(prefix + t.name, n) for t in topics for n in range(t.partitions)]

    async def _reached(self, noted: Mapping[TopicPartition, int]) -> bool:
        """Tell whether every noted end was handled, by this process or a copy of it."""
        if not noted:
            return True
        stored = await self._stored(set(noted))
        return all(stored.get(tp, 0) >= end for tp, end in noted.items())

    async def catch_up_with(self, topics: Sequence[Topic], within_s: float) -> bool:
        """Wait until all that stands on some topics at this moment was handled, here or by a copy; False when it was not.

        What judges that something did *not* happen must ask first: after a pause the news may still be on its way.
        """
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(within_s):
                if self._driver is None or not self.caught_up.is_set():
                    return False
                noted = await self._note_ends(topics)
                while not await self._reached(noted):  # noqa: ASYNC110 - the other side may be another process
                    await asyncio.sleep(0.1)
                return True
        return False

    # -- work ---------------------------------------------------------------------------------------------------

    async def _work(
        self, batches: Mapping[TopicPartition, list[ConsumerRecord]], loaded: Mapping[TopicPartition, int]
    ) -> bool:
        """Handle what was polled, compacted topics first; True when any record was handled.

        `loaded` are the offsets held when the records were handed out: a partition that was assigned anew since then
        starts elsewhere.
        """
        due: list[tuple[TopicPartition, list[ConsumerRecord]]] = []
        for tp, records in batches.items():
            held = self._progress.held.get(tp)
            if not records or (self._guards.ready and (held is None or held != loaded.get(tp))):
                continue
            if self._must_wait(tp):
                self._rewind(tp)
            else:
                due.append((tp, records))
        reference_first = [b for b in due if self._topics[b[0].topic].compacted]
        worked = [await self._timed(tp, records) for tp, records in reference_first]
        turn = asyncio.Semaphore(AT_ONCE)

        async def in_turn(tp: TopicPartition, records: list[ConsumerRecord]) -> bool:
            async with turn:
                return await self._timed(tp, records)

        rest = [in_turn(tp, records) for tp, records in due if not self._topics[tp.topic].compacted]
        # A failure of one is raised when all have ended: nothing of this driver may work on beside the next.
        outcomes = await asyncio.gather(*rest, return_exceptions=True)
        for failure in (o for o in outcomes if isinstance(o, BaseException)):
            raise failure
        return any([*worked, *outcomes])

    async def _timed(self, tp: TopicPartition, records: Sequence[ConsumerRecord]) -> bool:
        started = time.monotonic()
        worked = await self._batch(tp, records)
        metrics.CONSUMER_BATCH.observe(time.monotonic() - started)
        if self._driver is not None and (high := self._driver.highwater(tp)) is not None:
            metrics.CONSUMER_LAG.labels(topic=tp.topic).set(high - records[-1].offset - 1)
        return worked

    async def _tidy(self) -> None:
        """Once in a while: store how far records of no interest were passed, mirror the offsets for lag tools."""
        now = time.monotonic()
        if now < self._progress.next_tidy:
            return
        self._progress.next_tidy = now + TIDY_S
        passed, self._progress.passed = self._progress.passed, {}
        for tp, offset in passed.items():
            try:
                await self._apply(tp, [], offset)
            except _ZombieError:
                await self._lost(tp)
            except INFRASTRUCTURE_ERRORS as error:
                await self._unknown(tp, error)
        moved, self._progress.moved = self._progress.moved, {}
        if moved and self._driver is not None:
            # Nobody of ours reads the mirror back, so a failure does not matter.
            with contextlib.suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(2):
                    await self._driver.commit({tp: OffsetAndMetadata(offset, "") for tp, offset in moved.items()})

    def _must_wait(self, tp: TopicPartition) -> bool:
        if self._progress.wait_until.get(tp, 0) > time.monotonic():
            return True
        before_reference = not self._topics[tp.topic].compacted and not self.caught_up.is_set()
        return before_reference and self._guards.compacted_first

    def _rewind(self, tp: TopicPartition) -> None:
        if self._driver is not None and tp in self._progress.held and tp in self._driver.assignment():
            self._driver.seek(tp, self._progress.held[tp])

    async def _batch(self, tp: TopicPartition, records: Sequence[ConsumerRecord]) -> bool:
        """One transaction for the batch; when that fails, record by record."""
        incoming = [Incoming.read(r, self._settings.topic_prefix) for r in records]
        wanted = [r for r in incoming if self._concerns(r)]
        if not wanted:
            self._progress.passed[tp] = incoming[-1].offset + 1
            return True
        try:
            await self._apply(tp, wanted, incoming[-1].offset + 1)
        except _ZombieError:
            await self._lost(tp)
            return False
        except INFRASTRUCTURE_ERRORS as error:
            await self._unknown(tp, error)
            return False
        except Exception as error:  # noqa: BLE001 - whatever a handler raises decides about its record alone
            log.info("batch replayed record by record", topic=tp.topic, error=park.reason(error))
            if not await self._one_by_one(tp, wanted):
                return False
            self._progress.passed[tp] = incoming[-1].offset + 1
        return True

    def _concerns(self, record: Incoming) -> bool:
        """Tell whether a record has an effect here; what is known and handled by nobody has none."""
        model = EVENTS.get(record.type)
        return (
            model is None
            or TOPIC_OF[record.type].name != record.topic
            or self._topics[self._settings.topic_prefix + record.topic].compacted
            or model in self._project
            or model in self._react
        )

    async def _one_by_one(self, tp: TopicPartition, incoming: Sequence[Incoming]) -> bool:
        for record in incoming:
            try:
                if not await self._one(tp, record):
                    return False
            except _ZombieError:
                await self._lost(tp)
                return False
            except INFRASTRUCTURE_ERRORS as error:
                await self._unknown(tp, error)
                return False
        return True

    async def _one(self, tp: TopicPartition, record: Incoming) -> bool:
        """Apply one record, or park it after some tries; False when it has to wait."""
        for attempt in range(1, TRIES + 1):
            try:
                await self._apply(tp, [record], record.offset + 1)
            except (_ZombieError, *INFRASTRUCTURE_ERRORS):
                raise
            except (Retry, KeyMissingError) as outcome:
                if isinstance(outcome, KeyMissingError) or not self._out_of_patience(tp, record.offset):
                    await self._later(tp, outcome)
                    return False
                await self._park(tp, record, outcome)
                return True
            except Exception as error:  # noqa: BLE001 - deterministic as far as anybody can tell
                if not self._guards.park:
                    self._rewind(tp)
                    return False
                if attempt == TRIES or isinstance(error, Reject | ValueError):
                    await self._park(tp, record, error)
                    return True
            else:
                return True
        return False

    async def _apply(self, tp: TopicPartition, incoming: Sequence[Incoming], next_offset: int) -> None:
        if not self._guards.atomic_offset:
            async with self._database.transaction() as conn:
                await conn.execute(CREATE_OFFSET, tp.topic, tp.partition, next_offset)
                await conn.execute(MOVE_OFFSET, tp.topic, tp.partition, next_offset)
        async with self._database.transaction() as conn:
            if self._guards.atomic_offset:
                await self._fence(conn, tp)
            if incoming:
                await self._handle(conn, incoming)
            if self._guards.atomic_offset:
                await conn.execute(MOVE_OFFSET, tp.topic, tp.partition, next_offset)
        self._progress.held[tp] = self._progress.moved[tp] = next_offset
        self._progress.passed.pop(tp, None)
        if self._topics[tp.topic].compacted:
            await self._reference.refresh()

    async def _fence(self, conn: Connection, tp: TopicPartition) -> None:
        stored = await conn.fetchval(LOCK_OFFSET, tp.topic, tp.partition)
        if stored is None:
            await conn.execute(CREATE_OFFSET, tp.topic, tp.partition, self._progress.held.get(tp, 0))
            stored = await conn.fetchval(LOCK_OFFSET, tp.topic, tp.partition)
        if self._guards.fence and self._guards.ready and stored != self._progress.held.get(tp):
            raise _ZombieError

    async def _handle(self, conn: Connection, incoming: Sequence[Incoming]) -> None:
        fresh = await park.fresh(conn, incoming) if self._guards.versions else list(incoming)
        behind = await park.parked_aggregates(conn, incoming) if self._guards.park else frozenset()
        for record in fresh:
            if record.aggregate_key in behind:
                await park.insert(conn, record, park.BEHIND, self._clock.now())
                outcome = "parked"
            else:
                await self.handle_one(conn, record)
                outcome = "done"
            metrics.CONSUMER_EVENTS.labels(type=record.type, outcome=outcome).inc()

    async def handle_one(self, conn: Connection, record: Incoming) -> None:
        """Apply one record: the kit's own copies first, then the service's read model, then its reactions."""
        if record.topic == KEYS.name:
            await save_key(conn, record.key.decode(), None if record.value is None else _key_of(record))
            return
        event = record.event()
        await reference.project(conn, event)
        handling = Handling(conn, self._clock, self._reference, self._settings, frozenset(self._shredded))
        for handlers in (self._project, self._react):
            if (handler := handlers.get(type(event))) is not None:
                try:
                    await handler(handling, event)
                except KeyMissingError as missing:
                    if missing.aggregate_id not in self._shredded:
                        raise
                    await save_key(conn, missing.aggregate_id, None)
                    await handler(handling, event)

    # -- what can go wrong --------------------------------------------------------------------------------------

    async def _lost(self, tp: TopicPartition) -> None:
        """We were a zombie: forget the partition, read where its owner stands."""
        log.warning("partition fenced off", topic=tp.topic, partition=tp.partition)
        self._progress.held.pop(tp, None)
        if self._driver is not None and tp in self._driver.assignment():
            await self._load({tp})

    async def _unknown(self, tp: TopicPartition, error: BaseException) -> None:
        """Whether the commit happened is unknown: ask the table, never guess."""
        log.warning("batch interrupted", topic=tp.topic, partition=tp.partition, error=repr(error))
        self._progress.held.pop(tp, None)
        await self._load({tp})

    async def _later(self, tp: TopicPartition, outcome: Retry | KeyMissingError) -> None:
        after = outcome.after if isinstance(outcome, Retry) else timedelta(milliseconds=50)
        if isinstance(outcome, KeyMissingError):
            await self._judge_missing_key(outcome.aggregate_id)
        self._progress.wait_until[tp] = time.monotonic() + after.total_seconds()
        self._rewind(tp)

    def _out_of_patience(self, tp: TopicPartition, offset: int) -> bool:
        """Tell whether a record has been retried for five minutes."""
        now = time.monotonic()
        since = self._progress.retried_since.get(tp)
        if since is None or since[0] != offset:
            self._progress.retried_since[tp] = (offset, now)
            return False
        return now - since[1] > RETRY_LIMIT_S

    async def _judge_missing_key(self, aggregate_id: str) -> None:
        """A key still missing once the keys topic is read to the end noted at the first miss was shredded."""
        noted = self._missing_keys.get(aggregate_id)
        if noted is None:
            self._missing_keys[aggregate_id] = await self._note_ends(
                [t for t in self._topics.values() if t.name == KEYS.name]
            )
        elif await self._reached(noted):
            self._shredded.add(aggregate_id)
            del self._missing_keys[aggregate_id]

    async def _park(self, tp: TopicPartition, record: Incoming, error: Exception) -> None:
        log.error("record parked", topic=tp.topic, offset=record.offset, type=record.type, error=park.reason(error))
        now = self._clock.now()
        async with self._database.transaction() as conn:
            await self._fence(conn, tp)
            # Counted in the table: a restart must not begin a new hundred.
            if await park.count_poisoned(conn, now - timedelta(hours=1)) >= PARK_LIMIT:
                raise TooManyParkedError
            await park.fresh(conn, [record])
            await park.insert(conn, record, park.reason(error), now, dead_letters_of=self._service)
            await conn.execute(MOVE_OFFSET, tp.topic, tp.partition, record.offset + 1)
        self._progress.held[tp] = record.offset + 1
        metrics.CONSUMER_EVENTS.labels(type=record.type, outcome="parked").inc()

    @property
    def database(self) -> Database:
        """The database that parked records stand in."""
        return self._database


def _key_of(record: Incoming) -> str:
    event = record.event()
    if not isinstance(event, KeySet):
        message = f"{event.type} does not belong on the topic of keys"
        raise Reject(message)
    return event.key


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc] # the driver ships no types
    def __init__(self, consumer: PartitionedConsumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self._consumer.revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        await self._consumer.assigned(assigned)
