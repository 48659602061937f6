"""Content that can go for good: sealed under a key per aggregate, opened while the key exists (NIST SP 800-38D).

The owner makes keys and destroys them; everybody else keeps a copy from the compacted topic. A sealed text whose key
is gone stays closed for ever, in every topic and table; a backup from before keeps the key. What travels is a `Sealed`; what rests in a table is
bytes, `close` and `reopen`.

The keys themselves rest and travel wrapped under one that no table and no topic holds (`SANWU_KEY_SEAL`): who gets hold
of a disk, a backup of the database or the broker's files has nothing that opens anything.
"""

import hashlib
import hmac
import os
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, SecretStr

from services.contracts.base import Sealed, Stamp
from services.contracts.keys import KeySet, QuestionKeySet, WrappedKeySet
from services.contracts.topics import KEYS, QUESTION_KEYS, Topic
from services.kit.db import Connection
from services.kit.encoded import base64_of, bytes_of
from services.kit.outbox import append, append_all, append_tombstones, stamp, stamp_all

Content = TypeVar("Content", bound=BaseModel)

KEY_BITS: Final = 256
NONCE_BYTES: Final = 12

SELECT_KEY = "SELECT key FROM shred_key WHERE aggregate_id = $1"
SELECT_KEYS = "SELECT aggregate_id, key FROM shred_key WHERE aggregate_id = ANY($1::text[])"
#: In one order for everybody, so that two who make the same keys wait and do not deadlock.
INSERT_KEYS = """
INSERT INTO shred_key (aggregate_id, key) SELECT * FROM unnest($1::text[], $2::text[]) AS t (id, key) ORDER BY id
ON CONFLICT (aggregate_id) DO NOTHING RETURNING aggregate_id, key
"""
#: The key's own aggregate is stamped when its event is appended.
SELECT_TOLD = "SELECT FROM aggregate WHERE aggregate = 'key' AND aggregate_id = $1"
DROP_UNTOLD = """
DELETE FROM shred_key k WHERE aggregate_id = ANY($1::text[])
  AND NOT EXISTS (SELECT FROM aggregate a WHERE a.aggregate = 'key' AND a.aggregate_id = k.aggregate_id)
"""
SAVE_KEY = """
INSERT INTO shred_key (aggregate_id, key) VALUES ($1, $2)
ON CONFLICT (aggregate_id) DO UPDATE SET key = excluded.key WHERE shred_key.key IS NOT NULL
"""
DROP_KEY = """
INSERT INTO shred_key (aggregate_id, key) VALUES ($1, NULL)
ON CONFLICT (aggregate_id) DO UPDATE SET key = NULL
"""
DROP_KEYS = """
INSERT INTO shred_key (aggregate_id, key) SELECT id, NULL FROM unnest($1::text[]) AS t (id) ORDER BY id
ON CONFLICT (aggregate_id) DO UPDATE SET key = NULL
"""
#: The event that carried the key is the one event that is not kept for ever.
FORGET_KEY_EVENTS = "DELETE FROM event WHERE aggregate = 'key' AND aggregate_id = ANY($1::text[])"


class KeyMissingError(Exception):
    """No key is known: it has not arrived yet, or it was shredded before this service first read the topic."""

    def __init__(self, aggregate_id: str) -> None:
        """Name the aggregate whose key is not known."""
        super().__init__(aggregate_id)
        self.aggregate_id = aggregate_id


class KeySealError(Exception):
    """Something rests closed and `SANWU_KEY_SEAL` is missing or another one than it was closed with."""

    def __init__(self, what: str) -> None:
        """Name what does not open."""
        super().__init__(
            f"SANWU_KEY_SEAL does not open {what}: give this service the one of before"
            " (ingest, publish and audit share one, registry has its own)"
        )


class KeyShreddedError(ValueError):
    """Something was to be put under a key that was destroyed."""

    def __init__(self, aggregate_id: str) -> None:
        """Name the aggregate whose key was destroyed."""
        super().__init__(f"the key of {aggregate_id} was shredded")
        self.aggregate_id = aggregate_id


def _key_of(aggregate_id: str) -> str:
    return f"the key of {aggregate_id}"


def _associated(aggregate_id: str, place: str) -> bytes:
    return f"{aggregate_id}:{place}".encode()


# -- keys at rest -------------------------------------------------------------------------------------------------

#: How a wrapped key begins; no base64 has a colon.
WRAPPED: Final = "w1:"


@dataclass(slots=True)
class _Held:
    """What this process wraps keys with; None: they rest as they are."""

    seal: bytes | None = None
    marks: bytes = b""


_held: Final = _Held()


def use_key_seal(secret: SecretStr | None) -> None:
    """Take what keys are wrapped with from here on, for the whole process (HKDF-SHA256, RFC 5869)."""
    given = secret.get_secret_value().encode() if secret is not None else None
    made = HKDF(hashes.SHA256(), 32, None, b"sanwu key seal 1")
    _held.seal = made.derive(given) if given is not None else None
    marks = HKDF(hashes.SHA256(), 32, None, b"sanwu marks of words 1")
    _held.marks = marks.derive(given) if given is not None else b""


def mark_of(text: str) -> int:
    """A word as it stands in an index beside sealed contents: 64 bits of a keyed hash (RFC 7693), signed as PostgreSQL's bigint.

    Nobody without this city's seal tells words by it; other than a content it is not gone with one key.
    """
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8, key=_held.marks).digest(), "big", signed=True)


def wrap(aggregate_id: str, key: str) -> str:
    """A key (base64) as it rests and travels: wrapped, or as it is when there is nothing to wrap it with."""
    if _held.seal is None or key.startswith(WRAPPED):
        return key
    return WRAPPED + base64_of(_close_under(_held.seal, bytes_of(key), _associated(aggregate_id, "key")))


def _secret_of(aggregate_id: str, key: str) -> bytes:
    if not key.startswith(WRAPPED):
        return bytes_of(key)
    return _open_here(key.removeprefix(WRAPPED), _associated(aggregate_id, "key"), _key_of(aggregate_id))


def _close_under(seal: bytes, plain: bytes, associated: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(seal).encrypt(nonce, plain, associated)


def _open_here(closed: str, associated: bytes, what: str) -> bytes:
    """What was closed under this city's seal (base64); KeySealError, which says `what`, when it was under another or none is given."""
    if _held.seal is None:
        raise KeySealError(what)
    whole = bytes_of(closed)
    try:
        return AESGCM(_held.seal).decrypt(whole[:NONCE_BYTES], whole[NONCE_BYTES:], associated)
    except InvalidTag:
        raise KeySealError(what) from None


def close_here(text: str, place: str) -> str | None:
    """Text that belongs to no aggregate, closed for this city (base64); None when there is nothing to close it with."""
    if _held.seal is None:
        return None
    return base64_of(_close_under(_held.seal, zlib.compress(text.encode()), place.encode()))


def reopen_here(closed: str, place: str) -> str:
    """What `close_here` was given; KeySealError when it was closed for another."""
    return zlib.decompress(_open_here(closed, place.encode(), place)).decode()


def key_at_rest(event: KeySet | WrappedKeySet | QuestionKeySet) -> str:
    """A key that arrived as this service keeps it; KeySealError when it could never be opened here."""
    key = event.key if isinstance(event, KeySet) else event.wrapped
    if not key.startswith(WRAPPED):
        return wrap(event.aggregate_id, key)
    _secret_of(event.aggregate_id, key)
    return key


SELECT_WRAPPED = "SELECT aggregate_id, key FROM shred_key WHERE key LIKE 'w1:%' LIMIT 1"


async def require_key_seal(conn: Connection) -> None:
    """KeySealError when the keys that are here were wrapped with something else: better no start than parked events."""
    row = await conn.fetchrow(SELECT_WRAPPED)
    if row is not None:
        _secret_of(row["aggregate_id"], row["key"])


TAKE_CLEAR_KEYS = "SELECT aggregate_id, key FROM shred_key WHERE key NOT LIKE 'w1:%' LIMIT $1 FOR UPDATE SKIP LOCKED"
WRAP_KEYS = """
UPDATE shred_key s SET key = t.key FROM unnest($1::text[], $2::text[]) AS t (id, key) WHERE s.aggregate_id = t.id
"""
TAKE_CLEAR_EVENTS = """
SELECT e.event_id, e.occurred_at, e.aggregate_id, e.payload::text AS payload, s.key
FROM event e JOIN shred_key s ON s.aggregate_id = e.aggregate_id
WHERE e.aggregate = 'key' AND e.type = 'key.set.v1' AND s.key LIKE 'w1:%' LIMIT $1 FOR UPDATE OF e SKIP LOCKED
"""
#: Said again under its own version: whoever heard it takes no notice, and the broker forgets the record in clear.
WRAP_EVENTS = """
WITH wrapped AS (
    UPDATE event e SET type = 'key.set.v2', payload = t.payload::jsonb
    FROM unnest($1::uuid[], $2::timestamptz[], $3::text[]) AS t (id, at, payload)
    WHERE e.event_id = t.id AND e.occurred_at = t.at
    RETURNING e.event_id, e.occurred_at, e.aggregate, e.aggregate_id, e.aggregate_version
)
INSERT INTO outbox (topic, key, event_id, occurred_at, headers)
SELECT $4, aggregate_id, event_id, occurred_at,
    jsonb_build_object('id', event_id, 'type', 'key.set.v2', 'aggregate', aggregate, 'aggregate_id', aggregate_id,
                       'aggregate_version', aggregate_version::text, 'content-type', 'application/json')
FROM wrapped
"""


async def wrap_some(conn: Connection, limit: int) -> int:
    """Wrap up to so many keys that rest in clear, and the events that told them; returns how many, 0 when all are."""
    if _held.seal is None:
        return 0
    if rows := await conn.fetch(TAKE_CLEAR_KEYS, limit):
        ids = [r["aggregate_id"] for r in rows]
        await conn.execute(WRAP_KEYS, ids, [wrap(r["aggregate_id"], r["key"]) for r in rows])
        return len(rows)
    rows = await conn.fetch(TAKE_CLEAR_EVENTS, limit)
    if rows:
        told = [KeySet.model_validate_json(r["payload"]).model_dump(exclude={"key", "type"}) for r in rows]
        texts = [WrappedKeySet(**of, wrapped=WRAPPED).model_dump_json() for of in told]
        columns = ([r["event_id"] for r in rows], [r["occurred_at"] for r in rows], texts)
        await conn.execute(WRAP_EVENTS, *columns, KEYS.name)
    return len(rows)


# -- in tables ----------------------------------------------------------------------------------------------------


def close(key: str, aggregate_id: str, place: str, content: bytes) -> bytes:
    """Compress and encrypt content for a column: nonce, then ciphertext. `place` names the column and the row in it.

    The nonce is worked out from key, place and what is encrypted (as RFC 5297 does), so the same content in the same place
    gives the same bytes: a read model that is made anew can be compared with the one that serves. What is encrypted is the
    compressed content, and another zlib may compress otherwise: it has another nonce then, never the same for two texts.
    """
    secret, associated = _secret_of(aggregate_id, key), _associated(aggregate_id, place)
    packed = zlib.compress(content, 6)
    nonce = hmac.digest(secret, b"nonce\0" + associated + b"\0" + packed, "sha256")[:NONCE_BYTES]
    return nonce + AESGCM(secret).encrypt(nonce, packed, associated)


def reopen(key: str, aggregate_id: str, place: str, closed: bytes) -> bytes:
    """What `close` was given; InvalidTag when the bytes belong elsewhere or were changed."""
    nonce, ciphertext = closed[:NONCE_BYTES], closed[NONCE_BYTES:]
    return zlib.decompress(
        AESGCM(_secret_of(aggregate_id, key)).decrypt(nonce, ciphertext, _associated(aggregate_id, place))
    )


async def make_keys(conn: Connection, aggregate_ids: Collection[str]) -> dict[str, str]:
    """The keys of the owner's own aggregates, made where there were none; told to nobody yet.

    KeyShreddedError when one of them was destroyed.
    """
    wanted = sorted(set(aggregate_ids))
    keys = await select_keys(conn, wanted)
    if missing := [i for i in wanted if i not in keys]:
        keys |= await _insert_keys(conn, missing)
    made = {}
    for aggregate_id in wanted:
        key = keys.get(aggregate_id)
        if key is None:
            raise KeyShreddedError(aggregate_id)
        made[aggregate_id] = key
    return made


async def _insert_keys(conn: Connection, aggregate_ids: Sequence[str]) -> dict[str, str | None]:
    """New keys, and those that another transaction made or destroyed meanwhile."""
    rows = await conn.fetch(INSERT_KEYS, aggregate_ids, [wrap(i, _new_key()) for i in aggregate_ids])
    made: dict[str, str | None] = {r["aggregate_id"]: r["key"] for r in rows}
    late = [i for i in aggregate_ids if i not in made]
    return made | (await select_keys(conn, late) if late else {})


def _new_key() -> str:
    return base64_of(AESGCM.generate_key(KEY_BITS))


async def select_keys(conn: Connection, aggregate_ids: Sequence[str]) -> dict[str, str | None]:
    """Those of some keys that are known, None for the destroyed."""
    return {r["aggregate_id"]: r["key"] for r in await conn.fetch(SELECT_KEYS, aggregate_ids)}


async def tell_key(conn: Connection, aggregate_id: str, at: datetime, topic: Topic = KEYS) -> str:
    """Queue an aggregate's key for its owner's topic, unless it was before; makes it when there is none. Returns the key."""
    key = (await make_keys(conn, [aggregate_id]))[aggregate_id]
    if await conn.fetchrow(SELECT_TOLD, aggregate_id) is None:
        stamped = await stamp(conn, "key", aggregate_id, at=at)
        # Another transaction may have been faster here too.
        if stamped["aggregate_version"] == 1:
            await append(conn, _key_event(stamped, key, topic), key=aggregate_id)
    return key


SELECT_ALL_TOLD = "SELECT aggregate_id FROM aggregate WHERE aggregate = 'key' AND aggregate_id = ANY($1::text[])"


async def tell_keys(conn: Connection, aggregate_ids: Collection[str], at: datetime) -> None:
    """The same of many aggregates, in as many statements as of one."""
    keys = await make_keys(conn, aggregate_ids)
    told = {r["aggregate_id"] for r in await conn.fetch(SELECT_ALL_TOLD, list(keys))}
    stamps = await stamp_all(conn, "key", dict.fromkeys([i for i in keys if i not in told]), at=at)
    fresh = [i for i, stamped in stamps.items() if stamped["aggregate_version"] == 1]
    await append_all(conn, [_key_event(stamps[i], keys[i], KEYS) for i in fresh], fresh)


def _key_event(stamped: Stamp, key: str, topic: Topic) -> KeySet | WrappedKeySet | QuestionKeySet:
    """What tells a key. The relay adds the wrapped key itself: an event is never wiped, the table of keys is."""
    if topic is QUESTION_KEYS:
        return QuestionKeySet(**stamped, wrapped=WRAPPED)
    return WrappedKeySet(**stamped, wrapped=WRAPPED) if key.startswith(WRAPPED) else KeySet(**stamped, key=key)


async def drop_untold(conn: Connection, aggregate_ids: Sequence[str]) -> None:
    """Destroy keys of which nobody else ever heard."""
    await conn.execute(DROP_UNTOLD, aggregate_ids)


# -- on topics ----------------------------------------------------------------------------------------------------


async def seal(conn: Connection, aggregate_id: str, event_type: str, content: BaseModel, at: datetime) -> Sealed:
    """Encrypt content for one event; the aggregate's key is made, and queued for the topic, at the first time."""
    return seal_under(await tell_key(conn, aggregate_id, at), aggregate_id, event_type, content)


def seal_under(key: str, aggregate_id: str, event_type: str, content: BaseModel) -> Sealed:
    """Encrypt content for one event under an aggregate's key that is at hand, be it another service's."""
    nonce = os.urandom(NONCE_BYTES)
    plain = zlib.compress(content.model_dump_json().encode(), 6)
    ciphertext = AESGCM(_secret_of(aggregate_id, key)).encrypt(nonce, plain, _associated(aggregate_id, event_type))
    return Sealed(nonce=base64_of(nonce), ciphertext=base64_of(ciphertext))


async def unseal(
    conn: Connection, aggregate_id: str, event_type: str, sealed: Sealed, model: type[Content]
) -> Content | None:
    """Decrypt; None when the key was shredded, KeyMissingError when it is not known (yet)."""
    key = await find_key(conn, aggregate_id)
    return model.model_validate_json(open_sealed(key, aggregate_id, event_type, sealed)) if key is not None else None


async def find_key(conn: Connection, aggregate_id: str) -> str | None:
    """The key of an aggregate as it rests; None when it was shredded, KeyMissingError when it is not known (yet)."""
    row = await conn.fetchrow(SELECT_KEY, aggregate_id)
    if row is None:
        raise KeyMissingError(aggregate_id)
    key: str | None = row["key"]
    return key


def open_sealed(key: str, aggregate_id: str, event_type: str, sealed: Sealed) -> bytes:
    """What an event carries under a key that rests like this, as JSON; InvalidTag when it was sealed for another event."""
    nonce, ciphertext = bytes_of(sealed.nonce), bytes_of(sealed.ciphertext)
    associated = _associated(aggregate_id, event_type)
    return zlib.decompress(AESGCM(_secret_of(aggregate_id, key)).decrypt(nonce, ciphertext, associated))


async def shred(conn: Connection, aggregate_ids: Sequence[str], at: datetime, topic: Topic = KEYS) -> None:
    """Destroy the keys of aggregates here and, by tombstones, everywhere; in as many statements as for one."""
    stamps = await stamp_all(conn, "key", dict.fromkeys(aggregate_ids), at=at)
    await conn.execute(DROP_KEYS, aggregate_ids)
    await conn.execute(FORGET_KEY_EVENTS, aggregate_ids)
    await append_tombstones(conn, topic, {i: s["aggregate_version"] for i, s in stamps.items()}, at=at)


async def save_key(conn: Connection, aggregate_id: str, key: str | None) -> None:
    """Keep a key that arrived, or its tombstone; a key never comes back after its tombstone."""
    if key is None:
        await conn.execute(DROP_KEY, aggregate_id)
    else:
        await conn.execute(SAVE_KEY, aggregate_id, key)


GIVE_UP_KEY = "INSERT INTO shred_key (aggregate_id, key) VALUES ($1, NULL) ON CONFLICT (aggregate_id) DO NOTHING"


async def give_up_key(conn: Connection, aggregate_id: str) -> None:
    """Take a key that never came for shredded; one that did come meanwhile stays."""
    await conn.execute(GIVE_UP_KEY, aggregate_id)
