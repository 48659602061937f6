"""A ZIP that is written from its beginning to its end while it is read, with a manifest that tells the SHA-256 of every file in it."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Final

MANIFEST: Final = "manifest.json"
README: Final = "README.txt"
ABOUT: Final = """\
本压缩包是阳光三务公开内容的一份副本。The open records of Sunshine Sanwu.

{terms}

每条公开内容有 JSON（全部字段）和 CSV（表格）两个文件。姓名按公开目录遮盖。
manifest.json 写明每个文件的 SHA-256、生成时间，以及 cursor：生成以后的更正和撤回，请从
{url}/api/v1/changes?cursor={cursor} 继续读取。撤回的内容请一并删除。
Each disclosure is a JSON file (all fields) and a CSV file. manifest.json holds the SHA-256 of every file and the
cursor from which corrections and withdrawals go on. Take down what was withdrawn.
"""


class _Pieces(io.RawIOBase):
    """What was written since somebody took it; nobody can go back in it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: object) -> int:
        self._pieces.append(bytes(piece))  # type: ignore[call-overload] # zipfile hands bytes over
        return len(self._pieces[-1])

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


class Archive:
    """One ZIP on its way out: what was taken is not kept, but for a line of the manifest and of the directory a file."""

    def __init__(self) -> None:
        """Begin with no file in it."""
        self._pieces = _Pieces()
        self._zip = zipfile.ZipFile(self._pieces, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self._files: list[dict[str, object]] = []

    def add(self, path: str, content: bytes) -> None:
        """Put a file into it; its time is none, so that the same content is the same bytes."""
        told = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
        told.compress_type = zipfile.ZIP_DEFLATED
        # Readable for everybody once unpacked.
        told.external_attr = 0o644 << 16
        self._zip.writestr(told, content)
        self._files.append({"path": path, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()})

    def take(self) -> bytes:
        """The bytes that were made since they were taken last."""
        return self._pieces.take()

    def close(self, about: Mapping[str, object], withdrawn: Sequence[Mapping[str, object]]) -> None:
        """Put the manifest in as the last file, and the directory behind it."""
        told = {**about, "files": self._files, "withdrawn": withdrawn}
        self._zip.writestr(
            zipfile.ZipInfo(MANIFEST, (1980, 1, 1, 0, 0, 0)),
            json.dumps(told, ensure_ascii=False, indent=1).encode(),
            zipfile.ZIP_DEFLATED,
        )
        self._zip.close()
