"""What changed: between two editions, and from the last period to this one, for reviewers and for two clerks on one draft."""

import asyncio
from typing import Any, Final
from uuid import UUID

from services.contracts.bodies import Body
from services.contracts.values import previous_period
from services.ingest.commands.findings import in_line
from services.ingest.errors import UnknownDisclosureError
from services.ingest.gate.differences import Change, differences
from services.ingest.store.cells import select_body_of_cell
from services.ingest.visit import Caller, Reading

Difference = tuple[Change, ...]


#: Rows that are compared at once; more than that waits for its turn.
_FEW_ROWS: Final = 100


async def against_edition(caller: Caller, disclosure_id: UUID, older: int, newer: int) -> Difference:
    """From one edition to another."""
    async with caller.reading(Reading) as desk:
        disclosure = await desk.disclosure(disclosure_id)
        editions = [await desk.visible_edition(disclosure, n) for n in (older, newer)]
    if editions[0] is None or editions[1] is None:
        raise UnknownDisclosureError
    return await _between(editions[0].body, editions[1].body)


async def against_previous(caller: Caller, disclosure_id: UUID) -> Difference | None:
    """From what the village handed in for the period before to this; None when there is nothing before."""
    async with caller.reading(Reading) as desk:
        disclosure = await desk.disclosure(disclosure_id)
        before = previous_period(disclosure.period)
        edition = await desk.visible_edition(disclosure, disclosure.edition)
        if before is None or edition is None:
            return None
        body = await select_body_of_cell(desk.conn, disclosure.village_code, disclosure.item, before)
    return await _between(body, edition.body) if body is not None else None


def _said(body: Body) -> Any:
    return body.model_dump(mode="json", exclude_none=True)


async def _between(before: Body, after: Body) -> Difference:
    """Beside the loop and in line, with no connection held: two thousand lines take a second."""

    def work() -> Difference:
        return tuple(differences(_said(before), _said(after)))

    is_short = max(before.row_count, after.row_count) <= _FEW_ROWS
    return await (asyncio.to_thread(work) if is_short else in_line(work))
