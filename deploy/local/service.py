"""The processes of the five services as parts: `python -m services.<name> serve`, ready by their `/readyz`.

A service's first process does all of its work. Of ingest, to whom everybody hands in on the same evening, there are copies
beside it where the machine has processors for them: they answer, and tell the one that relays of what they queue. There
publish has a process that renders, so that neither readers nor what comes from the topics wait for a page to be made.
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
#: It answers operators alone: what it is asked for is how it does.
_RENDERS: Final = "publish-jobs"
_RENDERS_ROLES: Final = "http,jobs"
_BESIDE_ROLES: Final = "http,relay,consumer"
#: A villager waits for no alert and for no list: where processors are scarce these stand back (nice(2)).
_YIELDS: Final = {"audit": 10, "qr": 5}
#: Each takes some 110 MB, and two of ingest keep PostgreSQL busy.
_MOST_WORKERS: Final = {"ingest": 8, "publish": 2}


def process_names() -> list[str]:
    """What the services' processes are called: as their service, others of it with a word or a number behind it."""
    copies = [f"ingest-{n}" for n in range(2, _workers("ingest") + 1)]
    return [*SERVICES, *copies, *([_RENDERS] if _workers("publish") > 1 else [])]


def answers(part: str) -> bool:
    """Tell whether requests go to a process."""
    return part != _RENDERS


def _roles(part: str) -> str | None:
    """Which of a service's works a process does; None for all."""
    if part == _RENDERS:
        return _RENDERS_ROLES
    if part not in SERVICES:
        return _COPIES_ROLES
    return _BESIDE_ROLES if _RENDERS in process_names() and part == service_of(_RENDERS) else None


def service_of(part: str) -> str:
    """The service of a process, copy or not."""
    return part.partition("-")[0]


def _workers(service: str) -> int:
    """How many processes a service is to have: two, where there is a processor for each, unless the environment says."""
    name, most = f"SANWU_WORKERS_{service.upper()}", _MOST_WORKERS[service]
    told = os.environ.get(name)
    if not told:
        return min(2, processors())
    if not (told.isascii() and told.isdecimal() and 1 <= int(told) <= most):
        raise Fault(f"{name} is {told}: give a number of processes, 1 to {most}.")
    return int(told)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Service(Part):
    """A service's process: HTTP, relay, consumer and jobs, or some of them where there are others beside it."""

    def __init__(self, home: Home | Path, name: str, settings: Callable[[], Mapping[str, str]]) -> None:
        """`settings` is asked at every start: a secret may be another by then."""
        super().__init__(home)
        self.name = name
        self.port = self.home.port(name)
        self.settings = settings
        self.yields = _YIELDS.get(name, 0)

    @property
    def address(self) -> str:
        """The inner port, behind the gateway."""
        return f"127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """Run all roles in one process, or those that are this one's."""
        roles = _roles(self.name)
        line = [sys.executable, "-m", f"services.{service_of(self.name)}", "serve"]
        return line if roles is None else [*line, "--roles", roles]

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
