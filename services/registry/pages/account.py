"""One's own account: password, sessions, signing out everywhere."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.kit.web import ActorDep, Reading, RuntimeDep, Transaction
from services.registry import commands, store
from services.registry.api.account import resets_of
from services.registry.pages.frame import page

router = APIRouter()
Typed = Annotated[str, Form(max_length=200)]


@router.get("/account")
async def account(request: Request, runtime: RuntimeDep, actor: ActorDep, conn: Reading) -> Response:
    """Who I am, where I am signed in."""
    sessions = await store.select_sessions_of(conn, actor.staff_id, runtime.clock.now())
    place = runtime.reference.divisions.get(actor.scope)
    resets = [(runtime.reference.name_of(r.by), r.at) for r in resets_of(runtime, actor)]
    values = {"sessions": sessions, "resets": resets, "place": place.now.name if place else actor.scope}
    return page(request, actor, "account.html", **values)


@router.post("/account/password")
async def change_password(runtime: RuntimeDep, actor: ActorDep, password: Typed, new_password: Typed) -> Response:
    """Change my own password; then everybody signs in anew, I too."""
    change = commands.PasswordChange(password, new_password)
    await commands.change_own_password(runtime.database, runtime.settings, actor, change, runtime.clock.now())
    return RedirectResponse("/sign-in?next=/account", 303)


@router.post("/account/sign-out-everywhere")
async def sign_out_everywhere(runtime: RuntimeDep, actor: ActorDep, conn: Transaction) -> Response:
    """End every session of mine."""
    await commands.sign_out_everywhere(conn, actor.staff_id, runtime.clock.now())
    return RedirectResponse("/sign-in", 303)
