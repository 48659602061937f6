"""A service's own copy of the compacted topics: divisions, catalogue, staff, signing keys.

The table `reference` holds it; this module writes it (the registry from its commands, the others from their
consumer) and keeps it in memory, refreshed at once in the process that wrote and within a second in its copies.
"""

import asyncio
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from services.contracts.base import Event, Model, Role
from services.contracts.catalogue import (
    CalendarSet,
    CalendarYear,
    Item,
    ItemSet,
    Profile,
    ProfileSet,
    WorkCalendar,
)
from services.contracts.division import Division, DivisionKind, DivisionSet
from services.contracts.duties import CellKey, Duty, DutyDivision
from services.contracts.owing import Owing
from services.contracts.staff import Signer, SignerSet, Staff, StaffSet, name_of
from services.contracts.topics import CATALOGUE, DIVISIONS, STAFF
from services.kit.clock import local_day
from services.kit.db import Connection, Database

TOPIC_NAMES: Final = frozenset(t.name for t in (DIVISIONS, CATALOGUE, STAFF))
ReferenceEvent = DivisionSet | ItemSet | ProfileSet | CalendarSet | StaffSet | SignerSet

UPSERT_REFERENCE = """
INSERT INTO reference (kind, key, payload)
SELECT kind, key, payload::jsonb FROM unnest($1::text[], $2::text[], $3::text[]) AS t (kind, key, payload) ORDER BY kind, key
ON CONFLICT (kind, key) DO UPDATE
SET payload = excluded.payload, changed_at = clock_timestamp(), changed_in = pg_current_xact_id()
"""
#: Of a snapshot taken now: every transaction before this one has ended, so a later look sees all of its rows.
SELECT_HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text"
SELECT_CHANGED = "SELECT kind, key, payload::text AS payload FROM reference WHERE changed_in >= $1::text::xid8"


async def project(conn: Connection, event: Event) -> bool:
    """Write a reference event's state into the copy; False for any other event."""
    if not isinstance(event, ReferenceEvent):
        return False
    await project_all(conn, [event])
    return True


async def project_all(conn: Connection, events: Sequence[ReferenceEvent]) -> None:
    """Write the states of some reference events, each of another key, in one statement."""
    kinds, keys, payloads = zip(*(_state(e) for e in events), strict=True)
    await conn.execute(UPSERT_REFERENCE, kinds, keys, payloads)


def _state(event: ReferenceEvent) -> tuple[str, str, str]:
    match event:
        case DivisionSet():
            return "division", event.division.code, event.division.model_dump_json()
        case ItemSet():
            return "item", event.item.code, event.item.model_dump_json()
        case ProfileSet():
            return "profile", event.profile.code, event.profile.model_dump_json()
        case CalendarSet():
            return "calendar", str(event.calendar.year), event.calendar.model_dump_json()
        case StaffSet():
            return "staff", event.staff.staff_id, event.staff.model_dump_json()
        case SignerSet():
            return "signer", event.signer.kid, event.signer.model_dump_json()


class Reference:
    """The copy in memory. Reading never touches the database."""

    def __init__(self, database: Database) -> None:
        """Start empty; `refresh` fills."""
        self._database = database
        self._horizon = "0"
        #: When the last look began, on the machine's own clock.
        self._read_at = -math.inf
        self._texts: dict[tuple[str, str], int] = {}
        self._one_at_a_time = asyncio.Lock()
        self._children: dict[str, list[str]] = {}
        self._villages: dict[str, list[Division]] = {}
        self._city: Division | None = None
        self._owing: dict[tuple[object, ...], Owing] = {}
        self._owing_of: dict[str, Owing] = {}
        self.divisions: dict[str, Division] = {}
        self.items: dict[str, Item] = {}
        self.profiles: dict[str, Profile] = {}
        self.years: dict[str, CalendarYear] = {}
        self.staff: dict[str, Staff] = {}
        self.signers: dict[str, Signer] = {}
        self.calendar = WorkCalendar(())
        self.changed = asyncio.Event()

    async def refresh(self, unless_within_s: float = 0.0) -> None:
        """Read what changed since the last time, unless that was so many seconds ago or less."""
        async with self._one_at_a_time:
            if (now := time.monotonic()) - self._read_at < unless_within_s:
                return
            async with self._database.connection() as conn:
                horizon = await conn.fetchval(SELECT_HORIZON)
                rows = await conn.fetch(SELECT_CHANGED, self._horizon)
            self._take_over([(r["kind"], r["key"], r["payload"]) for r in rows])
            self._horizon, self._read_at = horizon, now

    def _take_over(self, rows: Sequence[tuple[str, str, str]]) -> None:
        touched = {kind for kind, key, payload in rows if self._put(kind, key, payload)}
        if touched - {"staff", "signer"}:
            self.calendar = WorkCalendar(tuple(self.years.values()))
            self._owing, self._owing_of = {}, {}
            self._villages = {}
            self._city = next((d for d in self.divisions.values() if d.now.kind is DivisionKind.CITY), None)
            self._children = {}
            for code, division in sorted(self.divisions.items()):
                if (parent := division.now.parent) is not None:
                    self._children.setdefault(parent, []).append(code)
        if touched:
            self.changed.set()

    def _put(self, kind: str, key: str, payload: str) -> bool:
        # A row is read again while an older transaction is open; parsing it again would be dear.
        if self._texts.get((kind, key)) == (digest := hash(payload)):
            return False
        table, model = _TABLES[kind]
        getattr(self, table)[key] = model.model_validate_json(payload)
        self._texts[kind, key] = digest
        return True

    def children(self, code: str) -> list[Division]:
        """Divisions directly below one, by code."""
        return [self.divisions[c] for c in self._children.get(code, ())]

    def ancestors(self, code: str) -> Iterator[Division]:
        """A division, its parent, and so on up to the city; nothing for an unknown code."""
        next_code: str | None = code
        while next_code is not None and (division := self.divisions.get(next_code)) is not None:
            yield division
            next_code = division.now.parent

    def covers(self, scope: str, code: str) -> bool:
        """Tell whether a scope holds a division: the same one or one above it."""
        return any(d.code == scope for d in self.ancestors(code))

    def villages(self, scope: str) -> list[Division]:
        """All villages and communities (no zones) within a scope, by code."""
        if scope not in self.divisions:
            return []
        # Asked at every list and page: found once for each scope.
        if scope not in self._villages:
            self._villages[scope] = [
                d
                for code, d in sorted(self.divisions.items())
                if d.now.kind in {DivisionKind.VILLAGE, DivisionKind.COMMUNITY} and self.covers(scope, code)
            ]
        return self._villages[scope].copy()

    def city(self) -> Division | None:
        """The root of the tree."""
        return self._city

    def is_sample(self) -> bool:
        """Tell whether the city's figures are made up, so that every page must say so."""
        city = self.city()
        return city is not None and city.now.sample

    def duty_division(self, code: str) -> DutyDivision:
        """A division as the duty function wants it, with what it inherits; KeyError when unknown."""
        chain = list(self.ancestors(code))
        if not chain:
            raise KeyError(code)
        starts = (d.now.duties_from for d in chain)
        return DutyDivision(
            code=code, kind=chain[0].now.kind, duties_from=next((s for s in starts if s is not None), None)
        )

    def profile(self, code: str) -> Profile:
        """The deadline profile that a division has or inherits; KeyError when there is none."""
        names = (d.now.profile for d in self.ancestors(code))
        return self.profiles[next((n for n in names if n is not None), "default")]

    def owing(self, code: str) -> Owing:
        """What a division owes, with all that are alike it; KeyError when it, or its profile, is unknown."""
        # Asked for every cell of a page: what a division inherits is looked up once.
        if (known := self._owing_of.get(code)) is not None:
            return known
        division, profile = self.duty_division(code), self.profile(code)
        key = (division.kind, division.duties_from, profile.code)
        if key not in self._owing:
            self._owing[key] = Owing(self.items, division, profile, self.calendar)
        self._owing_of[code] = self._owing[key]
        return self._owing[key]

    def owed_keys(self, code: str, now: datetime, item: str | None = None) -> tuple[CellKey, ...]:
        """The cells that a division owes by a moment, by item and then by period, or those of one item; as `owed_in`."""
        owing = self._owing_if_any(code)
        return owing.keys(now, item) if owing is not None else ()

    def owed_in(self, code: str, periods: Sequence[str], now: datetime) -> tuple[Duty, ...]:
        """What a division owes of some periods by a moment; nothing without a profile. KeyError when it is unknown."""
        owing = self._owing_if_any(code)
        return tuple(replace(d, division=code) for d in owing.owed_in(periods, now)) if owing is not None else ()

    def _owing_if_any(self, code: str) -> Owing | None:
        self.duty_division(code)
        try:
            return self.owing(code)
        except KeyError:
            return None

    def duty(self, code: str, key: CellKey) -> Duty | None:
        """What a cell of a division demands; None when item and period do not fit each other, or are unknown."""
        try:
            found = self.owing(code).duty(key)
        except KeyError:
            return None
        return replace(found, division=code) if found is not None else None

    def delegation(self, staff_id: str, code: str, day: date) -> str | None:
        """The document that lets a person both hand in and approve for a division on a day, or None."""
        staff = self.staff.get(staff_id)
        held = staff.delegations if staff is not None else ()
        return next((d.document for d in held if d.holds(day) and self.covers(d.scope, code)), None)

    def serving(self, role: Role, scope: str, day: date) -> list[Staff]:
        """Members of staff who have a role in exactly this part of the tree on a day, by user name."""
        found = [s for s in self.staff.values() if (r := s.at(day)) is not None and (r.role, r.scope) == (role, scope)]
        return sorted(found, key=lambda s: s.username)

    def name_of(self, staff_id: str) -> str:
        """How a member of staff is called; nobody in particular when the copy does not know them."""
        return name_of(staff_id, self.staff.get(staff_id))

    def staff_role(self, staff_id: str, moment: datetime) -> tuple[str, str] | None:
        """Role and scope of a member of staff at a moment; None when unknown or not in service."""
        staff = self.staff.get(staff_id)
        revision = staff.at(local_day(moment)) if staff is not None else None
        return (revision.role, revision.scope) if revision is not None else None


_TABLES: Final[Mapping[str, tuple[str, type[Model]]]] = {
    "division": ("divisions", Division),
    "item": ("items", Item),
    "profile": ("profiles", Profile),
    "calendar": ("years", CalendarYear),
    "staff": ("staff", Staff),
    "signer": ("signers", Signer),
}
