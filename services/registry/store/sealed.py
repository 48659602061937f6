"""Secrets as they rest: closed under the registry's seal, each bound to its table, column and row; and the keys that sign."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.kit.db import Connection, Row
from services.kit.encoded import base64_of, bytes_of
from services.kit.shred import close_here, reopen_here

#: How a secret that rests closed begins; no base32 has a colon, and no private key is so long.
SEALED: Final = "s1:"
RAW_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private Ed25519 key, raw 32 bytes."""

    kid: str
    private_key: bytes


def closed(secret: str, place: str) -> str:
    """A secret as it rests: closed under `SANWU_KEY_SEAL`, or as it is when there is nothing to close it with."""
    made = close_here(secret, place)
    return secret if made is None else SEALED + made


def opened(resting: str, place: str) -> str:
    """A secret that may rest in clear from before there was a seal; KeySealError when it does not open."""
    return reopen_here(resting.removeprefix(SEALED), place) if resting.startswith(SEALED) else resting


def totp_place(staff_id: str) -> str:
    """What a second factor that rests closed is bound to."""
    return f"credential.totp_secret of {staff_id}"


def totp_next_place(staff_id: str) -> str:
    """What one that waits to be confirmed is bound to."""
    return f"credential.totp_next of {staff_id}"


def _private(kid: str) -> str:
    return f"signing_key.private_key of {kid}"


def _closed_key(key: SigningKey) -> bytes:
    resting = closed(base64_of(key.private_key), _private(key.kid))
    return resting.encode() if resting.startswith(SEALED) else key.private_key


def _signing_key(row: Row) -> SigningKey:
    resting: bytes = row["private_key"]
    if len(resting) == RAW_KEY_BYTES:
        return SigningKey(row["kid"], resting)
    return SigningKey(row["kid"], bytes_of(opened(resting.decode(), _private(row["kid"]))))


SELECT_A_SEALED_KEY = "SELECT kid, private_key FROM signing_key WHERE length(private_key) > 32 LIMIT 1"
SELECT_A_SEALED_FACTOR = "SELECT staff_id, totp_secret FROM credential WHERE totp_secret LIKE 's1:%' LIMIT 1"


async def require_seal(conn: Connection) -> None:
    """KeySealError when the secrets that are here were closed with something else: better no start than nobody let in."""
    if (key := await conn.fetchrow(SELECT_A_SEALED_KEY)) is not None:
        _signing_key(key)
    if (factor := await conn.fetchrow(SELECT_A_SEALED_FACTOR)) is not None:
        opened(factor["totp_secret"], totp_place(factor["staff_id"]))


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
        secrets = [closed_again(r["totp_secret"], totp_place(r["staff_id"])) for r in rows]
        nexts = [closed_again(r["totp_next"], totp_next_place(r["staff_id"])) for r in rows]
        await conn.execute(CLOSE_FACTORS, ids, secrets, nexts)
    keys = [SigningKey(r["kid"], r["private_key"]) for r in await conn.fetch(TAKE_CLEAR_KEYS, limit)]
    if keys:
        await conn.execute(CLOSE_KEYS, [k.kid for k in keys], [_closed_key(k) for k in keys])
    return len(rows) + len(keys)


def closed_again(resting: str | None, place: str) -> str | None:
    """A secret as it rests, closed already or not; None where there is none."""
    return resting if resting is None or resting.startswith(SEALED) else closed(resting, place)


async def rests_in_clear(conn: Connection) -> bool:
    """Tell whether a secret rests in clear."""
    in_clear: bool = await conn.fetchval(RESTS_IN_CLEAR)
    return in_clear


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


DELETE_SIGNING_KEY = "DELETE FROM signing_key WHERE kid = $1"


async def delete_signing_key(conn: Connection, kid: str) -> None:
    """Forget a key that signs nothing from now on."""
    await conn.execute(DELETE_SIGNING_KEY, kid)
