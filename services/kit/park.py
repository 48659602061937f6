"""Records set aside: one that cannot be handled, and those of the same aggregate behind it, so that order holds.

Also the memory of versions: a record that is not newer than the last one handled of its aggregate has no effect.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

from pydantic import ValidationError

from services.contracts.base import Event
from services.contracts.topics import EVENTS, KEYS, parse
from services.kit import metrics
from services.kit.db import Connection, Database, affected
from services.kit.log import get_logger
from services.kit.outbox import append_dead_letter

if TYPE_CHECKING:
    from services.kit.consumer import PartitionedConsumer

log = get_logger(__name__)

#: Headers of a dead letter, named as Kafka's own dead letter queues name them in Streams 4.2 (KIP-1034).
_DLQ: Final = "__streams.errors."
_BIGINT_DIGITS: Final = 18
#: The error of a record that is only parked because it must not overtake.
BEHIND: Final = "behind a parked record"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record as it came, before anybody tried to understand it."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    headers: Mapping[str, str]

    @classmethod
    def read(cls, record: Any, prefix: str) -> Self:
        """Take over a driver's record."""
        # PostgreSQL keeps no NUL; a name in the log with one must not stop the partition.
        headers = {_text(name.encode()): _text(value) for name, value in record.headers}
        topic = record.topic.removeprefix(prefix)
        return cls(topic, record.partition, record.offset, record.key or b"", record.value, headers)

    @property
    def type(self) -> str:
        """The event's tag, or `tombstone`."""
        return "tombstone" if self.value is None else self.headers.get("type", "missing")

    @property
    def aggregate(self) -> tuple[str, str]:
        """Kind and id of the aggregate; without headers the record's key stands for it."""
        if self.topic == KEYS.name:
            return "key", _text(self.key)
        fallback = _text(self.key)
        return self.headers.get("aggregate", "?"), self.headers.get("aggregate_id", fallback)

    @property
    def aggregate_key(self) -> str:
        """Kind and id in one string."""
        return ":".join(self.aggregate)

    @property
    def version(self) -> int | None:
        """The aggregate's version, where the header tells one."""
        text = self.headers.get("aggregate_version", "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= _BIGINT_DIGITS else None

    def event(self) -> Event:
        """The event; UnknownEventTypeError or ValidationError when it is none."""
        return parse(self.type, self.value or b"")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\x00", "\ufffd")


def reason(error: Exception) -> str:
    """An error in words, without the content that it is about."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors(include_input=False)[:20])
    return repr(error)


SELECT_SEEN = """
SELECT s.aggregate, s.aggregate_id, s.version
FROM aggregate_seen s JOIN unnest($1::text[], $2::text[]) AS w (aggregate, aggregate_id) USING (aggregate, aggregate_id)
"""
UPSERT_SEEN = """
INSERT INTO aggregate_seen (aggregate, aggregate_id, version)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
ON CONFLICT (aggregate, aggregate_id) DO UPDATE SET version = excluded.version
WHERE excluded.version > aggregate_seen.version
"""


async def fresh(conn: Connection, incoming: Sequence[Incoming]) -> list[Incoming]:
    """Records newer than all seen of their aggregate, in order; remembers them as seen."""
    wanted = sorted({r.aggregate for r in incoming})
    rows = await conn.fetch(SELECT_SEEN, [a for a, _ in wanted], [i for _, i in wanted])
    seen = {(r["aggregate"], r["aggregate_id"]): r["version"] for r in rows}
    kept, newest = [], {}
    for record in incoming:
        version = record.version
        if version is not None:
            if version <= seen.get(record.aggregate, 0):
                metrics.CONSUMER_EVENTS.labels(type=record.type, outcome="repeated").inc()
                continue
            seen[record.aggregate] = newest[record.aggregate] = version
        kept.append(record)
    if newest:
        ordered = sorted(newest.items())
        await conn.execute(
            UPSERT_SEEN, [a for (a, _), _ in ordered], [i for (_, i), _ in ordered], [v for _, v in ordered]
        )
    return kept


SELECT_PARKED_AGGREGATES = "SELECT aggregate_key FROM parked_event WHERE aggregate_key = ANY($1::text[]) FOR SHARE"


async def parked_aggregates(conn: Connection, incoming: Sequence[Incoming]) -> frozenset[str]:
    """Which of the records' aggregates have something parked; waits for a replay of theirs to end."""
    rows = await conn.fetch(SELECT_PARKED_AGGREGATES, list({r.aggregate_key for r in incoming}))
    return frozenset(r["aggregate_key"] for r in rows)


INSERT_PARKED = """
INSERT INTO parked_event
    (topic, partition, record_offset, key, value, headers, type, aggregate_key, error, unknown_type, parked_at)
VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, $10, $11)
ON CONFLICT (topic, partition, record_offset) DO NOTHING
"""
COUNT_PARKED = "SELECT count(*) FROM parked_event"
COUNT_POISONED = "SELECT count(*) FROM parked_event WHERE parked_at > $1 AND error <> $2"


async def count_poisoned(conn: Connection, since: datetime) -> int:
    """How many records were parked since a moment for their own sake."""
    count: int = await conn.fetchval(COUNT_POISONED, since, BEHIND)
    return count


async def show_count(database: Database) -> None:
    """Set the gauge: other processes, and operators, park and replay as well."""
    async with database.connection() as conn:
        metrics.CONSUMER_PARKED.set(await conn.fetchval(COUNT_PARKED))


async def insert(
    conn: Connection, record: Incoming, error: str, at: datetime, *, dead_letters_of: str | None = None
) -> None:
    """Park a record; `dead_letters_of` also sends it, bytes untouched, to that service's dead letters."""
    await conn.execute(
        INSERT_PARKED,
        record.topic,
        record.partition,
        record.offset,
        record.key,
        record.value,
        json.dumps(dict(record.headers)),
        record.type,
        record.aggregate_key,
        error[:2000],
        record.type not in EVENTS and record.type != "tombstone",
        at,
    )
    metrics.CONSUMER_PARKED.set(await conn.fetchval(COUNT_PARKED))
    if dead_letters_of is not None:
        headers = {
            **record.headers,
            f"{_DLQ}message": error[:500],
            f"{_DLQ}topic": record.topic,
            f"{_DLQ}partition": str(record.partition),
            f"{_DLQ}offset": str(record.offset),
        }
        key = _text(record.key)
        await append_dead_letter(conn, dead_letters_of, key, record.value, headers, at)


SELECT_PARKED = """
SELECT id, topic, partition, record_offset, key, value, headers::text AS headers, error, parked_at
FROM parked_event WHERE aggregate_key = $1 ORDER BY id FOR UPDATE
"""
SELECT_KNOWN_AGAIN = """
SELECT aggregate_key FROM parked_event
WHERE unknown_type AND type = ANY($1::text[]) GROUP BY aggregate_key ORDER BY min(id)
"""
DELETE_PARKED = "DELETE FROM parked_event WHERE id = $1"
INSERT_DECISION = """
INSERT INTO park_decision
    (decision, topic, partition, record_offset, type, aggregate_key, event_id, error, decided_by, reason, decided_at)
SELECT $2, topic, partition, record_offset, type, aggregate_key, headers ->> 'id', error, $3, $4, $5
FROM parked_event WHERE id = $1
"""


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided about parked records, why, when."""

    by: str
    why: str
    at: datetime


async def _note(conn: Connection, parked_id: int, what: str, decision: Decision) -> int:
    return affected(await conn.execute(INSERT_DECISION, parked_id, what, decision.by, decision.why, decision.at))


async def discard(conn: Connection, parked_id: int, decision: Decision) -> bool:
    """Give a parked record up, for good; False when it is not parked any more."""
    if not await _note(conn, parked_id, "discarded", decision):
        return False
    await conn.execute(DELETE_PARKED, parked_id)
    metrics.CONSUMER_PARKED.set(await conn.fetchval(COUNT_PARKED))
    return True


async def replay(consumer: "PartitionedConsumer", aggregate_key: str, decision: Decision | None = None) -> int:
    """Handle an aggregate's parked records in order, in one transaction; returns how many. Raises what they raise."""
    count = 0
    async with consumer.database.transaction() as conn:
        # Looked for until none is left: the consumer may have parked one more while this waited for the rows.
        while rows := await conn.fetch(SELECT_PARKED, aggregate_key):
            for row in rows:
                headers = json.loads(row["headers"])
                record = Incoming(
                    row["topic"], row["partition"], row["record_offset"], row["key"], row["value"], headers
                )
                await consumer.handle_one(conn, record)
                if decision is not None:
                    await _note(conn, row["id"], "replayed", decision)
                await conn.execute(DELETE_PARKED, row["id"])
            count += len(rows)
        metrics.CONSUMER_PARKED.set(await conn.fetchval(COUNT_PARKED))
    return count


async def replay_known_types(consumer: "PartitionedConsumer") -> None:
    """At a start: replay what was parked for an unknown type that this version knows."""
    async with consumer.database.connection() as conn:
        rows = await conn.fetch(SELECT_KNOWN_AGAIN, list(EVENTS))
    for row in rows:
        try:
            count = await replay(consumer, row["aggregate_key"])
            log.info("parked records replayed", aggregate=row["aggregate_key"], count=count)
        except Exception as error:  # noqa: BLE001 - it stays parked; the start goes on
            log.error("parked records stay", aggregate=row["aggregate_key"], error=reason(error))  # noqa: TRY400 - no traceback wanted
