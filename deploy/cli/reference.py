"""`sanwu topics …`, `catalogue …`, `staff …` and `posters`: what a city is set up with."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.records import pass_through
from deploy.cli.telling import Actor, Json, home_path, named, tell_json
from deploy.local import ask, topics
from deploy.local.faults import Fault

topics_app = typer.Typer(help="Kafka's topics as declared.", no_args_is_help=True)
catalogue = typer.Typer(help="The catalogue of items.", no_args_is_help=True)
staff = typer.Typer(help="Accounts of staff.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="CSV file.", exists=True, dir_okay=False)]
Username = Annotated[str, typer.Argument(help="User name.")]


def _kafka() -> str:
    return ask.running_city(home_path()).settings["publish"]["SANWU_KAFKA"]


@topics_app.command("check")
def check_topics(*, as_json: Json = False) -> None:
    """Compare the broker with the declarations; change nothing. Exit status 1 when something differs."""
    found = asyncio.run(topics.differences(_kafka()))
    if as_json:
        tell_json({"differences": found})
    else:
        print("\n".join(found) or "as declared")
    raise typer.Exit(1 if found else 0)


@topics_app.command("apply")
def apply_topics(*, as_json: Json = False) -> None:
    """Create what is missing; a topic with another number of partitions is a fault."""
    before = asyncio.run(topics.differences(_kafka()))
    asyncio.run(topics.apply(_kafka()))
    if as_json:
        tell_json({"created": [d.split(" ", 1)[0] for d in before]})
    else:
        print(f"{len(before)} topics created")


def _flags(*, as_json: bool) -> tuple[str, ...]:
    return ("--json",) if as_json else ()


@catalogue.command("check")
def check_catalogue(file: File, *, as_json: Json = False) -> None:
    """Read a catalogue file and tell what would change; its faults by line."""
    raise typer.Exit(pass_through("registry", "catalogue", "check", str(file), *_flags(as_json=as_json)))


@catalogue.command("apply")
def apply_catalogue(file: File, by: Actor = "", *, as_json: Json = False) -> None:
    """Say every item of a catalogue file that differs."""
    raise typer.Exit(pass_through("registry", "catalogue", "apply", str(file), *named(by), *_flags(as_json=as_json)))


@staff.command("list")
def list_staff(*, as_json: Json = False) -> None:
    """Accounts with role and scope; never a password."""
    raise typer.Exit(pass_through("registry", "staff", "list", *_flags(as_json=as_json)))


@staff.command("import")
def import_staff(file: File, by: Actor = "", *, as_json: Json = False) -> None:
    """Add the accounts of a CSV file; passwords of known ones stay."""
    raise typer.Exit(pass_through("registry", "staff", "import", str(file), *named(by), *_flags(as_json=as_json)))


@staff.command("reset")
def reset_staff(username: Username, by: Actor = "", *, as_json: Json = False) -> None:
    """Give an account a new password, shown once, and end its sessions."""
    raise typer.Exit(pass_through("registry", "staff", "reset", username, *named(by), *_flags(as_json=as_json)))


@staff.command("end")
def end_staff(username: Username, by: Actor = "", *, as_json: Json = False) -> None:
    """End an account's service and its sessions, everywhere."""
    raise typer.Exit(pass_through("registry", "staff", "end", username, *named(by), *_flags(as_json=as_json)))


def posters(
    division: Annotated[str, typer.Argument(help="Code of a village, a township or the city.")],
    out: Annotated[Path, typer.Argument(help="The PDF to write.")],
    *,
    as_json: Json = False,
) -> None:
    """Draw a division's posters into a PDF."""
    out = out.absolute()
    answer = asyncio.run(
        ask.run(ask.running_city(home_path()), "qr", "posters", "--division", division, "--out", str(out))
    )
    if answer.code != 0:
        raise Fault(answer.sentence())
    if as_json:
        tell_json({"file": str(out), "bytes": out.stat().st_size})
    else:
        print(f"{out} written")
