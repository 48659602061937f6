"""Calls the operators' commands of the services: `python -m services.<name> …` with the city's settings.

    info = running_city(home)                                 # a fault where it is stopped, or never was
    told = await ask(info, "publish", "digest", "--json")     # its last line, parsed; a failure is a fault

The operators' tools touch no tables themselves: what a service owns is changed by the service's own code.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy.local import privileges, supervisor
from deploy.local.faults import Fault
from deploy.local.info import StackInfo, known

#: Commands that answer in JSON look something up; a part that is away must not hold them for ever.
ANSWER_S: Final = 60.0


@dataclass(frozen=True)
class Answer:
    """How a command ended: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    def sentence(self) -> str:
        """The last line that is meant for people."""
        lines = [line for line in (self.err.strip() or self.out.strip()).splitlines() if line.strip()]
        return lines[-1] if lines else f"status {self.code} without a word"

    def told(self, command: str) -> Any:
        """The last line, parsed; a fault in the command's own words where it failed."""
        with suppress(ValueError, IndexError):
            if self.code == 0:
                return json.loads(self.out.strip().splitlines()[-1])
        raise Fault(f"{command}: {self.sentence()}")


def running_city(path: Path) -> StackInfo:
    """The city of a home, for what needs its parts; a fault at once when it is stopped, or never was."""
    info = known(path)
    supervisor.require(path)
    return info


def as_owner(home: Path) -> Callable[[], None]:
    """Let what root calls work as the city's own user, so that what it writes into the home belongs there.

    It may read and write what root may: people name files of their own.
    """
    return privileges.preparation(
        fate=signal.SIGTERM, user=privileges.owner_of(home), keep=(privileges.CAP_DAC_OVERRIDE,)
    )


async def run(info: StackInfo, service: str, *arguments: str, patience_s: float | None = None) -> Answer:
    """Run a service's command to its end; one that takes longer than `patience_s` is ended, and a fault."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"services.{service}", *arguments),
        env=info.environment(service),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=as_owner(info.home),
    )
    try:
        async with asyncio.timeout(patience_s):
            out, err = await process.communicate()
    except TimeoutError:
        message = f"{service} {arguments[0]}: no answer within {patience_s:.0f} s; is the city running?"
        raise Fault(message) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Answer(process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace"))


async def ask(info: StackInfo, service: str, *arguments: str) -> Any:
    """Run a command that answers in JSON; its failure is a fault in its own words."""
    answer = await run(info, service, *arguments, patience_s=ANSWER_S)
    return answer.told(f"{service} {arguments[0]}")
