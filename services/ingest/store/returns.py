"""Why editions were sent back, as long as the next one is not published."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.contracts.disclosure import LineReason
from services.ingest.store.disclosures import Disclosure
from services.kit.db import Connection


@dataclass(frozen=True, slots=True)
class Return:
    """One time that an edition was sent back; `by` and `at` are None of the time before they were kept."""

    edition: int
    reason: str
    lines: tuple[LineReason, ...]
    by: str | None
    at: datetime | None


INSERT_RETURN = """
UPDATE edition SET returns = returns || jsonb_build_array($3::jsonb) WHERE disclosure_id = $1 AND edition = $2
"""


async def insert_return(conn: Connection, of: Disclosure, returned: Return) -> None:
    """Keep a reason with the edition that it is about."""
    said = {
        "reason": returned.reason,
        "lines": [x.model_dump() for x in returned.lines],
        "by": returned.by,
        "at": returned.at.isoformat() if returned.at is not None else None,
    }
    await conn.execute(INSERT_RETURN, of.id, of.edition, json.dumps(said))


SELECT_RETURNS = """
SELECT edition, returns::text AS returns FROM edition
WHERE disclosure_id = $1 AND edition > $2 AND returns <> '[]' ORDER BY edition
"""


async def select_returns(conn: Connection, of: Disclosure) -> Sequence[Return]:
    """Every return since the public edition, oldest first."""
    rows = await conn.fetch(SELECT_RETURNS, of.id, of.published_edition or 0)
    return [
        Return(
            edition=row["edition"],
            reason=said["reason"],
            lines=tuple(LineReason.model_validate(x) for x in said["lines"]),
            by=said["by"],
            at=datetime.fromisoformat(said["at"]) if said["at"] is not None else None,
        )
        for row in rows
        for said in json.loads(row["returns"])
    ]
