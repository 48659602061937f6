"""What the forms by item ask, as villagers read it: on the page, in JSON, in the table to download, names masked."""

import re
from typing import Any

from tests import builders
from tests.contracts.test_bodies_kinds import golden
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


async def test_a_list_by_area_and_by_people_says_of_which_each_rate_is(publish: Any) -> None:
    entries = [
        {"name": "张建国", "quantity": "2", "unit_rate": "50", "amount_fen": 10_000},
        {"name": "李秀英", "household_size": 3, "unit_rate": "120", "amount_fen": 36_000},
    ]
    page, _, _ = await shown(publish, "V04", "2026-10-11", bodies.roster(entries=entries, quantity_unit="亩"))
    assert "每亩50元" in page
    assert "每人120元" in page
    assert "每亩标准" not in page


async def test_an_area_that_does_not_add_up_is_told_beside_what_the_list_makes(publish: Any) -> None:
    entries = [{"name": "张建国", "quantity": "12.5", "amount_fen": 1_000}]
    body = bodies.roster(entries=entries, quantity_unit="公顷", totals={"quantity": "12.68"})
    page, _, _ = await shown(publish, "V04", "2026-10-10", body)
    assert "面积、数量（村里写的）12.68公顷" in page
    assert "面积、数量（按名单算的）12.5公顷" in page
    assert "写的面积、数量合计，和逐行相加：写的是12.68公顷，算出来是12.5公顷" in page


def example(name: str, **changes: Any) -> dict[str, Any]:
    return {**golden(name), "attachments": [], **changes}


async def test_a_tender_says_what_is_offered_and_that_nobody_has_won(publish: Any) -> None:
    page, told, sheet = await shown(publish, "V10", "2026-10-05", example("notice-tender"))
    for words in (
        "招标、招租公告，发的时候还没有定给谁",
        "1号鱼池",
        "15.3亩",
        "约14.7亩",
        "450.00元（每亩每年）",
        "2026年10月8日到2026年10月13日",
        "1,000.00元",
        "每亩10元的整数倍",
        "报名条件",
        "本村村民",
    ):
        assert words in page, words
    assert "一共" not in page
    assert told["tender"]["deposit_fen"] == 100_000
    assert told["lots"][1]["about"] is True
    assert "约14.7亩" in sheet


async def test_notice_and_result_lead_to_each_other(publish: Any) -> None:
    notice = await publish.opened(item="V10", period="2026-10-05", body=example("notice-tender"))
    await publish.rendered()
    assert "这份公告的结果" not in (await publish.get(f"/d/{notice.aggregate_id}")).text
    body = example("contract-lots", follows=notice.aggregate_id)
    result = await publish.opened(item="V10", period="2026-10-20", body=body)
    await publish.rendered()
    told = (await publish.get(f"/d/{notice.aggregate_id}")).text
    assert f'<a href="/d/{result.aggregate_id}">这份公告的结果（2026年10月20日）</a>' in told
    page = (await publish.get(f"/d/{result.aggregate_id}")).text
    assert f'<a href="/d/{notice.aggregate_id}">这件事的招标、招租公告（2026年10月5日）</a>' in page
    await publish.withdrawn(result)
    await publish.rendered()
    assert "这份公告的结果" not in (await publish.get(f"/d/{notice.aggregate_id}")).text


async def test_a_result_that_follows_something_of_another_village_leads_nowhere(publish: Any) -> None:
    other = await publish.opened(
        item="V10", period="2026-10-06", body=example("notice-tender"), village=builders.NEIGHBOUR
    )
    body = example("contract-lots", follows=other.aggregate_id)
    result = await publish.opened(item="V10", period="2026-10-21", body=body)
    await publish.rendered()
    assert "这件事的招标" not in (await publish.get(f"/d/{result.aggregate_id}")).text
    assert "这份公告的结果" not in (await publish.get(f"/d/{other.aggregate_id}")).text


async def test_a_contract_tells_its_lots_and_what_each_year_costs(publish: Any) -> None:
    page, told, sheet = await shown(publish, "V10", "2026-10-22", example("contract-lots", follows=None))
    for words in (
        "约30亩",
        "每2年涨10%",
        "1号鱼池",
        "约14.7亩",
        "第3年",
        "11,000.00元",
        "押金",
        "480.00元（每亩每年）",
    ):
        assert words in page, words
    assert told["rises"] == {"every_years": 2, "percent": "10", "amount_fen": None}
    assert "每年租金" in sheet or "11000" in sheet


async def test_a_project_tells_its_works_and_sources_without_amounts(publish: Any) -> None:
    page, told, _ = await shown(publish, "V08", "2026-10-23", example("project-parts", follows=None))
    for words in ("分成几项做", "进村公路", "约1.4公里", "1,150,000.00元", "上级补助和村集体自筹"):
        assert words in page, words
    assert [p["title"] for p in told["parts"]] == ["道路扩修硬化", "进村公路"]


async def test_a_person_in_a_lot_is_shown_by_surname_alone(publish: Any) -> None:
    lots = [{"title": "张建国家东侧鱼池", "remark": "现由李秀英看护", "quantity": "3", "unit": "亩"}]
    tender = {"bidders": "张建国、李秀英除外", "step": "每次50元"}
    page, told, _ = await shown(publish, "V10", "2026-10-24", example("notice-tender", lots=lots, tender=tender))
    for name in ("张建国", "李秀英"):
        assert name not in page
        assert name not in str(told)


async def test_a_notice_tells_the_table_that_was_pasted(publish: Any) -> None:
    columns = [
        {"key": "c1", "name": "项目"},
        {"key": "c2", "name": "金额（元）", "type": "amount", "unit": "元"},
        {"key": "c3", "name": "户主", "type": "name"},
    ]
    table = {"kind": "table", "columns": columns, "rows": [["换泵", 280_000, "张建国"], ["合计", 280_000, None]]}
    page, told, _ = await shown(publish, "V18", "2026-10-25", bodies.notice(table=table))
    for words in ("换泵", "2,800.00元", "张某某", "合计"):
        assert words in page, words
    assert "张建国" not in page
    assert told["table"]["rows"][0][2] == "张某某"


async def test_an_election_tells_how_many_voted(publish: Any) -> None:
    page, told, _ = await shown(publish, "V15", "2026-10-26", example("roster-ballots"))
    for words in ("登记参加选举812人", "参加投票741人", "有效票733张", "周大川", "412票", "当选"):
        assert words in page, words
    assert told["ballots"] == {"registered": 812, "cast": 741, "valid": 733}
