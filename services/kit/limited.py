"""Work on what strangers sent, in a process of its own with limits of time and memory, which ends with whoever waits."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from services.kit.db import outside_transaction
from services.kit.errors import UnavailableError
from services.kit.incoming import while_awaited

#: Many at once would take the machine's memory together.
_AT_ONCE: Final = 2
#: Who comes behind these would wait longer than people do.
_MOST_IN_LINE: Final = 20
#: Of one person, who has one turn at a time: nobody fills the line alone.
_MOST_OF_ONE: Final = 4
#: How long somebody stands in it. With the turn of a large body before it (services/kit/incoming.py) and the work after it
#: this stays below what the gateway waits for an answer, or a file would be taken of which its sender is told otherwise.
LINE_S: Final = 15.0
#: A busy machine gives no process a processor for itself.
CLOCK: Final = 2
_PIECE: Final = 256 * 1024


class OverLimitError(Exception):
    """The work took too long, too much memory, or broke its process."""


class LineFullError(UnavailableError):
    """现在处理的文件太多，您的文件没有收下，请过半分钟再上传。"""

    code = "line_full"

    def __init__(self) -> None:
        """Say when to come again."""
        super().__init__(retry_after_s=30)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds (of a processor; twice as many by the clock), MiB (of address space) and bytes of answer for some work."""

    seconds: float
    memory_mib: int
    answer_bytes: int


@dataclass(slots=True)
class _Line:
    """Who waits for a turn or has one, with each one's own turn."""

    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    waiting: Counter[str] = field(default_factory=Counter)
    of_each: dict[str, asyncio.Lock] = field(default_factory=dict)

    @asynccontextmanager
    async def turn(self, who: str) -> AsyncIterator[None]:
        if self.waiting[who] >= _MOST_OF_ONE or self.waiting.total() >= _MOST_IN_LINE:
            raise LineFullError
        self.waiting[who] += 1
        try:
            async with AsyncExitStack() as held:
                try:
                    async with asyncio.timeout(LINE_S):
                        await held.enter_async_context(self.of_each.setdefault(who, asyncio.Lock()))
                        await held.enter_async_context(self.turns)
                except TimeoutError as error:
                    raise LineFullError from error
                yield
        finally:
            self.waiting[who] -= 1
            if not self.waiting[who]:
                del self.waiting[who], self.of_each[who]


_line: Final = _Line()


async def run_limited(module: str, data: bytes, limits: Limits, *, who: str) -> bytes:
    """Give bytes to a module's `answer` in a process of its own and take what it returns.

    OverLimitError when it did not end well within its limits; LineFullError when too many wait, too many of `who`, or too long;
    ClientDisconnect when the request's sender went away meanwhile.
    The process knows nothing of this one's settings and secrets, and is killed when its time is over or nobody waits.
    """
    outside_transaction("another process")
    return await while_awaited(_run(module, data, limits, who))


async def _run(module: str, data: bytes, limits: Limits, who: str) -> bytes:
    environment = {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    async with _line.turn(who):
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-B", "-m", "services.kit.confined", module, str(int(limits.seconds) + 1), str(limits.memory_mib)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment,
        )
        try:
            async with asyncio.timeout(limits.seconds * CLOCK):
                written = await _answer_of(child, data, limits.answer_bytes)
        except TimeoutError as error:
            raise OverLimitError from error
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
    if child.returncode != 0:
        raise OverLimitError
    return written


async def _answer_of(child: asyncio.subprocess.Process, data: bytes, most: int) -> bytes:
    """What a process writes to its end; OverLimitError when it is more than it may be."""
    assert child.stdin is not None  # noqa: S101 - both are pipes
    assert child.stdout is not None  # noqa: S101 - both are pipes
    try:
        child.stdin.write(data)
        await child.stdin.drain()
        child.stdin.close()
    except (BrokenPipeError, ConnectionResetError):
        # It ended before it had read all: its exit code tells how.
        pass
    pieces: list[bytes] = []
    left = most
    while piece := await child.stdout.read(_PIECE):
        left -= len(piece)
        if left < 0:
            raise OverLimitError
        pieces.append(piece)
    await child.wait()
    return b"".join(pieces)
