"""Lists are aligned as `difflib` does where it can, always truly, and never for long."""

import itertools
import time
from collections.abc import Sequence
from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.alignment import Aligner, Span

LINES = st.lists(st.sampled_from("abcdefgh"), max_size=40)


def applied(old: Sequence[str], new: Sequence[str], spans: Sequence[Span]) -> list[str]:
    """The newer list, made of the older one and the spans."""
    made: list[str] = []
    at = 0
    for span in spans:
        made += [*old[at : span.i], *new[span.j : span.j_end]]
        at = span.i_end
    return [*made, *old[at:]]


@pytest.mark.parametrize("budget", [0, 50, 8_000_000])
@given(old=LINES, new=LINES)
def test_the_older_list_and_what_changed_make_the_newer(budget: int, old: list[str], new: list[str]) -> None:
    spans = Aligner(budget).changed(old, new)
    assert applied(old, new, spans) == new
    assert all(old[a.i_end : b.i] == new[a.j_end : b.j] for a, b in itertools.pairwise(spans))


@given(lines=st.lists(st.integers(), unique=True, max_size=200), data=st.data())
def test_natural_edits_are_told_as_difflib_tells_them(lines: list[int], data: st.DataObject) -> None:
    old = [str(n) for n in lines]
    new = list(old)
    for n in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(new)))
        new[place : place + data.draw(st.integers(0, 2))] = [f"new {n}"] * data.draw(st.integers(0, 2))
    expected = [
        Span(*code[1:]) for code in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if code[0] != "equal"
    ]
    assert len(Aligner().changed(old, new)) <= max(len(expected), 0)
    assert sum(s.i_end - s.i + s.j_end - s.j for s in Aligner().changed(old, new)) == sum(
        s.i_end - s.i + s.j_end - s.j for s in expected
    )


def test_lines_that_occur_once_are_found_again_in_lists_that_are_too_long_to_be_matched() -> None:
    old = [line for n in range(200) for line in (f"only {n}", *"ab" * 5)]
    new = [*old[:1100], "put in", *old[1100:]]
    new[7] = "b"
    new[2100] = "a"
    spans = Aligner().changed(old, new)
    assert applied(old, new, spans) == new
    assert len(spans) <= 4


@pytest.mark.parametrize("kinds", [1, 2, 3, 50, 2000])
def test_two_thousand_lines_take_no_more_than_a_second_or_two(kinds: int) -> None:
    # Digits of two square roots, so to say: no order that a matcher could make use of.
    old, new = ([str(int(root * n * n) % kinds) for n in range(2000)] for root in (2**0.5, 3**0.5))
    began = time.process_time()
    Aligner().changed(old, new)
    assert time.process_time() - began < 3
