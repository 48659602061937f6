"""What was taken over (已采用), by whoever holds the secret that leads back; of the secret only a hash rests here."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.kit.db import Connection, affected


@dataclass(frozen=True, slots=True)
class Adoption:
    """A public edition that somebody took over; `address` where it stands now, if they let it be shown."""

    disclosure_id: str
    village_code: str
    version: int
    address: str | None
    adopted_at: datetime


@dataclass(frozen=True, slots=True)
class Adopted:
    """How often a disclosure was taken over, and some of the addresses that may be shown."""

    count: int = 0
    addresses: tuple[str, ...] = ()


def _hash(taker: str) -> bytes:
    return hashlib.sha256(taker.encode()).digest()


UPSERT_ADOPTION = """
INSERT INTO adoption (taker, disclosure_id, village_code, version, address, adopted_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (taker, disclosure_id) DO UPDATE
SET version = excluded.version, address = excluded.address, adopted_at = excluded.adopted_at
"""


async def upsert_adoption(conn: Connection, taker: str, of: Adoption) -> None:
    """Keep what somebody took over; an edition taken later replaces the one before."""
    of_taker = (of.disclosure_id, of.village_code, of.version, of.address, of.adopted_at)
    await conn.execute(UPSERT_ADOPTION, _hash(taker), *of_taker)


#: One taker's requests wait for each other, so that the last that there is room for is let in once.
LOCK_TAKER = "SELECT pg_advisory_xact_lock(hashtext('adoptions'), hashtext($1))"
SELECT_OF_TAKER = """
SELECT disclosure_id, village_code, version, address, adopted_at FROM adoption WHERE taker = $1
ORDER BY adopted_at DESC, disclosure_id LIMIT $2
"""


async def lock_taker(conn: Connection, taker: str) -> None:
    """Hold up whoever else uses the same secret until the transaction ends."""
    await conn.execute(LOCK_TAKER, _hash(taker).hex())


async def select_of_taker(conn: Connection, taker: str, limit: int) -> list[Adoption]:
    """What somebody took over, the newest first."""
    return [Adoption(**dict(r.items())) for r in await conn.fetch(SELECT_OF_TAKER, _hash(taker), limit)]


DELETE_ADOPTIONS = (
    "DELETE FROM adoption WHERE taker = $1 AND ($2::text IS NULL OR disclosure_id = $2) RETURNING disclosure_id"
)


async def delete_adoptions(conn: Connection, taker: str, disclosure_id: str | None) -> list[str]:
    """Remove what somebody took over, or all of it; which disclosures that was."""
    return [r["disclosure_id"] for r in await conn.fetch(DELETE_ADOPTIONS, _hash(taker), disclosure_id)]


COUNT_OF_DISCLOSURES = """
SELECT disclosure_id, count(*) AS count FROM adoption WHERE disclosure_id = ANY($1::text[]) GROUP BY disclosure_id
"""
SELECT_ADDRESSES = """
SELECT d.id, a.address FROM unnest($1::text[]) AS d (id) CROSS JOIN LATERAL (
    SELECT DISTINCT ON (address) address, adopted_at FROM adoption
    WHERE disclosure_id = d.id AND address IS NOT NULL ORDER BY address LIMIT $2
) a ORDER BY d.id, a.adopted_at DESC
"""


async def select_adopted(conn: Connection, ids: Sequence[str], most: int) -> dict[str, Adopted]:
    """How often some disclosures were taken over, with at most so many addresses of each."""
    counts = {r["disclosure_id"]: r["count"] for r in await conn.fetch(COUNT_OF_DISCLOSURES, list(ids))}
    shown: dict[str, list[str]] = {}
    for row in await conn.fetch(SELECT_ADDRESSES, list(counts), most) if counts else ():
        shown.setdefault(row["id"], []).append(row["address"])
    return {i: Adopted(n, tuple(shown.get(i, ()))) for i, n in counts.items()}


FORGET_ADDRESSES = "UPDATE adoption SET address = NULL WHERE disclosure_id = $1 AND address IS NOT NULL"


async def forget_addresses(conn: Connection, disclosure_id: str) -> bool:
    """Forget where something stands that was withdrawn: nothing here leads to it; True when there was any."""
    return affected(await conn.execute(FORGET_ADDRESSES, disclosure_id)) > 0
