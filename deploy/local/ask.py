"""Calls the operators' commands of the services: `python -m services.<name> …` with the city's settings.

    info = running_city(home)                                 # a fault where it is stopped, or never was
    told = await ask(info, "publish", "digest", "--json")     # its last line, parsed; a failure is a fault

The operators' tools touch no tables themselves: what a service owns is changed by the service's own code.
"""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from rich.console import Console

from deploy.local import supervisor
from deploy.local.faults import Fault
from deploy.local.home import Home, read_json
from deploy.local.job import StackInfo
from deploy.local.stack import City

_ROOT: Final = Path(__file__).parents[2]
_DEFAULT_PORT: Final = 8000
#: Commands that answer in JSON look something up; a part that is away must not hold them for ever.
_ANSWER_S: Final = 60.0


@dataclass(frozen=True)
class Answer:
    """How a command ended."""

    code: int
    out: str
    err: str

    def sentence(self) -> str:
        """The last line that is meant for people."""
        lines = [line for line in (self.err.strip() or self.out.strip()).splitlines() if line.strip()]
        return lines[-1] if lines else f"status {self.code} without a word"


def known_city(path: Path) -> StackInfo:
    """Settings of the city in a home; a fault where none was ever started."""
    if not (path / "secrets.json").exists():
        raise Fault(f"No city lives in {path}: set SANWU_HOME to its folder.")
    return city_of(Home(path)).info


def running_city(path: Path) -> StackInfo:
    """The same for what needs the city's parts; a fault at once when it is stopped."""
    info = known_city(path)
    supervisor.require(path)
    return info


def city_of(home: Home) -> City:
    """The parts of a home's city, none of them started."""
    address = str(read_json(home.path / "ports.json").get("gateway", ""))
    return City(home, urlsplit(address).port or _DEFAULT_PORT, Console(quiet=True))


async def run(info: StackInfo, service: str, *arguments: str) -> Answer:
    """Run a service's command to its end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"services.{service}", *arguments),
        env=info.environment(service),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await process.communicate()
    except BaseException:
        if process.returncode is None:
            process.kill()
        await process.wait()
        raise
    return Answer(process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace"))


async def ask(info: StackInfo, service: str, *arguments: str) -> Any:
    """Run a command that answers in JSON; its failure is a fault in its own words."""
    try:
        async with asyncio.timeout(_ANSWER_S):
            answer = await run(info, service, *arguments)
    except TimeoutError:
        message = f"{service} {arguments[0]}: no answer within {_ANSWER_S:.0f} s; is the city running?"
        raise Fault(message) from None
    try:
        if answer.code == 0:
            return json.loads(answer.out.strip().splitlines()[-1])
    except (ValueError, IndexError):
        pass
    raise Fault(f"{service} {arguments[0]}: {answer.sentence()}")
