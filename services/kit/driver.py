"""The one way to await the Kafka driver: under a deadline, and with its own cancellations kept apart from ours.

aiokafka lets a CancelledError of its inner tasks out (of its fetcher, when it is stopped between two tries), swallows
ours in places, and can wait for ever. Whoever awaited it would end cancelled, which looks like a good end, or hang.
"""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from services.kit.pulse import BEAT_S, Beat, nothing

_T = TypeVar("_T")

#: How long a step that was given up may take to end.
GRACE_S: Final = 1.0


class DriverCancelledError(ConnectionError):
    """The driver cancelled what was asked of it: nobody told us to stop, so it is asked again."""


async def ask(step: Coroutine[Any, Any, _T], within_s: float | None = None, beat: Beat = nothing) -> _T:
    """The answer to a step; TimeoutError beyond the deadline, DriverCancelledError when the driver gave it up.

    CancelledError comes out when the task that asks is cancelled, and then alone. `beat` is called while it waits.
    """
    task = asyncio.ensure_future(step)
    deadline = None if within_s is None else time.monotonic() + within_s
    try:
        while not task.done() and (deadline is None or time.monotonic() < deadline):
            left = BEAT_S if deadline is None else min(BEAT_S, deadline - time.monotonic())
            await asyncio.wait([task], timeout=left)
            beat()
        answered = task.done()
    finally:
        await _give_up(task)
    if not answered:
        message = f"the Kafka driver did not answer within {within_s} s"
        raise TimeoutError(message)
    if task.cancelled():
        raise DriverCancelledError
    return task.result()


#: Drivers that take longer to end than anybody waits for them; each ends by its own deadlines.
_ending: Final[set["asyncio.Task[None]"]] = set()


async def end(stop: Coroutine[Any, Any, None], within_s: float) -> None:
    """Wait a while for a driver to end; whatever it says at its end is past.

    It is not cancelled: in the middle of its end a consumer goes on with its heartbeats, and so keeps partitions that
    nobody reads.
    """
    task = asyncio.create_task(stop)
    _ending.add(task)
    task.add_done_callback(_ended)
    await asyncio.wait([task], timeout=within_s)


def _ended(task: "asyncio.Task[None]") -> None:
    _ending.discard(task)
    if not task.cancelled():
        # Looked at, so that nobody complains of it.
        task.exception()


async def _give_up(task: "asyncio.Future[Any]") -> None:
    """End a step that is still under way; one that does not end is left alone."""
    if not task.done():
        task.cancel()
        task.add_done_callback(lambda t: t.cancelled() or t.exception())
        await asyncio.wait([task], timeout=GRACE_S)
