"""Errors as problem+json (RFC 9457), or as a page where a service shows pages; and what OpenAPI says of them."""

import inspect
import json
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import ModuleType
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from services.kit import errors as common
from services.kit.db import INFRASTRUCTURE_ERRORS, UnstorableError
from services.kit.errors import (
    Fault,
    InvalidInputError,
    SanwuError,
    TooSlowError,
    UnauthenticatedError,
    UnavailableError,
    faults_of,
)
from services.kit.log import get_logger

log = get_logger(__name__)
MEDIA_TYPE: Final = "application/problem+json"
PROBLEM_CONTENT: Final = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


class FaultOut(BaseModel):
    """One thing wrong in what came in."""

    at: str = Field(description="the place in the input, as `body.lines[3].date`")
    message: str = Field(description="what is wrong and what to do, in Chinese")


class Problem(BaseModel):
    """RFC 9457. `code` is for programs and stays; some codes bring members of their own."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str | None = None
    instance: str | None = None
    errors: list[FaultOut] | None = None


def problem(request: Request, error: SanwuError) -> Response:
    """An error as problem+json; `errors` names places in the input."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
        "instance": request.url.path,
        **error.extra,
    }
    if error.faults:
        body["errors"] = [{"at": f.at, "message": f.message} for f in error.faults]
    headers = headers_of(error)
    if error.status == UnauthenticatedError.status:
        headers["www-authenticate"] = "Bearer"
    return Response(json.dumps(body, ensure_ascii=False), error.status, headers, MEDIA_TYPE)


def headers_of(error: SanwuError) -> dict[str, str]:
    """What goes with an error, be it told as a problem or as a page."""
    headers = {"cache-control": "no-store"}
    # An error that knows how long says it in its body too.
    if (wait := error.extra.get("retry_after_s", error.retry_after_s)) is not None:
        headers["retry-after"] = str(wait)
    if error.status == TooSlowError.status:
        # What may still come of the body must not be read as another request.
        headers["connection"] = "close"
    return headers


# -- from what is raised


class HttpError(SanwuError):
    """What the framework refuses by itself: an address that is not there, a method that it does not know."""

    def __init__(self, error: HTTPException) -> None:
        """Take its status; its text becomes the title."""
        super().__init__(_HTTP_DETAILS.get(error.status_code) or str(error.detail))
        self.status = error.status_code
        self.code = _HTTP_CODES.get(error.status_code, "http")
        self.title = str(error.detail)


_BAD_REQUEST: Final = 400
_HTTP_CODES: Final = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
_HTTP_DETAILS: Final = {404: "没有这个地址。", 405: "这个地址不支持此方法。"}


def _answer(request: Request, error: SanwuError) -> Response:
    """An error as the application wants it: a page for those who read pages, a problem for all others."""
    handler: Callable[[Request, SanwuError], Response] = getattr(request.app.state, "on_error", problem)
    return handler(request, error)


async def _on_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    # FastAPI puts "body" in front; our own input models have a field of that name, so the frame is dropped.
    faults = [Fault(f.at.removeprefix("body."), f.message) for f in faults_of(error.errors())]
    return _answer(request, InvalidInputError(faults=faults))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    # FastAPI wraps whatever goes wrong while a body is read, our own size limit included.
    if isinstance(error.__cause__, SanwuError):
        return _answer(request, error.__cause__)
    if error.status_code == _BAD_REQUEST:
        form = request.headers.get("content-type", "").startswith("multipart/")
        what = "完整的表单，请重新上传" if form else " UTF-8 编码的 JSON"
        return _answer(request, InvalidInputError(faults=[Fault("body", f"无法读取，应为{what}")]))
    return _answer(request, HttpError(error))


async def _on_unavailable(request: Request, error: Exception) -> Response:
    log.warning("database unavailable", error=repr(error))
    return _answer(request, UnavailableError())


async def _on_unstorable(request: Request, error: Exception) -> Response:
    # Its text repeats the value, so only the kind of error is told.
    log.warning("value refused by the database", kind=type(error).__name__)
    return _answer(request, InvalidInputError("内容中有无法保存的字符（如空字符）或过大的数字，请修改后再提交。"))


async def _on_sanwu(request: Request, error: Exception) -> Response:
    assert isinstance(error, SanwuError)  # noqa: S101 - registered for this class
    # A page that comes back with what was typed stands for what was refused.
    cause = error.__cause__ if isinstance(error.__cause__, SanwuError) else error
    if cause.refuses:
        note: Callable[[Request, str], Awaitable[None]] = request.app.state.note_refusal
        await note(request, cause.code)
    return _answer(request, error)


def internal_error(request: Request, error: Exception) -> Response:
    """The answer to what nobody foresaw: the trace goes into the log and nowhere else."""
    stack = "".join(traceback.format_exception(error))[-4000:]
    log.error("request failed", path=request.url.path, error=repr(error), stack=stack)
    return problem(request, SanwuError("系统出错，已记录。请稍后再试。"))


def register_error_handlers(app: FastAPI) -> None:
    """Let an application answer whatever is raised in it as a problem, or as its `on_error` answers; bugs go to `internal_error`.

    Each is a coroutine: one that is none would be run in a thread.
    """
    app.add_exception_handler(SanwuError, _on_sanwu)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    for kind in INFRASTRUCTURE_ERRORS:
        app.add_exception_handler(kind, _on_unavailable)
    app.add_exception_handler(UnstorableError, _on_unstorable)


# -- in OpenAPI


def _errors_in(module: ModuleType) -> Iterator[type[SanwuError]]:
    for kind in vars(module).values():
        if inspect.isclass(kind) and issubclass(kind, SanwuError) and kind.__module__ == module.__name__:
            yield kind


def codes(module: ModuleType | None) -> dict[int, dict[str, str]]:
    """Codes of problems by status, each with its sentence: of every service, and those of one service's `errors.py`."""
    found: dict[int, dict[str, str]] = {}
    for source in (common, *([module] if module is not None else [])):
        for kind in _errors_in(source):
            if kind is not SanwuError:
                title = (inspect.getdoc(kind) or "").partition("\n")[0]
                found.setdefault(kind.status, {}).setdefault(kind.code, title)
    return dict(sorted(found.items()))


def problem_components(module: ModuleType | None) -> Mapping[str, Any]:
    """What goes into OpenAPI's components: the form of a problem, and an answer for every status with its codes."""
    answers = {"Problem": {"description": "Any other problem.", "content": PROBLEM_CONTENT}}
    for status, known in codes(module).items():
        told = "\n".join(f"- `{code}`: {sentence}" for code, sentence in known.items())
        answers[f"Problem{status}"] = {"description": told, "content": PROBLEM_CONTENT}
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {"schemas": {**schema.pop("$defs"), "Problem": schema}, "responses": answers}
