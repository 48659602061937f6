"""The last day on which opening is in time, and how it came about; pure arithmetic of rule, period and calendar."""

import calendar as month_lengths
from datetime import date
from typing import Final, NamedTuple

from services.contracts.catalogue import DueRule, Item, ItemRevision, ProfileRevision, WorkCalendar, parse_due
from services.contracts.division import DivisionKind
from services.contracts.values import Frequency, period_frequency

_DECEMBER: Final = 12


class DueDay(NamedTuple):
    """A due day with its derivation, so that anybody can compute it again.

    `named` is the day that the rule names, before it moved over days off. `weekends_only`: no announced calendar reaches
    these days, so that only Saturdays and Sundays were taken for days off (暂按周末计算).
    """

    named: date
    due: date
    weekends_only: bool


def _clamped(year: int, month: int, day: int) -> date:
    """Make a date; a day that the month lacks becomes the month's last day."""
    return date(year, month, min(day, month_lengths.monthrange(year, month)[1]))


def _named_day(rule: DueRule, last: date, work_calendar: WorkCalendar) -> date:
    """Find the day that a rule names for the period ending on `last`, before any shift over days off."""
    match rule.base:
        case "event" if rule.working:
            return work_calendar.add_working(last, rule.days)
        case "event":
            return last.fromordinal(last.toordinal() + rule.days)
        case "year" | "year+1":
            return _clamped(last.year + (rule.base == "year+1"), rule.month, rule.day)
        case _:
            year, month = (last.year + 1, 1) if last.month == _DECEMBER else (last.year, last.month + 1)
            return _clamped(year, month, rule.day)


def due_day(rule: DueRule, last: date, work_calendar: WorkCalendar, *, shift: bool) -> DueDay:
    """Work out the due day for the period ending on `last`; `shift` moves it from a day off to the next working day."""
    named = _named_day(rule, last, work_calendar)
    due = work_calendar.next_working(named) if shift else named
    asked = shift or rule.working
    return DueDay(named, due, asked and not (work_calendar.covers(named) and work_calendar.covers(due)))


def opens_on(rule: DueRule, first: date, last: date) -> date:
    """The first day on which the disclosure can be made."""
    return first if rule.base in {"year", "event"} else date.fromordinal(last.toordinal() + 1)


def applies_on(item: Item, revision: ItemRevision, kind: DivisionKind, day: date) -> bool:
    """Tell whether an item concerns a kind of division on a day; cities, townships and zones have no duties."""
    if kind not in {DivisionKind.VILLAGE, DivisionKind.COMMUNITY} or item.retired(day):
        return False
    return revision.applies in {"both", kind.value}


def is_declared(item: ItemRevision, period: str) -> bool:
    """Tell whether a period is a quarter of an on-event item: the cell of the quarterly yes/no page."""
    return item.frequency is Frequency.ON_EVENT and period_frequency(period) is Frequency.QUARTERLY


def rule_of(item: ItemRevision, profile: ProfileRevision, period: str) -> DueRule:
    """The rule that holds for a period: the quarterly page's, the profile's for the frequency, or the item's own."""
    if is_declared(item, period):
        return parse_due(profile.declaration_due)
    return parse_due(profile.due_by_frequency.get(item.frequency, item.due))
