"""The page of one item of a village: every period that is open, what is missing, what it waits for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.contracts.duties import CellKey, Duty, GridCell
from services.contracts.values import local_day
from services.publish.render.cells import CellFacts, declared_nil, live_by_cell, missing, waived
from services.publish.render.checks import month_before, sums_line
from services.publish.render.due import Make
from services.publish.render.places import Items, Village, affair_of, official_name, plain_name
from services.publish.render.rows import Publication
from services.publish.render.texts import names_anybody
from services.publish.render.village import (
    EntryView,
    MissingView,
    UnopenedView,
    entry,
    missing_view,
    unopened,
    waiting_words,
)
from services.publish.render.words import affair_words


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Everything on the page of one item of a village."""

    village: Village
    plain: str
    official: str
    affair: str
    entries: tuple[EntryView, ...]
    waits: str | None
    missing: tuple[MissingView, ...]
    waived: tuple[UnopenedView, ...]
    nil: tuple[UnopenedView, ...]
    of_persons: bool


def _entry(items: Items, found: Sequence[Publication], p: Publication, duty: Duty | None) -> EntryView:
    """An entry that tells of a ledger whether its sums agree."""
    view, sums = entry(items, p, duty), sums_line(p, month_before(found, p))
    return view if sums is None else replace(view, sums=sums[1], sums_agree=sums[0])


def item_page(
    village: Village,
    facts: CellFacts,
    items: Items,
    cells: Sequence[GridCell],
    item: str,
    *,
    make: Make,
    now: datetime,
) -> ItemPage:
    """Put the page of one item together: all periods that are open, and those that are not and why."""
    cells = [c for c in cells if c.key.item == item]
    duties = {c.key: c.duty for c in cells}
    found = sorted(
        (p for p in facts.publications if p.item == item), key=lambda p: (p.period, p.published_at), reverse=True
    )
    newest = found[0].period if found else local_day(now).isoformat()
    unopened_for = waived(cells, facts.waivers)
    return ItemPage(
        village=village,
        plain=plain_name(items, item, newest),
        official=official_name(items, item, newest),
        affair=affair_words(affair_of(items, item, newest), community=village.is_community),
        entries=tuple(_entry(items, found, p, duties.get(CellKey(p.item, p.period))) for p in found),
        waits=None
        if missing(cells)
        else waiting_words(item, items[item].at(local_day(now)), make, now, live_by_cell(found)),
        missing=tuple(missing_view(items, m) for m in missing(cells)),
        waived=tuple(unopened(items, c, w.reason) for c, w in unopened_for),
        nil=tuple(unopened(items, c, None) for c in declared_nil(cells, live_by_cell(found))),
        of_persons=names_anybody(w.reason for _, w in unopened_for),
    )
