"""Who may say who may sign in: what the registry says is signed under its root key (Ed25519, RFC 8032).

Whoever writes to the bus can put anything on a topic; a record of a signed topic counts only when the registry's root key,
whose public half is configuration of every service (`SANWU_REGISTRY_ROOT`), has signed it: topic, key, value and every
header. The relay signs as it sends, so what is said again is signed by the key of that day, and no signature is kept.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.contracts.topics import TOPICS
from services.kit import metrics
from services.kit.db import Connection
from services.kit.encoded import base64url_of, bytes_of_url
from services.kit.keypair import public_key
from services.kit.log import get_logger
from services.kit.record import Incoming

log = get_logger(__name__)

HEADER: Final = "signature"
SIGNED: Final = frozenset(topic.name for topic in TOPICS if topic.signed)
UNSIGNED: Final = "unsigned"
FORGED: Final = "wrong signature"
#: Rows beyond these say nothing new, and whoever writes to the bus could write them without end.
_MOST_NOTED: Final = 1000


def _message(topic: str, key: bytes, value: bytes | None, headers: Mapping[str, str]) -> bytes:
    """A record in bytes that only this record has: each part with its length before it."""
    parts = [b"sanwu record 1", topic.encode(), key, b"" if value is None else b"\x01" + value]
    for name in sorted(headers.keys() - {HEADER}):
        parts += [name.encode(), headers[name].encode()]
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def sign(root: Ed25519PrivateKey, topic: str, key: bytes, value: bytes | None, headers: Mapping[str, str]) -> bytes:
    """The value of a record's `signature` header; `topic` is its name without the installation's prefix."""
    return base64url_of(root.sign(_message(topic, key, value, headers))).encode()


def fault_of(record: Incoming, roots: Sequence[str]) -> str | None:
    """Why a record does not count; None for one of a topic that is not signed, or signed by one of the root keys."""
    if record.topic not in SIGNED:
        return None
    signature = record.headers.get(HEADER)
    if signature is None:
        return UNSIGNED
    message = _message(record.topic, record.key, record.value, record.headers)
    for root in roots:
        try:
            public_key(root).verify(bytes_of_url(signature), message)
        except (InvalidSignature, ValueError):
            continue
        return None
    return FORGED


INSERT_REFUSED = """
INSERT INTO refused_record (topic, partition, record_offset, key, type, digest, fault)
SELECT $1, $2, $3, $4, $5, $6, $7 WHERE (SELECT count(*) FROM refused_record) < $8
ON CONFLICT (topic, partition, record_offset) DO NOTHING
"""
#: What was said before anybody signed, or under a key that counts no more, stands in the log until it is compacted; the
#: registry says the very same again, signed.
FORGET_SAID_AGAIN = "DELETE FROM refused_record WHERE digest = ANY($1::bytea[])"


async def trusted(conn: Connection, incoming: Sequence[Incoming], roots: Sequence[str]) -> Sequence[Incoming]:
    """Those of some records that count, in order; the others are noted, told and dropped.

    They are not parked: a stranger's record must hold up none of the same key.
    """
    if not any(record.topic in SIGNED for record in incoming):
        return incoming
    faults = [fault_of(record, roots) for record in incoming]
    for record, fault in zip(incoming, faults, strict=True):
        if fault is not None:
            await _refuse(conn, record, fault)
    kept = [record for record, fault in zip(incoming, faults, strict=True) if fault is None]
    await conn.execute(FORGET_SAID_AGAIN, [_digest(record) for record in kept])
    return kept


def _digest(record: Incoming) -> bytes:
    return hashlib.sha256(_message(record.topic, record.key, record.value, {})).digest()


async def _refuse(conn: Connection, record: Incoming, fault: str) -> None:
    place = (record.topic, record.partition, record.offset)
    log.critical("record refused", topic=place[0], partition=place[1], offset=place[2], type=record.type, fault=fault)
    metrics.REFUSED_SIGNATURES.labels(topic=record.topic).inc()
    await conn.execute(
        INSERT_REFUSED, *place, ":".join(record.aggregate)[:200], record.type[:200], _digest(record), fault, _MOST_NOTED
    )


COUNT_REFUSED = "SELECT count(*) FROM refused_record"


async def count_refused(conn: Connection) -> int:
    """How many records were refused since somebody last looked into it."""
    count: int = await conn.fetchval(COUNT_REFUSED)
    return count
