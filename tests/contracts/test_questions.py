"""How a question stands, its reference, its clock: pure."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from pydantic import ValidationError

from services.contracts.catalogue import ProfileRevision, WorkCalendar
from services.contracts.question import (
    MOST_UNCLEAR,
    REF_BITS,
    QuestionAsked,
    QuestionJoined,
    QuestionKind,
    QuestionState,
    QuestionStep,
    answer_due,
    answerer_of,
    closes_at,
    days_overdue,
    joint_due,
    make_ref,
    may_be_joined,
    overdue_from,
    read_ref,
    ref_words,
    stands,
    turn,
)
from services.registry.bulk.calendar import calendar_year
from tests import builders
from tests.contracts.test_examples import example

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CALENDAR = WorkCalendar(tuple(calendar_year(y) for y in (2025, 2026)))
PROFILE = ProfileRevision(since=date(2026, 1, 1), source="test")


def refs(count: int) -> list[str]:
    rng = random.Random(20261128)  # noqa: S311 - the same ones in every run
    return [make_ref(rng.getrandbits(REF_BITS)) for _ in range(count)]


@pytest.mark.parametrize("ref", refs(20))
def test_a_reference_is_read_however_people_write_it(ref: str) -> None:
    assert len(ref) == 10
    spoken = ref.replace("0", "o").replace("1", "l").lower()
    full_width = "".join(chr(ord(sign) + 0xFEE0) for sign in ref)
    for text in (ref, ref_words(ref), f" {ref[:5]} {ref[5:]} ", spoken, full_width):
        assert read_ref(text) == ref


@pytest.mark.parametrize("ref", refs(5))
def test_no_single_slip_of_the_pen_leads_to_another_question(ref: str) -> None:
    for place, sign in product(range(10), SIGNS):
        if ref[place] != sign:
            assert read_ref(ref[:place] + sign + ref[place + 1 :]) is None


@pytest.mark.parametrize("ref", refs(20))
def test_neighbours_that_changed_places_are_told_but_for_the_two_that_no_sum_tells(ref: str) -> None:
    for place in range(9):
        pair = ref[place : place + 2]
        if pair[0] != pair[1] and set(pair) != {"0", "Z"}:
            assert read_ref(ref[:place] + pair[::-1] + ref[place + 2 :]) is None


@pytest.mark.parametrize(
    "text", ["", "7", "U" * 10, "7K2MX-9QW4", "7K2MX-9QW4T-7", "../../etc", "西海村委会的账本啊", "\x00" * 10]
)
def test_what_is_no_reference_is_none(text: str) -> None:
    assert read_ref(text) is None


TURNS = {
    ("asked", "answer"): "answered",
    ("township", "answer"): "answered",
    ("asked", "hand_up"): "township",
    ("answered", "unclear"): "township",
    ("asked", "hide"): "hidden",
    ("township", "hide"): "hidden",
    ("answered", "hide"): "hidden",
    ("closed", "hide"): "hidden",
}


@pytest.mark.parametrize(("state", "step"), list(product(QuestionState, QuestionStep)))
def test_steps_lead_where_the_table_says_and_nowhere_else(state: QuestionState, step: QuestionStep) -> None:
    assert turn(state, step) == TURNS.get((state.value, step.value))


def test_an_answer_stands_once_nobody_called_it_unclear_in_time_or_often_enough() -> None:
    until = closes_at(0, PROFILE, builders.NOW)
    assert until == builders.NOW + timedelta(days=30)
    assert stands(QuestionState.ANSWERED, until, until - timedelta(seconds=1)) is QuestionState.ANSWERED
    assert stands(QuestionState.ANSWERED, until, until) is QuestionState.CLOSED
    last = closes_at(MOST_UNCLEAR, PROFILE, builders.NOW)
    assert stands(QuestionState.ANSWERED, last, builders.NOW) is QuestionState.CLOSED
    # Whatever waits for an answer never closes by itself.
    assert stands(QuestionState.TOWNSHIP, None, until + timedelta(days=999)) is QuestionState.TOWNSHIP


@pytest.mark.parametrize(
    ("asked", "holder", "due"),
    [
        # Three working days of a village from Tuesday 24 November.
        (datetime(2026, 11, 24, 2, 0, tzinfo=UTC), "village", date(2026, 11, 27)),
        # 23:59 on Tuesday in Gaizhou, and a minute later.
        (datetime(2026, 11, 24, 15, 59, tzinfo=UTC), "village", date(2026, 11, 27)),
        (datetime(2026, 11, 24, 16, 0, tzinfo=UTC), "village", date(2026, 11, 30)),
        (datetime(2026, 11, 24, 2, 0, tzinfo=UTC), "township", date(2026, 12, 8)),
        # Over the National Day, whose Saturday after it is worked (调休).
        (datetime(2026, 9, 30, 2, 0, tzinfo=UTC), "village", date(2026, 10, 10)),
    ],
)
def test_days_to_answer_are_working_days_of_the_calendar(asked: datetime, holder: str, due: date) -> None:
    assert answer_due(holder, PROFILE, CALENDAR, asked) == due  # type: ignore[arg-type] # as parametrized


def test_a_city_may_count_calendar_days_and_let_the_township_answer_first() -> None:
    own = PROFILE.model_copy(update={"answer_in_working_days": False, "answers_first": "township"})
    assert answer_due("village", own, CALENDAR, datetime(2026, 11, 27, 2, 0, tzinfo=UTC)) == date(2026, 11, 30)
    assert answerer_of(QuestionKind.DOUBT, own) == "township"
    assert answerer_of(QuestionKind.DOUBT, PROFILE) == "village"
    assert answerer_of(QuestionKind.PAPER, PROFILE) == "township"


def test_late_begins_with_the_first_instant_after_the_day() -> None:
    due = date(2026, 11, 27)
    assert overdue_from(due) == datetime(2026, 11, 27, 16, 0, tzinfo=UTC)
    assert days_overdue(due, overdue_from(due) - timedelta(seconds=1)) == 0
    assert days_overdue(due, overdue_from(due)) == 1
    assert days_overdue(due, builders.NOW) == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ref", "short"),
        ("ref", "U" * 10),
        ("kind", "complaint"),
        ("shows", "me"),
        ("line", 0),
        ("due", "soon"),
        ("holder", "city"),
    ],
)
def test_a_malformed_question_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        QuestionAsked.model_validate({**example("sanwu.questions", "question.asked.v1"), field: value})


def test_days_of_a_profile_have_bounds() -> None:
    for name in ("answer_days_village", "answer_days_township", "unclear_days"):
        with pytest.raises(ValidationError):
            ProfileRevision.model_validate({"since": "2026-01-01", "source": "test", name: 0})


# -- joining ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "shows", "may"),
    [
        (QuestionKind.DOUBT, "question", True),
        (QuestionKind.DOUBT, "answer", False),
        (QuestionKind.PAPER, "answer", True),
        (QuestionKind.MISSING, "answer", True),
        (QuestionKind.PAPER, "question", True),
    ],
)
def test_only_what_others_can_read_is_joined(kind: QuestionKind, shows: Any, *, may: bool) -> None:
    assert may_be_joined(kind, shows) is may


def test_the_township_answers_a_joint_question_of_the_village_within_its_own_days() -> None:
    now = datetime(2026, 11, 24, 2, tzinfo=UTC)
    assert joint_due("village", PROFILE, CALENDAR, now) == date(2026, 12, 8)
    assert joint_due("township", PROFILE, CALENDAR, now) is None
    everybody = PROFILE.model_copy(update={"joint_then": "everybody"})
    assert joint_due("village", everybody, CALENDAR, now) is None


@pytest.mark.parametrize(
    "wrong", [{"joint_from": 1}, {"joint_from": 1001}, {"joint_from": None}, {"joint_then": "city"}]
)
def test_a_profile_of_one_joiner_or_of_nobody_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ProfileRevision(since=date(2026, 1, 1), source="test", **wrong)


@pytest.mark.parametrize(
    "wrong", [{"joined": 0}, {"joint_then": "nobody"}, {"joint_due": "soon"}, {"joint_at": "2026-11-25"}]
)
def test_an_event_of_joining_says_how_often_and_what_came_of_it(wrong: dict[str, Any]) -> None:
    good = example("sanwu.questions", "question.joined.v1")
    assert QuestionJoined.model_validate(good).joined == 10
    with pytest.raises(ValidationError):
        QuestionJoined.model_validate({**good, **wrong})
