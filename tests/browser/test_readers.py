"""Readers and what they came for: the daughter in the city who compares two years, the journalist who looks for a firm."""

import csv
import io
import re
from typing import Any

import httpx2

from tests.browser import steps
from tests.browser.conftest import People
from tests.browser.steps import TOWNSHIP
from tests.flows.adding import amounts_of, fen_of
from tests.running import RunningCity

VILLAGE = f"{TOWNSHIP}206"


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


async def test_a_daughter_compares_this_year_with_the_last_from_the_search_box_on(
    people: People, small_city: RunningCity
) -> None:
    daughter = await people()
    await daughter.open("/")
    await daughter.page.get_by_label("村名、拼音或事项").fill("xihaicun 收支")
    await daughter.press("找")
    await daughter.page.locator(f"a[href='/v/{VILLAGE}/F01']").first.click()
    rows = daughter.page.locator("table.year tbody tr")
    row = rows.filter(has_text=re.compile(r"2026年1[01]月|2026年[1-9]月")).first
    month = (await row.locator(".what").inner_text()).split("年")[1].strip()
    beside = row.locator("[data-t='去年同期花']")
    await daughter.page.get_by_role("link", name="2025年", exact=True).click()
    await daughter.sees("2025年已公开的")
    note = await daughter.page.locator(".sum-of-year").inner_text()
    old = steps.get(small_city, f"/api/v1/villages/{VILLAGE}/disclosures?item=F01&limit=200")["items"]
    of_year = [d for d in old if d["period"].startswith("2025-") and d["state"] != "withdrawn"]
    assert amounts_of(note) == [sum(d[name] for d in of_year) for name in ("income_fen", "expense_fen")]
    # What stands beside a month of this year is what that month of last year says itself.
    if await beside.count():
        last = rows.filter(has_text=f"2025年{month}")
        assert fen_of(await last.locator("[data-t='花出去']").inner_text()) == fen_of(await beside.inner_text())


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
