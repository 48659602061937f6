"""What holds of every calendar, item, profile, record and moment: working days, periods, duties, cells."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.contracts.catalogue import CalendarYear, Item, Profile, WorkCalendar
from services.contracts.division import DivisionKind
from services.contracts.duties import (
    CellKey,
    CellRecord,
    CellState,
    Duty,
    DutyDivision,
    Holder,
    cell_state,
    cells,
    declared_records,
    duties_of,
    duty,
    late_by,
    lateness,
    periods_due,
)
from services.contracts.values import (
    Frequency,
    local_day,
    period_bounds,
    period_frequency,
    period_of,
    previous_period,
    quarters_within,
    start_of_day,
)
from tests.contracts.catalogue import CALENDAR, VILLAGE, item, profile, revision

DAY = timedelta(days=1)
PERIODIC = ("monthly", "quarterly", "half_year", "yearly")

days = st.dates(date(2023, 1, 1), date(2028, 12, 31))
moments = st.datetimes(datetime(2023, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - zone is given beside
month_days = st.dates(date(2024, 1, 1), date(2024, 12, 31)).map(lambda d: f"{d:%m-%d}")
DUES = {
    "monthly": st.integers(1, 31).map(lambda n: f"month:{n}"),
    "quarterly": st.integers(1, 31).map(lambda n: f"quarter:{n}"),
    "half_year": st.integers(1, 31).map(lambda n: f"half:{n}"),
    "yearly": st.tuples(st.sampled_from(["year", "year+1"]), month_days).map(":".join),
    "on_event": st.tuples(st.integers(1, 99), st.sampled_from(["d", "wd"])).map(lambda t: f"event:{t[0]}{t[1]}"),
}


@st.composite
def calendars(draw: st.DrawFn) -> WorkCalendar:
    """Years announced at will: any weekdays off, any weekends worked."""
    inside = st.sets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=60)
    changed = draw(inside)
    off = tuple(sorted(d for d in changed if d.isoweekday() <= 5))
    worked = tuple(sorted(d for d in changed if d.isoweekday() > 5))
    return WorkCalendar((CalendarYear(year=2026, days_off=off, working_weekends=worked, source="通知"),))


@st.composite
def profiles(draw: st.DrawFn, *frequencies: str) -> Profile:
    overrides = {f: draw(DUES[f]) for f in frequencies if draw(st.booleans())}
    return profile(
        due_by_frequency=overrides, shift_holidays=draw(st.booleans()), declaration_due=draw(DUES["quarterly"])
    )


@st.composite
def periodic_items(draw: st.DrawFn) -> Item:
    """An item, some of which changed their frequency once, and some of which were taken out."""
    first, second = draw(st.sampled_from(PERIODIC)), draw(st.sampled_from(PERIODIC))
    changed, until = draw(days), draw(st.none() | days)
    early = revision(first, draw(DUES[first]), until=until, applies=draw(st.sampled_from(["both", "community"])))
    if draw(st.booleans()):
        return item(early)
    late = revision(second, draw(DUES[second]), since=changed)
    return item(early.model_copy(update={"until": changed}), late)


def division(duties_from: date | None, kind: DivisionKind = DivisionKind.VILLAGE) -> DutyDivision:
    return DutyDivision(VILLAGE, kind, duties_from)


def every_day(first: date, last: date) -> list[date]:
    return [first + DAY * n for n in range((last - first).days + 1)]


@given(calendars(), st.dates(date(2025, 12, 1), date(2027, 1, 31)))
def test_next_working_lands_on_a_working_day_and_skips_none(calendar: WorkCalendar, day: date) -> None:
    found = calendar.next_working(day)
    assert calendar.is_working(found)
    assert not any(calendar.is_working(d) for d in every_day(day, found - DAY))


@given(calendars(), st.dates(date(2025, 12, 1), date(2027, 1, 31)), st.integers(1, 60))
def test_add_working_counts_exactly_that_many_days(calendar: WorkCalendar, day: date, count: int) -> None:
    found = calendar.add_working(day, count)
    assert calendar.is_working(found)
    assert sum(calendar.is_working(d) for d in every_day(day + DAY, found)) == count


@given(calendars(), st.dates(date(2025, 12, 1), date(2027, 1, 31)), st.integers(0, 20), st.integers(0, 20))
def test_working_days_add_up(calendar: WorkCalendar, day: date, first: int, then: int) -> None:
    assert calendar.add_working(day, 0) == day
    assert calendar.add_working(calendar.add_working(day, first), then) == calendar.add_working(day, first + then)


@pytest.mark.parametrize("frequency", list(Frequency))
@given(year=st.integers(2000, 2099))
@settings(max_examples=20, deadline=None)
def test_periods_tile_the_year_without_gap_or_overlap(frequency: Frequency, year: int) -> None:
    whole = every_day(date(year, 1, 1), date(year, 12, 31))
    periods = list(dict.fromkeys(period_of(d, frequency) for d in whole))
    assert [d for p in periods for d in every_day(*period_bounds(p))] == whole
    wanted = {"monthly": 12, "quarterly": 4, "half_year": 2, "yearly": 1, "on_event": len(whole)}
    assert len(periods) == wanted[frequency.value]
    assert {period_frequency(p) for p in periods} == {frequency}


@given(st.dates(date(2001, 1, 1), date(2099, 12, 31)), st.sampled_from(PERIODIC))
def test_the_previous_period_ends_on_the_day_before(day: date, frequency: str) -> None:
    period = period_of(day, Frequency(frequency))
    before = previous_period(period)
    assert before is not None
    assert period_bounds(before)[1] + DAY == period_bounds(period)[0]


@given(days, st.sampled_from([*PERIODIC, "on_event"]))
def test_the_quarters_of_a_period_are_those_that_share_a_day_with_it(day: date, frequency: str) -> None:
    period = period_of(day, Frequency(frequency))
    shared = dict.fromkeys(period_of(d, Frequency.QUARTERLY) for d in every_day(*period_bounds(period)))
    assert quarters_within(period) == list(shared)


@given(st.data(), days, st.sampled_from([*PERIODIC, "on_event"]))
def test_due_is_never_before_the_duty_opens(data: st.DataObject, day: date, frequency: str) -> None:
    choice = data.draw(profiles(frequency))
    of = item(revision(frequency, data.draw(DUES[frequency])))
    owed = duty(of, division(None), period_of(day, Frequency(frequency)), choice, CALENDAR)
    first, last = period_bounds(owed.period)
    assert first <= owed.opens_on <= owed.due
    assert owed.opens_on in {first, last + DAY}
    assert owed.due_at == start_of_day(owed.due + DAY) > start_of_day(owed.opens_on)
    if choice.at(last).shift_holidays:
        assert CALENDAR.is_working(owed.due)


@given(st.data(), days)
def test_a_quarters_yes_or_no_is_due_after_the_quarter_whatever_the_event_rule(data: st.DataObject, day: date) -> None:
    of = item(revision("on_event", data.draw(DUES["on_event"])))
    choice = data.draw(profiles("on_event", "quarterly"))
    owed = duty(of, division(None), period_of(day, Frequency.QUARTERLY), choice, CALENDAR)
    last = period_bounds(owed.period)[1]
    assert last + DAY == owed.opens_on <= owed.due
    stated = int(choice.at(last).declaration_due.removeprefix("quarter:"))
    assert owed.due >= min(last + DAY * stated, last + DAY * 30)


@given(st.data(), days, st.sampled_from([*PERIODIC, "on_event"]))
def test_shifting_only_ever_gives_time(data: st.DataObject, day: date, frequency: str) -> None:
    of = item(revision(frequency, data.draw(DUES[frequency])))
    period = period_of(day, Frequency(frequency))
    plain = duty(of, division(None), period, profile(shift_holidays=False), CALENDAR)
    shifted = duty(of, division(None), period, profile(shift_holidays=True), CALENDAR)
    assert plain.due <= shifted.due == CALENDAR.next_working(plain.due)


@given(days, days)
def test_history_ends_ten_days_after_the_duties_began(start: date, day: date) -> None:
    of, period = item(revision("monthly", "month:15")), period_of(day, Frequency.MONTHLY)
    owed = duty(of, division(start), period, profile(), CALENDAR)
    assert owed.history == ((owed.due - start).days < 10)
    assert duty(of, division(None), period, profile(), CALENDAR).history


def all_periods(frequency: str) -> list[str]:
    whole = every_day(date(2020, 1, 1), date(2029, 12, 31))
    return list(dict.fromkeys(period_of(d, Frequency(frequency)) for d in whole[::28]))


ALL_PERIODS = [p for frequency in PERIODIC for p in all_periods(frequency)]


def fits(of: Item, period: str) -> bool:
    return of.at(period_bounds(period)[1]).frequency is period_frequency(period)


@given(st.data(), periodic_items(), st.none() | days, moments, st.sampled_from(["village", "community", "zone"]))
@settings(deadline=None)
def test_periods_due_are_those_whose_duty_applies_is_no_history_and_is_open(
    data: st.DataObject, of: Item, start: date | None, now: datetime, kind: str
) -> None:
    where, choice = division(start, DivisionKind(kind)), data.draw(profiles(*PERIODIC))
    owed = [duty(of, where, p, choice, CALENDAR) for p in ALL_PERIODS if fits(of, p)]
    wanted = {d.period for d in owed if d.applies and not d.history and d.opens_on <= local_day(now)}
    found = list(periods_due(of, where, choice, CALENDAR, now))
    assert len(found) == len(set(found))
    assert set(found) == wanted
    ends = [period_bounds(p)[1] for p in found]
    assert ends == sorted(ends)
    assert [d.period for d in duties_of([of], where, choice, CALENDAR, now)] == found


holders: st.SearchStrategy[Holder] = st.sampled_from(["village", "agency", "township", "department"])
near = st.datetimes(datetime(2026, 10, 20), datetime(2026, 12, 20), timezones=st.just(UTC))  # noqa: DTZ001 - zone is given beside
records = st.builds(
    CellRecord,
    first_published_at=st.none() | near,
    nil=st.booleans(),
    waived_at=st.none() | near,
    open_questions=st.integers(0, 2),
    submitted_at=st.none() | near,
    confirmed_at=st.none() | near,
    delivered_at=st.none() | near,
)


@st.composite
def any_duty(draw: st.DrawFn) -> Duty:
    """F01 of 2026-10, or an item like it, due in November 2026."""
    due = draw(st.dates(date(2026, 11, 1), date(2026, 11, 30)))
    return Duty(
        item="F01",
        division=VILLAGE,
        period="2026-10",
        opens_on=date(2026, 11, 1),
        due=due,
        due_at=start_of_day(due + DAY),
        applies=draw(st.booleans()),
        history=draw(st.booleans()),
        reference=False,
        first_holder=draw(holders),
    )


#: Takes away what makes a cell be in a state.
CLEARED: dict[CellState, Callable[[Duty, CellRecord], tuple[Duty, CellRecord]]] = {
    CellState.QUESTIONED: lambda d, r: (d, replace(r, open_questions=0)),
    CellState.OPENED_LATE: lambda d, r: (replace(d, history=True), r),
    CellState.OPENED: lambda d, r: (d, replace(r, first_published_at=None)),
    CellState.NIL: lambda d, r: (d, replace(r, nil=False, first_published_at=None)),
    CellState.NOT_APPLICABLE: lambda d, r: (replace(d, applies=True), r),
    CellState.WAIVED: lambda d, r: (d, replace(r, waived_at=None)),
    CellState.IN_PROGRESS: lambda d, r: (d, replace(r, submitted_at=None)),
    CellState.NOT_OPENED: lambda d, r: (replace(d, history=True), replace(r, submitted_at=None)),
}


@given(any_duty(), records, near)
def test_the_first_matching_state_wins(of: Duty, record: CellRecord, now: datetime) -> None:
    order = list(CellState)
    state = cell_state(of, record, now).state
    while state is not CellState.NOT_DUE:
        of, record = CLEARED[state](of, record)
        then = cell_state(of, record, now).state
        assert order.index(then) > order.index(state)
        state = then


@given(any_duty(), records, near)
def test_questions_go_first_whatever_else_is_known(of: Duty, record: CellRecord, now: datetime) -> None:
    asked = cell_state(of, replace(record, open_questions=1), now)
    assert asked.state is CellState.QUESTIONED
    assert asked[1:] == cell_state(of, replace(record, open_questions=0), now)[1:]


@given(any_duty(), records, near)
def test_a_cell_is_opened_late_exactly_when_it_has_late_days(of: Duty, record: CellRecord, now: datetime) -> None:
    published = record.first_published_at
    is_late = published is not None and late_by(of, published) > 0
    state = cell_state(of, replace(record, open_questions=0), now).state
    assert (state is CellState.OPENED_LATE) == is_late


def november(day: int) -> datetime:
    return datetime(2026, 11, day, tzinfo=UTC)


#: Delivered by the agency, due on the 16th, late for everybody.
BY_AGENCY = Duty(
    item="F01",
    division=VILLAGE,
    period="2026-10",
    opens_on=date(2026, 11, 1),
    due=date(2026, 11, 16),
    due_at=start_of_day(date(2026, 11, 17)),
    applies=True,
    history=False,
    reference=False,
    first_holder="agency",
)
NOTED_AFTERWARDS = CellRecord(submitted_at=november(20), confirmed_at=november(22), delivered_at=november(24))


def test_four_holders_share_the_days_each_from_its_own_on() -> None:
    record = CellRecord(delivered_at=november(18), submitted_at=november(19), confirmed_at=november(21))
    assert lateness(BY_AGENCY, record, november(28)) == (3, 2, 7, 0)
    by_department = replace(BY_AGENCY, first_holder="department")
    assert lateness(by_department, record, november(28)) == (0, 0, 0, 12)


def test_a_delivery_noted_after_the_village_handed_in_takes_no_days_back() -> None:
    assert lateness(BY_AGENCY, NOTED_AFTERWARDS, november(28)) == (2, 4, 6, 0)


def test_a_page_without_a_duty_is_opened_and_never_late() -> None:
    cell = cell_state(replace(BY_AGENCY, applies=False), CellRecord(first_published_at=november(28)), november(29))
    assert cell == ("opened", None, november(28))


@given(any_duty(), records, near)
@example(BY_AGENCY, NOTED_AFTERWARDS, november(28))
def test_lateness_is_shared_out_whole_among_four_holders(of: Duty, record: CellRecord, now: datetime) -> None:
    shares = lateness(of, record, now)
    assert min(shares) >= 0
    settled = record.nil or record.waived_at is not None
    if record.first_published_at is not None:
        assert sum(shares) == late_by(of, record.first_published_at)
    else:
        assert sum(shares) == (0 if settled else late_by(of, now))


@given(any_duty(), records, near)
def test_days_are_charged_to_those_who_can_have_held_it(of: Duty, record: CellRecord, now: datetime) -> None:
    could: dict[str, set[str]] = {
        "village": {"village", "township"},
        "agency": {"agency", "village", "township"},
        "township": {"township"},
        "department": {"department"},
    }
    shares = lateness(of, record, now)
    charged = {name for name in shares._fields if getattr(shares, name)}
    assert charged <= could[of.first_holder]
    held_by = cell_state(of, record, now).held_by
    assert held_by is None or held_by in could[of.first_holder]


@given(any_duty(), records, near, near)
def test_an_unpublished_cell_only_ever_gets_later(of: Duty, record: CellRecord, one: datetime, other: datetime) -> None:
    before, after = min(one, other), max(one, other)
    open_still = replace(record, first_published_at=None)
    assert sum(lateness(of, open_still, before)) <= sum(lateness(of, open_still, after))
    published = replace(record, first_published_at=before)
    assert lateness(of, published, before) == lateness(of, published, after)


keys = st.builds(CellKey, st.sampled_from(["F01", "V01", "P01"]), st.sampled_from(["2026-09", "2026-10", "2026-11-03"]))


@given(any_duty(), st.dictionaries(keys, records), st.sets(keys), st.sets(keys), near)
def test_cells_are_owed_ones_and_known_ones_each_once(
    of: Duty, known: dict[CellKey, CellRecord], owed: set[CellKey], impossible: set[CellKey], now: datetime
) -> None:
    def make(key: CellKey) -> Duty | None:
        return None if key in impossible else replace(of, item=key.item, period=key.period)

    duties = [replace(of, item=key.item, period=key.period) for key in owed]
    found = cells(duties, known, make, now)
    assert [c.key for c in found] == [*owed, *sorted(known.keys() - owed - impossible)]
    for c in found:
        record = known.get(c.key, CellRecord())
        assert (c.record, c.cell, c.late) == (
            record,
            cell_state(c.duty, record, now),
            lateness(c.duty, record, now),
        )
        assert c.late_days == sum(c.late)


quarter_days = st.lists(st.dates(date(2026, 7, 1), date(2026, 9, 30)), max_size=4)


@given(st.dictionaries(st.sampled_from(["V01", "V02", "P01"]), quarter_days))
def test_a_declared_quarter_is_nil_or_a_cell_for_every_day(answers: dict[str, list[date]]) -> None:
    found = declared_records("2026Q3", answers)
    for code, event_days in answers.items():
        own = {key.period: record for key, record in found.items() if key.item == code}
        wanted = {d.isoformat(): CellRecord() for d in event_days} or {"2026Q3": CellRecord(nil=True)}
        assert own == wanted
    assert {key.item for key in found} == set(answers)


@given(st.data(), quarter_days, near)
def test_declared_cells_stand_in_the_grid(data: st.DataObject, event_days: list[date], now: datetime) -> None:
    of, choice = item(revision("on_event", data.draw(DUES["on_event"]))), data.draw(profiles("on_event"))

    def make(key: CellKey) -> Duty | None:
        return duty(of, division(date(2026, 1, 1)), key.period, choice, CALENDAR)

    found = cells((), declared_records("2026Q3", {"V01": event_days}), make, now)
    states = {c.key.period: c.cell.state.value for c in found}
    if not event_days:
        assert states == {"2026Q3": "nil"}
        return
    assert set(states) == {d.isoformat() for d in event_days}
    assert {states[c.duty.period] for c in found if now >= c.duty.due_at} <= {"not_opened"}
    assert {states[c.duty.period] for c in found if now < c.duty.due_at} <= {"not_due"}
