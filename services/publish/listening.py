"""Who listens to what changes: one look into the database a second for all listeners of a process, none for nobody.

A listener is a position in the order of changes and nothing more, so a slow one takes no memory: what it has not got yet
stands in the database. Everybody who is near the newest is served from the last look.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from services.kit.db import INFRASTRUCTURE_ERRORS, Database
from services.kit.log import get_logger
from services.kit.rates import Seats
from services.publish import metrics
from services.publish.render.rows import Change
from services.publish.store import marks

log = get_logger(__name__)
LOOK_S: Final = 1.0
#: Of one process, and of one address: an office stands behind one.
MOST: Final = 500
MOST_OF_ONE: Final = 20
_AGAIN_S: Final = 60
PAGE: Final = 200
_KEPT: Final = 1_000
_PATIENCE_S: Final = 3.0


class Listening:
    """The listeners of one process."""

    def __init__(self, database: Database) -> None:
        """Begin with nobody who listens, and no look."""
        self._database = database
        self._seats = Seats(MOST, MOST_OF_ONE, _AGAIN_S)
        #: What came between two positions, whole; None for the first as long as nobody looked.
        self._since: int | None = None
        self._recent: deque[Change] = deque(maxlen=_KEPT)
        self._look: asyncio.Task[None] | None = None

    @contextmanager
    def seat(self) -> Iterator[None]:
        """A place among the listeners; TooManyAtOnceError for an address that has enough, UnavailableError when all are taken."""
        with self._seats.seat():
            metrics.LISTENERS.set(self._seats.taken)
            try:
                yield
            finally:
                metrics.LISTENERS.set(left := self._seats.taken - 1)
                if not left:
                    # Whoever comes next is not led through all that nobody heard.
                    self._since = None
                    self._recent.clear()

    async def after(self, position: int, stopping: asyncio.Event, until: float) -> Sequence[Change]:
        """What changed behind a position, a page at most, as soon as something has; nothing when the process stops, or at a time of the loop's clock."""
        while not stopping.is_set() and asyncio.get_running_loop().time() < until:
            found = self._known(position)
            if found is None:
                found = await self._read(position)
            if found:
                return found
            await self._await_look(stopping)
        return ()

    def _known(self, position: int) -> list[Change] | None:
        """What the looks have seen behind a position; None for one of before them."""
        first = self._recent[0].position - 1 if len(self._recent) == _KEPT else self._since
        if first is None or position < first:
            return None
        return [change for change in self._recent if change.position > position][:PAGE]

    async def _await_look(self, stopping: asyncio.Event) -> None:
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._look_again(stopping))
        # One who leaves takes it from nobody else.
        await asyncio.shield(self._look)

    async def _look_again(self, stopping: asyncio.Event) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), LOOK_S)
        if self._since is None:
            head = await self._head()
            self._since = head if self._seats.taken else None
            return
        more = True
        while more and self._since is not None:
            found = await self._read(self._recent[-1].position if self._recent else self._since)
            if self._seats.taken:
                self._recent.extend(found)
            more = len(found) == PAGE

    async def _head(self) -> int | None:
        try:
            async with self._database.connection_within(_PATIENCE_S) as conn:
                return await marks.select_newest_change(conn)
        except INFRASTRUCTURE_ERRORS as error:
            log.warning("listeners wait for the database", error=repr(error))
            return None

    async def _read(self, position: int) -> list[Change]:
        """Nothing where the database does not answer: then it is asked again with the next look."""
        try:
            async with self._database.connection_within(_PATIENCE_S) as conn:
                return await marks.select_changes(conn, position, PAGE)
        except INFRASTRUCTURE_ERRORS as error:
            log.warning("listeners wait for the database", error=repr(error))
            return []
