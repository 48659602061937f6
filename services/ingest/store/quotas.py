"""What each member of staff has handed in on a day."""

from dataclasses import dataclass
from datetime import date

from services.kit.db import Connection, affected


@dataclass(frozen=True, slots=True)
class Amount:
    """Files, prepared files among them, and bytes of all."""

    files: int
    imports: int
    bytes: int


TAKE_QUOTA = """
INSERT INTO upload_quota AS q (staff_id, day, files, imports, bytes) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (staff_id, day) DO UPDATE
SET files = q.files + excluded.files, imports = q.imports + excluded.imports, bytes = q.bytes + excluded.bytes
WHERE q.files + excluded.files <= $6 AND q.imports + excluded.imports <= $7 AND q.bytes + excluded.bytes <= $8
"""


async def take_quota(conn: Connection, staff_id: str, day: date, more: Amount, most: Amount) -> bool:
    """Count what somebody hands in; False, and nothing is counted, when it is more than a day's."""
    added = (more.files, more.imports, more.bytes)
    done = await conn.execute(TAKE_QUOTA, staff_id, day, *added, most.files, most.imports, most.bytes)
    return affected(done) == 1


DELETE_QUOTAS = "DELETE FROM upload_quota WHERE day < $1"


async def delete_quotas(conn: Connection, before: date) -> None:
    """Forget what was handed in before a day."""
    await conn.execute(DELETE_QUOTAS, before)
