"""Content that can go for good: sealed under a key per aggregate, opened while the key exists (NIST SP 800-38D).

The owner makes keys and destroys them; everybody else keeps a copy from the compacted topic. A sealed text whose key
is gone stays closed for ever, in every topic, table and backup.
"""

import base64
import os
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel

from services.contracts.base import Sealed
from services.contracts.keys import KeySet
from services.contracts.topics import KEYS
from services.kit.db import Connection, affected
from services.kit.outbox import append, append_tombstones, stamp, stamp_all

Content = TypeVar("Content", bound=BaseModel)

KEY_BITS: Final = 256
NONCE_BYTES: Final = 12

SELECT_KEY = "SELECT key FROM shred_key WHERE aggregate_id = $1"
INSERT_KEY = "INSERT INTO shred_key (aggregate_id, key) VALUES ($1, $2) ON CONFLICT (aggregate_id) DO NOTHING"
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
        """Name the aggregate."""
        super().__init__(aggregate_id)
        self.aggregate_id = aggregate_id


def _associated(aggregate_id: str, event_type: str) -> bytes:
    return f"{aggregate_id}:{event_type}".encode()


async def seal(conn: Connection, aggregate_id: str, event_type: str, content: BaseModel, at: datetime) -> Sealed:
    """Encrypt content for one event; makes the aggregate's key, and queues it for the topic, at the first time."""
    row = await conn.fetchrow(SELECT_KEY, aggregate_id)
    if row is None:
        made = base64.b64encode(AESGCM.generate_key(KEY_BITS)).decode()
        if affected(await conn.execute(INSERT_KEY, aggregate_id, made)):
            await append(conn, KeySet(**await stamp(conn, "key", aggregate_id, at=at), key=made), key=aggregate_id)
        # Read again: another transaction may have been faster.
        row = await conn.fetchrow(SELECT_KEY, aggregate_id)
    key = row["key"] if row is not None else None
    if key is None:
        message = f"the key of {aggregate_id} was shredded"
        raise ValueError(message)
    nonce = os.urandom(NONCE_BYTES)
    plain = zlib.compress(content.model_dump_json().encode(), 6)
    ciphertext = AESGCM(base64.b64decode(key)).encrypt(nonce, plain, _associated(aggregate_id, event_type))
    return Sealed(nonce=base64.b64encode(nonce).decode(), ciphertext=base64.b64encode(ciphertext).decode())


async def unseal(
    conn: Connection, aggregate_id: str, event_type: str, sealed: Sealed, model: type[Content]
) -> Content | None:
    """Decrypt; None when the key was shredded, KeyMissingError when it is not known (yet)."""
    row = await conn.fetchrow(SELECT_KEY, aggregate_id)
    if row is None:
        raise KeyMissingError(aggregate_id)
    if row["key"] is None:
        return None
    plain = AESGCM(base64.b64decode(row["key"])).decrypt(
        base64.b64decode(sealed.nonce),
        base64.b64decode(sealed.ciphertext),
        _associated(aggregate_id, event_type),
    )
    return model.model_validate_json(zlib.decompress(plain))


async def shred(conn: Connection, aggregate_ids: Sequence[str], at: datetime) -> None:
    """Destroy the keys of aggregates here and, by tombstones, everywhere; in as many statements as for one."""
    stamps = await stamp_all(conn, "key", dict.fromkeys(aggregate_ids), at=at)
    await conn.execute(DROP_KEYS, aggregate_ids)
    await conn.execute(FORGET_KEY_EVENTS, aggregate_ids)
    await append_tombstones(conn, KEYS, {i: s["aggregate_version"] for i, s in stamps.items()}, at=at)


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
