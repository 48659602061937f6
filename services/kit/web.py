"""HTTP as all services speak it: the frame around every request, limits, and OpenAPI. Pure ASGI middleware only."""

import inspect
import re
import time
import uuid
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kit import metrics
from services.kit.address import coming_from
from services.kit.examples import restore_nulls
from services.kit.health import add_health
from services.kit.incoming import BODY, Doors, Incoming, serving
from services.kit.problems import internal_error, problem_components, register_error_handlers
from services.kit.runtime import AnyRuntime
from services.kit.settings import Settings
from services.kit.visit import note_refusal

#: No request of ours needs more: a body of 512 KiB plus its frame. Files have their own paths and limits.
MAX_REQUEST_BYTES: Final = 1024 * 1024
_CONVENTIONS: Final = (
    'Money is `…_fen` (分), times RFC 3339, lists `{"items": […], "next": cursor or null}`. '
    "Errors are problem+json with a `code`."
)
#: W3C Trace Context, version 00: the only form that events keep. A trace or a parent of noughts is none.
_TRACEPARENT: Final = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
SECURITY_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


# -- middleware ---------------------------------------------------------------------------------------------------


class Frame:
    """Outermost ASGI layer: request id, size limit, security headers, metrics, the last catch of errors."""

    def __init__(self, app: ASGIApp, uploads: Mapping[str, int], settings: Settings) -> None:
        """Wrap an application; `uploads` are the bytes allowed on paths that take files."""
        self._app = app
        self._uploads = uploads
        self._gateways = settings.gateways
        self._folder = settings.home / "incoming"
        self._doors = Doors()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what nobody caught becomes a problem with status 500."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, started_to_answer = time.perf_counter(), 500, False
        headers = dict(scope["headers"])
        request_id = uuid.uuid4().hex
        structlog.contextvars.bind_contextvars(request_id=request_id)
        if _TRACEPARENT.fullmatch(parent := headers.get(b"traceparent", b"")):
            structlog.contextvars.bind_contextvars(traceparent=parent.decode("ascii"))
        limit = self._uploads.get(scope["path"], MAX_REQUEST_BYTES)
        scope[BODY] = body = Incoming(receive, headers, limit, self._doors, self._folder)

        async def framed(message: Message) -> None:
            nonlocal status, started_to_answer
            if message["type"] == "http.response.start":
                status, started_to_answer = message["status"], True
                await body.drop()
                present = {name.lower(): value for name, value in message["headers"]}
                # What staff are answered is for them alone, be it a page, a problem or the way to one; what is public says so itself.
                extra = {**SECURITY_HEADERS, "x-request-id": request_id, "cache-control": "no-store"}
                if b"frame-ancestors *" in present.get(b"content-security-policy", b""):
                    # What may stand in a frame says so in its policy: an older header would take it back.
                    del extra["x-frame-options"]
                if body.is_left:
                    extra["connection"] = "close"
                message["headers"] = [
                    *message["headers"],
                    *((n.encode(), v.encode()) for n, v in extra.items() if n.encode() not in present),
                ]
            await send(message)

        try:
            with coming_from(scope, headers, self._gateways), serving(body):
                await self._app(scope, body.receive, framed)
        except Exception as error:
            # Whatever it is, the caller gets a problem and no traceback.
            if started_to_answer:
                raise
            await internal_error(Request(scope, receive), error)(scope, receive, framed)
        finally:
            body.close()
            route = metrics.route_of(scope["path"], getattr(scope.get("route"), "path", None))
            metrics.HTTP_DURATION.labels(metrics.method_label(scope["method"]), route, str(status)).observe(
                time.perf_counter() - started
            )
            structlog.contextvars.unbind_contextvars("request_id", "traceparent")


class _Application(FastAPI):
    """FastAPI's own document of the routes, with the problems that they may answer with."""

    problems: Mapping[str, Any]

    def openapi(self) -> dict[str, Any]:
        """OpenAPI 3.1 of the service."""
        if self.openapi_schema is None:
            document = super().openapi()
            restore_nulls(self, document)
            parts = document.setdefault("components", {})
            for name, known in self.problems.items():
                parts[name] = dict(sorted({**parts.get(name, {}), **known}.items()))
        return self.openapi_schema or {}


def create_web(
    runtime: AnyRuntime,
    about: str,
    *,
    errors: ModuleType | None = None,
    uploads: Mapping[str, int] | None = None,
) -> FastAPI:
    """A FastAPI application with everything above; the service adds its routes.

    `about`: what the service is, for OpenAPI; `errors`: the module with its own; `uploads`: bytes allowed by path.
    """
    app = _Application(
        title=f"阳光三务 {runtime.service}",
        version="0.1.0",
        description=f"{inspect.cleandoc(about)}\n\n{_CONVENTIONS}",
        license_info={"name": "Apache-2.0"},
        servers=[{"url": "/"}],
        # The documents are written when the code changes (`python -m deploy.docs`) and served as files.
        openapi_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.problems = problem_components(errors)
    app.state.runtime = runtime
    app.state.note_refusal = note_refusal
    register_error_handlers(app)
    app.add_middleware(Frame, uploads=uploads or {}, settings=runtime.settings)
    add_health(app, runtime)
    return app
