"""An answer made ready: status, headers and body for each encoding, and the 304; nothing is left to do per request."""

import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final

import brotli

from services.kit.web import SECURITY_HEADERS

HTML: Final = "text/html; charset=utf-8"
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
CSS: Final = "text/css; charset=utf-8"
JAVASCRIPT: Final = "text/javascript; charset=utf-8"
CACHE_CONTROL: Final = "public, max-age=5, stale-while-revalidate=60, stale-if-error=86400"
#: Where persons stand: in no cache that others read from, and in nobody's once it is out of date.
OF_PERSONS: Final = "private, max-age=5"
GONE: Final = "no-store"
#: Brotli 11 takes 5.6 ms a page, 5 takes half a millisecond for 3% more bytes.
BROTLI_QUALITY: Final = 5
GZIP_LEVEL: Final = 6
#: Nobody signs in here, so that no page gets to read more than its reader could (Fetch standard, section 3.3).
FOR_PROGRAMS: Final = {"access-control-allow-origin": "*", "access-control-expose-headers": "ETag"}
ENCODINGS: Final = ("identity", "gzip", "br")

Start = dict[str, Any]
Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Body:
    """A rendered body; `indexed` tells whether search engines may keep it."""

    content: bytes
    media_type: str
    status: int = 200
    cache_control: str = CACHE_CONTROL
    indexed: bool = True


def body_of_persons(content: bytes, media_type: str) -> Body:
    """A body in which persons stand: not for search engines, nor for caches that outlive a withdrawal."""
    return Body(content, media_type, cache_control=OF_PERSONS, indexed=False)


def body_of_nothing(content: bytes, media_type: str) -> Body:
    """What is left of withdrawn content."""
    return Body(content, media_type, 410, cache_control=GONE, indexed=False)


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
    head = {**_told_of(body), "sizes": [len(c) for c in contents]}
    return json.dumps(head).encode() + b"\n" + b"".join(contents)


def _told_of(body: Body) -> dict[str, object]:
    """What stands at the head of a file of a body, but for the sizes."""
    return {
        "status": body.status,
        "type": body.media_type,
        "etag": etag_of(body.content),
        "headers": _policy(body),
    }


def is_packed(line: bytes, size: int, body: Body) -> bool:
    """Tell whether a file that begins with a line and has so many bytes is that of a body, and whole."""
    try:
        head = json.loads(line)
        sizes = head.pop("sizes")
        return bool(head == _told_of(body) and size == len(line) + sum(sizes))
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _policy(body: Body) -> dict[str, str]:
    """Who may keep a body, and for how long; what is for programs is read from every page of the web."""
    found = {"cache-control": body.cache_control, **({} if body.indexed else {"x-robots-tag": "noindex"})}
    return found | FOR_PROGRAMS if body.media_type in {JSON, PROBLEM} else found


def plain(packed: bytes) -> Body:
    """The plain body of a file, as it was packed; BrokenFileError when the file is not whole."""
    head, contents = _opened(packed)
    policy = head["headers"]
    return Body(
        contents[0], head["type"], head["status"], policy["cache-control"], indexed="x-robots-tag" not in policy
    )


def _opened(packed: bytes) -> tuple[dict[str, Any], list[bytes]]:
    line, _, rest = packed.partition(b"\n")
    try:
        head: dict[str, Any] = json.loads(line)
        sizes, etag = head["sizes"], head["etag"]
        head["status"], head["type"], head["headers"]["cache-control"]
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenFileError from error
    if sum(sizes) != len(rest) or etag_of(rest[: sizes[0]]) != etag:
        raise BrokenFileError
    ends = list(accumulate(sizes))
    return head, [rest[end - size : end] for size, end in zip(sizes, ends, strict=True)]


class Answer:
    """What is sent for one path; `same` and `etag` tell when the reader has it already."""

    __slots__ = ("etag", "not_modified", "signature", "size", "variants")

    def __init__(self, packed: bytes) -> None:
        """Unpack; BrokenFileError when the file is not whole."""
        head, contents = _opened(packed)
        etag, status = head["etag"], head["status"]
        self.etag = etag.encode()
        self.size = len(packed)
        #: Where it came from, as `Store` compares it; None for what stands in no file.
        self.signature: tuple[int, int] | None = None
        self.variants: dict[str, tuple[Start, Message]] = {}
        for encoding, content in zip(ENCODINGS, contents, strict=True):
            headers = _headers(head, encoding, len(content))
            self.variants[encoding] = (
                {"type": "http.response.start", "status": status, "headers": headers},
                {"type": "http.response.body", "body": content},
            )
        self.not_modified: Start | None = None
        if status == 200:  # noqa: PLR2004 - OK; a tombstone's 410 is always sent whole
            headers = [h for h in _headers(head, "identity", 0) if not h[0].startswith(b"content-")]
            self.not_modified = {"type": "http.response.start", "status": 304, "headers": headers}


def _headers(head: dict[str, Any], encoding: str, length: int) -> list[tuple[bytes, bytes]]:
    suffix = "" if encoding == "identity" else f"-{encoding}"
    named = {
        "content-type": head["type"],
        "content-length": str(length),
        **({"content-encoding": encoding} if encoding != "identity" else {}),
        "etag": f'"{head["etag"]}{suffix}"',
        "vary": "Accept-Encoding",
        **head["headers"],
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
