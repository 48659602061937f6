"""Whether the event loop turns: everybody waits while one piece of work holds it.

A thread looks ten times a second when the loop turned last, and takes the stack of the loop's thread while it stands. What
made it stand is told by what the kernel counts of that thread: it computed (`work`), it waited for something, be it a call
that blocks (`wait`), or it was ready and got no turn on the processor (`machine`), which no code of ours can help.
"""

import asyncio
import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TypedDict

from services.kit import metrics
from services.kit.log import get_logger

log = get_logger(__name__)

LOOK_S: Final = 0.1
#: A loop that turns so late is noted.
STALL_S: Final = 0.25
#: Of so long a time the worst is told.
MEMORY_S: Final = 60.0
_FRAMES: Final = 30
_COUNTS_BYTES: Final = 100


def _open_counts(thread: int) -> int | None:
    """What the kernel counts of a thread of this process, to be read again and again; None where it does not count."""
    try:
        return os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


class LoopFacts(TypedDict):
    """What `/livez` tells of the loop: its worst lag within the last minute, and how often it stood still, by cause."""

    worst_lag_seconds: float
    stalls: dict[str, int]


class LoopWatch:
    """Watches the loop in which it is started."""

    def __init__(self) -> None:
        """Begin with no stall seen, in the thread whose loop runs."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._counted = _open_counts(threading.get_native_id())
        self._over = threading.Event()
        self._turned, self._spent = time.monotonic(), self._look_up()
        self._stack: str | None = None
        self._lags: deque[tuple[float, float]] = deque()
        self._stalls = dict.fromkeys(metrics.STALL_CAUSES, 0)
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the loop, and tell the metrics of it, within this block."""
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
            if self._counted is not None:
                os.close(self._counted)
                self._counted = None

    def worst_s(self) -> float:
        """How late the loop was at its worst within the last minute, in seconds."""
        since = time.monotonic() - MEMORY_S
        return max((lag for at, lag in tuple(self._lags) if at >= since), default=0.0)

    def facts(self) -> LoopFacts:
        """What `/livez` tells of it."""
        return {"worst_lag_seconds": round(self.worst_s(), 3), "stalls": dict(self._stalls)}

    def _turn(self) -> None:
        """A turn of the loop, ten times a second."""
        now, spent = time.monotonic(), self._look_up()
        lag = max(0.0, now - self._turned - LOOK_S)
        self._lags.append((now, lag))
        while self._lags[0][0] < now - MEMORY_S:
            self._lags.popleft()
        if lag >= STALL_S:
            worked, stood_by = (new - old for new, old in zip(spent, self._spent, strict=True))
            self._note(lag, worked, stood_by)
        self._turned, self._spent, self._stack = now, spent, None
        self._timer = self._loop.call_later(LOOK_S, self._turn)

    def _look_up(self) -> tuple[float, float]:
        """Seconds for which the loop's thread computed, and for which it was ready and got no turn (proc_pid_schedstat)."""
        if self._counted is None:
            # A kernel that does not count: what is not known to be work is taken for waiting.
            return time.thread_time(), 0.0
        # Ten times a second in every process: what is open is read anew for a tenth of what it costs to open it.
        worked, stood_by, _ = os.pread(self._counted, _COUNTS_BYTES, 0).split()
        return int(worked) / 1e9, int(stood_by) / 1e9

    def _note(self, lag: float, worked: float, stood_by: float) -> None:
        cause = "work" if worked >= STALL_S else "wait" if lag - worked - stood_by >= STALL_S else "machine"
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
            if self._stack is not None or time.monotonic() - self._turned - LOOK_S < STALL_S:
                continue
            if (frame := sys._current_frames().get(self._thread)) is not None:  # noqa: SLF001 - the documented way to another thread's stack
                # Places in the code alone: values are people's data.
                self._stack = "".join(traceback.format_stack(frame, _FRAMES))
