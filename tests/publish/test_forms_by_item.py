"""What the forms by item ask, as villagers read it: on the page, in JSON, in the table to download, names masked."""

import re
from typing import Any

from tests.publish import bodies


def plain(text: str) -> str:
    return re.sub(r"<[^>]+>|\s+", "", text)


async def shown(publish: Any, item: str, period: str, body: dict[str, Any]) -> tuple[str, Any, str]:
    """Page, body in JSON, CSV."""
    event = await publish.opened(item=item, period=period, body=body)
    await publish.rendered()
    page = (await publish.get(f"/d/{event.aggregate_id}")).text
    answer = await publish.get(f"/api/v1/disclosures/{event.aggregate_id}")
    sheet = (await publish.get(f"/d/{event.aggregate_id}.csv")).text
    return plain(page), answer.json()["body"], sheet


async def test_a_subsidy_is_told_with_area_rate_and_money(publish: Any) -> None:
    entries = [
        {"name": "张建国", "group": "一组", "quantity": "12.6931", "unit_rate": "78.5325", "amount_fen": 99_682},
        {"name": "李秀英", "group": "二组", "quantity": "2.5", "unit_rate": "78.5325", "amount_fen": 19_633},
    ]
    body = bodies.roster(entries=entries, quantity_unit="亩", totals={"quantity": "15.1931"}, title="种粮补贴名单")
    page, told, sheet = await shown(publish, "V04", "2026-10-09", body)
    for words in ("面积、数量15.1931亩", "每亩标准", "12.6931亩", "78.5325元", "996.82元", "张某某"):
        assert words in page, words
    assert "张建国" not in page
    assert told["entries"][0]["quantity"] == "12.6931"
    assert told["quantity_unit"] == "亩"
    assert "12.6931" in sheet
    assert "78.5325" in sheet


async def test_an_area_that_does_not_add_up_is_told_beside_what_the_list_makes(publish: Any) -> None:
    entries = [{"name": "张建国", "quantity": "12.5", "amount_fen": 1_000}]
    body = bodies.roster(entries=entries, quantity_unit="公顷", totals={"quantity": "12.68"})
    page, _, _ = await shown(publish, "V04", "2026-10-10", body)
    assert "面积、数量（村里写的）12.68公顷" in page
    assert "面积、数量（按名单算的）12.5公顷" in page
    assert "写的面积、数量合计，和逐行相加：写的是12.68公顷，算出来是12.5公顷" in page
