"""What stands in place of personal data: its kind for logs and strangers, stars in the author's own text (遮盖)."""

import re
from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import Final

from services.contracts.privacy.detecting import detect
from services.contracts.privacy.hits import WORDS, Hit, Kind
from services.contracts.privacy.reading import read, with_han_digits

_SIGN: Final = re.compile(r"[0-9A-Za-z]")
_IN_PLACES: Final = re.compile(r"[0-9A-Za-z一二三四五六七八九十百〇零]")  # noqa: RUF001 - Chinese zero
#: Signs at the start and the end that stay, so that its author knows which number it was.
_KEPT: Final = MappingProxyType({"phone": (3, 2), "plate": (0, 2), "account": (0, 3), "bank_card": (0, 4)})


def mask(text: str) -> str:
    """Replace all that is found by its kind, such as `[身份证号]`: for logs and for showing text to others."""
    return _replaced(text, detect(text), lambda hit: f"[{WORDS[hit.kind]}]")


def cover(text: str, hits: Iterable[Hit]) -> str:
    """Put stars over what was found; the text stays as long as it was, and the detector finds nothing there any more."""
    return _replaced(text, hits, lambda hit: _stars(hit.kind, text[hit.start : hit.end]))


def _replaced(text: str, hits: Iterable[Hit], words: Callable[[Hit], str]) -> str:
    end = 0
    parts = []
    for hit in hits:
        parts += [text[end : hit.start], words(hit)]
        end = hit.end
    return "".join([*parts, text[end:]])


def _stars(kind: Kind, part: str) -> str:
    if kind == "name":
        return part[0] + "某" * (len(part) - 1)
    if kind == "health":
        return "*" * len(part)
    plain = read(part)
    is_place = kind in {"address", "minor"}
    plain = plain if is_place else with_han_digits(plain)
    signs = [found.start() for found in (_IN_PLACES if is_place else _SIGN).finditer(plain)]
    first, last = _KEPT.get(kind, (0, 0))
    covered = set(signs[first : len(signs) - last])
    return "".join("*" if n in covered else char for n, char in enumerate(part))
