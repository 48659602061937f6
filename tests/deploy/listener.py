"""What stands behind a gateway under test: it answers every request with its name, after a pause if need be."""

import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Self


class Listener:
    """A server on a port of its own; `pause_s` is how long it thinks before each answer."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.pause_s = 0.0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Answering, self))

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class _Answering(BaseHTTPRequestHandler):
    def __init__(self, listener: Listener, *rest: object) -> None:
        self.listener = listener
        super().__init__(*rest)  # type: ignore[arg-type] # the server's own arguments, passed on

    def _say(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", "0")))
        time.sleep(self.listener.pause_s)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.send_header("x-answered-by", self.listener.name)
        self.end_headers()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _say  # noqa: N815 - named by the standard library

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the standard library
        """Say nothing."""
