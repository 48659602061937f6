"""The processes of the five services as parts: `python -m services.<name> serve`, ready by their `/readyz`.

A service's first process does all of its work. Of ingest, to whom everybody hands in on the same evening, there are copies
beside it where the machine has processors for them: they answer, and tell the one that relays of what they queue.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final

from services.kit.cli import system_user

from deploy.local import watch
from deploy.local.faults import Fault
from deploy.local.home import Home
from deploy.local.part import Part
from deploy.local.postgres import SERVICES

_ROOT: Final = Path(__file__).parents[2]
_PROBE_SECONDS: Final = 3.0
_COPIES_ROLES: Final = "http,relay"
#: Each takes some 110 MB, and two keep PostgreSQL busy.
_MOST_WORKERS: Final = 8


def process_names() -> list[str]:
    """What the services' processes are called: as their service, copies with a number behind it."""
    return [*SERVICES, *(f"ingest-{n}" for n in range(2, _workers() + 1))]


def service_of(part: str) -> str:
    """The service of a process, copy or not."""
    return part.partition("-")[0]


def _workers() -> int:
    """How many processes of ingest there are to be: two, where there is a processor for each, unless the environment says."""
    told = os.environ.get("SANWU_WORKERS_INGEST")
    if not told:
        return min(2, processors())
    if not (told.isascii() and told.isdecimal() and 1 <= int(told) <= _MOST_WORKERS):
        raise Fault(f"SANWU_WORKERS_INGEST is {told}: give a number of processes, 1 to {_MOST_WORKERS}.")
    return int(told)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Service(Part):
    """A service's process: HTTP, relay, consumer and jobs; of a copy, HTTP and relay."""

    def __init__(self, home: Home | Path, name: str, settings: Callable[[], Mapping[str, str]]) -> None:
        """`settings` is asked at every start: a secret may be another by then."""
        super().__init__(home)
        self.name = name
        self.port = self.home.port(name)
        self.settings = settings

    @property
    def address(self) -> str:
        """The inner port, behind the gateway."""
        return f"127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """Run all roles in one process, or a copy's."""
        service = service_of(self.name)
        roles = ["--roles", _COPIES_ROLES] if self.name != service else []
        return [sys.executable, "-m", f"services.{service}", "serve", *roles]

    def environment(self) -> Mapping[str, str]:
        """Pass on the caller's environment with the city's settings."""
        return environment(self.settings())

    async def is_ready(self) -> bool:
        """Ask `/readyz`."""
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                return (await watch.http_status(self.port, "/readyz"))[0] == HTTPStatus.OK
        except (OSError, TimeoutError, ValueError, EOFError):
            return False

    async def trouble(self) -> str | None:
        """Ask `/livez`: no database and no broker stand behind it, only the process and whether its roles move."""
        status, body = await watch.http_status(self.port, "/livez")
        return None if status == HTTPStatus.OK else standing_still(body) or f"answers /livez with {status}"


def standing_still(body: bytes) -> str | None:
    """Say which roles do not turn, from what `/livez` says of them; None when it names none."""
    try:
        roles = dict(json.loads(body)["roles"])
    except (ValueError, KeyError, TypeError):
        return None
    still = sorted(name for name, told in roles.items() if isinstance(told, dict) and "too_old_by_seconds" in told)
    return f"says that it stands still: {', '.join(still)}" if still else None


class Standby(Service):
    """Publish's rendered files without publish: what the gateway asks when publish does not answer."""

    name = "standby"

    def __init__(self, home: Home | Path, settings: Callable[[], Mapping[str, str]]) -> None:
        super().__init__(home, self.name, settings)

    def command(self) -> list[str]:
        """It has neither database nor topics, so it is no service of its own."""
        return [sys.executable, "-m", "services.publish.hot.standby"]


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a service's command: the caller's, with the city's settings."""
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    # Whom the trail names: a home's owner may have a number alone, and is not who asks.
    return {**os.environ, **settings, "LOGNAME": system_user(), "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
