"""Work for a processor that a reader waits for, beside the loop: tables, cards, archives. One thread, a short line before it.

Whoever reads pages is not held up: the loop answers them between the steps of the thread. Who comes when the line is full
is told when to come again, so that no crowd takes the machine's memory.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from services.kit.errors import UnavailableError

R = TypeVar("R")
#: Each holds what it is made from: some MiB at most.
_MOST_IN_LINE: Final = 16
#: When there may be a place again, in seconds.
AGAIN_S: Final = 5


class Making:
    """The line before one thread of a process."""

    def __init__(self) -> None:
        """Begin with nobody in line; the thread starts with the first."""
        self._thread = ThreadPoolExecutor(1, "making")
        self._in_line = 0

    async def make(self, work: Callable[[], R]) -> R:
        """What the work returns, in turn; UnavailableError when too many wait. Whoever leaves before it began frees the place."""
        if self._in_line >= _MOST_IN_LINE:
            detail = "现在要的人太多，请过几秒再试。"
            raise UnavailableError(detail, retry_after_s=AGAIN_S)
        self._in_line += 1
        made = self._thread.submit(work)
        made.add_done_callback(self._count_out(asyncio.get_running_loop()))
        return await asyncio.wrap_future(made)

    def _count_out(self, loop: asyncio.AbstractEventLoop) -> Callable[[Future[R]], None]:
        def leave() -> None:
            self._in_line -= 1

        def told(_: Future[R]) -> None:
            loop.call_soon_threadsafe(leave)

        return told
