"""What somebody typed into the search box, as it is looked for: words, amounts in fen, periods.

`惠民五金店今年收了多少` -> the word 惠民五金店 and the year; `2310-2400元` -> from 231000 to 240000 fen. What is nothing of that is a word.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, TypeVar

from services.contracts.values import FEN_LIMIT, Frequency, period_bounds, period_of

T = TypeVar("T")
_ANY_YEAR: Final = "____"
_FIRST_YEAR, _LAST_YEAR = 2000, 2099
_QUARTERS: Final = {"一": 1, "二": 2, "三": 3, "四": 4, "1": 1, "2": 2, "3": 3, "4": 4}
_MONTHS_OF_YEAR: Final = 12
#: How people ask, where the question is no word of any summary.
_ASKED: Final = re.compile(
    "(?:一共|总共|共)?(?:收|付|花|用|给|拿|领|挣|赚)了?(?:多少钱?|几笔)|多少钱|收款(?:情况|记录)|付款(?:情况|记录)|[?？]"
)
_MONTH: Final = r"(?P<month>1[0-2]|0?[1-9])月份?(?:(?P<day>3[01]|[12][0-9]|0?[1-9])[日号])?"
_QUARTER: Final = r"第?(?P<quarter>[一二三四1-4])季度"
_HALF: Final = r"(?P<half>[上下])半年"
_PERIOD: Final = re.compile(
    rf"(?<![0-9.,])(?:(?:(?P<year>20[0-9]{{2}})年度?|(?P<told>今年|去年|前年))(?:{_MONTH}|{_QUARTER}|{_HALF})?"
    rf"|(?P<this>这个月|本月)|(?P<last>上个?月(?!份))"
    rf"|(?P<written>20[0-9]{{2}}-(?:0[1-9]|1[0-2])(?:-[0-3][0-9])?|20[0-9]{{2}}[qh][1-4])(?![0-9])"
    rf"|{_MONTH.replace('month', 'any_month').replace('day', 'any_day')}|{_QUARTER.replace('quarter', 'any_quarter')})"
)
_YEARS_AGO: Final = {"今年": 0, "去年": 1, "前年": 2}
_NUMBER: Final = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,13})(?:\.[0-9]{1,6})?"
_AMOUNT: Final = re.compile(
    rf"(?<![0-9a-z.,])(?P<one>{_NUMBER})(?P<unit>万|亿)?(?P<yuan>元|块钱?)?"
    rf"(?:[-~\u2014\u2013至到](?P<two>{_NUMBER})(?P<unit_two>万|亿)?(?P<yuan_two>元|块钱?)?)?(?![0-9a-z.,])"
)
_FEN_OF: Final = {None: 100, "万": 1_000_000, "亿": 10_000_000_000}
_YEAR: Final = re.compile("20[0-9]{2}")
#: So many digits and no sign: a village's code, an invoice's number of the old form (one of the new form has 20).
_NUMBERS_OF_PAPERS: Final = frozenset({8, 12})


@dataclass(frozen=True, slots=True)
class Span:
    """A period that is asked for: patterns of the names of periods within it, its first and last day."""

    patterns: tuple[str, ...]
    first: date
    last: date
    of_any_year: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for. `rest` is what was typed without amounts and periods; villages stand in it."""

    rest: str
    amounts: tuple[tuple[int, int], ...]
    spans: tuple[Span, ...]


def read_query(text: str, today: date) -> Query:
    """Read a search; never fails: what is not understood is a word."""
    left = unicodedata.normalize("NFKC", text).lower()
    left = _ASKED.sub(" ", left)
    spans: list[Span] = []
    left = _PERIOD.sub(lambda m: _taken(spans, _span(m, today), m), left)
    words: list[str] = []
    amounts: list[tuple[int, int]] = []
    for word in left.split():
        if _YEAR.fullmatch(word):
            spans.append(_of_year(int(word)))
        else:
            words.append(_AMOUNT.sub(lambda m, word=word: _taken(amounts, _amount(m, word), m), word))  # type: ignore[misc] # bound now
    return Query(" ".join(" ".join(words).split()), tuple(amounts), tuple(spans))


def _taken(found: list[T], value: T | None, match: re.Match[str]) -> str:
    """A piece that was understood is taken out of the text."""
    if value is None:
        return match[0]
    found.append(value)
    return " "


def _amount(match: re.Match[str], word: str) -> tuple[int, int] | None:
    """An amount or a range in fen; None for a number that may count anything: it has no unit and stands in a word."""
    if not _is_money(match, word):
        return None
    # 2-3万元: the unit of the second is that of both.
    unit = match["unit"] or (match["unit_two"] if not match["yuan"] else None)
    ends = [
        _fen(match["one"], unit),
        _fen(match["two"], match["unit_two"]) if match["two"] else _fen(match["one"], unit),
    ]
    known = sorted(fen for fen in ends if fen is not None)
    return (known[0], known[1]) if len(known) == len(ends) else None


def _is_money(match: re.Match[str], word: str) -> bool:
    if any(match[name] for name in ("unit", "yuan", "unit_two", "yuan_two")):
        return True
    return match[0] == word and not (len(word) in _NUMBERS_OF_PAPERS and word.isdigit())


def _fen(number: str, unit: str | None) -> int | None:
    """Fen exactly; None for what is no whole number of them, or more than there can be."""
    fen = Decimal(number.replace(",", "")) * _FEN_OF[unit]
    return int(fen) if fen == int(fen) and fen <= FEN_LIMIT else None


def _span(match: re.Match[str], today: date) -> Span | None:
    try:
        if match["this"] or match["last"]:
            first = today.replace(day=1)
            return _of(period_of(first - timedelta(days=1) if match["last"] else first, Frequency.MONTHLY))
        if match["written"]:
            return _of(match["written"].upper())
        if match["year"] or match["told"]:
            return _of_told(match, int(match["year"] or today.year - _YEARS_AGO[match["told"]]))
    except ValueError:
        # 2026-02-31 is no day.
        return None
    return _of_any_year(match)


def _of_told(match: re.Match[str], year: int) -> Span:
    if match["month"]:
        period = f"{year}-{int(match['month']):02}"
        return _of(f"{period}-{int(match['day']):02}" if match["day"] else period)
    if match["quarter"]:
        return _of(f"{year}Q{_QUARTERS[match['quarter']]}")
    if match["half"]:
        return _of(f"{year}H{1 if match['half'] == '上' else 2}")
    return _of_year(year)


def _of(period: str) -> Span:
    """A period, its months and days."""
    first, last = period_bounds(period)
    months = [f"{first.year}-{month:02}%" for month in range(first.month, last.month + 1)]
    return Span((f"{period}%", *months) if period[4:5] in {"Q", "H"} else (f"{period}%",), first, last)


def _of_year(year: int) -> Span:
    return Span((f"{year}%",), date(year, 1, 1), date(year, _MONTHS_OF_YEAR, 31))


def _of_any_year(match: re.Match[str]) -> Span:
    """A month or a quarter of whatever year."""
    if match["any_month"]:
        day = f"-{int(match['any_day']):02}" if match["any_day"] else "%"
        patterns: tuple[str, ...] = (f"{_ANY_YEAR}-{int(match['any_month']):02}{day}",)
    else:
        quarter = _QUARTERS[match["any_quarter"]]
        months = range(quarter * 3 - 2, quarter * 3 + 1)
        patterns = (f"{_ANY_YEAR}Q{quarter}", *(f"{_ANY_YEAR}-{month:02}%" for month in months))
    return Span(patterns, date(_FIRST_YEAR, 1, 1), date(_LAST_YEAR, _MONTHS_OF_YEAR, 31), of_any_year=True)
