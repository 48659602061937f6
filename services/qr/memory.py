"""Codes in the memory of a process, so that a scan needs no database; and the scans that it has not written yet."""

import asyncio
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Final

from services.kit.db import INFRASTRUCTURE_ERRORS, Database
from services.kit.log import get_logger
from services.qr import metrics
from services.qr.store.codes import CodeRow, select_changed_codes
from services.qr.store.scans import add_scans

log = get_logger(__name__)

#: A row committed late by another process may carry an earlier time than one already read.
_OVERLAP: Final = timedelta(seconds=30)
#: Made-up codes make no more questions to the database than this.
_PATIENCE_S: Final = 1.0
#: Whoever holds a phone will not wait longer; the gateway asks publish before that.
_ANSWER_S: Final = 2.0
#: What a process that is killed has not written yet.
WRITE_AFTER_S: Final = 20.0


class CodesInMemory:
    """Every code (some 100 bytes each), so that a scan needs no database.

    Read anew after this process's commits and on a miss. A copy of the process that knows a code already learns of its
    revocation at its next look; until then the village is right and only the hint in the address is old.
    """

    def __init__(self, database: Database) -> None:
        """Start empty; `refresh` fills it later on."""
        self._database = database
        self._codes: dict[str, CodeRow] = {}
        self._since = datetime(2000, 1, 1, tzinfo=UTC)
        self._looked_at = float("-inf")
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()
        database.listeners.append(self._changed)

    def known(self, code: str) -> CodeRow | None:
        """A code that was read already."""
        return self._codes.get(code)

    async def find(self, code: str) -> CodeRow | None:
        """A code; asks the database only about one that is not known yet. What a known one became is told by `refresh`.

        Raises one of INFRASTRUCTURE_ERRORS when an unknown code cannot be looked up.
        """
        known = self._codes.get(code)
        if known is None:
            async with asyncio.timeout(_ANSWER_S):
                await self.refresh()
        return self._codes.get(code)

    async def refresh(self) -> None:
        """Read what changed, unless somebody has just done so."""
        async with self._lock:
            if not self._changed.is_set() and time.monotonic() - self._looked_at < _PATIENCE_S:
                return
            self._changed.clear()
            try:
                async with self._database.connection() as conn:
                    rows, newest = await select_changed_codes(conn, self._since - _OVERLAP)
            except BaseException:
                self._changed.set()
                raise
            self._codes.update((row.code, row) for row in rows)
            self._since, self._looked_at = newest, time.monotonic()
            metrics.CODES_HELD.set(len(self._codes))


class ScansInMemory:
    """How often codes were opened since the last writing: a number a day and code, and nothing of whoever did."""

    def __init__(self, database: Database) -> None:
        """Begin with none counted, and nothing to be written."""
        self._database = database
        self._counted: Counter[tuple[date, str]] = Counter()
        self._writing: asyncio.Task[None] | None = None

    def count(self, day: date, code: str) -> None:
        """Remember one; it is written within some seconds, however many come."""
        self._counted[day, code] += 1
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_later())

    async def _write_later(self) -> None:
        while self._counted:
            await asyncio.sleep(WRITE_AFTER_S)
            try:
                await self.write()
            except INFRASTRUCTURE_ERRORS as error:
                log.warning("scans not written", error=repr(error))

    async def write(self) -> None:
        """Add to the sums what was counted; what cannot be written now is counted still."""
        counted, self._counted = self._counted, Counter()
        if not counted:
            return
        try:
            async with self._database.transaction() as conn:
                await add_scans(conn, counted)
        except BaseException:
            self._counted += counted
            raise
