"""Runs a tool to its end (initdb, psql, dbmate, Kafka's format) and gives its output.

Whatever ends the caller ends the tool: it is killed when the caller is cancelled, and dies with
a killed parent where the system offers that.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from deploy.local import privileges


async def run(
    command: Sequence[str | os.PathLike[str]],
    env: Mapping[str, str],
    *,
    user: privileges.User | None = None,
    keep: Iterable[int] = (),
) -> tuple[int, str]:
    """Return the exit code and all that was written."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0,
        preexec_fn=privileges.preparation(fate=signal.SIGKILL, user=user, keep=keep),
    )
    try:
        output, _ = await process.communicate()
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    return process.returncode or 0, output.decode(errors="replace")
