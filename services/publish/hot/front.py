"""The thin path before FastAPI: a rendered body or a fixed file is answered here, everything else goes on.

Per request it does one look-up, one stat and two sends. The stat sees at once that a file was replaced or removed,
so no process answers with a body that another one has withdrawn.
"""

import os
import time
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.publish import metrics
from services.publish.hot.answers import CACHE_CONTROL, JSON, Answer, BrokenFileError, etag_of, negotiated
from services.publish.hot.files import file_of

_COUNTED: Final = 64
#: A page that is awaited is asked for again and again; so long the answer "not there" is kept. A file beats it at once.
_ABSENT_S: Final = 0.25
_MOST_ABSENT: Final = 2000
_NOT_FOUND: Final = 404
_EMPTY: Final = {"type": "http.response.body", "body": b""}


class Store:
    """Rendered bodies in memory, the least recently read dropped first, each checked against its file."""

    def __init__(self, release: Path, limit: int) -> None:
        """Keep up to `limit` bytes of a release's bodies."""
        self._release = release
        self._limit = limit
        self._size = 0
        self._kept: OrderedDict[str, tuple[str, Answer]] = OrderedDict()

    def get(self, path: str) -> Answer | None:
        """The answer for a path as its file stands now; None when there is none."""
        kept = self._kept.get(path)
        if kept is not None:
            name, answer = kept
            try:
                stat = os.stat(name)  # noqa: PTH116 - a Path object costs more than the call
            except OSError:
                self._drop(path)
                return None
            if answer.signature == (stat.st_ino, stat.st_mtime_ns):
                self._kept.move_to_end(path)
                return answer
            self._drop(path)
        return self._read(path)

    def _read(self, path: str) -> Answer | None:
        target = file_of(self._release, path)
        if target is None:
            return None
        try:
            with target.open("rb") as file:
                stat = os.fstat(file.fileno())
                answer = Answer(file.read())
        except (OSError, BrokenFileError):
            return None
        answer.signature = (stat.st_ino, stat.st_mtime_ns)
        self._kept[path] = (str(target), answer)
        self._size += answer.size
        while self._size > self._limit and self._kept:
            self._drop(next(iter(self._kept)))
        metrics.HOT_BYTES.set(self._size)
        return answer

    def _drop(self, path: str) -> None:
        _, answer = self._kept.pop(path)
        self._size -= answer.size


class Front:
    """The outermost ASGI application of publish."""

    def __init__(self, app: ASGIApp, store: Store, fixed: Mapping[str, Answer]) -> None:
        """Put rendered bodies (`store`) and files that never change (`fixed`, by path) before an application."""
        self.app = app
        self._store = store
        self._fixed = fixed
        self._answered = 0
        self._absent: dict[tuple[str, str], tuple[float, list[Message]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from a rendered body if there is one."""
        if scope["type"] == "http" and (method := scope["method"]) in {"GET", "HEAD"}:
            path = scope["path"]
            answer = self._store.get(path) or self._fixed.get(path)
            if answer is not None:
                self._count()
                await send_answer(answer, scope, send, head=method == "HEAD")
                return
            await self._from_behind(path, scope, receive, send)
            return
        await self.app(scope, receive, send)

    async def _from_behind(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the application; a 404 is remembered for a moment."""
        place = (scope["method"], path)
        until, messages = self._absent.get(place, (0.0, []))
        if until > time.monotonic():
            for message in messages:
                await send(message)
            return
        said: list[Message] = []

        async def heard(message: Message) -> None:
            said.append(message)
            await send(message)

        await self.app(scope, receive, heard)
        if said and said[0].get("status") == _NOT_FOUND:
            if len(self._absent) >= _MOST_ABSENT:
                self._absent.clear()
            self._absent[place] = (time.monotonic() + _ABSENT_S, said)

    def _count(self) -> None:
        # The counter takes a lock; in steps it costs nothing.
        self._answered += 1
        if self._answered == _COUNTED:
            self._answered = 0
            metrics.HOT_ANSWERS.inc(_COUNTED)


async def send_answer(answer: Answer, scope: Scope, send: Send, *, head: bool = False) -> None:
    """Send the variant that the reader takes, or 304 when it has it."""
    encoding = "identity"
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            encoding = negotiated(value)
        elif name == b"if-none-match" and answer.not_modified is not None and (answer.etag in value or value == b"*"):
            await send(answer.not_modified)
            await send(_EMPTY)
            return
    start, body = answer.variants[encoding]
    await send(start)
    await send(_EMPTY if head else body)


class AnswerResponse(Response):
    """The same answer from behind: for a body that was not rendered yet."""

    def __init__(self, answer: Answer) -> None:
        """Take an answer that nobody else holds: the frame around adds headers to it."""
        super().__init__(status_code=answer.variants["identity"][0]["status"])
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send it."""
        await send_answer(self._answer, scope, send, head=scope["method"] == "HEAD")


def cached_json(content: bytes, if_none_match: str | None) -> Response:
    """A JSON list: not kept, but tagged and cacheable like the rendered bodies; the gateway compresses it."""
    tag = etag_of(content)
    headers = {"etag": f'"{tag}"', "cache-control": CACHE_CONTROL, "vary": "Accept-Encoding"}
    if if_none_match is not None and (tag in if_none_match or if_none_match == "*"):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=JSON)
