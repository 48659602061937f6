"""The relay: from the outbox to Kafka, in order per key, at least once, by one leader per service.

Leadership is a session lock; the same session reads the batch, so a leader that lost its lock fails before it sends.
The producer is disposable: on any error but a refused record it is dropped and the outbox read again, because the
driver cannot recover from a sequence gap and may wait for ever (aiokafka#1017, #1039).
"""

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from services.contracts.topics import TOPICS
from services.kit import metrics, signature
from services.kit.db import INFRASTRUCTURE_ERRORS, Database
from services.kit.driver import DriverCancelledError, ask
from services.kit.log import get_logger
from services.kit.pulse import Beat, nothing

if TYPE_CHECKING:
    from services.kit.settings import Settings

log = get_logger(__name__)

BATCH: Final = 500
SEND_DEADLINE_S: Final = 15.0
STOP_S: Final = 2.0
AFTER_WORK_S: Final = 0.02
IDLE_S: Final = 0.25
_FIRST: Final = frozenset(t.name for t in TOPICS if t.first)

#: A wrapped key stands in the one table that is wiped, and joins its event here.
SELECT_PENDING = """
SELECT o.seq, o.topic, o.key, o.headers::text AS headers, o.occurred_at, coalesce(convert_to((CASE
           WHEN e.type IN ('key.set.v2', 'question_key.set.v1') THEN e.payload || jsonb_build_object('wrapped', k.key) ELSE e.payload END
       )::text, 'UTF8'), o.value) AS value
FROM outbox o LEFT JOIN event e ON e.occurred_at = o.occurred_at AND e.event_id = o.event_id
LEFT JOIN shred_key k ON e.type IN ('key.set.v2', 'question_key.set.v1') AND k.aggregate_id = e.aggregate_id
WHERE o.error IS NULL
  AND NOT EXISTS (SELECT FROM outbox p WHERE p.error IS NOT NULL AND p.topic = o.topic AND p.key = o.key)
ORDER BY o.seq LIMIT $1
"""
DELETE_SENT = "DELETE FROM outbox WHERE seq = ANY($1::bigint[])"
PARK_ROW = "UPDATE outbox SET error = $2 WHERE seq = $1"
TRY_LOCK = "SELECT pg_try_advisory_lock(hashtext('relay'), hashtext(current_user))"
SELECT_CHANNEL = "SELECT 'relay ' || current_user"
KNOCK = "SELECT pg_notify('relay ' || current_user, '')"


@dataclass(frozen=True, slots=True)
class _Pending:
    seq: int
    topic: str
    key: str
    headers: tuple[tuple[str, bytes], ...]
    value: bytes | None
    occurred_at: datetime


class Relay:
    """Sends what waits. `wake` is set after every commit of this process."""

    def __init__(self, database: Database, settings: "Settings", gather_s: float = AFTER_WORK_S) -> None:
        """Prepare only: nothing is sent before `run`. After a batch more may gather for so many seconds (`gather_s`)."""
        self._database = database
        self._settings = settings
        self._gather_s = gather_s
        self._producer: AIOKafkaProducer | None = None
        self._root = settings.root
        self.wake = asyncio.Event()
        #: Called at every turn: a try, a look at the outbox, a batch.
        self.beat: Beat = nothing
        self._leads = False
        self._trouble: str | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until stopped; every failure is logged, waited out and tried again."""
        self._database.listeners.append(self.wake)
        pause = 0.25
        try:
            while not stop.is_set():
                self.beat()
                try:
                    await self._lead(stop)
                    pause = 0.25
                except (*INFRASTRUCTURE_ERRORS, asyncpg.PostgresError, KafkaError) as error:
                    metrics.OUTBOX_ERRORS.labels(kind=type(error).__name__).inc()
                    log.warning("relay interrupted", error=repr(error))
                    self._trouble = repr(error)
                    pause = min(pause * 2, 5.0)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), pause)
        finally:
            await self._drop_producer()

    async def _lead(self, stop: asyncio.Event) -> None:
        """Relay until stopped; while another process leads, tell it of every commit of this one."""
        session = await self._database.dedicated()
        try:
            while not await self._take_lead(session):
                self._trouble = None
                if stop.is_set():
                    return
                if await self._stand_by():
                    await session.execute(KNOCK)
            # A commit in a process that stands by wakes this one as its own do.
            await session.add_listener(await session.fetchval(SELECT_CHANNEL), lambda *_: self.wake.set())
            self._show_leading(leads=True)
            while not stop.is_set():
                # Before the look, not after it: a commit during the batch is looked for at once.
                self.wake.clear()
                self.beat()
                sent = await self._send_batch(session)
                if 0 < sent < BATCH:
                    # What is said in the meantime goes with the next batch.
                    await asyncio.sleep(self._gather_s)
                elif not sent:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self.wake.wait(), IDLE_S)
        finally:
            self._show_leading(leads=False)
            with contextlib.suppress(*INFRASTRUCTURE_ERRORS, asyncpg.PostgresError):
                await session.close(timeout=2)

    async def _stand_by(self) -> bool:
        """Wait for a commit of this process and tell whether there was one; not for long, for whoever leads may be gone."""
        self.beat()
        await asyncio.sleep(AFTER_WORK_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wake.wait(), IDLE_S)
        committed = self.wake.is_set()
        self.wake.clear()
        return committed

    async def _take_lead(self, session: asyncpg.Connection) -> bool:
        """Take the lock that makes this the only relay of its service, for as long as the session lives."""
        taken: bool = await session.fetchval(TRY_LOCK)
        return taken

    async def _send_batch(self, session: asyncpg.Connection) -> int:
        """Send what waits, up to a batch, and delete what was acknowledged; returns how many rows that were."""
        rows = [
            _Pending(r["seq"], r["topic"], r["key"], _headers(r["headers"]), r["value"], r["occurred_at"])
            for r in await session.fetch(SELECT_PENDING, BATCH)
        ]
        if not rows:
            self._trouble = None
            return 0
        sent: list[int] = []
        for wave in self._waves(rows):
            acked = await self._send(session, wave)
            sent += acked
            if len(acked) < len(wave):
                break
        # After the acknowledgement, in a session that still leads: who dies in between sends again, and loses nothing.
        await session.execute(DELETE_SENT, sent)
        return len(sent)

    def _waves(self, rows: list[_Pending]) -> list[list[_Pending]]:
        """Rows as they are sent, each wave when the one before was acknowledged: keys before what they open."""
        first = [r for r in rows if r.topic in _FIRST]
        return [wave for wave in (first, [r for r in rows if r.topic not in _FIRST]) if wave]

    async def _send(self, session: asyncpg.Connection, rows: list[_Pending]) -> list[int]:
        """Send rows and wait for all acks; returns the numbers of the longest acknowledged prefix per key."""
        producer = await self._ensure_producer()
        self.beat()
        outcomes: dict[int, BaseException | None] = {}
        acks: dict[int, asyncio.Future[Any]] = {}
        try:
            await ask(self._enqueue(producer, rows, acks, outcomes), SEND_DEADLINE_S)
        except (TimeoutError, DriverCancelledError) as error:
            self._trouble = repr(error)
            metrics.OUTBOX_ERRORS.labels(kind="deadline" if isinstance(error, TimeoutError) else "cancelled").inc()
        self.beat()
        outcomes |= {seq: _outcome(ack) for seq, ack in acks.items() if ack.done()}
        await self._park_refused(session, rows, outcomes)
        acked = list(_acked_prefixes(rows, outcomes))
        for row in acked:
            metrics.OUTBOX_PUBLISHED.labels(topic=row.topic).inc()
        if len(acked) == len(rows):
            self._trouble = None
        else:
            await self._drop_producer()
        return [r.seq for r in acked]

    async def _enqueue(
        self,
        producer: AIOKafkaProducer,
        rows: list[_Pending],
        acks: dict[int, "asyncio.Future[Any]"],
        outcomes: dict[int, BaseException | None],
    ) -> None:
        """Hand rows to the driver and wait; behind a row that it refuses, nothing of the same key may overtake."""
        refused: set[tuple[str, str]] = set()
        for row in rows:
            if (row.topic, row.key) in refused:
                continue
            try:
                acks[row.seq] = await producer.send(
                    self._settings.topic_prefix + row.topic,
                    row.value,
                    key=row.key.encode(),
                    headers=self._signed(row),
                    timestamp_ms=int(row.occurred_at.timestamp() * 1000),
                )
            except KafkaError as error:
                outcomes[row.seq] = error
                refused.add((row.topic, row.key))
        # Waits without cancelling: a deadline must find the futures as the driver left them.
        if acks:
            await asyncio.wait(acks.values())

    def _signed(self, row: _Pending) -> list[tuple[str, bytes]]:
        """A row's headers, with the root key's signature where the topic asks for one."""
        headers = {name: value for name, value in row.headers if name != signature.HEADER}
        if row.topic in signature.SIGNED and self._root is not None:
            texts = {name: value.decode() for name, value in headers.items()}
            headers[signature.HEADER] = signature.sign(self._root, row.topic, row.key.encode(), row.value, texts)
        return list(headers.items())

    async def _park_refused(
        self, session: asyncpg.Connection, rows: list[_Pending], outcomes: dict[int, BaseException | None]
    ) -> None:
        """A record that the broker will never take is set aside with those behind it; the rest flows."""
        for row in rows:
            error = outcomes.get(row.seq)
            if isinstance(error, MessageSizeTooLargeError):
                log.error("outbox row parked", seq=row.seq, topic=row.topic, error=repr(error))
                await session.execute(PARK_ROW, row.seq, repr(error))

    async def _ensure_producer(self) -> AIOKafkaProducer:
        """The producer at hand, started when there is none."""
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._settings.broker.options(),
                enable_idempotence=True,
                acks="all",
                max_batch_size=256 * 1024,
                linger_ms=5,
                compression_type="zstd",
                request_timeout_ms=10_000,
            )
            try:
                await ask(producer.start(), SEND_DEADLINE_S)
            except BaseException:
                await _stop(producer)
                raise
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)

    def _show_leading(self, *, leads: bool) -> None:
        self._leads = leads
        metrics.RELAY_LEADER.set(int(leads))

    def facts(self) -> dict[str, Any]:
        """What it tells of itself at `/livez`."""
        return {"leader": self._leads, "trouble": self._trouble}


def _headers(text: str) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, value.encode()) for name, value in json.loads(text).items())


def _outcome(ack: "asyncio.Future[Any]") -> BaseException | None:
    """None when acknowledged; the driver cancels what it gives up."""
    return asyncio.CancelledError() if ack.cancelled() else ack.exception()


def _acked_prefixes(rows: Iterable[_Pending], outcomes: dict[int, BaseException | None]) -> Iterable[_Pending]:
    """Rows acknowledged with nothing unacknowledged of the same topic and key before them.

    An acknowledged row behind such a one stays in the outbox and is sent again, after it: were it deleted, the one
    before would arrive behind a newer version, and whoever saw the newer one takes it for old.
    """
    broken: dict[tuple[str, str], bool] = defaultdict(bool)
    for row in rows:
        place = (row.topic, row.key)
        if row.seq not in outcomes or outcomes[row.seq] is not None:
            broken[place] = True
        if not broken[place]:
            yield row


async def _stop(producer: AIOKafkaProducer) -> None:
    """Stop under a deadline; a producer that hangs is left to the garbage collector with its connections closed."""
    try:
        await ask(producer.stop(), STOP_S)
    except (TimeoutError, KafkaError, OSError):
        with contextlib.suppress(Exception):
            await ask(producer.client.close(), STOP_S)
