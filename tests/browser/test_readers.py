"""Readers and what they came for: the daughter in the city who compares two years, the journalist who looks for a firm."""

import csv
import io
from typing import Any

import httpx2
import pytest

from tests.browser import steps
from tests.browser.conftest import People
from tests.browser.steps import TOWNSHIP
from tests.flows.adding import amounts_of, fen_of
from tests.running import RunningCity

#: 红旗村, of which no other story tells.
COMPARED = f"{TOWNSHIP}209"


def lines(city: RunningCity, **query: str) -> list[dict[str, Any]]:
    """All lines that a question finds, page by page."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = httpx2.get(f"{city.url}/api/v1/lines", params={"limit": "200", **query, **cursor}, timeout=30)
        told = answer.raise_for_status().json()
        found += told["items"]
        if told["next"] is None:
            return found
        cursor = {"cursor": told["next"]}


@pytest.fixture
def last_year(small_city: RunningCity) -> str:
    """The month of last year that a village's newest month is compared with, open as well."""
    newest = steps.get(small_city, f"/api/v1/villages/{COMPARED}")["month"]["period"]
    month = f"{int(newest[:4]) - 1}{newest[4:]}"
    made = steps.drafted(small_city, COMPARED, month, steps.paid(f"{month}-09", "修村东头水渠", 123_400))
    steps.hand_in(small_city, COMPARED, made)
    steps.let_out(small_city, COMPARED, made)
    return month


async def test_a_daughter_compares_this_year_with_the_last_from_the_search_box_on(
    people: People, small_city: RunningCity, last_year: str
) -> None:
    daughter = await people()
    await daughter.open("/")
    await daughter.page.get_by_label("村名、事项、用途、商店、金额").fill("hongqicun 收支")
    await daughter.press("找")
    await daughter.page.locator(f"a[href='/v/{COMPARED}/F01']").first.click()
    beside = daughter.page.locator("table.year [data-t='去年同期花']")
    assert fen_of(await beside.first.inner_text()) == 123_400
    year = last_year[:4]
    await daughter.press(f"{year}年")
    await daughter.sees(f"{year}年已公开的1个月")
    assert amounts_of(await daughter.page.locator(".sum-of-year").inner_text()) == [0, 123_400]
    row = daughter.page.locator("table.year tbody tr")
    assert fen_of(await row.locator("[data-t='花出去']").inner_text()) == 123_400
    # And the village's own page says how the month differs from that of last year.
    await steps.reads(daughter, f"/v/{COMPARED}", "比去年")


async def test_a_journalist_takes_a_city_as_a_table_and_adds_up_what_a_firm_was_paid(
    people: People, small_city: RunningCity
) -> None:
    table = httpx2.get(
        f"{small_city.url}/api/v1/disclosures.csv", params={"item": "F01"}, timeout=30
    ).raise_for_status()
    rows = list(csv.DictReader(io.StringIO(table.text.removeprefix("\ufeff"))))
    listed = steps.get(small_city, "/api/v1/disclosures?item=F01&limit=200")["items"]
    assert len(rows) == len(listed)
    paid = [x for x in lines(small_city, item="F01", direction="out") if x["firm"] is not None]
    firm = max({x["firm"] for x in paid}, key=lambda key: sum(x["amount_fen"] for x in paid if x["firm"] == key))
    own = [x for x in paid if x["firm"] == firm]
    journalist = await people()
    await journalist.open(f"/f/{firm}")
    text = await journalist.page.inner_text("main")
    total = sum(x["amount_fen"] for x in own)
    assert total in amounts_of(text)
    # The same by the name, as somebody types it, and line by line on the pages that the lines lead to.
    assert {x["url"] for x in lines(small_city, item="F01", firm=own[0]["payee"])} >= {x["url"] for x in own}
    await journalist.open(own[0]["url"])
    line = journalist.page.locator(f"#l{own[0]['number']}")
    assert own[0]["summary"] in await line.inner_text()
    assert own[0]["amount_fen"] in amounts_of(await line.inner_text())
