"""Signing in, renewing, signing out; one's own password and sessions."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.contracts.staff import Staff, StaffRevision, name_of
from services.kit import actions
from services.kit.auth import issue_token
from services.kit.clock import local_day
from services.kit.db import Connection
from services.kit.errors import Fault, SanwuError, UnauthenticatedError
from services.kit.pages import local_time
from services.registry import metrics, store
from services.registry.commands import passwords, second_factor
from services.registry.commands import staff as accounts
from services.registry.commands.states import ensure_signer
from services.registry.errors import (
    NewPasswordRequiredError,
    NoSecondFactorError,
    TooManyFailuresError,
    TotpRequiredError,
    WrongCredentialsError,
    WrongPasswordError,
)
from services.registry.visit import Caller, Changing, Reading, Visit


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody typed to sign in."""

    username: str
    password: str
    totp: str | None = None
    new_password: str | None = None


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """The password that somebody has and the one wanted instead."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """What signing in gives: a short token for every service, a long one for renewing."""

    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class _Checked:
    """An attempt whose password was right, with the hash of the new one if there is one."""

    credential: store.Credential
    new_hash: str | None


async def sign_in(visit: Visit, attempt: Attempt) -> Tokens:
    """Check a password and the second factor, open a session; hashing runs between two short transactions.

    Raises WrongCredentialsError; TooManyFailuresError with the seconds to wait; and, only to those who know the
    password: TotpRequiredError, NoSecondFactorError, NewPasswordRequiredError.
    """
    async with visit.runtime.database.connection() as conn:
        credential = await store.select_credential(conn, attempt.username)
        blocked = await _load_block(visit, conn, attempt.username)
    if blocked is not None:
        metrics.SIGN_INS.labels(outcome="blocked").inc()
        raise blocked
    stored = credential.password_hash if credential else passwords.NOBODY
    right = await passwords.is_right(stored, attempt.password)
    checked = _Checked(credential, await _hash_new_password(attempt)) if credential is not None and right else None
    async with visit.runtime.database.transaction() as conn:
        # Guesses that came together are counted one after the other.
        await store.lock_name(conn, attempt.username)
        # Refusals are returned, and raised after the commit: raised in here they would undo the counted failure.
        outcome: Tokens | SanwuError = await _load_block(visit, conn, attempt.username) or (
            await _admit(visit, conn, attempt, checked)
            if checked is not None
            else await _fail(visit, conn, attempt, credential)
        )
    if isinstance(outcome, SanwuError):
        metrics.SIGN_INS.labels(outcome=outcome.code).inc()
        raise outcome
    metrics.SIGN_INS.labels(outcome="ok").inc()
    return outcome


async def _load_block(visit: Visit, conn: Connection, username: str) -> TooManyFailuresError | None:
    failures = await store.select_failures(conn, username)
    if failures is None or failures.blocked_until <= visit.now:
        return None
    return TooManyFailuresError(retry_after_s=int((failures.blocked_until - visit.now).total_seconds()) + 1)


async def _hash_new_password(attempt: Attempt) -> str | None:
    if attempt.new_password is None:
        return None
    passwords.check_new_password(attempt.new_password, attempt.password, attempt.username)
    return await passwords.hash_password(attempt.new_password)


async def _admit(visit: Visit, conn: Connection, attempt: Attempt, checked: _Checked) -> Tokens | SanwuError:
    """Open a session for a right password, if the rest is right too; else return the refusal, see `sign_in`."""
    now = visit.now
    if checked.new_hash is not None:
        # A reset at the same moment, which holds this lock, wins.
        await store.lock_registry(conn)
    current = await store.select_credential(conn, attempt.username)
    held = await _load_post(conn, checked.credential.staff_id, now)
    # The password was reset or the person has left meanwhile: told like a wrong password.
    if current is None or held is None or current.password_hash != checked.credential.password_hash:
        return WrongCredentialsError()
    step = None
    if held.role in second_factor.TOTP_ROLES or current.totp_secret is not None:
        if current.totp_secret is None:
            return NoSecondFactorError()
        if not attempt.totp:
            return TotpRequiredError()
        step = second_factor.matching_step(current.totp_secret, attempt.totp, now)
        if step is None or step <= current.totp_step:
            return await _fail(visit, conn, attempt, current)
    if current.must_change and checked.new_hash is None:
        return await _new_password_required(conn, current.staff_id, now)
    if checked.new_hash is not None:
        await store.set_password(conn, current.staff_id, checked.new_hash, now, must_change=False)
    await store.forget_failures(conn, attempt.username)
    await store.note_sign_in(conn, current.staff_id, step, now)
    await actions.record(conn, _who(current.staff_id, held), "sign-in", now)
    return await _open_session(visit, conn, current.staff_id)


async def _new_password_required(conn: Connection, staff_id: str, now: datetime) -> NewPasswordRequiredError:
    """Who gave this account its passwords is told before its owner goes on: it may have been used meanwhile."""
    staff = await _load_staff(conn, staff_id)
    resets = staff.resets_since(now) if staff is not None else ()
    told = [f"{local_time(r.at)}由{await _load_name(conn, r.by)}" for r in resets]
    if not told:
        return NewPasswordRequiredError()
    detail = f"您的密码在{'、'.join(told)}重置过。请同时设置您自己的新密码；不是您要求重置的，请告诉纪检监察干部。"
    return NewPasswordRequiredError(detail)


async def _load_name(conn: Connection, staff_id: str) -> str:
    return name_of(staff_id, await _load_staff(conn, staff_id))


async def _fail(
    visit: Visit, conn: Connection, attempt: Attempt, credential: store.Credential | None
) -> WrongCredentialsError:
    await _count_failure(visit, conn, attempt.username)
    who = actions.NOBODY
    # What was typed as a name is not kept: it may be anything, a password too.
    if credential is not None:
        who = _who(credential.staff_id, await _load_post(conn, credential.staff_id, visit.now))
    await actions.record(conn, who, "sign-in failed", visit.now)
    return WrongCredentialsError()


async def _count_failure(visit: Visit, conn: Connection, username: str) -> None:
    settings = visit.settings
    await store.count_failure(conn, username, visit.now, settings.free_failures, settings.longest_wait)


async def _load_staff(conn: Connection, staff_id: str) -> Staff | None:
    kept = await store.select_reference(conn, "staff", staff_id)
    return Staff.model_validate_json(kept) if kept else None


async def _load_post(conn: Connection, staff_id: str, now: datetime) -> StaffRevision | None:
    staff = await _load_staff(conn, staff_id)
    return staff.at(local_day(now)) if staff is not None else None


def _who(staff_id: str, held: StaffRevision | None) -> actions.Who:
    return actions.Who(staff_id, held.role.value if held else None, held.scope if held else None)


async def _open_session(visit: Visit, conn: Connection, staff_id: str) -> Tokens:
    refresh, now = secrets.token_urlsafe(32), visit.now
    await store.insert_session(conn, _digest(refresh), staff_id, now, now + visit.settings.session_length)
    key = await store.select_signing_key(conn, now) or await ensure_signer(conn, now)
    return Tokens(_access_token(key, staff_id, now), refresh)


def _access_token(key: store.SigningKey, staff_id: str, now: datetime) -> str:
    return issue_token(Ed25519PrivateKey.from_private_bytes(key.private_key), key.kid, staff_id, now)


async def renew(visit: Visit, refresh: str) -> str:
    """A new access token for an open session; UnauthenticatedError when it is over or the person has left."""
    async with visit.runtime.database.connection() as conn:
        staff_id = await store.select_session(conn, _digest(refresh), visit.now)
        key = await store.select_signing_key(conn, visit.now)
    if staff_id is None or key is None or visit.reference.staff_role(staff_id, visit.now) is None:
        raise UnauthenticatedError
    return _access_token(key, staff_id, visit.now)


async def sign_out(visit: Visit, refresh: str) -> None:
    """Delete a session, if it is one; the trail says whose."""
    async with visit.runtime.database.transaction() as conn:
        staff_id = await store.delete_session(conn, _digest(refresh))
        if staff_id is not None:
            await actions.record(
                conn, _who(staff_id, await _load_post(conn, staff_id, visit.now)), "sign-out", visit.now
            )


async def sign_out_everywhere(desk: Changing) -> None:
    """Void every token and session of the caller, in every service by event."""
    # An import that read the person before would set the old state after this one.
    await store.lock_registry(desk.conn)
    staff = await _load_staff(desk.conn, desk.actor.staff_id)
    if staff is not None:
        await accounts.void_sessions(desk, staff)


async def change_own_password(caller: Caller, change: PasswordChange) -> None:
    """Change one's own password; failures count as when signing in, and other sessions end.

    Raises WrongPasswordError, TooManyFailuresError, and InvalidInputError for a new password that will not do.
    """
    username = caller.actor.username
    async with caller.reading(Reading) as reading:
        credential = await store.select_credential(reading.conn, username)
        blocked = await _load_block(caller, reading.conn, username)
    if blocked is not None:
        raise blocked
    new_hash = None
    if credential is not None and await passwords.is_right(credential.password_hash, change.old):
        passwords.check_new_password(change.new, change.old, username)
        new_hash = await passwords.hash_password(change.new)
    async with caller.runtime.database.transaction() as conn:
        # Guesses that came together are counted one after the other.
        await store.lock_name(conn, username)
        # Raised after the commit, as in `sign_in`: the failure must stay counted.
        refused: SanwuError | None = await _load_block(caller, conn, username)
        if refused is None and credential is not None and new_hash is not None:
            desk = Changing(caller.runtime, caller.now, conn, caller.actor)
            refused = await _replace_password(desk, credential, new_hash)
        elif refused is None:
            await _count_failure(caller, conn, username)
            refused = _wrong_password()
    if refused is not None:
        raise refused


async def _replace_password(desk: Changing, known: store.Credential, new_hash: str) -> WrongPasswordError | None:
    # A reset at the same moment, which holds this lock, wins.
    await store.lock_registry(desk.conn)
    current = await store.select_credential(desk.conn, known.username)
    if current is None or current.password_hash != known.password_hash:
        return _wrong_password()
    await store.set_password(desk.conn, known.staff_id, new_hash, desk.now, must_change=False)
    await sign_out_everywhere(desk)
    await actions.record(desk.conn, desk.actor.who, "password changed", desk.now)
    return None


def _wrong_password() -> WrongPasswordError:
    return WrongPasswordError(faults=[Fault("password", "原密码不对")])


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
