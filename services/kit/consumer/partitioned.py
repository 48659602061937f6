"""The loop of one process: polls, applies batches, and decides what to do when one fails."""

import asyncio
import contextlib
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from services.contracts.topics import KEYS, Topic
from services.kit import metrics, park, reference
from services.kit.consumer import offsets, patience
from services.kit.consumer.assignment import Assignment
from services.kit.consumer.ends import Ends, Offsets, Watchdog, ask_ends
from services.kit.consumer.handling import Effects
from services.kit.consumer.identity import AnotherLogError, check_log
from services.kit.consumer.lag import Lag
from services.kit.consumer.member import join, make_member
from services.kit.consumer.patience import Patience
from services.kit.consumer.replays import replay_known_types
from services.kit.db import INFRASTRUCTURE_ERRORS, Connection, Database
from services.kit.driver import DriverCancelledError, ask
from services.kit.errors import Reject, Retry
from services.kit.log import get_logger
from services.kit.pulse import Beat, nothing
from services.kit.record import Incoming
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
COMMIT_S: Final = 2.0
#: So many parked in an hour mean a bad deploy, not bad records.
PARK_LIMIT: Final = 100


class TooManyParkedError(Exception):
    """A bad deploy, not bad records: stopped before all of the log lands among the dead letters."""

    def __init__(self) -> None:
        """Say how many were parked, and what the operator does."""
        super().__init__(f"{PARK_LIMIT} records parked within an hour: see the dead letters, mend or discard, restart")


class ZombieError(Exception):
    """Another process has moved the offset: this one no longer owns the partition."""


class PartitionedConsumer:
    """Consumes the topics of one service. `run` returns when stopped and raises when only a restart can help."""

    def __init__(
        self, service: str, settings: Settings, database: Database, effects: Effects, topics: Iterable[Topic]
    ) -> None:
        """Prepare only: nothing is asked of Kafka before `run`."""
        self._service = service
        self._settings = settings
        self._database = database
        self._effects = effects
        self._topics = {settings.topic_prefix + t.name: t for t in topics}
        self._ends = Ends(settings.topic_prefix, self._look_up)
        self._assignment = self._assign(None)
        self._patience = Patience()
        self._next_tidy = 0.0
        #: Something waits that the next poll may bring: no pause before it.
        self._hurry = False
        #: Aggregates whose key was missed once (None), then with the ends to be reached before it counts as shredded.
        self._missing_keys: dict[str, Offsets | None] = {}
        self.lag = Lag(settings.topic_prefix)
        #: Called at every turn: a try, a poll, a transaction, a record.
        self.beat: Beat = nothing
        #: Set for good when the compacted topics were read to where they ended at the start.
        self.caught_up = asyncio.Event()

    # -- life ---------------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Work until stopped; a lost broker or database is waited out."""
        pause = 0.5
        while not stop.is_set():
            self.beat()
            try:
                await replay_known_types(self._database, self._effects, self.beat)
                async with self._database.connection() as conn:
                    await park.show_count(conn)
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

    async def _close(self) -> None:
        """Give the driver up, and with it whatever was held or waited for."""
        assignment, self._assignment = self._assignment, self._assign(None)
        self._patience = Patience()
        await assignment.close()

    def _assign(self, driver: AIOKafkaConsumer | None) -> Assignment:
        return Assignment(driver, self._look_up)

    async def _look_up(self, partitions: Collection[TopicPartition]) -> Offsets:
        async with self._database.connection() as conn:
            return await offsets.select_offsets(conn, partitions)

    async def _consume(self, stop: asyncio.Event) -> None:
        await check_log(self._database, self._settings.broker)
        driver = make_member(self._settings, self._service, self._topics)
        self._assignment = self._assign(driver)
        driver.subscribe(list(self._topics), listener=self._assignment)
        self.beat()
        await join(driver, self._settings, self.beat)
        noted = await self._ends.ask(driver, [t for t in self._topics.values() if t.compacted])
        watchdog = Watchdog()
        while not stop.is_set():
            self.beat()
            # A poll that does not return never will: a new driver is the cure.
            batches = await ask(driver.getmany(timeout_ms=POLL_MS, max_records=MAX_RECORDS), SILENT_LIMIT_S)
            loaded = self._assignment.held()
            if self._assignment.fatal is not None:
                raise self._assignment.fatal
            self.beat()
            self.lag.note_poll()
            if not self.caught_up.is_set() and await self._ends.reached(noted):
                await self._effects.reference.refresh()
                self.caught_up.set()
            async with self._assignment.in_hand:
                worked = await self._work(batches, loaded)
                await self._tidy()
            if batches and not worked and not self._hurry:
                await asyncio.sleep(0.1)
            self._hurry = False
            await self._watch(watchdog, driver, got_records=bool(batches))

    async def _watch(self, watchdog: Watchdog, driver: AIOKafkaConsumer, *, got_records: bool) -> None:
        """TimeoutError when records wait and none come: a new driver is the cure."""
        if got_records:
            watchdog.rest()
        elif watchdog.is_due():
            partitions = driver.assignment() or self._ends.partitions(self._topics.values())
            begins, ends = await ask_ends(driver, partitions)
            watchdog.look(await self._look_up(partitions), begins, ends)

    async def catch_up_with(self, topics: Sequence[Topic], within_s: float) -> bool:
        """Wait until all that stands on some topics at this moment was handled, here or by a copy; False when it was not.

        What judges that something did *not* happen must ask first: after a pause the news may still be on its way.
        """
        driver = self._assignment.driver
        return driver is not None and self.caught_up.is_set() and await self._ends.reach(driver, topics, within_s)

    # -- work ---------------------------------------------------------------------------------------------------

    async def _work(
        self, batches: Mapping[TopicPartition, list[ConsumerRecord]], loaded: Mapping[TopicPartition, int]
    ) -> bool:
        """Handle what was polled, compacted topics first; True when any record was handled.

        `loaded` are the offsets held when the records were handed out. Compacted topics go first and one after the
        other: what other records refer to (divisions, items, keys) is often polled together with them.
        """
        due: list[tuple[TopicPartition, list[ConsumerRecord]]] = []
        for tp, records in batches.items():
            if not records or not self._stands(tp, loaded):
                continue
            if self._patience.waits(tp) or self._waits_for_reference(tp):
                self._assignment.rewind(tp)
            else:
                due.append((tp, records))
        reference_first = [b for b in due if self._topics[b[0].topic].compacted]
        worked = [await self._handle_timed(tp, records) for tp, records in reference_first]
        turn = asyncio.Semaphore(AT_ONCE)

        async def handle_in_turn(tp: TopicPartition, records: list[ConsumerRecord]) -> bool:
            async with turn:
                return await self._handle_timed(tp, records)

        rest = [handle_in_turn(tp, records) for tp, records in due if not self._topics[tp.topic].compacted]
        # A failure of one is raised when all have ended: nothing of this driver may work on beside the next.
        outcomes = await asyncio.gather(*rest, return_exceptions=True)
        for failure in (o for o in outcomes if isinstance(o, BaseException)):
            raise failure
        return any([*worked, *outcomes])

    def _stands(self, tp: TopicPartition, loaded: Mapping[TopicPartition, int]) -> bool:
        """Tell whether records that were handed out are those that come next.

        They are not when the driver was faster than the look-up of the offset, nor when the partition was assigned
        anew since then: they begin elsewhere, and the seek brings the right ones.
        """
        held = self._assignment.held().get(tp)
        return held is not None and held == loaded.get(tp)

    def _waits_for_reference(self, tp: TopicPartition) -> bool:
        """Tell whether a partition's records may refer to what was not read yet."""
        return not self._topics[tp.topic].compacted and not self.caught_up.is_set()

    async def _handle_timed(self, tp: TopicPartition, records: Sequence[ConsumerRecord]) -> bool:
        started = time.monotonic()
        worked = await self._handle_batch(tp, records)
        metrics.CONSUMER_BATCH.observe(time.monotonic() - started)
        if worked:
            self.lag.note_handled(tp, records[-1].timestamp)
        return worked

    async def _tidy(self) -> None:
        """Once in a while: store how far records of no interest were passed, mirror the offsets for lag tools."""
        now = time.monotonic()
        if now < self._next_tidy:
            return
        self._next_tidy = now + TIDY_S
        driver = self._assignment.driver
        if driver is not None:
            self.lag.look(driver, self._assignment.reached())
        for tp, offset in self._assignment.take_passed().items():
            try:
                await self._apply(tp, [], offset)
            except ZombieError:
                await self._lose(tp)
            except INFRASTRUCTURE_ERRORS as error:
                await self._ask_anew(tp, error)
        moved = self._assignment.take_moved()
        if moved and driver is not None:
            # Nobody of ours reads the mirror back, so a failure does not matter.
            mirror = {tp: OffsetAndMetadata(offset, "") for tp, offset in moved.items()}
            with contextlib.suppress(KafkaError, TimeoutError, DriverCancelledError):
                await ask(driver.commit(mirror), COMMIT_S)

    async def _handle_batch(self, tp: TopicPartition, records: Sequence[ConsumerRecord]) -> bool:
        """One transaction for the batch; when that fails, record by record. False when something has to wait."""
        incoming = [Incoming.read(r, self._settings.topic_prefix) for r in records]
        next_offset = incoming[-1].offset + 1
        wanted = [r for r in incoming if self._effects.concerns(r, self._topics[tp.topic])]
        if not wanted:
            self._assignment.pass_by(tp, next_offset)
            return True
        try:
            await self._apply(tp, wanted, next_offset)
        except ZombieError:
            await self._lose(tp)
            return False
        except INFRASTRUCTURE_ERRORS as error:
            await self._ask_anew(tp, error)
            return False
        except Exception as error:  # noqa: BLE001 - whatever a handler raises decides about its record alone
            log.info("batch replayed record by record", topic=tp.topic, error=park.reason(error))
            if not await self._handle_one_by_one(tp, wanted):
                return False
            self._assignment.pass_by(tp, next_offset)
        return True

    async def _handle_one_by_one(self, tp: TopicPartition, incoming: Sequence[Incoming]) -> bool:
        """A transaction for each record; False when one has to wait, and with it those behind it."""
        for record in incoming:
            try:
                if not await self._handle_or_park(tp, record):
                    return False
            except ZombieError:
                await self._lose(tp)
                return False
            except INFRASTRUCTURE_ERRORS as error:
                await self._ask_anew(tp, error)
                return False
        return True

    async def _handle_or_park(self, tp: TopicPartition, record: Incoming) -> bool:
        """Apply one record, or park it after some tries; False when it has to wait."""
        for attempt in range(1, TRIES + 1):
            try:
                await self._apply(tp, [record], record.offset + 1)
            except (ZombieError, *INFRASTRUCTURE_ERRORS):
                raise
            except KeyMissingError as missing:
                await self._await_key(tp, missing.aggregate_id)
                return False
            except Retry as outcome:
                if self._patience.lose(tp, record.offset):
                    await self._park(tp, record, outcome)
                    return True
                self._patience.wait(tp, patience.RETRY_AFTER_S)
                self._assignment.rewind(tp)
                return False
            except Exception as error:  # noqa: BLE001 - deterministic as far as anybody can tell
                if attempt == TRIES or isinstance(error, Reject | ValueError):
                    await self._park(tp, record, error)
                    return True
            else:
                return True
        return False

    async def _apply(self, tp: TopicPartition, incoming: Sequence[Incoming], next_offset: int) -> None:
        """One transaction: fence, effects, offset. ZombieError when the partition is another's by now."""
        self.beat()
        async with self._database.transaction() as conn:
            await self._fence(conn, tp)
            if incoming:
                await self._effects.handle(conn, incoming, self.beat)
            await offsets.move(conn, tp, next_offset)
        self._assignment.move(tp, next_offset)
        if self._missing_keys:
            for record in incoming:
                self._missing_keys.pop(record.aggregate[1], None)
        if self._topics[tp.topic].name in reference.TOPIC_NAMES:
            await self._effects.reference.refresh()

    async def _fence(self, conn: Connection, tp: TopicPartition) -> None:
        """Lock the partition's offset; whoever holds another value than the stored one is a zombie."""
        held = self._assignment.held().get(tp)
        if await offsets.lock(conn, tp, held or 0) != held:
            raise ZombieError

    # -- what can go wrong --------------------------------------------------------------------------------------

    async def _lose(self, tp: TopicPartition) -> None:
        """We were a zombie: forget the partition, read where its owner stands."""
        log.warning("partition fenced off", topic=tp.topic, partition=tp.partition)
        await self._assignment.lose(tp, self.beat)

    async def _ask_anew(self, tp: TopicPartition, error: BaseException) -> None:
        """Whether the commit happened is unknown: ask the table, never guess."""
        log.warning("batch interrupted", topic=tp.topic, partition=tp.partition, error=repr(error))
        await self._assignment.lose(tp, self.beat)

    async def _await_key(self, tp: TopicPartition, aggregate_id: str) -> None:
        """Read on at once: a poll can bring a record before its key, when the broker looked for keys first.

        From the second miss on the end of the keys topic is noted; a key still missing when that is read was shredded.
        Not from the first: the relay sends keys first, so the poll that comes next nearly always brings the key, and
        the log need not be asked. Once the noted end is read waiting is over for good: a compacted topic has no key
        for this record any more, and whoever waited on would hold up the partition for ever.
        """
        if aggregate_id not in self._missing_keys:
            self._missing_keys[aggregate_id] = None
        elif (noted := self._missing_keys[aggregate_id]) is None:
            keys = [t for t in self._topics.values() if t.name == KEYS.name]
            self._missing_keys[aggregate_id] = await self._ends.ask(self._assignment.driver, keys)
            self._patience.wait(tp, KEY_WAIT_S)
        elif await self._ends.reached(noted):
            async with self._database.transaction() as conn:
                await give_up_key(conn, aggregate_id)
            del self._missing_keys[aggregate_id]
        self._hurry = True
        self._assignment.rewind(tp)

    async def _park(self, tp: TopicPartition, record: Incoming, error: Exception) -> None:
        """Set a record aside and go on behind it, in one transaction; TooManyParkedError beyond the hour's limit."""
        log.error("record parked", topic=tp.topic, offset=record.offset, type=record.type, error=park.reason(error))
        now = self._effects.clock.now()
        async with self._database.transaction() as conn:
            await self._fence(conn, tp)
            # Counted in the table: a restart must not begin a new hundred.
            if await park.count_poisoned(conn, now - timedelta(hours=1)) >= PARK_LIMIT:
                raise TooManyParkedError
            await park.take_new(conn, [record])
            await park.set_aside(conn, record, park.reason(error), now, dead_letters_of=self._service)
            await offsets.move(conn, tp, record.offset + 1)
        self._assignment.move(tp, record.offset + 1)
        metrics.CONSUMER_EVENTS.labels(type=record.type, outcome="parked").inc()
