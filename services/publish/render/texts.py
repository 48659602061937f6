"""Free text as everybody may read it: names by surname, personal data by their kind, even when nobody cared before.

Names in cells are masking.py's; what is looked through here is what people write sentences in: titles, summaries,
remarks, paragraphs, notes, reasons. Officials in their office, handlers and firms stay (domain.md section 6).
"""

from collections.abc import Iterable
from typing import Any, Final, TypeVar, overload

from services.contracts.base import Model
from services.contracts.bodies import ColumnType, Table
from services.contracts.names import HIDDEN, Words, mask_text
from services.contracts.privacy import mask

#: Fields in which people write sentences, by kind of body alike.
_FREE: Final = frozenset(
    {"title", "summary", "remark", "standard", "subject", "method", "note", "category", "goods", "paragraphs"}
    | {"scope", "acceptance", "resolution", "implementation", "reason", "group", "source"}
)
#: A single character is no name that could be told from a word.
_SHORTEST: Final = 2
M = TypeVar("M", bound=Model)


@overload
def public_text(text: str, known: Words | None = None) -> str: ...
@overload
def public_text(text: None, known: Words | None = None) -> None: ...
@overload
def public_text(text: str | None, known: Words | None = None) -> str | None: ...
def public_text(text: str | None, known: Words | None = None) -> str | None:
    """A sentence of somebody's as the web may show it."""
    return mask(mask_text(text, known)) if text else text


def names_anybody(texts: Iterable[str | None]) -> bool:
    """Tell whether somebody stands by surname in texts as everybody may read them."""
    return any(text is not None and HIDDEN in text for text in texts)


class Texts:
    """The free texts of one body; whom its cells name is masked wherever it is written again."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take the full names that stand in the body's cells."""
        self._seen: dict[str, str] = {}
        self._known = Words({n for name in names for n in (name, "".join(name.split())) if len(n) >= _SHORTEST})

    def text(self, text: str) -> str:
        """Mask one text; a text that comes again costs nothing."""
        if text not in self._seen:
            self._seen[text] = public_text(text, self._known if self._known.all else None)
        return self._seen[text]

    def of(self, model: M) -> M:
        """A body with its free texts masked. Nothing is validated anew: 李四 in a full cell becomes a character longer."""
        changed = {name: self._value(name, getattr(model, name)) for name in type(model).model_fields}
        if isinstance(model, Table):
            free = [c.type is ColumnType.TEXT for c in model.columns]
            changed["rows"] = tuple(
                tuple(self.text(x) if ok and isinstance(x, str) else x for ok, x in zip(free, row, strict=True))
                for row in model.rows
            )
        return model.model_copy(update=changed)

    def _value(self, field: str, value: Any) -> Any:
        match value:
            case str():
                return self.text(value) if field in _FREE else value
            case Model():
                return self.of(value)
            case tuple():
                return tuple(self._value(field, inner) for inner in value)
            case _:
                return value
