"""The signed sheet (核对单): its code names the very edition that was signed; pure.

The text is short, so that the code is large on paper and readable in a poor photograph.
"""

import io
import re
from typing import Final, NamedTuple
from uuid import UUID

import segno
import zxingcpp
from PIL import Image, ImageOps, JpegImagePlugin, UnidentifiedImageError

#: As every public picture is.
_FORMATS: Final = (str(JpegImagePlugin.JpegImageFile.format),)
# The library imports its readers with the first picture: the process opens no file by then.
Image.preinit()
_TEXT: Final = re.compile(r"SANWU1:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):([0-9]{1,6}):([0-9a-f]{16})")


class SheetCode(NamedTuple):
    """What a sheet's code says: which disclosure, which edition, and the first 16 hex digits of its content's digest."""

    disclosure_id: UUID
    edition: int
    digest: str

    @property
    def text(self) -> str:
        """As it stands in the code."""
        return f"SANWU1:{self.disclosure_id}:{self.edition}:{self.digest}"


def sheet_code(disclosure_id: UUID, edition: int, digest: str) -> SheetCode:
    """The code of one edition's sheet."""
    return SheetCode(disclosure_id, edition, digest[:16])


def sheet_svg(code: SheetCode) -> str:
    """The code as an inline SVG, error correction level Q (ISO/IEC 18004), quiet zone of 4 modules."""
    return str(segno.make(code.text, error="q", micro=False).svg_inline(scale=3, border=4))


def read_code(text: str) -> SheetCode | None:
    """The code that a text is; None when it is another."""
    match = _TEXT.fullmatch(text)
    return SheetCode(UUID(match[1]), int(match[2]), match[3]) if match is not None else None


def read_sheet(picture: bytes) -> SheetCode | None:
    """Find a sheet's code in a photograph, at any angle; None when there is none to be read, as in a PDF."""
    try:
        with Image.open(io.BytesIO(picture), formats=_FORMATS) as opened:
            image = ImageOps.exif_transpose(opened).convert("L")
    except UnidentifiedImageError:
        return None
    for found in zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)):
        code = read_code(found.text)
        if code is not None:
            return code
    return None


def answer(picture: bytes) -> bytes:
    """The text of the code, nothing when there is none; what `kit.confined` calls."""
    code = read_sheet(picture)
    return code.text.encode() if code is not None else b""
