"""Windows as lists of facts and back: the evidence of an alert, readable and recomputable without any other state."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from services.contracts.values import FEN_LIMIT

#: Event id (null for what follows from the catalogue and the calendar), field, value.
WindowFact = tuple[str | None, str, int | str | bool | None]


def to_facts(window: Any) -> list[WindowFact]:
    """Write a window down: a part's fields as `part.field` with the part's event, its own fields with none."""
    facts: list[WindowFact] = []
    for own in fields(window):
        value = getattr(window, own.name)
        if is_dataclass(value):
            event = getattr(value, "event", None)
            inner = [f.name for f in fields(value) if f.name != "event"]
            facts += [(event, f"{own.name}.{name}", _plain(getattr(value, name))) for name in inner]
        elif value is not None:
            facts.append((None, own.name, _plain(value)))
    return facts


def _plain(value: Any) -> int | str | bool | None:
    if isinstance(value, date):  # a datetime is a date
        return value.isoformat()
    # Canonical JSON keeps integers below 2^53 only (RFC 8785); sums of many lines may pass it.
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > FEN_LIMIT:
        return str(value)
    plain: int | str | bool | None = value
    return plain


@cache
def _reader(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def from_facts(kind: type, facts: Sequence[WindowFact]) -> Any:
    """Read a window back; ValueError when the facts do not make one."""
    given: dict[str, Any] = dict.fromkeys(field.name for field in fields(kind))
    for event, name, value in facts:
        part, _, inner = name.partition(".")
        if inner:
            given[part] = {"event": event, **(given.get(part) or {}), inner: value}
        else:
            given[part] = value
    return _reader(kind).validate_python(given)
