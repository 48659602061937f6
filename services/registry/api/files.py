"""A CSV file as the body of a request."""

from typing import Annotated, Any, Final

from fastapi import Depends, Request


async def _body(request: Request) -> bytes:
    return await request.body()


CsvDep = Annotated[bytes, Depends(_body)]
#: For a route's `openapi_extra`.
TAKES_CSV: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}
}
