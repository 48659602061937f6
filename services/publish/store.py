"""All SQL of publish; rows leave as frozen values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.kit.db import Connection, Row, affected
from services.publish.render.rows import Change, Code, Edition, Publication, Step

#: Kind (disclosure, village, township, city, all) and key of something to be rendered again.
Subject = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to be rendered again; `since` is when villagers could have seen it at the earliest."""

    id: int
    subject: Subject
    since: datetime | None


# -- publications -------------------------------------------------------------------------------------------------

UPSERT_PUBLICATION = """
INSERT INTO publication AS p (
    disclosure_id, village_code, item, period, edition, digest, history, nil, first_published_at, published_at,
    opening_fen, income_fen, expense_fen, closing_fen, line_count, withdrawn_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (disclosure_id) DO UPDATE SET
    edition = excluded.edition, digest = excluded.digest, history = excluded.history, nil = excluded.nil,
    first_published_at = least(p.first_published_at, excluded.first_published_at),
    published_at = excluded.published_at, opening_fen = excluded.opening_fen, income_fen = excluded.income_fen,
    expense_fen = excluded.expense_fen, closing_fen = excluded.closing_fen, line_count = excluded.line_count,
    withdrawn_at = excluded.withdrawn_at
WHERE p.withdrawn_at IS NULL AND excluded.edition > p.edition
"""


async def upsert_publication(conn: Connection, p: Publication) -> bool:
    """Keep the newest edition's public state; a tombstone stays a tombstone. False when a newer one is known."""
    tag = await conn.execute(
        UPSERT_PUBLICATION,
        p.disclosure_id,
        p.village_code,
        p.item,
        p.period,
        p.edition,
        p.digest,
        p.history,
        p.nil,
        p.first_published_at,
        p.published_at,
        p.opening_fen,
        p.income_fen,
        p.expense_fen,
        p.closing_fen,
        p.line_count,
        p.withdrawn_at,
    )
    return affected(tag) == 1


LOWER_FIRST_PUBLISHED = """
UPDATE publication SET first_published_at = $2 WHERE disclosure_id = $1 AND first_published_at > $2
"""


async def lower_first_published(conn: Connection, disclosure_id: str, at: datetime) -> None:
    """An earlier edition that arrives late still tells when the first one was published."""
    await conn.execute(LOWER_FIRST_PUBLISHED, disclosure_id, at)


INSERT_EDITION = """
INSERT INTO edition (disclosure_id, edition, published_at, body)
SELECT $1, $2, $3, $4::jsonb
WHERE NOT EXISTS (SELECT FROM publication WHERE disclosure_id = $1 AND withdrawn_at IS NOT NULL)
ON CONFLICT (disclosure_id, edition) DO NOTHING
"""


async def insert_edition(conn: Connection, disclosure_id: str, edition: int, at: datetime, body: str) -> bool:
    """Keep an edition's content; False when it is known already or the disclosure was withdrawn."""
    return affected(await conn.execute(INSERT_EDITION, disclosure_id, edition, at, body)) == 1


WITHDRAW = """
UPDATE publication SET
    withdrawn_at = CASE WHEN $3::text IS NULL THEN coalesce(withdrawn_at, $2) ELSE $2 END,
    reason = coalesce($3, reason),
    opening_fen = NULL, income_fen = NULL, expense_fen = NULL, closing_fen = NULL, line_count = NULL
WHERE disclosure_id = $1
"""
INSERT_TOMBSTONE = """
INSERT INTO publication (
    disclosure_id, village_code, item, period, edition, digest, history, nil, first_published_at, published_at,
    withdrawn_at, reason
) VALUES ($1, $2, $3, $4, $5, '', false, false, $6, $6, $6, $7) ON CONFLICT (disclosure_id) DO NOTHING
"""
DELETE_EDITIONS = "DELETE FROM edition WHERE disclosure_id = $1"


async def withdraw(conn: Connection, tombstone: Publication) -> None:
    """Remove every edition's content; what stays is the tombstone with its reason."""
    at, reason = tombstone.withdrawn_at, tombstone.reason
    tag = await conn.execute(WITHDRAW, tombstone.disclosure_id, at, reason)
    if affected(tag) == 0:
        await conn.execute(
            INSERT_TOMBSTONE,
            tombstone.disclosure_id,
            tombstone.village_code,
            tombstone.item,
            tombstone.period,
            tombstone.edition,
            at,
            reason,
        )
    await conn.execute(DELETE_EDITIONS, tombstone.disclosure_id)


def _publication(row: Row) -> Publication:
    return Publication(
        disclosure_id=row["disclosure_id"],
        village_code=row["village_code"],
        item=row["item"],
        period=row["period"],
        edition=row["edition"],
        digest=row["digest"],
        history=row["history"],
        nil=row["nil"],
        first_published_at=row["first_published_at"],
        published_at=row["published_at"],
        opening_fen=row["opening_fen"],
        income_fen=row["income_fen"],
        expense_fen=row["expense_fen"],
        closing_fen=row["closing_fen"],
        line_count=row["line_count"],
        withdrawn_at=row["withdrawn_at"],
        reason=row["reason"],
    )


SELECT_PUBLICATIONS = "SELECT * FROM publication WHERE disclosure_id = ANY($1::text[])"


async def select_publications(conn: Connection, ids: Sequence[str]) -> dict[str, Publication]:
    """Disclosures by id; unknown ones are left out."""
    rows = await conn.fetch(SELECT_PUBLICATIONS, list(ids))
    return {r["disclosure_id"]: _publication(r) for r in rows}


SELECT_OF_VILLAGES = """
SELECT * FROM publication WHERE village_code = ANY($1::text[])
ORDER BY published_at DESC, disclosure_id DESC
"""


async def select_of_villages(conn: Connection, villages: Sequence[str]) -> list[Publication]:
    """Everything that some villages ever opened, newest first."""
    return [_publication(r) for r in await conn.fetch(SELECT_OF_VILLAGES, list(villages))]


SELECT_LIST = """
SELECT * FROM publication
WHERE village_code = $1 AND item = ANY($2::text[]) AND ($3::text IS NULL OR period = $3)
  AND ($4::timestamptz IS NULL OR (published_at, disclosure_id) < ($4, $5::text))
ORDER BY published_at DESC, disclosure_id DESC LIMIT $6
"""


async def select_list(
    conn: Connection,
    village: str,
    items: Sequence[str],
    period: str | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Publication]:
    """A village's disclosures of some items, newest first, behind a place in that order."""
    at, disclosure_id = after or (None, None)
    return [
        _publication(r) for r in await conn.fetch(SELECT_LIST, village, list(items), period, at, disclosure_id, limit)
    ]


SELECT_NEWEST_OF_ITEM = """
SELECT DISTINCT ON (village_code) * FROM publication
WHERE village_code = ANY($1::text[]) AND item = $2 AND withdrawn_at IS NULL
ORDER BY village_code, period DESC, published_at DESC
"""


async def select_newest_of_item(conn: Connection, villages: Sequence[str], item: str) -> dict[str, Publication]:
    """The newest period of an item that each of some villages has open."""
    rows = await conn.fetch(SELECT_NEWEST_OF_ITEM, list(villages), item)
    return {r["village_code"]: _publication(r) for r in rows}


SELECT_RECENT = """
SELECT * FROM publication WHERE withdrawn_at IS NULL ORDER BY published_at DESC, disclosure_id DESC LIMIT $1
"""


async def select_recent(conn: Connection, limit: int) -> list[Publication]:
    """What was opened last, anywhere."""
    return [_publication(r) for r in await conn.fetch(SELECT_RECENT, limit)]


SELECT_EDITIONS = """
SELECT disclosure_id, edition, published_at, body::text AS body FROM edition
WHERE (disclosure_id, edition) IN (SELECT * FROM unnest($1::text[], $2::int[]))
"""


async def select_editions(conn: Connection, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Edition]:
    """Contents of editions by id and number; those that are gone are left out."""
    rows = await conn.fetch(SELECT_EDITIONS, [i for i, _ in wanted], [n for _, n in wanted])
    found = (Edition(r["disclosure_id"], r["edition"], r["published_at"], r["body"]) for r in rows)
    return {(e.disclosure_id, e.edition): e for e in found}


SELECT_EDITION_TIMES = """
SELECT disclosure_id, edition, published_at FROM edition WHERE disclosure_id = ANY($1::text[]) ORDER BY edition
"""


async def select_edition_times(conn: Connection, ids: Sequence[str]) -> dict[str, list[tuple[int, datetime]]]:
    """When each edition of some disclosures was published, oldest first."""
    found: dict[str, list[tuple[int, datetime]]] = {}
    for row in await conn.fetch(SELECT_EDITION_TIMES, list(ids)):
        found.setdefault(row["disclosure_id"], []).append((row["edition"], row["published_at"]))
    return found


# -- steps under way ----------------------------------------------------------------------------------------------

UPSERT_STEP = """
INSERT INTO step (disclosure_id, village_code, item, period, version, submitted_at, confirmed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (disclosure_id) DO UPDATE SET
    version = excluded.version,
    submitted_at = excluded.submitted_at,
    confirmed_at = excluded.confirmed_at
WHERE excluded.version > step.version
"""


async def upsert_step(conn: Connection, step: Step) -> None:
    await conn.execute(
        UPSERT_STEP,
        step.disclosure_id,
        step.village_code,
        step.item,
        step.period,
        step.version,
        step.submitted_at,
        step.confirmed_at,
    )


CONFIRM_STEP = "UPDATE step SET version = $2, confirmed_at = $3 WHERE disclosure_id = $1 AND version < $2"


async def confirm_step(conn: Connection, disclosure_id: str, version: int, at: datetime) -> None:
    await conn.execute(CONFIRM_STEP, disclosure_id, version, at)


DELETE_STEP = "DELETE FROM step WHERE disclosure_id = $1"


async def delete_step(conn: Connection, disclosure_id: str) -> None:
    await conn.execute(DELETE_STEP, disclosure_id)


SELECT_STEPS = "SELECT * FROM step WHERE village_code = ANY($1::text[])"


async def select_steps(conn: Connection, villages: Sequence[str]) -> list[Step]:
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


SELECT_CHANGES = "SELECT * FROM change WHERE position > $1 ORDER BY position LIMIT $2"


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
        )
        for r in rows
    ]


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


# -- codes --------------------------------------------------------------------------------------------------------

UPSERT_CODE = """
INSERT INTO code (code, village_code, purpose, place, serial, state) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (code) DO UPDATE SET village_code = excluded.village_code, purpose = excluded.purpose,
    place = excluded.place, serial = excluded.serial, state = excluded.state
"""


async def upsert_code(conn: Connection, code: Code) -> None:
    await conn.execute(UPSERT_CODE, code.code, code.village_code, code.purpose, code.place, code.serial, code.state)


def _code(row: Row) -> Code:
    return Code(row["code"], row["village_code"], row["purpose"], row["place"], row["serial"], row["state"])


SELECT_CODES = "SELECT * FROM code WHERE village_code = ANY($1::text[]) AND state = 'valid' ORDER BY serial"


async def select_codes(conn: Connection, villages: Sequence[str]) -> list[Code]:
    """Valid codes of some villages, by serial."""
    return [_code(r) for r in await conn.fetch(SELECT_CODES, list(villages))]


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


SELECT_MARKS = "SELECT id, kind, key, since FROM dirty WHERE kind = ANY($1::text[]) ORDER BY id LIMIT $2"


async def select_marks(conn: Connection, kinds: Sequence[str], limit: int) -> list[Mark]:
    """The oldest marks of some kinds."""
    rows = await conn.fetch(SELECT_MARKS, list(kinds), limit)
    return [Mark(r["id"], (r["kind"], r["key"]), r["since"]) for r in rows]


DELETE_MARKS = "DELETE FROM dirty WHERE id = ANY($1::bigint[])"


async def delete_marks(conn: Connection, ids: Sequence[int]) -> int:
    """Drop marks that were served; returns how many were still there."""
    return affected(await conn.execute(DELETE_MARKS, list(ids)))


INSERT_MARKED_DAY = "INSERT INTO marked_day (day) VALUES ($1) ON CONFLICT DO NOTHING"


async def insert_marked_day(conn: Connection, day: date) -> bool:
    """Remember that a day's deadlines were marked; False when they were."""
    return affected(await conn.execute(INSERT_MARKED_DAY, day)) == 1
