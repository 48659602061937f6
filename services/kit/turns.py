"""Long work on the loop, cut into turns: one process answers everybody, and nobody waits for another's long page."""

import asyncio
import time
from typing import Final

#: After so long others have the loop in between, in seconds.
_TURN_S: Final = 0.003


class Turns:
    """One piece of work that lets others have the loop after some milliseconds."""

    def __init__(self) -> None:
        """The first turn begins now."""
        self._since = time.perf_counter()

    async def rest(self) -> None:
        """Between two steps of the work: let others have the loop if it is their turn."""
        if time.perf_counter() - self._since > _TURN_S:
            await asyncio.sleep(0)
            self._since = time.perf_counter()
