"""A form whose sender's sign-in ended meanwhile: nothing is stored or done, the page that comes holds all that was typed.

Who signs in (in a second window, so that the page stays) sends it on from there.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response

from services.ingest.pages.frame import STATIC, texts
from services.kit.errors import UnauthenticatedError
from services.kit.pages import pages_of
from services.kit.route import CheckedRequest, Route
from services.kit.web import MAX_REQUEST_BYTES


class KeptRoute(Route):
    """A route of the desk; a form sent from our own pages outlives its sender's sign-in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Serve, and keep what was typed when nobody is signed in any more."""
        serve = super().get_route_handler()

        async def kept(request: Request) -> Response:
            try:
                return await serve(request)
            except UnauthenticatedError:
                length = request.headers.get("content-length", "")
                # Not a file.
                is_form = length.isdigit() and int(length) <= MAX_REQUEST_BYTES
                # A foreign page must not be able to put words into a form that a member of staff then sends.
                if not is_form or request.method != "POST" or request.headers.get("sec-fetch-site") != "same-origin":
                    raise
            fields = await texts(CheckedRequest(request.scope, request.receive))
            return pages_of(request).answer(
                "kept.html", status=401, static=STATIC, path=request.url.path, fields=fields
            )

        return kept
