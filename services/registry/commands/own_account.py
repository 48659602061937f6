"""One's own account: password, second factor, and where one is signed in."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.kit import actions
from services.kit.db import Connection
from services.kit.errors import Fault, InvalidInputError, NotFoundError, SanwuError
from services.registry.commands import passwords, second_factor
from services.registry.commands import staff as accounts
from services.registry.commands.signing_in import count_failure, idle_limit, known_of, load_block
from services.registry.errors import WrongPasswordError
from services.registry.store import credentials, references, sessions
from services.registry.visit import Caller, Changing, Reading

#: What is done once the password was right; the refusal, if there is one.
_Step = Callable[[Changing, credentials.Credential], Awaitable[SanwuError | None]]


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """The password that somebody has and the one wanted instead."""

    old: str
    new: str


async def change_own_password(caller: Caller, change: PasswordChange) -> None:
    """Change one's own password; every session ends. Failures count by themselves: strangers' do not stand in the way.

    Raises WrongPasswordError, TooManyFailuresError, and InvalidInputError for a new password that will not do.
    """
    new_hash = ""
    with caller.own.places.place("own"):
        known, right = await _check_password(caller, change.old)
        if right:
            username, about = caller.actor.username, known_of(caller, caller.actor.staff_id)
            new_hash = await passwords.hash_new_password(change.new, change.old, username, about, _own(caller))

    async def replace(desk: Changing, current: credentials.Credential) -> None:
        await credentials.set_password(desk.conn, current.staff_id, new_hash, desk.now, must_change=False)
        await sign_out_everywhere(desk)
        await actions.record(desk.conn, desk.actor.who, "password changed", desk.now)

    await _when_right(caller, known if right else None, replace)


async def begin_second_factor(caller: Caller, password: str, code: str | None) -> str:
    """A secret for an authenticator application, which counts once a code of it has come (`confirm_second_factor`).

    Whoever has a second factor states a code of it too. Raises WrongPasswordError and TooManyFailuresError.
    """
    with caller.own.places.place("own"):
        known, right = await _check_password(caller, password)
    secret = second_factor.new_secret()

    async def keep(desk: Changing, current: credentials.Credential) -> SanwuError | None:
        step = 0
        if current.totp_secret is not None:
            found = second_factor.matching_step(current.totp_secret, code or "", desk.now)
            if found is None or found <= current.totp_step:
                await _note_failure(caller, desk.conn, "own code failed")
                return WrongPasswordError(faults=[Fault("totp", "现在的动态口令不对；丢了手机的，请找人重置账号")])
            step = found
        await credentials.set_totp_next(desk.conn, current.staff_id, secret, step, desk.now)
        await actions.record(desk.conn, desk.actor.who, "second factor begun", desk.now)
        return None

    await _when_right(caller, known if right else None, keep)
    return secret


async def confirm_second_factor(desk: Changing, secret: str, code: str) -> None:
    """Let the secret that was begun be the second factor, by a code of it; every other session ends.

    The secret is stated again: who merely finds a browser signed in neither learns it nor takes it into use.
    """
    await references.lock_registry(desk.conn)
    await credentials.forget_totp_next(desk.conn, desk.now)
    current = await credentials.select_credential(desk.conn, desk.actor.username)
    begun = current.totp_next if current is not None else None
    if current is None or begun is None or not hmac.compare_digest(begun.encode(), secret.encode()):
        detail = "没有等待确认的动态口令，请从头开始。"
        raise NotFoundError(detail)
    step = second_factor.matching_step(secret, code, desk.now)
    if step is None:
        raise InvalidInputError(faults=[Fault("totp", "口令不对，请输入手机上现在显示的 6 位数字")])
    await credentials.set_totp(desk.conn, current.staff_id, secret, desk.now, step)
    await accounts.void_sessions(desk.conn, current.staff_id, desk.now, but=desk.actor.session_id)
    actions.about(f"staff/{current.staff_id}")


async def own_sessions(desk: Reading) -> list[sessions.Session]:
    """Where the caller is signed in, the one used last first."""
    used_since = desk.now - idle_limit(desk.settings, desk.actor.role)
    return await sessions.select_sessions_of(desk.conn, desk.actor.staff_id, desk.now, used_since)


async def end_own_session(desk: Changing, session_id: str) -> None:
    """End one of the caller's sessions, with its token in every service; NotFoundError when there is none of that id.

    A program has no session, but its token's own number ends that token.
    """
    desk.about(desk.reference.staff[desk.actor.staff_id])
    # In the order of whoever voids all sessions of an account: else each waits for the other.
    await references.lock_registry(desk.conn)
    deleted = await sessions.delete_own_session(desk.conn, desk.actor.staff_id, session_id)
    if not deleted and session_id != desk.actor.session_id:
        detail = "没有这个登录，可能已经退出。"
        raise NotFoundError(detail)
    await accounts.end_tokens(desk.conn, desk.actor.staff_id, session_id, desk.now)


async def sign_out_everywhere(desk: Changing) -> None:
    """Void every token and session of the caller, in every service by event."""
    desk.about(desk.reference.staff[desk.actor.staff_id])
    await accounts.void_sessions(desk.conn, desk.actor.staff_id, desk.now)


def _own(caller: Caller) -> str:
    return f"own/{caller.actor.username}"


async def _check_password(caller: Caller, password: str) -> tuple[credentials.Credential | None, bool]:
    """The caller's credential, and whether the password fits it; TooManyFailuresError when too many did not."""
    async with caller.reading(Reading) as reading:
        credential = await credentials.select_credential(reading.conn, caller.actor.username)
        blocked = await load_block(caller, reading.conn, _own(caller))
    if blocked is not None:
        raise blocked
    return credential, credential is not None and await passwords.is_right(
        credential.password_hash, password, _own(caller)
    )


async def _when_right(caller: Caller, known: credentials.Credential | None, step: _Step) -> None:
    """Do a step with the credential whose password was right; None counts a failure. Raises the refusal."""
    async with caller.runtime.database.transaction() as conn:
        # Guesses that came together are counted one after the other.
        await credentials.lock_name(conn, _own(caller))
        # Raised after the commit: the failure must stay counted.
        refused: SanwuError | None = await load_block(caller, conn, _own(caller))
        if refused is None and known is not None:
            refused = await _with_same_password(Changing(caller.runtime, caller.now, conn, caller.actor), known, step)
        elif refused is None:
            await _note_failure(caller, conn, "own password failed")
            refused = _wrong_password()
    if refused is not None:
        raise refused


async def _with_same_password(desk: Changing, known: credentials.Credential, step: _Step) -> SanwuError | None:
    # A code that signs somebody in at the same moment is used up.
    await credentials.lock_name(desk.conn, known.username)
    # A reset at the same moment, which holds this lock, wins.
    await references.lock_registry(desk.conn)
    current = await credentials.select_credential(desk.conn, known.username)
    if current is None or current.password_hash != known.password_hash:
        return _wrong_password()
    return await step(desk, current)


async def _note_failure(caller: Caller, conn: Connection, what: str) -> None:
    """Count it, and tell the trail: somebody else may sit at this account's browser."""
    await count_failure(caller, conn, _own(caller))
    await actions.record(conn, caller.actor.who, what, caller.now)


def _wrong_password() -> WrongPasswordError:
    return WrongPasswordError(faults=[Fault("password", "原密码不对")])
