"""One's own account: password, sessions, signing out everywhere."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.kit.visit import STAFF, may
from services.registry import store
from services.registry.api.account import own_resets
from services.registry.commands import signing_in
from services.registry.commands.signing_in import PasswordChange
from services.registry.pages.frame import page
from services.registry.visit import CallerDep, ChangingDep, ReadingDep

router = APIRouter(dependencies=[may(*STAFF)])
Typed = Annotated[str, Form(max_length=200)]


@router.get("/account")
async def account(request: Request, desk: ReadingDep) -> Response:
    """Who I am, where I am signed in."""
    sessions = await store.select_sessions_of(desk.conn, desk.actor.staff_id, desk.now)
    place = desk.reference.divisions.get(desk.actor.scope)
    resets = [(desk.reference.name_of(r.by), r.at) for r in own_resets(desk)]
    where = place.now.name if place else desk.actor.scope
    return page(request, desk, "account.html", sessions=sessions, resets=resets, place=where)


@router.post("/account/password")
async def change_password(caller: CallerDep, password: Typed, new_password: Typed) -> Response:
    """Change my own password; then everybody signs in anew, I too."""
    await signing_in.change_own_password(caller, PasswordChange(password, new_password))
    return RedirectResponse("/sign-in?next=/account", 303)


@router.post("/account/sign-out-everywhere")
async def sign_out_everywhere(desk: ChangingDep) -> Response:
    """End every session of mine."""
    await signing_in.sign_out_everywhere(desk)
    return RedirectResponse("/sign-in", 303)
