"""From JSON to a body: unknown names, wrong types and oversize are refused with their places."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from pydantic import ValidationError

from services.contracts.bodies import (
    MAX_BODY_BYTES,
    MAX_LINES,
    Body,
    Content,
    Contract,
    Decision,
    Ledger,
    Notice,
    Project,
    Roster,
    Table,
    settled,
)
from services.contracts.catalogue import ItemKind

_MODELS: Final[Mapping[str, type[Content]]] = MappingProxyType(
    {
        ItemKind.LEDGER: Ledger,
        ItemKind.ROSTER: Roster,
        ItemKind.NOTICE: Notice,
        ItemKind.DECISION: Decision,
        ItemKind.CONTRACT: Contract,
        ItemKind.PROJECT: Project,
        ItemKind.TABLE: Table,
    },
)
#: Where a body keeps its lines, by field.
_ROWS: Final = ("lines", "entries", "rows")


class OversizeError(ValueError):
    """The body has too many lines or bytes; `at` says where."""

    def __init__(self, message: str, *, at: str) -> None:
        """Name the place and what to do."""
        super().__init__(message)
        self.at = at


class MalformedBodyError(ValueError):
    """`errors` are pydantic's, with locations below the body."""

    def __init__(self, errors: list[Any]) -> None:
        """Keep the errors of the validator, each with its place."""
        super().__init__("malformed body")
        self.errors = errors


def read_body(raw: dict[str, Any]) -> Body:
    """Read a body; a misspelt field is an error, since silence would lose what it says.

    What its author left unsaid of a table's columns is settled now: names and units may mean something else one day.
    """
    for field in _ROWS:
        rows = raw.get(field)
        if isinstance(rows, list) and len(rows) > MAX_LINES:
            message = f"有 {len(rows)} 行，最多 {MAX_LINES} 行，请拆分成几份"
            raise OversizeError(message, at=f"body.{field}")
    model = _MODELS.get(str(raw.get("kind")))
    if model is None:
        kinds = "、".join(_MODELS)
        raise MalformedBodyError([{"loc": ("kind",), "type": "kind", "msg": f"应为 {kinds} 之一"}])
    try:
        body = model.model_validate(raw, extra="forbid")
    except ValidationError as error:
        raise MalformedBodyError(list(error.errors())) from error
    if len(body.model_dump_json(exclude_none=True).encode()) > MAX_BODY_BYTES:
        message = f"内容超过 {MAX_BODY_BYTES // 1024} KiB，请拆分成几份"
        raise OversizeError(message, at="body")
    return settled(cast("Body", body))


def fits_item(kind: ItemKind, body: Body) -> bool:
    """Tell whether a content is one of an item of some kind; what is let or built may begin with a tender's notice."""
    is_tender = isinstance(body, Notice) and body.tender is not None
    return body.kind == kind or (is_tender and kind in {ItemKind.CONTRACT, ItemKind.PROJECT})
