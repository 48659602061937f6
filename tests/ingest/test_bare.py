"""Pictures within PDFs come out without what was carried beside them, and look as before."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageChops

from services.ingest.gate.bare import bare_picture
from services.ingest.gate.files import UnusableFileError

SECRET = b"N41.2E123.1 Xu Lanwen"


def picture(format_: str = "JPEG", **options: Any) -> bytes:
    """A picture whose every part differs."""
    out = io.BytesIO()
    gradient = Image.merge("RGB", [Image.linear_gradient("L").rotate(90 * n) for n in range(3)])
    gradient.save(out, format_, **options)
    return out.getvalue()


def segment(kind: int, content: bytes) -> bytes:
    return bytes((0xFF, kind)) + (2 + len(content)).to_bytes(2, "big") + content


def box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def before(data: bytes, marker: bytes, added: bytes, nth: int = 0) -> bytes:
    """Something put before the nth marker."""
    at = -1
    for _ in range(nth + 1):
        at = data.index(marker, at + 1)
    return data[:at] + added + data[at:]


def with_thumbnail() -> bytes:
    plain = picture()
    length = int.from_bytes(plain[4:6], "big")
    jfif = segment(0xE0, plain[6:18] + b"\x01\x07" + SECRET)
    return plain[:2] + jfif + plain[4 + length :]


def exif() -> bytes:
    return segment(0xE1, b"Exif\0\0" + SECRET)


JPEGS: dict[str, Callable[[], bytes]] = {
    "place": lambda: before(picture(), b"\xff\xdb", exif()),
    "second picture": lambda: picture() + before(picture(), b"\xff\xdb", exif()),
    "film behind the picture": lambda: picture() + box(b"ftyp", SECRET) + b"\xff\xd9",
    "remark between scans": lambda: before(picture(progressive=True), b"\xff\xda", segment(0xFE, SECRET), 2),
    "place between scans": lambda: before(picture(progressive=True), b"\xff\xda", exif(), 1),
    "thumbnail of JFIF": with_thumbnail,
    "thumbnail of JFXX": lambda: before(picture(), b"\xff\xdb", segment(0xE0, b"JFXX\0\x10" + SECRET)),
    "behind Adobe's colours": lambda: before(
        picture(), b"\xff\xdb", segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01" + SECRET)
    ),
    "Adobe's segment of another's": lambda: before(picture(), b"\xff\xdb", segment(0xEE, SECRET)),
    "program's own": lambda: before(picture(), b"\xff\xdb", segment(0xEF, SECRET)),
}


def remarked(coded: bytes) -> bytes:
    """A remark in the main header, and one in the tile's, which then is longer."""
    at = coded.index(b"\xff\x90")
    told = int.from_bytes(coded[at + 6 : at + 10], "big")
    remark = segment(0x64, b"\0\x01" + SECRET)
    tile = coded[at : at + 6] + (told + len(remark)).to_bytes(4, "big") + coded[at + 10 : at + 12]
    return coded[:at] + remark + tile + remark + coded[at + 12 :]


def boxed(beside: bytes = b"", within: bytes = b"") -> bytes:
    """The file of JPEG 2000, with boxes beside its header and within it."""
    plain = picture("JPEG2000")
    at = plain.index(b"jp2h") - 4
    length = int.from_bytes(plain[at : at + 4], "big")
    return plain[:at] + box(b"jp2h", plain[at + 8 : at + length] + within) + beside + plain[at + length :]


JP2S: dict[str, Callable[[], bytes]] = {
    "box beside": lambda: boxed(beside=box(b"uuid", SECRET)),
    "box within the header": lambda: boxed(within=box(b"uuid", SECRET)),
    "box of XML within the header": lambda: boxed(within=box(b"xml ", SECRET)),
    "kind of file": lambda: picture("JPEG2000").replace(
        box(b"ftyp", b"jp2 \0\0\0\0jp2 "), box(b"ftyp", SECRET + b"   ")
    ),
    "remark": lambda: _recoded(remarked),
    "behind the end": lambda: _recoded(lambda coded: coded + SECRET),
    "no file around it": lambda: remarked(picture("JPEG2000", no_jp2=True)),
    "nothing around it, behind the end": lambda: picture("JPEG2000", no_jp2=True) + SECRET,
}


def _recoded(change: Callable[[bytes], bytes]) -> bytes:
    plain = picture("JPEG2000")
    at = plain.index(b"jp2c") - 4
    return plain[:at] + box(b"jp2c", change(plain[at + 8 :]))


@pytest.mark.parametrize(
    ("packed_as", "make"),
    [("/DCTDecode", m) for m in JPEGS.values()] + [("/JPXDecode", m) for m in JP2S.values()],
    ids=[*JPEGS, *JP2S],
)
def test_what_a_picture_carries_is_gone_and_it_looks_as_before(packed_as: str, make: Callable[[], bytes]) -> None:
    given = make()
    assert SECRET in given
    bare = bare_picture(packed_as, given)
    assert SECRET not in bare
    with Image.open(io.BytesIO(given)) as old, Image.open(io.BytesIO(bare)) as new:
        assert (new.size, new.mode) == (old.size, old.mode)
        assert ImageChops.difference(old.convert("RGB"), new.convert("RGB")).getbbox() is None


@pytest.mark.parametrize(
    "options", [{"progressive": True}, {"restart_marker_blocks": 4}, {"quality": 100, "subsampling": 0}]
)
def test_a_picture_that_carries_nothing_comes_out_byte_for_byte(options: dict[str, Any]) -> None:
    given = picture(**options)
    assert bare_picture("/DCTDecode", given) == given


@pytest.mark.parametrize(
    ("packed_as", "data"),
    [
        ("/DCTDecode", b""),
        ("/DCTDecode", b"\xff\xd8\xff\xd9"),
        ("/DCTDecode", b"\xff\xd8\xff\xfe\x00\x00" + SECRET),
        ("/DCTDecode", b"\xff\xd8\xff\xd8\xff\xd8\xff\xd8"),
        ("/JPXDecode", SECRET),
        ("/JPXDecode", b"\xff\x4f\xff\x51\x00\x00" + SECRET),
        ("/JPXDecode", b"\x00\x00\x00\x0cjP  \r\n\x87\n\x00\x00\x00\x02jp2c" + SECRET),
    ],
)
def test_what_is_no_picture_is_refused_with_a_sentence(packed_as: str, data: bytes) -> None:
    with pytest.raises(UnusableFileError, match="PDF 里有读不出的图片"):
        bare_picture(packed_as, data)
