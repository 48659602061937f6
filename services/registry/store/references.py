"""What is said to every service: states of reference data, and the keys that sign."""

from collections.abc import Sequence
from datetime import datetime

from services.kit.db import Connection

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
