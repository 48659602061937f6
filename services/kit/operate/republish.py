"""`republish`: says events again from the table `event`, the repair for a log that is lost, cut or new.

Events are queued as they were, under their own ids and keys; whoever heard them already sees by their versions that
they are old. With `--new-log` the service also forgets where it stood: an offset of the old log means nothing in the
new one.
"""

import argparse
import json
import sys
from datetime import datetime
from typing import Any, Final

from services.contracts.topics import KEYS, TOPIC_OF
from services.kit import trail
from services.kit.db import Connection, affected
from services.kit.runtime import Command, Runtime

#: Nobody may queue an event between our look at the table and our rows: a newer state would stand before an older one.
LOCK_OUTBOX = "LOCK TABLE outbox IN SHARE ROW EXCLUSIVE MODE"
DROP_POINTERS = "DELETE FROM outbox WHERE event_id IS NOT NULL"
#: In the order of each aggregate's versions, whatever the clock did; across aggregates by time.
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


async def repeat(conn: Connection, runtime: Runtime, arguments: argparse.Namespace) -> dict[str, Any]:
    """Queue the chosen events in the caller's transaction; returns counts."""
    aggregate, _, aggregate_id = (arguments.aggregate or "").partition(":")
    types, topics = list(TOPIC_OF), [t.name for t in TOPIC_OF.values()]
    await conn.execute(LOCK_OUTBOX)
    if arguments.new_log:
        await conn.execute(DROP_POINTERS)
        await conn.execute(FORGET_OFFSETS)
        await conn.execute(FORGET_LOG)
        await conn.execute(MOVE_PARKED)
        await conn.execute(MOVE_DECISIONS)
    chosen = (arguments.since, aggregate or None, aggregate_id or None)
    queued = affected(await conn.execute(REPEAT, *chosen, types, topics))
    tombstones = 0
    if arguments.new_log or arguments.all:
        tombstones = affected(await conn.execute(REPEAT_TOMBSTONES, KEYS.name, runtime.clock.now()))
    row = await conn.fetchrow(COUNT, types)
    assert row is not None  # noqa: S101 - an aggregate answers one row
    return {"queued": queued, "tombstones": tombstones, "events": row["events"], "unknown": row["unknown"]}


async def _republish(runtime: Runtime, arguments: argparse.Namespace) -> int:
    ways = [arguments.since is not None, arguments.aggregate is not None, arguments.all, arguments.new_log]
    if sum(ways) != 1:
        sys.stderr.write("Say what to republish: one of --since, --aggregate, --all, --new-log.\n")
        return 2
    how = (
        "--aggregate"
        if arguments.aggregate
        else "--since"
        if arguments.since
        else "--all"
        if arguments.all
        else "--new-log"
    )
    async with runtime.database.transaction() as conn:
        told = await repeat(conn, runtime, arguments)
        await trail.note_command(conn, runtime, arguments.by, f"republish {how}", _things(arguments))
    told = {"service": runtime.service, **told}
    sentence = f"{told['queued']} events and {told['tombstones']} tombstones queued, {told['unknown']} of unknown types"
    sys.stdout.write(f"{json.dumps(told) if arguments.json else sentence}\n")
    return 0


def _things(arguments: argparse.Namespace) -> list[str]:
    return [arguments.aggregate.replace(":", "/", 1)] if arguments.aggregate else []


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = "give a time zone, as in 2026-11-24T00:00:00+08:00"
        raise argparse.ArgumentTypeError(message)
    return moment


def _aggregate(text: str) -> str:
    kind, _, identity = text.partition(":")
    if not kind or not identity:
        message = "give KIND:ID, as in disclosure:0192…"
        raise argparse.ArgumentTypeError(message)
    return text


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", type=_moment, metavar="TIME", help="events from a moment on (RFC 3339)")
    parser.add_argument("--aggregate", type=_aggregate, metavar="KIND:ID", help="all events of one aggregate")
    parser.add_argument("--all", action="store_true", help="all events")
    parser.add_argument(
        "--new-log", action="store_true", help="all events, for an empty Kafka; the service reads it from its beginning"
    )
    parser.add_argument("--json", action="store_true", help="tell the outcome as one JSON object")
    trail.add_by(parser)


REPUBLISH: Final = Command("republish", "say events again, from the table that keeps them", _add_arguments, _republish)
