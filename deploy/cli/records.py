"""`sanwu dlq …` and `sanwu republish`: records set aside, and events said again."""

import asyncio
import sys
from typing import Annotated, Any

import typer

from deploy.cli.telling import Actor, By, Json, Why, Yes, home_path, pairs, table, tell_json
from deploy.local import ask
from deploy.local.faults import Fault
from deploy.local.job import StackInfo
from deploy.local.postgres import SERVICES

dlq = typer.Typer(help="Records that a service could not handle.", no_args_is_help=True)
Of = Annotated[str, typer.Option("--service", help="registry, ingest, publish, audit or qr; all by default.")]
ById = Annotated[str, typer.Option("--id", help="Number in the list, or the event's own id.")]
ByKey = Annotated[str, typer.Option("--key", help="Village code, or an aggregate as KIND:ID.")]
ByType = Annotated[str, typer.Option("--type", help="Event type.")]


def known_service(name: str) -> str:
    """A service's name; a fault for anything else."""
    if name not in SERVICES:
        raise Fault(f"{name} is no service: choose {', '.join(SERVICES)}.")
    return name


def chosen_services(name: str) -> list[str]:
    """The named service, or all of them."""
    return [known_service(name)] if name else list(SERVICES)


def pass_through(service: str, *arguments: str) -> int:
    """Run a service's command, its words as they come; returns its exit status."""
    answer = asyncio.run(_live(service, arguments))
    return min(answer, 2)


async def _live(service: str, arguments: tuple[str, ...]) -> int:
    info = ask.running_city(home_path())
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"services.{service}", *arguments), env=info.environment(service)
    )
    return await process.wait()


def _chosen(found: dict[str, str]) -> list[str]:
    return [word for name, value in found.items() if value for word in (f"--{name}", value)]


@dlq.command("list")
def list_parked(
    service: Of = "", id_: ById = "", key: ByKey = "", type_: ByType = "", *, as_json: Json = False
) -> None:
    """What is parked, and the last decisions about parked records."""
    info = ask.running_city(home_path())
    names = chosen_services(service)
    arguments = ["dlq", "list", "--json", *_chosen({"id": id_, "key": key, "type": type_})]
    told = dict(zip(names, asyncio.run(_ask_each(info, names, arguments)), strict=True))
    if as_json:
        tell_json({"services": told})
        return
    columns = ("service", "id", "type", "aggregate", "parked at", "why")
    rows = [
        (n, r["id"], r["type"], r["aggregate"], r["parked_at"], r["error"])
        for n, one in told.items()
        for r in one["parked"]
    ]
    table(f"{len(rows)} parked", columns, rows)


async def _ask_each(info: StackInfo, names: list[str], arguments: list[str]) -> list[Any]:
    return await asyncio.gather(*(ask.ask(info, name, *arguments) for name in names))


@dlq.command("show")
def show(service: Of, id_: ById, *, as_json: Json = False) -> None:
    """One record, with its headers and its value as it came."""
    info = ask.running_city(home_path())
    told = asyncio.run(ask.ask(info, known_service(service), "dlq", "show", "--id", id_, "--json"))
    if as_json:
        tell_json(told)
    else:
        pairs(told)


@dlq.command("replay")
def replay(
    service: Of,
    id_: ById = "",
    key: ByKey = "",
    type_: ByType = "",
    by: By = "",
    why: Why = "",
    *,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Handle parked records again, whole aggregates in order, under their own ids."""
    _decide("replay", service, {"id": id_, "key": key, "type": type_, "by": by, "why": why}, yes=yes, as_json=as_json)


@dlq.command("discard")
def discard(
    service: Of,
    id_: ById = "",
    key: ByKey = "",
    type_: ByType = "",
    by: By = "",
    why: Why = "",
    *,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Give parked records up for good; who and why is kept."""
    _decide("discard", service, {"id": id_, "key": key, "type": type_, "by": by, "why": why}, yes=yes, as_json=as_json)


def _decide(action: str, service: str, found: dict[str, str], *, yes: bool, as_json: bool) -> None:
    arguments = ["dlq", action, *_chosen(found), *(["--yes"] if yes else []), *(["--json"] if as_json else [])]
    raise typer.Exit(pass_through(known_service(service), *arguments))


def republish(
    service: Annotated[str, typer.Option("--service", help="registry, ingest, publish, audit or qr.")],
    since: Annotated[str, typer.Option("--since", help="From a moment on, with its time zone.")] = "",
    aggregate: Annotated[str, typer.Option("--aggregate", help="All events of one aggregate, KIND:ID.")] = "",
    by: Actor = "",
    *,
    everything: Annotated[bool, typer.Option("--all", help="All events.")] = False,
    new_log: Annotated[bool, typer.Option("--new-log", help="All events, for an empty Kafka.")] = False,
    as_json: Json = False,
) -> None:
    """Say events again from the table that keeps them: the repair for a lost or cut log."""
    flags = {"--all": everything, "--new-log": new_log, "--json": as_json}
    arguments: list[Any] = [
        *_chosen({"since": since, "aggregate": aggregate, "by": by}),
        *(n for n, on in flags.items() if on),
    ]
    raise typer.Exit(pass_through(known_service(service), "republish", *arguments))
