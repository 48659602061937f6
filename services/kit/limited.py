"""Work on what strangers sent, in a process of its own with limits of time and memory, which ends with whoever waits."""

import asyncio
import os
import sys
from typing import Final

from services.kit.db import outside_transaction

#: Many at once would take the machine's memory together.
_AT_ONCE: Final = 2
_turns: Final = asyncio.Semaphore(_AT_ONCE)


class OverLimitError(Exception):
    """The work took too long, too much memory, or broke its process."""


async def run_limited(module: str, data: bytes, seconds: float, memory_mib: int) -> bytes:
    """Give bytes to `python -m module SECONDS MIB` and take what it writes; OverLimitError when it did not end well in time.

    The process knows nothing of this one's settings and secrets, and is killed when its time is over or nobody waits.
    """
    outside_transaction("another process")
    environment = {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    async with _turns:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", module, str(int(seconds) + 1), str(memory_mib)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment,
        )
        try:
            async with asyncio.timeout(seconds):
                written, _ = await child.communicate(data)
        except TimeoutError as error:
            raise OverLimitError from error
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
    if child.returncode != 0:
        raise OverLimitError
    return written
