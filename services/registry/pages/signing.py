"""Pages of the registry: signing in and out, and renewing a page's token."""

import secrets
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, StringConstraints

from services.kit.auth import TOKEN_LIFETIME
from services.kit.cookies import DEVICE, REFRESH, TOKEN
from services.kit.errors import SanwuError, UnauthenticatedError
from services.kit.pages import pages_of
from services.kit.route import Route
from services.kit.visit import require_same_origin
from services.registry.commands import signing_in
from services.registry.commands.browsers import words_of
from services.registry.commands.signing_in import Attempt, Browser, Tokens
from services.registry.pages.frame import STATIC
from services.registry.visit import Visit, VisitDep

router = APIRouter(route_class=Route)


def _own_path(target: str) -> str:
    """A path on this site; anything that a browser could take for another host leads to the desk instead."""
    parts = urlsplit(target)
    safe = (
        not parts.scheme
        and not parts.netloc
        and target.startswith("/")
        and not target.startswith("//")
        and "\\" not in target
    )
    return target if safe else "/desk"


def _set_token(response: Response, visit: Visit, access: str) -> None:
    TOKEN.put(response, visit.settings, access, TOKEN_LIFETIME.total_seconds())


def _set_session(response: Response, visit: Visit, tokens: Tokens) -> None:
    settings = visit.settings
    _set_token(response, visit, tokens.access)
    REFRESH.put(response, settings, tokens.refresh or "", settings.session_length.total_seconds())
    DEVICE.put(response, settings, tokens.device or "", settings.device_length.total_seconds())


def _form(request: Request, target: str, username: str = "", error: SanwuError | None = None) -> Response:
    """The sign-in form, each with a number of its own: sent twice, it is one sign-in."""
    values = {"static": STATIC, "next": target, "error": error, "username": username, "form": secrets.token_urlsafe(16)}
    answer = pages_of(request).answer("sign_in.html", status=error.status if error else 200, **values)
    if error is not None and (wait := error.extra.get("retry_after_s")) is not None:
        answer.headers["retry-after"] = str(wait)
    return answer


@router.get("/sign-in")
async def sign_in_form(request: Request, next: str = "/desk") -> Response:  # noqa: A002 - the query's name
    """The sign-in form; `next` is where it leads, on this site only."""
    return _form(request, _own_path(next))


class SignInForm(BaseModel):
    """What the form sends; blank fields are as good as none."""

    username: Annotated[str, StringConstraints(max_length=200)]
    password: Annotated[str, StringConstraints(max_length=200)]
    totp: Annotated[str, StringConstraints(max_length=20)] = ""
    new_password: Annotated[str, StringConstraints(max_length=1000)] = ""
    form: Annotated[str, StringConstraints(max_length=100)] = ""
    next: str = "/desk"


@router.post("/sign-in")
async def sign_in(request: Request, visit: VisitDep, form: Annotated[SignInForm, Form()]) -> Response:
    """Sign in with the form; errors come back on the form, which asks for a new password when one is needed."""
    # Else a foreign page could sign somebody in as another, who then reads what they enter.
    require_same_origin(request)
    target = _own_path(form.next)
    attempt = Attempt(form.username.strip(), form.password, form.totp or None, form.new_password or None)
    words = words_of(request.headers.get("user-agent", ""))
    browser = Browser(words, DEVICE.read(request.cookies, visit.settings), form.form or None)
    try:
        tokens = await signing_in.sign_in(visit, attempt, browser)
    except SanwuError as error:
        return _form(request, target, form.username, error)
    response = RedirectResponse(target, 303)
    _set_session(response, visit, tokens)
    return response


@router.get("/registry/renew")
async def renew(request: Request, visit: VisitDep, next: str = "/desk") -> Response:  # noqa: A002 - the query's name
    """Give a page a fresh token and send it back; without an open session, to the sign-in form."""
    target, settings = _own_path(next), visit.settings
    refresh = REFRESH.read(request.cookies, settings)
    old = REFRESH.read_old(request.cookies, settings) if refresh is None else None
    try:
        renewed = await signing_in.renew(visit, refresh or old or "", old_cookie=refresh is None and old is not None)
    except UnauthenticatedError:
        return RedirectResponse(f"/sign-in?{urlencode({'next': target})}", 303)
    response = RedirectResponse(target, 303)
    _set_token(response, visit, renewed.access)
    if old is not None:
        REFRESH.put(response, settings, old, (renewed.until - visit.now).total_seconds())
    return response


@router.post("/sign-out")
async def leave(request: Request, visit: VisitDep) -> Response:
    """Drop the short token, then let the registry's own path see the long one."""
    require_same_origin(request)
    response = RedirectResponse("/registry/sign-out", 307)
    TOKEN.drop(response, visit.settings)
    return response


@router.post("/registry/sign-out")
async def sign_out(request: Request, visit: VisitDep) -> Response:
    """End the session, with its tokens everywhere, and drop its cookie; then show the sign-in form."""
    require_same_origin(request)
    sent, settings = request.cookies, visit.settings
    for refresh in filter(None, (REFRESH.read(sent, settings), REFRESH.read_old(sent, settings))):
        await signing_in.sign_out(visit, refresh)
    response = RedirectResponse("/sign-in", 303)
    # A village's office has one machine for everybody: what the desk kept of an unsent form goes with its owner.
    response.headers["clear-site-data"] = '"storage"'
    REFRESH.drop(response, settings)
    return response
