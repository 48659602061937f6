"""Browsers: the sessions open in them, those that are known; and forgetting what is over."""

from dataclasses import dataclass
from datetime import datetime

from services.kit.db import Connection, Row
from services.registry.store.credentials import forget_totp_next


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
    await forget_totp_next(conn, now)


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


#: What failed in it goes on counting.
RENAME_DEVICE = """
WITH renamed AS (UPDATE device SET token_digest = $2::text WHERE token_digest = $1::text RETURNING staff_id)
UPDATE sign_in_failure SET username = 'device/' || left($2::text, 32) || '/' || staff_id
FROM renamed WHERE username = 'device/' || left($1::text, 32) || '/' || staff_id
"""


def failures_in(digest: str, staff_id: str) -> str:
    """Under what failures of an account in a browser that is known count."""
    return f"device/{digest[:32]}/{staff_id}"


async def rename_device(conn: Connection, digest: str, new: str) -> None:
    """Know a browser by another cookie, for every account that it is known to; by the old one it is known no more."""
    await conn.execute(RENAME_DEVICE, digest, new)


FORGET_DEVICES_OF = "DELETE FROM device WHERE staff_id = $1"


async def forget_devices_of(conn: Connection, staff_id: str) -> None:
    await conn.execute(FORGET_DEVICES_OF, staff_id)
