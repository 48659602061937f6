"""Public files by the hash of their content: written whole or not at all, never under a name that somebody chose.

Infrastructure like Kafka: ingest writes and deletes, publish reads, events carry the hash. A folder of this machine, or
any store that speaks S3 (`objects_url`). The library's calls run in threads: its own event loop may outlive ours at exit.
"""

import asyncio
import contextlib
import hashlib
import re
from pathlib import Path
from typing import Final

import obstore
from obstore.exceptions import NotFoundError as ObjectMissing
from obstore.store import LocalStore, ObjectStore, from_url

from services.kit.db import outside_transaction

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def digest_of(content: bytes) -> str:
    """SHA-256 of a file, hex: its name."""
    return hashlib.sha256(content).hexdigest()


def _path(digest: str) -> str:
    if not _DIGEST.fullmatch(digest):
        message = "not a digest"
        raise ValueError(message)
    return f"{digest[:2]}/{digest}"


class Objects:
    """The content-addressed store of one city."""

    def __init__(self, home: Path, url: str | None) -> None:
        """Open `url`, or the folder `objects` of the city's home."""
        self._store: ObjectStore
        if url is None:
            folder = home / "objects"
            folder.mkdir(parents=True, exist_ok=True)
            self._store = LocalStore(folder)
        else:
            self._store = from_url(url)

    async def put(self, content: bytes) -> str:
        """Keep a file; returns its digest. A file that is there already is the same file."""
        outside_transaction("a file written")
        digest = digest_of(content)
        await asyncio.to_thread(obstore.put, self._store, _path(digest), content)
        return digest

    async def get(self, digest: str) -> bytes | None:
        """A file, or None when it is not (any longer) there."""
        outside_transaction("a file read")
        return await asyncio.to_thread(self._read, _path(digest))

    def _read(self, path: str) -> bytes | None:
        try:
            return bytes(obstore.get(self._store, path).bytes())
        except (ObjectMissing, FileNotFoundError):
            return None

    async def delete(self, digest: str) -> None:
        """Remove a file; one that is gone is no error."""
        outside_transaction("a file removed")
        with contextlib.suppress(ObjectMissing, FileNotFoundError):
            await asyncio.to_thread(obstore.delete, self._store, _path(digest))
