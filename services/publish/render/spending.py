"""A year's spending by purpose and month, and beside the budget where both are written under the same account title.

Sums are exact and come to what the months' ledgers spent. A month that is not open is told and counts nowhere; what cannot
be compared is told with its reason and never matched by likeness.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.contracts.bodies import ColumnType, Direction, Ledger, Line, Table
from services.contracts.bodies.columns import bare_name
from services.contracts.bodies.rows import RowKind
from services.contracts.values import yuan
from services.publish.render.export import Row
from services.publish.render.money import bar
from services.publish.render.passages import runs_of
from services.publish.render.places import Village
from services.publish.render.purposes import OTHER, PURPOSES, purpose_of
from services.publish.render.texts import public_text
from services.publish.render.words import amount

_MONTHS: Final = 12
_HALF: Final = 6
_TITLES_SHOWN: Final = 3
_WAYS: Final = {"收入": Direction.IN, "支出": Direction.OUT}
#: Of another year, or what was spent in the end.
_NOT_BUDGET: Final = ("决算", "上年", "去年", "执行", "完成", "增减")
_NONE: Final = ""


@dataclass(frozen=True, slots=True)
class PurposeYear:
    """What one purpose took in a year; `months`: an amount for each month that is open, empty where nothing was spent."""

    name: str
    official: str
    months: tuple[str, ...]
    total: str
    count: int
    bar: int


@dataclass(frozen=True, slots=True)
class HalfView:
    """The open months of half a year: their names, a row for each purpose, the sums of the months."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    sums: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """An account title with what was meant and what came of it; `bar`s in hundredths of the greatest."""

    title: str
    way: str
    planned: str
    actual: str
    planned_bar: int
    actual_bar: int


@dataclass(frozen=True, slots=True)
class BudgetView:
    """The year's budget beside the open months: what can be compared, and sentences on what cannot."""

    url: str
    rows: tuple[BudgetRow, ...]
    uncompared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpendingPage:
    """A village's year of spending."""

    village: Village
    year: str
    url: str
    purposes: tuple[PurposeYear, ...]
    halves: tuple[HalfView, ...]
    total: str
    count: int
    months: int
    missing: str
    budget: BudgetView | None
    no_budget: str | None
    table: tuple[Row, ...]


Spent = dict[str, dict[int, list[Line]]]


def spending_page(
    village: Village, year: str, ledgers: Mapping[int, Ledger], budget: tuple[str, Table] | None, today: date
) -> SpendingPage:
    """Put the page together from the ledgers of the months that are open, by month, and the year's budget with its address.

    Of the other months those are told that are over today.
    """
    spent = _by_purpose(ledgers)
    months = sorted(ledgers)
    fens = {name: _fen(by) for name, by in spent.items()}
    # The most first; what no word tells of stands last.
    ordered = sorted(spent, key=lambda n: (n == OTHER, -fens[n], n))
    most, total = max(fens.values(), default=0), sum(fens.values())
    rows = tuple(_purpose(name, spent[name], months, fens[name], most) for name in ordered)
    view, why = _budget(ledgers, budget) if budget is not None else (None, "这一年的预算还没有公开。")
    return SpendingPage(
        village=village,
        year=year,
        url=f"/v/{village.code}/F01/{year}/spending",
        purposes=rows,
        halves=tuple(_halves(rows, months, ledgers)),
        total=amount(total),
        count=sum(row.count for row in rows),
        months=len(months),
        missing="、".join(f"{m}月" for m in _over(year, today) if m not in ledgers),
        budget=view,
        no_budget=why,
        table=tuple(_table(rows, months, ledgers)),
    )


def _over(year: str, today: date) -> range:
    """The months of a year that are over."""
    if int(year) != today.year:
        return range(1, _MONTHS + 1 if int(year) < today.year else 1)
    return range(1, today.month)


def _by_purpose(ledgers: Mapping[int, Ledger]) -> Spent:
    """The lines of spending by purpose and month."""
    found: Spent = {name: {} for name in (*(name for name, _ in PURPOSES), OTHER)}
    for month, ledger in ledgers.items():
        for line in _going(ledger, Direction.OUT):
            found[purpose_of(line.summary)].setdefault(month, []).append(line)
    return {name: by for name, by in found.items() if by}


def _fen(by: Mapping[int, Sequence[Line]]) -> int:
    return sum(line.amount_fen for lines in by.values() for line in lines)


def _going(ledger: Ledger, direction: Direction) -> Iterable[Line]:
    return (line for line in ledger.lines if line.direction is direction)


def _purpose(name: str, by: Mapping[int, Sequence[Line]], months: Sequence[int], fen: int, most: int) -> PurposeYear:
    lines = [line for of in by.values() for line in of]
    titles: Counter[str] = Counter()
    for line in lines:
        titles[line.category or "没有写科目"] += line.amount_fen
    named = [public_text(title) for title, _ in titles.most_common()]
    return PurposeYear(
        name=name,
        official="、".join(named[:_TITLES_SHOWN]) + ("等" if len(named) > _TITLES_SHOWN else ""),
        months=tuple(yuan(sum(x.amount_fen for x in by[m])) if m in by else _NONE for m in months),
        total=yuan(fen),
        count=len(lines),
        bar=bar(fen, most),
    )


def _halves(rows: Sequence[PurposeYear], months: Sequence[int], ledgers: Mapping[int, Ledger]) -> Iterable[HalfView]:
    for title, first in (("上半年", 1), ("下半年", _HALF + 1)):
        places = [n for n, month in enumerate(months) if first <= month < first + _HALF]
        if places:
            cells = [(row.name, tuple(row.months[n] for n in places)) for row in rows]
            yield HalfView(
                title=title,
                heads=tuple(f"{months[n]}月" for n in places),
                rows=tuple(filter(_is_told, cells)),
                sums=tuple(yuan(ledgers[months[n]].expense_fen) for n in places),
            )


def _is_told(row: tuple[str, tuple[str, ...]]) -> bool:
    return any(row[1])


def _table(rows: Sequence[PurposeYear], months: Sequence[int], ledgers: Mapping[int, Ledger]) -> Iterable[Row]:
    """The same for spreadsheets: purposes by months, with sums."""
    yield ("用途", "科目", *(f"{m}月（元）" for m in months), "合计（元）", "几笔")
    for row in rows:
        figures = (*row.months, row.total)
        yield (row.name, row.official, *(_plain(f or "0.00") for f in figures), str(row.count))
    sums = [ledgers[m].expense_fen for m in months]
    yield ("合计", "", *(_plain(yuan(fen)) for fen in (*sums, sum(sums))), str(sum(row.count for row in rows)))


def _plain(figure: str) -> str:
    return figure.replace(",", "")


# -- the budget ---------------------------------------------------------------------------------------------------

Title = tuple[Direction, str]


def _budget(ledgers: Mapping[int, Ledger], budget: tuple[str, Table]) -> tuple[BudgetView | None, str | None]:
    """Budget and ledgers by account title, equal to the letter; a sentence where the table tells no budget."""
    url, table = budget
    column = _budget_column(table)
    if column is None:
        return None, "公开的预算表里没有单独一列写本年预算，没法和实际比。"
    planned, unclear = _planned(table, column)
    actual = _actual(ledgers)
    both = [title for title in planned if title in actual]
    most = max((max(planned[t], actual[t]) for t in both), default=0)
    rows = tuple(_budget_row(t, planned[t], actual[t], most) for t in both)
    return BudgetView(url, rows, (*unclear, *_alone(planned, actual))), None


def _alone(planned: Mapping[Title, int], actual: Mapping[Title, int]) -> Iterable[str]:
    """Account titles that stand on one side only."""
    for title in (t for t in planned if t not in actual):
        yield f"预算里的“{_told(title)}”{amount(planned[title])}：账里没有写这个科目的，没法比。"
    for title in (t for t in actual if t not in planned):
        yield f"账里“{_told(title)}”{amount(actual[title])}：预算里没有写这个科目。"


def _told(title: Title) -> str:
    return public_text(title[1])


def _budget_row(title: Title, planned: int, actual: int, most: int) -> BudgetRow:
    way = next(word for word, direction in _WAYS.items() if direction is title[0])
    return BudgetRow(_told(title), way, amount(planned), amount(actual), bar(planned, most), bar(actual, most))


def _budget_column(table: Table) -> int | None:
    """The one column of amounts that tells the year's budget; None where there is none, or more than one may be meant."""
    named = [
        n
        for n, c in enumerate(table.columns)
        if c.type is ColumnType.AMOUNT and "预算" in bare_name(c.name) and not any(w in c.name for w in _NOT_BUDGET)
    ]
    return named[0] if len(named) == 1 else None


def _planned(table: Table, column: int) -> tuple[dict[Title, int], list[str]]:
    """What each account title was given, in fen, and sentences on rows that do not tell a title and a direction."""
    found: Counter[Title] = Counter()
    unclear: list[str] = []
    texts = [n for n, c in enumerate(table.columns) if c.type is ColumnType.TEXT]
    for row, read in zip(table.rows, table.read(), strict=True):
        fen = row[column]
        if read.kind is not RowKind.DATA or not isinstance(fen, int):
            continue
        cells = [str(row[n]).strip() for n in texts if row[n]]
        title = _title_of(cells, read.group)
        if title is not None:
            found[title] += fen
        else:
            named = public_text("，".join(cells)) or "没有名称的一行"
            unclear.append(f"预算里的“{named}”：看不出是哪个科目的收入还是支出，没法比。")
    return found, unclear


def _title_of(cells: Sequence[str], group: str) -> Title | None:
    """The account title of a row and whether it is income or spending; None where not exactly one of each is written."""
    ways = {_WAYS[cell] for cell in (*cells, group) if cell in _WAYS}
    titles = [cell for cell in cells if cell not in _WAYS]
    return (ways.pop(), _title(titles[0])) if len(ways) == 1 and len(titles) == 1 else None


def _actual(ledgers: Mapping[int, Ledger]) -> dict[Title, int]:
    """What came of each account title in the open months, in fen."""
    found: dict[Title, int] = {}
    for ledger in ledgers.values():
        for line in ledger.lines:
            if line.direction is not Direction.TRANSFER:
                title = (line.direction, _title(line.category or "没有写科目"))
                found[title] = found.get(title, 0) + line.amount_fen
    return found


def _title(text: str) -> str:
    return "".join(runs_of(text))
