"""Server-rendered pages: Jinja2 with autoescape, the staff pages' common frame and stylesheet, errors as pages.

Every page of a city with made-up figures says 示例数据 at its top; that is decided here and nowhere else.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, select_autoescape
from pydantic import BeforeValidator
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from services.contracts.days import SHANGHAI
from services.contracts.values import yuan
from services.contracts.words import HOLDERS
from services.kit.errors import SanwuError, UnauthenticatedError
from services.kit.problems import headers_of, problem
from services.kit.reference import Reference
from services.kit.runtime import AnyRuntime
from services.kit.turns import Turns

_HERE: Final = Path(__file__).parent
_UNCACHED: Final = {"cache-control": "no-store"}
#: A field of a page's form that was left blank is as good as none.
BlankIsNone: Final = BeforeValidator(lambda text: text or None)


def local_time(moment: datetime) -> str:
    """A moment as people here read it: `2026-10-03 08:30`."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def local_day(moment: datetime) -> str:
    """The local day of a moment: `2026-10-03`."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d")


#: Fields of addresses and forms by what people call them.
_PLACES: Final = {
    "village": HOLDERS["village"],
    "township": HOLDERS["township"],
    "division": "区划",
    "item": "事项",
    "period": "公开期",
    "month": "月份",
    "affair": "类别",
    "state": "状态",
    "reason": "原因",
    "note": "更正说明",
}


def place_words(at: str) -> str:
    """What people call the field of a fault, `query.village`; nothing where it has no name of theirs."""
    return _PLACES.get(at.rpartition(".")[2], "")


class PageAnswerError(SanwuError):
    """请按页面上的提示修改。"""

    status = 422
    code = "page_answer"

    def __init__(self, page: Response) -> None:
        """Answer with this page, after the request's transaction was undone: what a refused step wrote must not stay."""
        super().__init__()
        self.page = page


class Pages:
    """A service's templates with the common ones behind them."""

    def __init__(self, reference: Reference, templates: Path) -> None:
        """Load from a service's `templates/` folder."""
        self._reference = reference
        self._jinja = Environment(
            loader=ChoiceLoader([FileSystemLoader(templates), FileSystemLoader(_HERE / "templates")]),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            # An upgrade replaces files under a running process; it must go on with what it started with.
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.filters["yuan"] = yuan
        self._jinja.filters["local_time"] = local_time
        self._jinja.filters["local_day"] = local_day
        self._jinja.filters["place_words"] = place_words

    def know(self, **values: object) -> None:
        """Let every template know what is the same on all pages of a service."""
        self._jinja.globals.update(values)

    def text(self, template: str, **values: Any) -> str:
        """Render a template to text."""
        return self._jinja.get_template(template).render(sample=self._reference.is_sample(), **values)

    def _parts(self, template: str, values: Mapping[str, Any]) -> Iterator[str]:
        return self._jinja.get_template(template).generate(sample=self._reference.is_sample(), **values)

    def answer(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Render a staff page; never cached, for it shows what one person may see."""
        return HTMLResponse(self.text(template, **values), status, _UNCACHED)

    async def answer_in_turns(self, template: str, **values: Any) -> HTMLResponse:
        """Render a long staff page; others have the loop in between."""
        turns, parts = Turns(), []
        for part in self._parts(template, values):
            parts.append(part)
            await turns.rest()
        return HTMLResponse("".join(parts), headers=_UNCACHED)


class _OwnFiles(StaticFiles):
    """Our own style and scripts: kept by browsers, and asked for again by their tag, so that an upgrade is seen at once."""

    def file_response(
        self, full_path: "str | os.PathLike[str]", stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """As the framework's; with what caches may do."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = "no-cache"
        return response


def pages_of(request: Request) -> Pages:
    """The templates of the service that is asked."""
    return cast("Pages", request.app.state.pages)


def mount_pages(app: FastAPI, runtime: AnyRuntime, templates: Path, *, static: str) -> Pages:
    """Give an application its pages, the common stylesheet under `static`, and errors as pages for page requests."""
    pages = Pages(runtime.reference, templates)
    app.state.pages = pages
    files = _OwnFiles(directory=_HERE / "static")
    if (own := templates.parent / "static").is_dir():
        files.all_directories.insert(0, own)
    app.mount(static, files, name="static")

    def on_error(request: Request, error: SanwuError) -> Response:
        if isinstance(error, PageAnswerError):
            return error.page
        if "text/html" not in request.headers.get("accept", ""):
            return problem(request, error)
        if isinstance(error, UnauthenticatedError):
            # A page asks for a new token by itself; only when that fails does the person sign in again.
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            if request.method == "GET":
                return RedirectResponse(f"/registry/renew?{urlencode({'next': target})}", 303)
            return RedirectResponse("/sign-in", 303)
        page = pages.answer("error.html", status=error.status, error=error, static=static, nav=())
        page.headers.update(headers_of(error))
        return page

    app.state.on_error = on_error
    return pages
