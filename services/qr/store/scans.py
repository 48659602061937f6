"""How often codes were opened, by day, and which fell silent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from services.kit.db import Connection

Health = Literal["silent", "alive", "still_hangs"]

ADD_SCANS = """
INSERT INTO scan_count (day, code, count)
SELECT t.day, t.code, t.n FROM unnest($1::date[], $2::text[], $3::int[]) AS t (day, code, n)
JOIN code USING (code) ORDER BY t.day, t.code
ON CONFLICT (day, code) DO UPDATE SET count = scan_count.count + excluded.count
"""


async def add_scans(conn: Connection, counted: Mapping[tuple[date, str], int]) -> None:
    """Add to the sums of days and codes, in one order for everybody."""
    days, codes = [day for day, _ in counted], [code for _, code in counted]
    await conn.execute(ADD_SCANS, days, codes, list(counted.values()))


@dataclass(frozen=True, slots=True)
class Sum:
    """How often a code was opened on a day."""

    day: date
    code: str
    village: str
    count: int


TAKE_UNSAID = """
WITH unsaid AS (
    SELECT day, code FROM scan_count WHERE said < count ORDER BY day, code LIMIT $1 FOR UPDATE
)
UPDATE scan_count SET said = count FROM unsaid, code
WHERE scan_count.day = unsaid.day AND scan_count.code = unsaid.code AND code.code = unsaid.code
RETURNING scan_count.day, scan_count.code, code.village, scan_count.count
"""


async def take_unsaid(conn: Connection, most: int) -> list[Sum]:
    """Sums that grew since they were said, the oldest day first; they count as said with this transaction."""
    rows = await conn.fetch(TAKE_UNSAID, most)
    return sorted((Sum(r["day"], r["code"], r["village"], r["count"]) for r in rows), key=_in_order)


def _in_order(of: Sum) -> tuple[date, str]:
    return of.day, of.code


COUNT_BY_CODE = """
SELECT code, sum(count) FILTER (WHERE day > $2)::int AS lately, max(day) AS last
FROM scan_count WHERE code = ANY($1::text[]) GROUP BY code
"""


@dataclass(frozen=True, slots=True)
class Opened:
    """How often a code was opened lately, and on which day last."""

    lately: int
    last: date


async def count_by_code(conn: Connection, codes: Sequence[str], since: date) -> dict[str, Opened]:
    """Of some codes, those that were ever opened (within what is kept)."""
    rows = await conn.fetch(COUNT_BY_CODE, list(codes), since)
    return {r["code"]: Opened(r["lately"] or 0, r["last"]) for r in rows}


@dataclass(frozen=True, slots=True)
class Changed:
    """A code whose health is another than what was said last."""

    code: str
    village: str
    serial: int
    state: Health
    last: date | None
    days: int


#: What hangs and is silent for so long; what counts no more and was opened in the last so many days; what was opened again.
SELECT_CHANGED_HEALTH = """
WITH seen AS (
    SELECT code.code, code.village, code.serial, code.state, health.state AS said,
        (SELECT max(day) FROM scan_count AS s WHERE s.code = code.code) AS last,
        (hanging.hung_at AT TIME ZONE 'Asia/Shanghai')::date AS hung,
        (code.revoked_at AT TIME ZONE 'Asia/Shanghai')::date AS revoked
    FROM code LEFT JOIN hanging USING (code) LEFT JOIN code_health AS health USING (code)
), judged AS (
    SELECT *, $1::date - greatest(last, hung) AS days, CASE
        WHEN state = 'revoked' AND last > revoked + $3::int THEN 'still_hangs'
        WHEN state = 'valid' AND $1::date - greatest(last, hung) >= $2::int THEN 'silent'
        WHEN state = 'valid' AND last IS NOT NULL THEN 'alive'
    END AS now FROM seen
)
SELECT code, village, serial, now, last, coalesce(days, 0) AS days FROM judged
WHERE now IS NOT NULL AND now IS DISTINCT FROM said AND NOT (now = 'alive' AND said IS NULL)
ORDER BY code LIMIT $4
"""


async def select_changed_health(
    conn: Connection, today: date, silent_days: int, grace: int, most: int
) -> list[Changed]:
    """Codes whose health changed; one that was never hung nor opened tells nothing."""
    rows = await conn.fetch(SELECT_CHANGED_HEALTH, today, silent_days, grace, most)
    return [Changed(r["code"], r["village"], r["serial"], r["now"], r["last"], r["days"]) for r in rows]


UPSERT_HEALTH = """
INSERT INTO code_health (code, state, judged_at) SELECT code, state, $3 FROM unnest($1::text[], $2::text[]) AS t (code, state)
ON CONFLICT (code) DO UPDATE SET state = excluded.state, judged_at = excluded.judged_at
"""


async def upsert_health(conn: Connection, changed: Sequence[Changed], at: datetime) -> None:
    await conn.execute(UPSERT_HEALTH, [c.code for c in changed], [c.state for c in changed], at)


SELECT_HEALTH = "SELECT code, state FROM code_health WHERE code = ANY($1::text[])"


async def select_health(conn: Connection, codes: Sequence[str]) -> dict[str, Health]:
    """What was said last of some codes."""
    return {r["code"]: r["state"] for r in await conn.fetch(SELECT_HEALTH, list(codes))}


DELETE_OLD = "DELETE FROM scan_count WHERE day < $1"


async def delete_old(conn: Connection, before: date) -> None:
    await conn.execute(DELETE_OLD, before)
