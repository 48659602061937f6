"""A year of an item on one page: figures that add up, bars that stand for them, last year beside, older years behind links."""

import re
from typing import Any

import pytest

from services.contracts.values import yuan
from tests import builders
from tests.publish.test_checks import ledger

VILLAGE = builders.FAR_VILLAGE
PAGE = f"/v/{VILLAGE}/F01"
#: What came in and went out, in fen, by period.
MONEY = {
    "2024-12": (900_000, 100_000),
    "2025-01": (200_000, 150_000),
    "2025-03": (0, 75_050),
    "2026-01": (400_000, 300_000),
    "2026-02": (0, 0),
    "2026-03": (123_456, 1),
}


async def open_years(publishing: Any) -> dict[str, str]:
    """Ledgers of three years, each opening with what the one before left; their ids by period."""
    left, found = 5_000_000, {}
    for period, (income, expense) in MONEY.items():
        lines = [("in", income, "bank")] * bool(income) + [("out", expense, "bank")] * bool(expense)
        body = ledger({"bank": (left, left + income - expense)}, *lines)
        left += income - expense
        found[period] = (await publishing.opened(village=VILLAGE, period=period, body=body)).aggregate_id
    return found


def rows_of(html: str) -> list[list[str]]:
    """The cells of the year's table, without mark-up."""
    body = re.search(r"<tbody>(.*?)</tbody>", html, re.DOTALL)
    assert body is not None, html
    rows = re.findall(r"<tr>(.*?)</tr>", body[1], re.DOTALL)
    cells = (re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows)
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in cells]


async def test_a_year_stands_in_one_table_with_last_year_beside_it(publishing: Any) -> None:
    ids = await open_years(publishing)
    html = (await publishing.get(PAGE)).text
    rows = rows_of(html)
    assert [row[0] for row in rows] == ["2026年3月", "2026年2月", "2026年1月"]
    left = 5_000_000
    for period, (income, expense) in MONEY.items():
        left += income - expense
        if period < "2026":
            continue
        row = next(row for row in rows if row[0] == f"2026年{int(period[5:])}月")
        last_year = MONEY.get(f"2025{period[4:]}")
        assert row[1:5] == [
            f"{yuan(income)}元",
            f"{yuan(expense)}元",
            f"{yuan(last_year[1])}元" if last_year is not None else "—",
            f"{yuan(left)}元",
        ]
        assert f'href="/d/{ids[period]}"' in html
    # What was not open is not compared with, and nothing of another year is counted.
    assert "2026年已公开的3个月：收进来 5,234.56元，花出去 3,000.01元。" in " ".join(
        re.sub(r"<[^>]+>", "", html).split()
    )
    assert re.findall(r'<rect width="(\d+)"', html) == ["30", "1", "100", "75"]


async def test_an_earlier_year_is_read_behind_its_link_and_follows_on_the_one_before(publishing: Any) -> None:
    await open_years(publishing)
    newest = (await publishing.get(PAGE)).text
    assert re.findall(rf'href="{PAGE}/(\d+)"', newest) == ["2025", "2024"]
    html = (await publishing.get(f"{PAGE}/2025")).text
    assert [row[0] for row in rows_of(html)] == ["2025年3月", "2025年1月"]
    assert all(row[5].endswith("账算得上 ✓") for row in rows_of(html))
    assert re.findall(rf'href="{PAGE}(/?\d*)"', html) == ["", "/2024"]
    assert "还没公开的" not in html, "what is missing stands on the newest page"


async def test_a_withdrawn_month_leaves_no_figure_on_its_year(publishing: Any) -> None:
    village = VILLAGE
    gone = await publishing.opened(
        village=village, period="2025-05", body=ledger({"bank": (0, 777)}, ("in", 777, "bank"))
    )
    await publishing.opened(village=village, period="2026-05", body=ledger({"bank": (777, 777)}))
    assert "7.77" in (await publishing.get(f"/v/{village}/F01/2025")).text
    await publishing.withdrawn(gone)
    withdrawn = (await publishing.get(f"/v/{village}/F01/2025")).text
    assert "已撤回" in withdrawn
    assert "7.77" not in withdrawn


@pytest.mark.parametrize("year", ["1999", "2023", "20x6", "2026-01", "\uff12\uff10\uff12\uff15", "2025/x", "99999"])
async def test_a_year_of_nothing_is_told_so(publishing: Any, year: str) -> None:
    await publishing.opened(village=VILLAGE, period="2026-01")
    await publishing.get(f"/v/{VILLAGE}/F01/{year}", 404)
    await publishing.get(f"/v/{builders.VILLAGE}/X99/2026", 404)
