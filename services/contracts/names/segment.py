"""The cheapest way to cut a row of characters into words and names. Pure, linear in its length.

Every token has a cost: that of a word falls with how common it is, that of a name with what speaks for it. The way
with the least sum wins, so that 高粱 is no Mr Gao where the word is likelier, and 建国 no word in 王建国.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from services.contracts.names.surnames import COMPOUND, SURNAMES

LONGEST_SURNAME: Final = max(map(len, COMPOUND))
#: First characters of all surnames.
SURNAME_STARTS: Final = SURNAMES | {name[0] for name in COMPOUND}


class Token(NamedTuple):
    """A piece of the text: where it ends, what it is, what it costs; of a name, where its surname ends."""

    end: int
    kind: str
    cost: float
    surname: int = 0


class Piece(NamedTuple):
    """A token where it stands."""

    start: int
    token: Token


class Words:
    """Words that are looked for at a place, whatever their number."""

    def __init__(self, words: Iterable[str]) -> None:
        """Take the words; a look at a place costs as much as there are lengths of words that begin so."""
        self.all = frozenset(words)
        self._by_first = _sizes(self.all, 0)
        self._by_last = _sizes(self.all, -1)

    def stand_in(self, text: str) -> bool:
        """Tell whether any of the words stands anywhere in a text."""
        return any(word in text for word in self.all)

    def at(self, text: str, start: int) -> Iterator[str]:
        """Every word that begins here, longest first."""
        if start < len(text):
            for size in self._by_first.get(text[start], ()):
                word = text[start : start + size]
                if word in self.all:
                    yield word

    def after(self, text: str, start: int) -> str:
        """The longest word that begins here; nothing where none does."""
        return next(self.at(text, start), "")

    def before(self, text: str, end: int) -> str:
        """The longest word that ends here; nothing where none does."""
        if end:
            for size in self._by_last.get(text[end - 1], ()):
                if size <= end and (word := text[end - size : end]) in self.all:
                    return word
        return ""


def _sizes(words: Iterable[str], place: int) -> Mapping[str, tuple[int, ...]]:
    found: dict[str, set[int]] = {}
    for word in words:
        found.setdefault(word[place], set()).add(len(word))
    return {char: tuple(sorted(sizes, reverse=True)) for char, sizes in found.items()}


@cache
def common_words() -> dict[str, int]:
    """Common words, each with the power of two of its frequency."""
    found: dict[str, int] = {}
    for line in (Path(__file__).parent / "words.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            band, *words = line.split()
            found.update(dict.fromkeys(words, int(band)))
    return found


def is_han(char: str) -> bool:
    """Tell whether a character is a Chinese one."""
    return "\u3400" <= char <= "\u9fff" or "\U00020000" <= char <= "\U0003ffff" or char == "\u3007"


def surname_ends(text: str, start: int) -> Iterator[int]:
    """Where a surname that begins here ends: compound ones first."""
    if start >= len(text) or text[start] not in SURNAME_STARTS:
        return
    for size in range(LONGEST_SURNAME, 1, -1):
        if text[start : start + size] in COMPOUND:
            yield start + size
    if text[start] in SURNAMES:
        yield start + 1


def cut(
    first: int, last: int, tokens: Callable[[int], Iterable[Token]], change: Callable[[str, str], float]
) -> tuple[Piece, ...]:
    """Cut the characters from `first` to before `last` the cheapest way.

    `change` is what it costs that one kind of token follows another.
    """
    # For each place and the kind of the token that ends there: the cost so far, where it began, what came before it.
    best: dict[int, dict[str, tuple[float, int, str, Token | None]]] = {first: {"": (0.0, first, "", None)}}
    for start in range(first, last):
        if start not in best:
            continue
        for token in tokens(start):
            cost, before = min((known[0] + change(kind, token.kind), kind) for kind, known in best[start].items())
            there = best.setdefault(token.end, {})
            if token.kind not in there or cost + token.cost < there[token.kind][0]:
                there[token.kind] = (cost + token.cost, start, before, token)
    found = []
    at, kind = last, min(best[last], key=lambda k: best[last][k][0])
    while at > first:
        _, start, before, last_token = best[at][kind]
        assert last_token is not None  # noqa: S101 - only the start has none
        found.append(Piece(start, last_token))
        at, kind = start, before
    return tuple(reversed(found))
