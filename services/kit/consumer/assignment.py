"""Which partitions one driver was given, and where this process stands in each. It is forgotten with its driver."""

import asyncio
import contextlib
from collections.abc import Collection
from typing import Any, Final

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from services.kit import metrics
from services.kit.consumer.ends import LookUp, ask_ends
from services.kit.db import INFRASTRUCTURE_ERRORS
from services.kit.driver import DriverCancelledError, ask, end
from services.kit.log import get_logger
from services.kit.pulse import Beat, nothing

log = get_logger(__name__)

REVOKE_WAIT_S: Final = 30.0
CLOSE_S: Final = 5.0
COMMIT_S: Final = 2.0


class LogLostError(Exception):
    """The stored offset lies outside the log: going on would skip or repeat in silence. Republish, then restart."""

    def __init__(self, tp: TopicPartition, offset: int, begin: int, end: int) -> None:
        """Name the partition and the three numbers."""
        super().__init__(f"{tp.topic}[{tp.partition}]: stored offset {offset} is outside the log {begin}..{end}")


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc] # the driver ships no types
    """The partitions of one driver. Held is a partition whose stored offset this process knows, and believes unmoved.

    One per driver, and its listener: what a driver that was given up still tells, it tells to an assignment that nobody
    asks any more.
    """

    def __init__(self, driver: Any, look_up: LookUp) -> None:
        """Hold nothing yet; `driver` is an AIOKafkaConsumer, or None for an assignment that stays empty."""
        #: None when there is none (any more).
        self.driver = driver
        #: Taken while records are worked on: partitions are not let go in the middle of a batch.
        self.in_hand = asyncio.Lock()
        #: For whoever polls next to raise: the driver logs what its callbacks raise, and goes on.
        self.fatal: LogLostError | None = None
        self._look_up = look_up
        self._held: dict[TopicPartition, int] = {}
        self._passed: dict[TopicPartition, int] = {}
        self._moved: dict[TopicPartition, int] = {}

    # -- what the driver tells ----------------------------------------------------------------------------------

    async def on_partitions_revoked(self, _revoked: set[TopicPartition]) -> None:
        """Wait for the batch in hand, then hold nothing. The driver waits for this before partitions go."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REVOKE_WAIT_S), self.in_hand:
                self._held.clear()
        self._held.clear()
        self._passed.clear()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Load each partition's offset and seek there. The driver does not wait for this (aiokafka#738)."""
        if self.driver is None or not assigned:
            return
        self.driver.pause(*assigned)
        metrics.CONSUMER_REBALANCES.inc()
        await self.load(assigned)
        if self.driver is not None:
            self.driver.resume(*(assigned & self.driver.assignment()))

    # -- where this process stands ------------------------------------------------------------------------------

    def held(self) -> dict[TopicPartition, int]:
        """The offset that this process believes stored, of each partition that it holds, as of now."""
        return dict(self._held)

    def reached(self) -> dict[TopicPartition, int]:
        """The offset that this process wants next, of each partition that it holds; it may be stored later."""
        return {**self._held, **self._passed}

    async def load(self, partitions: Collection[TopicPartition], beat: Beat = nothing) -> None:
        """Hold partitions at their stored offsets and seek there; retries until PostgreSQL and Kafka answer.

        Sets `fatal` when one lies outside the log. Partitions that went away meanwhile are not held.
        """
        pause = 0.1
        while (driver := self.driver) is not None:
            beat()
            try:
                stored = await self._look_up(partitions)
                begins, ends = await ask_ends(driver, partitions)
            except (*INFRASTRUCTURE_ERRORS, KafkaError) as error:
                log.warning("offsets not loaded yet", error=repr(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
                continue
            # From here on nothing is awaited: what is assigned stays so until all of it is sought and held.
            for tp in driver.assignment().intersection(partitions):
                offset = stored.get(tp, begins[tp])
                if not begins[tp] <= offset <= ends[tp]:
                    self.fatal = LogLostError(tp, offset, begins[tp], ends[tp])
                    return
                driver.seek(tp, offset)
                self._held[tp] = offset
                self._passed.pop(tp, None)
            return

    async def lose(self, tp: TopicPartition, beat: Beat = nothing) -> None:
        """Forget where we stood in a partition, and read where it stands, when it is still ours."""
        self._held.pop(tp, None)
        await self.load({tp}, beat)

    def rewind(self, tp: TopicPartition) -> None:
        """Let the driver hand out again what it handed out of a partition beyond the held offset."""
        if self.driver is not None and tp in self._held and tp in self.driver.assignment():
            self.driver.seek(tp, self._held[tp])

    def move(self, tp: TopicPartition, next_offset: int) -> None:
        """Hold a partition at the offset that was just stored, in the transaction that held the one before."""
        self._held[tp] = self._moved[tp] = next_offset
        # What was passed before lies behind now: to store it later would move the offset back.
        self._passed.pop(tp, None)

    def pass_by(self, tp: TopicPartition, next_offset: int) -> None:
        """Note that records before an offset were handed out and have no effect: it is stored later, many at a time."""
        self._passed[tp] = next_offset

    def take_passed(self) -> dict[TopicPartition, int]:
        """What was passed by and is still to be stored; whoever takes it stores it."""
        taken, self._passed = self._passed, {}
        return taken

    def take_moved(self) -> dict[TopicPartition, int]:
        """Where partitions were moved to since this was asked last."""
        taken, self._moved = self._moved, {}
        return taken

    async def mirror(self) -> None:
        """Tell Kafka where partitions were moved to since the last time, for tools that show lag.

        Nobody of ours reads it back, so a failure does not matter.
        """
        moved = self.take_moved()
        if moved and self.driver is not None:
            told = {tp: OffsetAndMetadata(offset, "") for tp, offset in moved.items()}
            with contextlib.suppress(KafkaError, TimeoutError, DriverCancelledError):
                await ask(self.driver.commit(told), COMMIT_S)

    async def close(self) -> None:
        """End the driver, in a few seconds at most; a load that is under way ends too."""
        driver, self.driver = self.driver, None
        if driver is not None:
            await end(_stop(driver), CLOSE_S)


async def _stop(driver: Any) -> None:
    try:
        await driver.stop()
    finally:
        # A cancellation of its fetcher comes out before it has closed its connections.
        await driver._client.close()  # noqa: SLF001 - there is no other way
