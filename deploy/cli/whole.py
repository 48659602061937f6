"""`sanwu backup` and `sanwu restore`."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.telling import Json, home_path, tell_json
from deploy.local import backup as work
from deploy.local.ask import known_city
from deploy.local.home import Home


def _say(text: str) -> None:
    sys.stderr.write(f"  {text} …\n")


def backup(folder: Annotated[Path, typer.Argument(help="A new folder.")], *, as_json: Json = False) -> None:
    """Back the running city up: database with its log, objects, secrets, a manifest with sums. For its owner alone."""
    info = known_city(home_path())
    manifest = asyncio.run(work.backup(Home(info.home), folder.absolute(), _say))
    events = sum(manifest["events"].values())
    if as_json:
        tell_json({"folder": str(folder.absolute()), "events": manifest["events"], "files": len(manifest["files"])})
    else:
        print(f"{folder} holds {events} events in {len(manifest['files'])} files. It opens everything: lock it away.")


def restore(folder: Annotated[Path, typer.Argument(help="A backup.")], *, as_json: Json = False) -> None:
    """Restore a backup into the empty SANWU_HOME; `make run` starts the city there and fills its Kafka."""
    path = home_path()
    found = asyncio.run(work.restore(folder.absolute(), path, _say))
    if as_json:
        tell_json({"home": str(path), "events": found["events"]})
    else:
        print(f"{path} is restored with {sum(found['events'].values())} events: start it with `make run`.")
