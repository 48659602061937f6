"""The code of a signed sheet is read back from photographs, and nothing else is taken for one."""

import io
from uuid import UUID

import pytest
import segno
from PIL import Image, ImageFilter

from services.ingest.gate.sheets import read_sheet, sheet_code

SHEET = UUID("0190f3a4-7c1e-7d3a-9b52-5f2f3f6a1c77")
DIGEST = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
TEXT = "SANWU1:0190f3a4-7c1e-7d3a-9b52-5f2f3f6a1c77:3:ba7816bf8f01cfea"


def paper(text: str) -> Image.Image:
    drawn = io.BytesIO()
    segno.make(text, error="q", micro=False).save(drawn, kind="png", scale=5, border=4)
    sheet = Image.new("RGB", (900, 1200), "white")
    sheet.paste(Image.open(drawn).convert("RGB"), (500, 100))
    return sheet


def photograph(sheet: Image.Image) -> bytes:
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=70)
    return out.getvalue()


def test_the_code_names_disclosure_edition_and_the_beginning_of_the_digest() -> None:
    assert sheet_code(SHEET, 3, DIGEST).text == TEXT


@pytest.mark.parametrize("angle", [0, 7, 45, 90, 180, 261])
def test_a_turned_and_blurred_photograph_is_read(angle: int) -> None:
    turned = paper(TEXT).rotate(angle, expand=True, fillcolor="grey").filter(ImageFilter.GaussianBlur(1))
    assert read_sheet(photograph(turned)) == sheet_code(SHEET, 3, DIGEST)


def test_a_skewed_photograph_is_read() -> None:
    corners = (-60, -40, 0, 1260, 960, 1200, 880, 30)
    skewed = paper(TEXT).transform((900, 1200), Image.Transform.QUAD, corners, fillcolor="grey")
    assert read_sheet(photograph(skewed)) == sheet_code(SHEET, 3, DIGEST)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/",
        TEXT.replace("SANWU1", "SANWU2"),
        TEXT[:-1],
        TEXT + "0",
        TEXT.upper(),
        TEXT.replace(":3:", ":-3:"),
        TEXT.replace(":3:", "::"),
        TEXT.replace("-", ""),
        "SANWU1:------------------------------------:3:ba7816bf8f01cfea",
    ],
)
def test_another_code_is_no_sheet(text: str) -> None:
    assert read_sheet(photograph(paper(text))) is None


def test_paper_without_a_code_is_no_sheet() -> None:
    assert read_sheet(photograph(Image.new("RGB", (900, 1200), "white"))) is None


def test_a_pdf_is_no_photograph() -> None:
    assert read_sheet(b"%PDF-1.7\n%%EOF\n") is None
