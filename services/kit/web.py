"""HTTP as all services speak it: problem+json (RFC 9457), one transaction per request, idempotency keys, limits.

The transaction of a request is committed before the first byte of its answer leaves; a caller that reads 2xx can rely
on it. Pure ASGI middleware only.
"""

import base64
import hashlib
import json
import time
import traceback
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, cast
from urllib.parse import urlsplit

import structlog
from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kit import actions, metrics
from services.kit.auth import TOKEN_COOKIE, Actor, read_token
from services.kit.db import INFRASTRUCTURE_ERRORS, Connection, UnstorableError
from services.kit.errors import (
    Fault,
    ForbiddenError,
    IdempotencyKeyReusedError,
    InvalidInputError,
    SanwuError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
    faults_of,
)
from services.kit.health import add_health
from services.kit.log import get_logger
from services.kit.runtime import Runtime

log = get_logger(__name__)

#: No request of ours needs more: a body of 512 KiB plus its frame. Files have their own paths and limits.
MAX_REQUEST_BYTES: Final = 1024 * 1024
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
SECURITY_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


# -- dependencies -------------------------------------------------------------------------------------------------


def runtime_of(request: Request) -> Runtime:
    """The process's runtime."""
    return cast("Runtime", request.app.state.runtime)


async def _runtime(request: Request) -> Runtime:
    # Dependencies are coroutines all over: FastAPI sends a plain function through a thread, at every request.
    return runtime_of(request)


RuntimeDep = Annotated[Runtime, Depends(_runtime)]


async def _transaction(request: Request, runtime: RuntimeDep) -> AsyncIterator[Connection]:
    with actions.gathering() as subject:
        async with runtime.database.transaction() as conn:
            yield conn
            # What a member of staff changed goes into the trail with the change itself; an error above leaves neither.
            actor: Actor | None = getattr(request.state, "actor", None)
            if actor is not None and (request.method not in SAFE_METHODS or hasattr(request.state, "exports")):
                await _record(request, conn, actor, subject)


async def _record(request: Request, conn: Connection, actor: Actor, subject: actions.Subject) -> None:
    runtime, parameters = runtime_of(request), request.path_params
    subject.object = subject.object or ("/".join(str(p) for p in parameters.values())[:200] or None)
    if (village := parameters.get("village")) in runtime.reference.divisions:
        subject.village_code = village
    route = metrics.route_of(request.url.path, request.scope["route"].path)
    await actions.record(conn, actor.who, f"{request.method} {route}", runtime.clock.now(), subject)


async def _exporting(request: Request) -> None:
    request.state.exports = True


async def _reading(runtime: RuntimeDep) -> AsyncIterator[Connection]:
    async with runtime.database.connection() as conn:
        yield conn


#: `scope="function"`: the block ends, and the commit runs, before the answer is sent. Without it FastAPI answers first.
Transaction = Annotated[Connection, Depends(_transaction, scope="function")]
Reading = Annotated[Connection, Depends(_reading, scope="function")]
#: For a GET route that takes a Transaction and hands a file out: `dependencies=[EXPORTS]` puts it into the trail.
EXPORTS: Final = Depends(_exporting)


def _token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if token:
        return token if scheme.lower() == "bearer" else None
    cookie = request.cookies.get(TOKEN_COOKIE)
    if cookie and request.method not in SAFE_METHODS:
        _require_same_origin(request)
    return cookie


def _require_same_origin(request: Request) -> None:
    """A cookie travels by itself, so a foreign page could use it: unsafe methods must come from our own pages."""
    if request.headers.get("sec-fetch-site") == "same-origin":
        return
    origin, public = request.headers.get("origin"), urlsplit(runtime_of(request).settings.public_url)
    if origin is None or urlsplit(origin)[:2] != public[:2]:
        detail = "请求不是从本站页面发出的。"
        raise ForbiddenError(detail)


async def current_actor(request: Request, runtime: RuntimeDep) -> Actor:
    """Who asks; UnauthenticatedError when nobody is signed in."""
    token = _token(request)
    if token is None:
        raise UnauthenticatedError
    request.state.actor = actor = read_token(token, runtime.reference, runtime.clock.now())
    return actor


ActorDep = Annotated[Actor, Depends(current_actor)]


CLAIM_KEY = """
INSERT INTO idempotency (actor, route, key, request_digest, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (actor, route, key) DO NOTHING
"""
SELECT_ANSWER = """
SELECT request_digest, status, response FROM idempotency WHERE actor = $1 AND route = $2 AND key = $3
"""
SAVE_ANSWER = "UPDATE idempotency SET status = $4, response = $5 WHERE actor = $1 AND route = $2 AND key = $3"


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A request's Idempotency-Key within its transaction: the first answer is kept 48 h and given again."""

    conn: Connection
    actor: str
    route: str
    key: str | None
    digest: str

    async def answer(self, work: Callable[[], Awaitable[tuple[int, str]]], now: Any) -> Response:
        """Do the work once and answer with (status, JSON text); a repeated key gets the first answer."""
        if self.key is None:
            status, text = await work()
            return Response(text, status, media_type="application/json")
        claimed = await self.conn.execute(CLAIM_KEY, self.actor, self.route, self.key, self.digest, now)
        if claimed.endswith(" 0"):
            row = await self.conn.fetchrow(SELECT_ANSWER, self.actor, self.route, self.key)
            if row is None or row["request_digest"] != self.digest:
                raise IdempotencyKeyReusedError
            replayed = {"idempotency-replayed": "true"}
            return Response(row["response"], row["status"], media_type="application/json", headers=replayed)
        status, text = await work()
        await self.conn.execute(SAVE_ANSWER, self.actor, self.route, self.key, status, text)
        return Response(text, status, media_type="application/json")


async def _idempotency(
    request: Request,
    conn: Transaction,
    actor: ActorDep,
    key: Annotated[str | None, Header(alias="Idempotency-Key", min_length=8, max_length=100)] = None,
) -> Idempotency:
    # The path names the thing acted on: the same words about another thing are another request.
    digest = hashlib.sha256(request.url.path.encode() + b"\n" + await request.body()).hexdigest()
    route = metrics.route_of(request.url.path, request.scope["route"].path)
    return Idempotency(conn, actor.staff_id, f"{request.method} {route}", key, digest)


IdempotencyDep = Annotated[Idempotency, Depends(_idempotency)]


# -- lists --------------------------------------------------------------------------------------------------------

MAX_LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for: at most `limit` items after `after` (keyset, None = from the start)."""

    limit: int
    after: str | None

    def answer(self, items: Sequence[Any], next_after: str | None) -> dict[str, Any]:
        """The list as every list answers: items and an opaque cursor, null at the end."""
        cursor = base64.urlsafe_b64encode(next_after.encode()).decode() if next_after is not None else None
        return {"items": items, "next": cursor}


async def _page(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50, cursor: Annotated[str | None, Query(max_length=500)] = None
) -> Page:
    if cursor is None:
        return Page(limit, None)
    try:
        return Page(limit, base64.b64decode(cursor, altchars="-_", validate=True).decode())
    except ValueError as error:
        raise InvalidInputError(faults=[Fault("query.cursor", "不是本接口给出的游标，请从头读取")]) from error


PageDep = Annotated[Page, Depends(_page)]


# -- problems -----------------------------------------------------------------------------------------------------


def problem(request: Request, error: SanwuError) -> Response:
    """An error as problem+json (RFC 9457); `errors` names places in the input."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": (type(error).__doc__ or "").strip(),
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
        "instance": request.url.path,
        **error.extra,
    }
    if error.faults:
        body["errors"] = [{"at": f.at, "message": f.message} for f in error.faults]
    headers = {"cache-control": "no-store"}
    if error.status == UnauthenticatedError.status:
        headers["www-authenticate"] = "Bearer"
    if error.status == UnavailableError.status:
        headers["retry-after"] = "2"
    return Response(json.dumps(body, ensure_ascii=False), error.status, headers, "application/problem+json")


def _answer(request: Request, error: SanwuError) -> Response:
    """An error as the application wants it: a page for those who read pages, a problem for all others."""
    handler: Callable[[Request, SanwuError], Response] = getattr(request.app.state, "on_error", problem)
    return handler(request, error)


def _on_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    # FastAPI puts "body" in front; our own input models have a field of that name, so the frame is dropped.
    faults = [Fault(f.at.removeprefix("body."), f.message) for f in faults_of(error.errors())]
    return _answer(request, InvalidInputError(faults=faults))


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    # FastAPI wraps whatever goes wrong while a body is read, our own size limit included.
    if isinstance(error.__cause__, SanwuError):
        return _answer(request, error.__cause__)
    if error.status_code == _BAD_REQUEST:
        form = request.headers.get("content-type", "").startswith("multipart/")
        what = "完整的表单（multipart/form-data），请重新上传" if form else " UTF-8 编码的 JSON"
        return _answer(request, InvalidInputError(faults=[Fault("body", f"无法读取，应为{what}")]))
    code = _HTTP_CODES.get(error.status_code, "http")
    members = {"status": error.status_code, "code": code, "__doc__": str(error.detail)}
    return _answer(request, type("HttpError", (SanwuError,), members)(_HTTP_DETAILS.get(error.status_code)))


_BAD_REQUEST: Final = 400
_HTTP_CODES: Final = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
_HTTP_DETAILS: Final = {404: "没有这个地址。", 405: "这个地址不支持此方法。"}


def _on_unavailable(request: Request, error: Exception) -> Response:
    log.warning("database unavailable", error=repr(error))
    return _answer(request, UnavailableError())


def _on_unstorable(request: Request, error: Exception) -> Response:
    # Its text repeats the value, so only the kind of error is told.
    log.warning("value refused by the database", kind=type(error).__name__)
    return _answer(request, InvalidInputError("内容中有无法保存的字符（如空字符）或过大的数字，请修改后再提交。"))


def _on_sanwu(request: Request, error: Exception) -> Response:
    assert isinstance(error, SanwuError)  # noqa: S101 - registered for this class
    return _answer(request, error)


def _on_bug(request: Request, error: Exception) -> Response:
    stack = "".join(traceback.format_exception(error))[-4000:]
    log.error("request failed", path=request.url.path, error=repr(error), stack=stack)
    return problem(request, SanwuError("系统出错，已记录。请稍后再试。"))


# -- middleware ---------------------------------------------------------------------------------------------------


class Frame:
    """Outermost ASGI layer: request id, size limit, security headers, metrics, the last catch of errors."""

    def __init__(self, app: ASGIApp, uploads: Mapping[str, int]) -> None:
        """Wrap an application; `uploads` are the bytes allowed on paths that take files."""
        self._app = app
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, started_to_answer = time.perf_counter(), 500, False
        headers = dict(scope["headers"])
        request_id = uuid.uuid4().hex
        structlog.contextvars.bind_contextvars(request_id=request_id)
        if (parent := headers.get(b"traceparent")) is not None:
            structlog.contextvars.bind_contextvars(traceparent=parent.decode("latin-1")[:100])

        async def framed(message: Message) -> None:
            nonlocal status, started_to_answer
            if message["type"] == "http.response.start":
                status, started_to_answer = message["status"], True
                present = {name.lower() for name, _ in message["headers"]}
                extra = {**SECURITY_HEADERS, "x-request-id": request_id}
                message["headers"] = [
                    *message["headers"],
                    *((n.encode(), v.encode()) for n, v in extra.items() if n.encode() not in present),
                ]
            await send(message)

        try:
            limit = self._uploads.get(scope["path"], MAX_REQUEST_BYTES)
            await self._app(scope, _limited(receive, headers, limit), framed)
        except Exception as error:
            # Whatever it is, the caller gets a problem and no traceback.
            if started_to_answer:
                raise
            await _on_bug(Request(scope, receive), error)(scope, receive, framed)
        finally:
            route = metrics.route_of(scope["path"], getattr(scope.get("route"), "path", None))
            metrics.HTTP_DURATION.labels(metrics.method_label(scope["method"]), route, str(status)).observe(
                time.perf_counter() - started
            )
            structlog.contextvars.unbind_contextvars("request_id", "traceparent")


def _limited(receive: Receive, headers: dict[bytes, bytes], limit: int) -> Receive:
    """Refuse a body beyond the limit while it streams in, whatever its Content-Length says."""
    length = headers.get(b"content-length", b"0")
    seen = int(length) if length.isdigit() and int(length) > limit else 0

    async def limited() -> Message:
        nonlocal seen
        if seen > limit:
            raise TooLargeError
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise TooLargeError
        return message

    return limited


def create_web(runtime: Runtime, title: str, *, uploads: Mapping[str, int] | None = None) -> FastAPI:
    """A FastAPI application with everything above; the service adds its routes. `uploads`: bytes allowed by path."""
    app = FastAPI(title=title, version="0.1.0", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.runtime = runtime
    app.add_exception_handler(SanwuError, _on_sanwu)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    for kind in INFRASTRUCTURE_ERRORS:
        app.add_exception_handler(kind, _on_unavailable)
    app.add_exception_handler(UnstorableError, _on_unstorable)
    app.add_middleware(Frame, uploads=uploads or {})
    add_health(app, runtime)
    return app
