"""Which lines of a newer list are those of an older one: bounded work, whatever the lists are; pure.

`difflib.SequenceMatcher` finds what people would say changed, and needs the cube of the lines when many are alike: two
thousand lines of two kinds took it a minute. Here it gets so much of a list as it can do within a budget. Of a list that is
too much for it, lines that occur once in both are matched first (patience diff, Bram Cohen), then what lies between them;
what is too much even then is compared place by place.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

#: Comparisons of two lines; two thousand different lines need half of it, some 0.3 s.
_BUDGET: Final = 8_000_000


class Span(NamedTuple):
    """Lines `i` to `i_end` of the older list that became lines `j` to `j_end` of the newer; ends are not within."""

    i: int
    i_end: int
    j: int
    j_end: int


class Aligner:
    """Aligns lists, all of them together within one budget."""

    def __init__(self, budget: int = _BUDGET) -> None:
        """Start with a number of comparisons."""
        self._left = budget

    def changed(self, old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Span]:
        """What differs, from first to last; between the spans both lists are equal."""
        return list(self._between(old, new, Span(0, len(old), 0, len(new))))

    def _between(self, old: Sequence[Hashable], new: Sequence[Hashable], of: Span) -> Iterator[Span]:
        inner = _trimmed(old, new, of)
        if inner.i == inner.i_end and inner.j == inner.j_end:
            return
        cost = _cost(old, new, inner)
        if cost <= self._left:
            self._left -= cost
            yield from _matched(old, new, inner)
            return
        anchors = _anchors(old, new, inner)
        if not anchors:
            yield inner
            return
        i, j = inner.i, inner.j
        for at_old, at_new in (*anchors, (inner.i_end, inner.j_end)):
            yield from self._between(old, new, Span(i, at_old, j, at_new))
            i, j = at_old + 1, at_new + 1


def _trimmed(old: Sequence[Hashable], new: Sequence[Hashable], of: Span) -> Span:
    """Without what both begin and end with."""
    i, i_end, j, j_end = of
    while i < i_end and j < j_end and old[i] == new[j]:
        i, j = i + 1, j + 1
    while i < i_end and j < j_end and old[i_end - 1] == new[j_end - 1]:
        i_end, j_end = i_end - 1, j_end - 1
    return Span(i, i_end, j, j_end)


def _cost(old: Sequence[Hashable], new: Sequence[Hashable], of: Span) -> int:
    """The comparisons that the matcher may need: every pair of equal lines, once for every block that it finds."""
    there = Counter(new[of.j : of.j_end])
    pairs = sum(count * there[line] for line, count in Counter(old[of.i : of.i_end]).items())
    return (pairs + 1) * min(of.i_end - of.i, of.j_end - of.j)


def _matched(old: Sequence[Hashable], new: Sequence[Hashable], of: Span) -> Iterator[Span]:
    matcher = SequenceMatcher(None, old[of.i : of.i_end], new[of.j : of.j_end], autojunk=False)
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        if tag != "equal":
            yield Span(of.i + i, of.i + i_end, of.j + j, of.j + j_end)


def _anchors(old: Sequence[Hashable], new: Sequence[Hashable], of: Span) -> list[tuple[int, int]]:
    """Places of lines that occur once in both, as many as stand in the same order in both."""
    once = dict(_once(old, of.i, of.i_end))
    pairs = sorted((once[line], n) for line, n in _once(new, of.j, of.j_end) if line in once)
    # The longest run of rising places: the ends of the best runs of each length, and what stood before each.
    ends: list[int] = []
    best: list[int] = []
    before: list[int | None] = []
    for n, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        before.append(best[length - 1] if length else None)
        ends[length : length + 1] = [place]
        best[length : length + 1] = [n]
    found: list[tuple[int, int]] = []
    n_last: int | None = best[-1] if best else None
    while n_last is not None:
        found.append(pairs[n_last])
        n_last = before[n_last]
    return found[::-1]


def _once(lines: Sequence[Hashable], begin: int, end: int) -> Iterator[tuple[Hashable, int]]:
    counts = Counter(lines[begin:end])
    return ((lines[n], n) for n in range(begin, end) if counts[lines[n]] == 1)
