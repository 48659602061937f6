"""Lists: one codec of cursors, one rule of pages, one form of the answer.

Keyset: a cursor holds the place of the last item that was shown, so a list that grows meanwhile repeats and skips nothing.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from services.kit.errors import Fault, InvalidInputError

MAX_LIMIT: Final = 200
#: A place in a column of PostgreSQL's bigint.
Serial = Annotated[int, Field(ge=0, lt=2**63)]
K = TypeVar("K")
T = TypeVar("T")
R = TypeVar("R")


class Listing(BaseModel, Generic[T]):
    """A list, or a page of it."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    items: list[T]
    next: str | None = Field(
        default=None, description="cursor of what follows; null at the end", examples=["MjEwODgxMDA2MjA2"]
    )


@dataclass(frozen=True, slots=True)
class Page(Generic[K]):
    """Which part of a list is asked for: at most `limit` items after the place `after` (None: from the start)."""

    limit: int
    after: K | None
    cursor: "Cursor[K]"

    @property
    def fetch_limit(self) -> int:
        """How many rows to read: one more than is shown tells whether anything follows."""
        return self.limit + 1

    def following(self, rows: Sequence[R], place: Callable[[R], K]) -> str | None:
        """The cursor of what follows the rows that are shown, of rows read by `fetch_limit`; None when nothing does."""
        return self.cursor.text(place(rows[self.limit - 1])) if len(rows) > self.limit else None

    def of(self, rows: Sequence[R], place: Callable[[R], K], shown: Callable[[R], T]) -> Listing[T]:
        """The answer, of rows read by `fetch_limit`: `place` is a row's place in the order, `shown` how it leaves."""
        items = [shown(row) for row in rows[: self.limit]]
        return Listing(items=items, next=self.following(rows, place))


class Cursor(Generic[K]):
    """Places in one list's order as opaque text; as a dependency it reads the page that is asked for.

    `key` is what a place is made of: a type that JSON can hold, a NamedTuple for more than one column.
    """

    def __init__(self, key: Any) -> None:
        """Read and write places of this type; what came from somewhere else is refused."""
        self._places: TypeAdapter[K] = TypeAdapter(key)

    def text(self, place: K) -> str:
        """A place as a cursor."""
        return base64.urlsafe_b64encode(self._places.dump_json(place)).decode()

    def place(self, text: str) -> K:
        """The place that a cursor names; InvalidInputError when it is none of this list's."""
        try:
            return self._places.validate_json(base64.b64decode(text, altchars="-_", validate=True), strict=True)
        except ValueError as error:
            raise InvalidInputError(faults=[Fault("query.cursor", "不是本接口给出的游标，请从头读取")]) from error

    async def __call__(
        self,
        limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="how many items at most")] = 50,
        cursor: Annotated[
            str | None,
            Query(max_length=500, description="`next` of the answer before; without it from the start"),
        ] = None,
    ) -> Page[K]:
        """The page that a request asks for."""
        return Page(limit, self.place(cursor) if cursor is not None else None, self)
