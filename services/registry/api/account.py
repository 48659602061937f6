"""Signing in, and one's own account."""

from fastapi import APIRouter
from fastapi.responses import Response

from services.contracts.staff import Reset
from services.kit.auth import TOKEN_LIFETIME, Actor
from services.kit.runtime import Runtime
from services.kit.web import ActorDep, Reading, RuntimeDep, Transaction
from services.registry import commands, store
from services.registry.schemas import AccountOut, PasswordIn, ResetOut, SessionOut, SignInIn, SignInOut

router = APIRouter()


@router.post("/sign-in")
async def sign_in(body: SignInIn, runtime: RuntimeDep) -> SignInOut:
    """Exchange name, password and, where the account has one, the second factor's code for a token of 15 minutes.

    401 `wrong_credentials`; 401 `totp_required` when the password was right; 403 `new_password_required` when it was a
    one-time password: send `new_password` too; 403 `totp_not_set`; 429 `too_many_failures`.
    """
    attempt = commands.Attempt(body.username, body.password, body.totp, body.new_password)
    tokens = await commands.sign_in(runtime.database, runtime.settings, attempt, runtime.clock.now())
    return SignInOut(access_token=tokens.access, expires_in=int(TOKEN_LIFETIME.total_seconds()))


def resets_of(runtime: Runtime, actor: Actor) -> tuple[Reset, ...]:
    """Who gave this person's account a new password lately."""
    return runtime.reference.staff[actor.staff_id].resets_since(runtime.clock.now())


@router.get("/account")
async def account(actor: ActorDep, runtime: RuntimeDep, conn: Reading) -> AccountOut:
    """Who I am here, and where I am signed in."""
    sessions = await store.select_sessions_of(conn, actor.staff_id, runtime.clock.now())
    return AccountOut(
        staff_id=actor.staff_id,
        username=actor.username,
        name=actor.name,
        role=actor.role,
        scope=actor.scope,
        affairs=actor.affairs,
        resets=[ResetOut(by=runtime.reference.name_of(r.by), at=r.at) for r in resets_of(runtime, actor)],
        sessions=[SessionOut(id=s.session_id, created_at=s.created_at, expires_at=s.expires_at) for s in sessions],
    )


@router.post("/account/password", status_code=204)
async def change_password(body: PasswordIn, actor: ActorDep, runtime: RuntimeDep) -> Response:
    """Change my own password; every session of mine ends."""
    change = commands.PasswordChange(body.password, body.new_password)
    await commands.change_own_password(runtime.database, runtime.settings, actor, change, runtime.clock.now())
    return Response(status_code=204)


@router.post("/account/sign-out-everywhere", status_code=204)
async def sign_out_everywhere(actor: ActorDep, runtime: RuntimeDep, conn: Transaction) -> Response:
    """Void every token and session of mine."""
    await commands.sign_out_everywhere(conn, actor.staff_id, runtime.clock.now())
    return Response(status_code=204)
