"""Cells of one duty: F01 of 2026-10, open from 1 November, due on 16 November 2026 (Shanghai)."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.contracts.duties import CellRecord, CellState, Duty, Lateness, cell_state, late_by, lateness

DUTY = Duty(
    item="F01",
    division="210881006206",
    period="2026-10",
    opens_on=date(2026, 11, 1),
    due=date(2026, 11, 16),
    due_at=datetime(2026, 11, 16, 16, 0, tzinfo=UTC),
    applies=True,
    history=False,
    reference=False,
)


def local(text: str) -> datetime:
    """Read `11-16 23:59:59` as Shanghai time of 2026."""
    return datetime.fromisoformat(f"2026-{text}+08:00")


BEFORE, EARLY, AFTER = local("10-20 12:00:00"), local("11-05 09:00:00"), local("11-20 09:00:00")
IN_TIME, LATE = local("11-16 23:59:59"), local("11-17 00:00:00")
OPENS = local("11-01 00:00:00")


def test_states_are_nine_in_their_order() -> None:
    assert [s.value for s in CellState] == [
        "questioned",
        "opened_late",
        "opened",
        "nil",
        "not_applicable",
        "waived",
        "in_progress",
        "not_opened",
        "not_due",
    ]


@pytest.mark.parametrize(
    ("record", "now", "state", "held_by", "since"),
    [
        (CellRecord(), BEFORE, "not_due", None, None),
        (CellRecord(), OPENS, "not_due", "village", OPENS),
        (CellRecord(), EARLY, "not_due", "village", OPENS),
        (CellRecord(), IN_TIME, "not_due", "village", OPENS),
        (CellRecord(), LATE, "not_opened", "village", OPENS),
        (CellRecord(submitted_at=EARLY), EARLY, "in_progress", "village", OPENS),
        (CellRecord(submitted_at=EARLY), AFTER, "in_progress", "village", OPENS),
        (CellRecord(submitted_at=IN_TIME), AFTER, "in_progress", "village", OPENS),
        (CellRecord(submitted_at=LATE), AFTER, "not_opened", "village", OPENS),
        (CellRecord(submitted_at=EARLY, confirmed_at=IN_TIME), AFTER, "in_progress", "township", IN_TIME),
        (CellRecord(submitted_at=LATE, confirmed_at=AFTER), AFTER, "not_opened", "township", AFTER),
        (CellRecord(confirmed_at=EARLY), AFTER, "not_opened", "village", OPENS),
        (CellRecord(first_published_at=EARLY), AFTER, "opened", None, EARLY),
        (CellRecord(first_published_at=IN_TIME), AFTER, "opened", None, IN_TIME),
        (CellRecord(first_published_at=LATE), AFTER, "opened_late", None, LATE),
        (CellRecord(first_published_at=EARLY, nil=True), AFTER, "nil", None, EARLY),
        (CellRecord(first_published_at=LATE, nil=True), AFTER, "opened_late", None, LATE),
        (CellRecord(nil=True), AFTER, "nil", None, None),
        (CellRecord(waived_at=EARLY), AFTER, "waived", None, EARLY),
        (CellRecord(waived_at=EARLY, nil=True), AFTER, "nil", None, EARLY),
        (CellRecord(waived_at=EARLY, submitted_at=EARLY), AFTER, "waived", None, EARLY),
        (CellRecord(waived_at=EARLY, first_published_at=EARLY), AFTER, "opened", None, EARLY),
        (CellRecord(open_questions=1), EARLY, "questioned", "village", OPENS),
        (CellRecord(open_questions=2, first_published_at=LATE), AFTER, "questioned", None, LATE),
        (CellRecord(open_questions=1, nil=True), AFTER, "questioned", None, None),
        # A correction under way does not take the published page away.
        (CellRecord(first_published_at=EARLY, submitted_at=AFTER), AFTER, "opened", None, EARLY),
    ],
)
def test_cell(record: CellRecord, now: datetime, state: str, held_by: str | None, since: datetime | None) -> None:
    assert cell_state(DUTY, record, now) == (state, held_by, since)


@pytest.mark.parametrize(
    ("record", "state", "held_by"),
    [
        (CellRecord(), "not_due", None),
        (CellRecord(submitted_at=AFTER), "in_progress", "village"),
        (CellRecord(submitted_at=AFTER, confirmed_at=AFTER), "in_progress", "township"),
        (CellRecord(first_published_at=AFTER), "opened", None),
        (CellRecord(first_published_at=AFTER, open_questions=1), "questioned", None),
        (CellRecord(nil=True), "nil", None),
        (CellRecord(waived_at=AFTER), "waived", None),
    ],
)
def test_history_is_never_late(record: CellRecord, state: str, held_by: str | None) -> None:
    cell = cell_state(replace(DUTY, history=True), record, AFTER)
    assert (cell.state, cell.held_by) == (state, held_by)


@pytest.mark.parametrize(
    ("record", "state"),
    [
        (CellRecord(), "not_applicable"),
        (CellRecord(waived_at=EARLY), "not_applicable"),
        (CellRecord(submitted_at=EARLY), "not_applicable"),
        (CellRecord(nil=True), "nil"),
        (CellRecord(first_published_at=EARLY), "opened"),
        (CellRecord(open_questions=1), "questioned"),
    ],
)
def test_item_that_does_not_concern_a_village(record: CellRecord, state: str) -> None:
    cell = cell_state(replace(DUTY, applies=False), record, AFTER)
    assert (cell.state, cell.held_by) == (state, None)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("11-05 09:00:00", 0),
        ("11-16 23:59:59", 0),
        ("11-17 00:00:00", 1),
        ("11-17 23:59:59", 1),
        ("11-18 00:00:00", 2),
        ("12-16 12:00:00", 30),
    ],
)
def test_late_days_are_local_days(when: str, expected: int) -> None:
    assert late_by(DUTY, local(when)) == expected
    assert late_by(replace(DUTY, history=True), local(when)) == 0
    assert late_by(replace(DUTY, applies=False), local(when)) == 0


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (CellRecord(), Lateness(village=4)),
        (CellRecord(submitted_at=EARLY), Lateness(village=4)),
        (CellRecord(submitted_at=EARLY, confirmed_at=IN_TIME), Lateness(township=4)),
        (CellRecord(submitted_at=EARLY, confirmed_at=LATE), Lateness(village=1, township=3)),
        (CellRecord(submitted_at=EARLY, confirmed_at=EARLY, first_published_at=LATE), Lateness(township=1)),
        (CellRecord(submitted_at=LATE, confirmed_at=LATE, first_published_at=LATE), Lateness(village=1)),
        (CellRecord(first_published_at=EARLY), Lateness()),
        # A later correction is not charged again.
        (CellRecord(submitted_at=AFTER, confirmed_at=AFTER, first_published_at=LATE), Lateness(village=1)),
        (CellRecord(waived_at=EARLY), Lateness()),
        (CellRecord(nil=True), Lateness()),
    ],
)
def test_lateness_is_charged_to_the_holder(record: CellRecord, expected: Lateness) -> None:
    assert lateness(DUTY, record, AFTER) == expected
