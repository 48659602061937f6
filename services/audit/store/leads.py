"""SQL of leads: what may be wrong, for inspectors alone. Nothing but their own page reads it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, NamedTuple

from pydantic import Field, StringConstraints

from services.audit.rules.facts import CellKey
from services.kit.db import Connection


class LeadPlace(NamedTuple):
    """A place in the order of leads: the gravest first, then the most money."""

    level: Annotated[int, Field(ge=1, le=3)]
    amount_fen: int
    lead_id: Annotated[str, StringConstraints(pattern="^[0-9a-f]{30}$")]


@dataclass(frozen=True, slots=True)
class LeadRow:
    """One lead as it stands; `pack` is its evidence as canonical JSON, `others` how many more there are on its cell."""

    lead_id: str
    rule: str
    rule_version: str
    key: CellKey
    level: int
    amount_fen: int
    sentence: str
    found_at: datetime
    hash: str
    pack: str
    others: int = 0


SELECT_HASHES = "SELECT lead_id, hash FROM lead WHERE lead_id = ANY($1::text[])"


async def select_hashes(conn: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Which of some leads stand, with the hash of each one's evidence."""
    return {r["lead_id"]: r["hash"] for r in await conn.fetch(SELECT_HASHES, ids)}


UPSERT_LEAD = """
INSERT INTO lead (lead_id, rule, rule_version, village, item, period, level, amount_fen, sentence, found_at, hash, pack)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (lead_id) DO UPDATE SET
    rule_version = excluded.rule_version, level = excluded.level, amount_fen = excluded.amount_fen,
    sentence = excluded.sentence, hash = excluded.hash, pack = excluded.pack
"""


async def upsert_lead(conn: Connection, lead: LeadRow) -> None:
    """Keep a lead as it is now; since when it is there stays."""
    said = (lead.level, lead.amount_fen, lead.sentence, lead.found_at, lead.hash, lead.pack)
    await conn.execute(UPSERT_LEAD, lead.lead_id, lead.rule, lead.rule_version, *lead.key, *said)


DELETE_LEADS = "DELETE FROM lead WHERE lead_id = ANY($1::text[])"


async def delete_leads(conn: Connection, ids: Collection[str]) -> None:
    """Forget leads of which nothing is left: nobody was told of them."""
    await conn.execute(DELETE_LEADS, list(ids))


SELECT_LEADS = """
SELECT l.*, (SELECT count(*) FROM lead o WHERE (o.village, o.item, o.period) = (l.village, l.item, l.period)) - 1 AS others
FROM (
    SELECT * FROM lead
    WHERE ($1::text[] IS NULL OR village = ANY($1)) AND ($2::text[] IS NULL OR item = ANY($2))
      AND ($3::integer IS NULL OR (level, amount_fen, lead_id) < ($3, $4::bigint, $5::text))
    ORDER BY level DESC, amount_fen DESC, lead_id DESC LIMIT $6
) l ORDER BY level DESC, amount_fen DESC, lead_id DESC
"""


async def select_leads(
    conn: Connection, villages: Sequence[str] | None, items: Sequence[str] | None, after: LeadPlace | None, limit: int
) -> list[LeadRow]:
    """Leads in their order, from after a place; None does not restrict."""
    place = after or (None, None, None)
    rows = await conn.fetch(SELECT_LEADS, villages, items, *place, limit)
    return [
        LeadRow(
            lead_id=r["lead_id"],
            rule=r["rule"],
            rule_version=r["rule_version"],
            key=CellKey(r["village"], r["item"], r["period"]),
            level=r["level"],
            amount_fen=r["amount_fen"],
            sentence=r["sentence"],
            found_at=r["found_at"],
            hash=r["hash"],
            pack=r["pack"],
            others=r["others"],
        )
        for r in rows
    ]
