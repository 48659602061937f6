"""The page of one item of a village: a year of what is open with its figures, what is missing, what it waits for."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter

from services.contracts.catalogue import Masking
from services.contracts.duties import CellKey, Duty, GridCell
from services.contracts.values import Frequency, local_day, period_frequency
from services.publish.render.cells import CellFacts, Cells, Known, L, declared_nil, missing, waived
from services.publish.render.checks import sums_line
from services.publish.render.due import Make
from services.publish.render.lacking import MissingView, UnopenedView, missing_view, unopened
from services.publish.render.money import bar, year_before
from services.publish.render.places import Items, Village, affair_of, item_at, official_name, plain_name
from services.publish.render.rows import Publication
from services.publish.render.sentences import MONEY_ITEM
from services.publish.render.texts import names_anybody
from services.publish.render.village import (
    EntryView,
    entry,
    waiting_words,
)
from services.publish.render.words import affair_words, amount


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What the page of one item of a village is made from; `cells` may tell of its other items too.

    `publications`: those that `shown_of_item` names for the year that the page tells of (`year`; None: the newest).
    """

    item: str
    cells: CellFacts
    publications: Sequence[Publication]
    year: str | None = None


@dataclass(frozen=True, slots=True)
class MoneyRow:
    """A ledger's figures; how long their bars are, in hundredths of the year's biggest; and what the same month of last year spent."""

    income: str
    expense: str
    closing: str
    income_bar: int
    expense_bar: int
    last_year: str | None


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """One disclosure of the year: `money` of a ledger, `amount` of what is about a single sum."""

    entry: EntryView
    money: MoneyRow | None
    amount: str | None


@dataclass(frozen=True, slots=True)
class YearSums:
    """What the open months of a year come to."""

    months: int
    income: str
    expense: str


@dataclass(frozen=True, slots=True)
class YearLink:
    """A year of which something is open; `url` is None for the one that is read."""

    year: str
    url: str | None


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Everything on the page of one item of a village: a year of it, and what is not open."""

    village: Village
    code: str
    plain: str
    official: str
    affair: str
    year: str
    years: tuple[YearLink, ...]
    rows: tuple[PeriodRow, ...]
    sums: YearSums | None
    spending_url: str | None
    waits: str | None
    missing: tuple[MissingView, ...]
    waived: tuple[UnopenedView, ...]
    nil: tuple[UnopenedView, ...]
    of_persons: bool


def years_of(known: Iterable[L], item: str) -> list[str]:
    """The years of which a village has ever opened something of an item, newest first."""
    return sorted({p.period[:4] for p in known if p.item == item}, reverse=True)


def shown_of_item(known: Sequence[Known], item: str, year: str | None) -> list[str]:
    """Ids of what the page of a year (None: the newest) shows: that year, the one before beside it, and what it follows on."""
    told = year or next(iter(years_of(known, item)), None)
    if told is None:
        return []
    upto = sorted((p for p in known if p.item == item and p.period[:4] <= told), key=attrgetter("period"))
    first = bisect_left(upto, str(int(told) - 1), key=attrgetter("period"))
    # Where a year is missing between, the first month follows on an older one.
    nearest = {len(p.period): p for p in upto[:first] if p.has_sums}
    return [p.disclosure_id for p in (*nearest.values(), *upto[first:])]


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


def _rows(items: Items, newest_first: Sequence[Publication], year: str, make: Make) -> tuple[PeriodRow, ...]:
    """The disclosures of a year; what is of the year before stands beside."""
    of_year = [(p, before) for p, before in _with_before(newest_first) if p.period[:4] == year]
    biggest = max((max(p.income_fen or 0, p.expense_fen or 0) for p, _ in of_year), default=0)
    ledgers = {p.period: p for p in reversed(newest_first) if _has_figures(p)}
    return tuple(
        PeriodRow(
            entry=_entry(items, p, before, make(CellKey(p.item, p.period))),
            money=_money_row(p, ledgers.get(year_before(p.period)), biggest),
            amount=None if p.amount_fen is None else amount(p.amount_fen),
        )
        for p, before in of_year
    )


def _has_figures(p: Publication) -> bool:
    """Tell whether a ledger's figures may be told; of what was withdrawn none is left."""
    return p.is_live and p.sums is not None


def _money_row(p: Publication, last_year: Publication | None, biggest: int) -> MoneyRow | None:
    if not _has_figures(p):
        return None
    income, expense = p.income_fen or 0, p.expense_fen or 0
    return MoneyRow(
        income=amount(income),
        expense=amount(expense),
        closing=amount(p.closing_fen or 0),
        income_bar=bar(income, biggest),
        expense_bar=bar(expense, biggest),
        last_year=amount(last_year.expense_fen or 0) if last_year is not None else None,
    )


def _year_sums(newest_first: Sequence[Publication], year: str) -> YearSums | None:
    """The sums of a year's ledgers, one of each period; nothing where a quarter stands beside its own months."""
    # The newest of a period last, so that it stays.
    of_year = {p.period: p for p in reversed(newest_first) if _has_figures(p) and p.period[:4] == year}
    if {period_frequency(period) for period in of_year} != {Frequency.MONTHLY}:
        return None
    income = sum(p.income_fen or 0 for p in of_year.values())
    expense = sum(p.expense_fen or 0 for p in of_year.values())
    return YearSums(len(of_year), amount(income), amount(expense))


def item_page(
    village: Village,
    facts: ItemFacts,
    items: Items,
    owed: Iterable[CellKey],
    make: Make,
    now: datetime,
) -> ItemPage:
    """Put the page of one item together: a year of what is open, and of the newest year also what is not and why.

    `owed` are the item's cells that the village owes by now, `make` gives the duty of a cell.
    """
    # Of one item's cells alone: all of ten years would be worked out anew for each of 37 pages.
    item, cells = facts.item, Cells(facts.cells.of_item(facts.item))
    years = years_of(facts.cells.known, item)
    year = facts.year or next(iter(years), str(local_day(now).year))
    found = sorted(facts.publications, key=lambda p: (p.period, p.published_at), reverse=True)
    newest = next((p.period for p in found if p.period[:4] == year), local_day(now).isoformat())
    grid = cells.grid(cells.unopened(owed), make, now)
    unopened_for = waived(grid, facts.cells.waivers)
    page = ItemPage(
        village=village,
        code=item,
        plain=plain_name(items, item, newest),
        official=official_name(items, item, newest),
        affair=affair_words(affair_of(items, item, newest), community=village.is_community),
        year=year,
        years=_links(f"/v/{village.code}/{item}", years, year),
        rows=_rows(items, found, year, make),
        sums=_year_sums(found, year),
        spending_url=_spending_url(village, items, item, found, year),
        waits=None,
        missing=(),
        waived=(),
        nil=tuple(unopened(items, c, None) for c in declared_nil(grid, cells.opened) if c.duty.period[:4] == year),
        of_persons=names_anybody(w.reason for _, w in unopened_for),
    )
    if year not in years[1:]:
        page = replace(
            page,
            waits=_waits(items, item, cells, grid, make, now),
            missing=tuple(missing_view(items, m) for m in missing(grid)),
            waived=tuple(unopened(items, c, w.reason) for c, w in unopened_for),
        )
    return page


def _spending_url(
    village: Village, items: Items, item: str, newest_first: Sequence[Publication], year: str
) -> str | None:
    """Where a year of months that are open line by line is told by purpose."""
    is_told = item == MONEY_ITEM and _year_sums(newest_first, year) is not None
    revision = item_at(items, item, year)
    if not is_told or revision is None or revision.masking is Masking.AGGREGATE:
        return None
    return f"/v/{village.code}/{item}/{year}/spending"


def _links(path: str, years: Sequence[str], year: str) -> tuple[YearLink, ...]:
    """The years, the newest at the item's own address, the one that is read without one."""
    urls = [path, *(f"{path}/{y}" for y in years[1:])]
    return tuple(YearLink(y, None if y == year else url) for y, url in zip(years, urls, strict=False))


def _waits(items: Items, item: str, cells: Cells, grid: Sequence[GridCell], make: Make, now: datetime) -> str | None:
    """What comes next, where nothing is missing."""
    if missing(grid):
        return None
    return waiting_words(item, items[item].at(local_day(now)), make, now, cells.opened)
