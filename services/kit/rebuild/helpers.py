"""Processes beside a command's own, for slow work on values: they hold no connection, and end when the command does.

They are forked while the command line is read, before there is a loop, a thread or a connection. Each waits on a pipe
whose other end the command alone holds, so however that ends, they do.
"""

import asyncio
import contextlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, Final, Self

#: A function of a module with its arguments.
Call = tuple[Callable[..., Any], tuple[object, ...]]
#: What stands for an answer where the function raised something: whoever asked calls it again, and has the error itself.
FAILED: Final = "a function failed in another process"
#: So many calls at once: few enough that all helpers have some, and enough to be worth the way.
_SHARE: Final = 64
_MOST: Final = 4


class Helpers:
    """So many processes, or none: then the work is done here."""

    @classmethod
    def beside(cls) -> Self:
        """As many as there are cores, within reason; none where this process has more to do than a command."""
        return cls(min(os.cpu_count() or 1, _MOST) if threading.active_count() == 1 else 0)

    def __init__(self, count: int) -> None:
        """Fork them: nothing else may run in this process yet."""
        self._idle: asyncio.Queue[Connection] = asyncio.Queue()
        self._ends: list[Connection] = []
        fork = multiprocessing.get_context("fork")
        for _ in range(count):
            ours, theirs = fork.Pipe()
            fork.Process(target=_help, args=(theirs, [*self._ends, ours]), daemon=True).start()
            theirs.close()
            self._ends.append(ours)
            self._idle.put_nowait(ours)

    async def everywhere(self, function: Callable[..., None], *args: object) -> None:
        """Have every helper call something before anything else."""
        for end in self._ends:
            await asyncio.to_thread(_send_and_wait, end, [(function, args)])

    async def work_out(self, calls: Sequence[Call]) -> list[object]:
        """The answers to calls, in order; FAILED for one that raised something."""
        if not self._ends:
            return [_answer(call) for call in calls]
        shares = [calls[n : n + _SHARE] for n in range(0, len(calls), _SHARE)]
        answers = await asyncio.gather(*(self._ask(share) for share in shares))
        return [answer for share in answers for answer in share]

    async def _ask(self, calls: Sequence[Call]) -> list[object]:
        helper = await self._idle.get()
        try:
            return await asyncio.to_thread(_send_and_wait, helper, calls)
        finally:
            self._idle.put_nowait(helper)

    def close(self) -> None:
        """Let them end."""
        for end in self._ends:
            end.close()


def _send_and_wait(helper: Connection, calls: Sequence[Call]) -> list[object]:
    try:
        helper.send(calls)
        answers: list[object] = helper.recv()
    except (EOFError, OSError) as error:
        message = "a process beside this one has ended"
        raise ConnectionError(message) from error
    return answers


def _answer(call: Call) -> object:
    function, arguments = call
    try:
        return function(*arguments)
    except Exception:  # noqa: BLE001 - it is called again where somebody waits for it
        return FAILED


def _help(end: Connection, of_others: Sequence[Connection]) -> None:
    """Work for as long as somebody holds the other end."""
    for other in of_others:
        other.close()
    with contextlib.suppress(EOFError, KeyboardInterrupt, BrokenPipeError):
        while True:
            end.send([_answer(call) for call in end.recv()])
