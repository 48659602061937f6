"""Personal data in a draft: the clerk covers it with one press; the township may let it stand, with a reason."""

from typing import Any

import pytest_asyncio

from tests import builders
from tests.conftest import Served, ServiceFactory
from tests.ingest.test_pages import CLERK, PATH, REVIEWER, SUPERVISOR, drafted, emptied, kept, look, send

ID_CARD = "110105194912310021"  # made up: its check digit is wrong
SUMMARY = f"付张桂兰{ID_CARD}住院慰问金"


@pytest_asyncio.fixture
async def ingest(service: ServiceFactory) -> Served:
    return await emptied(service)


def summary_of(found: Any) -> Any:
    return found["body"]["lines"][0]["summary"]


async def test_a_finding_names_row_field_and_characters_and_who_may_let_it_stand(ingest: Served) -> None:
    page = await drafted(ingest, **{"lines.0.summary": SUMMARY})
    text = (await look(ingest, page)).text
    assert (
        "第1行“摘要”里好像有身份证号（第5–22个字）。公开后人人可见，请删去或遮盖；确需公开的，只有镇街审核员可以同意。"
        in text
    )
    assert "第1行“摘要”里好像有姓名（第2–4个字）。公开后人人可见，请删去或遮盖；确需公开的，请写明原因。" in text
    assert ID_CARD not in text.split("需要改正或说明的地方")[1].split("</ul>")[0]
    assert 'name="reason|privacy.id_card|body.lines[0].summary"' not in text
    assert 'name="reason|privacy.name|body.lines[0].summary"' in text


async def test_one_press_covers_one_finding_keeps_what_was_typed_and_makes_the_next_edition(ingest: Served) -> None:
    page = await drafted(ingest, **{"lines.0.summary": SUMMARY})
    typed = {"reason|privacy.name|body.lines[0].summary": "慰问名单已公示"}
    pressed = {"version": "1", "what": "privacy.id_card|body.lines[0].summary", **typed}
    answer = await send(ingest, f"{page}/mask", pressed)
    assert answer.status_code == 200
    assert "已经遮盖，存为第 2 稿。" in answer.text
    assert 'value="慰问名单已公示"' in answer.text
    assert summary_of(await kept(ingest, page)) == "付张桂兰******************住院慰问金"
    handed_in = await send(ingest, f"{page}/submit", {"version": "2", **typed})
    assert handed_in.status_code == 303, handed_in.text


async def test_all_is_covered_in_one_go_and_the_draft_can_be_handed_in(ingest: Served) -> None:
    page = await drafted(ingest, **{"lines.0.summary": SUMMARY, "lines.0.payee": "13800138000"})
    answer = await send(ingest, f"{page}/mask", {"version": "1", "what": ""})
    assert "文字里没有发现身份证号、银行卡号、电话号码和住址。" in answer.text
    found = await kept(ingest, page)
    assert summary_of(found) == "付张某某******************住院慰问金"
    assert found["body"]["lines"][0]["payee"] == "138******00"
    assert (await send(ingest, f"{page}/submit", {"version": "2"})).status_code == 303


async def test_api_covers_what_is_named_and_says_when_there_is_nothing(ingest: Served) -> None:
    body = builders.ledger()
    body["lines"][0] |= {"summary": "电话13800138000，家住李家胡同12号"}
    made = (await ingest.client.post(PATH, json=builders.disclosure(body=body), headers=ingest.bearer(CLERK))).json()
    phone, home = made["findings"]
    assert (phone["code"], phone["start"], phone["end"]) == ("privacy.phone", 2, 13)
    url = f"{PATH}/{made['id']}/mask"
    answer = await ingest.client.post(url, json={"version": 1, "findings": [phone]}, headers=ingest.bearer(CLERK))
    assert answer.status_code == 200
    assert [f["code"] for f in answer.json()["findings"]] == ["privacy.address"]
    assert (await ingest.client.post(url, json={"version": 2}, headers=ingest.bearer(CLERK))).json()["findings"] == []
    nothing = await ingest.client.post(url, json={"version": 3}, headers=ingest.bearer(CLERK))
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_to_mask")
    assert home["at"] == "body.lines[0].summary"


async def test_number_in_a_count_column_is_blanked(ingest: Served) -> None:
    columns = [{"key": "a", "name": "类别", "type": "text"}, {"key": "b", "name": "人数", "type": "count"}]
    body = {"kind": "table", "columns": columns, "rows": [["低保", 13800138000], ["五保", 3]]}
    cell = builders.disclosure(body=body) | {"item": "V17", "period": "2026Q3"}
    made = (await ingest.client.post(PATH, json=cell, headers=ingest.bearer(CLERK))).json()
    assert [f["at"] for f in made["findings"] if f["code"] == "privacy.phone"] == ["body.rows[0][1]"]
    url = f"{PATH}/{made['id']}"
    await ingest.client.post(f"{url}/mask", json={"version": 1}, headers=ingest.bearer(CLERK))
    now = (await ingest.client.get(url, headers=ingest.bearer(CLERK))).json()
    assert now["body"]["rows"] == [["低保", None], ["五保", 3]]


async def test_the_township_lets_a_number_stand_and_the_clerk_hands_it_in(ingest: Served) -> None:
    page = await drafted(ingest, **{"lines.0.summary": "公示监督电话0417-7836123"})
    at = "privacy.phone|body.lines[0].summary"
    refused = await send(ingest, f"{page}/submit", {"version": "1", f"reason|{at}": "这是村部电话"})
    assert refused.status_code == 409
    assert "您不能自己同意公开这一处。遮盖后就可以提交；确需公开的，请镇街审核员打开这一页写明原因。" in refused.text
    accepted = {"version": "1", f"reason|{at}": "村部公开电话"}
    assert (await send(ingest, f"{page}/accept", accepted, CLERK)).status_code == 403
    assert (await send(ingest, f"{page}/accept", {"version": "1"}, REVIEWER)).status_code == 422
    assert (await send(ingest, f"{page}/accept", accepted, REVIEWER)).status_code == 303
    assert "村部公开电话" in (await look(ingest, page)).text
    assert (await send(ingest, f"{page}/submit", {"version": "1"})).status_code == 303
    assert (await send(ingest, f"{page}/confirm", {"version": "1"}, SUPERVISOR)).status_code == 303
    found = await kept(ingest, page)
    assert found["accepted"] == [
        {"code": "privacy.phone", "at": "body.lines[0].summary", "reason": "村部公开电话"},
    ]
    # Who let it stand may approve it: they wrote none of it.
    assert (await send(ingest, f"{page}/approve", {"version": "1"}, REVIEWER)).status_code == 303


async def test_a_changed_draft_asks_the_township_anew(ingest: Served) -> None:
    page = await drafted(ingest, **{"lines.0.summary": "公示监督电话0417-7836123"})
    accepted = {"version": "1", "reason|privacy.phone|body.lines[0].summary": "村部公开电话"}
    assert (await send(ingest, f"{page}/accept", accepted, REVIEWER)).status_code == 303
    found = await kept(ingest, page)
    body = found["body"] | {"lines": [found["body"]["lines"][0] | {"summary": "电话13800138000"}]}
    saved = await ingest.client.put(
        f"{PATH}/{found['id']}", json={"version": 1, "body": body}, headers=ingest.bearer(CLERK)
    )
    assert saved.status_code == 200
    assert (await send(ingest, f"{page}/submit", {"version": "2"})).status_code == 409


async def test_reasons_for_a_return_carry_no_numbers(ingest: Served) -> None:
    page = await drafted(ingest)
    assert (await send(ingest, f"{page}/submit", {"version": "1"})).status_code == 303
    for fields in (
        {"reason": "付给6217995559797114713的那一笔不对"},
        {"reason": "有误", "line|body.lines[0]": "家住李家胡同12号的不是他"},
    ):
        answer = await send(ingest, f"{page}/return", {"version": "1", **fields}, SUPERVISOR)
        assert answer.status_code == 422, answer.text
        assert "好像有" in answer.text
