"""What changed: between two editions, and from the last period to this one, for reviewers and for two clerks on one draft."""

import asyncio
from typing import Any
from uuid import UUID

from services.contracts.bodies import Body
from services.contracts.values import previous_period
from services.ingest.errors import UnknownDisclosureError
from services.ingest.gate.differences import Change, differences
from services.ingest.store.cells import select_body_of_cell
from services.ingest.visit import Reading

Difference = tuple[Change, ...]


async def against_edition(desk: Reading, disclosure_id: UUID, older: int, newer: int) -> Difference:
    """From one edition to another."""
    disclosure = await desk.disclosure(disclosure_id)
    editions = [await desk.visible_edition(disclosure, n) for n in (older, newer)]
    if editions[0] is None or editions[1] is None:
        raise UnknownDisclosureError
    return await _between(editions[0].body, editions[1].body)


async def against_previous(desk: Reading, disclosure_id: UUID) -> Difference | None:
    """From what the village handed in for the period before to this; None when there is nothing before."""
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
    """Beside the loop: two thousand lines take a second."""
    return await asyncio.to_thread(lambda: tuple(differences(_said(before), _said(after))))
