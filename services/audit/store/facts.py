"""SQL of facts and deadlines."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final

from services.audit.rules.facts import CellKey, Fact
from services.audit.rules.grid import Stretch
from services.contracts.duties import CellRecord
from services.kit.db import Connection, Row, affected

#: Of a cell that is watched for another reason than a deadline: older than any duty.
_NEVER_DUE: Final = datetime(1970, 1, 1, tzinfo=UTC)

INSERT_FACT = """
INSERT INTO fact (event_id, kind, village, item, period, disclosure, edition, version, occurred_at, heard_at, data)
VALUES ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb)
ON CONFLICT (event_id, item, period) DO UPDATE SET data = fact.data || excluded.data
WHERE fact.kind = 'approved' AND NOT fact.data @> excluded.data
"""


async def insert_fact(conn: Connection, fact: Fact, heard_at: datetime) -> None:
    """Keep a fact; one heard before changes nothing, but of a body that is heard again what was not kept then is added.

    The number is given here, `fact.seq` is not read.
    """
    await conn.execute(
        INSERT_FACT,
        fact.event,
        fact.kind,
        *fact.key,
        fact.disclosure,
        fact.edition,
        fact.version,
        fact.occurred_at,
        heard_at,
        json.dumps(fact.data),
    )


LOCK_VILLAGE = "SELECT pg_advisory_xact_lock(hashtext('audit village'), hashtext($1))"


async def lock_village(conn: Connection, village: str) -> None:
    """Let one transaction at a time judge a village: whoever comes second sees what the first one kept."""
    await conn.execute(LOCK_VILLAGE, village)


SELECT_FACTS = """
SELECT f.seq, f.event_id::text AS event, f.kind, f.village, f.item, f.period, f.disclosure, f.edition, f.version,
       f.occurred_at, f.data::text AS data
FROM unnest($1::text[], $2::text[], $3::text[]) AS k (village, item, period)
JOIN fact f ON (f.village, f.item, f.period) = (k.village, k.item, k.period)
"""


async def select_facts(conn: Connection, keys: Sequence[CellKey]) -> dict[CellKey, list[Fact]]:
    """All facts of some cells."""
    rows = await conn.fetch(SELECT_FACTS, [k.village for k in keys], [k.item for k in keys], [k.period for k in keys])
    return _by_cell(rows)


SELECT_FACTS_OF_VILLAGES = """
SELECT seq, event_id::text AS event, kind, village, item, period, disclosure, edition, version, occurred_at,
       data::text AS data
FROM fact WHERE village = ANY($1::text[]) AND ($2::bigint IS NULL OR seq <= $2)
"""


async def select_facts_of_villages(
    conn: Connection, villages: Sequence[str], up_to: int | None
) -> dict[CellKey, list[Fact]]:
    """All facts of some villages, up to a number of hearing."""
    return _by_cell(await conn.fetch(SELECT_FACTS_OF_VILLAGES, villages, up_to))


_IN_STRETCH = """
village = ANY($1::text[]) AND (period = ANY($2::text[]) OR (length(period) = 10 AND period BETWEEN $3 AND $4))
"""
#: Of most cells one edition was let out and is open, and nothing more was said: what a fold comes to stands in two facts.
#: They are told in one row; of the others every fact is.
SELECT_STRETCH = f"""
SELECT village, item, period,
       bool_and(kind IN ('delivered', 'submitted', 'confirmed', 'returned', 'approved', 'filed', 'published', 'declared', 'reset'))
           AND count(*) FILTER (WHERE kind = 'approved') = 1 AND count(*) FILTER (WHERE kind = 'published') = 1
           AND min(disclosure) FILTER (WHERE kind <> 'declared') = max(disclosure) FILTER (WHERE kind <> 'declared')
           AND min(edition) FILTER (WHERE kind = 'approved') = min(edition) FILTER (WHERE kind = 'published') AS plain,
       min((data ->> 'first_published_at')::timestamptz) FILTER (WHERE kind = 'published') AS first_published_at,
       coalesce(bool_or((data ->> 'nil')::boolean) FILTER (WHERE kind = 'approved'), false) AS nil,
       min((data ->> 'submitted_at')::timestamptz) FILTER (WHERE kind = 'approved') AS submitted_at,
       min((data ->> 'confirmed_at')::timestamptz) FILTER (WHERE kind = 'approved') AS confirmed_at,
       min(occurred_at) FILTER (WHERE kind = 'delivered') AS delivered_at
FROM fact WHERE {_IN_STRETCH} GROUP BY village, item, period
"""  # noqa: S608 - constants of this file


async def select_stretch(
    conn: Connection, villages: Sequence[str], stretch: Stretch
) -> tuple[dict[CellKey, CellRecord], list[CellKey]]:
    """What is known of cells of some villages in some periods of which little was said, and the cells of which more was."""
    days = (stretch.first.isoformat(), stretch.last.isoformat())
    plain, others = {}, []
    for r in await conn.fetch(SELECT_STRETCH, villages, list(stretch.periods), *days):
        key = CellKey(r["village"], r["item"], r["period"])
        if r["plain"]:
            plain[key] = CellRecord(
                first_published_at=r["first_published_at"],
                nil=r["nil"],
                submitted_at=r["submitted_at"],
                confirmed_at=r["confirmed_at"],
                delivered_at=r["delivered_at"],
            )
        else:
            others.append(key)
    return plain, others


#: An edition whose disclosure was taken out of sight says nothing any more.
_OPEN = """
f.kind = 'approved' AND f.data ? 'accounts' AND NOT EXISTS (
    SELECT FROM fact g WHERE (g.village, g.item, g.period, g.disclosure) = (f.village, f.item, f.period, f.disclosure)
      AND g.kind IN ('withdrawn', 'unpublished'))
"""
SELECT_LAST_OPEN = f"""
SELECT k.village, k.item, k.period, l.period AS last, n.names
FROM unnest($1::text[], $2::text[], $3::text[]) AS k (village, item, period)
CROSS JOIN LATERAL (
    SELECT max(f.period) AS period FROM fact f
    WHERE (f.village, f.item) = (k.village, k.item) AND f.period < k.period AND {_OPEN}
      AND (length(f.period), substr(f.period, 5, 1)) = (length(k.period), substr(k.period, 5, 1))
) l
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(DISTINCT name), '{{}}') AS names FROM fact f, jsonb_object_keys(f.data -> 'accounts') AS name
    WHERE (f.village, f.item) = (k.village, k.item) AND f.kind = 'approved' AND f.period < k.period
      AND f.period > coalesce(l.period, '')
      AND (length(f.period), substr(f.period, 5, 1)) = (length(k.period), substr(k.period, 5, 1))
) n
WHERE length(k.period) < 10
"""  # noqa: S608 - constants of this file


async def select_last_open(
    conn: Connection, keys: Sequence[CellKey]
) -> dict[CellKey, tuple[CellKey | None, frozenset[str]]]:
    """For some cells, the nearest earlier cell with an open ledger, and accounts that what lies between once named."""
    rows = await conn.fetch(
        SELECT_LAST_OPEN, [k.village for k in keys], [k.item for k in keys], [k.period for k in keys]
    )
    return {
        (key := CellKey(r["village"], r["item"], r["period"])): (
            key._replace(period=r["last"]) if r["last"] is not None else None,
            frozenset(r["names"]),
        )
        for r in rows
    }


SELECT_NEXT_OPEN = f"""
SELECT min(f.period) FROM fact f WHERE f.village = $1 AND f.item = $2 AND f.period > $3
  AND (length(f.period), substr(f.period, 5, 1)) = (length($3), substr($3, 5, 1)) AND length($3) < 10 AND {_OPEN}
"""  # noqa: S608 - constants of this file


async def select_next_open(conn: Connection, key: CellKey) -> CellKey | None:
    """The nearest later cell with an open ledger: its balances follow from this one, however many lie between."""
    period: str | None = await conn.fetchval(SELECT_NEXT_OPEN, *key)
    return key._replace(period=period) if period is not None else None


def _by_cell(rows: Sequence[Row]) -> dict[CellKey, list[Fact]]:
    found: dict[CellKey, list[Fact]] = {}
    for row in rows:
        key = CellKey(row["village"], row["item"], row["period"])
        fact = Fact(
            seq=row["seq"],
            event=row["event"],
            kind=row["kind"],
            key=key,
            disclosure=row["disclosure"],
            edition=row["edition"],
            version=row["version"],
            occurred_at=row["occurred_at"],
            data=json.loads(row["data"]),
        )
        found.setdefault(key, []).append(fact)
    return found


SELECT_SIZES = """
SELECT village, sum(n)::bigint AS n FROM (
    SELECT village, count(*) AS n FROM fact GROUP BY village UNION ALL SELECT village, count(*) FROM deadline GROUP BY village
) AS each GROUP BY village ORDER BY village
"""


async def select_sizes(conn: Connection) -> dict[str, int]:
    """How many facts and deadlines each village has that has any."""
    return {r["village"]: r["n"] for r in await conn.fetch(SELECT_SIZES)}


def chunks(sizes: Mapping[str, int], most: int) -> Iterator[list[str]]:
    """Villages in their order, so many together that what they have stays within a measure; one that has more is alone."""
    chunk: list[str] = []
    total = 0
    for village, size in sizes.items():
        if chunk and total + size > most:
            yield chunk
            chunk, total = [], 0
        chunk.append(village)
        total += size
    if chunk:
        yield chunk


SELECT_HEARD_AT = "SELECT heard_at FROM fact WHERE seq <= $1 ORDER BY seq DESC LIMIT 1"


async def select_heard_at(conn: Connection, seq: int) -> datetime | None:
    """When the newest fact up to a number was heard; None before the first."""
    moment: datetime | None = await conn.fetchval(SELECT_HEARD_AT, seq)
    return moment


SELECT_DISCLOSURES = "SELECT event_id::text AS event, disclosure FROM fact WHERE event_id = ANY($1::uuid[])"


async def select_disclosures(conn: Connection, events: Sequence[str]) -> dict[str, str]:
    """The disclosure behind each event."""
    return {r["event"]: r["disclosure"] for r in await conn.fetch(SELECT_DISCLOSURES, events)}


# -- deadlines ----------------------------------------------------------------------------------------------------

#: Only what differs is written: the plan is made anew whenever reference data changes.
PLAN_DEADLINES = """
INSERT INTO deadline (village, item, period, due_at, again_at)
SELECT v, $2, p.period, p.due_at, p.due_at
FROM unnest($1::text[]) AS v CROSS JOIN unnest($3::text[], $4::timestamptz[]) AS p (period, due_at)
LEFT JOIN deadline d ON d.village = v AND d.item = $2 AND d.period = p.period
WHERE d.village IS NULL OR d.due_at <> p.due_at
ON CONFLICT (village, item, period) DO UPDATE SET due_at = excluded.due_at, again_at = $5
"""


async def plan_deadlines(
    conn: Connection, villages: Sequence[str], item: str, due_at: dict[str, datetime], now: datetime
) -> int:
    """Watch an item's periods in villages that owe them alike; a moved deadline is looked at at once."""
    tag = await conn.execute(PLAN_DEADLINES, villages, item, list(due_at), list(due_at.values()), now)
    return affected(tag)


RECALL_DEADLINES = """
UPDATE deadline SET due_at = '-infinity', again_at = $4
WHERE village = ANY($1::text[]) AND item = $2 AND period <> ALL($3::text[]) AND due_at <> '-infinity'
"""


async def recall_deadlines(
    conn: Connection, villages: Sequence[str], item: str, periods: Sequence[str], now: datetime
) -> int:
    """Look once more at deadlines that no longer stand, so that their alerts end."""
    return affected(await conn.execute(RECALL_DEADLINES, villages, item, periods, now))


#: A village that somebody judges right now is left for the next look, so the clock never waits and never deadlocks.
SELECT_DUE_CELLS = """
WITH due AS MATERIALIZED (
    SELECT village, item, period FROM deadline WHERE again_at <= $1 ORDER BY again_at, village LIMIT $2
)
SELECT village, item, period FROM due
WHERE pg_try_advisory_xact_lock(hashtext('audit village'), hashtext(village))
"""


async def select_due_cells(conn: Connection, now: datetime, limit: int) -> list[CellKey]:
    """Cells to look at now, their villages locked."""
    rows = await conn.fetch(SELECT_DUE_CELLS, now, limit)
    return [CellKey(r["village"], r["item"], r["period"]) for r in rows]


MOVE_DEADLINES = """
UPDATE deadline d SET again_at = k.again_at
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS k (village, item, period, again_at)
WHERE (d.village, d.item, d.period) = (k.village, k.item, k.period) AND d.again_at IS DISTINCT FROM k.again_at
"""


async def move_deadlines(conn: Connection, again: dict[CellKey, datetime | None]) -> None:
    """Note when to look at each cell next."""
    keys = list(again)
    columns = ([k.village for k in keys], [k.item for k in keys], [k.period for k in keys])
    await conn.execute(MOVE_DEADLINES, *columns, list(again.values()))


TOUCH_DEADLINES = """
UPDATE deadline d SET again_at = $4
FROM unnest($1::text[], $2::text[], $3::text[]) AS k (village, item, period)
WHERE (d.village, d.item, d.period) = (k.village, k.item, k.period) AND d.due_at <= $4
"""


async def touch_deadlines(conn: Connection, keys: Sequence[CellKey], now: datetime) -> None:
    """Let the clock look again at deadlines that have passed."""
    columns = ([k.village for k in keys], [k.item for k in keys], [k.period for k in keys])
    await conn.execute(TOUCH_DEADLINES, *columns, now)


WATCH = """
INSERT INTO deadline AS d (village, item, period, due_at, again_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (village, item, period) DO UPDATE SET
    due_at = greatest(d.due_at, $4), again_at = least(d.again_at, $5)
"""


async def watch(conn: Connection, key: CellKey, due_at: datetime | None, again_at: datetime) -> None:
    """Look at a cell at some time, whatever else is watched there; `due_at` for a duty that no calendar makes."""
    await conn.execute(WATCH, *key, due_at or _NEVER_DUE, again_at)


SELECT_DECLARED_DAYS = """
SELECT DISTINCT item, period FROM fact
WHERE village = $1 AND kind = 'declared' AND length(period) = 10 AND period BETWEEN $2 AND $3
"""


async def select_declared_days(conn: Connection, village: str, first: date, last: date) -> set[tuple[str, str]]:
    """Items and days of events that a village ever declared within some days."""
    rows = await conn.fetch(SELECT_DECLARED_DAYS, village, first.isoformat(), last.isoformat())
    return {(r["item"], r["period"]) for r in rows}


SELECT_NEWEST_DECLARATION = """
SELECT coalesce(max(edition), 0) FROM fact WHERE village = $1 AND kind = 'declared' AND period = $2
"""


async def select_newest_declaration(conn: Connection, village: str, quarter: str) -> int:
    """The newest edition of a quarter's answers that was heard; 0 for none."""
    edition: int = await conn.fetchval(SELECT_NEWEST_DECLARATION, village, quarter)
    return edition


HAS_DUE_CELLS = "SELECT EXISTS (SELECT FROM deadline WHERE again_at <= $1)"


async def has_due_cells(conn: Connection, now: datetime) -> bool:
    """Tell whether the time of any cell has come."""
    found: bool = await conn.fetchval(HAS_DUE_CELLS, now)
    return found


SELECT_DEADLINE_CELLS = "SELECT village, item, period FROM deadline WHERE village = ANY($1::text[]) AND due_at <= $2"


async def select_deadline_cells(conn: Connection, villages: Sequence[str], now: datetime) -> list[CellKey]:
    """Cells of some villages whose deadline has passed."""
    rows = await conn.fetch(SELECT_DEADLINE_CELLS, villages, now)
    return [CellKey(r["village"], r["item"], r["period"]) for r in rows]


SELECT_CELLS_OF_RESETS = """
SELECT DISTINCT village, item, period FROM fact WHERE kind = 'reset' AND data ->> 'account' = $1
"""


async def select_cells_of_resets(conn: Connection, account: str) -> list[CellKey]:
    """Cells in which a reset account spoke of what its resetter let out."""
    rows = await conn.fetch(SELECT_CELLS_OF_RESETS, account)
    return [CellKey(r["village"], r["item"], r["period"]) for r in rows]
