"""Names that people type a second time: a masked name must not stand in full in a title, a summary or a remark.

Cells that name officials, firms or accounts are left alone; what is looked through is free text.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

#: Fields in which people write sentences, by kind of body alike.
_FREE: Final = frozenset(
    {"title", "summary", "remark", "standard", "subject", "method", "note", "category", "goods", "paragraphs"}
    | {"scope", "acceptance", "resolution", "implementation"}
)
#: A single character is no name that could be told from a word.
_SHORTEST: Final = 2


class Repeats:
    """Masked names by their first character, so that a text is read once however many names there are."""

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        """Take full and masked names; of two that begin alike, the longer one is looked for first."""
        self._by_first: dict[str, list[tuple[str, str]]] = {}
        for full, masked in sorted(set(names), key=lambda n: -len(n[0])):
            if len(full) >= _SHORTEST and full != masked:
                self._by_first.setdefault(full[0], []).append((full, masked))

    def __bool__(self) -> bool:
        """Tell whether there is any name to look for."""
        return bool(self._by_first)

    def text(self, text: str) -> str:
        """A text with every known name masked."""
        found, at = [], 0
        while at < len(text):
            hit = next((n for n in self._by_first.get(text[at], ()) if text.startswith(n[0], at)), None)
            found.append(hit[1] if hit else text[at])
            at += len(hit[0]) if hit else 1
        return "".join(found)

    def texts(self, value: Any, field: str = "") -> Any:
        """A body's JSON with its free texts masked."""
        match value:
            case str():
                return self.text(value) if field in _FREE else value
            case Mapping():
                return {name: self.texts(inner, name) for name, inner in value.items()}
            case list() | tuple():
                return [self.texts(inner, field) for inner in value]
            case _:
                return value
