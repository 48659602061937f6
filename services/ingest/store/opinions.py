"""The words of those who confirm, who brought them on paper, and who wrote what they speak of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.contracts.disclosure import Opinion, Party
from services.ingest.store.contents import Said, close_said, said_of
from services.ingest.store.disclosures import Disclosure, Filter, disclosures_of
from services.kit.db import Connection, Row
from services.kit.shred import make_keys

#: A sheet is a word of its own: whoever brings it may also have spoken for themselves.
_SHEET: Final = "sheet:"

UPSERT_OPINION = """
INSERT INTO confirmation
    (disclosure_id, edition, kind, actor_id, confirmed_at, opinion, said_sealed, sheet, brought_by, bearer)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (disclosure_id, edition, kind, actor_id) DO UPDATE SET confirmed_at = excluded.confirmed_at,
    opinion = excluded.opinion, names = '[]', reason = NULL, said_sealed = excluded.said_sealed, sheet = excluded.sheet,
    brought_by = excluded.brought_by, bearer = excluded.bearer
"""


async def upsert_opinion(conn: Connection, of: Disclosure, opinion: Opinion, by: str) -> None:
    """Note a party's word; who speaks again has changed their mind, and so has a sheet that comes again."""
    actor = by if opinion.sheet is None else f"{_SHEET}{opinion.sheet}"
    said = Said(names=opinion.names, reason=opinion.reason)
    key = (await make_keys(conn, [str(of.id)]))[str(of.id)]
    await conn.execute(
        UPSERT_OPINION,
        of.id,
        of.edition,
        opinion.party,
        actor,
        opinion.at,
        opinion.opinion,
        close_said(key, str(of.id), (of.edition, opinion.party, actor), said),
        opinion.sheet,
        by if opinion.sheet is not None else None,
        opinion.brought_by,
    )


#: The columns in clear hold words of before they were sealed, until the job has sealed them.
SELECT_OPINIONS = """
SELECT c.disclosure_id, c.edition, c.kind, c.actor_id, c.opinion, c.names::text AS names, c.reason, c.said_sealed, s.key, c.sheet,
    c.bearer, c.confirmed_at
FROM confirmation c LEFT JOIN shred_key s ON s.aggregate_id = c.disclosure_id::text
WHERE c.disclosure_id = $1 AND c.edition = $2 ORDER BY c.confirmed_at, c.actor_id
"""


async def select_opinions(conn: Connection, disclosure_id: UUID, edition: int) -> tuple[Opinion, ...]:
    """Every word on an edition, in order."""
    return tuple(_opinion(r) for r in await conn.fetch(SELECT_OPINIONS, disclosure_id, edition))


def _opinion(row: Row) -> Opinion:
    said = said_of(row)
    return Opinion(
        party=row["kind"],
        opinion=row["opinion"],
        # Words of the time before names were kept.
        names=said.names or ("未记姓名",),
        reason=said.reason,
        sheet=row["sheet"],
        brought_by=row["bearer"],
        at=row["confirmed_at"],
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
    return await disclosures_of(conn, await conn.fetch(SELECT_TO_CONFIRM, *values))


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
