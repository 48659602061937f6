"""Windows as lists of facts and back: the evidence of an alert, readable and recomputable without any other state."""

import re
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter

from services.contracts.values import FEN_LIMIT

_ROW: Final = re.compile(r"(?P<name>[a-z_]+)\[(?P<number>[0-9]{1,4})\]")
#: Event id (null for what follows from the catalogue and the calendar), field, value.
WindowFact = tuple[str | None, str, int | str | bool | None]


def to_facts(window: Any) -> list[WindowFact]:
    """Write a window down: a part's fields as `part.field` with the part's event, its own fields with none.

    A row of parts is written as `parts[0].field`, `parts[1].field` and so on.
    """
    facts: list[WindowFact] = []
    for own in fields(window):
        value = getattr(window, own.name)
        if isinstance(value, tuple):
            for n, part in enumerate(value):
                facts += _part_facts(f"{own.name}[{n}]", part)
        elif is_dataclass(value):
            facts += _part_facts(own.name, value)
        elif value is not None:
            facts.append((None, own.name, _plain(value)))
    return facts


def _part_facts(name: str, part: Any) -> list[WindowFact]:
    event = getattr(part, "event", None)
    inner = [f.name for f in fields(part) if f.name != "event"]
    return [(event, f"{name}.{field}", _plain(getattr(part, field))) for field in inner]


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
    given: dict[str, Any] = {f.name: [] if str(f.type).startswith("tuple[") else None for f in fields(kind)}
    for event, name, value in facts:
        part, _, inner = name.partition(".")
        row = _ROW.fullmatch(part)
        if not inner:
            given[part] = value
        elif row is None:
            given[part] = {"event": event, **(given.get(part) or {}), inner: value}
        else:
            _put_into_row(given[row["name"]], int(row["number"]), {"event": event, inner: value})
    return _reader(kind).validate_python(given)


def _put_into_row(row: list[dict[str, Any]], number: int, value: dict[str, Any]) -> None:
    """Parts come in their order: the next one, or more of the last."""
    if number == len(row):
        row.append(value)
    elif number == len(row) - 1:
        row[number] |= value
    else:
        message = f"part {number} does not follow part {len(row) - 1}"
        raise ValueError(message)
