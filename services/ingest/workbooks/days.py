"""Days, months and periods in every form in which books write them; what can mean two things is told as two; pure."""

import calendar
import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

from services.contracts.values import Frequency, period_of
from services.ingest.bulk.cells import CellError, plain
from services.ingest.workbooks.workbook import Value, text_of

_FULL: Final = re.compile(
    r"((?:19|20)\d\d)\s*[-/.年\s]\s*(\d{1,2})\s*[-/.月\s]\s*(\d{1,2})日?(?:[ T]\d{1,2}:\d\d(:\d\d)?(\.\d+)?)?", re.ASCII
)
_DIGITS: Final = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)", re.ASCII)
_TWO_DIGITS: Final = re.compile(r"(\d\d)[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.ASCII)
_SHORT: Final = re.compile(r"(\d{1,2})[-/.月](\d{1,2})日?", re.ASCII)
#: Days as spreadsheets count them, 2000 to 2099.
_FIRST_SERIAL, _LAST_SERIAL = 36526, 73050
_EPOCH: Final = date(1899, 12, 30)

_MONTH: Final = re.compile(r"((?:19|20)\d\d)\s*(?:[-/]|年\s*度?)\s*第?\s*(\d{1,2})\s*(?:月份?|期)?", re.ASCII)
_MONTH_DIGITS: Final = re.compile(r"((?:19|20)\d\d)(0[1-9]|1[0-2])", re.ASCII)
_MONTH_POINT: Final = re.compile(r"((?:19|20)\d\d)\.(\d{1,2})", re.ASCII)
_ENGLISH: Final = re.compile(r"([A-Z][a-z]{2})[-\s](\d\d|20\d\d)", re.ASCII)
_BARE_MONTH: Final = re.compile(r"(\d{1,2})\s*月份?", re.ASCII)
NO_YEAR: Final = "日期没有年份，请先选是哪一年"
_NAMES: Final = {name: n for n, name in enumerate(calendar.month_abbr) if name}
_CHINESE: Final = str.maketrans("〇零○一二三四五六七八九", "000123456789")
_TENS: Final = (("十二", "12"), ("十一", "11"), ("十", "10"))

_QUARTER: Final = re.compile(r"(20\d\d)\s*年?度?\s*第?\s*([1-4一二三四])\s*季度?|(20\d\d)Q([1-4])")
_HALF: Final = re.compile(r"(20\d\d)\s*年?\s*([上下])半年|(20\d\d)H([12])")
_YEAR: Final = re.compile(r"(20\d\d)\s*年度?")


def day_of(value: Value, period: str) -> date:
    """A cell as a day; one without a year takes the year of the period. CellError tells what to write."""
    if isinstance(value, date):
        return value
    if isinstance(value, int | float) and _FIRST_SERIAL <= value <= _LAST_SERIAL:
        return _EPOCH + timedelta(days=int(value))
    text = plain(text_of(value))
    if found := _FULL.fullmatch(text) or _DIGITS.fullmatch(text):
        return _day(int(found[1]), int(found[2]), int(found[3]), text)
    if found := _TWO_DIGITS.fullmatch(text):
        return _day(2000 + int(found[1]), int(found[2]), int(found[3]), text)
    if found := _SHORT.fullmatch(text):
        return month_day(found[1], found[2], period)
    message = "日期应写作 2026-10-03，或 10月3日"
    raise CellError(message)


def month_day(month: str, day: str, period: str) -> date:
    """Month and day of two cells, in the year of the period; CellError tells what to write."""
    texts = [re.sub(r"\.0+$", "", plain(t)).rstrip("月日") for t in (month, day)]
    if not period:
        message = NO_YEAR
        raise CellError(message)
    if not all(t.isdecimal() and len(t) < 3 for t in texts):  # noqa: PLR2004 - digits
        message = "日期应写作 2026-10-03，或 10月3日"
        raise CellError(message)
    return _day(int(period[:4]), int(texts[0]), int(texts[1]), f"{texts[0]}月{texts[1]}日")


def _day(year: int, month: int, day: int, text: str) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        message = f"没有 {text} 这一天，请核对"
        raise CellError(message) from error


def last_day_of(month: str) -> date:
    """The last day of a month."""
    year, number = int(month[:4]), int(month[5:7])
    return date(year, number, calendar.monthrange(year, number)[1])


def months_of(value: Value, year: int | None = None) -> tuple[str, ...]:
    """The months that a cell may mean: none, one, or two for `2026.1`, which is January, or October without its zero."""
    if isinstance(value, date):
        return (f"{value.year}-{value.month:02}",)
    text = plain(text_of(value)).replace(" ", "") if not isinstance(value, str) else plain(value)
    text = _arabic(text)
    if found := _MONTH_POINT.fullmatch(text):
        return _months(int(found[1]), [int(found[2])] + ([10] if found[2] == "1" else []))
    for form in (_MONTH, _MONTH_DIGITS):
        if found := form.fullmatch(text):
            return _months(int(found[1]), [int(found[2])])
    if (found := _ENGLISH.fullmatch(text)) and found[1] in _NAMES:
        return _months(int(found[2][-2:]) + 2000, [_NAMES[found[1]]])
    if (found := _BARE_MONTH.fullmatch(text)) and year is not None:
        return _months(year, [int(found[1])])
    return ()


def _months(year: int, numbers: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"{year}-{n:02}" for n in numbers if 1 <= n <= 12)  # noqa: PLR2004 - months


def _arabic(text: str) -> str:
    for word, digits in _TENS:
        text = re.sub(rf"(?<![一二三四五六七八九]){word}(?=月|期)", digits, text)
    return text.translate(_CHINESE)


def period_in(text: str, frequency: Frequency) -> str | None:
    """The period that a title names: `2026年10月财务收支明细` -> `2026-10`; None when it names none, or two."""
    text = re.sub(r"\s", "", _arabic(plain(text)))
    found = {
        Frequency.MONTHLY: _months_in,
        Frequency.QUARTERLY: _quarters_in,
        Frequency.HALF_YEAR: _halves_in,
        Frequency.YEARLY: _years_in,
    }.get(frequency, _no_periods)(text)
    return found.pop() if len(found) == 1 else None


def _months_in(text: str) -> set[str]:
    named = re.findall(r"(20\d\d)年度?(1[0-2]|0?[1-9])月|(20\d\d)[-./](1[0-2]|0?[1-9])(?![\d.])", text)
    return {f"{a or c}-{int(b or d):02}" for a, b, c, d in named}


def _quarters_in(text: str) -> set[str]:
    return {f"{y or z}Q{_arabic(n or m)}" for y, n, z, m in _QUARTER.findall(text)}


def _halves_in(text: str) -> set[str]:
    return {f"{y or z}H{m or ('1' if n == '上' else '2')}" for y, n, z, m in _HALF.findall(text)}


def _years_in(text: str) -> set[str]:
    return set(_YEAR.findall(text))


def year_in(text: str) -> str:
    """The one year that a title names; nothing when it names none, or several."""
    found = set(re.findall(r"(20\d\d)\s*年", _arabic(plain(text))))
    return found.pop() if len(found) == 1 else ""


def _no_periods(_text: str) -> set[str]:
    return set()


def periods_of(days: Iterable[date], frequency: Frequency) -> list[str]:
    """The periods in which some days lie, in order."""
    return sorted({period_of(day, frequency) for day in days})
