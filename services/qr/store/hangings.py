"""Where codes hang, as a clerk's telephone saw it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.kit.db import Connection


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the ground, WGS 84; `accuracy_m` as the telephone said."""

    latitude: float
    longitude: float
    accuracy_m: int | None


@dataclass(frozen=True, slots=True)
class Hanging:
    """When and by whom a code was seen to hang, and where."""

    code: str
    hung_at: datetime
    hung_by: str
    spot: Spot | None
    has_photograph: bool


UPSERT_HANGING = """
INSERT INTO hanging (code, hung_at, hung_by, latitude, longitude, accuracy_m, photograph)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (code) DO UPDATE SET hung_at = excluded.hung_at, hung_by = excluded.hung_by, latitude = excluded.latitude,
    longitude = excluded.longitude, accuracy_m = excluded.accuracy_m, photograph = excluded.photograph
"""


async def upsert_hanging(conn: Connection, hanging: Hanging, photograph: bytes | None) -> None:
    """Keep what was seen last; the photograph before goes."""
    spot = hanging.spot
    where = (spot.latitude, spot.longitude, spot.accuracy_m) if spot else (None, None, None)
    await conn.execute(UPSERT_HANGING, hanging.code, hanging.hung_at, hanging.hung_by, *where, photograph)


SELECT_HANGINGS = """
SELECT code, hung_at, hung_by, latitude, longitude, accuracy_m, photograph IS NOT NULL AS has_photograph
FROM hanging WHERE code = ANY($1::text[])
"""


async def select_hangings(conn: Connection, codes: Sequence[str]) -> dict[str, Hanging]:
    """Of some codes, those that were seen to hang."""
    found = {}
    for row in await conn.fetch(SELECT_HANGINGS, list(codes)):
        spot = Spot(row["latitude"], row["longitude"], row["accuracy_m"]) if row["latitude"] is not None else None
        found[row["code"]] = Hanging(row["code"], row["hung_at"], row["hung_by"], spot, row["has_photograph"])
    return found


SELECT_PHOTOGRAPH = "SELECT photograph FROM hanging WHERE code = $1"


async def select_photograph(conn: Connection, code: str) -> bytes | None:
    found: bytes | None = await conn.fetchval(SELECT_PHOTOGRAPH, code)
    return found


DELETE_PHOTOGRAPH = "UPDATE hanging SET photograph = NULL WHERE code = $1"


async def delete_photograph(conn: Connection, code: str) -> None:
    """A code that counts no more hangs nowhere: its photograph has no use."""
    await conn.execute(DELETE_PHOTOGRAPH, code)
