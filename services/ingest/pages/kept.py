"""A form that cannot be taken now, for its sender's sign-in has ended or the system is busy.

Nothing is stored or done, and the page that comes holds all that was typed: no browser is relied on to keep it. It is sent
on from there, after signing in (in a second window, so that the page stays) or a while later.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response

from services.ingest.pages.frame import STATIC, texts
from services.kit.db import INFRASTRUCTURE_ERRORS
from services.kit.errors import SanwuError, TooManyAtOnceError, UnauthenticatedError, UnavailableError
from services.kit.pages import pages_of
from services.kit.problems import headers_of
from services.kit.route import CheckedRequest, Route, body_of
from services.kit.web import MAX_REQUEST_BYTES


class KeptRoute(Route):
    """A route of the desk; a form sent from our own pages outlives its sender's sign-in and a busy minute."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Serve, and keep what was typed when it cannot be taken now."""
        serve = super().get_route_handler()

        async def kept(request: Request) -> Response:
            refused: SanwuError
            try:
                return await serve(request)
            except (UnauthenticatedError, TooManyAtOnceError, UnavailableError) as error:
                if not _may_be_kept(request):
                    raise
                refused = error
            except INFRASTRUCTURE_ERRORS:
                if not _may_be_kept(request):
                    raise
                refused = UnavailableError()
            await body_of(request).rewind()
            fields = await texts(CheckedRequest(request.scope, request.receive))
            page = pages_of(request).answer(
                "kept.html", status=refused.status, static=STATIC, path=request.url.path, fields=fields, error=refused
            )
            page.headers.update(headers_of(refused))
            return page

        return kept


def _may_be_kept(request: Request) -> bool:
    """Tell whether a request is a form of our own page, and no file."""
    length = request.headers.get("content-length", "")
    is_form = length.isdigit() and int(length) <= MAX_REQUEST_BYTES
    # A foreign page must not be able to put words into a form that a member of staff then sends.
    return is_form and request.method == "POST" and request.headers.get("sec-fetch-site") == "same-origin"
