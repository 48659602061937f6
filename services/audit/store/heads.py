"""Signed heads of the services' trails: what bears witness against a chain that was rewritten."""

from uuid import UUID

from services.kit.db import Connection, Row
from services.kit.heads import Signed

INSERT_HEAD = """
INSERT INTO trail_head (event_id, service, position, link, said_at, signature, contradicts)
SELECT $1, $2, $3, $4, $5, $6, $7 AND EXISTS (
    SELECT FROM (
        SELECT position, link FROM trail_head WHERE service = $2 ORDER BY said_at DESC, position DESC LIMIT 1
    ) AS before
    WHERE before.position > $3 OR (before.position = $3 AND before.link <> $4)
)
ON CONFLICT DO NOTHING
"""


async def insert_head(conn: Connection, event_id: UUID, head: Signed, *, holds: bool) -> None:
    """Keep a head as it was heard; one whose signature holds is compared with the one before."""
    said = (head.service, head.position, head.link, head.at, head.signature)
    await conn.execute(INSERT_HEAD, event_id, *said, holds)


SELECT_HEADS = "SELECT service, position, link, said_at, signature FROM trail_head ORDER BY service, said_at"


async def select_heads(conn: Connection) -> list[Signed]:
    """All of every service, oldest first."""
    return [_signed(r) for r in await conn.fetch(SELECT_HEADS)]


SELECT_NEWEST = """
SELECT h.* FROM unnest($1::text[]) AS s (service) CROSS JOIN LATERAL (
    SELECT service, position, link, said_at, signature FROM trail_head
    WHERE service = s.service ORDER BY said_at DESC, position DESC LIMIT 1
) AS h
"""


async def select_newest(conn: Connection, services: tuple[str, ...]) -> dict[str, Signed]:
    """The newest of each service that has any."""
    return {r["service"]: _signed(r) for r in await conn.fetch(SELECT_NEWEST, list(services))}


SELECT_CONTRADICTING = "SELECT DISTINCT service FROM trail_head WHERE contradicts"


async def select_contradicting(conn: Connection) -> set[str]:
    """Services that once signed otherwise than before."""
    return {r["service"] for r in await conn.fetch(SELECT_CONTRADICTING)}


def _signed(row: Row) -> Signed:
    return Signed(row["service"], row["position"], row["link"], row["said_at"], row["signature"])
