"""`python -m services.publish.hot.standby`: rendered bodies from their files alone, for when publish does not answer.

A process of its own, without database, topics, templates or memory of what it gave out before: it finds what stands on
the disk at this moment, so nothing that was withdrawn, and says how old that is. The gateway asks it for what publish
did not answer in time (docs/adr/0015).
"""

import asyncio
import contextlib
import os
import signal
import sys
from email.utils import formatdate
from pathlib import Path
from typing import Final

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from pydantic import ValidationError
from starlette.types import Receive, Scope, Send

from services.kit.clock import SystemClock
from services.kit.log import configure_logs
from services.kit.web import SECURITY_HEADERS
from services.publish.hot.aged import with_ribbon
from services.publish.hot.answers import Body, BrokenFileError, plain
from services.publish.hot.files import file_of, releases
from services.publish.settings import StandbySettings

_HEALTH: Final = frozenset({"/livez", "/readyz"})
_READING: Final = frozenset({"GET", "HEAD"})
_DRAIN_S: Final = 2.0
_RIBBON: Final = (
    '<div class="stored" role="status"><strong>这一页是 {at} 存下的</strong>　'
    "网站正在恢复，那以后的变化可能还没有显示。请过一会儿再打开看看</div>"
)
Found = tuple[Body, float]


def find(rendered: Path, path: str) -> Found | None:
    """The rendered body of a path and when it was written; None when there is none that is whole."""
    found = []
    for release in releases(rendered):
        target = file_of(release, path)
        if target is None:
            return None
        with contextlib.suppress(OSError, BrokenFileError), target.open("rb") as file:
            found.append((plain(file.read()), os.fstat(file.fileno()).st_mtime))
    # Two releases stand side by side only while one takes the other's place.
    return max(found, key=lambda f: f[1], default=None)


class Standby:
    """Answers from files alone: no database, no Kafka, no FastAPI."""

    def __init__(self, rendered: Path) -> None:
        """Answer from the releases in a folder."""
        self._rendered = rendered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Give what is on the disk; 503 for everything else, marked so that the gateway asks publish again."""
        if scope["type"] != "http":
            return
        path = scope["path"]
        found = None
        if path in _HEALTH:
            status, headers, content = 200, {"content-type": "text/plain"}, b"ok\n"
        elif scope["method"] in _READING and (found := find(self._rendered, path)) is not None:
            body, written = found
            status, headers, content = body.status, _headers(body, written), with_ribbon(body, _RIBBON, written)
        else:
            status, headers, content = 503, {"cache-status": "standby; fwd=miss", "cache-control": "no-store"}, b""
        headers["content-length"] = str(len(content))
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})


def _headers(body: Body, written: float) -> dict[str, str]:
    """Its age in the words of HTTP (RFC 9111, RFC 9211); kept by nobody, and no page for search engines."""
    return {
        **SECURITY_HEADERS,
        "content-type": body.media_type,
        "cache-control": "no-store",
        "x-robots-tag": "noindex",
        "age": str(max(0, int(SystemClock().now().timestamp() - written))),
        "last-modified": formatdate(written, usegmt=True),
        "cache-status": "standby; hit",
    }


async def serve(settings: StandbySettings) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = Server(
        Standby(settings.home / "publish"),
        address=settings.http_host,
        port=settings.http_port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        log_access=False,
        log_enabled=False,
    )
    serving, stopping = asyncio.ensure_future(server.serve()), asyncio.ensure_future(stop.wait())
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    if not stop.is_set():
        await serving
        message = "the HTTP server ended by itself"
        raise RuntimeError(message)
    server.stop()  # type: ignore[no-untyped-call] # granian ships no types
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(serving, _DRAIN_S)


def run() -> int:
    """The command line; wrong settings are named, all of them."""
    try:
        settings = StandbySettings()
    except ValidationError as error:
        for fault in error.errors():
            sys.stderr.write(f"SANWU_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}\n")
        return 2
    configure_logs("standby")
    uvloop.run(serve(settings))
    return 0


if __name__ == "__main__":
    sys.exit(run())
