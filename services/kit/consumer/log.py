"""Reads a service's topics from their beginning, outside its group and without touching its offsets: for rebuilds."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.contracts.topics import Topic
from services.kit.driver import ask, end
from services.kit.record import Incoming
from services.kit.settings import Settings

#: A topic's full name (prefix included) and a partition.
Place = tuple[str, int]
#: So long without a record where records must be: the log is not what the offsets say.
SILENT_LIMIT_S: Final = 30.0
START_S: Final = 60.0
CLOSE_S: Final = 5.0
MAX_RECORDS: Final = 4000


class LogReader:
    """Partitions read up to offsets that may rise; each record is handed out once."""

    def __init__(self, settings: Settings, topics: Sequence[Topic]) -> None:
        """Prepare only; used as a context manager."""
        self._settings = settings
        self.places: list[Place] = [(settings.topic_prefix + t.name, n) for t in topics for n in range(t.partitions)]
        self._at: dict[TopicPartition, int] = {}
        self._driver = AIOKafkaConsumer(
            **settings.broker.options(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=4 * 1024 * 1024,
        )

    async def __aenter__(self) -> Self:
        try:
            await ask(self._driver.start(), START_S)
        except BaseException:
            # Nobody else ends a driver that did not come up.
            await end(self._driver.stop(), CLOSE_S)
            raise
        partitions = [TopicPartition(*p) for p in self.places]
        self._driver.assign(partitions)
        self._at = dict(await ask(self._driver.beginning_offsets(partitions), SILENT_LIMIT_S))
        for tp, begin in self._at.items():
            self._driver.seek(tp, begin)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await end(self._driver.stop(), CLOSE_S)

    async def ends(self) -> dict[Place, int]:
        """Where the partitions end at this moment."""
        ends = await ask(self._driver.end_offsets(list(self._at)), SILENT_LIMIT_S)
        return {(tp.topic, tp.partition): end for tp, end in ends.items()}

    def left(self, until: Mapping[Place, int]) -> int:
        """How many offsets stand between here and there."""
        return sum(max(0, until.get((tp.topic, tp.partition), 0) - at) for tp, at in self._at.items())

    async def read(self, until: Mapping[Place, int]) -> AsyncIterator[list[tuple[Place, list[Incoming]]]]:
        """Batches of what stands before the given offsets and was not handed out yet."""
        ahead = {tp for tp, at in self._at.items() if at < until.get((tp.topic, tp.partition), 0)}
        self._driver.pause(*(self._at.keys() - ahead))
        self._driver.resume(*ahead)
        while ahead:
            polled = await ask(self._driver.getmany(*ahead, timeout_ms=500, max_records=MAX_RECORDS), SILENT_LIMIT_S)
            batches = []
            for tp, records in polled.items():
                end = until[tp.topic, tp.partition]
                wanted = [Incoming.read(r, self._settings.topic_prefix) for r in records if r.offset < end]
                batches.append(((tp.topic, tp.partition), wanted))
            # Where a compacted log has gaps, the position tells, not the last record.
            positions = await ask(self._positions(ahead), SILENT_LIMIT_S)
            for tp, position in positions.items():
                end = until[tp.topic, tp.partition]
                self._at[tp] = min(position, end)
                if self._at[tp] >= end:
                    self._driver.seek(tp, end)
                    self._driver.pause(tp)
                    ahead.discard(tp)
            yield batches

    async def _positions(self, ahead: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {tp: await self._driver.position(tp) for tp in ahead}


class LogAwayError(ConnectionError):
    """The broker does not hand out what was asked of it."""


async def read_whole(settings: Settings, topics: Sequence[Topic]) -> list[Incoming]:
    """All that stands on small topics at this moment; LogAwayError when the broker does not hand it out."""
    try:
        async with LogReader(settings, topics) as reader:
            ends = await reader.ends()
            return [r async for batches in reader.read(ends) for _, records in batches for r in records]
    except (KafkaError, OSError, TimeoutError) as error:
        raise LogAwayError(repr(error)) from error
