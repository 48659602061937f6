"""Ten years of a whole city in ingest's tables, written by the database itself: a few statements, no row from here.

Every village has every period of every item. Of the newest ones some are missing, some under way; of the others of the
last three years one in fifty is missing and few were waived or withdrawn, so that as much is open whatever the years. Bodies
are empty: no page of the desk's lists reads one.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg

from services.contracts.base import Event, Role
from services.contracts.catalogue import CalendarSet, Item, ItemSet
from services.contracts.division import DivisionKind, DivisionSet
from services.contracts.staff import Staff, StaffRevision, StaffSet
from services.contracts.values import Frequency, period_bounds, period_of, previous_period
from services.registry.bulk.calendar import calendar_year
from services.registry.bulk.catalogue import read_items
from services.registry.bulk.divisions import City, read_divisions
from tests import builders

_DATA: Final = Path(__file__).parents[2] / "deploy" / "data"
VILLAGES_FILE: Final = _DATA / "gaizhou-villages.csv"
_SETTLED: Final = Path(__file__).parents[2] / "services" / "ingest" / "migrations" / "1015_settled.sql"
#: On-event items happen once in each of these, each time on a day of its own.
_EVENT_MONTHS: Final = (2, 5, 8, 11)
CITY: Final = builders.CITY
TOWNSHIP: Final = "210881003"
VILLAGE: Final = "210881003200"


class Span(NamedTuple):
    """How long a city has been at it."""

    first: date
    now: datetime


def span(years: int) -> Span:
    """So many years of duties before the tests' present."""
    return Span(date(builders.NOW.year - years, 11, 1), builders.NOW)


def whole_city(duties_from: date = date(2010, 1, 1)) -> City:
    """The city that all its villages belong to."""
    return City(CITY, "盖州市", since=date(2010, 1, 1), sample=True, duties_from=duties_from, profile="default")


def reference_events(of: Span) -> list[Event]:
    """The whole city with its catalogue, duties since the span's first day, and one person for each role and level."""
    divisions = read_divisions(VILLAGES_FILE.read_bytes(), whole_city(of.first))
    items = read_items((_DATA / "catalogue.csv").read_bytes(), date(2010, 1, 1))
    staff = [
        (f"{role}-{code}", role, code)
        for role, code in (
            *((r, VILLAGE) for r in ("clerk", "supervisor", "principal")),
            *((r, TOWNSHIP) for r in ("accountant", "reviewer", "inspector")),
            *((r, CITY) for r in ("department", "inspector", "operator", "accountant")),
        )
    ]
    people = [e for e in builders.reference_events() if not isinstance(e, DivisionSet | ItemSet | CalendarSet)]
    return [
        *(DivisionSet(**builders.stamp(d.code), division=d) for d in divisions),
        *(ItemSet(**builders.stamp(i.code), item=i) for i in items),
        *(CalendarSet(**builders.stamp(str(y)), calendar=calendar_year(y)) for y in range(2016, 2027)),
        *(e for e in people if not isinstance(e, StaffSet)),
        *(_member(name, Role(role), code) for name, role, code in staff),
    ]


def _member(username: str, role: Role, scope: str) -> StaffSet:
    staff = Staff(
        staff_id=builders.staff_id(username),
        username=username,
        revisions=(StaffRevision(since=date(2010, 1, 1), role=role, scope=scope),),
        sessions_not_before=datetime(2010, 1, 1, tzinfo=UTC),
    )
    return StaffSet(**builders.stamp(staff.staff_id), staff=staff)


def event_days(first: date, until: date) -> list[str]:
    """Days on which on-event items happen, oldest first."""
    days = (date(year, month, 3) for year in range(first.year, until.year + 1) for month in _EVENT_MONTHS)
    return [d.isoformat() for d in days if first <= d < until]


def _periods(item: Item, of: Span) -> list[str]:
    """Every period of an item that ended within the span."""
    frequency = item.revisions[-1].frequency
    if frequency is Frequency.ON_EVENT:
        return event_days(of.first, of.now.date())
    found: list[str] = []
    period = previous_period(period_of(of.now.date(), frequency))
    while period is not None and period_bounds(period)[1] >= of.first:
        found.append(period)
        period = previous_period(period)
    return found


#: `dice` is a number from 0 to 999 that a cell keeps; `age` counts periods back from the newest. An id begins with its
#: moment, as those of a running city do, and is the same in every run.
_MADE: Final = """
CREATE TEMPORARY TABLE made (village text, n bigint, item text, period text, due_at timestamptz, age integer, dice integer);
CREATE TEMPORARY TABLE cell (id uuid, village text, item text, period text, due_at timestamptz, at timestamptz, age integer, dice integer, state text)
"""
_CELLS: Final = """
INSERT INTO made SELECT v.code, v.n, p.item, p.period, p.due_at, p.age, abs(hashtext(v.code || p.item || p.period)) % 1000
FROM unnest($1::text[]) WITH ORDINALITY AS v (code, n)
CROSS JOIN unnest($2::text[], $3::text[], $4::timestamptz[], $5::int[]) AS p (item, period, due_at, age)
"""
#: Of what was due since a moment some is missing, waived, withdrawn or under way; of the rest so many of a thousand came late.
_STATES: Final = """
INSERT INTO cell
SELECT (lpad(to_hex((extract(epoch FROM m.at) * 1000)::bigint + n % 1000), 12, '0') || '7' || substr(h, 1, 3) || '8' || substr(h, 4, 15))::uuid,
    village, item, period, due_at, m.at, age, dice,
    CASE WHEN age > 0 AND recent AND dice < 20 OR age = 0 AND dice < 200 THEN NULL
    WHEN recent AND dice BETWEEN 20 AND 23 THEN 'withdrawn'
    WHEN age > 0 THEN 'published'
    WHEN dice < 260 THEN 'draft' WHEN dice < 340 THEN 'submitted' WHEN dice < 400 THEN 'confirmed' WHEN dice < 420 THEN 'returned'
    ELSE 'published' END
FROM made
CROSS JOIN LATERAL (SELECT due_at + CASE WHEN dice < $2 THEN interval '3 days' ELSE interval '-1 day' END AS at,
    due_at > $1::timestamptz AS recent, md5(village || item || period) AS h) AS m
WHERE NOT EXISTS (SELECT FROM ingest.disclosure d WHERE (d.village_code, d.item, d.period) = (made.village, made.item, made.period))
"""
_DISCLOSURES: Final = """
INSERT INTO ingest.disclosure (id, village_code, item, period, state, edition, digest, history, created_at, saved_by, submitted_at,
    submitted_by, confirmed_at, approved_at, published_at, published_edition, release, nil, first_submitted_at, first_confirmed_at,
    withdrawn_at, withdrawn_by)
SELECT id, village, item, period, state, 1, md5(id::text), false, at, 'clerk-' || village,
    CASE WHEN state NOT IN ('draft') THEN at END, CASE WHEN state NOT IN ('draft') THEN 'clerk-' || village END,
    CASE WHEN state IN ('confirmed', 'published') THEN at END, CASE WHEN state = 'published' THEN at END,
    CASE WHEN state = 'published' THEN at END, CASE WHEN state = 'published' THEN 1 END,
    CASE WHEN state = 'published' THEN 'approve' END, dice % 7 = 0,
    CASE WHEN state = 'published' THEN at END, CASE WHEN state = 'published' THEN at END,
    CASE WHEN state = 'withdrawn' THEN at END, CASE WHEN state = 'withdrawn' THEN 'reviewer' END
FROM cell WHERE state IS NOT NULL
"""
_EDITIONS: Final = """
INSERT INTO ingest.edition (disclosure_id, edition, body, saved_by, saved_at)
SELECT id, 1, '{"kind": "notice"}', 'clerk-' || village, at FROM cell WHERE state IS NOT NULL
"""
_WORDS: Final = """
INSERT INTO ingest.confirmation (disclosure_id, edition, kind, actor_id, confirmed_at, names)
SELECT id, 1, 'supervisors', 'supervisor-' || village, at, '["某人"]' FROM cell WHERE state IN ('confirmed', 'published')
"""
_WAIVERS: Final = """
INSERT INTO ingest.waiver (id, village_code, item, period, state, reason, filed_by, filed_at, decided_at)
SELECT id, village, item, period, CASE WHEN age = 0 THEN 'filed' ELSE 'granted' END, 'r', 'clerk-' || village, at,
    CASE WHEN age > 0 THEN at END
FROM cell WHERE state IS NULL AND dice < 5 AND length(period) < 10
"""
_DECLARATIONS: Final = """
INSERT INTO ingest.declaration (village_code, quarter, edition, state, answers, submitted_by, submitted_at, confirmed_at)
SELECT v, q.quarter, 1, CASE WHEN q.n = 1 THEN 'submitted' ELSE 'confirmed' END, (
    SELECT jsonb_agg(jsonb_build_object('item', i, 'days', CASE WHEN d.period IS NULL THEN '[]'::jsonb ELSE jsonb_build_array(d.period) END))
    FROM unnest($4::text[]) AS i LEFT JOIN unnest($5::text[], $6::text[]) AS d (quarter, period) ON d.quarter = q.quarter
), 'clerk', q.ended, CASE WHEN q.n > 1 THEN q.ended END
FROM unnest($1::text[]) AS v CROSS JOIN unnest($2::text[], $3::timestamptz[]) WITH ORDINALITY AS q (quarter, ended, n)
ON CONFLICT DO NOTHING
"""
_APPROVALS: Final = """
WITH made AS (INSERT INTO ingest.approval (id, actor_id, created_at, due_at)
    SELECT DISTINCT md5(village || period)::uuid, 'reviewer', at, at FROM cell WHERE state = 'published'
    ON CONFLICT DO NOTHING RETURNING id)
INSERT INTO ingest.approval_item (approval_id, disclosure_id, edition, state)
SELECT made.id, cell.id, 1, 'approved' FROM cell JOIN made ON made.id = md5(village || period)::uuid
WHERE state = 'published'
"""


def _moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 8, tzinfo=UTC)


class Slot(NamedTuple):
    """A period of an item that some villages owe; `age` counts back from the newest."""

    item: str
    period: str
    due_at: datetime
    age: int


async def make_cells(
    conn: asyncpg.Connection, owed: Sequence[tuple[Sequence[str], Sequence[Slot]]], recent: datetime, late: int = 0
) -> None:
    """Make the table `cell` of what villages owe alike; cells that ingest holds already are left out."""
    await conn.execute(_MADE)
    for villages, slots in owed:
        await conn.execute(_CELLS, villages, *(list(column) for column in zip(*slots, strict=True)))
    await conn.execute(_STATES, recent, late)


async def fill_ingest(conn: asyncpg.Connection, villages: Sequence[str], items: Sequence[Item], of: Span) -> None:
    """Write the table `cell` into ingest's, with the quarterly answers of the span."""
    # Row by row its triggers take most of the time: what is settled is told at the end, as when the table of it was made.
    await conn.execute("SET session_replication_role = replica")
    for statement in (_DISCLOSURES, _EDITIONS, _WORDS, _WAIVERS, _APPROVALS):
        await conn.execute(statement)
    await _declare(conn, villages, items, of)
    await conn.execute("SET session_replication_role = origin")
    settled = _SETTLED.read_text(encoding="utf-8").partition("-- What stands so far.")[2]
    await conn.execute(f"SET search_path = ingest; DELETE FROM settled; {settled}; RESET search_path")


async def fill(dsn: str, of: Span) -> int:
    """Write the span's years into an empty ingest as the superuser of its database; returns how many disclosures there are."""
    events = reference_events(of)
    villages = [
        e.division.code
        for e in events
        if isinstance(e, DivisionSet) and e.division.now.kind in {DivisionKind.VILLAGE, DivisionKind.COMMUNITY}
    ]
    items = [e.item for e in events if isinstance(e, ItemSet)]
    slots = [
        Slot(i.code, p, _moment(period_bounds(p)[1]) + timedelta(days=10), n)
        for i in items
        for n, p in enumerate(_periods(i, of))
    ]
    conn = await asyncpg.connect(dsn)
    try:
        await make_cells(conn, [(villages, slots)], of.now - timedelta(days=3 * 365))
        await fill_ingest(conn, villages, items, of)
        return int(await conn.fetchval("SELECT count(*) FROM ingest.disclosure"))
    finally:
        await conn.close()


async def _declare(conn: asyncpg.Connection, villages: Sequence[str], items: Sequence[Item], of: Span) -> None:
    on_event = [i for i in items if i.revisions[-1].frequency is Frequency.ON_EVENT]
    quarters: list[str] = []
    quarter = previous_period(period_of(of.now.date(), Frequency.QUARTERLY))
    while quarter is not None and period_bounds(quarter)[0] >= of.first:
        quarters.append(quarter)
        quarter = previous_period(quarter)
    days = _periods(on_event[0], of)
    await conn.execute(
        _DECLARATIONS,
        villages,
        quarters,
        [_moment(period_bounds(q)[1]) for q in quarters],
        [i.code for i in on_event],
        [period_of(date.fromisoformat(d), Frequency.QUARTERLY) for d in days],
        days,
    )
