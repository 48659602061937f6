"""Pictures within PDFs, kept as they are packed, without what their formats carry beside the picture; pure.

A phone writes time and place into every JPEG, and a second picture behind it; a scanning app puts the JPEG into its PDF as it
is. What draws is copied by a list; everything else goes, whatever it is called.
"""

import re
from collections.abc import Iterator
from typing import Final

from services.ingest.gate.files import UnusableFileError

_BROKEN: Final = "PDF 里有读不出的图片，请重新导出，或用“打印为 PDF”另存后再上传。"

#: Markers of a JPEG (ITU-T T.81, table B.1).
_START, _END = b"\xff\xd8", b"\xff\xd9"
_SCAN: Final = 0xDA
#: Frames, tables of codes and of quantities, the height, the interval of restarts.
_KEPT_SEGMENTS: Final = frozenset({*range(0xC0, 0xC8), *range(0xC9, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD})
_HEADLESS: Final = frozenset({0x01, *range(0xD0, 0xD9)})
#: JFIF tells how large a dot is, Adobe which colours these are, each in as many bytes (T.871, 10.1; TN 5116, 18).
_JFIF, _ADOBE = (0xE0, b"JFIF\0", 12), (0xEE, b"Adobe", 12)
_NO_THUMBNAIL: Final = b"\0\0"
#: In what a scan packed a marker is none when 00 or a restart follows.
_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")

_BOXED: Final = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_PLAIN_TYPE: Final = b"jp2 \0\0\0\0jp2 "
#: Boxes of a JPEG 2000 file's header that draw (ITU-T T.800, I.5.3): size, depths, colours, palette, channels.
_KEPT_HEADERS: Final = frozenset({b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef"})
_CODED: Final = b"\xff\x4f\xff\x51"
#: Segments of its codestream that draw or find (T.800, table A.2): SIZ, COD, COC, RGN, QCD, QCC, POC, TLM, PLM, PLT, PPM, PPT.
_TILE, _DATA, _REMARK = 0x90, 0x93, b"\xff\x64"
_DRAWN: Final = frozenset({0x51, 0x52, 0x53, 0x5E, 0x5C, 0x5D, 0x5F, 0x55, 0x57, 0x58, 0x60, 0x61, _TILE})


def bare_picture(packed_as: str, data: bytes) -> bytes:
    """The picture alone; `packed_as` is the PDF's name of the filter. UnusableFileError when it is none."""
    if packed_as == "/DCTDecode":
        return b"".join(_segments(data))
    if packed_as == "/JPXDecode":
        return b"".join(_boxes(data) if data.startswith(_BOXED) else _codestream(data))
    return data


def _segments(data: bytes) -> Iterator[bytes]:
    """A JPEG up to its first end."""
    if not data.startswith(_START):
        raise UnusableFileError(_BROKEN)
    yield _START
    at, scanned = len(_START), False
    while at + 4 <= len(data) and not data.startswith(_END, at):
        kind = data[at + 1]
        if data[at] != 0xFF or kind in _HEADLESS:  # noqa: PLR2004 - every marker begins with it
            raise UnusableFileError(_BROKEN)
        if kind == 0xFF:  # noqa: PLR2004 - markers may be filled up with it
            at += 1
            continue
        end = at + _length(data, at + 2)
        yield _segment(kind, data[at:end])
        at = end
        if kind == _SCAN:
            found = _MARKER.search(data, end)
            at, scanned = found.start() if found else len(data), True
            yield data[end:at]
    if not scanned:
        raise UnusableFileError(_BROKEN)
    yield _END


def _segment(kind: int, segment: bytes) -> bytes:
    if kind in _KEPT_SEGMENTS:
        return segment
    for application, name, size in (_JFIF, _ADOBE):
        if kind == application and segment.startswith(name, 4) and len(segment) >= 4 + size:
            told = segment[4 : 4 + size] + (_NO_THUMBNAIL if name == _JFIF[1] else b"")
            return segment[:2] + (2 + len(told)).to_bytes(2, "big") + told
    return b""


def _length(data: bytes, at: int) -> int:
    """Bytes of a segment with its marker; what is told counts itself and what follows."""
    told = int.from_bytes(data[at : at + 2], "big")
    if told < 2:  # noqa: PLR2004 - itself
        raise UnusableFileError(_BROKEN)
    return 2 + told


def _boxes(data: bytes) -> Iterator[bytes]:
    """A JPEG 2000 file: what it is, its header, its codestreams."""
    yield _BOXED
    yield _box(b"ftyp", _PLAIN_TYPE)
    for kind, content in _boxed(data):
        if kind == b"jp2h":
            yield _box(kind, b"".join(_box(k, c) for k, c in _boxed(content) if k in _KEPT_HEADERS))
        elif kind == b"jp2c":
            yield _box(kind, b"".join(_codestream(content)))


def _box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def _boxed(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        length, kind, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif length == 0:
            length = len(data) - at
        if length < head:
            raise UnusableFileError(_BROKEN)
        yield kind, data[at + head : at + length]
        at += length


def _packets_end(data: bytes, at: int, tile_end: int) -> int:
    """Where the packets that begin here end: with their tile, else with the picture."""
    # A packet never has the end's marker in it (T.800, B.10.1).
    end = tile_end or data.find(_END, at)
    return end if at + 2 <= end <= len(data) else len(data)


def _codestream(data: bytes) -> Iterator[bytes]:
    """What a JPEG 2000 picture is packed to, up to its end.

    Segments that do not draw become empty remarks of their length, for each tile tells how long it is with all of them.
    """
    if not data.startswith(_CODED):
        raise UnusableFileError(_BROKEN)
    yield data[:2]
    at, tile_end = 2, 0
    while at + 4 <= len(data) and not data.startswith(_END, at):
        kind = data[at + 1]
        if data[at] != 0xFF:  # noqa: PLR2004 - every marker begins with it
            raise UnusableFileError(_BROKEN)
        if kind == _DATA:
            end = _packets_end(data, at, tile_end)
            yield data[at:end]
        else:
            end = at + _length(data, at + 2)
            if kind == _TILE:
                told = int.from_bytes(data[at + 6 : at + 10], "big")
                tile_end = at + told if told else 0
            yield data[at:end] if kind in _DRAWN else _REMARK + data[at + 2 : at + 4] + bytes(end - at - 4)
        at = end
    yield _END
