"""Publications and their editions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, NamedTuple

from pydantic import AwareDatetime, StringConstraints

from services.contracts.bodies import LedgerSums
from services.kit.db import Connection, Model, Row
from services.kit.shred import close, reopen
from services.publish.render.rows import Edition, Publication, Said
from services.publish.render.texts import public_text

UPSERT_PUBLICATION = """
INSERT INTO publication AS p (
    disclosure_id, village_code, item, period, edition, digest, history, nil, first_published_at, published_at,
    opening_fen, income_fen, expense_fen, closing_fen, line_count, withdrawn_at, kind, amount_fen, release, sums, follows
)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[], $7::bool[], $8::bool[], $9::timestamptz[],
    $10::timestamptz[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::int[], $16::timestamptz[],
    $17::text[], $18::bigint[], $19::text[], $20::jsonb[], $21::text[]
)
ON CONFLICT (disclosure_id) DO UPDATE SET
    edition = excluded.edition, digest = excluded.digest, history = excluded.history, nil = excluded.nil,
    first_published_at = least(p.first_published_at, excluded.first_published_at),
    published_at = excluded.published_at, opening_fen = excluded.opening_fen, income_fen = excluded.income_fen,
    expense_fen = excluded.expense_fen, closing_fen = excluded.closing_fen, line_count = excluded.line_count,
    withdrawn_at = excluded.withdrawn_at, kind = excluded.kind, amount_fen = excluded.amount_fen,
    release = excluded.release, filed_at = NULL, sums = excluded.sums, follows = excluded.follows
WHERE p.withdrawn_at IS NULL AND excluded.edition > p.edition
RETURNING disclosure_id
"""


async def upsert_publication(model: Model, p: Publication) -> bool:
    """Keep the newest edition's public state; a tombstone stays a tombstone. False when a newer one is known."""
    return await model.write(
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
        p.kind,
        p.amount_fen,
        p.release,
        p.sums.model_dump_json() if p.sums is not None else None,
        p.follows,
    )


UPDATE_FILED = """
UPDATE publication p SET filed_at = t.at FROM unnest($1::text[], $2::int[], $3::timestamptz[]) AS t (id, edition, at)
WHERE p.disclosure_id = t.id AND p.edition = t.edition AND p.withdrawn_at IS NULL RETURNING t.id
"""


async def update_filed(model: Model, disclosure_id: str, edition: int, at: datetime) -> None:
    """Note that the township took note of it (备案)."""
    await model.write(UPDATE_FILED, disclosure_id, edition, at)


LOWER_FIRST_PUBLISHED = """
UPDATE publication p SET first_published_at = t.at FROM unnest($1::text[], $2::timestamptz[]) AS t (id, at)
WHERE p.disclosure_id = t.id AND p.first_published_at > t.at RETURNING t.id
"""


async def lower_first_published(model: Model, disclosure_id: str, at: datetime) -> None:
    """An earlier edition that arrives late still tells when the first one was published."""
    await model.write(LOWER_FIRST_PUBLISHED, disclosure_id, at)


INSERT_EDITION = """
INSERT INTO edition (disclosure_id, edition, published_at, sealed)
SELECT * FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::bytea[]) AS t (id, edition, published_at, sealed)
WHERE NOT EXISTS (SELECT FROM publication WHERE disclosure_id = t.id AND withdrawn_at IS NOT NULL)
ON CONFLICT (disclosure_id, edition) DO NOTHING
RETURNING disclosure_id
"""


async def insert_edition(model: Model, disclosure_id: str, edition: int, at: datetime, sealed: bytes) -> bool:
    """Keep an edition's closed content; False when it is known already or the disclosure was withdrawn."""
    return await model.write(INSERT_EDITION, disclosure_id, edition, at, sealed)


def _place(edition: int) -> str:
    return f"edition.sealed:{edition}"


def close_edition(key: str, disclosure_id: str, edition: int, body: str, said: Said) -> bytes:
    """A body (JSON) and what was said of it, for their column: the length of the first in 8 bytes, then both."""
    first, second = body.encode(), said.model_dump_json(exclude_defaults=True).encode()
    return close(key, disclosure_id, _place(edition), len(first).to_bytes(8, "big") + first + second)


def edition_of(row: Row) -> Edition:
    """A row of `edition` that was read with its key."""
    number = row["edition"]
    if row["sealed"] is None:
        body, said = row["body"], row["said"]
    else:
        both = reopen(row["key"], row["disclosure_id"], _place(number), row["sealed"])
        end = 8 + int.from_bytes(both[:8], "big")
        body, said = both[8:end].decode(), both[end:]
    return Edition(row["disclosure_id"], number, row["published_at"], body, Said.model_validate_json(said))


INSERT_ATTACHMENT_REFS = """
INSERT INTO attachment_ref (digest, disclosure_id, village_code)
SELECT digest, id, village FROM unnest($1::text[], $2::text[], $3::text[]) AS t (id, village, digests)
    CROSS JOIN unnest(string_to_array(digests, ' ')) AS digest
ON CONFLICT DO NOTHING
RETURNING disclosure_id
"""


async def insert_attachment_refs(model: Model, digests: Sequence[str], disclosure_id: str, village: str) -> None:
    """Note which public files a disclosure shows."""
    await model.write(INSERT_ATTACHMENT_REFS, disclosure_id, village, " ".join(digests))


SELECT_SHOWING = """
SELECT DISTINCT p.item, p.period, p.kind FROM attachment_ref a JOIN publication p USING (disclosure_id)
WHERE a.digest = $1 AND p.withdrawn_at IS NULL
"""


async def select_showing(conn: Connection, digest: str) -> list[tuple[str, str, str]]:
    """Items, periods and kinds of what shows a file to the public."""
    return [(r["item"], r["period"], r["kind"]) for r in await conn.fetch(SELECT_SHOWING, digest)]


SELECT_ROSTERS = "SELECT disclosure_id, item, period FROM publication WHERE kind = 'roster' AND withdrawn_at IS NULL"


async def select_rosters(conn: Connection) -> list[tuple[str, str, str]]:
    """Ids, items and periods of all rosters: their names fade with time."""
    return [(r["disclosure_id"], r["item"], r["period"]) for r in await conn.fetch(SELECT_ROSTERS)]


WITHDRAW = """
UPDATE publication p SET
    withdrawn_at = CASE WHEN t.reason IS NULL THEN coalesce(withdrawn_at, t.at) ELSE t.at END,
    reason = coalesce(t.reason, p.reason),
    edition = greatest(p.edition, t.edition),
    published_at = CASE WHEN t.reason IS NULL THEN greatest(published_at, t.at) ELSE published_at END,
    was_withdrawn_at = NULL, restored_at = NULL, restored_reason = NULL, digest = '', history = false, nil = false, kind = DEFAULT, release = DEFAULT, filed_at = NULL,
    opening_fen = NULL, income_fen = NULL, expense_fen = NULL, closing_fen = NULL, line_count = NULL,
    amount_fen = NULL, sums = NULL, follows = NULL, submitted_at = NULL, confirmed_at = NULL, delivered_at = NULL
FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::int[]) AS t (id, at, reason, edition)
WHERE disclosure_id = t.id RETURNING t.id
"""
INSERT_TOMBSTONE = """
INSERT INTO publication (
    disclosure_id, village_code, item, period, edition, digest, history, nil, first_published_at, published_at,
    withdrawn_at, reason
)
SELECT id, village, item, period, edition, '', false, false, at, at, at, reason
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::timestamptz[], $7::text[])
    AS t (id, village, item, period, edition, at, reason)
ON CONFLICT (disclosure_id) DO NOTHING
RETURNING disclosure_id
"""
DELETE_EDITIONS = "DELETE FROM edition WHERE disclosure_id = ANY($1::text[]) RETURNING disclosure_id"
DELETE_ATTACHMENT_REFS = "DELETE FROM attachment_ref WHERE disclosure_id = ANY($1::text[]) RETURNING disclosure_id"


async def withdraw(model: Model, tombstone: Publication) -> None:
    """Remove every edition's content; what stays is the tombstone with its reason."""
    at, reason = tombstone.withdrawn_at, tombstone.reason
    if not await model.write(WITHDRAW, tombstone.disclosure_id, at, reason, tombstone.edition):
        await model.write(
            INSERT_TOMBSTONE,
            tombstone.disclosure_id,
            tombstone.village_code,
            tombstone.item,
            tombstone.period,
            tombstone.edition,
            at,
            reason,
        )
    await model.write(DELETE_EDITIONS, tombstone.disclosure_id)
    await model.write(DELETE_ATTACHMENT_REFS, tombstone.disclosure_id)


SELECT_NUMBERS = """
SELECT disclosure_id, count(*) AS number FROM change
WHERE disclosure_id = ANY($1::text[]) AND kind IN ('published', 'corrected') GROUP BY disclosure_id HAVING count(*) > 1
"""


async def publications_of(conn: Connection, rows: Sequence[Row]) -> list[Publication]:
    """Rows as values, each with how many of its editions were public; that is remembered when their content is gone."""
    ids = [r["disclosure_id"] for r in rows]
    numbers = {r["disclosure_id"]: r["number"] for r in await conn.fetch(SELECT_NUMBERS, ids)} if ids else {}
    return [_publication(r, numbers.get(r["disclosure_id"], 1)) for r in rows]


def _publication(row: Row, number: int) -> Publication:
    return Publication(
        number=number,
        was_withdrawn_at=row["was_withdrawn_at"],
        restored_at=row["restored_at"],
        restored_reason=public_text(row["restored_reason"]),
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
        kind=row["kind"],
        amount_fen=row["amount_fen"],
        release=row["release"],
        filed_at=row["filed_at"],
        withdrawn_at=row["withdrawn_at"],
        # Everybody may read it, so nobody reads it otherwise.
        reason=public_text(row["reason"]),
        submitted_at=row["submitted_at"],
        confirmed_at=row["confirmed_at"],
        delivered_at=row["delivered_at"],
        sums=LedgerSums.model_validate_json(row["sums"]) if row["sums"] is not None else None,
        follows=row["follows"],
    )


SELECT_PUBLICATIONS = "SELECT * FROM publication WHERE disclosure_id = ANY($1::text[])"


async def select_publications(conn: Connection, ids: Sequence[str]) -> dict[str, Publication]:
    """Disclosures by id; unknown ones are left out."""
    rows = await conn.fetch(SELECT_PUBLICATIONS, list(ids))
    return {p.disclosure_id: p for p in await publications_of(conn, rows)}


SELECT_BEFORE = """
SELECT b.*, p.disclosure_id AS of FROM publication p CROSS JOIN LATERAL (
    SELECT * FROM publication WHERE village_code = p.village_code AND item = p.item AND period < p.period
      AND (length(period), substr(period, 5, 1)) = (length(p.period), substr(p.period, 5, 1))
      AND sums IS NOT NULL AND withdrawn_at IS NULL
    ORDER BY period DESC LIMIT 1
) b
WHERE p.disclosure_id = ANY($1::text[]) AND p.sums IS NOT NULL
"""


async def select_before(conn: Connection, ids: Sequence[str]) -> dict[str, Publication]:
    """For each of some ledgers, the ledger of the nearest earlier period that is open."""
    rows = await conn.fetch(SELECT_BEFORE, list(ids))
    return {r["of"]: p for r, p in zip(rows, await publications_of(conn, rows), strict=True)}


SELECT_AFTER = """
SELECT disclosure_id FROM publication WHERE village_code = $1 AND item = $2 AND period > $3
  AND (length(period), substr(period, 5, 1)) = (length($3), substr($3, 5, 1))
  AND sums IS NOT NULL AND withdrawn_at IS NULL
ORDER BY period LIMIT 1
"""


async def select_after(conn: Connection, village: str, item: str, period: str) -> str | None:
    """The ledger of the nearest later period that is open: its opening is told beside this one's closing."""
    found: str | None = await conn.fetchval(SELECT_AFTER, village, item, period)
    return found


SELECT_LIST = """
SELECT * FROM publication
WHERE village_code = $1 AND item = ANY($2::text[]) AND ($3::text IS NULL OR period = $3)
  AND ($4::timestamptz IS NULL OR (published_at, disclosure_id) < ($4, $5::text))
ORDER BY published_at DESC, disclosure_id DESC LIMIT $6
"""


class ListPlace(NamedTuple):
    """Where a disclosure stands among a village's, newest first."""

    published_at: AwareDatetime
    disclosure_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]+$")]


async def select_list(
    conn: Connection,
    village: str,
    items: Sequence[str],
    period: str | None,
    after: ListPlace | None,
    limit: int,
) -> list[Publication]:
    """A village's disclosures of some items, newest first, behind a place in that order."""
    at, disclosure_id = after or (None, None)
    rows = await conn.fetch(SELECT_LIST, village, list(items), period, at, disclosure_id, limit)
    return await publications_of(conn, rows)


#: A condition that may be none keeps the database from the index of periods: so there are two.
_everywhere_where: Final = """
SELECT * FROM publication
WHERE {condition} AND item = ANY($1::text[]) AND village_code BETWEEN $2 AND $3
  AND ($4::timestamptz IS NULL OR (published_at, disclosure_id) < ($4, $5::text))
ORDER BY published_at DESC, disclosure_id DESC LIMIT $6
"""
SELECT_EVERYWHERE = _everywhere_where.format(condition="true")
SELECT_EVERYWHERE_OF_PERIOD = _everywhere_where.format(condition="period = $7")


async def select_everywhere(
    conn: Connection,
    items: Sequence[str],
    within: tuple[str, str],
    period: str | None,
    after: ListPlace | None,
    limit: int,
) -> list[Publication]:
    """Disclosures of some items by villages from one code to another (`within`), newest first, behind a place in that order."""
    at, disclosure_id = after or (None, None)
    given = (list(items), *within, at, disclosure_id, limit)
    if period is None:
        rows = await conn.fetch(SELECT_EVERYWHERE, *given)
    else:
        rows = await conn.fetch(SELECT_EVERYWHERE_OF_PERIOD, *given, period)
    return await publications_of(conn, rows)


SELECT_NEWEST_OF_ITEM = """
SELECT p.* FROM unnest($1::text[]) AS v (code) CROSS JOIN LATERAL (
    SELECT * FROM publication WHERE village_code = v.code AND item = $2 AND withdrawn_at IS NULL
    ORDER BY period DESC, published_at DESC LIMIT 1
) p
"""


async def select_newest_of_item(conn: Connection, villages: Sequence[str], item: str) -> dict[str, Publication]:
    """The newest period of an item that each of some villages has open."""
    rows = await conn.fetch(SELECT_NEWEST_OF_ITEM, list(villages), item)
    return {p.village_code: p for p in await publications_of(conn, rows)}


SELECT_RECENT = """
SELECT * FROM publication WHERE withdrawn_at IS NULL ORDER BY published_at DESC, disclosure_id DESC LIMIT $1
"""


async def select_recent(conn: Connection, limit: int) -> list[Publication]:
    """What was opened last, anywhere."""
    return await publications_of(conn, await conn.fetch(SELECT_RECENT, limit))


#: The columns in clear hold what was opened before contents were sealed, until the job has sealed it.
SELECT_EDITIONS = """
SELECT e.disclosure_id, e.edition, e.published_at, e.body::text AS body, e.said::text AS said, e.sealed, s.key
FROM edition e LEFT JOIN shred_key s ON s.aggregate_id = e.disclosure_id
WHERE (e.disclosure_id, e.edition) IN (SELECT * FROM unnest($1::text[], $2::int[]))
  AND (e.sealed IS NULL OR s.key IS NOT NULL)
"""


async def select_editions(conn: Connection, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Edition]:
    """Contents of editions by id and number; those that are gone are left out."""
    rows = await conn.fetch(SELECT_EDITIONS, [i for i, _ in wanted], [n for _, n in wanted])
    return {(e.disclosure_id, e.edition): e for e in map(edition_of, rows)}


SELECT_EDITION_TIMES = """
SELECT disclosure_id, edition, published_at FROM edition WHERE disclosure_id = ANY($1::text[]) ORDER BY edition
"""


async def select_edition_times(conn: Connection, ids: Sequence[str]) -> dict[str, list[tuple[int, datetime]]]:
    """When each edition of some disclosures was published, oldest first."""
    found: dict[str, list[tuple[int, datetime]]] = {}
    for row in await conn.fetch(SELECT_EDITION_TIMES, list(ids)):
        found.setdefault(row["disclosure_id"], []).append((row["edition"], row["published_at"]))
    return found
