"""A village's month on paper: the figures and names of the page, on few sheets, with a code that leads back to it."""

import asyncio
from typing import Any

import numpy as np
import pypdfium2
import pytest
import zxingcpp

from tests import builders
from tests.publish import bodies

PATH = f"/v/{builders.VILLAGE}/bulletin.pdf"


def sheets(pdf: bytes) -> list[str]:
    """The text of each page, without white space."""
    document = pypdfium2.PdfDocument(pdf)
    return ["".join(page.get_textpage().get_text_range().split()) for page in document]


def codes(pdf: bytes) -> set[str]:
    """What the codes of the first page say."""
    picture = np.asarray(pypdfium2.PdfDocument(pdf)[0].render(scale=2).to_pil())
    return {found.text for found in zxingcpp.read_barcodes(picture)}


def many_lines(count: int) -> dict[str, Any]:
    """A ledger of so many lines that adds up."""
    body = builders.ledger()
    line = {**body["lines"][0], "amount_fen": 100, "payee": "张秀兰", "summary": "付张秀兰家院墙维修款（第二批）"}
    spent = sum(x["amount_fen"] for x in body["lines"] if x["account"] == "cash")
    body["lines"] = [{**line, "voucher": {"word": "记", "no": n}} for n in range(1, count)] + [
        {**body["lines"][0], "amount_fen": spent - 100 * (count - 1)},
        *body["lines"][1:],
    ]
    return body


async def test_a_bulletin_tells_what_the_page_tells_and_leads_to_it(publishing: Any) -> None:
    await publishing.opened()
    await publishing.opened(item="V18", period="2026-10-20", body=bodies.notice())
    answer = await publishing.get(PATH)
    (text,) = sheets(answer.content)
    page = "".join((await publishing.get(f"/v/{builders.VILLAGE}")).text.split())
    for words in (
        "西海村委会",
        "2026年10月",
        "修村部水管",
        "某五金店",
        "215.00元",
        "51,200.00元",
        "47,985.00元",
        "账算得上",
    ):
        assert words in text, words
    assert "47,985.00元" in page
    assert "这个月还公开了" in text
    assert "（2026年10月20日）" in text
    assert codes(answer.content) == {f"{publishing.served.runtime.settings.public_url}/v/{builders.VILLAGE}"}
    assert answer.headers["content-type"] == "application/pdf"
    assert (answer.headers["cache-control"], answer.headers["x-robots-tag"]) == ("private, max-age=5", "noindex")


@pytest.mark.parametrize(("size", "width_mm"), [("a4", 210), ("a3", 297)])
async def test_a_month_of_43_lines_fits_two_sheets_and_shows_no_given_name(
    publishing: Any, size: str, width_mm: int
) -> None:
    await publishing.opened(body=many_lines(43))
    pdf = (await publishing.get(f"{PATH}?size={size}&period=2026-10")).content
    found = sheets(pdf)
    assert len(found) <= 2
    assert "第1页，共" in found[0]
    assert [round(x.get_width() * 25.4 / 72) for x in pypdfium2.PdfDocument(pdf)] == [width_mm] * len(found)
    assert "秀兰" not in "".join(found)
    assert "张某某" in "".join(found)
    # The heads of the columns stand on every sheet that has lines.
    assert all("事由" in text for text in found if "记2号" in text or "记42号" in text)


async def test_what_is_not_open_has_no_bulletin_and_what_was_withdrawn_has_none_any_more(publishing: Any) -> None:
    await publishing.get(PATH, 404)
    event = await publishing.opened()
    await publishing.get(PATH)
    await publishing.get(f"{PATH}?period=2026-09", 404)
    await publishing.withdrawn(event)
    await publishing.get(PATH, 404)
    await publishing.get(f"{PATH}?period=2026-10", 404)


@pytest.mark.parametrize("query", ["size=a5", "period=2026-13", "period=%00", "period=x'--"])
async def test_what_makes_no_sense_is_refused_as_a_page(publishing: Any, query: str) -> None:
    await publishing.opened()
    answer = await publishing.get(f"{PATH}?{query}", 422)
    assert "没有打开" in answer.text


async def test_texts_are_texts_and_no_markup(publishing: Any) -> None:
    body = builders.ledger()
    body["lines"][0]["summary"] = '#panic("x") $x^2$ *粗* <标签> \\'
    await publishing.opened(body=body)
    (text,) = sheets((await publishing.get(PATH)).content)
    assert '#panic("x")$x^2$*粗*<标签>' in text


async def test_who_would_wait_too_long_for_a_turn_is_told_when_to_come_again(
    publishing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publishing.opened()
    with monkeypatch.context() as full:
        full.setattr("services.publish.making._MOST_IN_LINE", 0)
        answers = await asyncio.gather(*(publishing.get(PATH, 503) for _ in range(3)))
    assert {a.headers["retry-after"] for a in answers} == {"5"}
    await publishing.get(PATH)
