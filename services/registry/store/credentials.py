"""What opens accounts, and how often it failed to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.kit.db import Connection
from services.registry.store.sealed import closed, closed_again, opened, totp_next_place, totp_place


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
        None if secret is None else opened(secret, totp_place(staff_id)),
        row["totp_step"],
        row["must_change"],
        row["one_time_since"],
        None if begun is None else opened(begun, totp_next_place(staff_id)),
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
        [closed_again(c.totp_secret, totp_place(c.staff_id)) for c in credentials],
        [c.must_change for c in credentials],
        at,
    )


CHANGE_HASH = """
UPDATE credential SET password_hash = $2, must_change = $3, changed_at = $4, one_time_since = $4, totp_next = NULL
WHERE staff_id = $1
"""


async def set_password(conn: Connection, staff_id: str, password_hash: str, at: datetime, *, must_change: bool) -> None:
    await conn.execute(CHANGE_HASH, staff_id, password_hash, must_change, at)


SET_TOTP = """
UPDATE credential SET totp_secret = $2, totp_step = $4, totp_next = NULL, changed_at = $3 WHERE staff_id = $1
"""


async def set_totp(conn: Connection, staff_id: str, secret: str | None, at: datetime, used_step: int = 0) -> None:
    """Set, or take away, a second factor; a code of `used_step` or before opens nothing."""
    await conn.execute(SET_TOTP, staff_id, closed_again(secret, totp_place(staff_id)), at, used_step)


SET_TOTP_NEXT = """
UPDATE credential SET totp_next = $2, totp_step = greatest(totp_step, $3::bigint), totp_next_since = $4 WHERE staff_id = $1
"""


async def set_totp_next(conn: Connection, staff_id: str, secret: str, used_step: int, at: datetime) -> None:
    """Keep a second factor until its owner confirms it; the code of the old one is used up."""
    await conn.execute(SET_TOTP_NEXT, staff_id, closed(secret, totp_next_place(staff_id)), used_step, at)


#: One of before it was kept since when waits for nobody either.
FORGET_TOTP_NEXT = """
UPDATE credential SET totp_next = NULL
WHERE totp_next IS NOT NULL AND (totp_next_since IS NULL OR totp_next_since <= $1::timestamptz - interval '1 hour')
"""


async def forget_totp_next(conn: Connection, now: datetime) -> None:
    """Drop second factors whose first code has not come within an hour."""
    await conn.execute(FORGET_TOTP_NEXT, now)


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
    await conn.execute(ENROL, list(of), [closed(secret, totp_place(i)) for i, secret in of.items()], at)


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
