"""One's own account: password, second factor, sessions."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.kit.errors import InvalidInputError, SanwuError
from services.kit.route import Route
from services.kit.visit import STAFF, may
from services.registry.api.account import SessionId, own_resets
from services.registry.commands import own_account, second_factor
from services.registry.commands.own_account import PasswordChange
from services.registry.pages.frame import page
from services.registry.store import credentials
from services.registry.visit import Caller, CallerDep, Changing, ChangingDep, ReadingDep

router = APIRouter(route_class=Route, dependencies=[may(*STAFF)])
Typed = Annotated[str, Form(max_length=200)]
Code = Annotated[str, Form(max_length=20)]


@router.get("/account")
async def account(request: Request, desk: ReadingDep) -> Response:
    """Who I am, where I am signed in."""
    place = desk.reference.divisions.get(desk.actor.scope)
    credential = await credentials.select_credential(desk.conn, desk.actor.username)
    return page(
        request,
        desk,
        "account.html",
        sessions=await own_account.own_sessions(desk),
        resets=[(desk.reference.name_of(r.by), r.at) for r in own_resets(desk)],
        place=place.now.name if place else desk.actor.scope,
        has_factor=credential is not None and credential.totp_secret is not None,
    )


@router.post("/account/password")
async def change_password(caller: CallerDep, password: Typed, new_password: Typed) -> Response:
    """Change my own password; then everybody signs in anew, I too."""
    await own_account.change_own_password(caller, PasswordChange(password, new_password))
    return RedirectResponse("/sign-in?next=/account", 303)


@router.post("/account/second-factor")
async def begin_second_factor(request: Request, caller: CallerDep, password: Typed, totp: Code = "") -> Response:
    """Show a new secret as a QR code, and ask for a code of it."""
    secret = await own_account.begin_second_factor(caller, password, totp or None)
    return _confirming(request, caller, secret)


@router.post("/account/second-factor/confirm")
async def confirm_second_factor(request: Request, caller: CallerDep, secret: Typed, totp: Code) -> Response:
    """Take the new secret into use; a wrong code brings its page back."""
    try:
        async with caller.changing(Changing) as desk:
            await own_account.confirm_second_factor(desk, secret, totp)
    except InvalidInputError as error:
        return _confirming(request, caller, secret, error)
    return RedirectResponse("/account", 303)


def _confirming(request: Request, caller: Caller, secret: str, error: SanwuError | None = None) -> Response:
    uri = second_factor.enrolment(secret, caller.actor.username)
    status = error.status if error is not None else 200
    return page(request, caller, "second_factor.html", status=status, secret=secret, uri=uri, error=error)


@router.post("/account/sessions/{session_id}/end")
async def end_session(session_id: SessionId, desk: ChangingDep) -> Response:
    """End one of my sessions."""
    await own_account.end_own_session(desk, str(session_id))
    return RedirectResponse("/account", 303)


@router.post("/account/sign-out-everywhere")
async def sign_out_everywhere(desk: ChangingDep) -> Response:
    """End every session of mine."""
    await own_account.sign_out_everywhere(desk)
    return RedirectResponse("/sign-in", 303)
