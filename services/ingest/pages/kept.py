"""A form whose sender's sign-in ended meanwhile: nothing is stored or done, the page that comes holds all that was typed.

Who signs in (in a second window, so that the page stays) sends it on from there.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from services.ingest.pages.frame import STATIC, texts
from services.kit.errors import UnauthenticatedError
from services.kit.pages import Pages


class KeptRoute(APIRoute):
    """A route of the desk; a form sent from our own pages outlives its sender's sign-in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Serve, and keep what was typed when nobody is signed in any more."""
        serve = super().get_route_handler()

        async def kept(request: Request) -> Response:
            try:
                return await serve(request)
            except UnauthenticatedError:
                # A foreign page must not be able to put words into a form that a member of staff then sends.
                if request.method != "POST" or request.headers.get("sec-fetch-site") != "same-origin":
                    raise
            pages: Pages = request.app.state.pages
            fields = await texts(request)
            return pages.answer("kept.html", status=401, static=STATIC, path=request.url.path, fields=fields)

        return kept
