"""`dlq`: parked records listed, shown, replayed, discarded. Without `--yes` it only tells what it would do.

A record keeps its own id. Replayed are always whole aggregates, in order; who decided, and why, is kept for ever.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, Any

from typer import Option, Typer

from services.kit import park, trail
from services.kit.cli import Refusal, Told, Work, new_app, on_runtime
from services.kit.consumer import Effects, Handlers, replay
from services.kit.park import Decision
from services.kit.runtime import AnyRuntime

SELECT_CHOSEN = """
SELECT id, headers ->> 'id' AS event_id, type, aggregate_key AS aggregate, convert_from(key, 'UTF8') AS key,
       format('%s[%s]@%s', topic, partition, record_offset) AS place, error, parked_at
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
SELECT decision, event_id, type, reason, aggregate_key AS aggregate, decided_by AS by, decided_at AS at
FROM park_decision ORDER BY id DESC LIMIT 50
"""


ById = Annotated[str | None, Option("--id", help="The number in the list, or the event's own id.")]
ByKey = Annotated[str | None, Option("--key", help="A record's key (village code), or an aggregate as KIND:ID.")]
ByType = Annotated[str | None, Option("--type", help="An event type.")]

#: A parked record, as it is told.
Parked = dict[str, Any]


Act = Callable[[AnyRuntime, Sequence[Parked], Decision], Awaitable[Told]]


def dlq_app(project: Handlers, react: Handlers) -> Typer:
    """`dlq`, with the handlers that replayed records go through."""
    app = new_app("Records that the service could not handle.")
    app.command("list")(list_parked)
    app.command("show")(show)
    replay, discard = _decide("replay", partial(_replay, project, react)), _decide("discard", _discard)
    app.command("replay", help="Handle parked records again, whole aggregates in order, under their own ids.")(replay)
    app.command("discard", help="Give parked records up for good; who and why is kept.")(discard)
    return app


async def _choose(runtime: AnyRuntime, id_: str | None, key: str | None, type_: str | None) -> list[Parked]:
    async with runtime.database.connection() as conn:
        rows = await conn.fetch(SELECT_CHOSEN, id_, key, type_)
    return [{**dict(r.items()), "parked_at": r["parked_at"].isoformat()} for r in rows]


def _lines(chosen: Sequence[Parked], sentence: str) -> list[str]:
    names = ("id", "type", "aggregate", "parked_at", "error")
    return [*("  ".join(str(one[n]) for n in names) for one in chosen), sentence]


@on_runtime
async def list_parked(runtime: AnyRuntime, *, id_: ById = None, key: ByKey = None, type_: ByType = None) -> Told:
    """What is parked, and the last decisions about parked records."""
    chosen = await _choose(runtime, id_, key, type_)
    async with runtime.database.connection() as conn:
        decided = [{**dict(r.items()), "at": r["at"].isoformat()} for r in await conn.fetch(SELECT_DECISIONS)]
    return Told({"parked": chosen, "decided": decided}, _lines(chosen, f"{len(chosen)} parked"))


@on_runtime
async def show(runtime: AnyRuntime, *, id_: ById = None, key: ByKey = None, type_: ByType = None) -> Told:
    """One record, with its headers and its value as it came."""
    chosen = await _choose(runtime, id_, key, type_)
    if len(chosen) != 1:
        message = f"{len(chosen)} records are like that: give the --id of one."
        raise Refusal(message)
    async with runtime.database.connection() as conn:
        row = await conn.fetchrow(SELECT_ONE, chosen[0]["id"])
    if row is None:
        message = "It is not parked any more."
        raise Refusal(message)
    value = row["value"].decode("utf-8", "replace") if row["value"] is not None else None
    return Told({**chosen[0], "headers": json.loads(row["headers"]), "value": value})


def _decide(action: str, act: Act) -> Callable[..., Work]:
    """A command that decides about the records it is given; without `--yes` it only tells which they are."""

    @on_runtime
    async def decide(
        runtime: AnyRuntime,
        *,
        id_: ById = None,
        key: ByKey = None,
        type_: ByType = None,
        yes: Annotated[bool, Option("--yes", help="Act. Without it the command only tells what it would do.")] = False,
        by: Annotated[str, Option("--by", help="Who decides.")] = "",
        why: Annotated[str, Option("--why", help="Why.")] = "",
    ) -> Told:
        chosen = await _choose(runtime, id_, key, type_)
        if refusal := _refusal(chosen, given=bool(id_ or key or type_), decided=bool(by and why) or not yes):
            raise Refusal(refusal)
        if not yes:
            return Told({"dry_run": True, "chosen": chosen}, _lines(chosen, f"would {action}; --yes acts"))
        return await act(runtime, chosen, Decision(by, why, runtime.clock.now()))

    return decide


def _refusal(chosen: list[Parked], *, given: bool, decided: bool) -> str | None:
    if not given:
        return "Say which records: --id, --key or --type."
    if not chosen:
        return "No parked record is like that: see `dlq list`."
    return None if decided else "Say who decides and why: --by NAME --why REASON."


async def _discard(runtime: AnyRuntime, chosen: Sequence[Parked], decision: Decision) -> Told:
    async with runtime.database.transaction() as conn:
        gone = [one for one in chosen if await park.discard(conn, one["id"], decision)]
        await trail.note_command(conn, runtime, decision.by, "dlq discard", _aggregates(gone))
    return Told({"discarded": gone}, _lines(gone, f"{len(gone)} discarded"))


async def _replay(
    project: Handlers, react: Handlers, runtime: AnyRuntime, chosen: Sequence[Parked], decision: Decision
) -> Told:
    effects = Effects(runtime.settings, runtime.reference, runtime.clock, project=project, react=react)
    replayed, failed = {}, {}
    for aggregate in dict.fromkeys(one["aggregate"] for one in chosen):
        try:
            replayed[aggregate] = await replay(runtime.database, effects, aggregate, decision)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises: it stays parked, and is told
            failed[aggregate] = park.reason(error)
    async with runtime.database.transaction() as conn:
        await trail.note_command(conn, runtime, decision.by, "dlq replay", _aggregates(chosen))
    errors = [f"{aggregate} stays parked: {why}" for aggregate, why in failed.items()]
    lines = [f"{sum(replayed.values())} replayed"]
    return Told({"replayed": replayed, "failed": failed}, lines, errors, 1 if failed else 0)


def _aggregates(chosen: Sequence[Parked]) -> list[str]:
    return [aggregate.replace(":", "/", 1) for aggregate in dict.fromkeys(one["aggregate"] for one in chosen)]
