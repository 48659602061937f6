"""All SQL of the registry; rows leave as frozen values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.kit.db import Connection


@dataclass(frozen=True, slots=True)
class Credential:
    """What opens an account: name, password hash, second factor; never part of an event."""

    staff_id: str
    username: str
    password_hash: str
    totp_secret: str | None = None
    totp_step: int = 0
    must_change: bool = False


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


SELECT_CREDENTIAL = """
SELECT staff_id, username, password_hash, totp_secret, totp_step, must_change FROM credential WHERE username = $1
"""


async def select_credential(conn: Connection, username: str) -> Credential | None:
    row = await conn.fetchrow(SELECT_CREDENTIAL, username)
    if row is None:
        return None
    return Credential(
        row["staff_id"],
        row["username"],
        row["password_hash"],
        row["totp_secret"],
        row["totp_step"],
        row["must_change"],
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
INSERT INTO credential (staff_id, username, password_hash, totp_secret, must_change, changed_at)
SELECT i, u, h, s, m, $6 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[]) AS t (i, u, h, s, m)
"""


async def insert_credentials(conn: Connection, credentials: Sequence[Credential], at: datetime) -> None:
    await conn.execute(
        INSERT_CREDENTIALS,
        [c.staff_id for c in credentials],
        [c.username for c in credentials],
        [c.password_hash for c in credentials],
        [c.totp_secret for c in credentials],
        [c.must_change for c in credentials],
        at,
    )


CHANGE_HASH = "UPDATE credential SET password_hash = $2, must_change = $3, changed_at = $4 WHERE staff_id = $1"


async def set_password(conn: Connection, staff_id: str, password_hash: str, at: datetime, *, must_change: bool) -> None:
    await conn.execute(CHANGE_HASH, staff_id, password_hash, must_change, at)


SET_TOTP = "UPDATE credential SET totp_secret = $2, totp_step = 0, changed_at = $3 WHERE staff_id = $1"


async def set_totp(conn: Connection, staff_id: str, secret: str | None, at: datetime) -> None:
    await conn.execute(SET_TOTP, staff_id, secret, at)


ENROL = """
UPDATE credential SET totp_secret = s, changed_at = $3
FROM unnest($1::text[], $2::text[]) AS t (u, s) WHERE username = u AND totp_secret IS NULL
"""


async def enrol(conn: Connection, secrets: Mapping[str, str], at: datetime) -> None:
    """Give accounts (by username) that have no second factor theirs; whoever has one keeps it."""
    await conn.execute(ENROL, list(secrets), list(secrets.values()), at)


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


async def lock_name(conn: Connection, username: str) -> None:
    """Let one attempt to sign in under a name be judged at a time."""
    await conn.execute(LOCK_NAME, username)


SELECT_FAILURES = "SELECT failures, blocked_until FROM sign_in_failure WHERE username = $1"


async def select_failures(conn: Connection, username: str) -> Failures | None:
    row = await conn.fetchrow(SELECT_FAILURES, username)
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


async def count_failure(conn: Connection, username: str, at: datetime, free: int, longest: timedelta) -> None:
    """One failure more; from the free number on, the wait doubles up to the longest."""
    await conn.execute(COUNT_FAILURE, username, at, free, longest)


FORGET_FAILURES = "DELETE FROM sign_in_failure WHERE username = $1"


async def forget_failures(conn: Connection, username: str) -> None:
    await conn.execute(FORGET_FAILURES, username)


#: One whose time has come before one whose time is still to come, and of those the newest.
SELECT_SIGNING_KEY = """
SELECT kid, private_key FROM signing_key
ORDER BY created_at > $1, abs(extract(epoch FROM created_at - $1::timestamptz)) LIMIT 1
"""


async def select_signing_key(conn: Connection, now: datetime) -> SigningKey | None:
    """The key that signs at a moment."""
    row = await conn.fetchrow(SELECT_SIGNING_KEY, now)
    return SigningKey(row["kid"], row["private_key"]) if row else None


INSERT_SIGNING_KEY = "INSERT INTO signing_key (kid, private_key, created_at) VALUES ($1, $2, $3)"


async def insert_signing_key(conn: Connection, key: SigningKey, at: datetime) -> None:
    """Keep a key that signs from a moment on."""
    await conn.execute(INSERT_SIGNING_KEY, key.kid, key.private_key, at)


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


INSERT_SESSION = "INSERT INTO session (token_digest, staff_id, created_at, expires_at) VALUES ($1, $2, $3, $4)"


async def insert_session(conn: Connection, digest: str, staff_id: str, at: datetime, until: datetime) -> None:
    await conn.execute(INSERT_SESSION, digest, staff_id, at, until)


SELECT_SESSION_STAFF = "SELECT staff_id FROM session WHERE token_digest = $1 AND expires_at > $2"


async def select_session(conn: Connection, digest: str, now: datetime) -> str | None:
    """Whose session it is; None when unknown or over."""
    staff_id: str | None = await conn.fetchval(SELECT_SESSION_STAFF, digest, now)
    return staff_id


DELETE_SESSION = "DELETE FROM session WHERE token_digest = $1 RETURNING staff_id"


async def delete_session(conn: Connection, digest: str) -> str | None:
    """End a session; whose it was, None when there was none."""
    staff_id: str | None = await conn.fetchval(DELETE_SESSION, digest)
    return staff_id


@dataclass(frozen=True, slots=True)
class Session:
    """An open session as its owner sees it."""

    session_id: str
    created_at: datetime
    expires_at: datetime


SELECT_SESSIONS_OF = """
SELECT session_id::text, created_at, expires_at FROM session WHERE staff_id = $1 AND expires_at > $2
ORDER BY created_at DESC, session_id LIMIT 100
"""


async def select_sessions_of(conn: Connection, staff_id: str, now: datetime) -> list[Session]:
    rows = await conn.fetch(SELECT_SESSIONS_OF, staff_id, now)
    return [Session(r["session_id"], r["created_at"], r["expires_at"]) for r in rows]


#: A key that another has followed signs nothing any more.
FORGET_SIGNING_KEYS = """
DELETE FROM signing_key old
WHERE EXISTS (SELECT FROM signing_key new WHERE new.created_at > old.created_at AND new.created_at <= $1)
"""
FORGET_SESSIONS = "DELETE FROM session WHERE expires_at <= $1"
#: A name whose wait ended a day ago starts anew.
FORGET_OLD_FAILURES = "DELETE FROM sign_in_failure WHERE blocked_until <= $1::timestamptz - interval '1 day'"


async def forget_the_past(conn: Connection, now: datetime) -> None:
    """Remove sessions that are over, failures that count no more, and private keys that were followed by another."""
    await conn.execute(FORGET_SIGNING_KEYS, now)
    await conn.execute(FORGET_SESSIONS, now)
    await conn.execute(FORGET_OLD_FAILURES, now)


DELETE_SESSIONS_OF = "DELETE FROM session WHERE staff_id = $1"


async def delete_sessions_of(conn: Connection, staff_id: str) -> None:
    await conn.execute(DELETE_SESSIONS_OF, staff_id)


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
