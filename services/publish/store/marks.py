"""Steps under way, changes, what was said, codes, and what has to be rendered again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.kit.db import Connection, Model, Row, affected
from services.publish.hot.files import Subject
from services.publish.render.rows import Change, Code, Publication, Step


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to be rendered again; `since` is when villagers could have seen it at the earliest."""

    id: int
    subject: Subject
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds of subjects that are marked, and of those that show something that was let out the newest mark."""

    known: frozenset[str]
    awaited: Mapping[str, int]


# -- steps under way ----------------------------------------------------------------------------------------------

UPSERT_STEP = """
INSERT INTO step (disclosure_id, village_code, item, period, version, submitted_at, confirmed_at, delivered_at)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[]
)
ON CONFLICT (disclosure_id) DO UPDATE SET
    version = excluded.version,
    submitted_at = excluded.submitted_at,
    confirmed_at = excluded.confirmed_at,
    delivered_at = coalesce(excluded.delivered_at, step.delivered_at)
WHERE excluded.version > step.version
RETURNING disclosure_id
"""


async def upsert_step(model: Model, step: Step) -> None:
    await model.write(
        UPSERT_STEP,
        step.disclosure_id,
        step.village_code,
        step.item,
        step.period,
        step.version,
        step.submitted_at,
        step.confirmed_at,
        step.delivered_at,
    )


CONFIRM_STEP = """
UPDATE step s SET version = t.version, confirmed_at = t.at
FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS t (id, version, at)
WHERE s.disclosure_id = t.id AND s.version < t.version RETURNING t.id
"""


async def confirm_step(model: Model, disclosure_id: str, version: int, at: datetime) -> None:
    await model.write(CONFIRM_STEP, disclosure_id, version, at)


DELETE_STEP = "DELETE FROM step WHERE disclosure_id = ANY($1::text[]) RETURNING disclosure_id"


async def delete_step(model: Model, disclosure_id: str) -> None:
    await model.write(DELETE_STEP, disclosure_id)


END_STEP = """
DELETE FROM step s USING unnest($1::text[], $2::bigint[]) AS t (id, version)
WHERE s.disclosure_id = t.id AND s.version <= t.version RETURNING t.id
"""


async def end_step(model: Model, disclosure_id: str, version: int) -> None:
    """Forget who had a disclosure up to a version: of what is public nobody asks."""
    await model.write(END_STEP, disclosure_id, version)


#: What is handed in again while it is public is not asked for either.
SELECT_STEPS = """
SELECT * FROM step s WHERE village_code = ANY($1::text[])
  AND NOT EXISTS (SELECT FROM publication p WHERE p.disclosure_id = s.disclosure_id AND p.withdrawn_at IS NULL)
"""


async def select_steps(conn: Connection, villages: Sequence[str]) -> list[Step]:
    """Who has what some villages are at, of what is not public."""
    rows = await conn.fetch(SELECT_STEPS, list(villages))
    return [
        Step(
            r["disclosure_id"],
            r["village_code"],
            r["item"],
            r["period"],
            r["version"],
            r["submitted_at"],
            r["confirmed_at"],
            r["delivered_at"],
        )
        for r in rows
    ]


# -- changes ------------------------------------------------------------------------------------------------------

INSERT_CHANGE = """
WITH next AS (
    UPDATE change_head SET position = position + 1
    WHERE NOT EXISTS (SELECT FROM change WHERE disclosure_id = $1 AND edition = $5 AND kind = $6)
    RETURNING position
)
INSERT INTO change (position, disclosure_id, village_code, item, period, edition, kind, changed_at)
SELECT position, $1, $2, $3, $4, $5, $6, $7 FROM next
"""


async def insert_change(conn: Connection, p: Publication, kind: str, at: datetime) -> None:
    """Add a change at the next position, unless it is known."""
    await conn.execute(INSERT_CHANGE, p.disclosure_id, p.village_code, p.item, p.period, p.edition, kind, at)


FORGET_CHANGE = "DELETE FROM change WHERE disclosure_id = $1 AND kind = $2"


async def forget_change(conn: Connection, disclosure_id: str, kind: str) -> None:
    """What no longer holds is not told any more, and can be told again at a new position."""
    await conn.execute(FORGET_CHANGE, disclosure_id, kind)


SELECT_CHANGES = """
SELECT c.*, n.number FROM change c CROSS JOIN LATERAL (
    SELECT greatest(count(*), 1) AS number FROM change e
    WHERE e.disclosure_id = c.disclosure_id AND e.edition <= c.edition AND e.kind IN ('published', 'corrected')
) n WHERE c.position > $1 ORDER BY c.position LIMIT $2
"""


async def select_changes(conn: Connection, after: int, limit: int) -> list[Change]:
    """Changes behind a position, in order."""
    rows = await conn.fetch(SELECT_CHANGES, after, limit)
    return [
        Change(
            r["position"],
            r["disclosure_id"],
            r["village_code"],
            r["item"],
            r["period"],
            r["edition"],
            r["kind"],
            r["changed_at"],
            r["number"],
        )
        for r in rows
    ]


SELECT_NEWEST_CHANGE = "SELECT coalesce(max(position), 0) FROM change"


async def select_newest_change(conn: Connection) -> int:
    """The position of the newest change; 0 before the first."""
    return int(await conn.fetchval(SELECT_NEWEST_CHANGE))


ANNOUNCE_IF_PUBLIC = """
WITH said AS (
    INSERT INTO announced (disclosure_id, edition, kind)
    SELECT disclosure_id, $2, 'published' FROM publication WHERE disclosure_id = $1 AND withdrawn_at IS NULL
    ON CONFLICT DO NOTHING RETURNING disclosure_id
)
SELECT first_published_at FROM publication JOIN said USING (disclosure_id)
"""


async def announce_if_public(conn: Connection, disclosure_id: str, edition: int) -> datetime | None:
    """Remember that an edition was said; returns when the first was published, None when gone or said before."""
    first: datetime | None = await conn.fetchval(ANNOUNCE_IF_PUBLIC, disclosure_id, edition)
    return first


ANNOUNCE_WITHDRAWAL = """
INSERT INTO announced (disclosure_id, edition, kind) VALUES ($1, $2, 'withdrawn') ON CONFLICT DO NOTHING
"""


async def announce_withdrawal(conn: Connection, disclosure_id: str, edition: int) -> bool:
    """Remember that a withdrawal was said; False when it was said before."""
    return affected(await conn.execute(ANNOUNCE_WITHDRAWAL, disclosure_id, edition)) == 1


FORGET_WITHDRAWAL = "DELETE FROM announced WHERE disclosure_id = $1 AND kind = 'withdrawn'"


async def forget_withdrawal(conn: Connection, disclosure_id: str) -> None:
    """A withdrawal that was undone can be said again, should there be another."""
    await conn.execute(FORGET_WITHDRAWAL, disclosure_id)


# -- codes --------------------------------------------------------------------------------------------------------

UPSERT_CODE = """
INSERT INTO code (code, village_code, purpose, place, serial, state)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[])
ON CONFLICT (code) DO UPDATE SET village_code = excluded.village_code, purpose = excluded.purpose,
    place = excluded.place, serial = excluded.serial, state = excluded.state
RETURNING code
"""


async def upsert_code(model: Model, code: Code) -> None:
    await model.write(UPSERT_CODE, code.code, code.village_code, code.purpose, code.place, code.serial, code.state)


def _code(row: Row) -> Code:
    return Code(row["code"], row["village_code"], row["purpose"], row["place"], row["serial"], row["state"])


SELECT_CODES = "SELECT * FROM code WHERE village_code = ANY($1::text[]) AND state = 'valid' ORDER BY serial"


async def select_codes(conn: Connection, villages: Sequence[str]) -> dict[str, list[Code]]:
    """Valid codes of some villages, by serial."""
    found: dict[str, list[Code]] = {}
    for row in await conn.fetch(SELECT_CODES, list(villages)):
        found.setdefault(row["village_code"], []).append(_code(row))
    return found


SELECT_CODE = "SELECT * FROM code WHERE code = $1"


async def select_code(conn: Connection, code: str) -> Code | None:
    row = await conn.fetchrow(SELECT_CODE, code)
    return _code(row) if row else None


# -- marks --------------------------------------------------------------------------------------------------------

INSERT_MARKS = """
INSERT INTO dirty (kind, key, since) SELECT k, v, $3 FROM unnest($1::text[], $2::text[]) AS t (k, v)
"""


async def insert_marks(conn: Connection, subjects: Sequence[Subject], since: datetime | None = None) -> None:
    """Have subjects rendered again; `since` is measured against the moment they are."""
    await conn.execute(INSERT_MARKS, [k for k, _ in subjects], [v for _, v in subjects], since)


SELECT_OLD_ITEMS = """
SELECT DISTINCT kind, key FROM dirty
WHERE kind = 'items' AND key = ANY($1::text[]) OR kind = 'item' AND split_part(key, '/', 1) = ANY($1::text[])
"""


async def select_old_items(conn: Connection, villages: Sequence[str]) -> list[Subject]:
    """Which pages of items of some villages are older than what is known: of single items, or of all of a village."""
    return [(r["kind"], r["key"]) for r in await conn.fetch(SELECT_OLD_ITEMS, list(villages))]


#: Every mark of a subject, so that it is not rendered once more for what it shows by then.
SELECT_MARKS = """
SELECT d.id, d.kind, d.key, d.since FROM dirty d JOIN (
    SELECT kind, key FROM dirty WHERE kind = ANY($1::text[]) AND NOT kind || ' ' || key = ANY($3::text[])
    GROUP BY kind, key ORDER BY min(id) LIMIT $2
) s USING (kind, key) ORDER BY d.id
"""
#: As those above, of subjects of which something was let out up to a mark.
SELECT_AWAITED_MARKS = """
SELECT d.id, d.kind, d.key, d.since FROM dirty d JOIN (
    SELECT kind, key FROM dirty WHERE kind = ANY($1::text[]) AND NOT kind || ' ' || key = ANY($3::text[])
    AND since IS NOT NULL AND id <= $4 GROUP BY kind, key ORDER BY min(id) LIMIT $2
) s USING (kind, key) ORDER BY d.id
"""


async def select_marks(
    conn: Connection, kinds: Sequence[str], limit: int, awaited_until: int | None = None, but: Sequence[Subject] = ()
) -> list[Mark]:
    """The marks of the subjects of some kinds that wait longest, of some number of subjects and of none that stand in `but`.

    `awaited_until`: only of those that show something that was let out, as far as that was marked until this mark.
    """
    asked = (list(kinds), limit, [f"{kind} {key}" for kind, key in but])
    if awaited_until is None:
        rows = await conn.fetch(SELECT_MARKS, *asked)
    else:
        rows = await conn.fetch(SELECT_AWAITED_MARKS, *asked, awaited_until)
    return [Mark(r["id"], (r["kind"], r["key"]), r["since"]) for r in rows]


SELECT_KINDS = "SELECT kind, bool_or(since IS NOT NULL) AS awaited, max(id) AS last FROM dirty GROUP BY kind"


async def select_kinds(conn: Connection) -> Kinds:
    """What is marked at all."""
    rows = await conn.fetch(SELECT_KINDS)
    awaited = {r["kind"]: r["last"] for r in rows if r["awaited"]}
    return Kinds(frozenset(r["kind"] for r in rows), awaited)


DELETE_MARKS = "DELETE FROM dirty WHERE id = ANY($1::bigint[])"


async def delete_marks(conn: Connection, ids: Sequence[int]) -> int:
    """Drop marks that were served; returns how many were still there."""
    return affected(await conn.execute(DELETE_MARKS, list(ids)))


INSERT_MARKED_DAY = "INSERT INTO marked_day (day) VALUES ($1) ON CONFLICT DO NOTHING"


async def insert_marked_day(conn: Connection, day: date) -> bool:
    """Remember that a day's deadlines were marked; False when they were."""
    return affected(await conn.execute(INSERT_MARKED_DAY, day)) == 1
