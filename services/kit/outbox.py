"""The outbox: state, event and pointer commit together, in the caller's transaction, which this module never ends.

`stamp` takes the aggregate's lock and its next version first; `append` takes the pointer's number after it. So per
aggregate the order of numbers is the order of commits.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
import uuid_utils.compat

from services.contracts.base import Event, Role, Stamp
from services.contracts.topics import TOPIC_OF, Topic
from services.kit.db import Connection
from services.kit.pulse import Backlog

BUMP_VERSION = """
INSERT INTO aggregate (aggregate, aggregate_id, version) VALUES ($1, $2, 1)
ON CONFLICT (aggregate, aggregate_id) DO UPDATE SET version = aggregate.version + 1
RETURNING version
"""


async def stamp(
    conn: Connection,
    aggregate: str,
    aggregate_id: str,
    *,
    at: datetime,
    village_code: str | None = None,
    actor_id: str | None = None,
    actor_role: Role = Role.SYSTEM,
) -> Stamp:
    """Lock an aggregate and give the envelope of its next event; UUIDv7 as event id."""
    version = await conn.fetchval(BUMP_VERSION, aggregate, aggregate_id)
    return _envelope(aggregate_id, version, village_code, at, actor_id, actor_role)


#: In one order for everybody, so that two who stamp the same aggregates wait and do not deadlock.
BUMP_VERSIONS = """
INSERT INTO aggregate (aggregate, aggregate_id, version)
SELECT $1, id, 1 FROM unnest($2::text[]) AS t (id) ORDER BY id
ON CONFLICT (aggregate, aggregate_id) DO UPDATE SET version = aggregate.version + 1
RETURNING aggregate_id, version
"""


async def stamp_all(
    conn: Connection,
    aggregate: str,
    villages: Mapping[str, str | None],
    *,
    at: datetime,
    actor_id: str | None = None,
    actor_role: Role = Role.SYSTEM,
) -> dict[str, Stamp]:
    """Lock many aggregates and take their next versions in one statement; envelopes by aggregate id.

    `villages` gives each aggregate's village by its id.
    """
    rows = await conn.fetch(BUMP_VERSIONS, aggregate, list(villages))
    versions = {r["aggregate_id"]: r["version"] for r in rows}
    return {of: _envelope(of, versions[of], village, at, actor_id, actor_role) for of, village in villages.items()}


def _envelope(
    aggregate_id: str, version: int, village_code: str | None, at: datetime, actor_id: str | None, actor_role: Role
) -> Stamp:
    return Stamp(
        event_id=uuid_utils.compat.uuid7(),
        occurred_at=at,
        aggregate_id=aggregate_id,
        aggregate_version=version,
        village_code=village_code,
        actor_id=actor_id,
        actor_role=actor_role,
        traceparent=structlog.contextvars.get_contextvars().get("traceparent"),
    )


INSERT_EVENT = """
WITH said AS (
    INSERT INTO event (event_id, occurred_at, type, aggregate, aggregate_id, aggregate_version, payload, record_key)
    VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $9)
)
INSERT INTO outbox (topic, key, event_id, occurred_at, headers) VALUES ($8, $9, $1, $2, $10::jsonb)
"""


async def append(conn: Connection, event: Event, *, key: str | None = None) -> None:
    """Record an event and queue it for its topic; `key` is the record's key when it is not the village's code."""
    await conn.execute(INSERT_EVENT, *_columns(event, key))


INSERT_EVENTS = """
WITH told AS (
    SELECT * FROM unnest(
        $1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[],
        $10::text[]
    ) WITH ORDINALITY AS t (event_id, occurred_at, type, aggregate, aggregate_id, version, payload, topic, key, headers, n)
), said AS (
    INSERT INTO event (event_id, occurred_at, type, aggregate, aggregate_id, aggregate_version, payload, record_key)
    SELECT event_id, occurred_at, type, aggregate, aggregate_id, version, payload::jsonb, key FROM told
)
INSERT INTO outbox (topic, key, event_id, occurred_at, headers)
SELECT topic, key, event_id, occurred_at, headers::jsonb FROM told ORDER BY n
"""


async def append_all(conn: Connection, events: Sequence[Event], keys: Sequence[str] | None = None) -> None:
    """Append many events in one statement, queued in their order; `keys`: the record's key of each."""
    rows = [_columns(event, keys[n] if keys else None) for n, event in enumerate(events)]
    if rows:
        await conn.execute(INSERT_EVENTS, *zip(*rows, strict=True))


def _columns(event: Event, key: str | None) -> tuple[object, ...]:
    """An event as its statement takes it."""
    headers = {
        "id": str(event.event_id),
        "type": event.type,
        "aggregate": event.aggregate,
        "aggregate_id": event.aggregate_id,
        "aggregate_version": str(event.aggregate_version),
        "content-type": "application/json",
    }
    return (
        event.event_id,
        event.occurred_at,
        event.type,
        event.aggregate,
        event.aggregate_id,
        event.aggregate_version,
        event.model_dump_json(),
        TOPIC_OF[event.type].name,
        key or event.village_code or event.aggregate_id,
        json.dumps(headers),
    )


INSERT_RAW = """
INSERT INTO outbox (topic, key, occurred_at, value, headers) VALUES ($1, $2, $3, $4, $5::jsonb)
"""


INSERT_TOMBSTONES = """
INSERT INTO outbox (topic, key, occurred_at, headers)
SELECT $1, key, $4, jsonb_build_object('aggregate_version', version::text)
FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS t (key, version, n) ORDER BY n
"""


async def append_tombstones(conn: Connection, topic: Topic, versions: Mapping[str, int], *, at: datetime) -> None:
    """Queue null values for keys of a compacted topic, each with the version that it is."""
    await conn.execute(INSERT_TOMBSTONES, topic.name, list(versions), list(versions.values()), at)


async def append_dead_letter(
    conn: Connection, service: str, key: str, value: bytes | None, headers: Mapping[str, str], at: datetime
) -> None:
    """Queue a record that could not be handled, bytes untouched, for the service's dead letter topic."""
    await conn.execute(INSERT_RAW, f"{service}.dlq", key, at, value, json.dumps(dict(headers)))


LOOK = "SELECT count(*) AS rows, min(seq) AS first, min(occurred_at) AS oldest FROM outbox WHERE error IS NULL"


class Waiting(Backlog):
    """What waits to be sent, whoever sends it."""

    _oldest: datetime | None = None

    async def look(self, conn: Connection) -> None:
        """See what waits now; it moves when another row is the oldest."""
        row = await conn.fetchrow(LOOK)
        assert row is not None  # noqa: S101 - an aggregate answers one row
        self._oldest = row["oldest"]
        self.see(row["rows"], row["first"])

    def oldest_s(self, now: datetime) -> float | None:
        """Age of the oldest row, 0 when none waits, None when that is unknown."""
        if self.still_s() is None:
            return None
        return (now - self._oldest).total_seconds() if self._oldest else 0.0

    def facts(self, now: datetime) -> dict[str, Any]:
        """What is told at `/livez`; None is unknown."""
        still, oldest = self.still_s(), self.oldest_s(now)
        return {
            "pending": self.size(),
            "backlog_still_seconds": None if still is None else round(still, 1),
            "oldest_age_seconds": None if oldest is None else round(oldest, 1),
        }


COUNT_SAID = "SELECT count(*) FROM event WHERE aggregate = $1 AND aggregate_id = $2 AND type = $3"


async def count_said(conn: Connection, aggregate: str, aggregate_id: str, event_type: str) -> int:
    """How often something of a type was said of a thing."""
    found: int = await conn.fetchval(COUNT_SAID, aggregate, aggregate_id, event_type)
    return found
