"""Why editions were sent back, as long as the next one is not published."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.contracts.disclosure import LineReason
from services.ingest.store.contents import Edition, Returned, remarks_of, rest_of
from services.ingest.store.disclosures import Disclosure, update_remarks
from services.kit.db import Connection


@dataclass(frozen=True, slots=True)
class Return:
    """One time that an edition was sent back; `by` and `at` are None of the time before they were kept."""

    edition: int
    reason: str
    lines: tuple[LineReason, ...]
    by: str | None
    at: datetime | None


SELECT_REST = """
SELECT e.disclosure_id, e.edition, e.remarks_sealed, s.key, e.accepted::text AS accepted, e.findings::text AS findings, e.note,
    e.secrecy_checked_by, e.returns::text AS returns
FROM edition e LEFT JOIN shred_key s ON s.aggregate_id = e.disclosure_id::text
WHERE e.disclosure_id = $1 AND e.edition BETWEEN $2 AND $3 ORDER BY e.edition
"""


async def insert_return(conn: Connection, edition: Edition, of: Disclosure, returned: Return) -> None:
    """Keep a reason with the edition that it is about."""
    said = Returned(reason=returned.reason, lines=returned.lines, by=returned.by, at=returned.at)
    await update_remarks(conn, of, remarks_of(replace(edition, returns=(*edition.returns, said))))


async def select_returns(conn: Connection, of: Disclosure) -> Sequence[Return]:
    """Every return since the public edition, oldest first."""
    rows = await conn.fetch(SELECT_REST, of.id, (of.published_edition or 0) + 1, of.edition)
    return [
        Return(row["edition"], said.reason, said.lines, said.by, said.at)
        for row in rows
        for said in rest_of(row).returns
    ]
