"""The newest month of money as a village's page begins with it: what is left, what moved, what it went for, whether it adds up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from services.contracts.bodies import Direction, Ledger, Line
from services.contracts.catalogue import Masking
from services.contracts.checks import Check
from services.contracts.duties import CellKey
from services.contracts.values import Frequency, period_frequency, period_words, previous_period
from services.publish.render.checks import ChecksView, checks_of, checks_view, month_before, neighbour
from services.publish.render.due import Make
from services.publish.render.ledger import LineView, biggest, line_view
from services.publish.render.masking import masked_lines, public_said
from services.publish.render.places import Items, item_at
from services.publish.render.purposes import purposes
from services.publish.render.rows import Publication, Said
from services.publish.render.sentences import Sentence, five_sentences
from services.publish.render.texts import public_text
from services.publish.render.words import about, amount

_BIGGEST: Final = 3
_WHOLE: Final = 100


@dataclass(frozen=True, slots=True)
class MonthFacts:
    """A month's ledger, what was said of it, and the ledgers that stand beside it."""

    month: Publication
    ledger: Ledger
    said: Said
    publications: Sequence[Publication]


@dataclass(frozen=True, slots=True)
class Flow:
    """What came in or went out, and how long its bar is, in hundredths of the bigger of the two."""

    before: str
    amount: str
    official: str
    bar: int


@dataclass(frozen=True, slots=True)
class ShareView:
    """What some of the spending went for; `official`: the account title beside."""

    name: str
    official: str | None
    amount: str
    count: int
    percent: str
    bar: int


@dataclass(frozen=True, slots=True)
class MoneyView:
    """The newest month of money. `left` is what the month ends with, `than` how it compares with months that are open."""

    period: str
    until: str
    left: str
    left_about: str | None
    income: Flow
    expense: Flow
    than: tuple[str, ...]
    sentences: tuple[Sentence, ...]
    shares: tuple[ShareView, ...]
    spent: tuple[LineView, ...]
    received: tuple[LineView, ...]
    line_count: int
    nil: bool
    url: str
    history_url: str
    checks: ChecksView | None
    of_persons: bool


def year_before(period: str) -> str:
    """The same period of the year before, as `2025-10` of `2026-10`."""
    return f"{int(period[:4]) - 1}{period[4:]}"


def month_of_money(items: Items, facts: MonthFacts, make: Make) -> tuple[MoneyView, tuple[Check, ...]]:
    """The newest month of money, and its checks with the reasons as everybody may read them."""
    month, ledger = facts.month, facts.ledger
    revision = item_at(items, month.item, month.period)
    masking = revision.masking if revision is not None else Masking.SURNAME
    before = neighbour(month_before(facts.publications, month))
    checks = checks_of(ledger, month.period, public_said(facts.said, ledger, masking).accepted, before)
    shown = _biggest(ledger, masking)
    # Masking reads every text: where names are hidden anyway, once is enough.
    told = shown if masking is Masking.SURNAME else _biggest(ledger, Masking.SURNAME)
    opening, income, expense, left, year = five_sentences(month, facts.publications)
    most = max(month.income_fen or 0, month.expense_fen or 0)
    view = MoneyView(
        period=period_words(month.period),
        until=_until(month.period),
        left=left[0].amount,
        left_about=left[0].about,
        income=_flow("收进来", income, month.income_fen or 0, most),
        expense=_flow("花出去", expense, month.expense_fen or 0, most),
        than=_than(facts, make),
        sentences=(opening, year),
        shares=_shares(ledger) if masking is not Masking.AGGREGATE else (),
        spent=shown[Direction.OUT],
        received=shown[Direction.IN],
        line_count=len(ledger.lines) if masking is not Masking.AGGREGATE else 0,
        nil=month.nil,
        url=f"/d/{month.disclosure_id}",
        history_url=f"/v/{month.village_code}/{month.item}",
        checks=checks_view(checks, month.period, ledger.sums, before),
        # A line that masking would change names somebody.
        of_persons=told != {d: _views(biggest(ledger, d, _BIGGEST)) for d in Direction},
    )
    return view, checks


def _flow(word: str, sentence: Sentence, fen: int, most: int) -> Flow:
    figure = sentence[0]
    return Flow(word, figure.amount, figure.official, bar(fen, most))


def bar(fen: int, most: int) -> int:
    """Hundredths of the most; what is more than nothing is seen."""
    return max(1, fen * _WHOLE // most) if fen > 0 and most > 0 else 0


def _than(facts: MonthFacts, make: Make) -> tuple[str, ...]:
    """The month's spending beside that of the month before and of the same month of last year, as far as they are open."""
    month = facts.month
    open_months = {p.period: p for p in reversed(facts.publications) if p.is_live and p.item == month.item}
    earlier, last_year = previous_period(month.period), year_before(month.period)
    told = []
    if earlier in open_months:
        told.append(_compared(month, open_months[earlier], "上个月"))
    elif earlier is not None and (duty := make(CellKey(month.item, earlier))) is not None and not duty.history:
        told.append("上个月的账没有公开，没法比。")
    if last_year in open_months:
        told.append(_compared(month, open_months[last_year], _last_year_words(last_year)))
    return tuple(told)


def _until(period: str) -> str:
    is_month = period_frequency(period) is Frequency.MONTHLY
    return f"到{f'{int(period[5:])}月' if is_month else period_words(period)}底，村里还剩"


def _last_year_words(period: str) -> str:
    return f"去年{int(period[5:])}月" if period_frequency(period) is Frequency.MONTHLY else "去年同期"


def _compared(month: Publication, other: Publication, called: str) -> str:
    more = (month.expense_fen or 0) - (other.expense_fen or 0)
    if not more:
        return f"花出去的和{called}一样多。"
    return f"比{called}{'多' if more > 0 else '少'}花{amount(abs(more))}。"


def _shares(ledger: Ledger) -> tuple[ShareView, ...]:
    found = purposes(ledger.lines)
    most = max((p.fen for p in found), default=0)
    return tuple(
        ShareView(
            name=p.name,
            official=public_text(p.official) if p.official else None,
            amount=about(p.fen) or amount(p.fen),
            count=p.count,
            percent=f"{p.percent}%" if p.percent or not p.fen else "不到1%",
            bar=bar(p.fen, most),
        )
        for p in found
    )


def _biggest(ledger: Ledger, masking: Masking) -> dict[Direction, tuple[LineView, ...]]:
    """The biggest lines of each direction as everybody may read them; the others are not looked at."""
    found = {d: biggest(ledger, d, _BIGGEST) for d in Direction}
    masked = iter(masked_lines(ledger, masking, [line for of in found.values() for _, line in of]))
    return {d: _views(zip((n for n, _ in of), masked, strict=False)) for d, of in found.items()}


def _views(numbered: Iterable[tuple[int, Line]]) -> tuple[LineView, ...]:
    return tuple(line_view(n, line) for n, line in numbered)
