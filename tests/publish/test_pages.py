"""What villagers get: small pages without script, in plain words, the sample's banner on every one of them."""

import gzip
import re
from typing import Any

from tests import builders

FORBIDDEN = ("盲区", "台账", "研判", "闭环", "版本", "哈希")


async def every_page(publish: Any) -> dict[str, Any]:
    event = await publish.opened()
    gone = await publish.opened(village=builders.NEIGHBOUR)
    await publish.withdrawn(gone)
    await publish.rendered()
    paths = {
        "/": 200,
        f"/t/{builders.TOWNSHIP}": 200,
        "/t/210881005": 200,
        f"/v/{builders.VILLAGE}": 200,
        f"/v/{builders.FAR_VILLAGE}": 200,
        f"/v/{builders.VILLAGE}/F01": 200,
        f"/v/{builders.VILLAGE}/P01": 200,
        f"/d/{event.aggregate_id}": 200,
        f"/d/{gone.aggregate_id}": 410,
        "/c/UNKNOWN": 404,
        "/t/999999999": 404,
        "/v/999999999999": 404,
        "/v/210881006206/X99": 404,
        "/d/nobody": 404,
        "/d/nobody/1": 404,
        "/somewhere/else": 404,
    }
    return {path: await publish.get(path, status) for path, status in paths.items()}


async def test_every_page_says_sample_and_has_no_script(publish: Any) -> None:
    for path, answer in (await every_page(publish)).items():
        text = answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8", path
        assert "示例数据" in text, path
        assert "12388" in text, path
        assert not re.search(r"<script|javascript:|\son\w+=|\sstyle=", text), path
        assert not [word for word in FORBIDDEN if word in text], path


async def test_first_visit_is_two_requests_and_fits_the_first_flight(publish: Any) -> None:
    page = (await every_page(publish))[f"/v/{builders.VILLAGE}"]
    assets = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text)
    assert len(assets) == 1
    style = await publish.get(assets[0])
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in style.headers["cache-control"]
    assert len(gzip.compress(page.content)) + len(gzip.compress(style.content)) < 14 * 1024
    assert len(page.content) + len(style.content) < 50 * 1024


async def test_village_page_tells_money_what_is_open_and_what_is_missing(publish: Any) -> None:
    await publish.opened()
    await publish.rendered()
    text = re.sub(r"<[^>]+>|\s+", "", (await publish.get(f"/v/{builders.VILLAGE}")).text)
    for words in (
        "上个月底，村里还有51,200.00元约5.1万元",
        "收进来本期收入600.00元",
        "到10月底，村里还剩约4.8万元47,985.00元",
        "付保洁员三季度工资3,600.00元",
        "晚了8天才公开",
        "还没公开，已晚40天",
        "参考期限：2026年10月15日",
        "谁公开、谁核对、谁审核，每一条里都写着。截至2026年11月24日。",
    ):
        assert words in text, words


async def test_large_type_tells_three_facts_and_the_loudspeaker_the_same_figures(publish: Any) -> None:
    await publish.opened()
    html = (await publish.get(f"/v/{builders.VILLAGE}/big")).text
    large = re.sub(r"<[^>]+>|\s+", "", html)
    assert 'class="elder"' in html
    for words in ("到10月底，村里还剩约4.8万元", "收进来600.00元", "花出去3,815.00元", "账算得上✓", "还没公开的缺"):
        assert words in large, words
    page = re.sub(r"<[^>]+>|\s+", "", (await publish.get(f"/v/{builders.VILLAGE}")).text)
    script = page[page.index("各位乡亲") :]
    assert (
        "上个月底，村里还有51,200.00元。这个月收进来600.00元，花出去3,815.00元。到10月底，村里还剩47,985.00元。"
        in script
    )
    spoken = re.search(r'data-say="([^"]+)"', html)
    assert spoken is not None
    assert "村里还有51200.00元。这个月收进来600.00元" in spoken.group(1)
    (path,) = re.findall(r'<script src="([^"]+)"', html)
    listen = await publish.get(path)
    assert listen.headers["content-type"].startswith("text/javascript")
    assert "immutable" in listen.headers["cache-control"]
    await publish.get("/v/999999999999/big", 404)


async def test_text_from_outside_is_never_markup(publish: Any) -> None:
    body = builders.ledger()
    line = {**body["lines"][0], "summary": "<script>alert(1)</script>", "payee": '"><img src=x onerror=alert(1)>店'}
    event = await publish.opened(village=builders.NEIGHBOUR, body={**body, "lines": [line, *body["lines"][1:]]})
    for path in (f"/d/{event.aggregate_id}", f"/v/{builders.NEIGHBOUR}"):
        text = (await publish.get(path)).text
        assert "<script" not in text
        assert "<img" not in text


async def test_month_without_lines_says_so(publish: Any) -> None:
    accounts = [{"account": "cash", "opening_fen": 100, "closing_fen": 100}]
    event = await publish.opened(
        village=builders.FAR_VILLAGE, body={"kind": "ledger", "accounts": accounts, "lines": []}
    )
    assert "这个月没有收支" in (await publish.get(f"/d/{event.aggregate_id}")).text
    duties = (await publish.get(f"/api/v1/villages/{builders.FAR_VILLAGE}/duties?period=2026-10")).json()["items"]
    assert [d["state"] for d in duties if d["item"] == "F01"] == ["opened_late"]
