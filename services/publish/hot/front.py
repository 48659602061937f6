"""The thin path before FastAPI: a rendered body or a fixed file is answered here, everything else goes on.

Per request it does one look-up and two sends, and no system call: those let other threads in between and cost more than
all the rest. A body is checked against its file whenever the generation has changed, so no process answers with a body
that another one has withdrawn, and twice a second in case somebody removed the folder by hand.
"""

import os
from collections import OrderedDict
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from time import monotonic
from typing import Any, Final

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.publish import metrics
from services.publish.hot.absent import Absent, Place
from services.publish.hot.aged import Aged
from services.publish.hot.answers import (
    CACHE_CONTROL,
    FOR_PROGRAMS,
    JSON,
    OF_PERSONS,
    Answer,
    BrokenFileError,
    Message,
    Start,
    etag_of,
    negotiated,
)
from services.publish.hot.files import Generation, file_of

_COUNTED: Final = 64
_NOT_FOUND: Final = 404
_LOOK_COUNTS_S: Final = 0.5
_READING: Final = frozenset({"GET", "HEAD"})
#: Whose bodies are kept as files can be told without a release.
_ANY: Final = Path()
_EMPTY: Final[Message] = {"type": "http.response.body", "body": b""}


class _Kept:
    """A body in memory: the generation in which its file was last looked at, and until when that look counts."""

    __slots__ = ("answer", "generation", "name", "until")

    def __init__(self, name: str, answer: Answer) -> None:
        self.name = name
        self.answer = answer
        self.generation = -1
        self.until = 0.0


class Store:
    """Rendered bodies in memory, the least recently used dropped first, each checked against its file."""

    def __init__(self, release: Path, limit: int) -> None:
        """Keep up to `limit` bytes of a release's bodies."""
        self._release = release
        self._limit = limit
        self._size = 0
        self._generation = Generation(release.parent).view
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def get(self, path: str) -> Answer | None:
        """The answer for a path as its file stands now; None when there is none."""
        kept = self._kept.get(path)
        if kept is None:
            return self._read(path)
        if kept.generation == self._generation[0] and monotonic() < kept.until:
            return kept.answer
        return self._look_again(path, kept)

    def _look_again(self, path: str, kept: _Kept) -> Answer | None:
        # Read before the look: whatever changes after it shows another number.
        generation = self._generation[0]
        try:
            stat = os.stat(kept.name)  # noqa: PTH116 - a Path object costs more than the call
        except OSError:
            self._drop(path)
            # The whole folder may have gone, and the number with it.
            self._generation = Generation(self._release.parent).view
            return None
        if kept.answer.signature != (stat.st_ino, stat.st_mtime_ns):
            self._drop(path)
            return self._read(path)
        kept.generation, kept.until = generation, monotonic() + _LOOK_COUNTS_S
        self._kept.move_to_end(path)
        return kept.answer

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
        self._kept[path] = _Kept(str(target), answer)
        self._size += answer.size
        while self._size > self._limit and self._kept:
            self._drop(next(iter(self._kept)))
        metrics.HOT_BYTES.set(self._size)
        return answer

    def _drop(self, path: str) -> None:
        self._size -= self._kept.pop(path).answer.size


class Front:
    """The outermost ASGI application of publish."""

    def __init__(self, app: ASGIApp, store: Store, absent: Absent, aged: Aged, fixed: Mapping[str, Answer]) -> None:
        """Put rendered bodies (`store`, marked by `aged`), what is `absent`, and files that never change (`fixed`, by path) before an application."""
        self.app = app
        self._get = store.get
        self._aged = aged.mark
        self._fixed = fixed
        self._answered = 0
        self._absent = absent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from a rendered body if there is one."""
        if scope["type"] != "http" or scope["method"] not in _READING:
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        place = (scope["method"], path)
        missing = self._absent.get(place)
        if missing is None or self._absent.needs_look(missing):
            answer = self._fixed.get(path) or self._get(path)
            if answer is None and missing is None:
                answer = await self._absent.await_file(path, self._get)
            if answer is not None:
                self._absent.drop(place)
                await self._send(self._aged(path, answer), scope, send)
                return
        if missing is None:
            await self._from_behind(place, scope, receive, send)
            return
        for message in missing.messages:
            await send(message)

    async def _send(self, answer: Answer, scope: Scope, send: Send) -> None:
        # The counter takes a lock; in steps it costs nothing.
        self._answered += 1
        if self._answered == _COUNTED:
            self._answered = 0
            metrics.HOT_ANSWERS.inc(_COUNTED)
        start, body = choose(answer, scope)
        await send(start)
        await send(body)

    async def _from_behind(self, place: Place, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the application; what it does not have is remembered for a while."""
        if file_of(_ANY, place[1]) is None:
            await self.app(scope, receive, send)
            return
        asked = self._absent.begin(place)
        said: list[Message] = []

        async def heard(message: MutableMapping[str, Any]) -> None:
            said.append(dict(message))
            await send(message)

        await self.app(scope, receive, heard)
        if said[0].get("status") == _NOT_FOUND:
            self._absent.keep(place, asked, said)


def choose(answer: Answer, scope: Scope) -> tuple[Start, Message]:
    """The variant that the reader takes, or 304 when it has it; without the body for HEAD."""
    accepted = b""
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            accepted = value
        elif name == b"if-none-match" and answer.not_modified is not None and (answer.etag in value or value == b"*"):
            return answer.not_modified, _EMPTY
    start, body = answer.variants[negotiated(accepted)]
    return start, body if scope["method"] == "GET" else _EMPTY


class AnswerResponse(Response):
    """An answer as `Front` gives it, from FastAPI behind it: for a body that was not rendered yet."""

    def __init__(self, answer: Answer) -> None:
        """Take an answer that nobody else holds: the frame around adds headers to it."""
        super().__init__(status_code=answer.variants["identity"][0]["status"])
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send the variant that the request accepts; 304 when the reader has it."""
        start, body = choose(self._answer, scope)
        await send(start)
        await send(body)


def cached_json(content: bytes, if_none_match: str | None, *, of_persons: bool = False) -> Response:
    """A JSON list: not kept, but tagged and cacheable like the rendered bodies; the gateway compresses it."""
    tag = etag_of(content)
    headers = {"etag": f'"{tag}"', "cache-control": CACHE_CONTROL, "vary": "Accept-Encoding", **FOR_PROGRAMS}
    if of_persons:
        headers |= {"cache-control": OF_PERSONS, "x-robots-tag": "noindex"}
    if if_none_match is not None and (tag in if_none_match or if_none_match == "*"):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=JSON)
