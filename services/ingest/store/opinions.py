"""The words of those who confirm, who brought them on paper, and who wrote what they speak of."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.contracts.disclosure import Opinion, Party
from services.ingest.store.disclosures import Disclosure, Filter, disclosure_of
from services.kit.db import Connection

#: A sheet is a word of its own: whoever brings it may also have spoken for themselves.
_SHEET: Final = "sheet:"

UPSERT_OPINION = """
INSERT INTO confirmation
    (disclosure_id, edition, kind, actor_id, confirmed_at, opinion, names, reason, sheet, brought_by, bearer)
VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10, $11)
ON CONFLICT (disclosure_id, edition, kind, actor_id) DO UPDATE SET confirmed_at = excluded.confirmed_at,
    opinion = excluded.opinion, names = excluded.names, reason = excluded.reason, sheet = excluded.sheet,
    brought_by = excluded.brought_by, bearer = excluded.bearer
"""


async def upsert_opinion(conn: Connection, of: Disclosure, opinion: Opinion, by: str) -> None:
    """Note a party's word; who speaks again has changed their mind, and so has a sheet that comes again."""
    await conn.execute(
        UPSERT_OPINION,
        of.id,
        of.edition,
        opinion.party,
        by if opinion.sheet is None else f"{_SHEET}{opinion.sheet}",
        opinion.at,
        opinion.opinion,
        json.dumps(opinion.names),
        opinion.reason,
        opinion.sheet,
        by if opinion.sheet is not None else None,
        opinion.brought_by,
    )


SELECT_OPINIONS = """
SELECT kind, opinion, names::text AS names, reason, sheet, bearer, confirmed_at FROM confirmation
WHERE disclosure_id = $1 AND edition = $2 ORDER BY confirmed_at, actor_id
"""


async def select_opinions(conn: Connection, disclosure_id: UUID, edition: int) -> tuple[Opinion, ...]:
    """Every word on an edition, in order."""
    rows = await conn.fetch(SELECT_OPINIONS, disclosure_id, edition)
    return tuple(
        Opinion(
            party=r["kind"],
            opinion=r["opinion"],
            # Words of the time before names were kept.
            names=tuple(json.loads(r["names"])) or ("未记姓名",),
            reason=r["reason"],
            sheet=r["sheet"],
            brought_by=r["bearer"],
            at=r["confirmed_at"],
        )
        for r in rows
    )


SELECT_AUTHORS = """
SELECT array_agg(DISTINCT saved_by) FROM edition WHERE disclosure_id = $1 AND edition > $2
"""


async def select_authors(conn: Connection, of: Disclosure, after: int) -> set[str]:
    """Who saved any edition after one, and who handed the newest in."""
    found: list[str] | None = await conn.fetchval(SELECT_AUTHORS, of.id, after)
    return {*(found or ()), of.saved_by, *([of.submitted_by] if of.submitted_by is not None else [])}


SELECT_TO_CONFIRM = """
SELECT d.* FROM disclosure d
WHERE d.village_code = ANY($1::text[]) AND d.state = 'submitted' AND d.item = ANY($2::text[])
  AND d.submitted_by <> $4
  AND NOT EXISTS (
    SELECT FROM confirmation c
    WHERE c.disclosure_id = d.id AND c.edition = d.edition AND c.kind = $3 AND c.actor_id = $4
  )
  AND NOT EXISTS (
    SELECT FROM edition e
    WHERE e.disclosure_id = d.id AND e.edition > coalesce(d.published_edition, 0) AND e.saved_by = $4
  )
ORDER BY d.id DESC LIMIT $5
"""


async def select_to_confirm(conn: Connection, wanted: Filter, party: Party, by: str) -> list[Disclosure]:
    """Handed in, of the items that ask for a party's word, neither spoken of nor written by this person; newest first."""
    values = (list(wanted.villages), list(wanted.items or ()), party, by, wanted.limit)
    return [disclosure_of(r) for r in await conn.fetch(SELECT_TO_CONFIRM, *values)]


@dataclass(frozen=True, slots=True)
class Marks:
    """What a list tells of the words on an edition: who brought a sheet, how many dissent."""

    bearers: tuple[str, ...]
    dissents: int


SELECT_WORD_MARKS = """
SELECT c.disclosure_id, array_remove(array_agg(DISTINCT c.bearer), NULL) AS bearers,
       count(*) FILTER (WHERE c.opinion = 'dissent') AS dissents
FROM confirmation c JOIN disclosure d ON d.id = c.disclosure_id AND d.edition = c.edition
WHERE c.disclosure_id = ANY($1::uuid[]) GROUP BY c.disclosure_id
"""


async def select_word_marks(conn: Connection, disclosures: Sequence[Disclosure]) -> dict[UUID, Marks]:
    """The marks of some disclosures' newest editions; without words, none."""
    rows = await conn.fetch(SELECT_WORD_MARKS, [d.id for d in disclosures])
    return {r["disclosure_id"]: Marks(tuple(r["bearers"]), r["dissents"]) for r in rows}
