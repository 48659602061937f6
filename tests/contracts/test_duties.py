"""Duties against dates worked out by hand from the State Council's calendars of 2024, 2025 and 2026.

2026: off 1–3 Jan (4 Jan, Sunday, worked) · 15–23 Feb (14 and 28 Feb, Saturdays, worked) · 4–6 Apr · 1–5 May (9 May worked)
· 19–21 Jun · 25–27 Sep (20 Sep worked) · 1–7 Oct (10 Oct worked). Nothing is known of 2027.
"""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.catalogue import CalendarYear, Item, ItemRevision, Profile, ProfileRevision, WorkCalendar
from services.contracts.division import DivisionKind
from services.contracts.duties import DutyDivision, duty, periods_due
from services.contracts.values import Frequency

OFF = {
    2024: "01-01 02-12 02-13 02-14 02-15 02-16 04-04 04-05 05-01 05-02 05-03",
    2025: "01-01 01-28 01-29 01-30 01-31 02-03 02-04 04-04 05-01 05-02 05-05 06-02 10-01 10-02 10-03 10-06 10-07 10-08",
    2026: "01-01 01-02 02-16 02-17 02-18 02-19 02-20 02-23 04-06 05-01 05-04 05-05 06-19 09-25 10-01 10-02 10-05 10-06 10-07",
}
WORKED = {
    2024: "02-04 02-18 04-07 04-28 05-11",
    2025: "01-26 02-08 04-27 09-28 10-11",
    2026: "01-04 02-14 02-28 05-09 09-20 10-10",
}


def days(year: int, text: str) -> tuple[date, ...]:
    return tuple(date.fromisoformat(f"{year}-{day}") for day in text.split())


CALENDAR = WorkCalendar(
    tuple(
        CalendarYear(year=y, days_off=days(y, OFF[y]), working_weekends=days(y, WORKED[y]), source="国办通知")
        for y in OFF
    ),
)


def revision(
    frequency: str, due: str, since: str = "2020-01-01", until: str | None = None, applies: str = "both"
) -> ItemRevision:
    return ItemRevision.model_validate(
        {
            "since": since,
            "until": until,
            "affair": "finance",
            "name": "财务收支明细（逐笔）",
            "plain_name": "这个月收了什么、花了什么",
            "kind": "ledger",
            "frequency": frequency,
            "due": due,
            "masking": "surname",
            "board": "surname",
            "confirmations": ["supervisors"],
            "secrecy": False,
            "applies": applies,
            "publisher": "村集体经济组织",
            "notice_days": 10,
            "keep_months": None,
            "province_item": None,
            "basis": "农村集体经济组织法第45条",
        },
    )


def item(frequency: str, due: str, applies: str = "both") -> Item:
    return Item(code="F01", revisions=(revision(frequency, due, applies=applies),))


def profile(overrides: dict[Frequency, str] | None = None, *, shift: bool = True, confirmed: bool = True) -> Profile:
    only = ProfileRevision(
        since=date(2020, 1, 1),
        due_by_frequency=overrides or {},
        shift_holidays=shift,
        confirmed_by_city=confirmed,
        source="通知",
    )
    return Profile(code="default", revisions=(only,))


def village(duties_from: str | None = "2020-01-01", kind: DivisionKind = DivisionKind.VILLAGE) -> DutyDivision:
    return DutyDivision("210881006206", kind, None if duties_from is None else date.fromisoformat(duties_from))


@pytest.mark.parametrize(
    ("frequency", "due", "period", "expected"),
    [
        # The 15th of the month after, through a whole year and both its ends.
        ("monthly", "month:15", "2024-12", "2025-01-15"),
        ("monthly", "month:15", "2025-01", "2025-02-17"),
        ("monthly", "month:15", "2025-12", "2026-01-15"),
        ("monthly", "month:15", "2026-01", "2026-02-24"),
        ("monthly", "month:15", "2026-02", "2026-03-16"),
        ("monthly", "month:15", "2026-03", "2026-04-15"),
        ("monthly", "month:15", "2026-04", "2026-05-15"),
        ("monthly", "month:15", "2026-05", "2026-06-15"),
        ("monthly", "month:15", "2026-06", "2026-07-15"),
        ("monthly", "month:15", "2026-07", "2026-08-17"),
        ("monthly", "month:15", "2026-08", "2026-09-15"),
        ("monthly", "month:15", "2026-09", "2026-10-15"),
        ("monthly", "month:15", "2026-10", "2026-11-16"),
        ("monthly", "month:15", "2026-11", "2026-12-15"),
        ("monthly", "month:15", "2026-12", "2027-01-15"),
        # Days off, and Saturdays and Sundays that are worked.
        ("monthly", "month:1", "2025-12", "2026-01-04"),
        ("monthly", "month:2", "2025-12", "2026-01-04"),
        ("monthly", "month:4", "2025-12", "2026-01-04"),
        ("monthly", "month:14", "2026-01", "2026-02-14"),
        ("monthly", "month:28", "2026-01", "2026-02-28"),
        ("monthly", "month:1", "2026-04", "2026-05-06"),
        ("monthly", "month:9", "2026-04", "2026-05-09"),
        ("monthly", "month:19", "2026-05", "2026-06-22"),
        ("monthly", "month:20", "2026-08", "2026-09-20"),
        ("monthly", "month:25", "2026-08", "2026-09-28"),
        ("monthly", "month:1", "2026-09", "2026-10-08"),
        ("monthly", "month:3", "2026-09", "2026-10-08"),
        ("monthly", "month:7", "2026-09", "2026-10-08"),
        ("monthly", "month:10", "2026-09", "2026-10-10"),
        ("monthly", "month:11", "2026-09", "2026-10-12"),
        ("monthly", "month:1", "2025-09", "2025-10-09"),
        ("monthly", "month:11", "2025-09", "2025-10-11"),
        # Days that the month lacks.
        ("monthly", "month:31", "2026-01", "2026-02-28"),
        ("monthly", "month:30", "2024-01", "2024-02-29"),
        ("monthly", "month:31", "2024-01", "2024-02-29"),
        ("monthly", "month:31", "2025-01", "2025-02-28"),
        ("monthly", "month:31", "2026-03", "2026-04-30"),
        ("monthly", "month:31", "2026-04", "2026-06-01"),
        # Beyond the calendar's data: weekends alone.
        ("monthly", "month:1", "2026-12", "2027-01-01"),
        ("monthly", "month:2", "2026-12", "2027-01-04"),
        ("quarterly", "quarter:15", "2025Q4", "2026-01-15"),
        ("quarterly", "quarter:15", "2026Q1", "2026-04-15"),
        ("quarterly", "quarter:15", "2026Q2", "2026-07-15"),
        ("quarterly", "quarter:15", "2026Q3", "2026-10-15"),
        ("quarterly", "quarter:15", "2026Q4", "2027-01-15"),
        ("quarterly", "quarter:6", "2026Q3", "2026-10-08"),
        ("quarterly", "quarter:4", "2026Q1", "2026-04-07"),
        ("half_year", "half:20", "2025H2", "2026-01-20"),
        ("half_year", "half:20", "2026H1", "2026-07-20"),
        ("half_year", "half:18", "2026H1", "2026-07-20"),
        ("half_year", "half:31", "2026H1", "2026-07-31"),
        ("half_year", "half:20", "2026H2", "2027-01-20"),
        ("yearly", "year:01-31", "2025", "2025-02-05"),
        ("yearly", "year:01-31", "2026", "2026-02-02"),
        ("yearly", "year:03-31", "2026", "2026-03-31"),
        ("yearly", "year:03-31", "2024", "2024-04-01"),
        ("yearly", "year:02-29", "2024", "2024-02-29"),
        ("yearly", "year:02-29", "2025", "2025-02-28"),
        ("yearly", "year:02-29", "2026", "2026-02-28"),
        ("yearly", "year:10-01", "2026", "2026-10-08"),
        ("yearly", "year:12-31", "2026", "2026-12-31"),
        ("yearly", "year+1:01-31", "2024", "2025-02-05"),
        ("yearly", "year+1:01-31", "2025", "2026-02-02"),
        ("yearly", "year+1:01-31", "2026", "2027-02-01"),
        ("yearly", "year+1:02-29", "2023", "2024-02-29"),
        ("yearly", "year+1:12-31", "2025", "2026-12-31"),
        ("on_event", "event:10d", "2026-10-03", "2026-10-13"),
        ("on_event", "event:10d", "2026-09-25", "2026-10-08"),
        ("on_event", "event:10d", "2026-12-25", "2027-01-04"),
        ("on_event", "event:10d", "2024-02-19", "2024-02-29"),
        ("on_event", "event:10d", "2026-02-05", "2026-02-24"),
        ("on_event", "event:1d", "2026-09-30", "2026-10-08"),
        ("on_event", "event:99d", "2026-01-01", "2026-04-10"),
        ("on_event", "event:10wd", "2026-09-18", "2026-10-09"),
        ("on_event", "event:10wd", "2026-02-10", "2026-03-02"),
        ("on_event", "event:10wd", "2026-11-02", "2026-11-16"),
        ("on_event", "event:3wd", "2026-10-01", "2026-10-10"),
        ("on_event", "event:5wd", "2026-12-30", "2027-01-06"),
    ],
)
def test_due_day(frequency: str, due: str, period: str, expected: str) -> None:
    owed = duty(item(frequency, due), village(), period, profile(), CALENDAR)
    assert owed.due.isoformat() == expected


@pytest.mark.parametrize(
    ("frequency", "due", "period", "expected"),
    [
        ("monthly", "month:1", "2025-12", "2026-01-01"),
        ("monthly", "month:15", "2026-01", "2026-02-15"),
        ("monthly", "month:31", "2026-04", "2026-05-31"),
        ("yearly", "year:10-01", "2026", "2026-10-01"),
        ("on_event", "event:10d", "2026-09-25", "2026-10-05"),
        ("on_event", "event:3wd", "2026-10-01", "2026-10-10"),
    ],
)
def test_due_day_stays_where_the_city_does_not_shift(frequency: str, due: str, period: str, expected: str) -> None:
    owed = duty(item(frequency, due), village(), period, profile(shift=False), CALENDAR)
    assert owed.due.isoformat() == expected


@pytest.mark.parametrize(
    ("period", "expected"),
    [("2026Q1", "2026-04-20"), ("2026Q2", "2026-07-20"), ("2026Q3", "2026-10-20"), ("2026Q4", "2027-01-20")],
)
def test_profile_goes_before_the_items_due(period: str, expected: str) -> None:
    choice = profile({Frequency.QUARTERLY: "quarter:20"})
    assert duty(item("quarterly", "quarter:15"), village(), period, choice, CALENDAR).due.isoformat() == expected


def test_profile_leaves_other_frequencies_alone() -> None:
    choice = profile({Frequency.QUARTERLY: "quarter:20"})
    assert duty(item("monthly", "month:15"), village(), "2026-08", choice, CALENDAR).due == date(2026, 9, 15)


def test_due_at_is_the_first_instant_after_the_due_day_in_shanghai() -> None:
    owed = duty(item("monthly", "month:15"), village(), "2026-10", profile(), CALENDAR)
    assert owed.due_at == datetime(2026, 11, 16, 16, 0, tzinfo=UTC)
    assert owed.due_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("frequency", "due", "period", "expected"),
    [
        ("monthly", "month:15", "2026-12", "2027-01-01"),
        ("quarterly", "quarter:15", "2026Q1", "2026-04-01"),
        ("yearly", "year+1:01-31", "2025", "2026-01-01"),
        ("yearly", "year:01-31", "2026", "2026-01-01"),
        ("on_event", "event:10d", "2026-10-03", "2026-10-03"),
    ],
)
def test_first_day_on_which_it_can_be_made(frequency: str, due: str, period: str, expected: str) -> None:
    assert duty(item(frequency, due), village(), period, profile(), CALENDAR).opens_on.isoformat() == expected


@pytest.mark.parametrize(
    ("duties_from", "period", "history"),
    [
        ("2026-01-05", "2025-12", False),
        ("2026-01-06", "2025-12", True),
        ("2026-02-14", "2026-01", False),
        ("2026-02-15", "2026-01", True),
        ("2026-09-01", "2026-07", True),
        ("2026-09-01", "2026-08", False),
        ("2027-01-05", "2026-12", False),
        ("2027-01-06", "2026-12", True),
        ("2028-02-29", "2026-10", True),
        (None, "2026-10", True),
        (None, "2020-01", True),
    ],
)
def test_history_is_due_before_ten_days_of_duties(duties_from: str | None, period: str, *, history: bool) -> None:
    assert duty(item("monthly", "month:15"), village(duties_from), period, profile(), CALENDAR).history is history


@pytest.mark.parametrize(
    ("kind", "applies", "expected"),
    [
        ("village", "both", True),
        ("village", "village", True),
        ("village", "community", False),
        ("community", "both", True),
        ("community", "village", False),
        ("community", "community", True),
        ("zone", "both", False),
        ("zone", "village", False),
        ("zone", "community", False),
        ("township", "both", False),
        ("city", "both", False),
    ],
)
def test_whom_an_item_concerns(kind: str, applies: str, *, expected: bool) -> None:
    division = village(kind=DivisionKind(kind))
    owed = duty(item("monthly", "month:15", applies), division, "2026-10", profile(), CALENDAR)
    assert owed.applies is expected


@pytest.mark.parametrize(("confirmed", "reference"), [(True, False), (False, True)])
def test_unconfirmed_profile_gives_a_reference(*, confirmed: bool, reference: bool) -> None:
    choice = profile(confirmed=confirmed)
    assert duty(item("monthly", "month:15"), village(), "2026-10", choice, CALENDAR).reference is reference


@pytest.mark.parametrize(
    ("frequency", "due", "period"),
    [
        ("monthly", "month:15", "2026Q3"),
        ("monthly", "month:15", "2026"),
        ("quarterly", "quarter:15", "2026-10"),
        ("half_year", "half:20", "2026Q2"),
        ("yearly", "year:03-31", "2026H1"),
        ("on_event", "event:10d", "2026-10"),
        ("monthly", "month:15", "2026-13"),
        ("monthly", "month:15", ""),
        ("on_event", "event:10d", "2026-02-30"),
        ("monthly", "month:15", "２０２６-10"),  # noqa: RUF001 - full-width digits are no period
    ],
)
def test_period_that_does_not_fit_is_refused(frequency: str, due: str, period: str) -> None:
    with pytest.raises(ValueError, match=r"公开期|这一天"):
        duty(item(frequency, due), village(), period, profile(), CALENDAR)


def test_item_and_profile_are_those_of_the_periods_last_day() -> None:
    revisions = (revision("monthly", "month:15", until="2026-10-31"), revision("monthly", "month:5", "2026-10-31"))
    changed = Item(code="F01", revisions=revisions)
    assert duty(changed, village(), "2026-09", profile(), CALENDAR).due == date(2026, 10, 15)
    assert duty(changed, village(), "2026-10", profile(), CALENDAR).due == date(2026, 11, 5)


def test_retired_item_is_no_duty_but_keeps_its_due() -> None:
    retired = Item(code="F01", revisions=(revision("monthly", "month:15", until="2026-10-15"),))
    assert duty(retired, village(), "2026-09", profile(), CALENDAR).applies
    assert not duty(retired, village(), "2026-10", profile(), CALENDAR).applies


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def periods(of: Item, duties_from: str | None, now: str, kind: DivisionKind = DivisionKind.VILLAGE) -> list[str]:
    return list(periods_due(of, village(duties_from, kind), profile(), CALENDAR, at(now)))


@pytest.mark.parametrize(
    ("frequency", "due", "duties_from", "now", "expected"),
    [
        ("monthly", "month:15", "2026-09-01", "2026-11-20T00:00:00Z", ["2026-08", "2026-09", "2026-10"]),
        ("monthly", "month:15", "2026-09-05", "2026-10-20T00:00:00Z", ["2026-08", "2026-09"]),
        ("monthly", "month:15", "2026-09-06", "2026-10-20T00:00:00Z", ["2026-09"]),
        ("monthly", "month:15", "2026-09-06", "2026-09-30T15:59:59Z", []),
        ("monthly", "month:15", "2026-09-06", "2026-09-30T16:00:00Z", ["2026-09"]),
        ("monthly", "month:15", "2025-12-20", "2026-02-01T00:00:00Z", ["2025-12", "2026-01"]),
        ("monthly", "month:15", "2027-01-01", "2026-11-20T00:00:00Z", []),
        ("monthly", "month:15", None, "2026-11-20T00:00:00Z", []),
        ("quarterly", "quarter:15", "2026-01-01", "2026-11-20T00:00:00Z", ["2025Q4", "2026Q1", "2026Q2", "2026Q3"]),
        ("half_year", "half:20", "2026-01-11", "2026-11-20T00:00:00Z", ["2026H1"]),
        ("half_year", "half:20", "2026-01-10", "2026-11-20T00:00:00Z", ["2025H2", "2026H1"]),
        ("yearly", "year+1:01-31", "2026-01-01", "2026-02-10T00:00:00Z", ["2025"]),
        ("yearly", "year+1:12-31", "2026-12-21", "2027-02-10T00:00:00Z", ["2025", "2026"]),
        ("yearly", "year:01-31", "2026-01-01", "2025-12-31T15:59:59Z", []),
        ("yearly", "year:01-31", "2026-01-01", "2025-12-31T16:00:00Z", ["2026"]),
        ("yearly", "year:03-31", "2025-03-22", "2026-01-01T00:00:00Z", ["2026"]),
        ("on_event", "event:10d", "2026-01-01", "2026-11-20T00:00:00Z", []),
    ],
)
def test_periods_due(frequency: str, due: str, duties_from: str | None, now: str, expected: list[str]) -> None:
    assert periods(item(frequency, due), duties_from, now) == expected


def test_changed_frequency_gives_the_periods_of_both_oldest_first() -> None:
    revisions = (revision("monthly", "month:15", until="2026-07-01"), revision("quarterly", "quarter:15", "2026-07-01"))
    changed = Item(code="F01", revisions=revisions)
    assert periods(changed, "2026-05-01", "2026-11-20T00:00:00Z") == ["2026-04", "2026-05", "2026-06", "2026Q3"]


def test_zone_owes_nothing() -> None:
    assert periods(item("monthly", "month:15"), "2020-01-01", "2026-11-20T00:00:00Z", DivisionKind.ZONE) == []


def test_periods_due_reaches_back_to_the_first_year_of_the_grammar() -> None:
    assert periods(item("yearly", "year+1:01-31"), "1990-01-01", "2002-06-01T00:00:00Z") == ["2000", "2001"]


@given(
    st.dates(date(2021, 1, 1), date(2026, 6, 30)),
    st.datetimes(datetime(2021, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - zone below
)
def test_periods_due_are_in_order_without_gap(start: date, now: datetime) -> None:
    found = list(periods_due(item("monthly", "month:15"), village(start.isoformat()), profile(), CALENDAR, now))
    months = [int(p[:4]) * 12 + int(p[5:]) for p in found]
    assert all(later - earlier == 1 for earlier, later in pairwise(months))
