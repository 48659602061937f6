"""Files from outside: told by content, pictures made anew, PDFs that run refused."""

import io
import zlib

import pytest
from PIL import Image

from services.ingest.gate.images import UnusableFileError, public_file

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"


def picture(kind: str, size: tuple[int, int] = (60, 40), **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind, **options)
    return out.getvalue()


def packed(inner: bytes) -> bytes:
    body = zlib.compress(inner)
    head = b"2 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>\nstream\n" % len(body)
    return PDF.replace(b"trailer", head + body + b"\nendstream\nendobj\ntrailer")


def test_place_comment_and_orientation_of_a_photograph_are_gone() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "PhoneMaker"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (30.0, 15.0, 7.0)
    data = picture("JPEG", exif=exif, comment=b"zhang san")
    assert b"PhoneMaker" in data
    assert b"zhang san" in data
    made = public_file(data).content
    assert b"PhoneMaker" not in made
    assert b"zhang san" not in made
    assert b"Exif" not in made
    with Image.open(io.BytesIO(made)) as opened:
        assert opened.size == (40, 60)
        assert dict(opened.getexif()) == {}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_large_picture_comes_out_as_a_jpeg_of_2560_pixels(kind: str) -> None:
    made = public_file(picture(kind, (3000, 1500)))
    assert made.media_type == "image/jpeg"
    with Image.open(io.BytesIO(made.content)) as opened:
        assert (opened.format, opened.size) == ("JPEG", (2560, 1280))


def test_a_pdf_is_kept_as_it_is() -> None:
    assert public_file(PDF).content == PDF
    harmless = packed(b"1 0 << /Type /Page >>")
    assert public_file(harmless).content == harmless


def test_a_scan_whose_bytes_look_like_a_short_name_is_kept() -> None:
    scan = PDF.replace(b"trailer", b"3 0 obj << /Length 9 >>\nstream\nx/JS \xff/AA \nendstream endobj\ntrailer")
    assert public_file(scan).media_type == "application/pdf"


@pytest.mark.parametrize(
    "name", [b"/JavaScript", b"/J#61vaScript", b"/Launch", b"/EmbeddedFile", b"/EmbeddedFiles", b"/XFA", b"/Encrypt"]
)
def test_a_pdf_that_runs_or_carries_something_is_refused_also_when_packed(name: bytes) -> None:
    for bad in (PDF.replace(b"/Catalog", b"/Catalog /S " + name), packed(b"1 0 << /S " + name + b" >>")):
        with pytest.raises(UnusableFileError, match="脚本、动作或附件"):
            public_file(bad)


def test_a_packed_bomb_is_refused() -> None:
    with pytest.raises(UnusableFileError, match="展开后太大"):
        public_file(packed(b" " * (33 * 1024 * 1024)))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "空的"),
        (b"MZ\x90\x00", "看不懂"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "看不懂"),
        (b"\xff\xd8\xff\xe0", "看不懂"),
        (picture("PNG", (200, 200))[:-60], "看不懂"),
        (picture("GIF"), "看不懂"),
        (picture("PNG", (9000, 9000)), "图片太大"),
        (b"%PDF-1.7\nhalf", "不完整"),
        (PDF.ljust(10 * 1024 * 1024 + 1), "最多 10 MiB"),
    ],
)
def test_what_is_no_picture_and_no_whole_pdf_is_refused_with_a_reason(data: bytes, why: str) -> None:
    with pytest.raises(UnusableFileError, match=why):
        public_file(data)
