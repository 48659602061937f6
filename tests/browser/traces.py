"""Looks for a sentence everywhere in a running city: pages, API, files, tables, topics, also in what is sealed.

Sealed texts are tried with every key that can be found anywhere, with the city's seal that opens the keys themselves, and
with that seal alone. The tag is not asked for, so a key that fits another event's sealed text would be found too.
"""

import base64
import binascii
import json
import re
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR, ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from deploy.local.home import Home
from deploy.local.info import known
from deploy.local.postgres import Postgres
from services.contracts.topics import KEYS, TOPICS
from services.kit.shred import WRAPPED
from tests.running import RunningCity

_TABLES: Final = """
SELECT n.nspname || '.' || c.relname AS name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS sql
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_' ORDER BY 1
"""
_KEY: Final = re.compile(r"[0-9A-Za-z+/]{43}=|\\x[0-9a-f]{64}")
#: A nonce, a tag, and something between them.
_LEAST_SEALED: Final = 12 + 16 + 1
#: The counter of the first block that is no tag's (NIST SP 800-38D, 7.1).
_FIRST: Final = b"\0\0\0\2"
#: How compressed text, JSON and PDF begin: what a wrong key makes seldom does.
_BEGINNING: Final = re.compile(rb'[x{\["%]')


@dataclass(slots=True)
class Found:
    """What lies somewhere: plain text, sealed texts by where they stand, keys, the seal that opens them."""

    seal: bytes
    plain: list[tuple[str, str]] = field(default_factory=list)
    sealed: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    keys: set[bytes] = field(default_factory=set)

    def take(self, place: str, value: Any) -> None:
        """Note a value of JSON, whatever is in it; the trail's hashes only look like keys."""
        self.plain.append((place, json.dumps(value, ensure_ascii=False)))
        for inner in _walk(value):
            if isinstance(inner, str):
                self._take_text(place, inner)
                continue
            nonce = _bytes(inner.get("nonce"))
            texts = [_bytes(inner.get(name)) for name in ("ciphertext", "original")]
            self.sealed += [(place, nonce, t) for t in texts if t and len(nonce) == 12]

    def _take_text(self, place: str, text: str) -> None:
        if _KEY.fullmatch(text) and ".action" not in place:
            self.keys.add(_bytes(text))
        elif text.startswith(WRAPPED):
            whole = _bytes(text.removeprefix(WRAPPED))
            # Of a key that was forgotten nothing follows.
            if len(whole) >= _LEAST_SEALED:
                self.keys.add(_plain(self.seal, whole[:12], whole[12:]))
        elif len(whole := _bytes(text)) >= _LEAST_SEALED:
            self.sealed.append((place, whole[:12], whole[12:]))

    def places_of(self, marker: str) -> set[str]:
        """Where the marker can be read, in the open or with any of the keys."""
        coded = marker.encode().hex()
        found = {place for place, text in self.plain if marker in text or coded in text}
        return found | {f"{place} (sealed)" for place, plain in self._opened() if marker.encode() in plain}

    def _opened(self) -> Iterator[tuple[str, bytes]]:
        """Where what stands that any of the keys may open: it begins as compressed text, JSON or PDF does.

        One call for each key makes the first block of every text.
        """
        counters = b"".join(nonce + _FIRST for _, nonce, _ in self.sealed)
        begin = int.from_bytes(bytes(text[0] for _, _, text in self.sealed))
        for key in (self.seal, *self.keys):
            stream = Cipher(AES(key), ECB()).encryptor().update(counters)[::16]  # noqa: S305 - counter mode is made of it
            firsts = (int.from_bytes(stream) ^ begin).to_bytes(len(self.sealed))
            for match in _BEGINNING.finditer(firsts):
                place, nonce, text = self.sealed[match.start()]
                plain = _plain(key, nonce, text)
                yield place, plain
                yield place, _inflated(plain)


def _plain(key: bytes, nonce: bytes, text: bytes) -> bytes:
    """What AES-GCM gives, its tag at the end not asked for."""
    return Cipher(AES(key), CTR(nonce + _FIRST)).decryptor().update(text[:-16])


def _seal_of(city: RunningCity) -> bytes:
    """What the city's processes make of their secret, as `services.kit.shred.use_key_seal` does."""
    secret = known(city.home).settings["ingest"]["SANWU_KEY_SEAL"].encode()
    return HKDF(SHA256(), 32, None, b"sanwu key seal 1").derive(secret)


def _walk(value: Any) -> Iterator[Any]:
    """Every object and every text within a value."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _walk(inner)
    elif isinstance(value, str):
        yield value


def _bytes(text: object) -> bytes:
    """Base64 or PostgreSQL's hex; nothing for anything else."""
    if not isinstance(text, str):
        return b""
    try:
        return bytes.fromhex(text[2:]) if text.startswith("\\x") else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error:
        return b""


async def in_tables(city: RunningCity) -> Found:
    """Every row of every table of every schema."""
    found = Found(_seal_of(city))
    conn = await asyncpg.connect(Postgres(Home(city.home)).dsn("sanwu_admin"))
    try:
        for table in await conn.fetch(_TABLES):
            for row in await conn.fetch(f"SELECT to_jsonb(t)::text AS row FROM {table['sql']} AS t"):
                found.take(table["name"], json.loads(row["row"]))
    finally:
        await conn.close()
    return found


async def in_topics(city: RunningCity) -> Found:
    """Every record of every topic, with its key and headers; of the keys' topic what stands after its tombstones."""
    found, keys = Found(_seal_of(city)), {}
    async for record in _records(city):
        place = f"topic {record.topic}"
        if record.topic == KEYS.name:
            keys[record.key] = (place, record.value)
            continue
        texts = [record.key or b"", *(value for _, value in record.headers)]
        found.take(place, [t.decode(errors="replace") for t in texts])
        found.take(place, _parsed(record.value))
    for place, value in keys.values():
        found.take(place, _parsed(value))
    return found


def _parsed(value: bytes | None) -> Any:
    try:
        return json.loads(value or b"null")
    except ValueError:
        return (value or b"").decode(errors="replace")


async def _records(city: RunningCity) -> AsyncIterator[Any]:
    """Everything that stands in the topics now."""
    consumer = AIOKafkaConsumer(**known(city.home).broker.options(), auto_offset_reset="earliest")
    parts = [TopicPartition(t.name, p) for t in TOPICS for p in range(t.partitions)]
    await consumer.start()
    try:
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        while any([await consumer.position(p) < end for p, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    yield record
    finally:
        await consumer.stop()


def on_disk(city: RunningCity, *marks: bytes) -> set[str]:
    """Folders whose files hold one of the marks: rendered bodies, public files, logs; the databases are looked into by table."""
    files = [f for f in city.home.rglob("*") if f.is_file() and not {"postgres", "kafka"} & set(f.parts)]
    return {f"{f.relative_to(city.home).parts[0]}/" for f in files if _has(f, marks)}


def _has(file: Path, marks: tuple[bytes, ...]) -> bool:
    """A file may go while it is looked into."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return False
    return any(mark in content for mark in marks)
