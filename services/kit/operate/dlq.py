"""`dlq`: parked records listed, shown, replayed, discarded. Without `--yes` it only tells what it would do.

A record keeps its own id. Replayed are always whole aggregates, in order; who decided, and why, is kept for ever.
"""

import argparse
import json
import sys
from typing import Any

from services.kit import park, trail
from services.kit.consumer import Handlers, PartitionedConsumer
from services.kit.db import Row
from services.kit.park import Decision
from services.kit.runtime import Command, Runtime

SELECT_CHOSEN = """
SELECT id, topic, partition, record_offset, convert_from(key, 'UTF8') AS key, type, aggregate_key, error, parked_at,
       headers ->> 'id' AS event_id
FROM parked_event
WHERE ($1::text IS NULL OR id::text = $1 OR headers ->> 'id' = $1)
  AND ($2::text IS NULL OR aggregate_key = $2 OR convert_from(key, 'UTF8') = $2)
  AND ($3::text IS NULL OR type = $3)
ORDER BY id
"""
SELECT_ONE = """
SELECT value, headers::text AS headers FROM parked_event WHERE id = $1
"""
SELECT_DECISIONS = """
SELECT decision, event_id, type, aggregate_key, decided_by, reason, decided_at FROM park_decision ORDER BY id DESC LIMIT 50
"""


def dlq_command(project: Handlers, react: Handlers) -> Command:
    """`dlq`, with the handlers that replayed records go through."""

    async def run(runtime: Runtime, arguments: argparse.Namespace) -> int:
        async with runtime.database.connection() as conn:
            rows = await conn.fetch(SELECT_CHOSEN, arguments.id, arguments.key, arguments.type)
        chosen = [_plain(r) for r in rows]
        match arguments.action:
            case "list":
                return await _list(runtime, chosen, arguments)
            case "show":
                return await _show(runtime, chosen, arguments)
        if refusal := _refusal(chosen, arguments):
            sys.stderr.write(f"{refusal}\n")
            return 1
        if not arguments.yes:
            _tell(arguments, {"dry_run": True, "chosen": chosen}, f"would {arguments.action}; --yes acts")
            return 0
        decision = Decision(arguments.by, arguments.why, runtime.clock.now())
        if arguments.action == "discard":
            return await _discard(runtime, chosen, decision, arguments)
        consumer = PartitionedConsumer(
            *(runtime.service, runtime.settings, runtime.database, runtime.reference, runtime.clock),
            project=project,
            react=react,
        )
        status = await _replay(consumer, chosen, decision, arguments)
        async with runtime.database.transaction() as conn:
            await trail.note_command(conn, runtime, arguments.by, "dlq replay", _aggregates(chosen))
        return status

    return Command("dlq", "parked records: list, show, replay, discard", _add_arguments, run)


def _plain(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "event_id": row["event_id"],
        "type": row["type"],
        "aggregate": row["aggregate_key"],
        "key": row["key"],
        "place": f"{row['topic']}[{row['partition']}]@{row['record_offset']}",
        "error": row["error"],
        "parked_at": row["parked_at"].isoformat(),
    }


def _refusal(chosen: list[dict[str, Any]], arguments: argparse.Namespace) -> str | None:
    if not (arguments.id or arguments.key or arguments.type):
        return "Say which records: --id, --key or --type."
    if not chosen:
        return "No parked record is like that: see `dlq list`."
    if arguments.yes and not (arguments.by and arguments.why):
        return "Say who decides and why: --by NAME --why REASON."
    return None


async def _list(runtime: Runtime, chosen: list[dict[str, Any]], arguments: argparse.Namespace) -> int:
    async with runtime.database.connection() as conn:
        rows = await conn.fetch(SELECT_DECISIONS)
    decided = [
        {
            **{name: r[name] for name in ("decision", "event_id", "type", "reason")},
            "aggregate": r["aggregate_key"],
            "by": r["decided_by"],
            "at": r["decided_at"].isoformat(),
        }
        for r in rows
    ]
    _tell(arguments, {"parked": chosen, "decided": decided}, f"{len(chosen)} parked")
    return 0


async def _show(runtime: Runtime, chosen: list[dict[str, Any]], arguments: argparse.Namespace) -> int:
    if len(chosen) != 1:
        sys.stderr.write(f"{len(chosen)} records are like that: give the --id of one.\n")
        return 1
    async with runtime.database.connection() as conn:
        row = await conn.fetchrow(SELECT_ONE, chosen[0]["id"])
    if row is None:
        sys.stderr.write("It is not parked any more.\n")
        return 1
    value = row["value"].decode("utf-8", "replace") if row["value"] is not None else None
    one = {**chosen[0], "headers": json.loads(row["headers"]), "value": value}
    if not arguments.json:
        sys.stdout.writelines(f"{name}: {text}\n" for name, text in one.items())
        return 0
    _tell(arguments, one, "")
    return 0


async def _discard(
    runtime: Runtime, chosen: list[dict[str, Any]], decision: Decision, arguments: argparse.Namespace
) -> int:
    async with runtime.database.transaction() as conn:
        gone = [one for one in chosen if await park.discard(conn, one["id"], decision)]
        await trail.note_command(conn, runtime, arguments.by, "dlq discard", _aggregates(gone))
    _tell(arguments, {"discarded": gone}, f"{len(gone)} discarded")
    return 0


async def _replay(
    consumer: PartitionedConsumer, chosen: list[dict[str, Any]], decision: Decision, arguments: argparse.Namespace
) -> int:
    replayed, failed = {}, {}
    for aggregate in dict.fromkeys(one["aggregate"] for one in chosen):
        try:
            replayed[aggregate] = await park.replay(consumer, aggregate, decision)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises: it stays parked, and is told
            failed[aggregate] = park.reason(error)
    _tell(arguments, {"replayed": replayed, "failed": failed}, f"{sum(replayed.values())} replayed")
    for aggregate, why in failed.items():
        sys.stderr.write(f"{aggregate} stays parked: {why}\n")
    return 1 if failed else 0


def _aggregates(chosen: list[dict[str, Any]]) -> list[str]:
    return [aggregate.replace(":", "/", 1) for aggregate in dict.fromkeys(one["aggregate"] for one in chosen)]


def _tell(arguments: argparse.Namespace, told: dict[str, Any], sentence: str) -> None:
    if arguments.json:
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        return
    for one in (o for name in ("parked", "chosen", "discarded") for o in told.get(name, [])):
        sys.stdout.write(f"{one['id']}  {one['type']}  {one['aggregate']}  {one['parked_at']}  {one['error']}\n")
    sys.stdout.write(f"{sentence}\n")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "show", "replay", "discard"))
    parser.add_argument("--id", help="the number in the list, or the event's own id")
    parser.add_argument("--key", help="a record's key (village code) or an aggregate as KIND:ID")
    parser.add_argument("--type", help="an event type")
    parser.add_argument("--yes", action="store_true", help="act; without it only tell what would be done")
    parser.add_argument("--by", help="who decides")
    parser.add_argument("--why", help="why")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
