"""A village's page in English: the same figures and states, for those who read no Chinese; names of items stay as the law calls them."""

from calendar import month_name
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.contracts.duties import CellKey
from services.contracts.values import Frequency, local_day, period_frequency, yuan
from services.publish.render.due import Make, timing
from services.publish.render.places import Items, plain_name
from services.publish.render.rows import Publication
from services.publish.render.sentences import newest_month, year_so_far
from services.publish.render.standing import Standing


@dataclass(frozen=True, slots=True)
class EnglishMonth:
    """The newest month of money; amounts as `¥1,234.00`."""

    period: str
    opening: str
    income: str
    expense: str
    closing: str
    year: str
    months: int
    year_income: str
    year_expense: str
    url: str


@dataclass(frozen=True, slots=True)
class EnglishEntry:
    """What is open of an item; its name as the page in Chinese has it."""

    name: str
    period: str
    state: str
    url: str


def in_english(period: str) -> str:
    """A period as `October 2026`, `third quarter of 2026`, `first half of 2026`, `2026`, `9 October 2026`."""
    year = period[:4]
    match period_frequency(period):
        case Frequency.MONTHLY:
            return f"{month_name[int(period[5:])]} {year}"
        case Frequency.QUARTERLY:
            return f"{('first', 'second', 'third', 'fourth')[int(period[-1]) - 1]} quarter of {year}"
        case Frequency.HALF_YEAR:
            return f"{('first', 'second')[int(period[-1]) - 1]} half of {year}"
        case Frequency.YEARLY:
            return year
        case _:
            return day_in_english(date.fromisoformat(period))


def day_in_english(at: date | datetime) -> str:
    """`9 October 2026`; of a moment the day in Shanghai."""
    day = local_day(at) if isinstance(at, datetime) else at
    return f"{day.day} {month_name[day.month]} {day.year}"


def _money(fen: int | None) -> str:
    return f"¥{yuan(fen or 0)}"


def english_month(publications: Sequence[Publication]) -> EnglishMonth | None:
    """The newest month of money; None where none is open."""
    month = newest_month(publications)
    if month is None:
        return None
    months, income, expense = year_so_far(month, publications)
    return EnglishMonth(
        period=in_english(month.period),
        opening=_money(month.opening_fen),
        income=_money(month.income_fen),
        expense=_money(month.expense_fen),
        closing=_money(month.closing_fen),
        year=month.period[:4],
        months=months,
        year_income=_money(income),
        year_expense=_money(expense),
        url=f"/d/{month.disclosure_id}",
    )


def english_entries(items: Items, newest: Sequence[Publication], make: Make) -> list[EnglishEntry]:
    """The newest of each item, by code."""
    return [
        EnglishEntry(
            plain_name(items, p.item, p.period), in_english(p.period), _state(p, make), f"/d/{p.disclosure_id}"
        )
        for p in sorted(newest, key=lambda p: p.item)
    ]


def _state(p: Publication, make: Make) -> str:
    if p.withdrawn_at is not None:
        return f"withdrawn on {day_in_english(p.withdrawn_at)}"
    late = timing(p, make(CellKey(p.item, p.period))).late_days
    told = [
        f"published on {day_in_english(p.first_published_at)}",
        f"{late} days late" if late else "",
        "of the time before this site" if p.history else "",
        f"corrected, edition {p.number}" if p.corrected else "",
        "nothing of the kind happened" if p.nil else "",
    ]
    return ", ".join(part for part in told if part)


def lacking_in_english(standing: Standing) -> str:
    """How much is past due and not published."""
    if not standing.missing:
        return "Nothing is past due."
    things = "1 item is" if standing.missing == 1 else f"{standing.missing} items are"
    return f"{things} past due and not published, the oldest by {standing.late_days} days."
