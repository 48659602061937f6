"""家里的一行: how a household finds its own lines of a roster that shows everybody a surname alone.

The author of a roster may type the last four digits of the card to which the money goes (一卡通). They are never kept: what is
kept is a keyed hash of them and the full name, which whoever reads the data without the key can neither read nor try out
(HMAC, RFC 2104, with SHA-256). Off unless the city sets the key.
"""

import hashlib
import hmac
import re
import unicodedata
from typing import Annotated, Final

from pydantic import StringConstraints

#: Letters alone: nothing in it looks like somebody's number.
_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_BESIDE: Final = re.compile(r"[(（].*?[)）]|\s")

HouseholdRef = Annotated[str, StringConstraints(pattern=r"^h1:[a-p]{64}:[a-p]{16}$")]
#: Digits as typed, full-width ones too.
CardTail = Annotated[str, StringConstraints(pattern=r"^[0-9\uff10-\uff19]{4}$")]


def household_ref(key: bytes, name: str, card_tail: str) -> str:
    """The keyed hash of a full name and the last four digits of a card; what stands in brackets and spaces of a name do not count.

    A second, shorter one binds it to the name alone, so that it does not stay with a row whose name was changed.
    """
    said = _said(name)
    core = _hash(key, f"{said}\0{unicodedata.normalize('NFKC', card_tail)}")
    return f"h1:{core}:{_bond(key, said, core)}"


def belongs(key: bytes, name: str, ref: str) -> bool:
    """Tell whether a reference was made for a name, whatever the digits were."""
    _, core, bond = ref.split(":")
    return hmac.compare_digest(bond, _bond(key, _said(name), core))


def _said(name: str) -> str:
    return _BESIDE.sub("", unicodedata.normalize("NFKC", name))


def _bond(key: bytes, said: str, core: str) -> str:
    return _hash(key, f"{said}\0{core}")[:16]


def _hash(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest().translate(_LETTERS)
