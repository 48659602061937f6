"""A year of working days as an operator enters it: days and spans as the announcement writes them, or a CSV; pure.

`2月5日至13日、10月1日至7日` or one day a line. Weekends inside a span need not be left out: nobody works on them anyway.
"""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from services.contracts.catalogue import CalendarYear
from services.registry.bulk.rows import Fault, FileFaultsError, fault, note_twins, read_rows, refuse_faulty

COLUMNS: Final = ("date", "kind")
_OFF: Final = frozenset({"off", "放假"})
_WORK: Final = frozenset({"work", "上班"})
_SATURDAY: Final = 6
#: A holiday's span; more is a slip, such as a month left out.
_LONGEST_SPAN: Final = timedelta(days=15)
_PARTS: Final = re.compile(r"[\s、，,；;]+")
_DAY: Final = r"(?:(?P<{0}year>\d{{4}})[-年./])?(?:(?P<{0}month>\d{{1,2}})[-月./])?(?P<{0}day>\d{{1,2}})日?(?:[（(]周?[一二三四五六日][）)])?"
_SPAN: Final = re.compile(rf"{_DAY.format('a')}(?:[至到~\uff5e\u2014\u2013]{_DAY.format('b')})?", re.ASCII)


def checked_year(year: int, days_off: Iterable[date], worked: Iterable[date], source: str) -> CalendarYear:
    """Make a calendar of one year; FileFaultsError names each day that cannot be."""
    off, work = sorted(set(days_off)), sorted(set(worked))
    faults = [_refused("days_off", d, f"不在 {year} 年内") for d in off if d.year != year]
    faults += [_refused("working_weekends", d, f"不在 {year} 年内") for d in work if d.year != year]
    faults += [
        _refused("working_weekends", d, "不是周六、周日，本来就上班，请删去")
        for d in work
        if d.isoweekday() < _SATURDAY
    ]
    faults += [_refused("working_weekends", d, "既写了放假又写了上班，请改一处") for d in work if d in set(off)]
    weekdays = tuple(d for d in off if d.isoweekday() < _SATURDAY)
    if not weekdays:
        faults.append(Fault(1, "days_off", "没有写放假的日子：一年里总有法定节假日，请按国务院办公厅的通知填写。"))
    if faults:
        raise FileFaultsError(faults)
    return CalendarYear(year=year, days_off=weekdays, working_weekends=tuple(work), source=source)


def _refused(field: str, day: date, problem: str) -> Fault:
    return Fault(1, field, f"{day.month}月{day.day}日{problem}。")


def read_days(text: str, year: int, field: str) -> list[date]:
    """Read days and spans of one text field; FileFaultsError names every part that is none."""
    found: list[date] = []
    faults: list[Fault] = []
    for part in filter(None, _PARTS.split(text.strip())):
        try:
            found += _span(part, year)
        except ValueError as error:
            faults.append(Fault(1, field, f"“{part[:40]}”不对：{error}。"))
    if faults:
        raise FileFaultsError(faults)
    return found


def _span(part: str, year: int) -> list[date]:
    match = _SPAN.fullmatch(part)
    if match is None or match["amonth"] is None:
        message = f"请写成 2月5日、2月5日至13日 或 {year}-02-05"
        raise ValueError(message)
    first = _date(match["ayear"], match["amonth"], match["aday"], year)
    if match["bday"] is None:
        return [first]
    last = _date(match["byear"] or match["ayear"], match["bmonth"] or match["amonth"], match["bday"], year)
    if not first <= last <= first + _LONGEST_SPAN:
        message = "起止不对，一段假期从前一天到后一天，最多半个月"
        raise ValueError(message)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _date(year: str | None, month: str, day: str, default: int) -> date:
    try:
        return date(int(year or default), int(month), int(day))
    except ValueError:
        message = "没有这一天"
        raise ValueError(message) from None


def read_calendar(data: str | bytes, year: int, source: str) -> CalendarYear:
    """Read a CSV with the columns `date` (2027-02-05) and `kind` (off or work, 放假 or 上班)."""
    rows = read_rows(data, COLUMNS)
    off: list[date] = []
    work: list[date] = []
    for row in rows:
        day = row.matching("date", re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII), "2027-02-05 这样的日期")
        kind = row.text("kind")
        if kind is not None and kind not in _OFF | _WORK:
            row.refuse("kind", f"“{kind}”不对，应为 off（放假）或 work（上班）")
        if day is None or kind is None:
            continue
        try:
            (off if kind in _OFF else work).append(date.fromisoformat(day))
        except ValueError:
            row.refuse("date", f"没有 {day} 这一天")
    note_twins(rows, "date")
    refuse_faulty(rows)
    lines = {row.cells["date"]: row.line for row in rows}
    try:
        return checked_year(year, off, work, source)
    except FileFaultsError as error:
        faults = [fault(_line_of(f, lines), f.column, f.message.rstrip("。")) for f in error.faults]
        raise FileFaultsError(faults) from error


def _line_of(found: Fault, lines: dict[str, int]) -> int:
    """The line that a fault of the whole year speaks of: the one whose day it names."""
    for text, line in lines.items():
        _, month, day = text.split("-")
        if found.message.startswith(f"{int(month)}月{int(day)}日"):
            return line
    return found.line
