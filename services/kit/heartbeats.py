"""What keeps the logs of keys moving, so that the broker forgets within the hour what was destroyed."""

from datetime import datetime
from itertools import count
from typing import Final

from aiokafka.partitioner import DefaultPartitioner

from services.contracts.topics import KEYS, Topic
from services.kit.db import Connection
from services.kit.outbox import append_tombstones

_PARTITIONS: Final = list(range(KEYS.partitions))


def _partition_of(key: str) -> int:
    """Where the relay's driver puts a key."""
    place: int = DefaultPartitioner()(key.encode(), _PARTITIONS, _PARTITIONS)
    return place


#: A key for each partition of the topic that is nobody's: its tombstones say nothing and leave one record in the log.
HEARTBEATS: Final = tuple(
    next(name for n in count() if _partition_of(name := f"heartbeat-{n}") == place) for place in range(KEYS.partitions)
)


async def beat_keys(conn: Connection, at: datetime, topic: Topic = KEYS) -> None:
    """Queue a tombstone of nothing for every partition of a topic of keys; both have as many.

    The broker closes a segment, and compacts it, only when another record comes: without this one a key that was destroyed
    on a quiet evening is still in the log when the week begins. All have version 1, so whoever heard one takes no other.
    """
    await append_tombstones(conn, topic, dict.fromkeys(HEARTBEATS, 1), at=at)
