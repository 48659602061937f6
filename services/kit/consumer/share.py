"""What a poll brought of one partition."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord, TopicPartition

from services.contracts.topics import Topic
from services.kit.consumer.handling import Effects
from services.kit.record import Incoming


@dataclass(frozen=True, slots=True)
class Share:
    """The records that have an effect, where the partition goes on, and when its last record was written (ms since 1970)."""

    tp: TopicPartition
    wanted: Sequence[Incoming]
    next_offset: int
    newest_ms: int = 0


def read_share(
    tp: TopicPartition, records: Sequence[ConsumerRecord], effects: Effects, topic: Topic, prefix: str
) -> Share:
    """Read the records of a partition, at least one, of a topic that stands under a prefix; keep what has an effect."""
    incoming = [Incoming.read(record, prefix) for record in records]
    wanted = [record for record in incoming if effects.concerns(record, topic)]
    return Share(tp, wanted, incoming[-1].offset + 1, records[-1].timestamp)
