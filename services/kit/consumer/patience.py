"""How long partitions wait before they are tried again, and when a record has been tried for long enough."""

import time
from typing import Final

from aiokafka import TopicPartition

#: How long a partition waits when a handler cannot do its work yet.
RETRY_AFTER_S: Final = 1.0
#: A code that is still unknown after so long will not become known by waiting.
RETRY_LIMIT_S: Final = 300.0


class Patience:
    """What waits for a while, by partition; the record in front is the one that is tried again."""

    def __init__(self) -> None:
        """Nothing waits."""
        self._until: dict[TopicPartition, float] = {}
        self._since: dict[TopicPartition, tuple[int, float]] = {}

    def wait(self, tp: TopicPartition, seconds: float) -> None:
        """Leave a partition alone for so long."""
        self._until[tp] = time.monotonic() + seconds

    def waits(self, tp: TopicPartition) -> bool:
        """Tell whether a partition is to be left alone."""
        return self._until.get(tp, 0) > time.monotonic()

    def lose(self, tp: TopicPartition, offset: int) -> bool:
        """Note that a record has to be tried again; True when it has been for longer than the limit, and is given up.

        One clock a partition is enough: nothing behind the record is tried before it is done or parked, so another
        offset means that the one before is over.
        """
        now = time.monotonic()
        since = self._since.get(tp)
        if since is None or since[0] != offset:
            self._since[tp] = (offset, now)
            return False
        return now - since[1] > RETRY_LIMIT_S
