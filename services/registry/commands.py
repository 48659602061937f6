"""What changes the registry: one function a change. Reference data is said again only when it differs."""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import argon2
import uuid_utils.compat
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.contracts.base import Event, Revision, Stamp
from services.contracts.catalogue import CalendarSet, CalendarYear, Item, ItemSet, Profile, ProfileSet
from services.contracts.division import Division, DivisionSet
from services.contracts.staff import Signer, SignerSet, Staff, StaffRevision, StaffSet
from services.kit import outbox, reference
from services.kit.auth import issue_token
from services.kit.db import Connection, Database
from services.kit.errors import NotFoundError, UnauthenticatedError
from services.registry import metrics, store
from services.registry.bulk.staff import StaffRow
from services.registry.errors import TooManyFailuresError, WrongCredentialsError
from services.registry.settings import RegistrySettings

#: OWASP's second choice of parameters: 19 MiB, two passes, one lane.
HASHER: Final = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: Each hash takes 19 MiB and a core: a crowd that signs in waits here, and the memory stays bounded.
_HASHING: Final = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
#: Checked when the name is unknown, so that the time of the answer does not tell.
_NOBODY: Final = HASHER.hash(secrets.token_urlsafe(16))


@dataclass(frozen=True, slots=True)
class Tokens:
    """What signing in gives: a short token for every service, a long one for renewing."""

    access: str
    refresh: str


# -- reference data -----------------------------------------------------------------------------------------------


async def _say(conn: Connection, event: Event, key: str) -> None:
    await reference.project(conn, event)
    await outbox.append(conn, event, key=key)
    metrics.EVENTS_SET.labels(kind=event.aggregate).inc()


async def _stamp(conn: Connection, aggregate: str, key: str, now: datetime) -> Stamp:
    return await outbox.stamp(conn, aggregate, key, at=now)


async def set_divisions(conn: Connection, divisions: Sequence[Division], now: datetime) -> int:
    """Say every new division, and a new revision of each whose name, kind or parent differs; returns how many.

    `duties_from`, `profile` and `sample` of a known division stay as they are: a file read twice changes nothing.
    """
    count = 0
    for division in divisions:
        kept = await store.select_reference(conn, "division", division.code)
        state = _division_with(Division.model_validate_json(kept) if kept else None, division)
        if state is not None:
            event = DivisionSet(**await _stamp(conn, "division", state.code, now), division=state)
            await _say(conn, event, state.code)
            count += 1
    return count


def _division_with(known: Division | None, stated: Division) -> Division | None:
    """The state after a file's division, or None when nothing changes."""
    if known is None:
        return stated
    last, new = known.now, stated.now
    if (last.name, last.kind, last.parent) == (new.name, new.kind, new.parent):
        return None
    changed = last.model_copy(update={"since": new.since, "name": new.name, "kind": new.kind, "parent": new.parent})
    ended = last.model_copy(update={"until": new.since})
    return known.model_copy(update={"revisions": (*known.revisions[:-1], ended, changed)})


async def set_items(conn: Connection, items: Sequence[Item], now: datetime) -> int:
    """Say every catalogue item whose newest content differs, whatever its dates; returns how many."""
    count = 0
    for item in items:
        kept = await store.select_reference(conn, "item", item.code)
        if kept is None or not _same_content(Item.model_validate_json(kept).revisions[-1], item.revisions[-1]):
            await _say(conn, ItemSet(**await _stamp(conn, "item", item.code, now), item=item), f"item:{item.code}")
            count += 1
    return count


def _same_content(one: Revision, other: Revision) -> bool:
    dates = {"since", "until"}
    return one.model_dump(exclude=dates) == other.model_dump(exclude=dates)


async def set_profile(conn: Connection, profile: Profile, now: datetime) -> int:
    """Say a deadline profile if it differs; returns 0 or 1."""
    kept = await store.select_reference(conn, "profile", profile.code)
    if kept is not None and _same_content(Profile.model_validate_json(kept).revisions[-1], profile.revisions[-1]):
        return 0
    event = ProfileSet(**await _stamp(conn, "profile", profile.code, now), profile=profile)
    await _say(conn, event, f"profile:{profile.code}")
    return 1


async def set_calendar(conn: Connection, year: CalendarYear, now: datetime) -> int:
    """Say a year's calendar if it differs; returns 0 or 1."""
    kept = await store.select_reference(conn, "calendar", str(year.year))
    if kept is not None and CalendarYear.model_validate_json(kept) == year:
        return 0
    event = CalendarSet(**await _stamp(conn, "calendar", str(year.year), now), calendar=year)
    await _say(conn, event, f"calendar:{year.year}")
    return 1


# -- staff --------------------------------------------------------------------------------------------------------


async def hash_passwords(rows: Sequence[StaffRow]) -> list[store.Credential]:
    """Hash many passwords beside the event loop, about 20 ms each."""
    loop = asyncio.get_running_loop()
    hashes = await asyncio.gather(*(loop.run_in_executor(_HASHING, HASHER.hash, r.password) for r in rows))
    return [
        store.Credential(str(uuid_utils.compat.uuid7()), row.username, hashed)
        for row, hashed in zip(rows, hashes, strict=True)
    ]


async def set_staff(
    conn: Connection, rows: Sequence[StaffRow], fresh: Sequence[store.Credential], today: date, now: datetime
) -> int:
    """Add new accounts and change roles or scopes of known ones; passwords of known ones stay. Returns changes."""
    if fresh:
        await store.insert_credentials(conn, fresh, now)
    ids = await store.select_usernames(conn)
    count = 0
    for row in rows:
        kept = await store.select_reference(conn, "staff", ids[row.username])
        staff = _staff_with(Staff.model_validate_json(kept) if kept else None, ids[row.username], row, today, now)
        if staff is not None:
            await _say_staff(conn, staff, now)
            count += 1
    return count


def _staff_with(known: Staff | None, staff_id: str, row: StaffRow, today: date, now: datetime) -> Staff | None:
    """The state after a row of the file, or None when nothing changes."""
    revision = StaffRevision(since=today, role=row.role, scope=row.scope)
    if known is None:
        return Staff(staff_id=staff_id, username=row.username, revisions=(revision,), sessions_not_before=now)
    last = known.revisions[-1]
    if last.until is None and (last.role, last.scope) == (row.role, row.scope):
        return None
    ended = last.model_copy(update={"until": last.until or today})
    return known.model_copy(update={"revisions": (*known.revisions[:-1], ended, revision)})


async def _say_staff(conn: Connection, staff: Staff, now: datetime) -> None:
    event = StaffSet(**await _stamp(conn, "staff", staff.staff_id, now), staff=staff)
    await _say(conn, event, f"staff:{staff.staff_id}")


async def revoke_sessions(conn: Connection, username: str, now: datetime) -> Staff:
    """Void every token and session of a person, everywhere, by event; NotFoundError for an unknown name."""
    # An import that read the person before would say the old state after this one.
    await store.lock_registry(conn)
    credential = await store.select_credential(conn, username)
    kept = await store.select_reference(conn, "staff", credential.staff_id) if credential else None
    if credential is None or kept is None:
        detail = f"没有用户名为 {username} 的账号。"
        raise NotFoundError(detail)
    await store.delete_sessions_of(conn, credential.staff_id)
    staff = Staff.model_validate_json(kept).model_copy(update={"sessions_not_before": now})
    await _say_staff(conn, staff, now)
    return staff


async def ensure_signer(conn: Connection, now: datetime) -> store.SigningKey:
    """The key that signs tokens; the first call makes it and tells its public half."""
    await store.lock_registry(conn)
    if (known := await store.select_signing_key(conn)) is not None:
        return known
    private = Ed25519PrivateKey.generate()
    public = base64.urlsafe_b64encode(private.public_key().public_bytes_raw()).decode().rstrip("=")
    kid = hashlib.sha256(public.encode()).hexdigest()[:16]
    key = store.SigningKey(kid, private.private_bytes_raw())
    await store.insert_signing_key(conn, key, now)
    event = SignerSet(**await _stamp(conn, "signer", kid, now), signer=Signer(kid=kid, public_key=public))
    await _say(conn, event, f"signer:{kid}")
    return key


# -- signing in ---------------------------------------------------------------------------------------------------


async def sign_in(
    database: Database, settings: RegistrySettings, username: str, password: str, now: datetime
) -> Tokens:
    """Check a password and open a session; hashing runs between two short transactions, not inside one.

    Raises WrongCredentialsError, and TooManyFailuresError with the seconds to wait.
    """
    async with database.connection() as conn:
        credential = await store.select_credential(conn, username)
        failures = await store.select_failures(conn, username)
    if failures is not None and failures.blocked_until > now:
        metrics.SIGN_INS.labels(outcome="blocked").inc()
        raise TooManyFailuresError(retry_after_s=int((failures.blocked_until - now).total_seconds()) + 1)
    stored = credential.password_hash if credential else _NOBODY
    right = await asyncio.get_running_loop().run_in_executor(_HASHING, _verify, stored, password)
    async with database.transaction() as conn:
        if credential is not None and right:
            if failures is not None:
                await store.forget_failures(conn, username)
            metrics.SIGN_INS.labels(outcome="ok").inc()
            return await _open_session(conn, settings, credential.staff_id, now)
        await store.count_failure(conn, username, now, settings.free_failures, settings.longest_wait)
    metrics.SIGN_INS.labels(outcome="wrong").inc()
    raise WrongCredentialsError


def _verify(hashed: str, password: str) -> bool:
    try:
        return HASHER.verify(hashed, password)
    except argon2.exceptions.VerifyMismatchError:
        return False


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


async def sign_out(conn: Connection, refresh: str) -> None:
    """End a session."""
    await store.delete_session(conn, _digest(refresh))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
