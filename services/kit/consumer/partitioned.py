"""The loop of one process: polls, applies batches, and decides what to do when one fails."""

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from services.contracts.topics import KEYS, TOPICS, Topic
from services.kit import metrics, park, reference
from services.kit.clock import Clock
from services.kit.consumer import assignment, offsets
from services.kit.consumer.assignment import Assignment, Listener
from services.kit.consumer.handling import ConsumerGuards, Effects, Handlers
from services.kit.consumer.identity import AnotherLogError, check_log
from services.kit.consumer.lag import Lag
from services.kit.db import INFRASTRUCTURE_ERRORS, Connection, Database
from services.kit.driver import DriverCancelledError, ask
from services.kit.errors import Reject, Retry
from services.kit.log import get_logger
from services.kit.park import Incoming
from services.kit.pulse import Beat, nothing
from services.kit.settings import Settings
from services.kit.shred import KeyMissingError, give_up_key

log = get_logger(__name__)

MAX_RECORDS: Final = 1000
POLL_MS: Final = 500
#: Partitions whose batches are under way at the same time; each takes a connection of the pool.
AT_ONCE: Final = 4
TIDY_S: Final = 1.0
KEY_WAIT_S: Final = 0.02
TRIES: Final = 3
#: How often a consumer in front of another Kafka looks whether its offsets were made new.
REPAIR_LOOK_S: Final = 3.0
SILENT_LIMIT_S: Final = 30.0
#: To join a group takes as long as a member that hangs is waited for; whoever gives up before hangs for the next.
REBALANCE_MS: Final = 60_000
JOIN_SLACK_S: Final = 30.0
COMMIT_S: Final = 2.0
#: A code that is still unknown after so long will not become known by waiting.
RETRY_LIMIT_S: Final = 300.0
#: So many parked in an hour mean a bad deploy, not bad records.
PARK_LIMIT: Final = 100


class TooManyParkedError(Exception):
    """A bad deploy, not bad records: stopped before all of the log lands among the dead letters."""

    def __init__(self) -> None:
        """Say what was counted."""
        super().__init__(f"{PARK_LIMIT} records parked within an hour: see the dead letters, mend or discard, restart")


class ZombieError(Exception):
    """Another process has moved the offset: this one no longer owns the partition."""


class PartitionedConsumer(Assignment):
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
        wanted = topics or [t for t in TOPICS if service in t.consumers]
        super().__init__(settings, database, wanted, guards or ConsumerGuards())
        self._service = service
        self._reference = ref
        self._clock = clock
        self._effects = Effects(settings, ref, clock, (project or {}, react or {}), self._guards, self._turn)
        self.lag = Lag(settings.topic_prefix)
        #: Called at every turn: a try, a poll, a transaction, a record.
        self.beat: Beat = nothing
        #: Aggregates whose key was missed once (None), then with the ends to be reached before it counts as shredded.
        self._missing_keys: dict[str, dict[TopicPartition, int] | None] = {}

    # -- life ---------------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        self.beat()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until stopped; a lost broker or database is waited out."""
        pause = 0.5
        while not stop.is_set():
            self.beat()
            try:
                await park.replay_known_types(self)
                await park.show_count(self._database)
                await self._consume(stop)
                pause = 0.5
            except (*INFRASTRUCTURE_ERRORS, KafkaError) as error:
                log.warning("consumer interrupted", error=repr(error))
                self.lag.trouble = repr(error)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), pause)
                pause = min(pause * 2, 30.0)
            except AnotherLogError as error:
                # The service serves on, and can be repaired while it does: nothing is read until then.
                log.critical("consumer waits for a repair", error=str(error))
                self.lag.trouble = str(error)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), REPAIR_LOOK_S)
            finally:
                await self._close()

    async def _consume(self, stop: asyncio.Event) -> None:
        await check_log(self._database, self._settings.kafka)
        rebalance_ms = max(REBALANCE_MS, self._settings.session_timeout_ms)
        driver = AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka,
            group_id=self._settings.topic_prefix + self._service,
            group_instance_id=self._settings.instance,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=self._settings.session_timeout_ms,
            rebalance_timeout_ms=rebalance_ms,
            heartbeat_interval_ms=min(3_000, self._settings.session_timeout_ms // 3),
            max_partition_fetch_bytes=4 * 1024 * 1024,
        )
        self._driver = driver
        driver.subscribe(list(self._topics), listener=Listener(self))
        self.beat()
        await ask(driver.start(), rebalance_ms / 1000 + JOIN_SLACK_S, self.beat)
        noted = await self._note_ends([t for t in self._topics.values() if t.compacted])
        self._next_look = time.monotonic() + assignment.IDLE_LOOK_S
        while not stop.is_set():
            self.beat()
            # A poll that does not return never will: a new driver is the cure.
            batches = await ask(driver.getmany(timeout_ms=POLL_MS, max_records=MAX_RECORDS), SILENT_LIMIT_S)
            loaded = dict(self._progress.held)
            if self._fatal is not None:
                raise self._fatal
            self.beat()
            self.lag.polled()
            if not self.caught_up.is_set() and await self._reached(noted):
                await self._reference.refresh()
                self.caught_up.set()
            async with self._in_hand:
                worked = await self._work(batches, loaded)
                await self._tidy()
            if batches and not worked and not self._progress.hurry:
                await asyncio.sleep(0.1)
            self._progress.hurry = False
            if self._guards.watchdog:
                await self._look_whether_stalled(driver, got_records=bool(batches))

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
        if worked:
            self.lag.handled(tp, records[-1].timestamp)
        return worked

    async def _tidy(self) -> None:
        """Once in a while: store how far records of no interest were passed, mirror the offsets for lag tools."""
        now = time.monotonic()
        if now < self._progress.next_tidy:
            return
        self._progress.next_tidy = now + TIDY_S
        if self._driver is not None:
            self.lag.look(self._driver, {**self._progress.held, **self._progress.passed})
        passed, self._progress.passed = self._progress.passed, {}
        for tp, offset in passed.items():
            try:
                await self._apply(tp, [], offset)
            except ZombieError:
                await self._lost(tp)
            except INFRASTRUCTURE_ERRORS as error:
                await self._unknown(tp, error)
        moved, self._progress.moved = self._progress.moved, {}
        if moved and self._driver is not None:
            # Nobody of ours reads the mirror back, so a failure does not matter.
            mirror = {tp: OffsetAndMetadata(offset, "") for tp, offset in moved.items()}
            with contextlib.suppress(KafkaError, TimeoutError, DriverCancelledError):
                await ask(self._driver.commit(mirror), COMMIT_S)

    def _must_wait(self, tp: TopicPartition) -> bool:
        if self._progress.wait_until.get(tp, 0) > time.monotonic():
            return True
        before_reference = not self._topics[tp.topic].compacted and not self.caught_up.is_set()
        return before_reference and self._guards.compacted_first

    async def _batch(self, tp: TopicPartition, records: Sequence[ConsumerRecord]) -> bool:
        """One transaction for the batch; when that fails, record by record."""
        incoming = [Incoming.read(r, self._settings.topic_prefix) for r in records]
        wanted = [r for r in incoming if self._effects.concerns(r, self._topics[tp.topic])]
        if not wanted:
            self._progress.passed[tp] = incoming[-1].offset + 1
            return True
        try:
            await self._apply(tp, wanted, incoming[-1].offset + 1)
        except ZombieError:
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

    async def _one_by_one(self, tp: TopicPartition, incoming: Sequence[Incoming]) -> bool:
        for record in incoming:
            try:
                if not await self._one(tp, record):
                    return False
            except ZombieError:
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
            except (ZombieError, *INFRASTRUCTURE_ERRORS):
                raise
            except (Retry, KeyMissingError) as outcome:
                if isinstance(outcome, KeyMissingError):
                    await self._await_key(tp, outcome.aggregate_id)
                elif self._out_of_patience(tp, record.offset):
                    await self._park(tp, record, outcome)
                    return True
                else:
                    self._progress.wait_until[tp] = time.monotonic() + outcome.after.total_seconds()
                    self._rewind(tp)
                return False
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
        self.beat()
        if not self._guards.atomic_offset:
            async with self._database.transaction() as conn:
                await offsets.lock(conn, tp, next_offset)
                await offsets.move(conn, tp, next_offset)
        async with self._database.transaction() as conn:
            if self._guards.atomic_offset:
                await self._fence(conn, tp)
            if incoming:
                await self._effects.handle(conn, incoming)
            if self._guards.atomic_offset:
                await offsets.move(conn, tp, next_offset)
        self._progress.held[tp] = self._progress.moved[tp] = next_offset
        self._progress.passed.pop(tp, None)
        if self._missing_keys:
            for record in incoming:
                self._missing_keys.pop(record.aggregate[1], None)
        if self._topics[tp.topic].name in reference.TOPIC_NAMES:
            await self._reference.refresh()

    async def _fence(self, conn: Connection, tp: TopicPartition) -> None:
        """Lock the partition's offset; whoever holds another value than the stored one is a zombie."""
        held = self._progress.held.get(tp)
        stored = await offsets.lock(conn, tp, held or 0)
        if self._guards.fence and self._guards.ready and stored != held:
            raise ZombieError

    async def handle_one(self, conn: Connection, record: Incoming) -> None:
        """Apply one record, as for the first time: parked ones come back this way."""
        await self._effects.handle_one(conn, record)

    # -- what can go wrong --------------------------------------------------------------------------------------

    async def _lost(self, tp: TopicPartition) -> None:
        """We were a zombie: forget the partition, read where its owner stands."""
        log.warning("partition fenced off", topic=tp.topic, partition=tp.partition)
        self._progress.held.pop(tp, None)
        if self._driver is not None and tp in self._driver.assignment():
            await self._load({tp}, self.beat)

    async def _unknown(self, tp: TopicPartition, error: BaseException) -> None:
        """Whether the commit happened is unknown: ask the table, never guess."""
        log.warning("batch interrupted", topic=tp.topic, partition=tp.partition, error=repr(error))
        self._progress.held.pop(tp, None)
        await self._load({tp}, self.beat)

    async def _await_key(self, tp: TopicPartition, aggregate_id: str) -> None:
        """Read on at once: a poll can bring a record before its key, when the broker looked for keys first.

        From the second miss on the end of the keys topic is noted; a key still missing when that is read was shredded.
        """
        if aggregate_id not in self._missing_keys:
            self._missing_keys[aggregate_id] = None
        elif (noted := self._missing_keys[aggregate_id]) is None:
            keys = [t for t in self._topics.values() if t.name == KEYS.name]
            self._missing_keys[aggregate_id] = await self._note_ends(keys)
            self._progress.wait_until[tp] = time.monotonic() + KEY_WAIT_S
        elif await self._reached(noted):
            async with self._database.transaction() as conn:
                await give_up_key(conn, aggregate_id)
            del self._missing_keys[aggregate_id]
        self._progress.hurry = True
        self._rewind(tp)

    def _out_of_patience(self, tp: TopicPartition, offset: int) -> bool:
        """Tell whether a record has been retried for five minutes."""
        now = time.monotonic()
        since = self._progress.retried_since.get(tp)
        if since is None or since[0] != offset:
            self._progress.retried_since[tp] = (offset, now)
            return False
        return now - since[1] > RETRY_LIMIT_S

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
            await offsets.move(conn, tp, record.offset + 1)
        self._progress.held[tp] = record.offset + 1
        metrics.CONSUMER_EVENTS.labels(type=record.type, outcome="parked").inc()

    @property
    def database(self) -> Database:
        """The database that parked records stand in."""
        return self._database
