"""Free text as everybody may read it: names by surname, personal data by their kind, even when nobody cared before.

Names in cells are masking.py's; what is looked through here is what people write sentences in: titles, summaries,
remarks, paragraphs, notes, reasons. Officials in their office, handlers and firms stay (domain.md section 6).
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, TypeVar, get_args, get_origin, overload

from services.contracts.base import Model
from services.contracts.bodies import ColumnType, Table
from services.contracts.names import HIDDEN, Words, mask_text
from services.contracts.privacy import mask

#: Fields in which people write sentences, by kind of body alike.
_FREE: Final = frozenset(
    {"title", "summary", "remark", "standard", "subject", "method", "note", "category", "goods", "paragraphs"}
    | {"scope", "acceptance", "resolution", "implementation", "reason", "group", "source"}
    | {"sources", "bidders", "step", "price_per", "term", "quantity_unit", "unit"}
)
#: A single character is no name that could be told from a word.
_SHORTEST: Final = 2
#: Longer texts are read anew each time: summaries, titles and categories come again every month.
_REMEMBERED: Final = 100
M = TypeVar("M", bound=Model)


@lru_cache
def _fields_with_text(model: type[Model]) -> tuple[str, ...]:
    """Fields in which sentences may stand, or models that have such fields: not those of days, numbers and codes."""
    return tuple(name for name, f in model.model_fields.items() if _may_hold_text(name, f.annotation))


def _may_hold_text(field: str, annotation: object) -> bool:
    if isinstance(annotation, type) and not get_args(annotation):
        return issubclass(annotation, Model) or (issubclass(annotation, str) and field in _FREE)
    if get_origin(annotation) is Literal:
        return False
    # What stands behind the type in `Annotated` tells of the value, and is none.
    parts = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
    # What is not understood is looked through.
    return not parts or any(_may_hold_text(field, part) for part in parts if part is not ...)


@overload
def public_text(text: str, known: Words | None = None) -> str: ...
@overload
def public_text(text: None, known: Words | None = None) -> None: ...
@overload
def public_text(text: str | None, known: Words | None = None) -> str | None: ...
def public_text(text: str | None, known: Words | None = None) -> str | None:
    """A sentence of somebody's as the web may show it."""
    if not text:
        return text
    if len(text) <= _REMEMBERED and (known is None or not known.stand_in(text)):
        return _public(text)
    return mask(mask_text(text, known))


@lru_cache(maxsize=8192)
def _public(text: str) -> str:
    return mask(mask_text(text))


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
        changed = {}
        for name in _fields_with_text(type(model)):
            value = getattr(model, name)
            if (masked := self._value(name, value)) is not value:
                changed[name] = masked
        if isinstance(model, Table):
            free = [c.type is ColumnType.TEXT for c in model.columns]
            changed["rows"] = tuple(
                tuple(self.text(x) if ok and isinstance(x, str) else x for ok, x in zip(free, row, strict=True))
                for row in model.rows
            )
        return model.model_copy(update=changed) if changed else model

    def _value(self, field: str, value: Any) -> Any:
        match value:
            case str():
                return self.text(value) if field in _FREE else value
            case Model():
                return self.of(value)
            case tuple():
                masked = tuple(self._value(field, inner) for inner in value)
                return masked if any(m is not v for m, v in zip(masked, value, strict=True)) else value
            case _:
                return value
