"""What a villager typed, looked through before anybody else reads it: no personal data, no addresses of the web, no HTML.

A page that is public for ever must not show a person by accident, so whoever asks is told where it stands and gets the
same text back with stars over it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.contracts import privacy
from services.contracts.privacy import Hit

#: A question is a few sentences; the law wants no reasons of whoever asks to see a paper.
LONGEST: Final = 500
SHORTEST: Final = 4
LONGEST_CONTACT: Final = 100
#: An illness or a child of nobody who is named tells of nobody.
_OF_NOBODY: Final = frozenset({"health", "minor"})
_WEB: Final = re.compile(r"https?://|www\.|<\s*/?\s*[a-zA-Z!]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Looked:
    """A text with what is wrong in it; `covered` is the text with stars over personal data, None where there was none."""

    text: str
    faults: tuple[str, ...] = ()
    covered: str | None = None


def look_through(text: str, *, needed: bool) -> Looked:
    """Look through what somebody asks; `needed`: without words it says nothing."""
    text = text.replace("\r\n", "\n").strip()
    faults = [*_misshapen(text)] if text or needed else []
    hits = [hit for place in privacy.places(text, "text") for hit in place.hits if hit.kind not in _OF_NOBODY]
    faults += [_told(hit) for hit in hits]
    return Looked(text, tuple(faults), privacy.cover(text, hits) if hits else None)


def _misshapen(text: str) -> Iterator[str]:
    if len(text) < SHORTEST:
        yield f"请写清楚要问什么，至少{SHORTEST}个字。"
    if len(text) > LONGEST:
        yield f"最多写{LONGEST}个字，现在有{len(text)}个字，请写短一些。"
    if _WEB.search(text):
        yield "请不要写网址和网页代码。"


def _told(hit: Hit) -> str:
    """Where something stands and what it is, never what it says."""
    span = f"第{hit.start + 1}到{hit.end}个字" if hit.end - hit.start > 1 else f"第{hit.end}个字"
    return f"{span}好像是{privacy.WORDS[hit.kind]}。公开后人人都能看到，请删去，或者用“某”和 * 遮住。"
