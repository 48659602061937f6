"""Whether the event loop turns: everybody waits while one piece of work holds it.

A thread looks ten times a second when the loop turned last, and takes the stack of the loop's thread while it stands. What
made it stand is told from the clock of that thread's work: `work` computed, `wait` called something that blocks; with
`machine` the whole process got no turn on the processor, which no code of ours can help.
"""

import asyncio
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from services.kit import metrics
from services.kit.log import get_logger

log = get_logger(__name__)

LOOK_S: Final = 0.1
#: A loop that turns so late is noted.
STALL_S: Final = 0.25
#: Of so long a time the worst is told.
MEMORY_S: Final = 60.0
_FRAMES: Final = 30


class LoopWatch:
    """Watches the loop in which it is started."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._clock = time.pthread_getcpuclockid(self._thread)
        self._over = threading.Event()
        self._turned = time.monotonic()
        self._worked = time.clock_gettime(self._clock)
        self._looked = self._turned
        #: How late the watching thread itself came while the loop stood.
        self._late_look = 0.0
        self._stack: str | None = None
        self._lags: deque[tuple[float, float]] = deque()
        self._stalls = dict.fromkeys(metrics.STALL_CAUSES, 0)
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch within this block."""
        thread = threading.Thread(target=self._look, name="loop watch", daemon=True)
        self._turn()
        thread.start()
        metrics.LOOP_LAG.source = lambda: {(): self.worst_s()}
        try:
            yield
        finally:
            self._over.set()
            if self._timer is not None:
                self._timer.cancel()
            thread.join()

    def worst_s(self) -> float:
        """How late the loop was at its worst within the last minute, in seconds."""
        since = time.monotonic() - MEMORY_S
        return max((lag for at, lag in tuple(self._lags) if at >= since), default=0.0)

    def facts(self) -> dict[str, Any]:
        """What `/livez` tells of it."""
        return {"worst_lag_seconds": round(self.worst_s(), 3), "stalls": dict(self._stalls)}

    def _turn(self) -> None:
        """A turn of the loop, ten times a second."""
        now, worked = time.monotonic(), time.clock_gettime(self._clock)
        lag = max(0.0, now - self._turned - LOOK_S)
        self._lags.append((now, lag))
        while self._lags[0][0] < now - MEMORY_S:
            self._lags.popleft()
        if lag >= STALL_S:
            self._note(lag, worked - self._worked)
        self._turned, self._worked, self._stack, self._late_look = now, worked, None, 0.0
        self._timer = self._loop.call_later(LOOK_S, self._turn)

    def _note(self, lag: float, worked: float) -> None:
        late = max(self._late_look, time.monotonic() - self._looked - LOOK_S)
        cause = "work" if worked >= lag / 2 else "machine" if late >= lag / 2 else "wait"
        self._stalls[cause] += 1
        metrics.LOOP_STALLS.labels(cause).inc()
        log.warning(
            "the event loop stood still",
            seconds=round(lag, 3),
            processor_seconds=round(worked, 3),
            cause=cause,
            stack=self._stack,
        )

    def _look(self) -> None:
        while not self._over.wait(LOOK_S):
            now = time.monotonic()
            late, self._looked = now - self._looked - LOOK_S, now
            if now - self._turned - LOOK_S >= STALL_S:
                self._late_look = max(self._late_look, late)
                if self._stack is None and (frame := sys._current_frames().get(self._thread)) is not None:  # noqa: SLF001 - the documented way to another thread's stack
                    # Places in the code alone: values are people's data.
                    self._stack = "".join(traceback.format_stack(frame, _FRAMES))
