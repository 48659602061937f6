"""What was opened is found by words, amounts, firms and periods; persons never; what was withdrawn at once not any more."""

import re
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from services.publish.bodies import finding
from services.publish.commands.searching import make_searchable
from services.publish.render.passages import size_of, sized
from services.publish.store import publications, searchable
from tests import builders
from tests.publish import bodies

CEMENT: dict[str, Any] = {
    "date": "2026-10-05",
    "summary": "购水泥修村西路",
    "direction": "out",
    "amount_fen": 231_000,
    "account": "bank",
    "category": "公益支出",
    "payee": "惠民五金店",
    "handler": "宋玉兰",
    "attestor": "刘德海",
    "approver": "孟祥林",
}
TOLD: dict[str, Any] = {**CEMENT, "summary": "付张桂兰住院慰问金", "amount_fen": 50_000, "payee": "张桂兰"}
#: Whoever stands in these bodies, wherever.
PERSONS = ("张桂兰", "宋玉兰", "刘德海", "孟祥林", "王大山", "李秀英", "张建国")


def ledger(*lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return builders.ledger(lines=list(lines), totals=None, **changes)


@pytest_asyncio.fixture
async def finding_in(publishing: Any) -> Any:
    """Publish with nothing published, and a way to look after everything was made searchable."""
    return publishing


async def ready(publish: Any) -> None:
    await make_searchable(publish.served.runtime)


async def lines(publish: Any, q: str, **params: str) -> list[dict[str, Any]]:
    """Every line that a search comes to, over all its parts."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        more = "".join(f"&{n}={quote(v)}" for n, v in params.items()) + (f"&cursor={cursor}" if cursor else "")
        answer = (await publish.get(f"/api/v1/search?q={quote(q)}{more}")).json()
        found += answer["lines"]
        cursor = answer["next"]
    return found


async def listed(publish: Any, query: str) -> list[dict[str, Any]]:
    """Every line of a list, over all its parts."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = (await publish.get(f"/api/v1/lines?{query}{f'&cursor={cursor}' if cursor else ''}")).json()
        found += answer["items"]
        cursor = answer["next"]
    return found


@pytest.mark.parametrize(
    "q",
    [
        "水泥",
        "水泥 10月",
        "西海村 水泥 10月",
        "西海村水泥",
        "购水泥修村西路",
        "惠民五金店",
        "惠民五金店今年收了多少",
        "惠 民 五金店",
        "惠民五金店 2310元",
        "2310元",
        "2,310.00",
        "2310",
        "0.231万元",
        "2310-2400元",
        "2400到2310元",
        "2千 水泥"[3:],
        "公益支出 水泥",
        "2026年10月 水泥",
        "今年 水泥",
        "第四季度 水泥",
        "\uff12\uff13\uff11\uff10元",
    ],
)
async def test_a_line_is_found_however_it_is_asked_for(finding_in: Any, q: str) -> None:
    event = await finding_in.opened(body=ledger(CEMENT, TOLD))
    await ready(finding_in)
    [hit] = await lines(finding_in, q)
    assert (hit["disclosure"], hit["number"], hit["amount_fen"]) == (event.aggregate_id, 1, 231_000)
    assert hit["payee"] == "惠民五金店"
    page = (await finding_in.get(f"/search?q={quote(q)}")).text
    assert f'href="/d/{event.aggregate_id}#l1"' in page
    assert "2,310.00元" in page


@pytest.mark.parametrize(
    "q",
    [
        "2310.01元",
        "2309.99元",
        "23100元",
        "231元",
        "2311-2400元",
        "去年 水泥",
        "2025年10月 水泥",
        "9月 水泥",
        "三季度 水泥",
        "水泥管",
        "水泥 砖头",
        "惠民五金",
        "水",
        "%",
        "_",
        "' OR 1=1 --",
        ".*",
        "(水|泥)+",
        "！？。，",
        "\\",
        "{}[]",
        "<script>alert(1)</script>",
        "某某",
    ],
)
async def test_what_is_not_written_is_not_found(finding_in: Any, q: str) -> None:
    await finding_in.opened(body=ledger(CEMENT, TOLD))
    await ready(finding_in)
    found = await lines(finding_in, q)
    # 惠民五金 is a part of the firm's name, and what is found is what was typed.
    assert [hit["number"] for hit in found] == ([1] if q == "惠民五金" else [])
    assert "<script" not in (await finding_in.get(f"/search?q={quote(q)}")).text


@pytest.mark.parametrize("q", ["长" * 61, "a" * 10_000, "水\x00泥", "水\u202e泥", "水\x1b泥"])
async def test_what_cannot_be_a_search_is_refused_at_its_place(finding_in: Any, q: str) -> None:
    refused = await finding_in.get(f"/api/v1/search?q={quote(q)}", 422)
    assert any(e["at"].startswith("query.q") for e in refused.json()["errors"])
    await finding_in.get(f"/search?q={quote(q)}", 422)


@pytest.mark.parametrize("cursor", ["x", "W10=", "WyIyMDI2LTEwLTMxIiwiJyBPUiAxPTEiLDFd"])
async def test_a_cursor_of_nobody_is_refused(finding_in: Any, cursor: str) -> None:
    for path in ("/api/v1/search?q=水泥", "/api/v1/lines?", "/search?q=水泥"):
        await finding_in.get(f"{path}&cursor={cursor}", 422)


async def test_no_person_is_found_by_name_nor_by_a_part_of_it(finding_in: Any) -> None:
    await finding_in.opened(body=ledger(CEMENT, TOLD))
    await finding_in.opened(item="V03", period="2026Q3", body=bodies.roster())
    await finding_in.opened(item="V07", period="2026-10-09", body=bodies.contract())
    official = {**CEMENT, "summary": "付村主任孟祥林差旅费", "payee": None}
    # The catalogue lets names stand here: nobody is found by them all the same.
    await finding_in.opened(item="F04", period="2026Q3", body=ledger(official))
    await ready(finding_in)
    assert len(await lines(finding_in, "差旅费")) == 1
    for name in PERSONS:
        for q in (name, f"{name} 2026年", name[1:], f"付{name}", f"村主任{name}", " ".join(name)):
            assert await lines(finding_in, q) == [], q
    await finding_in.opened(period="2026-09", body=ledger({**CEMENT, "category": "付张桂兰工资"}))
    await ready(finding_in)
    assert await listed(finding_in, "category=付张桂兰工资") == []
    told = (await finding_in.get("/search?q=张桂兰")).text
    assert "不按人名找" in told
    async with finding_in.served.runtime.database.connection() as conn:
        rows = await conn.fetch("SELECT item FROM searchable WHERE marks <> '{}'")
    assert sorted(r["item"] for r in rows) == ["F01", "F01", "F04", "V07"]


async def test_contracts_projects_decisions_and_notices_are_found_with_their_amounts(finding_in: Any) -> None:
    opened = {
        "V07": await finding_in.opened(item="V07", period="2026-10-09", body=bodies.contract()),
        "V08": await finding_in.opened(item="V08", period="2026-10-20", body=bodies.project()),
        "V01": await finding_in.opened(item="V01", period="2026-10-08", body=bodies.decision()),
        "P04": await finding_in.opened(item="P04", period="2026Q3", body=bodies.notice()),
    }
    await ready(finding_in)
    for q, item in {
        "东山果园": "V07",
        "5万元 果园": "V07",
        "硬化道路": "V08",
        "路桥有限公司": "V08",
        "180000元": "V08",
        "村西桥 集体资金": "V01",
        "机井 修好": "P04",
    }.items():
        [hit] = await lines(finding_in, q)
        assert (hit["item"], hit["disclosure"], hit["number"]) == (item, opened[item].aggregate_id, 0), q
        await finding_in.get(hit["url"].removeprefix("https://sanwu.example").removeprefix("http://127.0.0.1:8000"))


async def test_what_was_withdrawn_is_found_no_more_and_comes_back_when_it_is_restored(finding_in: Any) -> None:
    event = await finding_in.opened(body=ledger(CEMENT))
    await ready(finding_in)
    [hit] = await lines(finding_in, "水泥")
    await finding_in.withdrawn(event)
    # No job in between: the withdrawal's own transaction is enough.
    assert await lines(finding_in, "水泥") == []
    assert await listed(finding_in, "firm=惠民五金店") == []
    await finding_in.get(f"/f/{hit['firm']}", 404)
    assert event.aggregate_id not in (await finding_in.get("/search?q=水泥")).text
    await ready(finding_in)
    async with finding_in.served.runtime.database.transaction() as conn:
        await searchable.reconcile(conn)
        for table in ("searchable", "firm_payment", "unsearchable"):
            assert await conn.fetch(f"SELECT FROM {table}") == []


async def test_a_key_that_is_destroyed_takes_the_words_with_it(finding_in: Any) -> None:
    event = await finding_in.opened(body=ledger(CEMENT))
    await ready(finding_in)
    async with finding_in.served.runtime.database.transaction() as conn:
        await conn.execute("UPDATE shred_key SET key = NULL WHERE aggregate_id = $1", event.aggregate_id)
    async with finding_in.served.runtime.database.connection() as conn:
        assert await conn.fetch("SELECT FROM searchable UNION ALL SELECT FROM firm_payment") == []
    assert await lines(finding_in, "水泥") == []


async def test_what_was_made_of_a_content_that_is_closed_meanwhile_is_not_kept(finding_in: Any) -> None:
    event = await finding_in.opened(body=ledger(CEMENT))
    async with finding_in.served.runtime.database.connection() as conn:
        p = (await publications.select_publications(conn, [event.aggregate_id]))[event.aggregate_id]
        edition = (await publications.select_editions(conn, [(event.aggregate_id, 1)]))[event.aggregate_id, 1]
    made = searchable.made_of(p, edition)
    await finding_in.withdrawn(event)
    async with finding_in.served.runtime.database.transaction() as conn:
        await searchable.put(conn, made)
        assert await conn.fetch("SELECT FROM searchable UNION ALL SELECT FROM firm_payment") == []


async def test_a_correction_is_found_by_its_new_words_alone(finding_in: Any) -> None:
    event = await finding_in.opened(body=ledger(CEMENT))
    await ready(finding_in)
    newer = {**CEMENT, "summary": "购沙子修村西路", "payee": "宏达建材商店"}
    await finding_in.opened(event.aggregate_id, edition=2, body=ledger(newer))
    assert await lines(finding_in, "水泥") == []
    await ready(finding_in)
    assert await lines(finding_in, "水泥") == []
    assert len(await lines(finding_in, "沙子")) == 1
    assert await listed(finding_in, "firm=惠民五金店") == []
    assert len(await listed(finding_in, "firm=宏达建材商店")) == 1


async def test_only_the_village_that_is_named_is_looked_through(finding_in: Any) -> None:
    for village in (builders.VILLAGE, builders.FAR_VILLAGE):
        await finding_in.opened(village=village, body=ledger(CEMENT))
    await ready(finding_in)
    assert len(await lines(finding_in, "水泥")) == 2
    assert {hit["village"] for hit in await lines(finding_in, "西海村 水泥")} == {builders.VILLAGE}
    for code in (builders.VILLAGE, builders.FAR_VILLAGE):
        assert {hit["village"] for hit in await listed(finding_in, f"village={code}")} == {code}


async def test_every_line_that_is_found_stands_on_the_page_that_it_leads_to(finding_in: Any) -> None:
    await finding_in.opened(body=ledger(CEMENT, TOLD, *(builders.ledger()["lines"])))
    await finding_in.opened(period="2026-09", body=ledger(*({**CEMENT, "amount_fen": n} for n in range(1, 40))))
    await ready(finding_in)
    found = await listed(finding_in, "limit=7")
    assert len(found) == 5 + 39
    assert len({(hit["disclosure"], hit["number"]) for hit in found}) == len(found)
    for hit in found:
        path, _, anchor = hit["url"].partition("/d/")[2].partition("#")
        page = (await finding_in.get(f"/d/{path}")).text
        row = page.partition(f'<tr id="{anchor}">')[2].partition("</tr>")[0]
        assert hit["summary"] in row
        assert f"{hit['amount_fen'] // 100:,}.{hit['amount_fen'] % 100:02}元" in row
        assert all(word in row for word in [hit["payee"]] if word)


async def test_lines_are_listed_by_what_stands_in_their_columns(finding_in: Any) -> None:
    await finding_in.opened(body=ledger(CEMENT, TOLD, {**CEMENT, "direction": "in", "amount_fen": -5_000}))
    await ready(finding_in)
    for query, numbers in {
        "": [1, 2, 3],
        "item=F01": [1, 2, 3],
        "item=F04": [],
        "period=2026-10": [1, 2, 3],
        "period=2026-09": [],
        "direction=in": [3],
        "direction=out": [1, 2],
        "category=公益支出": [1, 2, 3],
        "category=管理费用": [],
        "least_fen=231000": [1],
        "least_fen=231001": [],
        "most_fen=231000": [1, 2, 3],
        "most_fen=230999": [2, 3],
        "most_fen=0": [3],
        "least_fen=50000&most_fen=50000": [2],
        "least_fen=49999&most_fen=50001": [2],
        "firm=惠民五金店": [1],
        "firm=惠民 五金店（个体）": [1],
        "firm=惠民五金总店": [],
        f"village={builders.VILLAGE}&township={builders.VILLAGE[:9]}": [1, 2, 3],
    }.items():
        assert [hit["number"] for hit in await listed(finding_in, query)] == numbers, query


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ("least_fen=2&most_fen=1", "query.least_fen"),
        ("least_fen=1.5", "query.least_fen"),
        ("most_fen=99999999999999999999", "query.most_fen"),
        ("direction=sideways", "query.direction"),
        ("township=210881999", "query.township"),
        ("village=210881999999", "query.village"),
        ("village=210881", "query.village"),
        ("village=210881006206&township=210881102", "query.village"),
        ("item=<x>", "query.item"),
        ("period=2026-13", "query.period"),
        ("period=%25", "query.period"),
        ("category=", "query.category"),
        ("firm=张桂兰", "query.firm"),
        ("firm=待定", "query.firm"),
        ("firm=" + "长" * 201, "query.firm"),
        ("limit=0", "query.limit"),
    ],
)
async def test_a_list_that_cannot_be_is_refused_at_its_place(finding_in: Any, query: str, at: str) -> None:
    refused = (await finding_in.get(f"/api/v1/lines?{query}", 422)).json()
    assert at in {error["at"] for error in refused["errors"]}


async def test_what_a_firm_was_paid_is_the_sum_of_its_lines_by_year_and_village(finding_in: Any) -> None:
    village, other = builders.VILLAGE, builders.FAR_VILLAGE
    back = {**CEMENT, "amount_fen": -1_000, "summary": "冲销水泥款"}
    await finding_in.opened(village=village, body=ledger(CEMENT, back, TOLD))
    await finding_in.opened(village=other, body=ledger({**CEMENT, "amount_fen": 1, "payee": "惠民五金店(个体)"}))
    await finding_in.opened(village=village, period="2025-12", history=True, body=ledger(CEMENT))
    # Earmarked money stands in the ledger of the month as well.
    await finding_in.opened(village=village, item="F04", period="2026Q3", body=ledger(CEMENT))
    await finding_in.opened(village=village, period="2026-09", body=ledger({**CEMENT, "payee": "惠民五金总店"}))
    await ready(finding_in)
    found = await listed(finding_in, "firm=惠民五金店&item=F01")
    key = found[0]["firm"]
    sums = {y: sum(h["amount_fen"] for h in found if h["period"][:4] == y) for y in ("2026", "2025")}
    assert sums == {"2026": 230_001, "2025": 231_000}
    page = (await finding_in.get(f"/f/{key}")).text
    assert "2026年，各村付给它" in page
    assert page.count("2,300.01元") == 3
    for told in ("2,300.00元", "0.01元", "?year=2025", "2,310.00元"):
        assert told in page
    assert "张" not in re.sub(r"<header>.*?</header>|<footer>.*</footer>", "", page, flags=re.DOTALL)
    earlier = (await finding_in.get(f"/f/{key}?year=2025")).text
    assert "2025年，各村付给它" in earlier
    for nowhere in (f"/f/{key}?year=2024", f"/f/{key}?year=x", "/f/" + "0" * 16, "/f/x", "/f/" + "A" * 16):
        await finding_in.get(nowhere, 404)
    searched = (await finding_in.get("/search?q=惠民五金店")).text
    assert f'href="/f/{key}"' in searched
    disclosure = (await finding_in.get(f"/d/{found[0]['disclosure']}")).text
    assert f'<a href="/f/{key}">惠民' in disclosure


async def test_nothing_of_a_ledger_that_tells_totals_only_is_found(finding_in: Any) -> None:
    await finding_in.opened(item="P03", period="2026H1", body=ledger(CEMENT))
    await ready(finding_in)
    assert await lines(finding_in, "水泥") == []
    assert await listed(finding_in, "item=P03") == []


@pytest.mark.parametrize("word", ["牛奶", "黄沙", "毛巾", "路灯", "水泥", "惠民", "兴旺", "柴油", "路"])
def test_a_word_is_looked_for_though_it_begins_like_a_name(word: str) -> None:
    assert finding.ask(word, [], {}, date(2026, 11, 16)).persons == []


@pytest.mark.parametrize("name", ["王强", "张桂兰", "欧阳修文", "李伟", "刘德海"])
def test_a_usual_name_is_told_from_a_word(name: str) -> None:
    asked = finding.ask(f"水泥 {name}", [], {}, date(2026, 11, 16))
    assert (asked.persons, asked.sought) == ([name], None)


def test_a_search_that_names_nothing_but_a_village_looks_through_no_content() -> None:
    asked = finding.ask("", [], {}, date(2026, 11, 16))
    assert asked.sought is None
    assert finding.ask("　 ", [], {}, date(2026, 11, 16)).sought is None


async def test_what_rests_on_a_resolution_is_found_from_each_of_it_by_its_number_alone(finding_in: Any) -> None:
    number = "2026年第3号"
    paid = {**CEMENT, "resolution_id": number}
    near = {**CEMENT, "resolution_id": "2026年第33号", "amount_fen": 7}
    # A word that stands in a summary is no number of a resolution.
    told = {**CEMENT, "summary": f"按{number}付水泥款", "amount_fen": 11}
    ledger_of = await finding_in.opened(body=ledger(paid, near, told))
    earmarked = await finding_in.opened(item="F04", period="2026Q3", body=ledger(paid))
    project = await finding_in.opened(item="V08", period="2026-10-20", body=bodies.project(resolution_id=number))
    contract = await finding_in.opened(item="V07", period="2026-10-09", body=bodies.contract(resolution_id=number))
    decision = await finding_in.opened(item="V01", period="2026-10-08", body=bodies.decision(resolution_id=number))
    await finding_in.opened(item="V01", period="2026-10-07", body=bodies.decision(resolution_id="2026年第33号"))
    await finding_in.opened(village=builders.FAR_VILLAGE, body=ledger(paid))
    await ready(finding_in)
    path = f"/v/{builders.VILLAGE}/resolution?no={quote(number)}"
    page = (await finding_in.get(path)).text
    for shown in (
        f"{ledger_of.aggregate_id}#l1",
        f"{earmarked.aggregate_id}#l1",
        project.aggregate_id,
        contract.aggregate_id,
        decision.aggregate_id,
    ):
        assert f'href="/d/{shown}"' in page
    assert (page.count('href="/d/'), "王大山" in page) == (5, False)
    # Earmarked money is the same money once more.
    assert re.search(r"一共 <b class=\"amount\">2,310.00元</b>，1笔", page)
    link = f'href="/v/{builders.VILLAGE}/resolution?no={quote(number)}"'
    for shown in (ledger_of, project, contract, decision):
        assert link in (await finding_in.get(f"/d/{shown.aggregate_id}")).text
    await finding_in.withdrawn(ledger_of)
    assert "2,310.00元</b>，" not in (await finding_in.get(path)).text
    for nowhere in ("33", "2026", "%", "！", "2026年第3号x"):
        await finding_in.get(f"/v/{builders.VILLAGE}/resolution?no={quote(nowhere)}", 404)
    for bad in ("", "长" * 201, "水\x00"):
        await finding_in.get(f"/v/{builders.VILLAGE}/resolution?no={quote(bad)}", 422)


async def test_a_contract_and_its_invoices_lead_to_each_other(finding_in: Any) -> None:
    number, first, second = "西海合〔2026〕7号", "21034567", "26212000001234567890"
    lines = (
        {**CEMENT, "contract_no": number, "invoice": {"no": first, "seller": "惠民五金店"}},
        {**CEMENT, "contract_no": "西海合2026-7 号", "invoice": {"no": second, "seller": "王大山"}, "amount_fen": 7_00},
        {**CEMENT, "invoice": {"no": first, "seller": "惠民五金店"}, "amount_fen": 11_00},
        {**CEMENT, "contract_no": "西海合〔2026〕77号", "amount_fen": 13_00},
    )
    paid = await finding_in.opened(body=ledger(*lines))
    contract = await finding_in.opened(item="V07", period="2026-10-09", body=bodies.contract(contract_no=number))
    await ready(finding_in)
    village = f"/v/{builders.VILLAGE}"
    by_contract = (await finding_in.get(f"{village}/contract?no={quote(number)}")).text
    for shown in (f"/d/{paid.aggregate_id}#l1", f"/d/{paid.aggregate_id}#l2", f"/d/{contract.aggregate_id}"):
        assert f'href="{shown}"' in by_contract
    assert (by_contract.count('href="/d/'), "王大山" in by_contract) == (3, False)
    assert re.search(r"一共 <b class=\"amount\">2,317.00元</b>，2笔", by_contract)
    assert f'href="{village}/invoice?no={second}"' in by_contract
    by_invoice = (await finding_in.get(f"{village}/invoice?no={first}")).text
    # Twice is told as a fact of two lines, no more.
    assert (by_invoice.count('href="/d/'), "2笔" in by_invoice) == (2, True)
    assert f'href="{village}/contract?no={quote(number, safe="")}"' in by_invoice
    assert f'href="{village}/contract?no=' in (await finding_in.get(f"/d/{contract.aggregate_id}")).text
    page = (await finding_in.get(f"/d/{paid.aggregate_id}")).text
    assert f'href="{village}/invoice?no={first}"' in page
    # Seven digits are an amount.
    for asked, hits in ((first, 2), (second, 1), ("2103456", 0), ("99999999", 0)):
        found = (await finding_in.get(f"/search?q={asked}")).text
        assert found.count(f'href="/d/{paid.aggregate_id}#l') == hits, asked
    for nowhere in ("2103", "！", "00000000"):
        await finding_in.get(f"{village}/invoice?no={quote(nowhere)}", 404)
    for bad in ("", "长" * 201, "水\x00"):
        await finding_in.get(f"{village}/contract?no={quote(bad)}", 422)
    await finding_in.withdrawn(paid)
    await finding_in.get(f"{village}/invoice?no={first}", 404)


async def test_the_years_of_a_firm_are_read_from_the_index_of_months_alone(finding_in: Any) -> None:
    async with finding_in.served.runtime.database.transaction() as conn:
        await conn.execute("SET LOCAL enable_seqscan = off")
        # As after a sixth call: the plan that is kept for every firm.
        await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await conn.execute(f"PREPARE years (bigint) AS {searchable.SELECT_FIRM_YEARS}")
        plan = "\n".join(r[0] for r in await conn.fetch("EXPLAIN EXECUTE years (7)"))
        await conn.execute("DEALLOCATE years")
    assert "firm_payment_by_year" in plan
    assert "Filter" not in plan


@given(st.integers(0, 2**53), st.integers(0, 2**53), st.integers(0, 2**53))
def test_an_amount_within_a_range_is_marked_with_one_of_its_sizes(one: int, two: int, fen: int) -> None:
    least, most = sorted((one, two))
    marked = sized(size_of(fen)) in {sized(step) for step in range(size_of(least), size_of(most) + 1)}
    assert marked or not least <= fen <= most
    assert len(range(size_of(least), size_of(most) + 1)) <= 102
