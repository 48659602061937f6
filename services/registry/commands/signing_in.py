"""Signing in, renewing, signing out.

Failures are counted twice. By network, in memory, before any password is looked at, whatever the name: who guesses at
many accounts is slowed down. And by name, in `sign_in_failure`, so that guesses from many networks are; but a browser in
which the account has signed in before has a count of its own, so that strangers' guesses do not shut its owner out. All
names that nobody has share 65,536 places: what is typed there leaves no rows that grow, and not the name itself; which of
them share one is known to the city alone, for whoever knew it could ask which names there are.
"""

import hashlib
import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.contracts.base import Role
from services.contracts.staff import StaffRevision, name_of
from services.contracts.words import ROLE_NAMES
from services.kit import actions
from services.kit.address import client_address, network_of, site_of
from services.kit.auth import issue_token
from services.kit.clock import local_day
from services.kit.db import Connection
from services.kit.errors import SanwuError, UnauthenticatedError
from services.kit.pages import local_time
from services.registry import metrics
from services.registry.commands import passwords, second_factor
from services.registry.commands import staff as accounts
from services.registry.commands.states import ensure_signer
from services.registry.errors import (
    NewPasswordRequiredError,
    NoSecondFactorError,
    OneTimePasswordOverError,
    TooManyFailuresError,
    TotpRequiredError,
    WrongCredentialsError,
)
from services.registry.settings import RegistrySettings
from services.registry.store import credentials, references, sealed, sessions
from services.registry.visit import BELOW_REVIEWER, Caller, Visit

#: Who lets out, looks over everything or keeps the accounts: an open desk of theirs is not left alone for long.
OVERSEERS: Final = frozenset({Role.REVIEWER, Role.INSPECTOR, Role.OPERATOR})
#: Within which the same form comes twice when somebody presses twice.
_PRESSED_TWICE: Final = timedelta(seconds=10)
#: What `secrets.token_urlsafe(32)` gives.
_DEVICE: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody typed to sign in."""

    username: str
    password: str
    totp: str | None = None
    new_password: str | None = None


@dataclass(frozen=True, slots=True)
class Browser:
    """What somebody types it into. `words`: how it is called; `device`: the cookie it has; `form`: a number of this form."""

    words: str
    device: str | None
    form: str | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What signing in gives: a short token for every service; to a browser a long one for renewing, and one to be known by."""

    access: str
    refresh: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Renewed:
    """A new short token, and until when the session can give more."""

    access: str
    until: datetime


@dataclass(frozen=True, slots=True)
class _Counted:
    """Under what failures of an attempt count, and as who it waits for its turn."""

    under: str
    who: str
    credential: credentials.Credential | None


@dataclass(frozen=True, slots=True)
class _Checked:
    """An attempt whose password was right, with the hash of the new one if there is one."""

    credential: credentials.Credential
    new_hash: str | None


def idle_limit(settings: RegistrySettings, role: str | Role) -> timedelta:
    """How long a session of a role may rest."""
    return settings.idle_limit_of_overseers if role in OVERSEERS else settings.idle_limit


# -- in


async def sign_in(visit: Visit, attempt: Attempt, browser: Browser | None = None) -> Tokens:
    """Check a password and the second factor, open a session; hashing runs between two short transactions.

    Raises WrongCredentialsError; TooManyFailuresError and SignInBusyError with the seconds to wait; and, only to those
    who know the password: TotpRequiredError, NoSecondFactorError, NewPasswordRequiredError, OneTimePasswordOverError.
    """
    try:
        outcome = await _judge_known(visit, attempt, browser) or await _judge_stranger(visit, attempt, browser)
        if isinstance(outcome, SanwuError):
            raise outcome
    except SanwuError as error:
        metrics.SIGN_INS.labels(outcome=error.code).inc()
        raise
    metrics.SIGN_INS.labels(outcome="ok").inc()
    return outcome


async def _judge_known(visit: Visit, attempt: Attempt, browser: Browser | None) -> Tokens | SanwuError | None:
    """Of a browser in which the account signed in before, tokens or the refusal; None of any other."""
    if browser is None or not browser.device or _DEVICE.fullmatch(browser.device) is None:
        return None
    device = digest(browser.device)
    # Anybody can send a cookie that looks like one: only a browser that is known takes a place of those.
    with visit.own.places.place("asking"):
        async with visit.runtime.database.connection() as conn:
            known = await credentials.select_credential(conn, attempt.username)
            since = visit.now - visit.settings.device_length
            if known is None or not await sessions.knows_device(conn, device, known.staff_id, since):
                return None
            counted = _Counted(sessions.failures_in(device, known.staff_id), f"device/{device}", known)
            blocked = await load_block(visit, conn, counted.under)
    if blocked is not None:
        return blocked
    with visit.own.places.place("known"):
        return (await _judge(visit, attempt, browser, counted))[0]


async def _judge_stranger(visit: Visit, attempt: Attempt, browser: Browser | None) -> Tokens | SanwuError:
    """Of a browser or program that nobody knows, tokens or the refusal: its network is looked at before the name."""
    network, site, own = network_of(client_address()), site_of(client_address()), visit.own
    with own.sites.attempt(site, visit.now), own.brakes.attempt(network, visit.now), own.places.place("stranger"):
        async with visit.runtime.database.connection() as conn:
            known = await credentials.select_credential(conn, attempt.username)
            under = known.username if known is not None else visit.own.under_nobody(attempt.username)
            counted = _Counted(under, f"stranger/{network}", known)
            blocked = await load_block(visit, conn, counted.under)
        if blocked is not None:
            return blocked
        outcome, right = await _judge(visit, attempt, browser, counted)
        if not right or isinstance(outcome, WrongCredentialsError):
            own.brakes.count_failure(network, visit.now)
            own.sites.count_failure(site, visit.now)
        return outcome


async def _judge(
    visit: Visit, attempt: Attempt, browser: Browser | None, counted: _Counted
) -> tuple[Tokens | SanwuError, bool]:
    """Tokens or the refusal, and whether the password was right."""
    credential = counted.credential
    stored = credential.password_hash if credential else passwords.NOBODY
    right = await passwords.is_right(stored, attempt.password, counted.who) and credential is not None
    checked = None
    if credential is not None and right:
        checked = _Checked(credential, await _hash_new_password(visit, attempt, credential, counted.who))
    async with visit.runtime.database.transaction() as conn:
        # Guesses that came together are counted one after the other.
        await credentials.lock_name(conn, counted.under)
        # Refusals are returned, and raised after the commit: raised in here they would undo the counted failure.
        outcome: Tokens | SanwuError = await load_block(visit, conn, counted.under) or (
            await _admit(visit, conn, attempt, browser, counted, checked)
            if checked is not None
            else await _fail(visit, conn, counted)
        )
    return outcome, right


async def load_block(visit: Visit | Caller, conn: Connection, under: str) -> TooManyFailuresError | None:
    """The refusal while what failed too often has to wait."""
    failures = await credentials.select_failures(conn, under)
    if failures is None or failures.blocked_until <= visit.now:
        return None
    return TooManyFailuresError(retry_after_s=int((failures.blocked_until - visit.now).total_seconds()) + 1)


async def count_failure(visit: Visit | Caller, conn: Connection, under: str) -> None:
    """Count one failure more, by which the next wait may begin or grow."""
    await credentials.count_failure(conn, under, visit.now, visit.settings.free_failures, visit.settings.longest_wait)


def known_of(visit: Visit | Caller, staff_id: str) -> list[str]:
    """What others know of somebody and try as a password: the name, the place and those above it."""
    staff = visit.reference.staff.get(staff_id)
    if staff is None:
        return []
    places = [d.now.name for d in visit.reference.ancestors(staff.revisions[-1].scope)]
    return [*([staff.name] if staff.name else []), *places]


async def _hash_new_password(
    visit: Visit, attempt: Attempt, credential: credentials.Credential, who: str
) -> str | None:
    if attempt.new_password is None:
        return None
    about = known_of(visit, credential.staff_id)
    return await passwords.hash_new_password(attempt.new_password, attempt.password, credential.username, about, who)


async def _admit(
    visit: Visit, conn: Connection, attempt: Attempt, browser: Browser | None, counted: _Counted, checked: _Checked
) -> Tokens | SanwuError:
    """Open a session for a right password, if the rest is right too; else return the refusal, see `sign_in`."""
    now, new_hash = visit.now, checked.new_hash
    # A code opens once, whoever sends it from where: those that count apart are let in one after the other too.
    await credentials.lock_name(conn, checked.credential.username)
    if new_hash is not None:
        # A reset at the same moment, which holds this lock, wins.
        await references.lock_registry(conn)
    current = await credentials.select_credential(conn, attempt.username)
    held = await _load_post(conn, checked.credential.staff_id, now)
    if current is None or held is None:
        return WrongCredentialsError()
    # Pressed twice: what the first press changed, and the code that it used, count for the second.
    first = await _load_first_press(conn, current.staff_id, browser, now)
    # The password was reset or the person has left meanwhile: told like a wrong password.
    if current.password_hash != checked.credential.password_hash and first is None:
        return WrongCredentialsError()
    step = _check_second_factor(current, held.role, attempt, now, again=first is not None)
    if isinstance(step, WrongCredentialsError):
        return await _fail(visit, conn, counted)
    if isinstance(step, SanwuError):
        return step
    if current.must_change and (refused := await _check_one_time(visit, conn, current, held.role, new_hash)):
        return refused
    if new_hash is not None and first is None:
        await credentials.set_password(conn, current.staff_id, new_hash, now, must_change=False)
        # Whoever was signed in with the old one is out.
        await accounts.void_sessions(conn, current.staff_id, now)
    await credentials.forget_failures(conn, counted.under)
    await credentials.note_sign_in(conn, current.staff_id, step, now)
    await actions.record(conn, who_of(current.staff_id, held), "sign-in", now)
    if first is not None:
        await sessions.delete_own_session(conn, current.staff_id, first)
    return await _open_session(visit, conn, current.staff_id, browser)


def _check_second_factor(
    current: credentials.Credential, role: Role, attempt: Attempt, now: datetime, *, again: bool
) -> int | SanwuError | None:
    """The step of a right code, None where none is needed, else the refusal. `again`: the last code may come once more."""
    if role not in second_factor.TOTP_ROLES and current.totp_secret is None:
        return None
    if current.totp_secret is None:
        return NoSecondFactorError()
    if not attempt.totp:
        return TotpRequiredError()
    step = second_factor.matching_step(current.totp_secret, attempt.totp, now)
    used_up = step is None or step < current.totp_step or (step == current.totp_step and not again)
    return WrongCredentialsError() if used_up else step


async def _load_first_press(conn: Connection, staff_id: str, browser: Browser | None, now: datetime) -> str | None:
    """The session that the same form of the same browser opened a moment ago."""
    if browser is None or not browser.form:
        return None
    return await sessions.select_session_of_form(conn, staff_id, digest(browser.form), now - _PRESSED_TWICE)


async def _check_one_time(
    visit: Visit, conn: Connection, current: credentials.Credential, role: Role, new_hash: str | None
) -> SanwuError | None:
    """The refusal of a password for one time that waited too long, with whom to ask, or that comes without another."""
    since, length = current.one_time_since, visit.settings.one_time_length
    if since is not None and visit.now >= since + length:
        asked = ROLE_NAMES[Role.REVIEWER if role in BELOW_REVIEWER else Role.OPERATOR]
        told = f"是 {local_time(since)} 发的，过了 {length.days} 天没有用，已经作废"
        detail = f"这个一次性密码{told}。请找{asked}重新发一个。"
        return OneTimePasswordOverError(detail)
    return await _new_password_required(conn, current.staff_id, visit.now) if new_hash is None else None


async def _new_password_required(conn: Connection, staff_id: str, now: datetime) -> NewPasswordRequiredError:
    """Who gave this account its passwords is told before its owner goes on: it may have been used meanwhile."""
    staff = await accounts.load_staff(conn, staff_id)
    resets = staff.resets_since(now) if staff is not None else ()
    told = [f"{local_time(r.at)}由{await _load_name(conn, r.by)}" for r in resets]
    if not told:
        return NewPasswordRequiredError()
    detail = f"您的密码在{'、'.join(told)}重置过。请同时设置您自己的新密码；不是您要求重置的，请告诉纪检监察干部。"
    return NewPasswordRequiredError(detail)


async def _load_name(conn: Connection, staff_id: str) -> str:
    return name_of(staff_id, await accounts.load_staff(conn, staff_id))


async def _fail(visit: Visit, conn: Connection, counted: _Counted) -> WrongCredentialsError:
    await count_failure(visit, conn, counted.under)
    # What was typed as a name that nobody has is not kept, and leaves nothing in the trail: anybody can type so much.
    if counted.credential is not None:
        staff_id = counted.credential.staff_id
        who = who_of(staff_id, await _load_post(conn, staff_id, visit.now))
        await actions.record(conn, who, "sign-in failed", visit.now)
    return WrongCredentialsError()


async def _load_post(conn: Connection, staff_id: str, now: datetime) -> StaffRevision | None:
    staff = await accounts.load_staff(conn, staff_id)
    return staff.at(local_day(now)) if staff is not None else None


def who_of(staff_id: str, held: StaffRevision | None) -> actions.Who:
    """Somebody as the trail names one, with the role held at the time."""
    return actions.Who(staff_id, held.role.value if held else None, held.scope if held else None)


async def _open_session(visit: Visit, conn: Connection, staff_id: str, browser: Browser | None) -> Tokens:
    key = await sealed.select_signing_key(conn, visit.now) or await ensure_signer(conn, visit.now)
    if browser is None:
        # A program signs in again when its token is over: no session, but a number by which to end it.
        return Tokens(_access_token(key, staff_id, visit.now, str(uuid.uuid4())))
    refresh, device = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    session_id = await sessions.insert_session(
        conn,
        digest(refresh),
        staff_id,
        visit.now,
        visit.now + visit.settings.session_length,
        address=client_address(),
        browser=browser.words,
        form=digest(browser.form) if browser.form else None,
    )
    if browser.device:
        # Who planted the old one, or has a copy of it, is not known by it any more.
        await sessions.rename_device(conn, digest(browser.device), digest(device))
    await sessions.note_device(conn, digest(device), staff_id, visit.now)
    return Tokens(_access_token(key, staff_id, visit.now, session_id), refresh, device)


def _access_token(key: sealed.SigningKey, staff_id: str, now: datetime, session_id: str) -> str:
    return issue_token(Ed25519PrivateKey.from_private_bytes(key.private_key), key.kid, staff_id, now, session_id)


# -- on, and out


async def renew(visit: Visit, refresh: str, *, old_cookie: bool = False) -> Renewed:
    """A new access token for an open session; UnauthenticatedError when it is over or the person has left.

    A session rests from its last renewal: a page in use renews at the latest when its token of 15 minutes is over.
    `old_cookie`: it came under a cookie's name that is not set any more; only a session from then is believed.
    """
    async with visit.runtime.database.connection() as conn:
        session = await sessions.select_session(conn, digest(refresh), visit.now)
        key = await sealed.select_signing_key(conn, visit.now)
        if session is None or key is None or (old_cookie and session.browser is not None):
            raise UnauthenticatedError
        role = visit.reference.staff_role(session.staff_id, visit.now)
        if role is None or visit.now >= session.last_used_at + idle_limit(visit.settings, role[0]):
            raise UnauthenticatedError
        await sessions.use_session(conn, session.session_id, visit.now)
    return Renewed(_access_token(key, session.staff_id, visit.now, session.session_id), session.expires_at)


async def sign_out(visit: Visit, refresh: str) -> None:
    """End a session, if it is one, with its token in every service; the trail says whose."""
    async with visit.runtime.database.transaction() as conn:
        if await sessions.select_session(conn, digest(refresh), visit.now) is None:
            # Anybody can say so much.
            return
        # In the order of whoever voids all sessions of an account: else each waits for the other.
        await references.lock_registry(conn)
        ended = await sessions.delete_session(conn, digest(refresh))
        if ended is not None:
            session_id, staff_id = ended
            await accounts.end_tokens(conn, staff_id, session_id, visit.now)
            who = who_of(staff_id, await _load_post(conn, staff_id, visit.now))
            await actions.record(conn, who, "sign-out", visit.now)


def digest(token: str) -> str:
    """What is kept of a token: its SHA-256, so that the table opens nothing."""
    return hashlib.sha256(token.encode()).hexdigest()
