"""An answer made ready: status, headers and body for each encoding, and the 304; nothing is left to do per request."""

import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import brotli

from services.kit.web import SECURITY_HEADERS

HTML: Final = "text/html; charset=utf-8"
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
CSS: Final = "text/css; charset=utf-8"
CACHE_CONTROL: Final = "public, max-age=5, stale-while-revalidate=60, stale-if-error=86400"
#: Brotli 11 takes 5.6 ms a page, 5 takes half a millisecond for 3% more bytes.
BROTLI_QUALITY: Final = 5
GZIP_LEVEL: Final = 6
ENCODINGS: Final = ("identity", "gzip", "br")

Start = dict[str, Any]
Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Body:
    """A rendered body."""

    content: bytes
    media_type: str
    status: int = 200


class BrokenFileError(ValueError):
    """A file that is not whole: it counts as missing."""


def etag_of(content: bytes) -> str:
    """The core of a strong entity tag: a hash of the plain content."""
    return hashlib.sha256(content).hexdigest()[:32]


def pack(body: Body) -> bytes:
    """One file for all encodings: a line of JSON, then the contents one after the other."""
    contents = (
        body.content,
        gzip.compress(body.content, GZIP_LEVEL, mtime=0),
        brotli.compress(body.content, quality=BROTLI_QUALITY),
    )
    head = {
        "status": body.status,
        "type": body.media_type,
        "etag": etag_of(body.content),
        "sizes": [len(c) for c in contents],
    }
    return json.dumps(head).encode() + b"\n" + b"".join(contents)


class Answer:
    """What is sent for one path; `same` and `etag` tell when the reader has it already."""

    __slots__ = ("etag", "not_modified", "signature", "size", "variants")

    def __init__(self, packed: bytes, *, cache_control: str = CACHE_CONTROL) -> None:
        """Unpack; BrokenFileError when the file is not whole."""
        line, _, rest = packed.partition(b"\n")
        try:
            head = json.loads(line)
            sizes, status, media_type, etag = head["sizes"], head["status"], head["type"], head["etag"]
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenFileError from error
        if sum(sizes) != len(rest) or etag_of(rest[: sizes[0]]) != etag:
            raise BrokenFileError
        self.etag = etag.encode()
        self.size = len(packed)
        #: Where it came from, as `Store` compares it; None for what stands in no file.
        self.signature: tuple[int, int] | None = None
        self.variants: dict[str, tuple[Start, Message]] = {}
        start = 0
        for encoding, size in zip(ENCODINGS, sizes, strict=True):
            content = rest[start : start + size]
            start += size
            headers = _headers(etag, encoding, media_type, len(content), cache_control)
            self.variants[encoding] = (
                {"type": "http.response.start", "status": status, "headers": headers},
                {"type": "http.response.body", "body": content},
            )
        self.not_modified: Start | None = None
        if status == 200:  # noqa: PLR2004 - OK; a tombstone's 410 is always sent whole
            headers = [
                h for h in _headers(etag, "identity", media_type, 0, cache_control) if not h[0].startswith(b"content-")
            ]
            self.not_modified = {"type": "http.response.start", "status": 304, "headers": headers}


def _headers(etag: str, encoding: str, media_type: str, length: int, cache_control: str) -> list[tuple[bytes, bytes]]:
    suffix = "" if encoding == "identity" else f"-{encoding}"
    named = {
        "content-type": media_type,
        "content-length": str(length),
        **({"content-encoding": encoding} if encoding != "identity" else {}),
        "etag": f'"{etag}{suffix}"',
        "cache-control": cache_control,
        "vary": "Accept-Encoding",
        **SECURITY_HEADERS,
    }
    return [(name.encode(), value.encode()) for name, value in named.items()]


@lru_cache(maxsize=1024)
def negotiated(accept_encoding: bytes) -> str:
    """The best encoding that a reader takes: brotli, gzip, or none (RFC 9110 section 12.5.3)."""
    taken = {}
    for part in accept_encoding.decode("latin-1").lower().split(","):
        name, _, weight = part.partition(";")
        taken[name.strip()] = weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    rest = taken.get("*", False)
    return next((e for e in ("br", "gzip") if taken.get(e, rest)), "identity")
