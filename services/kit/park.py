"""Records set aside: one that cannot be handled, and those of the same aggregate behind it, so that order holds.

Also the memory of versions: a record that is not newer than the last one handled of its aggregate has no effect.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from services.contracts.topics import EVENTS
from services.kit import metrics
from services.kit.db import Connection, affected
from services.kit.outbox import append_dead_letter
from services.kit.record import Incoming, text_of

#: Headers of a dead letter, named as Kafka's own dead letter queues name them in Streams 4.2 (KIP-1034).
_DLQ: Final = "__streams.errors."
#: The error of a record that is only parked because it must not overtake.
BEHIND: Final = "behind a parked record"
#: So many parked in an hour mean a bad deploy, not bad records.
LIMIT: Final = 100


class TooManyParkedError(Exception):
    """A bad deploy, not bad records: stopped before all of the log lands among the dead letters."""

    def __init__(self) -> None:
        """Say how many were parked, and what the operator does."""
        super().__init__(f"{LIMIT} records parked within an hour: see the dead letters, mend or discard, restart")


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


async def take_new(conn: Connection, incoming: Sequence[Incoming]) -> list[Incoming]:
    """Remember the records' versions as seen; returns those that are newer than all seen before, in order."""
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


LOCK_PARKED_AGGREGATES = "SELECT aggregate_key FROM parked_event WHERE aggregate_key = ANY($1::text[]) FOR SHARE"


async def lock_parked_aggregates(conn: Connection, incoming: Sequence[Incoming]) -> frozenset[str]:
    """Which of the records' aggregates have something parked; waits for a replay of theirs and keeps off the next."""
    rows = await conn.fetch(LOCK_PARKED_AGGREGATES, list({r.aggregate_key for r in incoming}))
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


async def show_count(conn: Connection) -> None:
    """Set the gauge from the table: other processes, and operators, park and replay as well."""
    metrics.CONSUMER_PARKED.set(await conn.fetchval(COUNT_PARKED))


async def set_aside(
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
    await show_count(conn)
    if dead_letters_of is not None:
        headers = {
            **record.headers,
            f"{_DLQ}message": error[:500],
            f"{_DLQ}topic": record.topic,
            f"{_DLQ}partition": str(record.partition),
            f"{_DLQ}offset": str(record.offset),
        }
        key = text_of(record.key)
        await append_dead_letter(conn, dead_letters_of, key, record.value, headers, at)


LOCK_PARKED = """
SELECT id, topic, partition, record_offset, key, value, headers::text AS headers
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
    await show_count(conn)
    return True


async def lock_parked(conn: Connection, aggregate_key: str) -> list[tuple[int, Incoming]]:
    """An aggregate's parked records with their numbers, in order; nobody else handles or gives up one meanwhile."""
    return [
        (
            r["id"],
            Incoming(r["topic"], r["partition"], r["record_offset"], r["key"], r["value"], json.loads(r["headers"])),
        )
        for r in await conn.fetch(LOCK_PARKED, aggregate_key)
    ]


async def release(conn: Connection, parked_id: int, decision: Decision | None) -> None:
    """Forget a parked record that was handled; a decision of somebody's is kept."""
    if decision is not None:
        await _note(conn, parked_id, "replayed", decision)
    await conn.execute(DELETE_PARKED, parked_id)


async def select_known_again(conn: Connection) -> list[str]:
    """Aggregates with something parked for a type that was unknown to the code before and is known to this one."""
    return [r["aggregate_key"] for r in await conn.fetch(SELECT_KNOWN_AGAIN, list(EVENTS))]
