"""Signing in, and one's own account."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from services.contracts.staff import Reset
from services.kit.auth import TOKEN_LIFETIME
from services.kit.route import Route
from services.kit.visit import STAFF, may
from services.registry.commands import own_account, second_factor, signing_in
from services.registry.commands.own_account import PasswordChange
from services.registry.commands.signing_in import Attempt
from services.registry.schemas import (
    AccountOut,
    PasswordIn,
    ResetOut,
    SecondFactorConfirmIn,
    SecondFactorIn,
    SecondFactorOut,
    SessionOut,
    SignInIn,
    SignInOut,
)
from services.registry.visit import CallerDep, ChangingDep, Reading, ReadingDep, VisitDep

router = APIRouter(route_class=Route, tags=["account"])
_TOO_MANY_FAILURES = "`too_many_failures`: wait `retry_after_s` seconds, which `Retry-After` says too."
_BUSY = "`sign_in_busy`: too many wait for their password to be checked; come again after `Retry-After`."
SessionId = Annotated[UUID, Path(description="`id` of the session, of GET /registry/v1/account")]


@router.post(
    "/sign-in",
    responses={
        401: {"description": "`wrong_credentials`, or `totp_required`: the code is missing."},
        403: {
            "description": "`new_password_required`; `one_time_password_over`: it waited for too long; or `totp_not_set`: the role "
            "needs a second factor and has none yet."
        },
        429: {"description": _TOO_MANY_FAILURES},
        503: {"description": _BUSY},
    },
)
async def sign_in(body: SignInIn, visit: VisitDep) -> SignInOut:
    """Exchange name, password and, where the account has one, the second factor's code for a token of 15 minutes.

    401 `wrong_credentials`; 401 `totp_required` when the password was right; 403 `new_password_required` when it was a
    one-time password: send `new_password` too; 403 `totp_not_set`; 429 `too_many_failures`. No session is kept: who needs
    another token signs in again.
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
    sessions = await own_account.own_sessions(desk)
    return AccountOut(
        staff_id=actor.staff_id,
        username=actor.username,
        name=actor.name,
        role=actor.role,
        scope=actor.scope,
        affairs=actor.affairs,
        resets=[ResetOut(by=desk.reference.name_of(r.by), at=r.at) for r in own_resets(desk)],
        sessions=[
            SessionOut(
                id=s.session_id,
                created_at=s.created_at,
                expires_at=s.expires_at,
                last_used_at=s.last_used_at,
                address=s.address,
                browser=s.browser,
                current=s.session_id == actor.session_id,
            )
            for s in sessions
        ],
    )


@router.post(
    "/account/password",
    status_code=204,
    responses={429: {"description": _TOO_MANY_FAILURES}, 503: {"description": _BUSY}},
    dependencies=[may(*STAFF)],
)
async def change_password(body: PasswordIn, caller: CallerDep) -> None:
    """Change my own password; every session of mine ends."""
    await own_account.change_own_password(caller, PasswordChange(body.password, body.new_password))


@router.post(
    "/account/second-factor",
    responses={429: {"description": _TOO_MANY_FAILURES}, 503: {"description": _BUSY}},
    dependencies=[may(*STAFF)],
)
async def begin_second_factor(body: SecondFactorIn, caller: CallerDep) -> SecondFactorOut:
    """A new second factor of mine, told here and never again; it counts once a code of it has come."""
    secret = await own_account.begin_second_factor(caller, body.password, body.totp)
    return SecondFactorOut(totp_secret=secret, totp_uri=second_factor.enrolment(secret, caller.actor.username))


@router.post(
    "/account/second-factor/confirm",
    status_code=204,
    responses={404: {"description": "`not_found`: none waits to be confirmed; it was never begun, or an hour ago."}},
    dependencies=[may(*STAFF)],
)
async def confirm_second_factor(body: SecondFactorConfirmIn, desk: ChangingDep) -> None:
    """Take the new second factor into use by a code of it; every other session of mine ends."""
    await own_account.confirm_second_factor(desk, body.totp_secret, body.totp)


@router.delete("/account/sessions/{session_id}", status_code=204, dependencies=[may(*STAFF)])
async def end_session(session_id: SessionId, desk: ChangingDep) -> None:
    """End one of my sessions: neither it nor its token opens anything any more, in any service."""
    await own_account.end_own_session(desk, str(session_id))


@router.post("/account/sign-out-everywhere", status_code=204, dependencies=[may(*STAFF)])
async def sign_out_everywhere(desk: ChangingDep) -> None:
    """Void every token and session of mine."""
    await own_account.sign_out_everywhere(desk)
