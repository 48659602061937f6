"""Pages on paper and by keyboard, and what a first visit costs on a slow line. No script."""

import re
from collections.abc import Callable

import pypdfium2
import pytest
from playwright.async_api import Response

from tests.browser import steps
from tests.browser.conftest import People
from tests.browser.steps import TOWNSHIP
from tests.running import RunningCity

VILLAGE = f"/v/{TOWNSHIP}206"
A4_MM = (210, 297)
FIRST_VISIT_BYTES = 50 * 1024
#: What comes in the ten segments that a server may send before it has heard from the reader (RFC 6928).
FIRST_FLIGHT_BYTES = 14 * 1024


def sheets(pdf: bytes) -> list[str]:
    """The text of each sheet, all of A4."""
    document = pypdfium2.PdfDocument(pdf)
    assert {tuple(round(x * 25.4 / 72) for x in page.get_size()) for page in document} == {A4_MM}
    return ["".join(page.get_textpage().get_text_range().split()) for page in document]


@pytest.fixture(scope="module")
def long_month(small_city: RunningCity) -> str:
    """A month of 43 lines."""
    village, day = f"{TOWNSHIP}211", "2024-05-06"
    line = steps.paid(day, "买水泥、砂石修村西路（第二批）", 10_000)["lines"][0]
    lines = [
        {**line, "payee": "兴旺建材商店", "category": "公益支出", "voucher": {"word": "记", "no": n}}
        for n in range(1, 44)
    ]
    body = steps.paid(day, "", 43 * 10_000) | {"lines": lines}
    made = steps.drafted(small_city, village, "2024-05", body)
    found = steps.call(small_city, f"clerk-{village}", f"{steps.DESK}/{made}/submit", {"version": 1, "accept": []})
    assert found["state"] == "submitted"
    steps.let_out(small_city, village, made)
    return f"/d/{made}"


async def test_a_village_and_a_month_of_43_lines_print_on_two_sheets_with_their_address(
    people: People, long_month: str
) -> None:
    for path in (VILLAGE, long_month):
        person = await people()
        await person.open(path)
        found = sheets(await person.page.pdf(prefer_css_page_size=True))
        assert len(found) <= 2, path
        assert f"网上的这一页：{person.city.url}{path}" in "".join(found)
    # Heads of columns stand on each sheet that has lines.
    assert all("事由" in text for text in found if "兴旺建材商店" in text)
    assert sum(text.count("兴旺建材商店") for text in found) == 43


async def test_by_keyboard_alone_one_gets_from_the_front_page_to_a_line(people: People) -> None:
    person = await people()
    await person.open("/")
    await person.page.get_by_label("村名、事项、用途、商店、金额").focus()
    await person.page.keyboard.type("西海村")
    await person.page.keyboard.press("Enter")
    await person.page.wait_for_url("**/search?q=*")
    for name, path in (("西海村委会", r"/v/\d{12}$"), ("看这个月的全部", r"/d/[0-9a-f-]+$")):
        for _ in range(60):
            await person.page.keyboard.press("Tab")
            focused = person.page.locator(":focus")
            if name in await focused.inner_text():
                # Whoever goes by keyboard sees where they are.
                assert await focused.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
                await person.page.keyboard.press("Enter")
                break
        await person.page.wait_for_url(re.compile(path))
    assert "一笔一笔看" in await person.page.inner_text("main")


def noting(answers: list[Response]) -> Callable[[Response], None]:
    """A listener that notes answers; the driver wants a function of ours, not the list's own."""

    def note(answer: Response) -> None:
        answers.append(answer)

    return note


async def test_a_first_visit_is_light_and_needs_no_script(people: People, small_city: RunningCity) -> None:
    codes = steps.get(small_city, f"/api/v1/villages/{TOWNSHIP}206/disclosures?item=F01&limit=1")["items"]
    for path in (VILLAGE, codes[0]["url"].removeprefix(small_city.url), f"/t/{TOWNSHIP}", "/"):
        person = await people()
        answers: list[Response] = []
        person.page.on("response", noting(answers))
        await person.open(path)
        sizes = [(await a.request.sizes())["responseBodySize"] for a in answers]
        assert len(answers) <= 6, path
        assert sum(sizes) <= FIRST_VISIT_BYTES, path
        assert sizes[0] <= FIRST_FLIGHT_BYTES, path
        assert not [a for a in answers if a.request.resource_type == "script"], path
