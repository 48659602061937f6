"""`python -m deploy.local run | down`: the whole city on this machine.

SANWU_HOME     its folder (default `.sanwu`)
SANWU_PORT     the gateway's port (default 8000)
SANWU_SAMPLE   full (299 villages, the default), small (one township) or none; the home's first start decides for good
SANWU_LOG_BYTES, SANWU_LOG_FILES   how large a file of logs/ may grow (20 MiB), how many there are of each part (5)
SANWU_HOUSEHOLDS=on   households find their own line of a roster by name and card (家里的一行); a home in which it is on stays so
SANWU_SECURITY_CONTACT, SANWU_SECURITY_POLICY   whom to tell of a hole (mailto:…, tel:…, https://…), and how: /.well-known/security.txt
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from rich.console import Console
from services.kit.cli import new_app, run_line

from deploy.local import privileges, stack
from deploy.local.faults import Fault, describe, guarded
from deploy.local.home import Home, home_path, is_free
from deploy.local.origin import SAMPLES
from deploy.local.part import end_orphans
from deploy.local.postgres import Postgres
from deploy.local.stack import UNFINISHED

_LAST_PORT = 65_535


# The list of settings keeps its lines.
app = new_app(__doc__.replace("\n\n", "\n\n\b\n"))


@app.command()
def down() -> None:
    """End the city of the home, however it was left."""
    asyncio.run(stack.down(_home()))


@app.command()
def run() -> int:
    """Start the city and keep it until Ctrl-C."""
    home = _home()
    sample = os.environ.get("SANWU_SAMPLE") or None
    if sample not in {None, *SAMPLES}:
        raise Fault(f"SANWU_SAMPLE is {sample!r}: choose {', '.join(SAMPLES)}.")
    port = _port()
    os.umask(0o077)
    _leave_root(home, port)
    return asyncio.run(_run_until_signal(home, port, sample))


def _leave_root(home: Home, port: int) -> None:
    """Close the home to others and, when we are root, become its owner before anything is started."""
    with home.lock():
        if home.path.stat().st_uid == os.geteuid():
            # As root: of a version that ran as root. What it left would go on with files that change their owner.
            end_orphans(home)
        if os.geteuid() == 0 and not (home.path / UNFINISHED).exists() and is_free(port):
            # Only an account can make PostgreSQL's folder, and the owner may have none. Where the port is taken nothing starts.
            asyncio.run(Postgres(home).prepare())
        home.tighten()
    owner = privileges.owner_of(home.path)
    if owner is not None and (kept := privileges.become(owner, home.path, port)) is not None:
        print(
            f"  The city runs as user {owner[0]}, who cannot reach all of {Path(sys.executable).resolve()}, the project and"
            f" {home.path}: it keeps {kept}. Put them where everybody may walk, and it needs none."
        )


async def _run_until_signal(home: Home, port: int, sample: str | None) -> int:
    city = asyncio.create_task(stack.run(home, port, sample, Console()))
    stopped_by_user = asyncio.Event()

    def stop() -> None:
        # Once: a second Ctrl-C must not cut the stopping short.
        if not stopped_by_user.is_set():
            stopped_by_user.set()
            city.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        await city
    except asyncio.CancelledError:
        if not stopped_by_user.is_set():
            raise
    return 0


def _home() -> Home:
    try:
        return Home(home_path())
    except OSError as error:
        raise Fault(describe(error)) from None


def _port() -> int:
    text = os.environ.get("SANWU_PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) <= _LAST_PORT:
        raise Fault(f"SANWU_PORT is {text!r}: give a port number from 1 to {_LAST_PORT}.")
    return int(text)


if __name__ == "__main__":
    sys.exit(guarded(lambda: run_line(app, sys.argv[1:], "python -m deploy.local")))
