"""Small values: periods, money, codes."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.contracts.base import Revision, revision_at
from services.contracts.catalogue import Due, ItemCode, WorkCalendar, due_fits, parse_due
from services.contracts.values import (
    DivisionCode,
    Fen,
    Frequency,
    Period,
    ShortText,
    VillageCode,
    hidden_sign,
    may_hide,
    period_bounds,
    period_frequency,
    period_of,
    previous_period,
    texts_in,
    yuan,
)

CHAINED = [f for f in Frequency if f is not Frequency.ON_EVENT]
DAYS = st.dates(date(2001, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("period", "frequency", "first", "last", "before"),
    [
        ("2026-10", "monthly", "2026-10-01", "2026-10-31", "2026-09"),
        ("2026-01", "monthly", "2026-01-01", "2026-01-31", "2025-12"),
        ("2024-02", "monthly", "2024-02-01", "2024-02-29", "2024-01"),
        ("2026Q1", "quarterly", "2026-01-01", "2026-03-31", "2025Q4"),
        ("2026Q3", "quarterly", "2026-07-01", "2026-09-30", "2026Q2"),
        ("2026H1", "half_year", "2026-01-01", "2026-06-30", "2025H2"),
        ("2026H2", "half_year", "2026-07-01", "2026-12-31", "2026H1"),
        ("2026", "yearly", "2026-01-01", "2026-12-31", "2025"),
        ("2026-10-03", "on_event", "2026-10-03", "2026-10-03", None),
    ],
)
def test_period(period: str, frequency: str, first: str, last: str, before: str | None) -> None:
    assert period_frequency(period) == frequency
    assert [d.isoformat() for d in period_bounds(period)] == [first, last]
    assert previous_period(period) == before


@pytest.mark.parametrize(
    "period",
    [
        "",
        "2026-13",
        "2026-00",
        "2026-1",
        "1999-10",
        "2026Q5",
        "2026Q0",
        "2026H3",
        "2026q1",
        "26-10",
        "2026-02-30",
        "2026-10 ",
        "二〇二六",
    ],
)
def test_malformed_period_is_refused(period: str) -> None:
    with pytest.raises(ValueError, match=r"公开期|没有 2026-02-30 这一天"):
        period_bounds(period)
    with pytest.raises(ValidationError):
        TypeAdapter(Period).validate_python(period)


@given(DAYS, st.sampled_from(list(Frequency)))
def test_period_of_a_day_holds_the_day(day: date, frequency: Frequency) -> None:
    period = period_of(day, frequency)
    first, last = period_bounds(period)
    assert first <= day <= last
    assert period_frequency(period) is frequency
    assert TypeAdapter(Period).validate_python(period) == period


@given(DAYS, st.sampled_from(CHAINED))
def test_previous_period_ends_the_day_before(day: date, frequency: Frequency) -> None:
    period = period_of(day, frequency)
    before = previous_period(period)
    assert before is not None
    assert period_bounds(before)[1] + timedelta(days=1) == period_bounds(period)[0]


@pytest.mark.parametrize(
    ("fen", "expected"),
    [
        (0, "0.00"),
        (1, "0.01"),
        (-1, "-0.01"),
        (99, "0.99"),
        (-150, "-1.50"),
        (123456, "1,234.56"),
        (2**53 - 1, "90,071,992,547,409.91"),
    ],
)
def test_yuan(fen: int, expected: str) -> None:
    assert yuan(fen) == expected


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_yuan_loses_nothing(fen: int) -> None:
    assert int(yuan(fen).replace(",", "").replace(".", "")) == fen


@pytest.mark.parametrize("value", [2**53, -(2**53), 1.0, 1.5, "1", True, None])
def test_amount_is_a_whole_exact_number(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Fen).validate_python(value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (VillageCode, "21088100620"),
        (VillageCode, "2108810062061"),
        (VillageCode, "210881006206\n"),
        (VillageCode, "\uff12" * 12),
        (DivisionCode, "2108"),
        (DivisionCode, "21088100"),
        (DivisionCode, "210881 006"),
        (ItemCode, "X01"),
        (ItemCode, "F1"),
        (ItemCode, "F\uff10\uff11"),
        (ShortText, ""),
        (ShortText, "  "),
        (ShortText, "a\x00b"),
        (ShortText, "长" * 201),
        (Due, "month:0"),
        (Due, "month:32"),
        (Due, "year:02-30"),
        (Due, "year:04-31"),
        (Due, "year:13-01"),
        (Due, "event:0d"),
        (Due, "event:10"),
        (Due, "month:\uff11\uff15"),
    ],
)
def test_malformed_code_or_text_is_refused(kind: Any, value: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("due", "parsed", "fits"),
    [
        ("month:15", ("month", 0, 15, 0, False), "monthly"),
        ("quarter:31", ("quarter", 0, 31, 0, False), "quarterly"),
        ("half:20", ("half", 0, 20, 0, False), "half_year"),
        ("year:02-29", ("year", 2, 29, 0, False), "yearly"),
        ("year+1:01-31", ("year+1", 1, 31, 0, False), "yearly"),
        ("event:10d", ("event", 0, 0, 10, False), "on_event"),
        ("event:99wd", ("event", 0, 0, 99, True), "on_event"),
    ],
)
def test_due_rule(due: str, parsed: tuple[object, ...], fits: str) -> None:
    assert parse_due(due) == parsed
    assert [f.value for f in Frequency if due_fits(due, f)] == [fits]


def test_calendar_without_data_knows_weekends() -> None:
    calendar = WorkCalendar(())
    assert not calendar.covers(date(2026, 10, 1))
    assert calendar.is_working(date(2026, 10, 1))
    assert calendar.next_working(date(2026, 10, 3)) == date(2026, 10, 5)
    assert calendar.add_working(date(2026, 10, 2), 5) == date(2026, 10, 9)


def test_revision_of_a_day() -> None:
    old = Revision(since=date(2026, 1, 1), until=date(2026, 7, 1))
    new = Revision(since=date(2026, 7, 1), until=date(2026, 9, 1))
    assert revision_at((old, new), date(2025, 12, 31)) is old
    assert revision_at((old, new), date(2026, 6, 30)) is old
    assert revision_at((old, new), date(2026, 7, 1)) is new
    assert revision_at((old, new), date(2026, 12, 1)) is new


HIDDEN = "\x00\x08\x0c\x1f\x7f\x85\u00ad\u200b\u202e\u2066\ufeff\U000e0041"


@pytest.mark.parametrize("sign", list(HIDDEN))
def test_a_document_that_holds_what_nobody_sees_is_told_however_it_is_written(sign: str) -> None:
    value = {"lines": [{"summary": f"电费{sign}"}]}
    assert may_hide(json.dumps(value).encode())
    assert may_hide(json.dumps({f"a{sign}": 1}, ensure_ascii=False).encode())
    assert may_hide(json.dumps(value, ensure_ascii=False).encode("utf-16-le"))


def test_a_document_of_plain_texts_need_not_be_looked_through() -> None:
    value = {"标题": "电费 \\ 5 元\n第二行\t", "lines": [{"n": 1, "summary": 'so "quoted"'}], "none": None}
    assert not may_hide(json.dumps(value, ensure_ascii=False, indent=2).encode())
    # What is no UTF-8 is read as whatever it is.
    assert may_hide(b'{"a": "\xff"}')


_TEXTS = st.text(st.sampled_from(list('a电\n\t\\ubf"' + HIDDEN)), max_size=6)


_JSON = st.recursive(_TEXTS, lambda inner: st.lists(inner) | st.dictionaries(_TEXTS, inner), max_leaves=6)


@given(value=_JSON, ascii_only=st.booleans())
def test_no_sign_is_passed_over_that_looking_at_each_text_finds(value: Any, *, ascii_only: bool) -> None:
    document = json.dumps(value, ensure_ascii=ascii_only).encode()
    found = any(hidden_sign(text, lines=True) for _, text in texts_in(json.loads(document)))
    assert may_hide(document) or not found
