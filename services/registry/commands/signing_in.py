"""Signing in, renewing, signing out; one's own password and sessions."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.contracts.staff import MACHINE, Staff, StaffRevision
from services.kit import actions, reference
from services.kit.auth import Actor, issue_token
from services.kit.clock import local_day
from services.kit.db import Connection, Database
from services.kit.errors import Fault, SanwuError, UnauthenticatedError
from services.kit.pages import local_time
from services.registry import metrics, store
from services.registry.commands import passwords
from services.registry.commands.states import ensure_signer, say_staff
from services.registry.errors import (
    NewPasswordRequiredError,
    NoSecondFactorError,
    TooManyFailuresError,
    TotpRequiredError,
    WrongCredentialsError,
    WrongPasswordError,
)
from services.registry.settings import RegistrySettings


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


async def sign_in(database: Database, settings: RegistrySettings, attempt: Attempt, now: datetime) -> Tokens:
    """Check a password and the second factor, open a session; hashing runs between two short transactions.

    Raises WrongCredentialsError; TooManyFailuresError with the seconds to wait; and, only to those who know the
    password: TotpRequiredError, NoSecondFactorError, NewPasswordRequiredError.
    """
    async with database.connection() as conn:
        credential = await store.select_credential(conn, attempt.username)
        blocked = _blocked(await store.select_failures(conn, attempt.username), now)
    if blocked is not None:
        metrics.SIGN_INS.labels(outcome="blocked").inc()
        raise blocked
    stored = credential.password_hash if credential else passwords.NOBODY
    right = await passwords.is_right(stored, attempt.password)
    checked = _Checked(credential, await _new_hash(attempt)) if credential is not None and right else None
    async with database.transaction() as conn:
        # Guesses that came together are counted one after the other.
        await store.lock_name(conn, attempt.username)
        outcome: Tokens | SanwuError = _blocked(await store.select_failures(conn, attempt.username), now) or (
            await _admit(conn, settings, attempt, checked, now)
            if checked is not None
            else await _fail(conn, settings, attempt, credential, now)
        )
    if isinstance(outcome, SanwuError):
        metrics.SIGN_INS.labels(outcome=outcome.code).inc()
        raise outcome
    metrics.SIGN_INS.labels(outcome="ok").inc()
    return outcome


def _blocked(failures: store.Failures | None, now: datetime) -> TooManyFailuresError | None:
    if failures is None or failures.blocked_until <= now:
        return None
    return TooManyFailuresError(retry_after_s=int((failures.blocked_until - now).total_seconds()) + 1)


async def _new_hash(attempt: Attempt) -> str | None:
    if attempt.new_password is None:
        return None
    passwords.check_new_password(attempt.new_password, attempt.password, attempt.username)
    return await passwords.hashed(attempt.new_password)


async def _admit(
    conn: Connection, settings: RegistrySettings, attempt: Attempt, checked: _Checked, now: datetime
) -> Tokens | SanwuError:
    """Open a session for a right password, if the rest is right too."""
    current = await store.select_credential(conn, attempt.username)
    held = await _held(conn, checked.credential.staff_id, now)
    # The password was reset or the person has left meanwhile: told like a wrong password.
    if current is None or held is None or current.password_hash != checked.credential.password_hash:
        return WrongCredentialsError()
    step = None
    if held.role in passwords.TOTP_ROLES or current.totp_secret is not None:
        if current.totp_secret is None:
            return NoSecondFactorError()
        if not attempt.totp:
            return TotpRequiredError()
        step = passwords.matching_step(current.totp_secret, attempt.totp, now)
        if step is None or step <= current.totp_step:
            return await _fail(conn, settings, attempt, current, now)
    if current.must_change and checked.new_hash is None:
        return await _new_password_required(conn, current.staff_id, now)
    if checked.new_hash is not None:
        await store.set_password(conn, current.staff_id, checked.new_hash, now, must_change=False)
    await store.forget_failures(conn, attempt.username)
    await store.note_sign_in(conn, current.staff_id, step, now)
    await actions.record(conn, _who(current.staff_id, held), "sign-in", now)
    return await _open_session(conn, settings, current.staff_id, now)


async def _new_password_required(conn: Connection, staff_id: str, now: datetime) -> NewPasswordRequiredError:
    """Who gave this account its passwords is told before its owner goes on: it may have been used meanwhile."""
    staff = await _staff(conn, staff_id)
    resets = staff.resets_since(now) if staff is not None else ()
    told = [f"{local_time(r.at)}由{await _name(conn, r.by)}" for r in resets]
    if not told:
        return NewPasswordRequiredError()
    detail = f"您的密码在{'、'.join(told)}重置过。请同时设置您自己的新密码；不是您要求重置的，请告诉纪检监察干部。"
    return NewPasswordRequiredError(detail)


async def _name(conn: Connection, staff_id: str) -> str:
    if staff_id == MACHINE:
        return "服务器上的管理命令"
    staff = await _staff(conn, staff_id)
    return (staff.name or staff.username) if staff is not None else "另一位同事"


async def _fail(
    conn: Connection, settings: RegistrySettings, attempt: Attempt, credential: store.Credential | None, now: datetime
) -> WrongCredentialsError:
    await store.count_failure(conn, attempt.username, now, settings.free_failures, settings.longest_wait)
    who = actions.NOBODY
    # What was typed as a name is not kept: it may be anything, a password too.
    if credential is not None:
        who = _who(credential.staff_id, await _held(conn, credential.staff_id, now))
    await actions.record(conn, who, "sign-in failed", now)
    return WrongCredentialsError()


async def _staff(conn: Connection, staff_id: str) -> Staff | None:
    kept = await store.select_reference(conn, "staff", staff_id)
    return Staff.model_validate_json(kept) if kept else None


async def _held(conn: Connection, staff_id: str, now: datetime) -> StaffRevision | None:
    staff = await _staff(conn, staff_id)
    return staff.at(local_day(now)) if staff is not None else None


def _who(staff_id: str, held: StaffRevision | None) -> actions.Who:
    return actions.Who(staff_id, held.role.value if held else None, held.scope if held else None)


async def _open_session(conn: Connection, settings: RegistrySettings, staff_id: str, now: datetime) -> Tokens:
    refresh = secrets.token_urlsafe(32)
    await store.insert_session(conn, _digest(refresh), staff_id, now, now + settings.session_length)
    return Tokens(await _access_token(conn, staff_id, now), refresh)


async def _access_token(conn: Connection, staff_id: str, now: datetime) -> str:
    key = await store.select_signing_key(conn) or await ensure_signer(conn, now)
    return issue_token(Ed25519PrivateKey.from_private_bytes(key.private_key), key.kid, staff_id, now)


async def renew(conn: Connection, ref: reference.Reference, refresh: str, now: datetime) -> str:
    """A new access token for an open session; UnauthenticatedError when it is over or the person has left."""
    staff_id = await store.select_session(conn, _digest(refresh), now)
    if staff_id is None or ref.staff_role(staff_id, now) is None:
        raise UnauthenticatedError
    return await _access_token(conn, staff_id, now)


async def sign_out(conn: Connection, refresh: str, now: datetime) -> None:
    """End a session."""
    staff_id = await store.delete_session(conn, _digest(refresh))
    if staff_id is not None:
        await actions.record(conn, _who(staff_id, await _held(conn, staff_id, now)), "sign-out", now)


async def sign_out_everywhere(conn: Connection, staff_id: str, now: datetime) -> None:
    """Void every token and session of a person, in every service by event."""
    # An import that read the person before would say the old state after this one.
    await store.lock_registry(conn)
    kept = await store.select_reference(conn, "staff", staff_id)
    await store.delete_sessions_of(conn, staff_id)
    if kept is not None:
        await say_staff(conn, Staff.model_validate_json(kept).model_copy(update={"sessions_not_before": now}), now)


async def change_own_password(
    database: Database, settings: RegistrySettings, actor: Actor, change: PasswordChange, now: datetime
) -> None:
    """Change one's own password; failures count as when signing in, and other sessions end."""
    async with database.connection() as conn:
        credential = await store.select_credential(conn, actor.username)
        blocked = _blocked(await store.select_failures(conn, actor.username), now)
    if blocked is not None:
        raise blocked
    right = credential is not None and await passwords.is_right(credential.password_hash, change.old)
    if right:
        passwords.check_new_password(change.new, change.old, actor.username)
    new_hash = await passwords.hashed(change.new) if right else None
    async with database.transaction() as conn:
        # Guesses that came together are counted one after the other.
        await store.lock_name(conn, actor.username)
        refused: SanwuError | None = _blocked(await store.select_failures(conn, actor.username), now)
        if refused is None and credential is not None and new_hash is not None:
            await store.set_password(conn, credential.staff_id, new_hash, now, must_change=False)
            await sign_out_everywhere(conn, credential.staff_id, now)
            await actions.record(conn, actor.who, "password changed", now)
        elif refused is None:
            await store.count_failure(conn, actor.username, now, settings.free_failures, settings.longest_wait)
            refused = WrongPasswordError("原密码不对。", faults=[Fault("password", "原密码不对")])
    if refused is not None:
        raise refused


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
