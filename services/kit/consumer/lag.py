"""How far this process is behind in the partitions it has, in records and in time, without a request for it."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.kit import metrics
from services.kit.pulse import Backlog

_N = TypeVar("_N", int, float)


class Lag:
    """Remembers what it saw last, and when; what nobody has seen for a while is unknown, and never zero."""

    def __init__(self, prefix: str) -> None:
        """Nothing was handled yet; `prefix` stands before every topic's name."""
        self._prefix = prefix
        self._written_ms: dict[TopicPartition, int] = {}
        self._backlogs: dict[TopicPartition, Backlog] = {}
        self._polled: float | None = None
        #: What the consumer waits for instead of polling.
        self.trouble: str | None = None

    def note_poll(self) -> None:
        """A poll has returned: nothing keeps the consumer from polling any more."""
        self._polled, self.trouble = time.monotonic(), None
        metrics.CONSUMER_LAST_POLL.set(time.time())  # noqa: TID251 - a metric of the wall clock

    def note_handled(self, tp: TopicPartition, timestamp_ms: int) -> None:
        """Note the broker's time of the last record of a batch."""
        self._written_ms[tp] = timestamp_ms

    def look(self, driver: AIOKafkaConsumer, held: Mapping[TopicPartition, int]) -> None:
        """Note how far the held offsets are from the ends that the driver knows; what others have is theirs to tell."""
        assigned = driver.assignment()
        self._backlogs = {tp: self._backlogs.get(tp) or Backlog() for tp in assigned}
        for tp in assigned & held.keys():
            if (high := driver.highwater(tp)) is not None:
                self._backlogs[tp].see(max(0, high - held[tp]), held[tp])

    def records(self) -> dict[tuple[str, ...], float]:
        """Records still to be handled, by topic; no entry for a topic of which a part is unknown."""
        sizes: dict[tuple[str, ...], list[int | None]] = defaultdict(list)
        for tp, backlog in self._backlogs.items():
            sizes[self._topic(tp)].append(backlog.size())
        return {topic: sum(known) for topic, seen in sizes.items() if len(known := _known(seen)) == len(seen)}

    def seconds(self) -> dict[tuple[str, ...], float]:
        """While records of a topic wait: how long ago what was handled last had been written; 0 when none wait."""
        now_ms = time.time() * 1000  # noqa: TID251 - the broker's time is the wall clock's
        seconds = dict.fromkeys(self.records(), 0.0)
        for tp, backlog in self._backlogs.items():
            if (topic := self._topic(tp)) in seconds and backlog.size() and (written := self._written_ms.get(tp)):
                seconds[topic] = max(seconds[topic], (now_ms - written) / 1000)
        return seconds

    def still_s(self) -> float | None:
        """For how long records wait in a partition that does not move; the longest."""
        return max(_known(b.still_s() for b in self._backlogs.values()), default=None)

    def facts(self) -> dict[str, Any]:
        """What the consumer tells at `/livez`; None is unknown."""
        records, still = self.records(), self.still_s()
        whole = self._backlogs and len(records) == len({self._topic(tp) for tp in self._backlogs})
        return {
            "last_poll_age_seconds": None if self._polled is None else round(time.monotonic() - self._polled, 1),
            "lag_records": int(sum(records.values())) if whole else None,
            "backlog_still_seconds": None if still is None else round(still, 1),
            "trouble": self.trouble,
        }

    def _topic(self, tp: TopicPartition) -> tuple[str, ...]:
        return (tp.topic.removeprefix(self._prefix),)


def _known(values: Iterable[_N | None]) -> list[_N]:
    return [v for v in values if v is not None]
