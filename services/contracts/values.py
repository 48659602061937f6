"""Small values with one meaning everywhere: money, codes, periods, digests.

In come strings and integers from outside, out go checked values. Nothing here may round, guess or localise.
"""

import calendar
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, StringConstraints

from services.contracts.days import SHANGHAI

#: Local time of the pages and of every deadline. Inside, times are UTC.

#: The largest integer that every JSON reader keeps exact (RFC 8259 section 6, I-JSON RFC 7493).
FEN_LIMIT: Final = 2**53 - 1


#: C0 without tab and line ends, DEL, C1; marks and overrides of the direction of writing (Unicode 17, bidirectional
#: algorithm), with which a text shows otherwise than it is stored; what has no width or no ink, with which one word is
#: stored as two: soft hyphen, joiners, fillers of Hangul, separators of lines, byte order mark, tags.
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u2069\u2800\u3164\ufeff\uffa0\U000e0000-\U000e007f]"
)
_LINE_ENDS: Final = re.compile("[\t\n\r]")
#: Of JSON, those that can stand for such a sign (RFC 8259 section 7): any character, backspace, form feed.
_ESCAPES: Final = re.compile(rb"\\[ubf]")


def hidden_sign(text: str, *, lines: bool) -> str | None:
    """The first sign of a text handed in that nobody sees, as `U+202E`; None when there is none.

    Tabs and line ends pass where several `lines` are meant. For what comes in: what was stored before stays readable.
    """
    found = _HIDDEN.search(text) or (None if lines else _LINE_ENDS.search(text))
    return f"U+{ord(found[0]):04X}" if found else None


def may_hide(text: bytes) -> bool:
    """Tell whether a text of a JSON document can hold a sign that nobody sees, as it is or escaped; cheaper than to look at each."""
    try:
        return _HIDDEN.search(text.decode()) is not None or _ESCAPES.search(text) is not None
    except UnicodeDecodeError:
        return True


def hidden_words(sign: str) -> str:
    """What whoever handed such a sign in is told: nobody can find and delete what nobody sees."""
    return f"含有看不见的控制字符（{sign}），请把这一格清空，重新打一遍，不要粘贴"


def without_hidden(text: str) -> str:
    """A text as people see it: for comparing what was stored before such signs were refused."""
    return _HIDDEN.sub("", text)


def texts_in(value: object) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Every text in a JSON value with its place, names of members too, however deep it is."""
    left: list[tuple[tuple[int | str, ...], object]] = [((), value)]
    while left:
        at, each = left.pop()
        match each:
            case str():
                yield at, each
            case dict():
                for name, inner in each.items():
                    # A name may itself hold what nobody sees.
                    place = (*at, name if hidden_sign(name, lines=False) is None else ascii(name).strip("'"))
                    yield place, name
                    left.append((place, inner))
            case list():
                left += [((*at, n), inner) for n, inner in enumerate(each)]


def _refuse_nul(value: str) -> str:
    if "\x00" in value:
        message = "不能含有空字符（NUL）"
        raise ValueError(message)
    return value


#: Text without NUL, which PostgreSQL cannot hold; surrounding white space is dropped.
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), AfterValidator(_refuse_nul)
]
ShortText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_refuse_nul)
]

#: An amount of money in fen (1 yuan = 100 fen), |value| < 2^53.
Fen = Annotated[int, Field(strict=True, ge=-FEN_LIMIT, le=FEN_LIMIT)]

#: Statistical division code: 6 digits a county or city, 9 a township, 12 a village (国家统计局统计用区划代码).
DivisionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}([0-9]{3}([0-9]{3})?)?$")]
VillageCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]

#: SHA-256 as 64 lower-case hex digits.
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Frequency(StrEnum):
    """How often an item is due; the shape of its periods follows from it."""

    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    HALF_YEAR = "half_year"
    YEARLY = "yearly"
    ON_EVENT = "on_event"


_PERIOD_SHAPES: Final = {
    Frequency.MONTHLY: re.compile(r"(?P<year>20\d\d)-(?P<n>0[1-9]|1[0-2])", re.ASCII),
    Frequency.QUARTERLY: re.compile(r"(?P<year>20\d\d)Q(?P<n>[1-4])", re.ASCII),
    Frequency.HALF_YEAR: re.compile(r"(?P<year>20\d\d)H(?P<n>[12])", re.ASCII),
    Frequency.YEARLY: re.compile(r"(?P<year>20\d\d)", re.ASCII),
    Frequency.ON_EVENT: re.compile(r"20\d\d-\d\d-\d\d", re.ASCII),
}
_MONTHS: Final = {Frequency.MONTHLY: 1, Frequency.QUARTERLY: 3, Frequency.HALF_YEAR: 6, Frequency.YEARLY: 12}


@lru_cache(maxsize=4096)
def period_frequency(period: str) -> Frequency:
    """Tell which frequency a period belongs to; ValueError when it is none of the five shapes."""
    for frequency, shape in _PERIOD_SHAPES.items():
        if shape.fullmatch(period):
            if frequency is Frequency.ON_EVENT:
                _require_day(period)
            return frequency
    message = "公开期应为 2026-10、2026Q3、2026H1、2026 或事项日期 2026-10-03"
    raise ValueError(message)


def _require_day(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        message = f"没有 {text} 这一天，请核对"
        raise ValueError(message) from error


@lru_cache(maxsize=4096)
def quarters_within(period: str) -> list[str]:
    """The quarters that a period touches, in order: one of a day, a month or a quarter, four of a year; ValueError when it is malformed."""
    first, last = period_bounds(period)
    found = [period_of(first, Frequency.QUARTERLY)]
    while (ends := period_bounds(found[-1])[1]) < last:
        found.append(period_of(ends + timedelta(days=1), Frequency.QUARTERLY))
    return found


@lru_cache(maxsize=8192)
def period_bounds(period: str) -> tuple[date, date]:
    """First and last day of a period, both inclusive; ValueError when the period is malformed."""
    frequency = period_frequency(period)
    if frequency is Frequency.ON_EVENT:
        day = date.fromisoformat(period)
        return day, day
    match = _PERIOD_SHAPES[frequency].fullmatch(period)
    assert match is not None  # noqa: S101 - period_frequency has just matched this shape
    year, months = int(match["year"]), _MONTHS[frequency]
    number = int(match["n"]) if frequency is not Frequency.YEARLY else 1
    last_month = number * months
    return (
        date(year, last_month - months + 1, 1),
        date(year, last_month, calendar.monthrange(year, last_month)[1]),
    )


def period_of(day: date, frequency: Frequency) -> str:
    """Name the period of a frequency that holds a day."""
    match frequency:
        case Frequency.MONTHLY:
            return f"{day.year}-{day.month:02}"
        case Frequency.QUARTERLY:
            return f"{day.year}Q{(day.month + 2) // 3}"
        case Frequency.HALF_YEAR:
            return f"{day.year}H{1 if day.month <= 6 else 2}"  # noqa: PLR2004 - June ends the first half
        case Frequency.YEARLY:
            return str(day.year)
        case Frequency.ON_EVENT:
            return day.isoformat()


def previous_period(period: str) -> str | None:
    """Name the period just before, of the same frequency; None for on-event items, which form no chain."""
    frequency = period_frequency(period)
    if frequency is Frequency.ON_EVENT:
        return None
    return period_of(period_bounds(period)[0] - timedelta(days=1), frequency)


_QUARTERS: Final = "一二三四"


@lru_cache(maxsize=8192)
def period_words(period: str) -> str:
    """`2026-10` -> `2026年10月`; quarters, halves, years and days alike."""
    if match := re.fullmatch(r"(\d{4})-(\d\d)(?:-(\d\d))?", period, re.ASCII):
        year, month, day = match.groups()
        return f"{year}年{int(month)}月" + (f"{int(day)}日" if day else "")
    if match := re.fullmatch(r"(\d{4})([QH])(\d)", period, re.ASCII):
        year, span, number = match.groups()
        part = f"第{_QUARTERS[int(number) - 1]}季度" if span == "Q" else ("上半年" if number == "1" else "下半年")
        return f"{year}年{part}"
    return f"{period}年"


def _checked_period(value: str) -> str:
    period_frequency(value)
    return value


#: `2026-10`, `2026Q3`, `2026H1`, `2026`, or the event's date for on-event items.
Period = Annotated[str, StringConstraints(min_length=4, max_length=10), AfterValidator(_checked_period)]


def local_day(moment: datetime) -> date:
    """The day in Asia/Shanghai that an aware moment falls on."""
    return moment.astimezone(SHANGHAI).date()


def start_of_day(day: date) -> datetime:
    """The first instant of a local day, in UTC."""
    return datetime.combine(day, time.min, SHANGHAI).astimezone(UTC)


def yuan(fen: int) -> str:
    """Fen as yuan with two decimals and thousands separators: 123456 -> `1,234.56`."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02}"


def canonical_json(value: Any) -> bytes:
    """Canonical JSON (RFC 8785) of texts, booleans, null and integers below 2^53, under ASCII keys.

    For these the standard library writes the same bytes, twenty times faster; the tests hold it against rfc8785.
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
