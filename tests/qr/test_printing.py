"""What carries a code: each form has its size, its words and a symbol that two readers read; packages tell what is in them."""

import csv
import io
import zipfile

import cv2
import numpy as np
import pypdfium2
import pytest
import zxingcpp

from services.contracts.code import CodeKind
from services.qr.commands.printing import PACKING_LIST, draw_package
from services.qr.render.poster import FORMS, Form, Poster, posters, preview
from tests.builders import FAR_VILLAGE, NEIGHBOUR, TOWNSHIP, VILLAGE, ZONE
from tests.conftest import Served
from tests.qr.conftest import FindCode, Picture, pages, read_both, texts
from tests.qr.test_render import AT, LONG_NAME, SITE

PHONE = {"accept": "text/html,application/xhtml+xml"}


def of_form(form: Form, **changes: object) -> Poster:
    kind = FORMS[form].kinds[0]
    values: dict[str, object] = {
        "above": "盖州市 西海街道",
        "village": "西海村委会",
        "community": False,
        "serial": 12,
        "code": "7KQ4M2XW",
        "sample": False,
        "kind": kind,
        "place": "村部门前",
        "subject": "村东2号机井" if kind is CodeKind.ASSET else None,
    }
    return Poster(**{**values, **changes})  # type: ignore[arg-type] # the fields, with changes


def at_300_dpi(pdf: bytes) -> Picture:
    page = pypdfium2.PdfDocument(pdf)[0]
    picture: Picture = page.render(scale=300 / 72).to_numpy()[:, :, :3].copy()
    return picture


@pytest.mark.parametrize(
    ("form", "paper", "width_mm", "many"),
    [
        (Form.A4, (210, 297), 120, 1),
        (Form.A3, (297, 420), 170, 1),
        (Form.GATE, (420, 594), 300, 1),
        (Form.CARD, (210, 297), 30, 10),
        (Form.LABEL, (210, 297), 30, 1),
        (Form.STICKER, (210, 297), 50, 1),
    ],
)
def test_a_form_has_its_paper_and_its_symbols_width(
    form: Form, paper: tuple[int, int], width_mm: int, many: int
) -> None:
    pdf = posters([of_form(form)], SITE, AT, form)
    (page,) = pypdfium2.PdfDocument(pdf)
    assert tuple(round(x * 25.4 / 72) for x in page.get_size()) == paper
    found = zxingcpp.read_barcodes(at_300_dpi(pdf))
    assert {f.text for f in found} == {f"{SITE}/c/7KQ4M2XW"}
    assert len(found) == many
    assert all(f.ec_level == "H" for f in found)
    for each in found:
        width = (each.position.top_right.x - each.position.top_left.x) / 300 * 25.4
        assert width == pytest.approx(width_mm, rel=0.02)


@pytest.mark.parametrize("form", list(Form))
def test_a_form_says_domain_serial_and_code_in_words(form: Form) -> None:
    (text,) = texts(posters([of_form(form, sample=True)], SITE, AT, form))
    for words in ("127.0.0.1:8000", "第12号", "7KQ4M2XW", "西海村委会", "示例数据"):
        assert words in text, words
    if form is Form.STICKER:
        assert "2026年度" in text


@pytest.mark.parametrize("form", list(Form))
def test_a_form_is_read_when_it_was_printed_in_black_and_white(form: Form) -> None:
    grey = cv2.cvtColor(at_300_dpi(posters([of_form(form)], SITE, AT, form)), cv2.COLOR_BGR2GRAY)
    _, black_and_white = cv2.threshold(grey, 127, 255, cv2.THRESH_BINARY)
    assert {f.text for f in zxingcpp.read_barcodes(black_and_white)} == {f"{SITE}/c/7KQ4M2XW"}


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("name", [LONG_NAME, "村" * 200, '#panic("x") $x^2$ *_`<>\\"'])
def test_names_of_any_length_and_kind_leave_one_sheet_and_a_symbol(form: Form, name: str) -> None:
    subject = name if FORMS[form].kinds[0] is CodeKind.ASSET else None
    pdf = posters([of_form(form, village=name, place=name[:40], subject=subject, sample=True)], SITE, AT, form)
    assert len(pypdfium2.PdfDocument(pdf)) == 1
    assert f"{SITE}/c/7KQ4M2XW" in read_both(pages(pdf)[0]) | {f.text for f in zxingcpp.read_barcodes(at_300_dpi(pdf))}


def test_somebodys_name_and_number_are_not_printed() -> None:
    (text,) = texts(posters([of_form(Form.LABEL, subject="张德福13904170001的鱼塘")], SITE, AT, Form.LABEL))
    assert "13904170001" not in text
    assert "张德福" not in text


def test_sheets_are_filled_before_another_is_begun() -> None:
    labels = [of_form(Form.LABEL, code=f"{n:08}") for n in range(13)]
    assert len(pypdfium2.PdfDocument(posters(labels, SITE, AT, Form.LABEL))) == 2
    cards = posters([of_form(Form.CARD), of_form(Form.CARD, code="00000001")], SITE, AT, Form.CARD, copies=3)
    drawn = [{f.text[-8:] for f in zxingcpp.read_barcodes(p)} for p in pages(cards)]
    assert drawn == [{"7KQ4M2XW"}] * 3 + [{"00000001"}] * 3


def test_a_preview_is_a_picture_of_the_print() -> None:
    for form in Form:
        picture = cv2.imdecode(np.frombuffer(preview(of_form(form), SITE, AT, form), np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None, form


def test_a_package_is_drawn_in_parts_so_that_memory_stays_small() -> None:
    files = draw_package([of_form(Form.A4, code=f"{n:08}") for n in range(61)], SITE, AT, Form.A4, 1)
    assert [(name, len(pypdfium2.PdfDocument(pdf))) for name, pdf in files.items()] == [
        ("a4-01.pdf", 60),
        ("a4-02.pdf", 1),
    ]


# -- over HTTP ------------------------------------------------------------------------------------------------------


async def issue(qr: Served, **wanted: object) -> str:
    answer = await qr.client.post("/qr/v1/codes", json=wanted, headers=qr.bearer("operator"))
    assert answer.status_code == 201, answer.text
    code: str = answer.json()["code"]
    return code


async def test_a_townships_package_holds_its_prints_and_what_they_are(qr: Served, valid_code: FindCode) -> None:
    answer = await qr.client.get(f"/qr/v1/posters.zip?division={TOWNSHIP}", headers=qr.bearer("reviewer-210881006"))
    assert answer.headers["content-type"] == "application/zip"
    package = zipfile.ZipFile(io.BytesIO(answer.content))
    assert package.namelist() == [PACKING_LIST, "a4.pdf"]
    head, first, second = csv.reader(io.StringIO(package.read(PACKING_LIST).decode("utf-8-sig")))
    assert head == ["页", "镇街", "村", "第几号", "码号", "用途", "位置", "名称", "网址"]
    code = (await valid_code(VILLAGE)).code
    assert first == ["1", "西海街道", "西海村委会", "1", code, "公开栏", "", "", f"http://127.0.0.1:8000/c/{code}"]
    assert second[:3] == ["2", "西海街道", "下店村委会"]
    assert next(read_both(p) for p in pages(package.read("a4.pdf"))) == {f"http://127.0.0.1:8000/c/{code}"}


async def test_a_cell_of_a_packing_list_is_no_formula(qr: Served) -> None:
    await issue(qr, village=NEIGHBOUR, kind="gate", place='=HYPERLINK("http://x")')
    answer = await qr.client.get(f"/qr/v1/posters.zip?division={NEIGHBOUR}&size=gate", headers=qr.bearer("operator"))
    package = zipfile.ZipFile(io.BytesIO(answer.content))
    assert "\"'=HYPERLINK" in package.read(PACKING_LIST).decode("utf-8-sig")


async def test_one_code_alone_is_printed_on_any_form(qr: Served) -> None:
    code = await issue(qr, village=VILLAGE, kind="asset", item="F05", subject="2号机井")
    answer = await qr.client.get(
        f"/qr/v1/posters?division={VILLAGE}&size=label&code={code.lower()}", headers=qr.bearer("operator")
    )
    (text,) = texts(answer.content)
    assert "2号机井" in text
    poster = await qr.client.get(f"/qr/v1/posters?division={VILLAGE}&code={code}", headers=qr.bearer("operator"))
    assert len(texts(poster.content)) == 1


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        (f"division={FAR_VILLAGE}&size=label", 409, "nothing_to_print"),
        (f"division={FAR_VILLAGE}&size=gate", 409, "nothing_to_print"),
        (f"division={FAR_VILLAGE}&code=00000000", 409, "nothing_to_print"),
        (f"division={FAR_VILLAGE}&code=x", 404, "not_found"),
        (f"division={ZONE}&size=card", 422, "zone_has_no_code"),
        (f"division={VILLAGE}&size=card&copies=0", 422, "invalid_input"),
        (f"division={VILLAGE}&size=card&copies=101", 422, "invalid_input"),
        (f"division={VILLAGE}&size=tattoo", 422, "invalid_input"),
        ("division=999999", 404, "not_found"),
    ],
)
@pytest.mark.parametrize("path", ["posters", "posters/preview.png"])
async def test_what_cannot_be_printed_is_refused_in_words(
    qr: Served, path: str, query: str, status: int, code: str
) -> None:
    answer = await qr.client.get(f"/qr/v1/{path}?{query}", headers=qr.bearer("operator"))
    if "copies" in query and "preview" in path:
        return
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_the_page_shows_how_many_and_a_preview_and_leads_to_the_prints(qr: Served) -> None:
    operator = {**PHONE, **qr.bearer("operator")}
    page = await qr.client.get(f"/posters/print?division={TOWNSHIP}&size=a3", headers=operator)
    assert "共 2 个码，2 张纸" in page.text
    assert f"/qr/v1/posters.zip?division={TOWNSHIP}&amp;size=a3" in page.text
    assert f"/qr/v1/posters/preview.png?division={TOWNSHIP}&amp;size=a3" in page.text
    nothing = await qr.client.get(f"/posters/print?division={FAR_VILLAGE}&size=card", headers=operator)
    assert "还没有可以印成“入户小卡" in nothing.text
    assert "先发一个码" in nothing.text
    card = await issue(qr, village=VILLAGE, kind="household")
    cards = await qr.client.get(f"/posters/print?division={VILLAGE}&size=card&copies=30", headers=operator)
    assert "共 1 个码，30 张纸" in cards.text
    assert card
    preview_png = await qr.client.get(
        f"/qr/v1/posters/preview.png?division={VILLAGE}&size=card", headers=qr.bearer("operator")
    )
    assert preview_png.headers["content-type"] == "image/png"


async def test_whoever_may_not_print_sees_no_page_of_it(qr: Served) -> None:
    supervisor = {**PHONE, **qr.bearer("supervisor-210881006206")}
    assert (await qr.client.get("/posters/print", headers=supervisor)).status_code == 403
    clerk = {**PHONE, **qr.bearer("clerk-210881006206")}
    assert (await qr.client.get(f"/posters/print?division={NEIGHBOUR}", headers=clerk)).status_code == 403
    assert (await qr.client.get("/posters/print", headers=clerk)).status_code == 200
