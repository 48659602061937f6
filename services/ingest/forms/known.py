"""What a village's own earlier ledgers suggest while the next one is typed: summaries with what stood beside them; pure.

Found by the words or by how they sound: the first letters of their pinyin (`fhlybz`: 付护林员补助).
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pypinyin import Style, lazy_pinyin

from services.contracts.bodies import Body, Ledger
from services.ingest.bulk.cells import account_words

#: Periods that are looked back to, and what is offered of each sort.
PERIODS: Final = 3
_MOST: Final = 120
#: What a line of before proposes for the other cells of the line.
_BESIDE: Final = ("direction", "account", "to_account", "category", "payee", "method", "handler")
_ACCOUNTS: Final = frozenset({"account", "to_account"})


@dataclass(frozen=True, slots=True)
class Word:
    """A text that stood in earlier months: how it sounds, how often, and what stood beside it the last time."""

    text: str
    sound: str
    times: int
    beside: Mapping[str, str] = field(default_factory=dict)

    @property
    def beside_json(self) -> str:
        """The same for the page."""
        return json.dumps(self.beside, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Known:
    """What is offered by column, the most frequent first."""

    summary: tuple[Word, ...] = ()
    category: tuple[Word, ...] = ()
    payee: tuple[Word, ...] = ()

    @property
    def by_path(self) -> dict[str, tuple[Word, ...]]:
        """The same by the cell that it is offered in; columns without anything left out."""
        found = {"summary": self.summary, "category": self.category, "payee": self.payee}
        return {path: words for path, words in found.items() if words}


def known_of(bodies: Sequence[Body]) -> Known:
    """What some earlier bodies suggest, newest first; nothing of what is no ledger."""
    ledgers = [b for b in bodies if isinstance(b, Ledger)]
    lines = [line.model_dump(mode="json", exclude_none=True) for b in ledgers for line in b.lines]
    return Known(
        _words((line["summary"] for line in lines), _beside(lines)),
        _words((line.get("category", "") for line in lines), {}),
        _words((line.get("payee", "") for line in lines), {}),
    )


def _beside(lines: Sequence[Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """What stood beside each summary the last time."""
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        found.setdefault(line["summary"], {path: _shown(path, line[path]) for path in _BESIDE if line.get(path)})
    return found


def _shown(path: str, value: str) -> str:
    return account_words(value) if path in _ACCOUNTS else value


def _words(texts: Iterable[str], beside: Mapping[str, Mapping[str, str]]) -> tuple[Word, ...]:
    counted = Counter(t for t in texts if t and "\n" not in t).most_common(_MOST)
    return tuple(Word(text, sound_of(text), times, beside.get(text, {})) for text, times in counted)


def sound_of(text: str) -> str:
    """The first letters of a text's pinyin, and its figures: 修3组路 -> x3zl."""
    return "".join(c for c in "".join(lazy_pinyin(text, style=Style.FIRST_LETTER)) if c.isalnum()).lower()
