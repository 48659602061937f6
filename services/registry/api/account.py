"""Signing in, and one's own account."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.contracts.staff import Reset
from services.kit.auth import TOKEN_LIFETIME
from services.kit.route import Route
from services.kit.visit import STAFF, may
from services.registry import store
from services.registry.commands import signing_in
from services.registry.commands.signing_in import Attempt, PasswordChange
from services.registry.schemas import AccountOut, PasswordIn, ResetOut, SessionOut, SignInIn, SignInOut
from services.registry.visit import CallerDep, ChangingDep, Reading, ReadingDep, VisitDep

router = APIRouter(route_class=Route, tags=["account"])
_TOO_MANY_FAILURES = "`too_many_failures`: wait `retry_after_s` seconds."


@router.post(
    "/sign-in",
    responses={
        401: {"description": "`wrong_credentials`, or `totp_required`: the code is missing."},
        403: {
            "description": "`new_password_required`, or `totp_not_set`: the role needs a second factor and has none yet."
        },
        429: {"description": _TOO_MANY_FAILURES},
    },
)
async def sign_in(body: SignInIn, visit: VisitDep) -> SignInOut:
    """Exchange name, password and, where the account has one, the second factor's code for a token of 15 minutes.

    401 `wrong_credentials`; 401 `totp_required` when the password was right; 403 `new_password_required` when it was a
    one-time password: send `new_password` too; 403 `totp_not_set`; 429 `too_many_failures`.
    """
    attempt = Attempt(body.username, body.password, body.totp, body.new_password)
    tokens = await signing_in.sign_in(visit, attempt)
    return SignInOut(access_token=tokens.access, expires_in=int(TOKEN_LIFETIME.total_seconds()))


def own_resets(desk: Reading) -> Sequence[Reset]:
    """Who gave the caller's account a new password lately."""
    return desk.reference.staff[desk.actor.staff_id].resets_since(desk.now)


@router.get("/account", dependencies=[may(*STAFF)])
async def account(desk: ReadingDep) -> AccountOut:
    """Who I am here, and where I am signed in."""
    actor = desk.actor
    sessions = await store.select_sessions_of(desk.conn, actor.staff_id, desk.now)
    return AccountOut(
        staff_id=actor.staff_id,
        username=actor.username,
        name=actor.name,
        role=actor.role,
        scope=actor.scope,
        affairs=actor.affairs,
        resets=[ResetOut(by=desk.reference.name_of(r.by), at=r.at) for r in own_resets(desk)],
        sessions=[SessionOut(id=s.session_id, created_at=s.created_at, expires_at=s.expires_at) for s in sessions],
    )


@router.post(
    "/account/password",
    status_code=204,
    responses={429: {"description": _TOO_MANY_FAILURES}},
    dependencies=[may(*STAFF)],
)
async def change_password(body: PasswordIn, caller: CallerDep) -> None:
    """Change my own password; every session of mine ends."""
    await signing_in.change_own_password(caller, PasswordChange(body.password, body.new_password))


@router.post("/account/sign-out-everywhere", status_code=204, dependencies=[may(*STAFF)])
async def sign_out_everywhere(desk: ChangingDep) -> None:
    """Void every token and session of mine."""
    await signing_in.sign_out_everywhere(desk)
