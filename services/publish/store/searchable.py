"""What can be searched of what is open, as keyed marks; and what firms were paid. Made by a job, forgotten with what it was made of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, NamedTuple

from pydantic import StringConstraints

from services.contracts.bodies import BODY, Ledger
from services.contracts.values import period_bounds
from services.kit.db import Connection, Row, affected
from services.kit.shred import mark_of
from services.publish.render.firm import FirmSum
from services.publish.render.passages import ANYTHING, WHOLE, all_marks, firm_sums, paid
from services.publish.render.rows import Edition, Publication

#: Another number makes every row anew, a few at a time: how texts are read and who is a person was changed.
_RULES: Final = 2
_SMALL: Final = 2**32
_HALF: Final = 2**31

ENQUEUE = """
INSERT INTO unsearchable SELECT $1 ON CONFLICT DO NOTHING
"""


async def enqueue(conn: Connection, disclosure_id: str) -> None:
    """Note that what is open of a disclosure has to be made searchable; nothing while a model is built anew."""
    await conn.execute(ENQUEUE, disclosure_id)


FORGET = """
WITH gone AS (DELETE FROM searchable WHERE disclosure_id = $1), waiting AS (DELETE FROM unsearchable WHERE disclosure_id = $1)
DELETE FROM firm_payment WHERE disclosure_id = $1
"""


async def forget(conn: Connection, disclosure_id: str) -> None:
    """Let nobody find a disclosure any more. To be called after it is closed for readers, in the same transaction."""
    await conn.execute(FORGET, disclosure_id)


ENQUEUE_LACKING = """
INSERT INTO unsearchable SELECT disclosure_id FROM publication p WHERE p.withdrawn_at IS NULL AND NOT EXISTS (
    SELECT FROM searchable s WHERE s.disclosure_id = p.disclosure_id AND s.edition = p.edition AND s.made_by = $1
) ON CONFLICT DO NOTHING
"""
DROP_CLOSED = """
WITH closed AS (
    SELECT s.disclosure_id FROM searchable s
    LEFT JOIN publication p ON p.disclosure_id = s.disclosure_id AND p.withdrawn_at IS NULL
    WHERE p.disclosure_id IS NULL
), paid AS (DELETE FROM firm_payment f USING closed WHERE f.disclosure_id = closed.disclosure_id)
DELETE FROM searchable s USING closed WHERE s.disclosure_id = closed.disclosure_id
"""


async def reconcile(conn: Connection) -> None:
    """Compare with what is open: what lacks is enqueued, what is not open any more goes. For once a day, and behind a rebuild."""
    await conn.execute(DROP_CLOSED)
    await conn.execute(ENQUEUE_LACKING, made_by())


def made_by() -> int:
    """By which rules and under which seal rows are made now."""
    return mark_of(f"rules {_RULES}")


SELECT_WAITING = "SELECT disclosure_id FROM unsearchable ORDER BY disclosure_id DESC LIMIT $1"


async def select_waiting(conn: Connection, limit: int) -> list[str]:
    """Ids of what is not searchable yet, the newest first."""
    return [r["disclosure_id"] for r in await conn.fetch(SELECT_WAITING, limit)]


@dataclass(frozen=True, slots=True)
class Made:
    """What is kept of one disclosure; without marks it cannot be found."""

    disclosure_id: str
    edition: int
    village: str
    item: str
    period: str
    marks: Sequence[int]
    amounts: Sequence[int]
    firms: Mapping[int, tuple[int, int]]


def small(text: str) -> int:
    """A mark in 32 bits, as PostgreSQL's integer: two words in a thousand million share one, and what is found is read again."""
    return (mark_of(text) + _HALF) % _SMALL - _HALF


def key_of(firm: int) -> str:
    """A firm's mark as it stands in addresses: 16 hexadecimal digits."""
    return f"{firm % 2**64:016x}"


def firm_with(key: str) -> int:
    """The mark that a key is of."""
    return (int(key, 16) + 2**63) % 2**64 - 2**63


def made_of(p: Publication, edition: Edition) -> Made:
    """Read a content and work out its marks: work for a processor."""
    body = BODY.validate_json(edition.body)
    marks, amounts = all_marks(p.village_code, body)
    firms = {mark_of(f): sums for f, sums in firm_sums(body).items()} if isinstance(body, Ledger) else {}
    marks |= {paid(key_of(firm)) for firm in firms}
    return Made(
        p.disclosure_id,
        p.edition,
        p.village_code,
        p.item,
        p.period,
        sorted({small(m) for m in marks}),
        sorted(amounts),
        firms,
    )


#: The publication is held while this is written, so that a withdrawal comes before, and nothing is put, or after, and it goes.
#: What somebody else holds is left for the next time, so nothing here waits for whoever lets out or withdraws.
PUT = """
WITH open AS (
    SELECT disclosure_id FROM publication WHERE disclosure_id = $1 AND edition = $2 AND withdrawn_at IS NULL FOR SHARE SKIP LOCKED
), put AS (
    INSERT INTO searchable AS s (disclosure_id, edition, made_by, village_code, item, period, until, marks, amounts)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8::int[], $9::bigint[] FROM open
    ON CONFLICT (disclosure_id) DO UPDATE SET edition = excluded.edition, made_by = excluded.made_by,
        marks = excluded.marks, amounts = excluded.amounts
), before AS (
    DELETE FROM firm_payment WHERE disclosure_id = $1 AND firm <> ALL($10::bigint[])
), paid AS (
    INSERT INTO firm_payment (disclosure_id, firm, village_code, item, period, until, fen, lines)
    SELECT $1, t.firm, $4, $5, $6, $7, t.fen, t.lines
    FROM open CROSS JOIN unnest($10::bigint[], $11::bigint[], $12::int[]) AS t (firm, fen, lines)
    ON CONFLICT (disclosure_id, firm) DO UPDATE SET fen = excluded.fen, lines = excluded.lines
)
DELETE FROM unsearchable u WHERE disclosure_id = $1 AND (EXISTS (SELECT FROM open)
    OR NOT EXISTS (SELECT FROM publication p WHERE p.disclosure_id = u.disclosure_id AND p.withdrawn_at IS NULL))
"""


async def put(conn: Connection, made: Made) -> bool:
    """Keep what was made of an edition, in place of what was made of an earlier one; nothing when it is not the open one any more.

    False when it waits on.
    """
    tag = await conn.execute(
        PUT,
        made.disclosure_id,
        made.edition,
        made_by(),
        made.village,
        made.item,
        made.period,
        period_bounds(made.period)[1],
        made.marks,
        made.amounts,
        list(made.firms),
        [fen for fen, _ in made.firms.values()],
        [lines for _, lines in made.firms.values()],
    )
    return affected(tag) > 0


DROP_WAITING = "DELETE FROM unsearchable WHERE disclosure_id = ANY($1::text[])"


async def drop_waiting(conn: Connection, ids: Sequence[str]) -> None:
    """What has no content that could be searched waits no longer."""
    await conn.execute(DROP_WAITING, list(ids))


# -- looking ------------------------------------------------------------------------------------------------------


class FoundPlace(NamedTuple):
    """Where a line stands in the order of what is found: newest period first, within a disclosure as on its page."""

    until: date
    disclosure_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]+$")]
    number: int = WHOLE


@dataclass(frozen=True, slots=True)
class Sought:
    """What disclosures are looked for: those that have every one of `marks` and one of `any_of`; the rest is read in them.

    `within`: villages from one code to another, of which `villages` are meant. `periods`: patterns of LIKE, one of which fits. `fens`: from one amount to another, whatever its sign.
    """

    marks: Iterable[str] = ()
    any_of: Iterable[str] = ()
    within: tuple[str, str] = ("0", "9" * 12)
    days: tuple[date, date] = (date.min, date.max)
    periods: Sequence[str] = ("%",)
    items: Sequence[str] = ()
    fens: tuple[int, int] | None = None
    villages: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A disclosure in which something may be found."""

    disclosure_id: str
    edition: int
    village: str
    item: str
    period: str
    until: date


#: The statement itself stands in the migration, where it is planned anew for each question.
SELECT_SOUGHT = "SELECT * FROM searchable_find($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
_LAST_ID: Final = "z"


async def select_sought(conn: Connection, sought: Sought, after: FoundPlace | None, limit: int) -> list[FoundRow]:
    """Disclosures in which something may be found, newest period first, from the place of one on, that one too."""
    until, disclosure_id = (after.until, after.disclosure_id) if after is not None else (date.max, _LAST_ID)
    least, most = sought.fens or (None, None)
    rows = await conn.fetch(
        SELECT_SOUGHT,
        _smalls(sought.marks or (ANYTHING,)),
        _smalls(sought.any_of) or None,
        *sought.within,
        *sought.days,
        list(sought.periods),
        list(sought.items),
        least,
        most,
        until,
        disclosure_id,
        limit,
    )
    return [_found(r) for r in rows]


def _smalls(marks: Iterable[str]) -> list[int]:
    return sorted({small(m) for m in marks})


def _found(row: Row) -> FoundRow:
    return FoundRow(row["disclosure_id"], row["edition"], row["village_code"], row["item"], row["period"], row["until"])


# -- what firms were paid -----------------------------------------------------------------------------------------

#: By village and year first: to count villages of many rows apart takes a sort. Item and months are written out, or the index
#: of them (`firm_payment_by_year`) could not be used.
SELECT_FIRM_YEARS = """
SELECT year::text AS year, sum(fen)::bigint AS fen, sum(lines)::int AS lines, count(*)::int AS villages FROM (
    SELECT village_code, extract(year FROM until)::int AS year, sum(fen)::bigint AS fen, sum(lines)::int AS lines
    FROM firm_payment WHERE firm = $1 AND item = 'F01' AND period LIKE '____-__' GROUP BY 1, 2
) AS paid GROUP BY paid.year ORDER BY paid.year DESC
"""
SELECT_FIRM_VILLAGES = """
SELECT village_code, sum(fen)::bigint AS fen, sum(lines)::int AS lines
FROM firm_payment WHERE firm = $1 AND item = $2 AND period LIKE $3 AND until BETWEEN $4 AND $5 GROUP BY 1 ORDER BY 1
"""
SELECT_FIRM_DISCLOSURES = """
SELECT f.disclosure_id, p.edition, f.village_code, f.item, f.period, f.until
FROM firm_payment f JOIN publication p ON p.disclosure_id = f.disclosure_id AND p.withdrawn_at IS NULL
WHERE f.firm = $1 AND f.item = $2 AND f.period LIKE $3 AND f.until BETWEEN $4 AND $5
  AND (f.until, f.disclosure_id) <= ($6::date, $7::text)
ORDER BY f.until DESC, f.disclosure_id DESC LIMIT $8
"""
#: Months alone: a quarter or a year beside them would tell the same money twice.
_MONTHS: Final = "____-__"


async def select_firm_years(conn: Connection, firm: int) -> list[FirmSum]:
    """What a firm was paid in each year by the months' ledgers, newest year first."""
    rows = await conn.fetch(SELECT_FIRM_YEARS, firm)
    return [FirmSum(r["year"], r["fen"], r["lines"], r["villages"]) for r in rows]


async def select_firm_villages(conn: Connection, firm: int, item: str, year: str) -> list[FirmSum]:
    """What each village paid a firm in a year, by the villages' codes."""
    rows = await conn.fetch(SELECT_FIRM_VILLAGES, firm, item, _MONTHS, *period_bounds(year))
    return [FirmSum(r["village_code"], r["fen"], r["lines"]) for r in rows]


async def select_firm_disclosures(
    conn: Connection, firm: int, item: str, year: str, after: FoundPlace | None, limit: int
) -> list[FoundRow]:
    """The ledgers of a year in which a firm was paid, newest first, from the place of one on, that one too."""
    until, disclosure_id = (after.until, after.disclosure_id) if after is not None else (date.max, _LAST_ID)
    rows = await conn.fetch(
        SELECT_FIRM_DISCLOSURES, firm, item, _MONTHS, *period_bounds(year), until, disclosure_id, limit
    )
    return [_found(r) for r in rows]


SELECT_FIRMS = """
SELECT DISTINCT firm FROM firm_payment WHERE item = $1 AND period LIKE $2 AND firm > $3 ORDER BY firm LIMIT $4
"""


async def select_firms(conn: Connection, item: str, after: int, limit: int) -> list[int]:
    """Every firm that was paid by a monthly ledger of an item, from behind one on."""
    return [r["firm"] for r in await conn.fetch(SELECT_FIRMS, item, _MONTHS, after, limit)]
