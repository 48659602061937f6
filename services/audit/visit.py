"""What routes of audit work with, who may read, and what judging needs beside facts.

Commands take a connection and a `Bench`, not a visit: events, the clock and replays cause them, and nobody asks.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

from services.audit.errors import UnknownAlertError
from services.audit.memory import Tallies
from services.audit.rules import LEADS, RULES, given
from services.audit.rules.facts import EMPTY, Cell, CellKey, Fact, fold, is_declared
from services.audit.rules.limits import Limits, LimitsError, read_limits
from services.audit.rules.window import Last, View
from services.audit.settings import AuditSettings
from services.audit.store import alerts
from services.audit.store.alerts import AlertRow
from services.contracts import duties
from services.contracts.base import Role
from services.contracts.division import DivisionKind
from services.contracts.duties import Duty
from services.contracts.values import Frequency, period_bounds, period_frequency
from services.kit import visit
from services.kit.clock import Clock, local_day, start_of_day
from services.kit.db import Database
from services.kit.errors import Retry
from services.kit.reference import Reference
from services.kit.runtime import Runtime

#: Who reads alerts, rules, coverage, sheets; which of them, `Reading` tells by scope and affairs.
#: Who may see what is only suspected.
MAY_SUSPECT: Final = (Role.INSPECTOR,)
MAY_WATCH: Final = (Role.INSPECTOR, Role.DEPARTMENT, Role.OPERATOR)
_ALERT_ID: Final = re.compile("[0-9a-f]{30}")


@dataclass(frozen=True, slots=True)
class Own:
    """What audit holds while a process lives."""

    tallies: Tallies


def make_own(settings: AuditSettings, _database: Database, _clock: Clock, _reference: Reference) -> Own:
    """What a process begins with: nothing counted yet. Limits that cannot be read stop it here, and say where."""
    limits_of(settings.limits)
    return Own(Tallies())


@cache
def limits_of(folder: Path | None) -> Limits:
    """Limits that come with the rules, with a city's own files beside them; read once."""
    files = {
        f.name: f.read_text(encoding="utf-8") for f in resources.files(given).iterdir() if f.name.endswith(".toml")
    }
    if folder is not None and not folder.is_dir():
        message = f"{folder}：没有这个文件夹，请核对 SANWU_LIMITS 写的位置。"
        raise LimitsError(message)
    for path in sorted(folder.glob("*.toml")) if folder is not None else ():
        if path.name in files:
            message = f"{path}：这个文件名是平台自带的，请按市、县、镇街的区划代码取名。"
            raise LimitsError(message)
        files[path.name] = path.read_text(encoding="utf-8")
    return read_limits(files, {r.id: r.limits for r in (*RULES, *LEADS) if r.limits})


AuditRuntime = Runtime[AuditSettings, Own]


@dataclass(frozen=True, slots=True)
class Bench:
    """What judging needs beside facts: reference data, settings, the time."""

    reference: Reference
    settings: AuditSettings
    now: datetime

    @property
    def city(self) -> str:
        """The city's code, part of every alert's identity."""
        city = self.reference.city()
        if city is None:
            reason = "the city is not known yet"
            raise Retry(reason)
        return city.code

    def watches(self, item: str) -> bool:
        """Tell whether the clock rules look at an item."""
        return not self.settings.duty_items or item in self.settings.duty_items

    def duty(self, key: CellKey, known: Sequence[Fact] = ()) -> Duty | None:
        """What was owed in a cell; None for one that cannot be, or that the clock rules do not watch.

        An on-event item is owed for a day that the village declared, or of which anything was handed in.
        """
        if not self.watches(key.item):
            return None
        owed = self.reference.duty(key.village, duties.CellKey(key.item, key.period))
        item = self.reference.items.get(key.item)
        if owed is None or item is None:
            return None
        last = period_bounds(key.period)[1]
        if item.at(last).frequency is not Frequency.ON_EVENT:
            return owed
        happened = period_frequency(key.period) is Frequency.ON_EVENT and (is_declared(known) or fold(known).has_row)
        return owed if happened else None

    def view(self, key: CellKey, known: dict[CellKey, list[Fact]], last: Last | None) -> View:
        """A cell with its surroundings, from facts that hold the cell before too."""
        before = key.before()
        mine = known.get(key, ())
        cell = fold(mine)
        return View(
            key=key,
            cell=cell,
            before=fold(known.get(before, ())) if before is not None else EMPTY,
            duty=self.duty(key, mine),
            now=self.now,
            duty_before=self.duty(before) if before is not None else None,
            review_due_at=self.review_due_at(key, cell),
            known=tuple({f.event: f for f in mine}.values()),
            last=last,
            notice_days=self.notice_days(key),
            limits=self.limits,
        )

    @property
    def limits(self) -> Limits:
        """What law and place allow."""
        return limits_of(self.settings.limits)

    def notice_days(self, key: CellKey) -> int:
        """How long the item of a cell had to stay on the wall; 0 where nothing is said."""
        item = self.reference.items.get(key.item)
        return item.at(period_bounds(key.period)[1]).notice_days if item is not None else 0

    def review_due_at(self, key: CellKey, cell: Cell) -> datetime | None:
        """The first instant at which the township is late with what it got; None when it got nothing."""
        if cell.review is None:
            return None
        day = local_day(cell.review.handed_over_at)
        days = self.reference.profile(key.village).at(day).review_working_days
        last = self.reference.calendar.add_working(day, days)
        return start_of_day(last + timedelta(days=1))


class Reading(visit.Reading[AuditSettings, Own]):
    """Somebody who watches: an inspector, a department, an operator."""

    @property
    def bench(self) -> Bench:
        """What the grid is worked out with."""
        return Bench(self.reference, self.settings, self.now)

    @property
    def items(self) -> list[str] | None:
        """Items of the caller's affairs; None for all of the catalogue."""
        if not self.actor.affairs:
            return None
        known = sorted(self.reference.items.items())
        return [code for code, item in known if item.at(self.today).affair in self.actor.affairs]

    def parts(self, division: str | None) -> dict[str, str]:
        """Villages within a part of the caller's tree, each with the child of that part which it belongs to."""
        code = division or self.actor.scope
        self.actor.require_scope(self.reference, code)
        if not self.reference.children(code):
            return {v.code: v.code for v in self.reference.villages(code)}
        return {v.code: c.code for c in self.reference.children(code) for v in self.reference.villages(c.code)}

    def villages(self, division: str | None) -> list[str] | None:
        """Villages of a part of the caller's tree, or of all of it; None for the whole city, so that nothing is listed."""
        code = division or self.actor.scope
        self.actor.require_scope(self.reference, code)
        if self.reference.divisions[code].now.kind is DivisionKind.CITY:
            return None
        return [v.code for v in self.reference.villages(code)]

    async def alert(self, alert_id: str) -> AlertRow:
        """An alert within the caller's scope."""
        found = await alerts.select_alert(self.conn, alert_id) if _ALERT_ID.fullmatch(alert_id) else None
        if found is None:
            raise UnknownAlertError
        self.actor.require_scope(self.reference, found.subject.village)
        item = self.reference.items.get(found.subject.item or "")
        if item is not None:
            self.actor.require_affair(item.at(self.today).affair)
        return found


ReadingDep = Annotated[Reading, visit.reading_dep(Reading)]
