"""Files from outside: pictures made anew, PDFs written anew with their pages alone, within bounds of time and memory."""

import io
import time
from collections.abc import Callable, Iterator
from typing import Any

import pikepdf
import pypdfium2
import pytest
from PIL import Image

from services.ingest.gate.documents import document
from services.ingest.gate.files import MAX_PUBLIC_BYTES, UnusableFileError, read_answer
from services.ingest.gate.images import picture as picture_of
from services.kit.limited import Limits, OverLimitError, run_limited
from tests.ingest import hostile


def picture(kind: str, size: tuple[int, int] = (60, 40), **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind, **options)
    return out.getvalue()


def test_place_comment_and_orientation_of_a_photograph_are_gone() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "PhoneMaker"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (30.0, 15.0, 7.0)
    data = picture("JPEG", exif=exif, comment=b"zhang san")
    assert b"PhoneMaker" in data
    assert b"zhang san" in data
    made = picture_of(data).content
    assert b"PhoneMaker" not in made
    assert b"zhang san" not in made
    assert b"Exif" not in made
    with Image.open(io.BytesIO(made)) as opened:
        assert opened.size == (40, 60)
        assert dict(opened.getexif()) == {}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_large_picture_comes_out_as_a_jpeg_of_2560_pixels(kind: str) -> None:
    made = picture_of(picture(kind, (3000, 1500)))
    assert made.media_type == "image/jpeg"
    with Image.open(io.BytesIO(made.content)) as opened:
        assert (opened.format, opened.size) == ("JPEG", (2560, 1280))


#: Names that may stand in a public PDF in no object: each leads to something that acts, carries, describes or hides.
NOWHERE = {
    *(
        "/JS",
        "/JavaScript",
        "/OpenAction",
        "/AA",
        "/A",
        "/URI",
        "/Launch",
        "/GoToR",
        "/SubmitForm",
        "/Annots",
        "/AcroForm",
    ),
    *(
        "/XFA",
        "/EmbeddedFiles",
        "/EF",
        "/Filespec",
        "/F",
        "/Names",
        "/Outlines",
        "/Metadata",
        "/Info",
        "/PieceInfo",
        "/OC",
    ),
    *("/OCProperties", "/Properties", "/Encrypt", "/StructTreeRoot", "/PS", "/RichMedia"),
}


def names_in(value: Any, seen: set[tuple[int, int]] | None = None) -> Iterator[str]:
    """Every name in an object and below it, keys and values alike."""
    seen = set() if seen is None else seen
    if isinstance(value, pikepdf.Object) and value.is_indirect:
        if value.objgen in seen:
            return
        seen.add(value.objgen)
    if isinstance(value, pikepdf.Name):
        yield str(value)
    elif isinstance(value, pikepdf.Dictionary | pikepdf.Stream):
        for key, inner in value.items():
            yield key
            yield from names_in(inner, seen)
    elif isinstance(value, pikepdf.Array):
        for inner in value:
            yield from names_in(inner, seen)


def drawn(content: bytes) -> bytes:
    """The first page as a reader draws it."""
    page = pypdfium2.PdfDocument(content)[0]
    return bytes(page.render(scale=0.5).to_pil().convert("L").tobytes())


@pytest.mark.parametrize("disguise", hostile.DISGUISED)
def test_of_a_pdf_only_what_draws_its_pages_is_left(disguise: str) -> None:
    made = document(hostile.DISGUISED[disguise]()).content
    reader = pypdfium2.PdfDocument(made)
    assert pypdfium2.raw.FPDFDoc_GetJavaScriptActionCount(reader) == 0
    assert pypdfium2.raw.FPDFDoc_GetAttachmentCount(reader) == 0
    assert reader.get_metadata_dict(skip_empty=True) == {}
    assert list(reader.get_toc()) == []
    assert pypdfium2.raw.FPDFPage_GetAnnotCount(reader[0]) == 0
    with pikepdf.open(io.BytesIO(made)) as opened:
        assert not opened.is_encrypted
        everything = [names_in(thing) for thing in (*opened.objects, opened.trailer)]
        assert NOWHERE.isdisjoint(name for names in everything for name in names)
        unpacked = hostile.saved(opened, qdf=True, static_id=True)
    for hidden in (
        hostile.SCRIPT.encode(),
        b"13800138000",
        b"110105194912310021",
        b"virus",
        b"example.org",
        b"cmd.exe",
    ):
        assert hidden not in unpacked


@pytest.mark.parametrize("disguise", ["properties", "notes", "form", "private places", "owner's password"])
def test_a_page_looks_as_it_did(disguise: str) -> None:
    made = document(hostile.DISGUISED[disguise]())
    assert drawn(made.content) == drawn(hostile.saved(hostile.plain()))
    assert pypdfium2.PdfDocument(made.content)[0].get_textpage().get_text_bounded() == "seen"


def test_a_pdf_written_anew_twice_is_the_same_file() -> None:
    once = document(hostile.saved(hostile.plain())).content
    assert document(once).content == once


def test_a_note_that_is_drawn_stays_as_a_picture_and_is_searched_for_numbers() -> None:
    source = hostile.plain()
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    seal = source.make_stream(
        b"BT /T1 10 Tf 5 5 Td (13800138000) Tj ET",
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Form,
        BBox=pikepdf.Array([0, 0, 100, 20]),
        Resources=pikepdf.Dictionary(Font=pikepdf.Dictionary(T1=font)),
    )
    stamp = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot,
        Subtype=pikepdf.Name.Stamp,
        Rect=pikepdf.Array([50, 50, 150, 70]),
        F=4,
        AP=pikepdf.Dictionary(N=seal),
    )
    source.pages[0].Annots = pikepdf.Array([source.make_indirect(stamp)])
    made = document(hostile.saved(source))
    assert made.personal == ((1, "phone"),)
    assert pypdfium2.raw.FPDFPage_GetAnnotCount(pypdfium2.PdfDocument(made.content)[0]) == 0


@pytest.mark.parametrize("packed", [False, True])
def test_place_and_time_of_a_photograph_within_a_pdf_are_gone(*, packed: bool) -> None:
    exif = Image.Exif()
    exif[0x010F] = "PhoneMaker"
    photograph = picture("JPEG", exif=exif, comment=b"zhang san")
    source = hostile.scanned(photograph, (60, 40), packed=packed)
    made = document(source).content
    with pikepdf.open(io.BytesIO(made)) as opened:
        image = opened.pages[0].Resources.XObject.I
        assert b"PhoneMaker" in photograph
        assert b"PhoneMaker" not in image.read_raw_bytes()
        assert b"zhang san" not in image.read_raw_bytes()
    assert drawn(made) == drawn(source)


@pytest.mark.parametrize("bomb", [b for b in hostile.BUSY if b not in {"packed", "packed twice"}])
def test_a_pdf_made_to_keep_a_process_busy_is_refused_at_once(bomb: str) -> None:
    data, began = hostile.BUSY[bomb](), time.process_time()
    with pytest.raises(UnusableFileError, match="打不开"):
        document(data)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("bomb", ["packed", "packed twice"])
async def test_a_pdf_that_unpacks_to_more_than_memory_is_refused_in_its_own_process(bomb: str) -> None:
    limits = Limits(seconds=60, memory_mib=512, answer_bytes=MAX_PUBLIC_BYTES)
    try:
        written = await run_limited("services.ingest.gate.documents", hostile.BUSY[bomb](), limits, who="a")
    except OverLimitError:
        return
    with pytest.raises(UnusableFileError, match=r"展开后太大|打不开"):
        read_answer(written)


def test_a_pdf_of_ten_thousand_pages_is_refused_with_what_to_do() -> None:
    with pytest.raises(UnusableFileError, match="PDF 有 10000 页，最多 500 页，请分成几个文件"):
        document(hostile.pages(10_000))
    assert document(hostile.pages(500)).media_type == "application/pdf"


def test_a_locked_pdf_is_refused_with_what_to_do() -> None:
    locked = hostile.saved(hostile.plain(), encryption=pikepdf.Encryption(owner="a", user="b"))
    with pytest.raises(UnusableFileError, match="有打开密码，请去掉密码"):
        document(locked)


BOMBS: dict[str, Callable[[], bytes]] = {
    "a PNG of 79 million pixels of one bit": lambda: blank("1", 8900, "PNG"),
    "a WebP of 79 million pixels in 3 KiB": lambda: blank("RGB", 8900, "WEBP", lossless=True),
    "a JPEG of 79 million pixels": lambda: blank("RGB", 8900, "JPEG"),
    "a progressive JPEG of 79 million pixels": lambda: blank("RGB", 8900, "JPEG", progressive=True),
    "a PNG of 40 million pixels, two bytes each": lambda: blank("I;16", 6324, "PNG"),
    "a PNG of 40 million pixels with depths": lambda: blank("RGBA", 6324, "PNG"),
    "a palette of 40 million pixels": lambda: blank("P", 6324, "PNG"),
    "a JPEG of four colours": lambda: blank("CMYK", 6324, "JPEG"),
    "a WebP of 16 million pixels": lambda: blank("RGBA", 4000, "WEBP", lossless=True),
    "a PNG that moves": lambda: moving("PNG"),
    "a WebP that moves": lambda: moving("WEBP"),
    "a phone's JPEG of two pictures": lambda: moving("MPO"),
}
REFUSED = {"a PNG of 79 million pixels of one bit", "a WebP of 79 million pixels in 3 KiB"}


def blank(mode: str, side: int, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (side, side)).save(out, kind, **options)
    return out.getvalue()


def moving(kind: str) -> bytes:
    out = io.BytesIO()
    first, *more = (Image.new("RGB", (1500, 1500), (n, 0, 0)) for n in range(20))
    first.save(out, kind, save_all=True, append_images=more)
    return out.getvalue()


@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_picture_takes_no_more_than_512_mib_whatever_its_format(bomb: str) -> None:
    limits = Limits(seconds=60, memory_mib=512, answer_bytes=MAX_PUBLIC_BYTES)
    written = await run_limited("services.ingest.gate.images", BOMBS[bomb](), limits, who="a")
    if bomb in REFUSED:
        with pytest.raises(UnusableFileError, match="4000 万像素以下"):
            read_answer(written)
        return
    with Image.open(io.BytesIO(read_answer(written).content)) as opened:
        assert max(opened.size) in {1500, 2560}
        assert getattr(opened, "n_frames", 1) == 1


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"MZ\x90\x00", "看不懂"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "看不懂"),
        (b"\xff\xd8\xff\xe0", "看不懂"),
        (picture("PNG", (200, 200))[:-60], "看不懂"),
        (picture("GIF"), "看不懂"),
        (picture("PNG", (6400, 6400)), "4000 万像素以下"),
        (picture("JPEG", (12_000, 12_000)), "4000 万像素以下"),
        (b"%PDF-1.7\nhalf", "不完整"),
        (b"%PDF-<html><script>alert(1)</script></html>\n%%EOF", "不完整"),
        (hostile.written([hostile.ROOT, b"<< /Type /Pages /Count 0 /Kids [] >>"]), "不完整"),
    ],
)
def test_what_is_no_picture_and_no_whole_pdf_is_refused_with_a_reason(data: bytes, why: str) -> None:
    with pytest.raises(UnusableFileError, match=why):
        (document if data.startswith(b"%PDF-") else picture_of)(data)
