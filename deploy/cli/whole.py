"""`sanwu backup` and `sanwu restore`."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

from services.kit.cli import Told, at_once
from typer import Argument

from deploy.local import backup as work
from deploy.local.home import Home, home_path
from deploy.local.info import known


def _say(text: str) -> None:
    sys.stderr.write(f"  {text} …\n")


@at_once
def backup(folder: Annotated[Path, Argument(help="A new folder.")]) -> Told:
    """Back the running city up: database with its log, objects, secrets, a manifest with sums. For its owner alone."""
    home = Home(known(home_path()).home)
    manifest = asyncio.run(work.backup(home, folder.absolute(), _say))
    events, files = manifest["events"], len(manifest["files"])
    sentence = f"{folder} holds {sum(events.values())} events in {files} files. It opens everything: lock it away."
    return Told({"folder": str(folder.absolute()), "events": events, "files": files}, [sentence])


@at_once
def restore(folder: Annotated[Path, Argument(help="A backup.")]) -> Told:
    """Restore a backup into the empty SANWU_HOME; `make run` starts the city there and fills its Kafka."""
    path = home_path()
    events = asyncio.run(work.restore(folder.absolute(), path, _say))["events"]
    sentence = f"{path} is restored with {sum(events.values())} events: start it with `make run`."
    return Told({"home": str(path), "events": events}, [sentence])
