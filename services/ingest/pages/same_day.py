"""Several events of one item on one day: which there are, and a form for another one beside them."""

from collections.abc import Mapping
from uuid import UUID

import uuid_utils.compat
from fastapi import Request, Response

from services.contracts.values import Frequency, period_words
from services.ingest.commands.findings import titles_of
from services.ingest.forms import Form
from services.ingest.pages.frame import render
from services.ingest.store.cells import select_cell, select_day
from services.ingest.store.disclosures import Disclosure, select_disclosure
from services.ingest.visit import Reading

#: What a form makes has its id before it is saved: pressed twice, it is one.
_VERSION = 7


async def same_day(request: Request, desk: Reading, cell: tuple[str, str, str]) -> Response | None:
    """The events of a day to open, or another one to begin; None for an item that has one content a period."""
    village, item, period = cell
    revision = desk.item(item, period)
    if revision.frequency is not Frequency.ON_EVENT:
        return None
    found = await select_day(desk.conn, village, item, period)
    return render(
        request,
        desk,
        "same_day.html",
        village=village,
        item=item,
        period=period,
        item_name=revision.name,
        day=period_words(period),
        found=found,
        titles=await titles_of(desk, found),
        another=uuid_utils.compat.uuid7(),
    )


def another_of(text: str) -> UUID | None:
    """The id of another event of the day, as the page of the day gave it; None for the first."""
    try:
        known = UUID(text)
    except ValueError:
        return None
    return known if known.version == _VERSION else None


async def begun(desk: Reading, fields: Mapping[str, str], form: Form) -> Disclosure | None:
    """What a form without a disclosure of its own is about: what stands in its cell by now, or its own other event."""
    another = another_of(fields.get("another", ""))
    if another is None:
        return await select_cell(desk.conn, form.village, form.item, form.period)
    known = await select_disclosure(desk.conn, another)
    return await desk.disclosure(another) if known is not None else None
