"""The desk as a browser without script uses it: from the to-do to what is let out, by role."""

import re
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests import builders
from tests.conftest import Served, ServiceFactory
from tests.emptying import empty

CLERK, SUPERVISOR, REVIEWER = "clerk-210881006206", "supervisor-210881006206", "reviewer-210881006"
PATH = "/ingest/v1/disclosures"
CELL = {"village": builders.VILLAGE, "item": "F01", "period": "2026-10"}
LEDGER = {
    **CELL,
    "accounts.0.account": "现金",
    "accounts.0.opening_fen": "１，２００.00",  # noqa: RUF001 - as Chinese input methods type it
    "accounts.0.closing_fen": "985",
    "lines.0.date": "10月3日",
    "lines.0.summary": "修村部水管",
    "lines.0.direction": "out",
    "lines.0.amount_fen": "215.00",
}
TABLES = (
    *("disclosure", "edition", "confirmation", "waiver", "declaration", "declaration_confirmation", "approval"),
    *("approval_item", "event", "outbox", "idempotency", "typed_form"),
)


@pytest_asyncio.fixture
async def ingest(service: ServiceFactory) -> Served:
    return await emptied(service)


async def emptied(service: ServiceFactory) -> Served:
    """Ingest with nothing entered yet."""
    served = await service("ingest")
    served.clock.at = builders.NOW
    async with served.runtime.database.transaction() as conn:
        await empty(conn, *TABLES)
    return served


async def send(served: Served, path: str, fields: dict[str, Any], user: str = CLERK) -> Any:
    headers = {**served.bearer(user), "accept": "text/html"}
    return await served.client.post(path, data=fields, headers=headers)


async def look(served: Served, path: str, user: str = CLERK) -> Any:
    return await served.client.get(path, headers={**served.bearer(user), "accept": "text/html"})


async def kept(served: Served, location: str) -> Any:
    answer = await served.client.get(f"{PATH}/{location.rsplit('/', 1)[-1]}", headers=served.bearer(CLERK))
    return answer.json()


async def drafted(served: Served, **changes: str) -> str:
    answer = await send(served, "/desk/form", {**LEDGER, **changes})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def confirmed(served: Served) -> str:
    page = await drafted(served)
    assert (await send(served, f"{page}/submit", {"version": "1"})).status_code == 303
    assert (await send(served, f"{page}/confirm", {"version": "1"}, SUPERVISOR)).status_code == 303
    return page


def hidden(text: str) -> dict[str, str]:
    """Every hidden field of a page."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', text))


# -- entering -----------------------------------------------------------------------------------------------------


async def test_the_to_do_names_item_period_due_holder_and_days_late(ingest: Served) -> None:
    text = (await look(ingest, "/desk")).text
    assert "财务收支明细（逐笔）" in text
    assert "2026-11-16" in text
    assert "已晚 8 天" in text
    assert "本月无收支" in text
    assert f"/desk/form?village={builders.VILLAGE}&amp;item=F01&amp;period=2026-10" in text
    assert "2026Q3 的季度有无事项表还没有填写" in text


async def test_a_form_becomes_a_draft_to_the_fen(ingest: Served) -> None:
    body = (await kept(ingest, await drafted(ingest)))["body"]
    assert body["accounts"] == [{"account": "cash", "opening_fen": 120000, "closing_fen": 98500}]
    assert [(x["date"], x["summary"], x["amount_fen"]) for x in body["lines"]] == [("2026-10-03", "修村部水管", 21500)]


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("lines.0.amount_fen", "二百元", "金额应写成 1234.50 这样的数字"),
        ("lines.0.amount_fen", "0", "金额不能为 0"),
        ("lines.0.voucher.no", "9" * 5000, "应写成 12 这样的整数"),
        ("lines.0.voucher.no", "100000", "不能大于 99999"),
        ("lines.0.date", "6月31日", "没有 6月31日 这一天"),
        ("lines.0.summary", "", "请填写摘要"),
        ("lines.0.direction", "sideways", "应为"),
    ],
)
async def test_a_wrong_field_brings_the_form_back_with_what_was_typed(
    ingest: Served, field: str, text: str, words: str
) -> None:
    answer = await send(ingest, "/desk/form", {**LEDGER, field: text})
    assert (answer.status_code, words in answer.text) == (422, True), answer.text
    assert f'id="fault-{field}"' in answer.text
    assert 'value="985"' in answer.text


@pytest.mark.parametrize(
    ("field", "text", "status", "words"),
    [
        ("period", "十月", 422, "公开期应为"),
        ("village", "210881006999", 404, "没有代码为 210881006999 的区划"),
        ("village", builders.NEIGHBOUR, 403, "不在您的管辖范围内"),
        ("item", "F99", 422, "公开目录里没有事项 F99"),
    ],
)
async def test_a_wrong_cell_is_refused_with_a_sentence(
    ingest: Served, field: str, text: str, status: int, words: str
) -> None:
    answer = await send(ingest, "/desk/form", {**LEDGER, field: text})
    assert (answer.status_code, words in answer.text) == (status, True), answer.text


async def test_more_rows_and_a_pasted_block_keep_what_was_typed(ingest: Served) -> None:
    answer = await send(ingest, "/desk/form", {**LEDGER, "action": "more:lines"})
    assert len(re.findall(r'name="lines\.\d+\.summary"', answer.text)) == 20
    assert 'value="修村部水管"' in answer.text
    block = "日期\t摘要\t支出\n2026-10-05\t电费\t一百"
    answer = await send(ingest, "/desk/form", {**LEDGER, "action": "paste:lines", "lines.~paste": block})
    assert 'name="lines.1.summary" value="电费"' in answer.text
    assert 'id="fault-lines.1.amount_fen"' in answer.text
    assert 'value="修村部水管"' in answer.text


async def test_what_the_api_wrote_is_not_lost_when_it_is_edited_here(ingest: Served) -> None:
    line = {
        **builders.ledger()["lines"][0],
        "handler": "张三",
        "method": "cash",
        "payee_ref": "k1:x",
        "invoice": {"no": "7", "seller": "五金店"},
    }
    body = builders.ledger(lines=[line, *builders.ledger()["lines"][1:]])
    made = await ingest.client.post(PATH, json=builders.disclosure(body=body), headers=ingest.bearer(CLERK))
    page = f"/desk/disclosures/{made.json()['id']}"
    before = await kept(ingest, page)
    text = (await look(ingest, f"{page}/edit")).text
    fields = {
        **dict(re.findall(r'<input name="([^"]+)" value="([^"]*)"', text)),
        **{k: v.replace("&#34;", '"') for k, v in hidden(text).items()},
        **dict(re.findall(r'<select name="([^"]+)".*?<option value="([^"]*)" selected', text)),
    }
    assert (await send(ingest, "/desk/form", {**fields, "action": "save"})).status_code == 303
    after = await kept(ingest, page)
    assert before["body"]["lines"][0]["payee_ref"] == "k1:x"
    assert (after["version"], after["body"]) == (2, before["body"])


async def test_two_people_on_one_draft_the_second_sees_both_and_chooses(ingest: Served) -> None:
    page = await drafted(ingest)
    first = {**LEDGER, "id": page.rsplit("/", 1)[-1], "version": "1", "lines.0.summary": "甲写的"}
    assert (await send(ingest, "/desk/form", first, REVIEWER)).status_code == 303
    answer = await send(ingest, "/desk/form", {**first, "lines.0.summary": "乙写的"})
    assert answer.status_code == 409
    assert "甲写的" in answer.text
    assert "乙写的" in answer.text
    mine = hidden(answer.text)
    assert (mine["version"], mine["lines.0.summary"]) == ("2", "乙写的")
    assert (await send(ingest, "/desk/form", {**mine, "action": "save"})).status_code == 303
    assert (await kept(ingest, page))["body"]["lines"][0]["summary"] == "乙写的"


async def test_two_people_on_one_empty_cell_lose_nothing_either(ingest: Served) -> None:
    page = await drafted(ingest)
    answer = await send(ingest, "/desk/form", {**LEDGER, "lines.0.summary": "乙写的"})
    assert (answer.status_code, "乙写的" in answer.text) == (409, True)
    assert (await kept(ingest, page))["version"] == 1


async def test_the_next_month_begins_in_last_months_shape(ingest: Served) -> None:
    await confirmed(ingest)
    ingest.clock.at = builders.NOW.replace(month=12)
    query = f"village={builders.VILLAGE}&item=F01&period=2026-11"
    plain = await look(ingest, f"/desk/form?{query}")
    assert 'name="accounts.0.opening_fen" value="985.00"' in plain.text
    assert 'name="lines.0.summary" value=""' in plain.text
    # It is offered while one types, with what stood beside it.
    assert '<option value="修村部水管" data-sound="xcbsg" data-times="1"' in plain.text
    shaped = await look(ingest, f"/desk/form?{query}&shape=1")
    assert 'name="lines.0.summary" value="修村部水管"' in shaped.text
    assert 'name="lines.0.amount_fen" value=""' in shaped.text


async def test_nothing_happened_in_one_tap(ingest: Served) -> None:
    await confirmed(ingest)
    ingest.clock.at = builders.NOW.replace(month=12)
    answer = await send(ingest, "/desk/nil", {**CELL, "period": "2026-11"})
    body = (await kept(ingest, answer.headers["location"]))["body"]
    assert body["accounts"] == [{"account": "cash", "opening_fen": 98500, "closing_fen": 98500}]
    assert body["lines"] == []
    assert "本期无发生" in (await look(ingest, answer.headers["location"])).text


@pytest.mark.parametrize(("item", "period"), [("V01", "2026-10-08"), ("P04", "2026Q3"), ("V08", "2026-10-08")])
async def test_nothing_happened_is_no_answer_for_words(ingest: Served, item: str, period: str) -> None:
    answer = await send(ingest, "/desk/nil", {**CELL, "item": item, "period": period})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("item", "period"),
    [
        ("V09", "2026Q3"),
        ("P04", "2026Q3"),
        ("V01", "2026-10-08"),
        ("V07", "2026-10-08"),
        ("V08", "2026-10-08"),
        ("V06", "2026Q3"),
        ("V17", "2026Q3"),
        ("F02", "2026Q3"),
        ("F03", "2026"),
        ("F05", "2026H1"),
        ("F10", "2026Q3"),
    ],
)
async def test_every_kind_has_a_form(ingest: Served, item: str, period: str) -> None:
    answer = await look(ingest, f"/desk/form?village={builders.VILLAGE}&item={item}&period={period}")
    assert answer.status_code == 200, answer.text
    assert "保存草稿" in answer.text


@pytest.mark.parametrize("period", ["", "2026", "2026-13", "' OR 1=1", "2026Q3"])
async def test_a_form_for_a_period_that_cannot_be_is_refused(ingest: Served, period: str) -> None:
    answer = await look(ingest, f"/desk/form?village={builders.VILLAGE}&item=F01&period={period}")
    assert answer.status_code == 422


async def test_a_draft_is_given_up_only_when_one_is_sure(ingest: Served) -> None:
    page = await drafted(ingest)
    assert (await send(ingest, f"{page}/discard", {"version": "1"})).status_code == 422
    assert (await send(ingest, f"{page}/discard", {"version": "1", "sure": "yes"})).headers["location"] == "/desk"
    assert (await look(ingest, page)).status_code == 404


@pytest.mark.parametrize(("times", "status"), [(133, 200), (134, 409)])
async def test_a_ledger_of_more_than_400_lines_is_no_form(ingest: Served, times: int, status: int) -> None:
    body = builders.ledger(lines=builders.ledger()["lines"] * times)
    made = await ingest.client.post(PATH, json=builders.disclosure(body=body), headers=ingest.bearer(CLERK))
    answer = await look(ingest, f"/desk/disclosures/{made.json()['id']}/edit")
    assert answer.status_code == status


# -- a sign-in that ended meanwhile -------------------------------------------------------------------------------


async def test_a_form_sent_after_the_sign_in_ended_comes_back_whole_and_does_nothing(ingest: Served) -> None:
    headers = {**ingest.bearer(CLERK), "accept": "text/html", "sec-fetch-site": "same-origin"}
    ingest.clock.at += timedelta(minutes=16)
    answer = await ingest.client.post("/desk/form", data={**LEDGER, "action": "save"}, headers=headers)
    assert (answer.status_code, "您填的内容还在这一页上" in answer.text) == (401, True)
    mine = hidden(answer.text)
    assert mine == {**LEDGER, "action": "save"}
    assert (await ingest.client.get(PATH, headers=ingest.bearer(CLERK))).json()["items"] == []
    assert (await send(ingest, "/desk/form", mine)).status_code == 303


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", None])
async def test_words_from_a_foreign_page_are_not_put_into_such_a_form(ingest: Served, site: str | None) -> None:
    headers = {"accept": "text/html", **({"sec-fetch-site": site} if site else {})}
    answer = await ingest.client.post("/desk/form", data=LEDGER, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


async def test_what_a_reviewer_typed_for_longer_than_a_session_may_rest_comes_back_whole(ingest: Served) -> None:
    headers = {**ingest.bearer("reviewer-210881006"), "accept": "text/html", "sec-fetch-site": "same-origin"}
    ingest.clock.at += timedelta(minutes=40)
    typed = {"version": "2", "reason": "第三笔没有附件，请补齐发票以后再报。" * 5}
    path = "/desk/disclosures/01a21aed-819a-70e5-94fd-3bb6129ec1a8/return"
    answer = await ingest.client.post(path, data=typed, headers=headers)
    assert (answer.status_code, "您填的内容还在这一页上" in answer.text) == (401, True)
    assert hidden(answer.text) == typed


# -- a busy minute ------------------------------------------------------------------------------------------------


async def test_a_form_that_meets_a_busy_database_comes_back_whole_and_is_sent_on_from_there(ingest: Served) -> None:
    headers = {**ingest.bearer(CLERK), "accept": "text/html", "sec-fetch-site": "same-origin"}
    typed = {**LEDGER, "action": "save"}
    async with AsyncExitStack() as taken:
        for _ in range(ingest.runtime.settings.pool_size):
            await taken.enter_async_context(ingest.runtime.database.connection())
        answer = await ingest.client.post("/desk/form", data=typed, headers=headers)
        foreign = await ingest.client.post(
            "/desk/form", data=typed, headers={**headers, "sec-fetch-site": "cross-site"}
        )
    assert (answer.status_code, "您填的内容还在这一页上" in answer.text) == (503, True)
    assert int(answer.headers["retry-after"]) > 0
    assert (foreign.status_code, hidden(foreign.text)) == (503, {})
    assert hidden(answer.text) == typed
    assert (await send(ingest, "/desk/form", hidden(answer.text))).status_code == 303
