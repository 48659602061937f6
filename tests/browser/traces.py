"""Looks for a sentence everywhere in a running city: pages, API, files, tables, topics, also in what is sealed.

Sealed texts are tried with every key that can be found anywhere. The tag is not asked for, so a key that fits another
event's sealed text would be found too.
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
from cryptography.hazmat.primitives.ciphers.modes import CTR

from deploy.local.home import Home
from deploy.local.info import known
from deploy.local.postgres import Postgres
from services.contracts.topics import KEYS, TOPICS
from tests.running import RunningCity

_TABLES: Final = """
SELECT n.nspname || '.' || c.relname AS name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS sql
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_' ORDER BY 1
"""
_KEY: Final = re.compile(r"[0-9A-Za-z+/]{43}=|\\x[0-9a-f]{64}")


@dataclass(slots=True)
class Found:
    """What lies somewhere: plain text, sealed texts by where they stand, keys."""

    plain: list[tuple[str, str]] = field(default_factory=list)
    sealed: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    keys: set[bytes] = field(default_factory=set)

    def take(self, place: str, value: Any) -> None:
        """Note a value of JSON, whatever is in it; the trail's hashes only look like keys."""
        self.plain.append((place, json.dumps(value, ensure_ascii=False)))
        for inner in _walk(value):
            if isinstance(inner, str):
                if _KEY.fullmatch(inner) and ".action" not in place:
                    self.keys.add(_bytes(inner))
                continue
            nonce = _bytes(inner.get("nonce"))
            texts = [_bytes(inner.get(name)) for name in ("ciphertext", "original")]
            self.sealed += [(place, nonce, t) for t in texts if t and len(nonce) == 12]

    def places_of(self, marker: str) -> set[str]:
        """Where the marker can be read, in the open or with any of the keys."""
        coded = marker.encode().hex()
        found = {place for place, text in self.plain if marker in text or coded in text}
        return found | {f"{p} (sealed)" for p, nonce, text in self.sealed if self._opens(nonce, text, marker)}

    def _opens(self, nonce: bytes, text: bytes, marker: str) -> bool:
        for key in self.keys:
            plain = Cipher(AES(key), CTR(nonce + b"\0\0\0\2")).decryptor().update(text[:-16])
            if marker.encode() in plain:
                return True
            if plain[:1] == b"\x78" and marker.encode() in _inflated(plain):
                return True
        return False


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
    found = Found()
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
    found, keys = Found(), {}
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


def on_disk(city: RunningCity, marker: str) -> set[str]:
    """Folders whose files hold the marker: rendered bodies, public files, logs; the databases are looked into by table."""
    files = [f for f in city.home.rglob("*") if f.is_file() and not {"postgres", "kafka"} & set(f.parts)]
    return {f"{f.relative_to(city.home).parts[0]}/" for f in files if marker.encode() in _content(f)}


def _content(file: Path) -> bytes:
    """A file may go while it is looked for."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""
