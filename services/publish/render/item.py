"""The page of one item of a village: every period that is open, what is missing, what it waits for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.contracts.duties import CellKey, Duty
from services.contracts.values import Frequency, local_day, period_frequency
from services.publish.render.cells import CellFacts, Cells, declared_nil, missing, waived
from services.publish.render.checks import sums_line
from services.publish.render.due import Make
from services.publish.render.lacking import MissingView, UnopenedView, missing_view, unopened
from services.publish.render.places import Items, Village, affair_of, official_name, plain_name
from services.publish.render.rows import Publication
from services.publish.render.texts import names_anybody
from services.publish.render.village import (
    EntryView,
    entry,
    waiting_words,
)
from services.publish.render.words import affair_words


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What the page of one item of a village is made from; `cells` may tell of its other items too."""

    item: str
    cells: CellFacts
    publications: Sequence[Publication]


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


def _entry(items: Items, p: Publication, before: Publication | None, duty: Duty | None) -> EntryView:
    """An entry that tells of a ledger whether its sums agree, with those of the one `before` as well."""
    view, sums = entry(items, p, duty), sums_line(p, before)
    return view if sums is None else replace(view, sums=sums[1], sums_agree=sums[0])


def _with_before(newest_first: Sequence[Publication]) -> list[tuple[Publication, Publication | None]]:
    """Each with the ledger of the nearest earlier period that is open, as `month_before` finds it."""
    found: list[tuple[Publication, Publication | None]] = []
    earlier: dict[Frequency, list[Publication]] = {}
    for p in reversed(newest_first):
        of_shape = earlier.setdefault(period_frequency(p.period), [])
        found.append((p, next((e for e in reversed(of_shape) if e.period < p.period), None)))
        if p.sums is not None:
            of_shape.append(p)
    return found[::-1]


def item_page(
    village: Village,
    facts: ItemFacts,
    items: Items,
    owed: Iterable[CellKey],
    make: Make,
    now: datetime,
) -> ItemPage:
    """Put the page of one item together: all periods that are open, and those that are not and why.

    `owed` are the item's cells that the village owes by now, `make` gives the duty of a cell.
    """
    item, cells = facts.item, Cells(facts.cells)
    grid = cells.grid((k for k in cells.unopened(owed) if k.item == item), make, now)
    found = sorted(facts.publications, key=lambda p: (p.period, p.published_at), reverse=True)
    newest = found[0].period if found else local_day(now).isoformat()
    unopened_for = waived(grid, facts.cells.waivers)
    return ItemPage(
        village=village,
        plain=plain_name(items, item, newest),
        official=official_name(items, item, newest),
        affair=affair_words(affair_of(items, item, newest), community=village.is_community),
        entries=tuple(_entry(items, p, before, make(CellKey(p.item, p.period))) for p, before in _with_before(found)),
        waits=None if missing(grid) else waiting_words(item, items[item].at(local_day(now)), make, now, cells.opened),
        missing=tuple(missing_view(items, m) for m in missing(grid)),
        waived=tuple(unopened(items, c, w.reason) for c, w in unopened_for),
        nil=tuple(unopened(items, c, None) for c in declared_nil(grid, cells.opened)),
        of_persons=names_anybody(w.reason for _, w in unopened_for),
    )
