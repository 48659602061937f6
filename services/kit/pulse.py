"""How this process is: when each of its roles turned last, and whether what waits moves. Neither needs a database.

A role beats at every turn: at a poll, a try, a record, a batch. Everything that it awaits in between has a deadline well
below a minute, so a role that is older hangs, or is gone.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Final, TypeVar

_T = TypeVar("_T")

#: A look that is older says nothing about now.
FRESH_S: Final = 30.0
#: Whoever may have to wait for long beats so often.
BEAT_S: Final = 5.0

Beat = Callable[[], None]


def nothing() -> None:
    """The beat of what nobody watches: a command, a test."""


class Pulse:
    """When each role turned last, by its name, and what it tells of itself."""

    def __init__(self) -> None:
        """No role is known yet."""
        self._turned: dict[str, float] = {}
        self._facts: dict[str, Callable[[], dict[str, Any]]] = {}

    def watch(self, role: str, facts: Callable[[], dict[str, Any]] = dict) -> Beat:
        """Watch a role from now on; returns the beat that it gives at every turn."""

        def beat() -> None:
            self._turned[role] = time.monotonic()

        beat()
        self._facts[role] = facts
        return beat

    def ages(self) -> dict[str, float]:
        """How long ago each role turned, in seconds."""
        now = time.monotonic()
        return {role: now - turned for role, turned in self._turned.items()}

    def answer(self, limit_s: float) -> dict[str, Any]:
        """Whether each role turned within the limit, and by how much it did not; what `/livez` answers."""
        roles: dict[str, dict[str, Any]] = {}
        for role, age in self.ages().items():
            late = {"too_old_by_seconds": round(age - limit_s, 1)} if age > limit_s else {}
            roles[role] = {"live": not late, "age_seconds": round(age, 1), **late, **self._facts[role]()}
        live = all(told["live"] for told in roles.values())
        return {"live": live, "limit_seconds": limit_s, "roles": roles}


class Backlog:
    """What waits in a queue, as it was seen last, and since when it stands still."""

    def __init__(self) -> None:
        """Nobody has looked yet."""
        self._size = 0
        self._place: Hashable = None
        self._moved: float | None = None
        self._seen: float | None = None

    def see(self, size: int, place: Hashable) -> None:
        """Note how much waits, and the place in the queue that changes whenever it moves."""
        self._seen = now = time.monotonic()
        if size == 0 or place != self._place or self._moved is None:
            self._moved = now
        self._size, self._place = size, place

    def size(self) -> int | None:
        """How much waits; None when nobody has looked for a while."""
        return self._size if self._seen is not None and time.monotonic() - self._seen < FRESH_S else None

    def still_s(self) -> float | None:
        """For how long what waits has not moved, 0 when nothing waits; None when that is unknown.

        What was seen to wait counts on while nobody can look: nobody has seen it move.
        """
        if self._moved is None or (self._size == 0 and self.size() is None):
            return None
        return time.monotonic() - self._moved if self._size else 0.0


async def beating(work: Coroutine[Any, Any, _T], beat: Beat) -> _T:
    """Await what takes as long as it takes but cannot hang, such as the deleting of a folder; beat meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait([task], timeout=BEAT_S))[0]:
            beat()
    finally:
        task.cancel()
    return task.result()
