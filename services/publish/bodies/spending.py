"""A year's ledgers and budget of a village, opened for the one page that compares them: asked for rarely, so never rendered before."""

import asyncio
from datetime import date
from typing import Final

from services.contracts.bodies import BODY, Ledger, Table
from services.contracts.catalogue import Masking
from services.contracts.values import Frequency, period_frequency
from services.kit.db import Connection
from services.publish.render.cells import Known
from services.publish.render.places import Items, Village, item_at
from services.publish.render.rows import Edition
from services.publish.render.sentences import MONEY_ITEM
from services.publish.render.spending import SpendingPage, spending_page
from services.publish.store import cells, publications

#: 年度预算与决算.
BUDGET_ITEM: Final = "F03"


async def load_spending(
    conn: Connection, items: Items, village: Village, year: str, today: date
) -> SpendingPage | None:
    """The page of a year; None when no month of it is open line by line."""
    known = (await cells.select_cell_facts(conn, [village.code], items=[MONEY_ITEM, BUDGET_ITEM]))[village.code].known
    wanted = {k.disclosure_id: k for k in known if k.is_live and k.period[:4] == year and _is_meant(items, k)}
    found = await publications.select_publications(conn, list(wanted))
    editions = await publications.select_editions(conn, [(i, p.edition) for i, p in found.items() if p.is_live])
    return await asyncio.to_thread(_page, (village, year, today), wanted, list(editions.values()))


def _is_meant(items: Items, known: Known) -> bool:
    """Months of which every line is open, and the year's budget."""
    if known.item == BUDGET_ITEM:
        return period_frequency(known.period) is Frequency.YEARLY
    revision = item_at(items, known.item, known.period)
    is_open = revision is not None and revision.masking is not Masking.AGGREGATE
    return is_open and known.has_sums and period_frequency(known.period) is Frequency.MONTHLY


def _page(of: tuple[Village, str, date], known: dict[str, Known], editions: list[Edition]) -> SpendingPage | None:
    """Read the contents: work for a processor."""
    village, year, today = of
    ledgers: dict[int, Ledger] = {}
    budget: tuple[str, Table] | None = None
    for edition in editions:
        body = BODY.validate_json(edition.body)
        if isinstance(body, Ledger):
            ledgers[int(known[edition.disclosure_id].period[5:])] = body
        elif isinstance(body, Table):
            budget = (f"/d/{edition.disclosure_id}", body)
    return spending_page(village, year, ledgers, budget, today) if ledgers else None
