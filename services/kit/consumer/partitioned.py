"""The loop of one process: polls, applies batches, and decides what to do when one fails."""

import asyncio
import contextlib
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from services.contracts.topics import Topic
from services.kit import metrics, park, reference
from services.kit.consumer import offsets, patience
from services.kit.consumer.assignment import Assignment
from services.kit.consumer.ends import Ends, Offsets, Watchdog, ask_ends
from services.kit.consumer.handling import Effects
from services.kit.consumer.identity import AnotherLogError, check_log
from services.kit.consumer.keys import MissingKeys
from services.kit.consumer.lag import Lag
from services.kit.consumer.member import join, make_member
from services.kit.consumer.patience import Patience
from services.kit.consumer.replays import replay_known_types
from services.kit.consumer.share import Share, read_share
from services.kit.db import INFRASTRUCTURE_ERRORS, Connection, Database
from services.kit.driver import ask
from services.kit.errors import Reject, Retry
from services.kit.log import get_logger
from services.kit.pulse import Beat, nothing
from services.kit.record import Incoming
from services.kit.settings import Settings
from services.kit.shred import KeyMissingError

log = get_logger(__name__)

MAX_RECORDS: Final = 1000
POLL_MS: Final = 500
#: Partitions whose batches are under way at the same time; each takes a connection of the pool.
AT_ONCE: Final = 4
#: So many records of one poll are handled in one transaction, whatever their partitions; of more each has its own.
TOGETHER: Final = 100
TIDY_S: Final = 1.0
TRIES: Final = 3
#: How often a consumer in front of another Kafka looks whether its offsets were made new.
REPAIR_LOOK_S: Final = 3.0
SILENT_LIMIT_S: Final = 30.0


class ZombieError(Exception):
    """Another process has moved the offset: this one no longer owns the partition."""


#: After these what this process believes of a partition is not believed any more.
LOSSES: Final = (ZombieError, *INFRASTRUCTURE_ERRORS)


class PartitionedConsumer:
    """Consumes the topics of one service. `run` returns when stopped and raises when only a restart can help."""

    def __init__(
        self,
        service: str,
        settings: Settings,
        database: Database,
        effects: Effects,
        topics: Iterable[Topic],
        linger_ms: int = 0,
    ) -> None:
        """Prepare only: nothing is asked of Kafka before `run`. Few records are waited for so many milliseconds (`linger_ms`)."""
        self._service = service
        self._linger_ms = linger_ms
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
        self._missing = MissingKeys(self._ends, database, self._topics.values())
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
        driver = make_member(self._settings, self._service, self._topics, self._linger_ms)
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
        shares = self._due(batches, loaded)
        # What is in memory of the reference is read anew after each commit.
        worked = [await self._handle_timed(share) for share in shares if self._is_reference(share.tp)]
        rest = [share for share in shares if not self._is_reference(share.tp)]
        if (together := await self._handle_together(rest)) is None:
            worked += await self._handle_apart(rest)
        return any([*worked, together])

    def _due(
        self, batches: Mapping[TopicPartition, list[ConsumerRecord]], loaded: Mapping[TopicPartition, int]
    ) -> list[Share]:
        """What can be handled now, compacted topics first; of the others the driver hands out again what it did."""
        due = []
        for tp, records in batches.items():
            if not records or not self._stands(tp, loaded):
                continue
            if self._patience.waits(tp) or self._waits_for_reference(tp):
                self._assignment.rewind(tp)
            else:
                due.append(read_share(tp, records, self._effects, self._topics[tp.topic], self._settings.topic_prefix))
        return sorted(due, key=lambda share: not self._topics[share.tp.topic].compacted)

    def _is_reference(self, tp: TopicPartition) -> bool:
        return self._topics[tp.topic].name in reference.TOPIC_NAMES

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

    async def _handle_together(self, shares: Sequence[Share]) -> bool | None:
        """One transaction for all that was polled, keys first. None when that cannot be, and each share is for itself.

        False when something has to wait. Most of what a small share costs is its transaction's frame; large ones have
        sessions of their own side by side.
        """
        wanted = [share for share in shares if share.wanted]
        if len(wanted) <= 1 or sum(len(share.wanted) for share in wanted) > TOGETHER:
            return None
        started = time.monotonic()
        try:
            await self._apply(wanted)
        except INFRASTRUCTURE_ERRORS as error:
            for share in wanted:
                await self._ask_anew(share.tp, error)
            return False
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told of the share that it is about
            log.info("poll handled by partition", error=park.reason(error))
            return None
        metrics.CONSUMER_BATCH.observe(time.monotonic() - started)
        for share in shares:
            if not share.wanted:
                self._assignment.pass_by(share.tp, share.next_offset)
            self.lag.note_handled(share.tp, share.newest_ms)
        return True

    async def _handle_apart(self, shares: Sequence[Share]) -> list[bool]:
        """A transaction for each share: those of compacted topics one after the other, then the others, some at a time."""
        first = [await self._handle_timed(share) for share in shares if self._topics[share.tp.topic].compacted]
        turn = asyncio.Semaphore(AT_ONCE)

        async def handle_in_turn(share: Share) -> bool:
            async with turn:
                return await self._handle_timed(share)

        rest = [handle_in_turn(share) for share in shares if not self._topics[share.tp.topic].compacted]
        # A failure of one is raised when all have ended: nothing of this driver may work on beside the next.
        outcomes = await asyncio.gather(*rest, return_exceptions=True)
        for failure in (o for o in outcomes if isinstance(o, BaseException)):
            raise failure
        return [*first, *(bool(o) for o in outcomes)]

    async def _handle_timed(self, share: Share) -> bool:
        started = time.monotonic()
        worked = await self._handle_batch(share)
        metrics.CONSUMER_BATCH.observe(time.monotonic() - started)
        if worked:
            self.lag.note_handled(share.tp, share.newest_ms)
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
                await self._apply([Share(tp, [], offset)])
            except LOSSES as error:
                await self._ask_anew(tp, error)
        await self._assignment.mirror()

    async def _handle_batch(self, share: Share) -> bool:
        """One transaction for the share; when that fails, record by record. False when something has to wait."""
        tp = share.tp
        if not share.wanted:
            self._assignment.pass_by(tp, share.next_offset)
            return True
        try:
            await self._apply([share])
        except LOSSES as error:
            await self._ask_anew(tp, error)
            return False
        except Exception as error:  # noqa: BLE001 - whatever a handler raises decides about its record alone
            log.info("batch replayed record by record", topic=tp.topic, error=park.reason(error))
            if not await self._handle_one_by_one(tp, share.wanted):
                return False
            self._assignment.pass_by(tp, share.next_offset)
        return True

    async def _handle_one_by_one(self, tp: TopicPartition, incoming: Sequence[Incoming]) -> bool:
        """A transaction for each record; False when one has to wait, and with it those behind it."""
        for record in incoming:
            try:
                if not await self._handle_or_park(tp, record):
                    return False
            except LOSSES as error:
                await self._ask_anew(tp, error)
                return False
        return True

    async def _handle_or_park(self, tp: TopicPartition, record: Incoming) -> bool:
        """Apply one record, or park it after some tries; False when it has to wait."""
        for attempt in range(1, TRIES + 1):
            try:
                await self._apply([Share(tp, [record], record.offset + 1)])
            except LOSSES:
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

    async def _apply(self, shares: Sequence[Share]) -> None:
        """One transaction: fences, effects, offsets. ZombieError when one of the partitions is another's by now."""
        self.beat()
        incoming = [record for share in shares for record in share.wanted]
        async with self._database.transaction() as conn:
            await self._fence(conn, [share.tp for share in shares])
            if incoming:
                await self._effects.handle(conn, incoming, self.beat)
            await offsets.move(conn, {share.tp: share.next_offset for share in shares})
        for share in shares:
            self._assignment.move(share.tp, share.next_offset)
        self._missing.come(incoming)
        if any(self._is_reference(share.tp) for share in shares):
            await self._effects.reference.refresh()

    async def _fence(self, conn: Connection, partitions: Collection[TopicPartition]) -> None:
        """Lock the partitions' offsets; whoever holds another value than the stored one is a zombie."""
        held = self._assignment.held()
        stored = await offsets.lock(conn, {tp: held.get(tp, 0) for tp in partitions})
        if any(stored[tp] != held.get(tp) for tp in partitions):
            raise ZombieError

    # -- what can go wrong --------------------------------------------------------------------------------------

    async def _ask_anew(self, tp: TopicPartition, error: BaseException) -> None:
        """We were a zombie, or nobody knows whether the commit happened: ask the table where the partition stands, never guess."""
        what = "partition fenced off" if isinstance(error, ZombieError) else "batch interrupted"
        log.warning(what, topic=tp.topic, partition=tp.partition, error=repr(error))
        await self._assignment.lose(tp, self.beat)

    async def _await_key(self, tp: TopicPartition, aggregate_id: str) -> None:
        """Read on at once: a poll can bring a record before its key, when the broker looked for keys first."""
        if (wait_s := await self._missing.miss(aggregate_id, self._assignment.driver)) is not None:
            self._patience.wait(tp, wait_s)
        self._hurry = True
        self._assignment.rewind(tp)

    async def _park(self, tp: TopicPartition, record: Incoming, error: Exception) -> None:
        """Set a record aside and go on behind it, in one transaction; TooManyParkedError beyond the hour's limit."""
        log.error("record parked", topic=tp.topic, offset=record.offset, type=record.type, error=park.reason(error))
        now = self._effects.clock.now()
        async with self._database.transaction() as conn:
            await self._fence(conn, [tp])
            # Counted in the table: a restart must not begin a new hundred.
            if await park.count_poisoned(conn, now - timedelta(hours=1)) >= park.LIMIT:
                raise park.TooManyParkedError
            await park.take_new(conn, [record])
            await park.set_aside(conn, record, park.reason(error), now, dead_letters_of=self._service)
            await offsets.move(conn, {tp: record.offset + 1})
        self._assignment.move(tp, record.offset + 1)
        metrics.CONSUMER_EVENTS.labels(type=record.type, outcome="parked").inc()
