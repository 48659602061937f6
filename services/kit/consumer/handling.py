"""What a record does in a service: the kit's own copies first, then the read model, then the reactions."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.contracts.base import Event
from services.contracts.keys import KeySet
from services.contracts.topics import EVENTS, KEYS, TOPIC_OF, Topic
from services.kit import metrics, park, reference
from services.kit.clock import Clock
from services.kit.db import Connection
from services.kit.errors import Reject
from services.kit.park import Incoming
from services.kit.pulse import Beat
from services.kit.settings import Settings
from services.kit.shred import save_key


@dataclass(frozen=True, slots=True)
class ConsumerGuards:
    """What protects the consumer; tests switch one off to prove that they would see the loss."""

    ready: bool = True
    fence: bool = True
    versions: bool = True
    park: bool = True
    compacted_first: bool = True
    atomic_offset: bool = True
    watchdog: bool = True


@dataclass(slots=True)
class Handling:
    """What a handler works with: the batch's transaction, the time, the reference copy, and its service's state."""

    conn: Connection
    clock: Clock
    reference: reference.Reference
    settings: Any


Handler = Callable[[Handling, Any], Awaitable[None]]
Handlers = Mapping[type[Event], Handler]


class Effects:
    """Applies records in a transaction that somebody else opened and will end."""

    def __init__(
        self,
        settings: Settings,
        ref: reference.Reference,
        clock: Clock,
        maps: tuple[Handlers, Handlers],
        guards: ConsumerGuards,
        beat: Beat,
    ) -> None:
        """`maps` are PROJECT and REACT, run in this order; `beat` is called at every record."""
        self._settings = settings
        self._reference = ref
        self._clock = clock
        self._maps = maps
        self._guards = guards
        self._beat = beat

    def concerns(self, record: Incoming, topic: Topic) -> bool:
        """Tell whether a record has an effect here; what is known and handled by nobody has none."""
        model = EVENTS.get(record.type)
        return (
            model is None
            or topic.compacted
            or TOPIC_OF[record.type].name != record.topic
            or any(model in handlers for handlers in self._maps)
        )

    async def handle(self, conn: Connection, incoming: Sequence[Incoming]) -> None:
        """Apply what is new; what stands behind a parked record of its aggregate is parked too."""
        fresh = await park.fresh(conn, incoming) if self._guards.versions else list(incoming)
        behind = await park.parked_aggregates(conn, incoming) if self._guards.park else frozenset()
        for record in fresh:
            if record.aggregate_key in behind:
                await park.insert(conn, record, park.BEHIND, self._clock.now())
                outcome = "parked"
            else:
                await self.handle_one(conn, record)
                outcome = "done"
            metrics.CONSUMER_EVENTS.labels(type=record.type, outcome=outcome).inc()

    async def handle_one(self, conn: Connection, record: Incoming) -> None:
        """Apply one record."""
        self._beat()
        if record.topic == KEYS.name:
            await save_key(conn, record.key.decode(), None if record.value is None else _key_of(record))
            return
        event = record.event()
        await reference.project(conn, event)
        handling = Handling(conn, self._clock, self._reference, self._settings)
        for handlers in self._maps:
            if (handler := handlers.get(type(event))) is not None:
                await handler(handling, event)


def _key_of(record: Incoming) -> str:
    event = record.event()
    if not isinstance(event, KeySet):
        message = f"{event.type} does not belong on the topic of keys"
        raise Reject(message)
    return event.key
