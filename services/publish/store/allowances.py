"""How often something was done, counted in one place for all processes of the service."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.kit.db import Connection, affected


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many times at once, and once more for every `again` that passes; `kind` tells one allowance from another."""

    kind: str
    at_once: int
    again: timedelta


#: The Generic Cell Rate Algorithm (ITU-T I.371) in one statement: of each, the moment at which it will have got over what it did.
USE = """
INSERT INTO allowance AS a (kind, whose, over_at) VALUES ($1, $2, $3::timestamptz + $4::interval)
ON CONFLICT (kind, whose) DO UPDATE SET over_at = greatest(a.over_at, $3::timestamptz) + $4::interval
WHERE a.over_at <= $3::timestamptz + $5::interval
"""
SELECT_OVER_AT = "SELECT over_at FROM allowance WHERE kind = $1 AND whose = $2"


async def use(conn: Connection, allowance: Allowance, whose: bytes, now: datetime) -> int:
    """Count once more; 0, or the whole seconds after which there is room again: then nothing was counted."""
    room = allowance.again * (allowance.at_once - 1)
    used = await conn.execute(USE, allowance.kind, whose, now, allowance.again, room)
    if affected(used):
        return 0
    over_at: datetime = await conn.fetchval(SELECT_OVER_AT, allowance.kind, whose)
    return int((over_at - now - room).total_seconds()) + 1


FORGET = """
DELETE FROM allowance WHERE ctid = ANY(ARRAY(SELECT ctid FROM allowance WHERE over_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
"""


async def forget(conn: Connection, now: datetime, limit: int) -> int:
    """Delete what is over; how many there were, at most `limit`."""
    return affected(await conn.execute(FORGET, now, limit))
