"""From JSON to a body: unknown names, wrong types and oversize are refused with their places."""

from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from services.contracts.bodies import MAX_BODY_BYTES, MAX_LINES, Body, Ledger

_LEDGER: Final = TypeAdapter(Ledger)
#: Kinds of items that this version can read.
SUPPORTED_KINDS: Final = frozenset({"ledger"})


class OversizeError(ValueError):
    """The body has too many lines or bytes; `at` says where."""

    def __init__(self, message: str, *, at: str) -> None:
        """Name the place and what to do."""
        super().__init__(message)
        self.at = at


class MalformedBodyError(ValueError):
    """`errors` are pydantic's, with locations below the body."""

    def __init__(self, errors: list[Any]) -> None:
        """Keep the validator's errors."""
        super().__init__("malformed body")
        self.errors = errors


def read_body(raw: dict[str, Any]) -> Body:
    """Read a body; a misspelt field is an error, since silence would lose what it says."""
    lines = raw.get("lines")
    if isinstance(lines, list) and len(lines) > MAX_LINES:
        message = f"有 {len(lines)} 行，最多 {MAX_LINES} 行，请拆分成几份"
        raise OversizeError(message, at="body.lines")
    try:
        body = _LEDGER.validate_python(raw, extra="forbid")
    except ValidationError as error:
        raise MalformedBodyError(list(error.errors())) from error
    if len(_LEDGER.dump_json(body, exclude_none=True)) > MAX_BODY_BYTES:
        message = f"内容超过 {MAX_BODY_BYTES // 1024} KiB，请拆分成几份"
        raise OversizeError(message, at="body")
    return body
