"""What an archive is of: which disclosures, before any of them is read."""

from services.kit.db import Connection

SELECT_IDS = """
SELECT disclosure_id FROM publication WHERE village_code BETWEEN $1 AND $2 AND period >= $3 AND period < $4
ORDER BY village_code, period, item, disclosure_id LIMIT $5
"""


async def select_ids(conn: Connection, within: tuple[str, str], year: str | None, limit: int) -> list[str]:
    """Ids of all disclosures, withdrawn ones too, by villages from one code to another (`within`), of a year if one is named."""
    periods = (year, f"{year}~") if year is not None else ("", "~")
    return [r["disclosure_id"] for r in await conn.fetch(SELECT_IDS, *within, *periods, limit)]
