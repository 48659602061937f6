"""Cells: what stands in them, and what a village said there or elsewhere."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from services.contracts.bodies import AccountSums, Body, Neighbour
from services.contracts.duties import CellKey
from services.contracts.owing import Run
from services.contracts.values import previous_period
from services.ingest.store.contents import Raw, accounts_of, body_of, raw_body_of, rest_of
from services.ingest.store.disclosures import Disclosure, disclosure_of, disclosures_of
from services.kit.db import Connection, Row

SELECT_CELL = """
SELECT * FROM disclosure WHERE village_code = $1 AND item = $2 AND period = $3 AND state <> 'withdrawn' LIMIT 1
"""


async def select_cell(conn: Connection, village: str, item: str, period: str) -> Disclosure | None:
    """What stands in a cell."""
    row = await conn.fetchrow(SELECT_CELL, village, item, period)
    return await disclosure_of(conn, row) if row else None


#: More events of one item on one day are no day's work.
_MOST_OF_A_DAY: Final = 100
SELECT_DAY = """
SELECT * FROM disclosure WHERE village_code = $1 AND item = $2 AND period = $3 AND state <> 'withdrawn' ORDER BY id LIMIT $4
"""


async def select_day(conn: Connection, village: str, item: str, day: str) -> list[Disclosure]:
    """Every event of an item on one day, oldest first."""
    return await disclosures_of(conn, await conn.fetch(SELECT_DAY, village, item, day, _MOST_OF_A_DAY))


#: Notices of the last two years: what they led to is entered by then.
SELECT_NOTICES = """
SELECT d.* FROM disclosure d JOIN edition e ON e.disclosure_id = d.id AND e.edition = d.edition
WHERE d.village_code = $1 AND d.item = $2 AND d.period >= $3 AND d.state <> 'withdrawn' AND e.kind = 'notice'
ORDER BY d.period DESC, d.id DESC LIMIT $4
"""


async def select_notices(conn: Connection, village: str, item: str, since: date) -> list[Disclosure]:
    """The newest notices of an item whose results are contracts or projects."""
    rows = await conn.fetch(SELECT_NOTICES, village, item, since.isoformat(), _MOST_OF_A_DAY)
    return await disclosures_of(conn, rows)


SELECT_KNOWN_NOTICES = """
SELECT d.id::text || ' ' || d.village_code FROM disclosure d
JOIN edition e ON e.disclosure_id = d.id AND e.edition = d.edition
WHERE d.id = ANY($1::uuid[]) AND d.state <> 'withdrawn' AND e.kind = 'notice'
"""


async def select_known_notices(conn: Connection, ids: Sequence[str]) -> frozenset[tuple[str, str]]:
    """Which of some ids are notices, each with its village."""
    rows = await conn.fetch(SELECT_KNOWN_NOTICES, [UUID(i) for i in ids])
    return frozenset((i, village) for row in rows for i, village in [row[0].split(" ")])


SELECT_BODY_OF_CELL = """
SELECT e.disclosure_id, e.edition, e.body_sealed, s.key, e.body::text AS body FROM disclosure d
JOIN edition e ON e.disclosure_id = d.id
    AND e.edition = CASE WHEN d.state IN ('draft', 'returned') THEN d.published_edition ELSE d.edition END
LEFT JOIN shred_key s ON s.aggregate_id = d.id::text
WHERE d.village_code = $1 AND d.item = $2 AND d.period = $3 AND d.state <> 'withdrawn'
"""


async def select_body_of_cell(conn: Connection, village: str, item: str, period: str) -> Body | None:
    """What the village handed in for a period, whether published yet or not; of a correction, the edition before it."""
    row = await conn.fetchrow(SELECT_BODY_OF_CELL, village, item, period)
    return body_of(row) if row else None


#: Periods of one shape are in order as texts; 2026-10 and 2026Q4 form no chain.
SELECT_LAST_BODIES = """
SELECT t.village, l.* FROM unnest($2::text[], $3::text[]) AS t (village, period) CROSS JOIN LATERAL (
    SELECT e.disclosure_id, e.edition, e.body_sealed, s.key, e.body::text AS body
    FROM disclosure d JOIN edition e ON e.disclosure_id = d.id AND e.edition = d.edition
    LEFT JOIN shred_key s ON s.aggregate_id = d.id::text
    WHERE d.village_code = t.village AND d.item = $1 AND d.state <> 'withdrawn' AND d.period < t.period
      AND (length(d.period), substr(d.period, 5, 1)) = (length(t.period), substr(t.period, 5, 1))
    ORDER BY d.period DESC, d.id DESC LIMIT 1
) AS l
"""


async def select_last_body(conn: Connection, village: str, item: str, period: str) -> Body | None:
    """What the village entered for the nearest earlier period, whatever became of it: a new one begins where it ends."""
    return (await select_last_bodies(conn, item, {village: period})).get(village)


async def select_last_bodies(conn: Connection, item: str, before: Mapping[str, str]) -> dict[str, Body]:
    """The same of many villages, by their codes, each with the period before which it is."""
    rows = await conn.fetch(SELECT_LAST_BODIES, item, list(before), list(before.values()))
    return {r["village"]: body_of(r) for r in rows}


SELECT_EARLIER_BODIES = """
SELECT e.disclosure_id, e.edition, e.body_sealed, s.key, e.body::text AS body FROM disclosure d JOIN edition e ON e.disclosure_id = d.id AND e.edition = d.edition
LEFT JOIN shred_key s ON s.aggregate_id = d.id::text
WHERE d.village_code = $1 AND d.item = $2 AND d.state <> 'withdrawn' AND d.period < $3
ORDER BY d.period DESC, d.id DESC LIMIT $4
"""


async def select_earlier_bodies(conn: Connection, village: str, item: str, period: str, limit: int) -> list[Body]:
    """What the village entered for the nearest earlier periods, newest first; read beside the loop, for they may be long."""
    rows = await conn.fetch(SELECT_EARLIER_BODIES, village, item, period, limit)
    return await asyncio.to_thread(lambda: [body_of(row) for row in rows])


SELECT_ANY_BODY = """
SELECT e.disclosure_id, e.edition, e.body_sealed, s.key, e.body::text AS body FROM disclosure d JOIN edition e ON e.disclosure_id = d.id AND e.edition = d.edition
LEFT JOIN shred_key s ON s.aggregate_id = d.id::text
WHERE d.village_code = $1 AND d.item = $2 AND d.state <> 'withdrawn' ORDER BY d.period DESC, d.id DESC LIMIT 1
"""


async def select_any_body(conn: Connection, village: str, item: str) -> Body | None:
    """The newest period of an item: good for its columns, never for its figures."""
    row = await conn.fetchrow(SELECT_ANY_BODY, village, item)
    return body_of(row) if row else None


#: So many periods before are looked at, however many there are.
_COMPARED_PERIODS: Final = 3
#: Of a draft or a returned edition, the public one before it speaks.
SELECT_BODIES_BEFORE = """
SELECT k.n, b.period, b.disclosure_id, b.edition, b.body_sealed, b.body, s.key
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k (village, item, period, n)
CROSS JOIN LATERAL (
    SELECT d.period, e.disclosure_id, e.edition, e.body_sealed, e.body::text AS body
    FROM disclosure d JOIN edition e ON e.disclosure_id = d.id
        AND e.edition = CASE WHEN d.state IN ('draft', 'returned') THEN d.published_edition ELSE d.edition END
    WHERE d.village_code = k.village AND d.item = k.item AND d.state <> 'withdrawn' AND d.period < k.period
      AND (length(d.period), substr(d.period, 5, 1)) = (length(k.period), substr(k.period, 5, 1))
    ORDER BY d.period DESC LIMIT $4
) AS b
LEFT JOIN shred_key s ON s.aggregate_id = b.disclosure_id::text ORDER BY k.n, b.period DESC
"""


@dataclass(frozen=True, slots=True)
class BodyBefore:
    """What a village said of an earlier period, still closed: opening it takes a while."""

    period: str
    row: Row

    def body(self) -> Raw:
        """Open the content, as JSON and not as a model."""
        return raw_body_of(self.row)


async def select_bodies_before(conn: Connection, cells: Sequence[tuple[str, str, str]]) -> list[list[BodyBefore]]:
    """What was handed in for the three periods before each of some cells (village, item, period), newest first."""
    found: list[list[BodyBefore]] = [[] for _ in cells]
    if cells:
        columns = ([c[0] for c in cells], [c[1] for c in cells], [c[2] for c in cells])
        for row in await conn.fetch(SELECT_BODIES_BEFORE, *columns, _COMPARED_PERIODS):
            found[row["n"] - 1].append(BodyBefore(row["period"], row))
    return found


@dataclass(frozen=True, slots=True)
class Chain:
    """The ledgers nearest before and after a cell that the village handed in or that are public."""

    before: Neighbour | None = None
    after: Neighbour | None = None


#: Of a draft or a returned edition, the public one before it speaks.
SELECT_CHAINS = """
SELECT k.n, s.side, s.period, s.disclosure_id, s.edition, s.remarks_sealed, s.accounts, y.key
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k (village, item, period, n)
CROSS JOIN LATERAL (
    (SELECT 'before' AS side, d.period, e.disclosure_id, e.edition, e.remarks_sealed, (e.body -> 'accounts')::text AS accounts
     FROM disclosure d JOIN edition e ON e.disclosure_id = d.id
        AND e.edition = CASE WHEN d.state IN ('draft', 'returned') THEN d.published_edition ELSE d.edition END
     WHERE d.village_code = k.village AND d.item = k.item AND d.state <> 'withdrawn' AND d.period < k.period
       AND (length(d.period), substr(d.period, 5, 1)) = (length(k.period), substr(k.period, 5, 1))
       AND coalesce(e.kind, e.body ->> 'kind') = 'ledger'
     ORDER BY d.period DESC LIMIT 1)
    UNION ALL
    (SELECT 'after', d.period, e.disclosure_id, e.edition, e.remarks_sealed, (e.body -> 'accounts')::text
     FROM disclosure d JOIN edition e ON e.disclosure_id = d.id
        AND e.edition = CASE WHEN d.state IN ('draft', 'returned') THEN d.published_edition ELSE d.edition END
     WHERE d.village_code = k.village AND d.item = k.item AND d.state <> 'withdrawn' AND d.period > k.period
       AND (length(d.period), substr(d.period, 5, 1)) = (length(k.period), substr(k.period, 5, 1))
       AND coalesce(e.kind, e.body ->> 'kind') = 'ledger'
     ORDER BY d.period LIMIT 1)
) AS s
LEFT JOIN shred_key y ON y.aggregate_id = s.disclosure_id::text
"""


async def select_chains(conn: Connection, cells: Sequence[tuple[str, str, str]]) -> list[Chain]:
    """The neighbours of some cells (village, item, period), in their order; on-event items form no chain."""
    columns = ([c[0] for c in cells], [c[1] for c in cells], [c[2] for c in cells])
    found: list[dict[str, Neighbour]] = [{} for _ in cells]
    for row in await conn.fetch(SELECT_CHAINS, *columns):
        if previous_period(row["period"]) is not None:
            found[row["n"] - 1][row["side"]] = Neighbour(period=row["period"], accounts=accounts_of(row))
    return [Chain(**sides) for sides in found]


@dataclass(frozen=True, slots=True)
class Remarked:
    """What is known of an edition without reading its content: what was found or explained, its accounts, its title."""

    places: frozenset[tuple[str, str]]
    accounts: tuple[AccountSums, ...]
    title: str | None = None
    rows: int | None = None

    @property
    def headline(self) -> str:
        """The content in a few words, for lists: what its author called it, and how many rows a list has."""
        return "，".join(filter(None, (self.title, f"{self.rows} 行" if self.rows is not None else None)))


SELECT_REMARKED = """
SELECT e.disclosure_id, e.edition, e.remarks_sealed, s.key, e.accepted::text AS accepted, e.findings::text AS findings, e.note,
    e.secrecy_checked_by, e.returns::text AS returns,
    CASE WHEN e.body ->> 'kind' = 'ledger' THEN (e.body -> 'accounts')::text ELSE '[]' END AS accounts
FROM disclosure d JOIN edition e ON e.disclosure_id = d.id AND e.edition = d.edition
LEFT JOIN shred_key s ON s.aggregate_id = d.id::text WHERE d.id = ANY($1::uuid[])
"""


async def select_remarked(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, Remarked]:
    """The newest edition of some disclosures, for a list."""
    found = {}
    for row in await conn.fetch(SELECT_REMARKED, list(ids)):
        rest = rest_of(row)
        places = frozenset({(f.code, f.at) for f in rest.findings} | {(a.code, a.at) for a in rest.accepted})
        found[row["disclosure_id"]] = Remarked(places, accounts_of(row), rest.title, rest.rows)
    return found


class Periods(NamedTuple):
    """Periods of an item that stand side by side as texts: one, or the days from a first to a last one."""

    item: str
    first: str
    last: str


SELECT_CELLS_IN = """
SELECT d.* FROM unnest($1::text[]) AS v (code) CROSS JOIN unnest($2::text[], $3::text[], $4::text[]) AS k (item, first, last)
JOIN disclosure d ON d.village_code = v.code AND d.item = k.item AND d.period BETWEEN k.first AND k.last
WHERE d.state <> 'withdrawn' ORDER BY d.id
"""


async def select_cells_in(conn: Connection, villages: Sequence[str], of: Sequence[Periods]) -> list[Disclosure]:
    """What is under way or public in some villages' cells of some periods, oldest first."""
    columns = ([p.item for p in of], [p.first for p in of], [p.last for p in of])
    return await disclosures_of(conn, await conn.fetch(SELECT_CELLS_IN, villages, *columns))


SELECT_UNDER_WAY = """
SELECT * FROM disclosure WHERE village_code = ANY($1::text[])
  AND state IN ('draft', 'submitted', 'confirmed', 'returned', 'approved') ORDER BY id
"""


async def select_under_way(conn: Connection, villages: Sequence[str]) -> list[Disclosure]:
    """What somebody still works on in some villages, corrections too, oldest first."""
    return await disclosures_of(conn, await conn.fetch(SELECT_UNDER_WAY, villages))


SELECT_CELLS_AFTER = """
SELECT * FROM disclosure
WHERE village_code = $1 AND (item, period) > ($2, $3) AND state <> 'withdrawn' ORDER BY item, period, id LIMIT $4
"""


async def select_cells_after(conn: Connection, village: str, after: CellKey, limit: int) -> list[Disclosure]:
    """What is under way or public in a village's cells behind one of them, by item and period."""
    rows = await conn.fetch(SELECT_CELLS_AFTER, village, *after, limit)
    return await disclosures_of(conn, rows)


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Days of an item in a village that need something: a stretch without a gap, both ends included."""

    village: str
    item: str
    frequency: str
    first: date
    last: date


#: Of what is owed from a first to a last day only that leaves the database which is not settled.
SELECT_UNSETTLED = """
SELECT v.code, k.item, k.frequency, lower(stretch) AS first, upper(stretch) - 1 AS last
FROM unnest($1::text[]) AS v (code)
CROSS JOIN unnest($2::text[], $3::text[], $4::date[], $5::date[]) AS k (item, frequency, first, last)
LEFT JOIN settled s ON (s.village_code, s.item, s.frequency) = (v.code, k.item, k.frequency)
CROSS JOIN LATERAL unnest(daterange(k.first, k.last, '[]')::datemultirange - coalesce(s.days, '{}')) AS stretch
"""


async def select_unsettled(conn: Connection, villages: Sequence[str], runs: Sequence[Run]) -> list[Unsettled]:
    """What of some runs of duties, each from its first day to its last, nobody has published or had waived."""
    columns = ([r.item for r in runs], [r.frequency.value for r in runs])
    days = ([r.firsts[0] for r in runs], [r.lasts[-1] for r in runs])
    rows = await conn.fetch(SELECT_UNSETTLED, villages, *columns, *days)
    return [Unsettled(r["code"], r["item"], r["frequency"], r["first"], r["last"]) for r in rows]


SELECT_DECLARED = """
SELECT village_code, item, day::date AS day FROM settled
CROSS JOIN LATERAL unnest(declared - days) AS stretch
CROSS JOIN LATERAL generate_series(lower(stretch), upper(stretch) - 1, interval '1 day') AS day
WHERE village_code = ANY($1::text[]) AND NOT isempty(declared - days)
"""


async def select_declared(conn: Connection, villages: Sequence[str]) -> list[tuple[str, CellKey]]:
    """Days of events that a quarter's page named and of which nothing is public yet, with their villages."""
    rows = await conn.fetch(SELECT_DECLARED, villages)
    return [(r["village_code"], CellKey(r["item"], r["day"].isoformat())) for r in rows]


SELECT_ANSWERED = """
SELECT item, lower(stretch) AS first, upper(stretch) - 1 AS last, kind FROM settled
CROSS JOIN LATERAL (
    SELECT 'days', stretch FROM unnest(declared) AS stretch UNION ALL SELECT 'nothing', stretch FROM unnest(nothing) AS stretch
) AS answered (kind, stretch)
WHERE village_code = $1 AND item >= $2 AND frequency = 'on_event' ORDER BY item, first
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a village's confirmed quarters said of an item: days of events, or (`nil`) whole quarters of nothing."""

    item: str
    nil: bool
    first: date
    last: date


async def select_answered(conn: Connection, village: str, since: str) -> list[Answered]:
    """The answers of all quarters, from one item on."""
    rows = await conn.fetch(SELECT_ANSWERED, village, since)
    return [Answered(r["item"], r["kind"] == "nothing", r["first"], r["last"]) for r in rows]
