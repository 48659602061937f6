"""How far the log goes, by the broker's own word; and whether a driver that gets nothing has lost its group."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from services.contracts.topics import Topic
from services.kit.driver import DriverCancelledError, ask

#: How long the log may take to tell its ends.
ANSWER_S: Final = 15.0
#: How often a consumer that gets nothing asks whether there is something.
IDLE_LOOK_S: Final = 30.0

Offsets = Mapping[TopicPartition, int]
#: Reads the stored offsets of those of some partitions that have one.
LookUp = Callable[[Collection[TopicPartition]], Awaitable[Offsets]]


async def ask_ends(driver: Any, partitions: Collection[TopicPartition]) -> tuple[Offsets, Offsets]:
    """The first and the next offset of partitions' logs."""
    if not partitions:
        return {}, {}
    begins = await ask(driver.beginning_offsets(partitions), ANSWER_S)
    return begins, await ask(driver.end_offsets(partitions), ANSWER_S)


class Ends:
    """Where topics' logs end, and whether all before was handled, by this process or a copy of it."""

    def __init__(self, prefix: str, look_up: LookUp) -> None:
        """`prefix` stands before every topic's name."""
        self._prefix = prefix
        self._look_up = look_up

    def partitions(self, topics: Iterable[Topic]) -> list[TopicPartition]:
        """All partitions of topics, under the installation's prefix."""
        return [TopicPartition(self._prefix + t.name, n) for t in topics for n in range(t.partitions)]

    async def ask(self, driver: Any, topics: Iterable[Topic]) -> Offsets:
        """Where topics end at this moment; nothing for a partition that is empty."""
        begins, ends = await ask_ends(driver, self.partitions(topics))
        return {tp: end for tp, end in ends.items() if end > begins[tp]}

    async def reached(self, noted: Offsets) -> bool:
        """Tell whether everything before the noted ends was handled."""
        if not noted:
            return True
        stored = await self._look_up(noted.keys())
        return all(stored.get(tp, 0) >= end for tp, end in noted.items())

    async def reach(self, driver: Any, topics: Iterable[Topic], within_s: float) -> bool:
        """Wait until all that stands on topics at this moment was handled; False when it was not, or nobody knows."""
        with contextlib.suppress(KafkaError, TimeoutError, DriverCancelledError):
            async with asyncio.timeout(within_s):
                noted = await self.ask(driver, topics)
                while not await self.reached(noted):  # noqa: ASYNC110 - the other side may be another process
                    await asyncio.sleep(0.1)
                return True
        return False


class Watchdog:
    """Notices a driver that lives on outside its group (aiokafka#1154): records wait, none come, and nothing fails."""

    def __init__(self) -> None:
        """Look for the first time when one period has passed."""
        self._behind: Offsets = {}
        self._next_look = time.monotonic() + IDLE_LOOK_S

    def rest(self) -> None:
        """Records came: look again a whole period later."""
        self._behind, self._next_look = {}, time.monotonic() + IDLE_LOOK_S

    def is_due(self) -> bool:
        """Tell whether a period has passed without a record and without a look."""
        return time.monotonic() >= self._next_look

    def look(self, stored: Offsets, begins: Offsets, ends: Offsets) -> None:
        """Compare with the log; TimeoutError when a partition stands where it stood at the look before, records behind it.

        One look is not enough: what is behind now may have been written a moment ago.
        """
        behind = {tp: at for tp, end in ends.items() if (at := stored.get(tp, begins[tp])) < end}
        if any(self._behind.get(tp) == at for tp, at in behind.items()):
            message = f"records wait and none came for {IDLE_LOOK_S} s"
            raise TimeoutError(message)
        self._behind, self._next_look = behind, time.monotonic() + IDLE_LOOK_S
