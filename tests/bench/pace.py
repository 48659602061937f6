"""How fast the processor is at this moment: on shared machines one and the same work costs two and three times as much at other hours.

Processor time leaves out what others use, but not that they slow a shared core down. So a fixed piece of work is done beside
whatever is measured: figures of two hours compare by what they cost in paces, not in milliseconds.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Final, Self

from tests.bench.report import median, spread

EVERY_S: Final = 1.0
PACE_WORDS: Final = "A pace is the processor time of one and the same piece of work, done beside: where it takes longer, so does all else."
_LINES: Final = [{"n": n, "summary": "付保洁员三季度工资", "amount_fen": 360_000 + n, "payee": None} for n in range(40)]
_TIMES: Final = 40


def pace_ms() -> float:
    """Milliseconds of processor time of a fixed piece of work: JSON written, read and added up."""
    started = time.thread_time()
    for _ in range(_TIMES):
        text = json.dumps(_LINES, ensure_ascii=False)
        assert sum(line["amount_fen"] for line in json.loads(text)) > 0
    return (time.thread_time() - started) * 1e3


class Pace:
    """Paces while something is measured: `async with Pace() as pace: ...`, then `pace.ms`."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._seen: list[float] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Look once a second from now on."""
        self._seen.append(await asyncio.to_thread(pace_ms))
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Look a last time."""
        if self._task is not None:
            self._task.cancel()
        self._seen.append(await asyncio.to_thread(pace_ms))

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            self._seen.append(await asyncio.to_thread(pace_ms))

    @property
    def ms(self) -> float:
        """The middle one, in milliseconds."""
        return median(self._seen)

    @property
    def words(self) -> str:
        """`7.9 ms (7.6–9.1)`."""
        return paces_words(self._seen)


def paces_words(seen: Sequence[float]) -> str:
    """The middle one with the least and the most."""
    return f"{median(seen):.1f} ms ({spread(seen, '.1f')})"
