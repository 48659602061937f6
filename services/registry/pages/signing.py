"""Pages of the registry: signing in and out, and renewing a page's token."""

from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Cookie, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, StringConstraints

from services.kit.auth import TOKEN_COOKIE, TOKEN_LIFETIME
from services.kit.errors import SanwuError, UnauthenticatedError
from services.kit.pages import pages_of
from services.registry.commands import signing_in
from services.registry.commands.signing_in import Attempt, Tokens
from services.registry.pages.frame import STATIC
from services.registry.visit import Visit, VisitDep

router = APIRouter()
REFRESH_COOKIE = "sanwu_refresh"
Refresh = Annotated[str | None, Cookie(alias=REFRESH_COOKIE)]


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
    response.set_cookie(
        TOKEN_COOKIE,
        access,
        max_age=int(TOKEN_LIFETIME.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=visit.settings.secure_cookies,
    )


def _set_session(response: Response, visit: Visit, tokens: Tokens) -> None:
    _set_token(response, visit, tokens.access)
    response.set_cookie(
        REFRESH_COOKIE,
        tokens.refresh,
        max_age=int(visit.settings.session_length.total_seconds()),
        path="/registry",
        httponly=True,
        samesite="lax",
        secure=visit.settings.secure_cookies,
    )


@router.get("/sign-in")
async def sign_in_form(request: Request, next: str = "/desk") -> Response:  # noqa: A002 - the query's name
    """The sign-in form; `next` is where it leads, on this site only."""
    return pages_of(request).answer("sign_in.html", static=STATIC, next=_own_path(next), error=None, username="")


class SignInForm(BaseModel):
    """What the form sends; blank fields are as good as none."""

    username: Annotated[str, StringConstraints(max_length=200)]
    password: Annotated[str, StringConstraints(max_length=200)]
    totp: Annotated[str, StringConstraints(max_length=20)] = ""
    new_password: Annotated[str, StringConstraints(max_length=1000)] = ""
    next: str = "/desk"


@router.post("/sign-in")
async def sign_in(request: Request, visit: VisitDep, form: Annotated[SignInForm, Form()]) -> Response:
    """Sign in with the form; errors come back on the form, which asks for a new password when one is needed."""
    target = _own_path(form.next)
    attempt = Attempt(form.username.strip(), form.password, form.totp or None, form.new_password or None)
    try:
        tokens = await signing_in.sign_in(visit, attempt)
    except SanwuError as error:
        values = {"static": STATIC, "next": target, "error": error, "username": form.username}
        return pages_of(request).answer("sign_in.html", status=error.status, **values)
    response = RedirectResponse(target, 303)
    _set_session(response, visit, tokens)
    return response


@router.get("/registry/renew")
async def renew(visit: VisitDep, next: str = "/desk", refresh: Refresh = None) -> Response:  # noqa: A002 - the query's name
    """Give a page a fresh token and send it back; without an open session, to the sign-in form."""
    target = _own_path(next)
    try:
        access = await signing_in.renew(visit, refresh or "")
    except UnauthenticatedError:
        return RedirectResponse(f"/sign-in?{urlencode({'next': target})}", 303)
    response = RedirectResponse(target, 303)
    _set_token(response, visit, access)
    return response


@router.post("/sign-out")
async def leave() -> Response:
    """Drop the short token, then let the registry's own path see the long one."""
    response = RedirectResponse("/registry/sign-out", 307)
    response.delete_cookie(TOKEN_COOKIE)
    return response


@router.post("/registry/sign-out")
async def sign_out(visit: VisitDep, refresh: Refresh = None) -> Response:
    """Delete the session and its cookie, then show the sign-in form."""
    if refresh is not None:
        await signing_in.sign_out(visit, refresh)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(REFRESH_COOKIE, path="/registry")
    return response
