"""The consumer: from topics to handlers, effect and offset in one transaction, fenced against zombies.

The truth of "how far" is the row in `consumer_offset`. A batch locks it, compares it with the value this process
holds, applies the handlers, moves it, commits; a process that lost the partition while frozen finds another value and
forgets the partition. The driver hands out records before the assignment callback was awaited (aiokafka#738), so
records of a partition whose offset was not loaded when they were handed out are dropped: the seek that follows brings
them again.
"""

from services.kit.consumer.assignment import Assignment, LogLostError
from services.kit.consumer.handling import Effects, Handler, Handlers, Handling
from services.kit.consumer.identity import AnotherLogError
from services.kit.consumer.partitioned import PartitionedConsumer
from services.kit.consumer.replays import replay

__all__ = [
    "AnotherLogError",
    "Assignment",
    "Effects",
    "Handler",
    "Handlers",
    "Handling",
    "LogLostError",
    "PartitionedConsumer",
    "replay",
]
