"""Files from outside: told by their content, pictures made anew without what they carry beside the picture; pure.

A picture's EXIF (place, time, telephone), thumbnails and profiles go; what comes out is a JPEG of at most 2560 pixels.
A PDF is kept as it is when it holds nothing that runs.
"""

import io
import re
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps

MAX_FILE_BYTES: Final = 10 * 1024 * 1024
LONGEST_SIDE: Final = 2560
#: A phone's picture has 12 to 50 million pixels; a bomb has billions.
MOST_PIXELS: Final = 80_000_000
_QUALITY: Final = 85
_FORMATS: Final = ("JPEG", "PNG", "WEBP")
#: Long names alone: `/JS` and `/AA` occur by chance in the bytes of every other scan, and do nothing without these.
_RUNS: Final = re.compile(rb"/(JavaScript|Launch|EmbeddedFiles?|RichMedia|SubmitForm|ImportData|XFA|Encrypt)\b")
#: A dictionary before a stream is short; without a bound the search would be quadratic.
_STREAM: Final = re.compile(rb"obj\b((?:(?!endobj|obj\b).){0,2048}?)\bstream\r?\n", re.DOTALL)
_ESCAPED: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
#: Objects packed in streams are text; more than this is a bomb.
_MOST_PACKED: Final = 32 * 1024 * 1024


class UnusableFileError(ValueError):
    """The file cannot be taken; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class PublicFile:
    """What everybody may get."""

    content: bytes
    media_type: str


def size_fault(data: bytes) -> str:
    """What to say of a file that is empty or too large."""
    if not data:
        return "文件是空的，请重新选择。"
    return f"文件有 {len(data) // 1024 // 1024 + 1} MiB，最多 10 MiB，请压缩或分成几个。"


def public_file(data: bytes) -> PublicFile:
    """Make the public file of an upload; UnusableFileError when it is none that we take."""
    if not data or len(data) > MAX_FILE_BYTES:
        raise UnusableFileError(size_fault(data))
    if data.startswith(b"%PDF-"):
        return _pdf(data)
    return _picture(data)


def _pdf(data: bytes) -> PublicFile:
    if b"%%EOF" not in data[-2048:]:
        message = "PDF 文件不完整，请重新导出。"
        raise UnusableFileError(message)
    if any(_RUNS.search(_named(part)) for part in (data, *_packed(data))):
        message = "PDF 里有脚本、动作或附件，请用“打印为 PDF”另存后再上传。"
        raise UnusableFileError(message)
    return PublicFile(data, "application/pdf")


def _named(part: bytes) -> bytes:
    """Names as a reader sees them: `/J#61vaScript` is `/JavaScript`."""
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), part)


def _packed(data: bytes) -> Iterator[bytes]:
    """Objects that stand compressed in object streams; every one of those has `/First`."""
    left, rest = _MOST_PACKED, memoryview(data)
    for found in _STREAM.finditer(data):
        if b"/First" not in _named(found[1]):
            continue
        try:
            part = zlib.decompressobj().decompress(rest[found.end() :], left)
        except zlib.error as error:
            message = "PDF 里有读不出的内容，请用“打印为 PDF”另存后再上传。"
            raise UnusableFileError(message) from error
        left -= len(part)
        if left <= 0:
            message = "PDF 展开后太大，请分成几个文件。"
            raise UnusableFileError(message)
        yield part


def _picture(data: bytes) -> PublicFile:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            picture = _opened(data)
    except MemoryError as error:
        message = "图片太大，请用手机重新拍一张，或缩小后上传。"
        raise UnusableFileError(message) from error
    except (OSError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        message = "看不懂这个文件。可以上传 JPEG、PNG、WebP 图片或 PDF。"
        raise UnusableFileError(message) from error
    # What the library would write along by itself, such as a JPEG's comment.
    picture.info.clear()
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return PublicFile(out.getvalue(), "image/jpeg")


def _opened(data: bytes) -> Image.Image:
    """The picture the right way up, in plain colours; its size is looked at before it is unpacked."""
    with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            message = "图片太大，请用手机重新拍一张，或缩小后上传。"
            raise UnusableFileError(message)
        return ImageOps.exif_transpose(opened).convert("RGB")
