"""How a due day came about, and what a duty carries: a row for each way."""

from datetime import UTC, date, datetime

import pytest

from services.contracts.catalogue import Item, parse_due
from services.contracts.division import DivisionKind
from services.contracts.duties import DutyDivision, duties_of, duty
from tests.contracts.catalogue import CALENDAR, VILLAGE, item, profile, revision

OWING = DutyDivision(VILLAGE, DivisionKind.VILLAGE, date(2025, 1, 1))


def test_a_duty_carries_whose_it_is_and_how_its_day_came_about() -> None:
    found = duty(item(revision("monthly", "month:15")), OWING, "2026-07", profile(), CALENDAR)
    assert (found.division, found.item, found.period) == (VILLAGE, "V01", "2026-07")
    assert (found.rule, found.named, found.due) == (parse_due("month:15"), date(2026, 8, 15), date(2026, 8, 17))


@pytest.mark.parametrize(
    ("period", "named", "due", "weekends_only"),
    [
        ("2022", "2022-12-31", "2023-01-02", True),
        # Nothing is known of the year that the day was named in, though all is of the one that it moved into.
        ("2023", "2023-12-31", "2024-01-02", True),
        ("2024", "2024-12-31", "2024-12-31", False),
    ],
)
def test_a_day_is_sure_only_when_both_ends_of_its_way_are_announced(
    period: str, named: str, due: str, *, weekends_only: bool
) -> None:
    found = duty(item(revision("yearly", "year:12-31")), OWING, period, profile(), CALENDAR)
    assert (found.named, found.due) == (date.fromisoformat(named), date.fromisoformat(due))
    assert found.weekends_only is weekends_only


def test_duties_come_item_by_item_in_the_order_of_their_codes() -> None:
    items = [Item(code=code, revisions=(revision("yearly", "year:03-31"),)) for code in ("V02", "F10", "F01")]
    found = [d.item for d in duties_of(items, OWING, profile(), CALENDAR, datetime(2026, 10, 9, tzinfo=UTC))]
    assert list(dict.fromkeys(found)) == ["F01", "F10", "V02"]
    assert found == sorted(found)
