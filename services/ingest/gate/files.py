"""Files from outside: what can be said of each, and how it comes out of the process in which it was opened; pure."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MAX_FILE_BYTES: Final = 10 * 1024 * 1024
#: A PDF whose packed parts were written by a better packer than ours grows a little.
MAX_PUBLIC_BYTES: Final = 2 * MAX_FILE_BYTES


class UnusableFileError(ValueError):
    """The file cannot be taken; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class PublicFile:
    """What everybody may get, and the personal data that was read in it with its pages; None when it cannot be read."""

    content: bytes
    media_type: str
    personal: tuple[tuple[int, str], ...] | None = ()


def size_fault(data: bytes) -> str:
    """What to say of a file that is empty or too large."""
    if not data:
        return "文件是空的，请重新选择。"
    return "文件太大，最多 10 MiB，请压缩或分成几个。"


def answer_with(make: Callable[[bytes], PublicFile], data: bytes) -> bytes:
    """Make the public file and put it, or why there is none, into bytes: a line of JSON, then the content."""
    try:
        made = make(data)
    except UnusableFileError as error:
        return json.dumps({"error": str(error)}).encode()
    head = {"media_type": made.media_type, "personal": made.personal}
    return json.dumps(head).encode() + b"\n" + made.content


def read_answer(written: bytes) -> PublicFile:
    """The other end of `answer_with`; UnusableFileError says why there is no file."""
    line, _, content = written.partition(b"\n")
    head = json.loads(line)
    if "error" in head:
        raise UnusableFileError(head["error"])
    read = head["personal"]
    return PublicFile(content, head["media_type"], None if read is None else tuple((page, kind) for page, kind in read))
