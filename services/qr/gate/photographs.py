"""The photograph of a code where it hangs, made anew without what it carries beside the picture; pure.

EXIF (place, time, telephone), thumbnails and profiles go; what comes out is a JPEG of at most 1600 pixels. Runs in a
process of its own (`answer`): the library reads what came from outside.
"""

import io
import json
import warnings
from typing import Final

from PIL import (
    Image,
    ImageOps,
    JpegImagePlugin,
    MpoImagePlugin,  # noqa: F401 - the library imports it with a phone's JPEG of two pictures, which is too late here
    PngImagePlugin,
    WebPImagePlugin,
)

MAX_BYTES: Final = 10 * 1024 * 1024
LONGEST_SIDE: Final = 1600
#: What is unpacked at once; a JPEG is unpacked at a part of its size, so the photograph of a 108-megapixel phone is taken.
MOST_PIXELS: Final = 40_000_000
MOST_PIXELS_OF_JPEG: Final = 120_000_000
_QUALITY: Final = 80
_FORMATS: Final = tuple(
    str(kind.format)
    for kind in (JpegImagePlugin.JpegImageFile, PngImagePlugin.PngImageFile, WebPImagePlugin.WebPImageFile)
)
# The library's other readers too, which it imports with the first picture: the process opens no file by then.
Image.preinit()
_SHRINKABLE: Final = frozenset({"L", "RGB", "CMYK", "YCbCr"})
_TOO_LARGE: Final = "照片的像素太多，打不开。请把手机相机的“照片大小”调到 4000 万像素以下重新拍。"
_STRANGE: Final = "看不懂这个文件。请拍一张照片上传（JPEG、PNG 或 WebP）。"


class UnusableFileError(ValueError):
    """The file cannot be taken; the text says why and what to do."""


def photograph(data: bytes) -> bytes:
    """Make a photograph anew; UnusableFileError when it is none that we take."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            drawn = _opened(data)
    except UnusableFileError:
        raise
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusableFileError(_TOO_LARGE) from error
    except (OSError, SyntaxError, ValueError, Warning) as error:
        raise UnusableFileError(_STRANGE) from error
    drawn.info.clear()
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()


def _opened(data: bytes) -> Image.Image:
    """The picture the right way up, small, in plain colours; its size is looked at before it is unpacked."""
    # The library refuses twice as many before it sets memory aside; between once and twice it would only warn.
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS_OF_JPEG // 2
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
        longest = max(*opened.size, LONGEST_SIDE)
        opened.draft("RGB", (opened.width * LONGEST_SIDE // longest or 1, opened.height * LONGEST_SIDE // longest or 1))
        if opened.width * opened.height > MOST_PIXELS:
            raise UnusableFileError(_TOO_LARGE)
        drawn: Image.Image = opened if opened.mode in _SHRINKABLE else opened.convert("RGB")
        drawn.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        return ImageOps.exif_transpose(drawn).convert("RGB")


def answer(data: bytes) -> bytes:
    """What `kit.confined` calls: a line that says whether there is a picture, then the picture or why there is none."""
    try:
        return b"{}\n" + photograph(data)
    except UnusableFileError as error:
        return json.dumps({"error": str(error)}).encode() + b"\n"


def read_answer(written: bytes) -> bytes:
    """The other end of `answer`; UnusableFileError says why there is no picture."""
    line, _, content = written.partition(b"\n")
    head = json.loads(line)
    if "error" in head:
        raise UnusableFileError(head["error"])
    return content
