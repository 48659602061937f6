"""`republish`: says events again from the table `event`, the repair for a log that is lost, cut or new.

Events are queued as they were, under their own ids and keys; whoever heard them already sees by their versions that
they are old. With `--new-log` the service also forgets where it stood: an offset of the old log means nothing in the
new one.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated

from typer import BadParameter, Option

from services.contracts.topics import KEYS_OF, TOPIC_OF, Topic
from services.kit import trail
from services.kit.cli import NO_SENSE, By, Refusal, Told, on_runtime
from services.kit.db import Connection, affected
from services.kit.runtime import AnyRuntime

#: Nobody may queue an event between our look at the table and our rows: a newer state would stand before an older one.
LOCK_OUTBOX = "LOCK TABLE outbox IN SHARE ROW EXCLUSIVE MODE"
DROP_POINTERS = "DELETE FROM outbox WHERE event_id IS NOT NULL"
#: In the order of each aggregate's versions, across aggregates by time. An event's own time alone will not do: a clock
#: that was put back gave a later version an earlier time, and a reader who sees it first takes the rest for old. So each
#: event stands no earlier than any version before it (`placed`). Events from before `record_key` was kept get the key
#: that they had: these five kinds were keyed by themselves, all others by village.
REPEAT = """
INSERT INTO outbox (topic, key, event_id, occurred_at, headers)
SELECT t.topic,
       coalesce(e.record_key, CASE WHEN e.aggregate IN ('item', 'profile', 'calendar', 'staff', 'signer')
                              THEN e.aggregate || ':' || e.aggregate_id
                              ELSE coalesce(e.payload ->> 'village_code', e.aggregate_id) END),
       e.event_id, e.occurred_at,
       jsonb_build_object('id', e.event_id, 'type', e.type, 'aggregate', e.aggregate, 'aggregate_id', e.aggregate_id,
                          'aggregate_version', e.aggregate_version::text, 'content-type', 'application/json')
FROM (
    SELECT *, max(occurred_at) OVER (PARTITION BY aggregate, aggregate_id ORDER BY aggregate_version) AS placed
    FROM event WHERE ($2::text IS NULL OR (aggregate = $2 AND aggregate_id = $3))
) e JOIN unnest($4::text[], $5::text[]) AS t (type, topic) USING (type)
WHERE $1::timestamptz IS NULL OR e.occurred_at >= $1
ORDER BY e.placed, e.aggregate_version, e.event_id
"""
COUNT = "SELECT count(*) AS events, count(*) FILTER (WHERE type <> ALL($1::text[])) AS unknown FROM event"
#: A key that was destroyed stays destroyed for whoever reads the new log from its beginning.
REPEAT_TOMBSTONES = """
INSERT INTO outbox (topic, key, occurred_at, value, headers)
SELECT $1, s.aggregate_id, $2, NULL, jsonb_build_object('aggregate_version', a.version::text)
FROM shred_key s JOIN aggregate a ON a.aggregate = 'key' AND a.aggregate_id = s.aggregate_id
WHERE s.key IS NULL AND NOT EXISTS (SELECT FROM outbox o WHERE o.topic = $1 AND o.key = s.aggregate_id)
ORDER BY s.aggregate_id
"""
FORGET_OFFSETS = "DELETE FROM consumer_offset"
FORGET_LOG = "DELETE FROM log_identity"
#: A place in the old log must not be taken for the same number in the new one.
MOVE_PARKED = "UPDATE parked_event SET record_offset = -id WHERE record_offset >= 0"
MOVE_DECISIONS = "UPDATE park_decision SET record_offset = -1 - record_offset WHERE record_offset >= 0"


def _moment(text: str) -> datetime:
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment
    message = "give a moment with its time zone, as 2026-11-24T00:00:00+08:00"
    raise BadParameter(message)


def _aggregate(text: str) -> str:
    kind, _, identity = text.partition(":")
    if not kind or not identity:
        message = "give KIND:ID, as in disclosure:0192…"
        raise BadParameter(message)
    return text


async def say_again(conn: Connection, topics: Sequence[Topic]) -> int:
    """Queue every event of some topics once more, in the caller's transaction; returns how many."""
    tags = {tag: topic.name for tag, topic in TOPIC_OF.items() if topic in topics}
    await conn.execute(LOCK_OUTBOX)
    return affected(await conn.execute(REPEAT, None, None, None, list(tags), list(tags.values())))


@on_runtime
async def republish(
    runtime: AnyRuntime,
    *,
    since: Annotated[
        datetime | None,
        Option(parser=_moment, metavar="TIME", help="Events from a moment on (RFC 3339, with its zone)."),
    ] = None,
    aggregate: Annotated[
        str | None, Option(parser=_aggregate, metavar="KIND:ID", help="All events of one aggregate.")
    ] = None,
    everything: Annotated[bool, Option("--all", help="All events.")] = False,
    new_log: Annotated[
        bool, Option("--new-log", help="All events, for an empty Kafka; the service reads it from its beginning.")
    ] = False,
    by: By = None,
) -> Told:
    """Say events again from the table that keeps them: the repair for a lost or cut log."""
    ways = {"--since": since, "--aggregate": aggregate, "--all": everything, "--new-log": new_log}
    given = [name for name, value in ways.items() if value]
    if len(given) != 1:
        message = f"Say what to republish: one of {', '.join(ways)}."
        raise Refusal(message, NO_SENSE)
    kind, _, identity = (aggregate or "").partition(":")
    types, topics = list(TOPIC_OF), [t.name for t in TOPIC_OF.values()]
    async with runtime.database.transaction() as conn:
        await conn.execute(LOCK_OUTBOX)
        if new_log:
            for statement in (DROP_POINTERS, FORGET_OFFSETS, FORGET_LOG, MOVE_PARKED, MOVE_DECISIONS):
                await conn.execute(statement)
        queued = affected(await conn.execute(REPEAT, since, kind or None, identity or None, types, topics))
        tombstones = 0
        keys = next((topic for owner, topic in KEYS_OF.items() if owner == runtime.service), None)
        if keys is not None and (new_log or everything):
            tombstones = affected(await conn.execute(REPEAT_TOMBSTONES, keys.name, runtime.clock.now()))
        row = await conn.fetchrow(COUNT, types)
        assert row is not None  # noqa: S101 - an aggregate answers one row
        things = [f"{kind}/{identity}"] if kind else []
        await trail.note_command(conn, runtime, by, f"republish {given[0]}", things)
    values = {"service": runtime.service, "queued": queued, "tombstones": tombstones, **dict(row.items())}
    return Told(values, [f"{queued} events and {tombstones} tombstones queued, {row['unknown']} of unknown types"])
