"""All SQL of the registry; rows leave as frozen values. Secrets rest closed in it, each bound to its column and row."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.kit.db import Connection, Row
from services.kit.shred import close_here, reopen_here

#: How a secret that rests closed begins; no base32 has a colon, and no private key is so long.
SEALED: Final = "s1:"
RAW_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Credential:
    """What opens an account: name, password hash, second factor; never part of an event."""

    staff_id: str
    username: str
    password_hash: str
    totp_secret: str | None = None
    totp_step: int = 0
    must_change: bool = False
    #: Since when the password is one for one time, if it is one.
    one_time_since: datetime | None = None
    #: A second factor that its owner has not confirmed by a code yet.
    totp_next: str | None = None


@dataclass(frozen=True, slots=True)
class Failures:
    """How often signing in failed for a name, and until when it waits."""

    count: int
    blocked_until: datetime


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private Ed25519 key, raw 32 bytes."""

    kid: str
    private_key: bytes


# -- secrets at rest


def _closed(secret: str, place: str) -> str:
    """A secret as it rests: closed under `SANWU_KEY_SEAL`, or as it is when there is nothing to close it with."""
    closed = close_here(secret, place)
    return secret if closed is None else SEALED + closed


def _opened(resting: str, place: str) -> str:
    """A secret that may rest in clear from before there was a seal; KeySealError when it does not open."""
    return reopen_here(resting.removeprefix(SEALED), place) if resting.startswith(SEALED) else resting


def _totp(staff_id: str) -> str:
    return f"credential.totp_secret of {staff_id}"


def _totp_next(staff_id: str) -> str:
    return f"credential.totp_next of {staff_id}"


def _private(kid: str) -> str:
    return f"signing_key.private_key of {kid}"


def _closed_key(key: SigningKey) -> bytes:
    closed = _closed(base64.b64encode(key.private_key).decode(), _private(key.kid))
    return closed.encode() if closed.startswith(SEALED) else key.private_key


def _signing_key(row: Row) -> SigningKey:
    resting: bytes = row["private_key"]
    if len(resting) == RAW_KEY_BYTES:
        return SigningKey(row["kid"], resting)
    return SigningKey(row["kid"], base64.b64decode(_opened(resting.decode(), _private(row["kid"]))))


SELECT_A_SEALED_KEY = "SELECT kid, private_key FROM signing_key WHERE length(private_key) > 32 LIMIT 1"
SELECT_A_SEALED_FACTOR = "SELECT staff_id, totp_secret FROM credential WHERE totp_secret LIKE 's1:%' LIMIT 1"


async def require_seal(conn: Connection) -> None:
    """KeySealError when the secrets that are here were closed with something else: better no start than nobody let in."""
    if (key := await conn.fetchrow(SELECT_A_SEALED_KEY)) is not None:
        _signing_key(key)
    if (factor := await conn.fetchrow(SELECT_A_SEALED_FACTOR)) is not None:
        _opened(factor["totp_secret"], _totp(factor["staff_id"]))


#: Whom somebody is just changing is left for the next time: nobody waits for a sweep, and no sweep for anybody.
TAKE_CLEAR_FACTORS = """
SELECT staff_id, totp_secret, totp_next FROM credential
WHERE totp_secret NOT LIKE 's1:%' OR totp_next NOT LIKE 's1:%' LIMIT $1 FOR UPDATE SKIP LOCKED
"""
CLOSE_FACTORS = """
UPDATE credential c SET totp_secret = t.secret, totp_next = t.next
FROM unnest($1::text[], $2::text[], $3::text[]) AS t (id, secret, next) WHERE c.staff_id = t.id
"""
TAKE_CLEAR_KEYS = (
    "SELECT kid, private_key FROM signing_key WHERE length(private_key) = 32 LIMIT $1 FOR UPDATE SKIP LOCKED"
)
CLOSE_KEYS = """
UPDATE signing_key k SET private_key = t.key FROM unnest($1::text[], $2::bytea[]) AS t (id, key) WHERE k.kid = t.id
"""
RESTS_IN_CLEAR = """
SELECT EXISTS (SELECT FROM credential WHERE totp_secret NOT LIKE 's1:%' OR totp_next NOT LIKE 's1:%')
    OR EXISTS (SELECT FROM signing_key WHERE length(private_key) = 32)
"""
#: The pages on which the clear ones stood: an UPDATE leaves the old row where it is.
WIPE_SECRETS: Final = ("VACUUM (FULL) credential", "VACUUM (FULL) signing_key")


async def close_some(conn: Connection, limit: int) -> int:
    """Close up to so many rows of each table whose secrets rest in clear; returns how many, 0 when none is free to be."""
    rows = await conn.fetch(TAKE_CLEAR_FACTORS, limit)
    if rows:
        # What rests closed already stays as it is.
        ids = [r["staff_id"] for r in rows]
        secrets = [_closed_again(r["totp_secret"], _totp(r["staff_id"])) for r in rows]
        nexts = [_closed_again(r["totp_next"], _totp_next(r["staff_id"])) for r in rows]
        await conn.execute(CLOSE_FACTORS, ids, secrets, nexts)
    keys = [SigningKey(r["kid"], r["private_key"]) for r in await conn.fetch(TAKE_CLEAR_KEYS, limit)]
    if keys:
        await conn.execute(CLOSE_KEYS, [k.kid for k in keys], [_closed_key(k) for k in keys])
    return len(rows) + len(keys)


def _closed_again(resting: str | None, place: str) -> str | None:
    return resting if resting is None or resting.startswith(SEALED) else _closed(resting, place)


async def rests_in_clear(conn: Connection) -> bool:
    """Tell whether a secret rests in clear."""
    in_clear: bool = await conn.fetchval(RESTS_IN_CLEAR)
    return in_clear


# -- accounts


SELECT_CREDENTIAL = """
SELECT staff_id, username, password_hash, totp_secret, totp_step, must_change, one_time_since, totp_next
FROM credential WHERE username = $1
"""


async def select_credential(conn: Connection, username: str) -> Credential | None:
    row = await conn.fetchrow(SELECT_CREDENTIAL, username)
    if row is None:
        return None
    staff_id, secret, begun = row["staff_id"], row["totp_secret"], row["totp_next"]
    return Credential(
        staff_id,
        row["username"],
        row["password_hash"],
        None if secret is None else _opened(secret, _totp(staff_id)),
        row["totp_step"],
        row["must_change"],
        row["one_time_since"],
        None if begun is None else _opened(begun, _totp_next(staff_id)),
    )


SELECT_USERNAMES = "SELECT username, staff_id FROM credential"


async def select_usernames(conn: Connection) -> dict[str, str]:
    """Every username with its staff id."""
    return {r["username"]: r["staff_id"] for r in await conn.fetch(SELECT_USERNAMES)}


SELECT_ACCOUNTS = """
SELECT c.username, c.staff_id, r.payload::text AS payload
FROM credential c LEFT JOIN reference r ON r.kind = 'staff' AND r.key = c.staff_id WHERE c.username = ANY($1::text[])
"""


async def select_accounts(conn: Connection, usernames: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """Those of some usernames that there are: staff id and the person's state as JSON text."""
    rows = await conn.fetch(SELECT_ACCOUNTS, list(usernames))
    return {r["username"]: (r["staff_id"], r["payload"]) for r in rows}


INSERT_CREDENTIALS = """
INSERT INTO credential (staff_id, username, password_hash, totp_secret, must_change, changed_at, one_time_since)
SELECT i, u, h, s, m, $6, $6 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[]) AS t (i, u, h, s, m)
"""


async def insert_credentials(conn: Connection, credentials: Sequence[Credential], at: datetime) -> None:
    await conn.execute(
        INSERT_CREDENTIALS,
        [c.staff_id for c in credentials],
        [c.username for c in credentials],
        [c.password_hash for c in credentials],
        [_closed_again(c.totp_secret, _totp(c.staff_id)) for c in credentials],
        [c.must_change for c in credentials],
        at,
    )


CHANGE_HASH = """
UPDATE credential SET password_hash = $2, must_change = $3, changed_at = $4, one_time_since = $4 WHERE staff_id = $1
"""


async def set_password(conn: Connection, staff_id: str, password_hash: str, at: datetime, *, must_change: bool) -> None:
    await conn.execute(CHANGE_HASH, staff_id, password_hash, must_change, at)


SET_TOTP = """
UPDATE credential SET totp_secret = $2, totp_step = $4, totp_next = NULL, changed_at = $3 WHERE staff_id = $1
"""


async def set_totp(conn: Connection, staff_id: str, secret: str | None, at: datetime, used_step: int = 0) -> None:
    """Set, or take away, a second factor; a code of `used_step` or before opens nothing."""
    await conn.execute(SET_TOTP, staff_id, _closed_again(secret, _totp(staff_id)), at, used_step)


SET_TOTP_NEXT = """
UPDATE credential SET totp_next = $2, totp_step = greatest(totp_step, $3::bigint) WHERE staff_id = $1
"""


async def set_totp_next(conn: Connection, staff_id: str, secret: str, used_step: int) -> None:
    """Keep a second factor until its owner confirms it; the code of the old one is used up."""
    await conn.execute(SET_TOTP_NEXT, staff_id, _closed(secret, _totp_next(staff_id)), used_step)


SELECT_UNENROLLED = """
SELECT staff_id, username FROM credential WHERE username = ANY($1::text[]) AND totp_secret IS NULL
"""
ENROL = """
UPDATE credential c SET totp_secret = t.secret, changed_at = $3
FROM unnest($1::text[], $2::text[]) AS t (id, secret) WHERE c.staff_id = t.id AND totp_secret IS NULL
"""


async def enrol(conn: Connection, secrets: Mapping[str, str], at: datetime) -> None:
    """Give accounts (by username) that have no second factor theirs; whoever has one keeps it."""
    if not secrets:
        return
    of = {r["staff_id"]: secrets[r["username"]] for r in await conn.fetch(SELECT_UNENROLLED, list(secrets))}
    await conn.execute(ENROL, list(of), [_closed(secret, _totp(i)) for i, secret in of.items()], at)


NOTE_SIGN_IN = """
UPDATE credential SET signed_in_at = $2, totp_step = greatest(totp_step, coalesce($3::bigint, 0)) WHERE staff_id = $1
"""


async def note_sign_in(conn: Connection, staff_id: str, step: int | None, at: datetime) -> None:
    """Note when somebody signed in and which step of the second factor was used up."""
    await conn.execute(NOTE_SIGN_IN, staff_id, at, step)


SELECT_SIGNED_IN = "SELECT staff_id, signed_in_at FROM credential WHERE staff_id = ANY($1::text[])"


async def select_signed_in(conn: Connection, staff_ids: Sequence[str]) -> dict[str, datetime | None]:
    """When each of some people last signed in."""
    rows = await conn.fetch(SELECT_SIGNED_IN, list(staff_ids))
    return {r["staff_id"]: r["signed_in_at"] for r in rows}


LOCK_NAME = "SELECT pg_advisory_xact_lock(hashtext('sign-in'), hashtext($1))"


async def lock_name(conn: Connection, under: str) -> None:
    """Let one of the attempts that count together be judged at a time."""
    await conn.execute(LOCK_NAME, under)


SELECT_FAILURES = "SELECT failures, blocked_until FROM sign_in_failure WHERE username = $1"


async def select_failures(conn: Connection, under: str) -> Failures | None:
    row = await conn.fetchrow(SELECT_FAILURES, under)
    return Failures(row["failures"], row["blocked_until"]) if row else None


COUNT_FAILURE = """
INSERT INTO sign_in_failure (username, failures, blocked_until) VALUES ($1, 1, $2)
ON CONFLICT (username) DO UPDATE SET
    failures = sign_in_failure.failures + 1,
    blocked_until = CASE
        WHEN sign_in_failure.failures + 1 < $3 THEN $2
        ELSE $2 + least($4::interval, make_interval(secs => power(2, least(sign_in_failure.failures + 1 - $3, 20))))
    END
"""


async def count_failure(conn: Connection, under: str, at: datetime, free: int, longest: timedelta) -> None:
    """One failure more; from the free number on, the wait doubles up to the longest."""
    await conn.execute(COUNT_FAILURE, under, at, free, longest)


FORGET_FAILURES = "DELETE FROM sign_in_failure WHERE username = ANY($1::text[])"


async def forget_failures(conn: Connection, *under: str) -> None:
    await conn.execute(FORGET_FAILURES, list(under))


#: One whose time has come before one whose time is still to come, and of those the newest.
SELECT_SIGNING_KEY = """
SELECT kid, private_key FROM signing_key
ORDER BY created_at > $1, abs(extract(epoch FROM created_at - $1::timestamptz)) LIMIT 1
"""


async def select_signing_key(conn: Connection, now: datetime) -> SigningKey | None:
    """The key that signs at a moment."""
    row = await conn.fetchrow(SELECT_SIGNING_KEY, now)
    return _signing_key(row) if row else None


INSERT_SIGNING_KEY = "INSERT INTO signing_key (kid, private_key, created_at) VALUES ($1, $2, $3)"


async def insert_signing_key(conn: Connection, key: SigningKey, at: datetime) -> None:
    """Keep a key that signs from a moment on."""
    await conn.execute(INSERT_SIGNING_KEY, key.kid, _closed_key(key), at)


IS_ROOT_USED = "SELECT EXISTS (SELECT FROM root_used WHERE public_key = $1)"


async def is_root_used(conn: Connection, public_key: str) -> bool:
    """Tell whether everything was said under this root key."""
    used: bool = await conn.fetchval(IS_ROOT_USED, public_key)
    return used


NOTE_ROOT = "INSERT INTO root_used (public_key, since) VALUES ($1, $2) ON CONFLICT DO NOTHING"


async def note_root(conn: Connection, public_key: str, at: datetime) -> None:
    """Note that everything was, or will be, said under this root key."""
    await conn.execute(NOTE_ROOT, public_key, at)


#: Of a registry that has said nothing yet, all that it says goes out under the key of this day.
NOTE_FIRST_ROOT = """
INSERT INTO root_used (public_key, since) SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM event) ON CONFLICT DO NOTHING
"""


async def note_first_root(conn: Connection, public_key: str, at: datetime) -> None:
    await conn.execute(NOTE_FIRST_ROOT, public_key, at)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which somebody is signed in. `browser`: in words; None of a session from before it was asked."""

    session_id: str
    staff_id: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime
    address: str | None
    browser: str | None


def _session(row: Row) -> Session:
    return Session(
        row["session_id"],
        row["staff_id"],
        row["created_at"],
        row["expires_at"],
        row["last_used_at"],
        row["address"],
        row["browser"],
    )


INSERT_SESSION = """
INSERT INTO session (token_digest, staff_id, created_at, last_used_at, expires_at, address, browser, form_digest)
VALUES ($1, $2, $3, $3, $4, $5, $6, $7) RETURNING session_id::text
"""


async def insert_session(
    conn: Connection,
    digest: str,
    staff_id: str,
    at: datetime,
    until: datetime,
    *,
    address: str | None,
    browser: str,
    form: str | None,
) -> str:
    """Open a session; its id. `form`: the digest of the form that it came from."""
    session_id: str = await conn.fetchval(INSERT_SESSION, digest, staff_id, at, until, address, browser, form)
    return session_id


SELECT_SESSION = """
SELECT session_id::text, staff_id, created_at, expires_at, last_used_at, address, browser
FROM session WHERE token_digest = $1 AND expires_at > $2
"""


async def select_session(conn: Connection, digest: str, now: datetime) -> Session | None:
    """An open session by its token; None when unknown or over."""
    row = await conn.fetchrow(SELECT_SESSION, digest, now)
    return _session(row) if row else None


USE_SESSION = "UPDATE session SET last_used_at = greatest(last_used_at, $2) WHERE session_id = $1::text::uuid"


async def use_session(conn: Connection, session_id: str, now: datetime) -> None:
    await conn.execute(USE_SESSION, session_id, now)


SELECT_SESSION_OF_FORM = """
SELECT session_id::text FROM session WHERE staff_id = $1 AND form_digest = $2 AND created_at > $3
"""


async def select_session_of_form(conn: Connection, staff_id: str, form: str, since: datetime) -> str | None:
    """The session that the same form has opened since a moment."""
    session_id: str | None = await conn.fetchval(SELECT_SESSION_OF_FORM, staff_id, form, since)
    return session_id


DELETE_SESSION = "DELETE FROM session WHERE token_digest = $1 RETURNING session_id::text, staff_id"


async def delete_session(conn: Connection, digest: str) -> tuple[str, str] | None:
    """End a session; which it was and whose, None when there was none."""
    row = await conn.fetchrow(DELETE_SESSION, digest)
    return (row["session_id"], row["staff_id"]) if row else None


DELETE_OWN_SESSION = "DELETE FROM session WHERE staff_id = $1 AND session_id::text = $2 RETURNING session_id"


async def delete_own_session(conn: Connection, staff_id: str, session_id: str) -> bool:
    """End one of somebody's sessions; False when there is none of that id."""
    return await conn.fetchval(DELETE_OWN_SESSION, staff_id, session_id) is not None


SELECT_SESSIONS_OF = """
SELECT session_id::text, staff_id, created_at, expires_at, last_used_at, address, browser
FROM session WHERE staff_id = $1 AND expires_at > $2 AND last_used_at > $3
ORDER BY last_used_at DESC, session_id LIMIT 100
"""


async def select_sessions_of(conn: Connection, staff_id: str, now: datetime, used_since: datetime) -> list[Session]:
    """Somebody's open sessions, the one used last first."""
    return [_session(r) for r in await conn.fetch(SELECT_SESSIONS_OF, staff_id, now, used_since)]


#: A key that another has followed signs nothing any more.
FORGET_SIGNING_KEYS = """
DELETE FROM signing_key old
WHERE EXISTS (SELECT FROM signing_key new WHERE new.created_at > old.created_at AND new.created_at <= $1)
"""
FORGET_SESSIONS = "DELETE FROM session WHERE expires_at <= $1"
#: A name whose wait ended a day ago starts anew.
FORGET_OLD_FAILURES = "DELETE FROM sign_in_failure WHERE blocked_until <= $1::timestamptz - interval '1 day'"
FORGET_DEVICES = "DELETE FROM device WHERE used_at <= $1"


async def forget_the_past(conn: Connection, now: datetime, devices_since: datetime) -> None:
    """Remove what is over: sessions, failures that count no more, followed private keys, browsers not used since a moment."""
    await conn.execute(FORGET_SIGNING_KEYS, now)
    await conn.execute(FORGET_SESSIONS, now)
    await conn.execute(FORGET_OLD_FAILURES, now)
    await conn.execute(FORGET_DEVICES, devices_since)


DELETE_SESSIONS_OF = "DELETE FROM session WHERE staff_id = $1 AND session_id::text IS DISTINCT FROM $2"


async def delete_sessions_of(conn: Connection, staff_id: str, *, but: str | None = None) -> None:
    await conn.execute(DELETE_SESSIONS_OF, staff_id, but)


KNOWS_DEVICE = "SELECT true FROM device WHERE token_digest = $1 AND staff_id = $2 AND used_at > $3"


async def knows_device(conn: Connection, digest: str, staff_id: str, since: datetime) -> bool:
    """Tell whether an account has signed in with a browser since a moment."""
    return await conn.fetchval(KNOWS_DEVICE, digest, staff_id, since) is True


UPSERT_DEVICE = """
INSERT INTO device (token_digest, staff_id, used_at) VALUES ($1, $2, $3)
ON CONFLICT (token_digest, staff_id) DO UPDATE SET used_at = excluded.used_at
"""
FORGET_MANY_DEVICES = """
DELETE FROM device WHERE staff_id = $1 AND token_digest IN (
    SELECT token_digest FROM device WHERE staff_id = $1 ORDER BY used_at DESC OFFSET 20
)
"""


async def note_device(conn: Connection, digest: str, staff_id: str, at: datetime) -> None:
    """Know a browser of an account from now on; of more than twenty the one used longest ago is forgotten."""
    await conn.execute(UPSERT_DEVICE, digest, staff_id, at)
    await conn.execute(FORGET_MANY_DEVICES, staff_id)


FORGET_DEVICES_OF = "DELETE FROM device WHERE staff_id = $1"


async def forget_devices_of(conn: Connection, staff_id: str) -> None:
    await conn.execute(FORGET_DEVICES_OF, staff_id)


LOCK_REGISTRY = "SELECT pg_advisory_xact_lock(hashtext('registry'))"


async def lock_registry(conn: Connection) -> None:
    """Let one change of reference data at a time through."""
    await conn.execute(LOCK_REGISTRY)


SELECT_REFERENCE = "SELECT payload::text FROM reference WHERE kind = $1 AND key = $2"


async def select_reference(conn: Connection, kind: str, key: str) -> str | None:
    """The state of a reference key as JSON text."""
    text: str | None = await conn.fetchval(SELECT_REFERENCE, kind, key)
    return text


SELECT_REFERENCES = "SELECT key, payload::text AS payload FROM reference WHERE kind = $1 AND key = ANY($2::text[])"


async def select_references(conn: Connection, kind: str, keys: Sequence[str]) -> dict[str, str]:
    """The states of those of some keys that there are, as JSON text."""
    return {r["key"]: r["payload"] for r in await conn.fetch(SELECT_REFERENCES, kind, list(keys))}
