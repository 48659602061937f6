"""Which partitions a process has, where it stands in them, and whether its driver still belongs to the group."""

import asyncio
import contextlib
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from services.contracts.topics import Topic
from services.kit import metrics
from services.kit.consumer import offsets
from services.kit.consumer.handling import ConsumerGuards
from services.kit.db import INFRASTRUCTURE_ERRORS, Database
from services.kit.driver import DriverCancelledError, ask, end
from services.kit.log import get_logger
from services.kit.pulse import Beat, nothing
from services.kit.settings import Settings

log = get_logger(__name__)

REVOKE_WAIT_S: Final = 30.0
#: How often a consumer that gets nothing asks whether there is something.
IDLE_LOOK_S: Final = 30.0
#: How long the log may take to tell its ends.
ANSWER_S: Final = 15.0
CLOSE_S: Final = 5.0

_Offsets = Mapping[TopicPartition, int]


class LogLostError(Exception):
    """The stored offset lies outside the log: going on would skip or repeat in silence. Republish, then restart."""

    def __init__(self, tp: TopicPartition, offset: int, begin: int, end: int) -> None:
        """Name the partition and the three numbers."""
        super().__init__(f"{tp.topic}[{tp.partition}]: stored offset {offset} is outside the log {begin}..{end}")


@dataclass(slots=True)
class Progress:
    """What this process knows of its partitions, forgotten with the driver. `held`: the offset it believes stored."""

    held: dict[TopicPartition, int] = field(default_factory=dict)
    wait_until: dict[TopicPartition, float] = field(default_factory=dict)
    retried_since: dict[TopicPartition, tuple[int, float]] = field(default_factory=dict)
    #: Handed out and of no interest to this service: the stored offset follows later, many at a time.
    passed: dict[TopicPartition, int] = field(default_factory=dict)
    #: Moved since the last mirror commit.
    moved: dict[TopicPartition, int] = field(default_factory=dict)
    next_tidy: float = 0.0
    #: Something waits that the next poll may bring: no pause before it.
    hurry: bool = False


class Assignment:
    """Holds the driver and the offsets that were loaded for it."""

    def __init__(self, settings: Settings, database: Database, topics: Sequence[Topic], guards: ConsumerGuards) -> None:
        """Prepare only."""
        self._settings = settings
        self._database = database
        self._topics = {settings.topic_prefix + t.name: t for t in topics}
        self._guards = guards
        self._driver: AIOKafkaConsumer | None = None
        self._progress = Progress()
        self._in_hand = asyncio.Lock()
        self._behind: dict[TopicPartition, int] = {}
        self._next_look = 0.0
        self._fatal: Exception | None = None
        self.caught_up = asyncio.Event()

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

    async def _load(self, partitions: set[TopicPartition], beat: Beat = nothing) -> None:
        """Take the stored offsets of partitions as held; retries until PostgreSQL and Kafka answer."""
        pause = 0.1
        while (driver := self._driver) is not None:
            beat()
            try:
                stored = await self._stored(partitions)
                begin, end = await _ends_of(driver, partitions)
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
            return await offsets.stored(conn, partitions)

    async def _note_ends(self, topics: Sequence[Topic]) -> dict[TopicPartition, int]:
        driver = self._driver
        if driver is None:
            return {}
        partitions = self._partitions(topics)
        begins, ends = await _ends_of(driver, partitions)
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

    def _rewind(self, tp: TopicPartition) -> None:
        if self._driver is not None and tp in self._progress.held and tp in self._driver.assignment():
            self._driver.seek(tp, self._progress.held[tp])

    async def catch_up_with(self, topics: Sequence[Topic], within_s: float) -> bool:
        """Wait until all that stands on some topics at this moment was handled, here or by a copy; False when it was not.

        What judges that something did *not* happen must ask first: after a pause the news may still be on its way.
        """
        with contextlib.suppress(KafkaError, TimeoutError, DriverCancelledError):
            async with asyncio.timeout(within_s):
                if self._driver is None or not self.caught_up.is_set():
                    return False
                noted = await self._note_ends(topics)
                while not await self._reached(noted):  # noqa: ASYNC110 - the other side may be another process
                    await asyncio.sleep(0.1)
                return True
        return False

    async def _look_whether_stalled(self, driver: AIOKafkaConsumer, *, got_records: bool) -> None:
        """A driver can live on outside its group (aiokafka#1154): records wait, none come; then raise."""
        now = time.monotonic()
        if got_records:
            self._behind, self._next_look = {}, now + IDLE_LOOK_S
        if now < self._next_look:
            return
        self._next_look = now + IDLE_LOOK_S
        partitions = driver.assignment() or self._partitions(self._topics.values())
        begins, ends = await _ends_of(driver, partitions)
        stored = await self._stored(set(partitions))
        behind = {tp: at for tp in partitions if (at := stored.get(tp, begins[tp])) < ends[tp]}
        if any(self._behind.get(tp) == at for tp, at in behind.items()):
            message = f"records wait and none came for {IDLE_LOOK_S} s"
            raise TimeoutError(message)
        self._behind = behind

    async def _close(self) -> None:
        driver, self._driver = self._driver, None
        self._progress, self._behind = Progress(), {}
        if driver is not None:
            await end(_stop(driver), CLOSE_S)


async def _stop(driver: AIOKafkaConsumer) -> None:
    try:
        await driver.stop()
    finally:
        # A cancellation of its fetcher comes out before it has closed its connections.
        await driver._client.close()  # noqa: SLF001 - there is no other way


async def _ends_of(driver: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> tuple[_Offsets, _Offsets]:
    """The first and the next offset of partitions' logs."""
    if not partitions:
        return {}, {}
    begins = await ask(driver.beginning_offsets(partitions), ANSWER_S)
    return begins, await ask(driver.end_offsets(partitions), ANSWER_S)


class Listener(ConsumerRebalanceListener):  # type: ignore[misc] # the driver ships no types
    """Tells an assignment what the driver tells."""

    def __init__(self, consumer: Assignment) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Called before partitions go; the driver waits for it."""
        await self._consumer.revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Called when partitions came; the driver does not wait for it."""
        await self._consumer.assigned(assigned)
