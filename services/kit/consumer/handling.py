"""What a record does in a service: the kit's own copies first, then the read model, then the reactions."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from services.contracts.base import Event
from services.contracts.keys import KeySet, QuestionKeySet, WrappedKeySet
from services.contracts.topics import EVENTS, KEY_TOPICS, TOPIC_OF, Topic
from services.kit import metrics, park, reference, signature
from services.kit.clock import Clock
from services.kit.db import Connection, Model, ServingModel
from services.kit.errors import Reject
from services.kit.pulse import Beat
from services.kit.record import Incoming
from services.kit.reference import Reference
from services.kit.shred import KeySealError, find_key, key_at_rest, save_key


class Keys(Protocol):
    """The keys of contents, as handlers need them."""

    async def find(self, aggregate_id: str) -> str | None:
        """A key as it rests; None when it was shredded, KeyMissingError when it is not known (yet)."""
        ...

    async def destroy(self, aggregate_id: str) -> None:
        """Let nobody open anything with a key again."""
        ...


class KeyTable:
    """The service's own copy of the keys."""

    def __init__(self, conn: Connection) -> None:
        """Take the connection on which the transaction is open."""
        self._conn = conn

    async def find(self, aggregate_id: str) -> str | None:
        """Look it up in the table."""
        return await find_key(self._conn, aggregate_id)

    async def destroy(self, aggregate_id: str) -> None:
        """Leave its tombstone in the table."""
        await save_key(self._conn, aggregate_id, None)


@dataclass(slots=True)
class Handling:
    """What a handler works with: the batch's transaction, the time, the reference copy, and its service's state.

    `PROJECT` handlers fill the read model by `model` and ask `keys`; by `conn` they reach what the service owns beside it,
    and of that there is nothing while a read model is built anew.
    """

    conn: Connection
    clock: Clock
    reference: Reference
    settings: Any
    model: Model
    keys: Keys
    #: Handled before: what was checked then need not be checked again.
    again: bool = False

    @classmethod
    def serving(cls, conn: Connection, clock: Clock, ref: Reference, settings: Any) -> Self:
        """For a record that is handled for the first time, in the transaction of its batch."""
        return cls(conn, clock, ref, settings, ServingModel(conn), KeyTable(conn))


Handler = Callable[[Handling, Any], Awaitable[None]]
Handlers = Mapping[type[Event], Handler]


class Effects:
    """Applies records in a transaction that somebody else opened and will end."""

    def __init__(
        self,
        settings: Any,
        ref: Reference,
        clock: Clock,
        *,
        project: Handlers | None = None,
        react: Handlers | None = None,
    ) -> None:
        """`project` and `react` are a service's handlers, run in this order."""
        self.reference = ref
        self.clock = clock
        self._settings = settings
        self._maps = (project or {}, react or {})

    def concerns(self, record: Incoming, topic: Topic) -> bool:
        """Tell whether a record has an effect here; what is known and handled by nobody has none."""
        model = EVENTS.get(record.type)
        return (
            model is None
            or topic.compacted
            or TOPIC_OF[record.type].name != record.topic
            or any(model in handlers for handlers in self._maps)
        )

    async def handle(self, conn: Connection, incoming: Sequence[Incoming], beat: Beat) -> None:
        """Apply what is new and true; what stands behind a parked record of its aggregate is parked too. Beats at each record."""
        # Before any version is remembered: a forged one would keep the true ones out.
        incoming = await signature.trusted(conn, incoming, self._settings.registry_root)
        new = await park.take_new(conn, incoming)
        behind = await park.lock_parked_aggregates(conn, incoming)
        for record in new:
            if record.aggregate_key in behind:
                await park.set_aside(conn, record, park.BEHIND, self.clock.now())
                outcome = "parked"
            else:
                beat()
                await self.handle_one(conn, record)
                outcome = "done"
            metrics.CONSUMER_EVENTS.labels(type=record.type, outcome=outcome).inc()

    async def handle_one(self, conn: Connection, record: Incoming) -> None:
        """Apply one record as for the first time, whatever was seen of its aggregate: parked ones come back this way."""
        if record.topic in KEY_TOPICS:
            await save_key(conn, record.key.decode(), None if record.value is None else _key_of(record))
            return
        event = record.event()
        await reference.project(conn, event)
        handling = Handling.serving(conn, self.clock, self.reference, self._settings)
        for handlers in self._maps:
            if (handler := handlers.get(type(event))) is not None:
                await handler(handling, event)


def _key_of(record: Incoming) -> str:
    event = record.event()
    if not isinstance(event, KeySet | WrappedKeySet | QuestionKeySet):
        message = f"{event.type} does not belong on a topic of keys"
        raise Reject(message)
    try:
        return key_at_rest(event)
    except KeySealError as error:
        raise Reject(str(error)) from error
