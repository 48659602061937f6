"""What is asked of `Owing` part by part is what `duties_of` says as a whole."""

from datetime import date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.catalogue import Item
from services.contracts.division import DivisionKind
from services.contracts.duties import CellKey, DutyDivision, duties_of, duty
from services.contracts.owing import Owing
from services.contracts.values import Frequency, period_bounds, period_frequency, period_of
from tests.contracts.catalogue import CALENDAR, item, profile, revision
from tests.contracts.test_duties_properties import DAY, PERIODIC, days, division, moments, periodic_items, profiles

NOW = datetime.fromisoformat("2026-11-24T02:00:00Z")
ON_EVENT = Item(code="V99", revisions=item(revision("on_event", "event:10d")).revisions)


def owing(of: Item, where: DutyDivision) -> Owing:
    return Owing({of.code: of, "V99": ON_EVENT}, where, profile(), CALENDAR)


@given(
    st.data(), periodic_items(), st.none() | days, moments, moments, st.sampled_from(["village", "community", "zone"])
)
@settings(deadline=None)
def test_all_parts_together_are_the_whole_also_when_days_pass(
    data: st.DataObject, of: Item, start: date | None, first: datetime, later: datetime, kind: str
) -> None:
    where, choice = division(start, DivisionKind(kind)), data.draw(profiles(*PERIODIC))
    parts = Owing({of.code: of, "V99": ON_EVENT}, where, choice, CALENDAR)
    for now in (first, later):
        whole = duties_of([of, ON_EVENT], where, choice, CALENDAR, now)
        assert tuple(parts.owed(now)) == whole
        assert parts.runs("V99", now) == ()
        periods = [d.period for d in whole[::2]]
        assert set(parts.owed_in(periods, now)) == set(whole[::2])


@given(periodic_items(), days, moments, days, days)
@settings(deadline=None)
def test_a_run_tells_what_lies_between_two_days(of: Item, start: date, now: datetime, first: date, last: date) -> None:
    where = division(start)
    for run in owing(of, where).runs(of.code, now):
        wanted = [d for d in run.duties if (b := period_bounds(d.period))[0] >= first and b[1] <= last]
        assert list(run.within(first, last)) == wanted
        assert {period_frequency(d.period) for d in run.duties} == {run.frequency}


def test_a_cell_that_cannot_be_has_no_duty_and_a_quarter_of_an_event_is_owed_by_nobody() -> None:
    of, where = item(revision("monthly", "month:15")), division(date(2026, 1, 1))
    parts = owing(of, where)
    assert parts.duty(CellKey(of.code, "2026Q1")) is None
    assert parts.duty(CellKey(of.code, "nonsense")) is None
    assert parts.duty(CellKey("X01", "2026-01")) is None
    assert parts.duty(CellKey("V99", "2026Q1")) is not None
    assert parts.duty(CellKey("V99", "2026-02-30")) is None
    assert parts.duty(CellKey("V99", "2026-02-28")) == duty(ON_EVENT, where, "2026-02-28", profile(), CALENDAR)
    assert [d.item for d in parts.owed_in(["2026Q1", "nonsense", "2026-02"], NOW)] == [of.code]
    assert parts.owed_in([period_of(NOW.date() + 40 * DAY, Frequency.MONTHLY)], NOW) == ()
