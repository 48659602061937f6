"""The commands, each a thin call of what does the work."""

import asyncio
import json
import sys
from typing import Annotated, Final

import typer

from deploy.cli import records, reference, status, whole
from deploy.cli.telling import Actor, Json, home_path, named, tell_json
from deploy.local import ask
from deploy.local.faults import guarded

app = typer.Typer(
    name="sanwu",
    help="Operators' command of Sunshine Sanwu. SANWU_HOME names the city's folder (default `.sanwu`).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
rebuild = typer.Typer(help="Build a read model anew beside the serving one.", no_args_is_help=True)
replay = typer.Typer(help="Judge everything anew.", no_args_is_help=True)
actions = typer.Typer(help="The trail of staff actions.", no_args_is_help=True)
app.add_typer(records.dlq, name="dlq")
app.add_typer(rebuild, name="rebuild")
app.add_typer(replay, name="replay")
app.add_typer(actions, name="actions")
app.add_typer(reference.topics_app, name="topics")
app.add_typer(reference.catalogue, name="catalogue")
app.add_typer(reference.staff, name="staff")
app.command("republish")(records.republish)
app.command("backup")(whole.backup)
app.command("restore")(whole.restore)
app.command("posters")(reference.posters)

_REFUSED: Final = 2


@app.command("status")
def show_status(*, as_json: Json = False) -> None:
    """Parts, services, lag, outboxes, parked records, room. Exit status 1: something is wrong; 3: the city is stopped."""
    raise typer.Exit(status.show(status.gather(home_path()), as_json=as_json))


@rebuild.command("publish")
def rebuild_publish(
    *,
    accept: Annotated[bool, typer.Option("--accept", help="Switch even when villages differ.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Build, compare, drop.")] = False,
    drop_old: Annotated[bool, typer.Option("--drop-old", help="Drop the models that served before.")] = False,
    by: Actor = "",
    as_json: Json = False,
) -> None:
    """Build publish's read model anew, compare it by village, switch to it."""
    chosen = {"--accept": accept, "--check": check, "--drop-old": drop_old, "--json": as_json}
    words = (*(name for name, wanted in chosen.items() if wanted), *named(by))
    raise typer.Exit(records.pass_through("publish", "rebuild", *words))


@replay.command("audit")
def replay_audit(
    as_of: Annotated[int | None, typer.Option("--as-of", help="Judge by what was heard up to this fact.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Judge everything anew on the side and compare with the living alerts."""
    more = ("--as-of", str(as_of)) if as_of is not None else ()
    if not as_json:
        raise typer.Exit(records.pass_through("audit", "replay", *more))
    answer = asyncio.run(ask.run(ask.running_city(home_path()), "audit", "replay", *more))
    lines = answer.out.strip().splitlines()
    tell_json({"same": answer.code == 0, "lines": lines})
    raise typer.Exit(answer.code)


@actions.command("verify")
def verify_actions(
    service: Annotated[str, typer.Option("--service", help="One service; all of them by default.")] = "",
    head: Annotated[str, typer.Option("--head", help="POSITION:LINK noted earlier; needs --service.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """Compute every link of the trail of staff actions anew; exit status 1 where it is broken."""
    if head and not service:
        raise typer.BadParameter("A head belongs to one service: give --service.")
    names = records.chosen_services(service)
    more = ("--head", head) if head else ()
    answers = asyncio.run(_verify(names, more))
    if as_json:
        told = {name: json.loads(a.out) if a.out.strip() else {"whole": False} for name, a in answers.items()}
        tell_json({"services": told})
    else:
        for name, answer in answers.items():
            print(f"{name}: {answer.sentence()}")
    raise typer.Exit(max(a.code for a in answers.values()))


async def _verify(names: list[str], more: tuple[str, ...]) -> dict[str, ask.Answer]:
    info = ask.running_city(home_path())
    words = ("actions", "verify", "--json", *more)
    answers = await asyncio.gather(*(ask.run(info, name, *words) for name in names))
    return dict(zip(names, answers, strict=True))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""

    def run() -> int:
        try:
            return int(app(arguments, standalone_mode=False) or 0)
        except typer.TyperException as error:
            sys.stderr.write(f"{error.format_message()}\n")
            return _REFUSED
        except typer.Abort:
            return 130

    return guarded(run)
