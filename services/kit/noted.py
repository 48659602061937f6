"""Looks and refusals in the trail, so bounded that nobody fills it: of a process, who has looked at what, who was refused how often.

A look at a thing is a row once an hour for each person, committed before the content leaves. A refusal is a row of its own, up
to a number a minute for each person, and one more row that counts the rest. Strangers leave none.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.kit import actions
from services.kit.db import INFRASTRUCTURE_ERRORS, Connection, Database, UnstorableError
from services.kit.log import get_logger

log = get_logger(__name__)

#: So many of one person in a minute have a row each.
REFUSALS_A_MINUTE: Final = 30
#: So many looks of an hour are remembered; whoever comes after has more than one row.
LOOKS_REMEMBERED: Final = 20_000
#: An answer that refuses waits no longer for its row.
_PATIENCE_S: Final = 1.0
#: How the row is called that tells of those without one.
REFUSED_AGAIN: Final = "refused again"


@dataclass(slots=True)
class _Refused:
    """The refusals of one person within a minute."""

    who: actions.Who
    minute: datetime
    code: str
    times: int = 0


class Noted:
    """What a process remembers of looks and refusals."""

    def __init__(self) -> None:
        """Begin with no look and no refusal remembered."""
        self._hour: datetime | None = None
        self._looked: set[tuple[str | None, str | None]] = set()
        self._refused: dict[str, _Refused] = {}

    async def look(
        self, conn: Connection, who: actions.Who, action: str, at: datetime, subject: actions.Subject
    ) -> None:
        """Write that somebody looks at something, unless they did within the same hour."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour, self._looked = hour, set()
        if (key := (who.staff_id, subject.object)) in self._looked:
            return
        await actions.record(conn, who, action, at, subject)
        if len(self._looked) < LOOKS_REMEMBERED:
            self._looked.add(key)

    async def refuse(
        self, database: Database, who: actions.Who, action: str, at: datetime, subject: actions.Subject, code: str
    ) -> None:
        """Write that somebody was refused, or count it where they were too often within the minute.

        A database that does not answer leaves no row: the refusal stands all the same.
        """
        minute = at.replace(second=0, microsecond=0)
        before = self._refused.get(who.staff_id or "")
        if before is not None and before.minute != minute:
            await self.flush(database, at)
            before = None
        counted = before or self._refused.setdefault(who.staff_id or "", _Refused(who, minute, code))
        counted.times += 1
        if counted.times <= REFUSALS_A_MINUTE:
            await self._write(database, who, action, at, subject, actions.Outcome(code))

    async def flush(self, database: Database, now: datetime) -> None:
        """Write a row for everybody who was refused more often than has rows, in a minute that is over; forget these minutes."""
        minute = now.replace(second=0, microsecond=0)
        over = [key for key, counted in self._refused.items() if counted.minute < minute]
        for counted in [self._refused.pop(key) for key in over]:
            if (more := counted.times - REFUSALS_A_MINUTE) > 0:
                outcome = actions.Outcome(counted.code, more)
                await self._write(database, counted.who, REFUSED_AGAIN, now, actions.Subject(), outcome)

    async def _write(
        self,
        database: Database,
        who: actions.Who,
        action: str,
        at: datetime,
        subject: actions.Subject,
        outcome: actions.Outcome,
    ) -> None:
        try:
            async with database.connection_within(_PATIENCE_S) as conn:
                await actions.record(conn, who, action, at, subject, outcome)
        except (*INFRASTRUCTURE_ERRORS, UnstorableError) as error:
            log.warning("a refusal is not in the trail", who=who.staff_id, action=action, error=repr(error))
