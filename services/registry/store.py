"""All SQL of the registry; rows leave as frozen values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.kit.db import Connection


@dataclass(frozen=True, slots=True)
class Credential:
    """An account's secret side."""

    staff_id: str
    username: str
    password_hash: str


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


SELECT_CREDENTIAL = "SELECT staff_id, username, password_hash FROM credential WHERE username = $1"


async def select_credential(conn: Connection, username: str) -> Credential | None:
    row = await conn.fetchrow(SELECT_CREDENTIAL, username)
    return Credential(row["staff_id"], row["username"], row["password_hash"]) if row else None


SELECT_USERNAMES = "SELECT username, staff_id FROM credential"


async def select_usernames(conn: Connection) -> dict[str, str]:
    """Every username with its staff id."""
    return {r["username"]: r["staff_id"] for r in await conn.fetch(SELECT_USERNAMES)}


INSERT_CREDENTIALS = """
INSERT INTO credential (staff_id, username, password_hash, changed_at)
SELECT i, u, h, $4 FROM unnest($1::text[], $2::text[], $3::text[]) AS t (i, u, h)
"""


async def insert_credentials(conn: Connection, credentials: Sequence[Credential], at: datetime) -> None:
    await conn.execute(
        INSERT_CREDENTIALS,
        [c.staff_id for c in credentials],
        [c.username for c in credentials],
        [c.password_hash for c in credentials],
        at,
    )


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


SELECT_SIGNING_KEY = "SELECT kid, private_key FROM signing_key ORDER BY created_at DESC LIMIT 1"


async def select_signing_key(conn: Connection) -> SigningKey | None:
    """The newest key: it signs."""
    row = await conn.fetchrow(SELECT_SIGNING_KEY)
    return SigningKey(row["kid"], row["private_key"]) if row else None


INSERT_SIGNING_KEY = "INSERT INTO signing_key (kid, private_key, created_at) VALUES ($1, $2, $3)"


async def insert_signing_key(conn: Connection, key: SigningKey, at: datetime) -> None:
    await conn.execute(INSERT_SIGNING_KEY, key.kid, key.private_key, at)


INSERT_SESSION = "INSERT INTO session (token_digest, staff_id, created_at, expires_at) VALUES ($1, $2, $3, $4)"


async def insert_session(conn: Connection, digest: str, staff_id: str, at: datetime, until: datetime) -> None:
    await conn.execute(INSERT_SESSION, digest, staff_id, at, until)


SELECT_SESSION_STAFF = "SELECT staff_id FROM session WHERE token_digest = $1 AND expires_at > $2"


async def select_session(conn: Connection, digest: str, now: datetime) -> str | None:
    """Whose session it is; None when unknown or over."""
    staff_id: str | None = await conn.fetchval(SELECT_SESSION_STAFF, digest, now)
    return staff_id


DELETE_SESSION = "DELETE FROM session WHERE token_digest = $1"


async def delete_session(conn: Connection, digest: str) -> None:
    await conn.execute(DELETE_SESSION, digest)


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
