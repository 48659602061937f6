"""Keys that records came before: how long they are waited for, and when one counts as destroyed."""

from collections.abc import Iterable, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer

from services.contracts.topics import KEY_TOPICS, Topic
from services.kit.consumer.ends import Ends, Offsets
from services.kit.db import Database
from services.kit.record import Incoming
from services.kit.shred import give_up_key

#: The relay sends keys first; what is on its way comes with the next poll.
KEY_WAIT_S: Final = 0.02


class MissingKeys:
    """The aggregates whose key was missed.

    From the second miss on the ends of the topics of keys are noted; a key still missing when that is read was shredded.
    Not from the first: the relay sends keys first, so the poll that comes next nearly always brings the key, and
    the log need not be asked. Once the noted end is read waiting is over for good: a compacted topic has no key
    for this record any more, and whoever waited on would hold up the partition for ever.
    """

    def __init__(self, ends: Ends, database: Database, topics: Iterable[Topic]) -> None:
        """Begin with none; of `topics` those with keys are asked where they end."""
        self._ends = ends
        self._database = database
        self._keys = [t for t in topics if t.name in KEY_TOPICS]
        #: Missed once (None), then with the ends to be reached before it counts as shredded.
        self._missed: dict[str, Offsets | None] = {}

    async def miss(self, aggregate_id: str, driver: AIOKafkaConsumer | None) -> float | None:
        """Note that a key is missing; the seconds after which the log is read again, None for at once."""
        if aggregate_id not in self._missed:
            self._missed[aggregate_id] = None
        elif (noted := self._missed[aggregate_id]) is None:
            self._missed[aggregate_id] = await self._ends.ask(driver, self._keys)
            return KEY_WAIT_S
        elif await self._ends.reached(noted):
            async with self._database.transaction() as conn:
                await give_up_key(conn, aggregate_id)
            del self._missed[aggregate_id]
        return None

    def come(self, incoming: Sequence[Incoming]) -> None:
        """Note that records were handled: their keys are missed no more."""
        if self._missed:
            for record in incoming:
                self._missed.pop(record.aggregate[1], None)
