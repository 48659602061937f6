"""Pictures from outside, made anew without what they carry beside the picture; pure.

EXIF (place, time, telephone), thumbnails and profiles go; what comes out is a JPEG of at most 2560 pixels. Of what moves,
the first picture is taken. Runs in a process of its own (`answer`): the libraries read what strangers send.
"""

import io
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

from services.ingest.gate.files import PublicFile, UnusableFileError, answer_with

LONGEST_SIDE: Final = 2560
#: What is unpacked at once: 40 million pixels of four bytes are 160 MB, and making them plain needs as much again.
MOST_PIXELS: Final = 40_000_000
#: A JPEG is unpacked at a half, a quarter or an eighth of its size, so the photograph of a 50- or 108-megapixel phone is taken.
MOST_PIXELS_OF_JPEG: Final = 120_000_000
#: The library keeps two pictures of a WebP's size beside the one that it unpacks.
MOST_PIXELS_OF_WEBP: Final = 16_000_000
_QUALITY: Final = 85
_READERS: Final = (JpegImagePlugin.JpegImageFile, PngImagePlugin.PngImageFile, WebPImagePlugin.WebPImageFile)
_FORMATS: Final = tuple(str(kind.format) for kind in _READERS)
# The library's other readers too, which it imports with the first picture: the process opens no file by then.
Image.preinit()
#: Modes in which a picture can be made smaller before its colours are made plain.
_SHRINKABLE: Final = frozenset({"L", "RGB", "CMYK", "YCbCr"})
_TOO_LARGE: Final = "图片的像素太多，打不开。请把手机相机的“照片大小”（分辨率）调到 4000 万像素以下重新拍，或把图片缩小、另存为 JPEG 后再上传。"


def picture(data: bytes) -> PublicFile:
    """Make the public picture of an upload; UnusableFileError when it is none that we take."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            drawn = _opened(data)
    except UnusableFileError:
        raise
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusableFileError(_TOO_LARGE) from error
    except (OSError, SyntaxError, ValueError, Warning) as error:
        message = "看不懂这个文件。可以上传 JPEG、PNG、WebP 图片或 PDF。"
        raise UnusableFileError(message) from error
    # What the library would write along by itself, such as a JPEG's comment.
    drawn.info.clear()
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return PublicFile(out.getvalue(), "image/jpeg")


def _opened(data: bytes) -> Image.Image:
    """The picture the right way up, small, in plain colours; its size is looked at before it is unpacked."""
    webp = data.startswith(b"RIFF")
    # The library refuses twice as many before it sets memory aside; between once and twice it would only warn.
    Image.MAX_IMAGE_PIXELS = (MOST_PIXELS_OF_WEBP if webp else MOST_PIXELS_OF_JPEG) // 2
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
        longest = max(*opened.size, LONGEST_SIDE)
        opened.draft("RGB", (opened.width * LONGEST_SIDE // longest or 1, opened.height * LONGEST_SIDE // longest or 1))
        if opened.width * opened.height > MOST_PIXELS:
            raise UnusableFileError(_TOO_LARGE)
        drawn: Image.Image = (
            opened if opened.mode in _SHRINKABLE else opened.convert("L" if opened.mode == "1" else "RGB")
        )
        drawn.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        return ImageOps.exif_transpose(drawn).convert("RGB")


def answer(data: bytes) -> bytes:
    """What `kit.confined` calls: a file in, the public one or its refusal out."""
    return answer_with(picture, data)
