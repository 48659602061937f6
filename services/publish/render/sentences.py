"""The five sentences: last balance, came in, went out, is left, the year so far."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from services.publish.render.cells import L
from services.publish.render.rows import Publication
from services.publish.render.words import about, amount

#: The ledger that every village opens every month; the sentences are told from it.
MONEY_ITEM: Final = "F01"


@dataclass(frozen=True, slots=True)
class Figure:
    """Plain words before an amount; `official` is what the account books call it."""

    before: str
    amount: str
    about: str | None
    official: str


#: One sentence tells one figure, the last one two.
Sentence = tuple[Figure, ...]


def _figure(before: str, fen: int, official: str) -> Figure:
    return Figure(before, amount(fen), about(fen), official)


def year_so_far(month: Publication, all_months: Iterable[Publication]) -> tuple[int, int, int]:
    """How many months of the same year are open up to a month, and what came in and went out in them."""
    counted: dict[str, Publication] = {}
    for p in all_months:
        if p.item == month.item and p.withdrawn_at is None and month.period[:4] == p.period[:4] <= month.period[:4]:
            counted.setdefault(p.period, p)
    upto = [p for p in counted.values() if p.period <= month.period]
    return len(upto), sum(p.income_fen or 0 for p in upto), sum(p.expense_fen or 0 for p in upto)


def five_sentences(month: Publication, all_months: Iterable[Publication]) -> tuple[Sentence, ...]:
    """What a month's ledger says, in the order in which people ask."""
    months, income, expense = year_so_far(month, all_months)
    return (
        (_figure("上个月底，村里还有", month.opening_fen or 0, "上期结余"),),
        (_figure("这个月收进来", month.income_fen or 0, "本期收入"),),
        (_figure("这个月花出去", month.expense_fen or 0, "本期支出"),),
        (_figure("到月底，村里还剩", month.closing_fen or 0, "本期结余"),),
        (
            _figure(f"{month.period[:4]}年已公开的{months}个月，一共收进来", income, "本年累计收入"),
            _figure("一共花出去", expense, "本年累计支出"),
        ),
    )


def newest_month(publications: Iterable[L]) -> L | None:
    """The newest month of money that is open."""
    open_months = [p for p in publications if p.item == MONEY_ITEM and p.is_live]
    return max(open_months, key=lambda p: (p.period, p.published_at), default=None)
