"""How far this process is behind in the partitions it has, in records and in time, without a request for it."""

import time
from collections import defaultdict
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.kit import metrics


class Lag:
    """Remembers when what was handled last had been written, and sets the gauges."""

    def __init__(self) -> None:
        """Nothing was handled yet."""
        self._written_ms: dict[TopicPartition, int] = {}
        self._shown: set[str] = set()

    def handled(self, tp: TopicPartition, timestamp_ms: int) -> None:
        """Note the broker's time of the last record of a batch."""
        self._written_ms[tp] = timestamp_ms

    def show(self, driver: AIOKafkaConsumer, held: Mapping[TopicPartition, int], prefix: str) -> None:
        """Set the gauges of every topic of which partitions are held; of topics that were lost, zero."""
        now_ms = time.time() * 1000  # noqa: TID251 - the broker's time is the wall clock's
        records: dict[str, int] = defaultdict(int)
        seconds: dict[str, float] = defaultdict(float)
        for tp, offset in held.items():
            topic = tp.topic.removeprefix(prefix)
            high = driver.highwater(tp) if tp in driver.assignment() else None
            behind = max(0, high - offset) if high is not None else 0
            records[topic] += behind
            if behind and (written := self._written_ms.get(tp)):
                seconds[topic] = max(seconds[topic], (now_ms - written) / 1000)
        for topic in self._shown | records.keys():
            metrics.CONSUMER_LAG.labels(topic=topic).set(records.get(topic, 0))
            metrics.CONSUMER_LAG_SECONDS.labels(topic=topic).set(max(0.0, seconds.get(topic, 0.0)))
        self._shown |= records.keys()
