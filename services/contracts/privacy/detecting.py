"""The one way from a text to what is in it."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from services.contracts.privacy.hits import Hit
from services.contracts.privacy.numbers import number_hits
from services.contracts.privacy.reading import UNSEEN, read, with_han_digits
from services.contracts.privacy.words import word_hits


def detect(text: str) -> tuple[Hit, ...]:
    """Find personal data; hits do not overlap and come in order. Never raises, linear in the text's length.

    A NUL separates texts: nothing is found across it.
    """
    plain = read(text)
    if UNSEEN not in plain:
        return _detect(plain)
    seen = [n for n, char in enumerate(plain) if char != UNSEEN]
    return tuple(Hit(hit.kind, seen[hit.start], seen[hit.end - 1] + 1) for hit in _detect(plain.replace(UNSEEN, "")))


def _detect(plain: str) -> tuple[Hit, ...]:
    numbers = list(number_hits(with_han_digits(plain)))
    words = list(_beside(numbers, word_hits(plain)))
    return tuple(sorted(numbers + words, key=lambda hit: hit.start))


def _beside(numbers: list[Hit], words: Iterable[Hit]) -> Iterator[Hit]:
    """Of what words say, the parts beside the numbers, without overlap: a number is told by what it is."""
    starts = [hit.start for hit in numbers]
    taken = 0
    for hit in sorted(words, key=lambda hit: (hit.start, -hit.end)):
        n = bisect_right(starts, hit.start)
        start = max(hit.start, taken, numbers[n - 1].end if n else 0)
        end = min(hit.end, starts[n]) if n < len(starts) else hit.end
        if start < end and (start == hit.start or hit.end - start > _REMAINS):
            taken = end
            yield Hit(hit.kind, start, end)


#: What is left of a hit after another must be more than a sign or two to mean anything.
_REMAINS = 3
