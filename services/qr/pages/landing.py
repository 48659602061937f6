"""The thin path before FastAPI: a scan of a code that counts is answered here from memory; everything else goes on.

A phone on a slow line waits for nothing of ours: one look-up, two sends. What the brake refuses, what is strange, revoked or
not read yet, and what has a body, goes the common way.
"""

import time
import uuid
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.contracts.code import read_code
from services.kit import metrics as kit_metrics
from services.kit.address import coming_from
from services.kit.clock import local_day
from services.kit.rates import TooOftenError
from services.kit.web import SECURITY_HEADERS
from services.qr import metrics
from services.qr.pages.scanning import leads_to
from services.qr.visit import QrRuntime

_PREFIX: Final = "/c/"
#: As many signs as somebody types who sets a blank or a dash in between.
_LONGEST: Final = 12
_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"content-length", b"0"),
    *((name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()),
)
_EMPTY: Final[Message] = {"type": "http.response.body", "body": b""}
_BODIES: Final = frozenset({b"content-length", b"transfer-encoding"})
_TIMES: Final = kit_metrics.HTTP_DURATION.labels("GET", "/c/{code}", "302")
_SCANNED: Final = metrics.SCANS.labels(outcome="valid")


class Landing:
    """Outermost ASGI layer of qr."""

    def __init__(self, app: ASGIApp, runtime: QrRuntime) -> None:
        """Stand before an application, which answers all the rest."""
        self._app = app
        self._runtime = runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lead on at once, or hand on."""
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith(_PREFIX):
            started = time.perf_counter()
            to = self._target(scope)
            if to is not None:
                named = ((b"location", to.encode()), (b"x-request-id", uuid.uuid4().hex.encode()))
                await send({"type": "http.response.start", "status": 302, "headers": [*_HEADERS, *named]})
                await send(_EMPTY)
                _TIMES.observe(time.perf_counter() - started)
                return
        await self._app(scope, receive, send)

    def _target(self, scope: Scope) -> str | None:
        """Where a scan leads, counted; None for what goes the common way."""
        text, headers = scope["path"][len(_PREFIX) :], dict(scope["headers"])
        code = read_code(text) if len(text) <= _LONGEST else None
        row = self._runtime.own.codes.known(code) if code is not None else None
        if row is None or row.state != "valid" or not _BODIES.isdisjoint(headers):
            return None
        now = self._runtime.clock.now()
        with coming_from(scope, headers, self._runtime.settings.gateways):
            try:
                self._runtime.own.scans.let_in(now)
            except TooOftenError:
                return None
        self._runtime.own.counted.count(local_day(now), row.code)
        _SCANNED.inc()
        return leads_to(row)
