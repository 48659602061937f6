"""The pages in English, below `/en`: what stands at the same path without it, told by the table of words.

Nothing of it is kept: of what was withdrawn there is nothing left here either.
"""

import asyncio
from collections.abc import MutableMapping, Sequence
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from services.publish.render.translated import PREFIX, in_english_path, translated

_HTML: Final = b"text/html"
#: Asked for whole and plain, as it is read here; what a reader has already is another page than the one behind.
_NOT_PASSED: Final = frozenset({b"accept-encoding", b"if-none-match", b"if-modified-since", b"range"})
#: Of the body as it was.
_NOT_KEPT: Final = frozenset({b"content-length", b"etag", b"content-encoding", b"last-modified"})
_LOCATION: Final = b"location"

Headers = Sequence[tuple[bytes, bytes]]


class English:
    """An ASGI application before publish's: takes `/en` off the path, and gives the page that comes back in English."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a page below `/en`; pass everything else on as it is."""
        path = scope.get("path", "")
        inner = path.removeprefix(PREFIX) or "/"
        if scope["type"] != "http" or inner == path or in_english_path(inner) is None:
            await self.app(scope, receive, send)
            return
        headers = [(n, v) for n, v in scope["headers"] if n not in _NOT_PASSED]
        raw = scope.get("raw_path", b"").removeprefix(PREFIX.encode()) or b"/"
        plain = {**scope, "path": inner, "raw_path": raw, "headers": headers}
        await self.app(plain, receive, _Answer(send).hear)


class _Answer:
    """Gathers the answer of a page and sends it in English; of anything but a page it passes everything on."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: MutableMapping[str, Any] | None = None
        self._body = bytearray()

    async def hear(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = [(n, _led(v) if n == _LOCATION else v) for n, v in message["headers"]]
            message = {**message, "headers": headers}
            if any(n == b"content-type" and v.startswith(_HTML) for n, v in headers):
                self._start = message
                return
        elif self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self._start)
            return
        await self._send(message)

    async def _finish(self, start: MutableMapping[str, Any]) -> None:
        body = b""
        if self._body:
            # Some milliseconds for the largest page, and the loop answers others meanwhile.
            body = (await asyncio.to_thread(translated, self._body.decode())).encode()
        headers = [(n, v) for n, v in start["headers"] if n not in _NOT_KEPT]
        if body:
            headers.append((b"content-length", str(len(body)).encode()))
        await self._send({**start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _led(location: bytes) -> bytes:
    """Where a form leads, in English too."""
    return (in_english_path(location.decode("latin-1")) or location.decode("latin-1")).encode("latin-1")
