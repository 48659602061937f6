"""Villages and items by what people type: the name or a part of it, how it sounds (pinyin, initials), names that look alike.

Only the names of places and of items are looked at; words that name neither are left to `found.py`.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pypinyin import Style, lazy_pinyin

from services.publish.render.places import Items, Village
from services.publish.render.texts import public_text

#: More than that nobody reads; the rest is counted.
MOST: Final = 60
_KINDS: Final = re.compile(r"(村民委员会|居民委员会|村委会|居委会|社区|村)+$")
_KINDS_HEARD: Final = re.compile(r"(?:cun|cunweihui|shequ|juweihui)$")
_LATIN: Final = re.compile(r"[a-z]+", re.ASCII)
#: What two names have in common is told from so many characters on.
_ALIKE: Final = 2


@dataclass(frozen=True, slots=True)
class ItemLink:
    """An item of the catalogue that was asked for; with a village, its page there."""

    plain: str
    official: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to: `alike` are villages that are not what was typed and look like it.

    `villages`: as many as are shown, and `more` than these; `codes`: all of them. `words`: what names no village.
    """

    query: str
    villages: Sequence[Village]
    more: int
    alike: Sequence[Village]
    items: Sequence[ItemLink]
    codes: frozenset[str] = frozenset()
    words: Sequence[str] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether something was asked for and nothing found."""
        return bool(self.query) and not (self.villages or self.alike or self.items)


def search(text: str, villages: Sequence[Village], items: Items) -> Found:
    """Look for villages by each word, for items by the words that name none."""
    words = _parts(text, villages)
    by_word = {word: _ranked(word, villages) for word in words}
    found = _common([named for named in by_word.values() if named])
    others = [word for word in words if not by_word[word]]
    alike = [] if found else _alike(others, villages)
    only = found[0] if len(found) == 1 else None
    return Found(
        query=public_text(" ".join(words)) or "",
        villages=found[:MOST],
        more=max(0, len(found) - MOST),
        alike=alike[:MOST],
        items=_items(others, items, only),
        codes=frozenset(v.code for v in found),
        words=others,
    )


def _words(text: str) -> list[str]:
    return unicodedata.normalize("NFKC", text).lower().split()


def _parts(text: str, villages: Sequence[Village]) -> list[str]:
    return [part for word in _words(text) for part in _apart(word, villages)]


def _apart(word: str, villages: Sequence[Village]) -> list[str]:
    """A village's whole name and what is written behind it without a blank: 西海村水泥."""
    names = {name for v in villages for name in (v.name, f"{core_of(v.name)}村", f"{core_of(v.name)}社区")}
    heads = [word[:n] for n in range(len(word) - 1, 1, -1) if word[:n] in names]
    return [heads[0], word[len(heads[0]) :]] if heads and not _ranked(word, villages) else [word]


def core_of(name: str) -> str:
    """A village's name without what kind of place it is: 西海村委会 -> 西海."""
    return _KINDS.sub("", name) or name


def _ranked(word: str, villages: Iterable[Village]) -> list[Village]:
    """The villages that a word names, the closest first, then by code: never by anything else."""
    ranked = [(rank, v.code, v) for v in villages if (rank := _rank(word, v)) is not None]
    return [v for _, _, v in sorted(ranked, key=lambda r: r[:2])]


def _rank(word: str, village: Village) -> int | None:
    core, asked = core_of(village.name), core_of(word)
    if word in {village.code, village.name} or asked == core:
        return 0
    if _LATIN.fullmatch(word):
        sound, initials = sound_of(core)
        heard = _KINDS_HEARD.sub("", word) or word
        tests = (heard in {sound, initials}, sound.startswith((word, heard)) or initials.startswith(word))
    else:
        tests = (core.startswith(asked), asked in village.name)
    place = village.township.name.startswith(word)
    return next((n for n, hit in enumerate((*tests, place), 1) if hit), None)


@lru_cache(maxsize=32_768)
def sound_of(name: str) -> tuple[str, str]:
    """A name in pinyin without tones, and its initials: 西海 -> xihai, xh."""
    return "".join(lazy_pinyin(name)), "".join(lazy_pinyin(name, style=Style.FIRST_LETTER))


def _common(found: Sequence[Sequence[Village]]) -> list[Village]:
    """Those that every word names, in the order of the first word."""
    if not found:
        return []
    return [v for v in found[0] if all(v in others for others in found[1:])]


def _alike(words: Sequence[str], villages: Sequence[Village]) -> list[Village]:
    """Villages whose names share two characters in a row with a word: 正红旗 leads to 红旗 and 厢红旗."""
    pairs = {core_of(word)[n : n + _ALIKE] for word in words for n in range(len(core_of(word)) - 1)}
    pairs = {pair for pair in pairs if not _LATIN.search(pair)}
    return [v for v in villages if any(pair in core_of(v.name) for pair in pairs)]


def _items(words: Sequence[str], items: Items, village: Village | None) -> list[ItemLink]:
    """Items whose plain or official name holds every one of some words; nothing where no word is left."""
    if not words:
        return []
    newest = {code: item.revisions[-1] for code, item in sorted(items.items())}
    return [
        ItemLink(r.plain_name, r.name, f"/v/{village.code}/{code}" if village is not None else None)
        for code, r in newest.items()
        if all(word in f"{r.plain_name}{r.name}".lower() for word in words)
    ]
