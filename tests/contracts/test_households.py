"""The keyed hash by which a household finds its own line: bound to name and digits, telling nothing without the key."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.contracts.bodies.roster import Entry
from services.contracts.households import belongs, household_ref

KEY, OTHER = b"a long random text of a test city", b"another long random text, as long"
NAMES = st.text(st.characters(categories=["Lo"]), min_size=2, max_size=6)
TAILS = st.from_regex(r"\A[0-9]{4}\Z")


@given(NAMES, TAILS, TAILS)
def test_the_same_name_and_digits_make_the_same_and_others_another(name: str, tail: str, other: str) -> None:
    made = household_ref(KEY, name, tail)
    assert made == household_ref(KEY, name, tail)
    assert (made == household_ref(KEY, name, other)) is (tail == other)
    assert made != household_ref(OTHER, name, tail)
    assert made != household_ref(KEY, f"{name}甲", tail)
    assert belongs(KEY, name, made)
    assert not belongs(KEY, f"{name}甲", made)
    assert not belongs(OTHER, name, made)


@pytest.mark.parametrize("written", ["张德福", " 张 德福 ", "张德福（户主）", "张德福(一组)", "张德福\u3000"])
def test_spaces_and_brackets_of_a_name_and_the_width_of_digits_do_not_matter(written: str) -> None:
    assert household_ref(KEY, written, "\uff10\uff11\uff12\uff13") == household_ref(KEY, "张德福", "0123")


def test_nothing_in_it_looks_like_a_number_or_a_name() -> None:
    assert re.fullmatch(r"h1:[a-p]{64}:[a-p]{16}", household_ref(KEY, "张德福", "0123"))


def test_digits_leave_no_trace_in_what_is_kept() -> None:
    entry = Entry(name="张德福", card_tail="0123")
    assert "0123" not in entry.model_dump_json()
    assert "card_tail" not in entry.model_dump()
    assert entry.model_copy(update={"card_tail": None}).model_dump() == entry.model_dump()


@pytest.mark.parametrize("tail", ["", "123", "12345", "12a4", "١٢٣٤", "0 23", "-123"])
def test_what_is_not_four_digits_is_refused(tail: str) -> None:
    with pytest.raises(ValidationError):
        Entry(name="张德福", card_tail=tail)


@pytest.mark.parametrize("ref", ["", "h1:", "h1:" + "a" * 64, "h2:" + "a" * 64 + ":" + "a" * 16, "张德福0123"])
def test_what_is_no_reference_is_refused(ref: str) -> None:
    with pytest.raises(ValidationError):
        Entry(name="张德福", household=ref)
