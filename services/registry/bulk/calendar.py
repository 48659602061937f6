"""A year of working days, from the State Council's announcements as `chinese_calendar` has them.

The announcement for a year comes late in the year before; until the package has it, the year is refused and callers
fall back to weekends, with a word to the operator.
"""

from datetime import date, timedelta

import chinese_calendar

from services.contracts.catalogue import CalendarYear


class CalendarYearUnknownError(ValueError):
    """No announcement is known for this year."""


def calendar_year(year: int) -> CalendarYear:
    """Make the calendar of one year; CalendarYearUnknownError when the package's data does not reach it."""
    try:
        first = date(year, 1, 1)
        days = {first + timedelta(days=n) for n in range((date(year, 12, 31) - first).days + 1)}
        worked = {day for day in days if chinese_calendar.is_workday(day)}
    # date() answers ValueError for a year that is none, the package NotImplementedError for one it does not know.
    except (NotImplementedError, ValueError) as error:
        message = f"还没有 {year} 年的放假安排：请在国务院办公厅公布后更新 chinesecalendar，或手工录入这一年的日历。"
        raise CalendarYearUnknownError(message) from error
    weekdays = {day for day in days if day.isoweekday() <= 5}  # noqa: PLR2004 - Friday
    return CalendarYear(
        year=year,
        days_off=tuple(sorted(weekdays - worked)),
        working_weekends=tuple(sorted(worked - weekdays)),
        source=f"国务院办公厅 {year} 年节假日安排（chinesecalendar）",
    )
