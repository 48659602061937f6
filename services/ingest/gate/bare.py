"""Pictures within PDFs, kept as they are packed, without what their formats carry beside the picture; pure.

A phone writes time and place into every JPEG, and a scanning app puts the JPEG into its PDF as it is.
"""

from collections.abc import Iterator
from typing import Final

from services.ingest.gate.files import UnusableFileError

_BROKEN: Final = "PDF 里有读不出的图片，请重新导出，或用“打印为 PDF”另存后再上传。"
_START, _END = b"\xff\xd8", b"\xff\xd9"
_SCAN: Final = 0xDA
_COMMENT: Final = 0xFE
#: What applications put into a JPEG (ITU-T T.81, B.2.4.6); Adobe's tells which colours these are, JFIF's how large a dot is.
_FIRST_APPLICATION, _LAST_APPLICATION = 0xE0, 0xEF
_KEPT_APPLICATIONS: Final = frozenset({0xE0, 0xEE})
_BOXED: Final = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
#: Boxes of a JPEG 2000 file that draw (ITU-T T.800, I.5): signature, type, header, picture.
_KEPT_BOXES: Final = frozenset({b"jP  ", b"ftyp", b"jp2h", b"jp2c"})


def bare_picture(packed_as: str, data: bytes) -> bytes:
    """The picture alone; `packed_as` is the PDF's name of the filter. UnusableFileError when it is none."""
    if packed_as == "/DCTDecode":
        return b"".join(_segments(data))
    if packed_as == "/JPXDecode" and data.startswith(_BOXED):
        return b"".join(_boxes(data))
    return data


def _segments(data: bytes) -> Iterator[bytes]:
    if not data.startswith(_START):
        raise UnusableFileError(_BROKEN)
    yield _START
    at = len(_START)
    while at + 4 <= len(data):
        if data[at] != 0xFF:  # noqa: PLR2004 - every marker begins with it
            raise UnusableFileError(_BROKEN)
        kind = data[at + 1]
        if kind == 0xFF:  # noqa: PLR2004 - markers may be filled up with it
            at += 1
            continue
        if kind == _SCAN:
            end = data.rfind(_END)
            yield data[at:] + _END if end < at else data[at : end + len(_END)]
            return
        length = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        application = _FIRST_APPLICATION <= kind <= _LAST_APPLICATION
        if kind != _COMMENT and (not application or kind in _KEPT_APPLICATIONS):
            yield data[at : at + length]
        at += length
    raise UnusableFileError(_BROKEN)


def _boxes(data: bytes) -> Iterator[bytes]:
    at = 0
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if length == 1:
            length = int.from_bytes(data[at + 8 : at + 16], "big")
        elif length == 0:
            length = len(data) - at
        if length < 8:  # noqa: PLR2004 - a box is at least its own head
            raise UnusableFileError(_BROKEN)
        if kind in _KEPT_BOXES:
            yield data[at : at + length]
        at += length
