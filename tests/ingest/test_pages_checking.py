"""The desks of supervisors, reviewers and departments, and what they do not let pass."""

import io
import json
import re
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from tests import builders
from tests.conftest import Served, ServiceFactory
from tests.ingest.test_pages import (
    CLERK,
    LEDGER,
    PATH,
    REVIEWER,
    SUPERVISOR,
    confirmed,
    drafted,
    emptied,
    kept,
    look,
    send,
)

INSPECTOR = "inspector-210881006"


@pytest_asyncio.fixture
async def ingest(service: ServiceFactory) -> Served:
    return await emptied(service)


async def submitted(served: Served, **changes: str) -> str:
    page = await drafted(served, **changes)
    assert (await send(served, f"{page}/submit", {"version": "1"})).status_code == 303
    return page


# -- handing in ---------------------------------------------------------------------------------------------------


async def test_submitting_without_reasons_shows_again_what_needs_one_beside_its_row(ingest: Served) -> None:
    page = await drafted(ingest, **{"accounts.0.closing_fen": "900"})
    answer = await send(ingest, f"{page}/submit", {"version": "1"})
    assert answer.status_code == 409
    assert "有没有说明的问题，请改正" in answer.text
    assert 'name="reason|ledger.closing|body.accounts[0]"' in answer.text
    assert '<tr class="marked"><th scope="row" class="n">1</th><td data-label="账户">库存现金</td>' in re.sub(
        r' class="wide"', "", answer.text
    )
    reasons = {"version": "1", "reason|ledger.closing|body.accounts[0]": "盘点差错"}
    assert (await send(ingest, f"{page}/submit", reasons)).status_code == 303
    assert (await kept(ingest, page))["state"] == "submitted"
    assert "盘点差错" in (await look(ingest, page, REVIEWER)).text


@pytest.mark.parametrize(("reason", "words"), [("x" * 201, "每条原因最多 200 个字"), ("电话13912345678", "电话号码")])
async def test_a_reason_that_cannot_stand_is_told(ingest: Served, reason: str, words: str) -> None:
    page = await drafted(ingest, **{"accounts.0.closing_fen": "900"})
    answer = await send(ingest, f"{page}/submit", {"version": "1", "reason|ledger.closing|body.accounts[0]": reason})
    assert (answer.status_code, words in answer.text) == (422, True), answer.text
    assert f'value="{reason}"' in answer.text


async def test_an_old_version_is_not_handed_in(ingest: Served) -> None:
    page = await drafted(ingest)
    for version in ("2", "0", "x", ""):
        assert (await send(ingest, f"{page}/submit", {"version": version})).status_code == 409


# -- supervisors --------------------------------------------------------------------------------------------------


async def test_a_supervisor_finds_what_waits_and_confirms_by_name(ingest: Served) -> None:
    page = await submitted(ingest)
    desk = (await look(ingest, "/desk", SUPERVISOR)).text
    assert page in desk
    text = (await look(ingest, page, SUPERVISOR)).text
    assert "核对无误" in text
    assert "退回修改" in text
    assert (await send(ingest, f"{page}/confirm", {"version": "1"}, SUPERVISOR)).status_code == 303
    assert "等待镇街审核" in (await look(ingest, page, SUPERVISOR)).text
    assert "没有等您核对的内容" in (await look(ingest, "/desk", SUPERVISOR)).text


async def test_a_dissent_needs_words_and_does_not_confirm(ingest: Served) -> None:
    page = await submitted(ingest)
    answer = await send(ingest, f"{page}/confirm", {"version": "1", "opinion": "dissent"}, SUPERVISOR)
    assert (answer.status_code, "请写明不同意见的内容" in answer.text) == (422, True)
    fields = {"version": "1", "opinion": "dissent", "reason": "没有见到发票"}
    assert (await send(ingest, f"{page}/confirm", fields, SUPERVISOR)).status_code == 303
    assert (await kept(ingest, page))["state"] == "submitted"
    assert "没有见到发票" in (await look(ingest, page, REVIEWER)).text


@pytest.mark.parametrize("user", [CLERK, REVIEWER, INSPECTOR])
async def test_who_is_no_party_has_no_button_and_no_way(ingest: Served, user: str) -> None:
    page = await submitted(ingest)
    assert ">核对无误</button>" not in (await look(ingest, page, user)).text
    assert (await send(ingest, f"{page}/confirm", {"version": "1"}, user)).status_code == 403
    assert (await kept(ingest, page))["state"] == "submitted"


async def test_the_sheet_to_sign_carries_a_code_of_this_edition(ingest: Served) -> None:
    page = await submitted(ingest)
    text = (await look(ingest, f"{page}/sheet", SUPERVISOR)).text
    assert "村务监督委员会核对意见" in text
    assert "修村部水管" in text
    assert "<svg" in text


async def test_a_photograph_without_the_code_is_refused_and_leaves_nothing(ingest: Served) -> None:
    page = await submitted(ingest)
    picture = io.BytesIO()
    Image.new("RGB", (300, 200), "white").save(picture, "PNG")
    for content in (picture.getvalue(), b"", b"no picture"):
        answer = await ingest.client.post(
            "/desk/sheets",
            data={"id": page.rsplit("/", 1)[-1], "version": "1", "signer|张三": "yes", "signer|李四": "yes"},
            files={"photo": ("sheet.png", content)},
            headers={**ingest.bearer(REVIEWER), "accept": "text/html"},
        )
        assert answer.status_code == 422, answer.text
    async with ingest.runtime.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM confirmation") == 0


# -- reviewers ----------------------------------------------------------------------------------------------------


async def test_a_return_carries_a_reason_for_a_line_to_its_cell(ingest: Served) -> None:
    page = await confirmed(ingest)
    assert 'name="line|body.lines[0]"' in (await look(ingest, page, REVIEWER)).text
    empty = await send(ingest, f"{page}/return", {"version": "1"}, REVIEWER)
    assert (empty.status_code, "请写明退回的原因" in empty.text) == (422, True)
    fields = {"version": "1", "reason": "缺发票", "line|body.lines[0]": "发票没有上传"}
    assert (await send(ingest, f"{page}/return", fields, REVIEWER)).status_code == 303
    assert "缺发票" in (await look(ingest, "/desk")).text
    form = (await look(ingest, f"{page}/edit")).text
    assert '<span class="fault" id="fault-lines.0.date">退回：发票没有上传</span>' in form


async def test_many_are_let_out_later_and_can_be_taken_back(ingest: Served) -> None:
    page = await confirmed(ingest)
    disclosure = page.rsplit("/", 1)[-1]
    assert f'value="{disclosure}|1"' in (await look(ingest, "/desk", REVIEWER)).text
    made = await send(ingest, "/desk/approvals", {"chosen": f"{disclosure}|1"}, REVIEWER)
    assert made.status_code == 303, made.text
    waiting = await look(ingest, made.headers["location"], REVIEWER)
    assert "撤销（30秒内）" in waiting.text
    assert ">审核通过并发布</button>" not in (await look(ingest, page, REVIEWER)).text
    assert (await send(ingest, f"{made.headers['location']}/undo", {}, REVIEWER)).status_code == 303
    assert "已撤销" in (await look(ingest, made.headers["location"], REVIEWER)).text
    assert (await kept(ingest, page))["state"] == "confirmed"


@pytest.mark.parametrize("chosen", ["", "x", "x|1", "' OR 1=1|1"])
async def test_a_strange_choice_is_refused(ingest: Served, chosen: str) -> None:
    fields = {"chosen": chosen} if chosen else {}
    assert (await send(ingest, "/desk/approvals", fields, REVIEWER)).status_code == 422


async def test_another_townships_reviewer_neither_reads_nor_acts(ingest: Served) -> None:
    page = await confirmed(ingest)
    assert (await look(ingest, page, "reviewer-210881102")).status_code == 403
    fields = {"chosen": f"{page.rsplit('/', 1)[-1]}|1"}
    assert (await send(ingest, "/desk/approvals", fields, "reviewer-210881102")).status_code == 403


async def test_a_withdrawal_needs_a_reason_and_a_tick(ingest: Served) -> None:
    page = await confirmed(ingest)
    assert (await send(ingest, f"{page}/approve", {"version": "1"}, REVIEWER)).status_code == 303
    for fields in ({}, {"reason": "有错"}, {"sure": "yes"}):
        assert (await send(ingest, f"{page}/withdraw", {"version": "1", **fields}, REVIEWER)).status_code == 422
    fields = {"version": "1", "reason": "公开了不该公开的内容", "sure": "yes"}
    assert (await send(ingest, f"{page}/withdraw", fields, REVIEWER)).status_code == 303
    assert "内容已撤回，只留下原因" in (await look(ingest, page)).text


# -- the grid and urging ------------------------------------------------------------------------------------------


async def test_the_grid_shows_every_village_with_state_word_and_holder(ingest: Served) -> None:
    page = await confirmed(ingest)
    text = (await look(ingest, "/desk/grid?month=2026-10&affair=finance", REVIEWER)).text
    assert text.count('<th scope="row">') == 2
    assert f'<a href="{page}">' in text
    assert "未公开" in text
    assert "镇街" in text
    assert "党组织设置" not in text


@pytest.mark.parametrize("month", ["x", "2026-13", "9" * 10])
async def test_a_grid_of_no_month_is_refused(ingest: Served, month: str) -> None:
    assert (await look(ingest, f"/desk/grid?month={month}", REVIEWER)).status_code == 422


async def test_a_grid_of_somebody_elses_township_is_refused(ingest: Served) -> None:
    path = f"/desk/grid?township={builders.OTHER_TOWNSHIP}"
    assert (await look(ingest, path, REVIEWER)).status_code == 403
    assert (await look(ingest, path, CLERK)).status_code == 403


async def test_the_urge_text_names_village_item_day_and_holder(ingest: Served) -> None:
    text = (await look(ingest, "/desk/urge", REVIEWER)).text
    assert "【三务公开催办】截至 11 月 24 日" in text
    assert "财务收支明细（逐笔）（2026-10）：应于 2026-11-16 前公开，已晚 8 天，现由村（社区）办理" in text


# -- waivers and quarters -----------------------------------------------------------------------------------------

CELL = {"village": builders.VILLAGE, "item": "V09", "period": "2026Q3"}


async def test_a_waiver_is_asked_for_and_decided(ingest: Served) -> None:
    empty = await send(ingest, "/desk/waivers", {**CELL, "reason": " "})
    assert (empty.status_code, "请写明不公开的理由" in empty.text) == (422, True)
    phone = await send(ingest, "/desk/waivers", {**CELL, "reason": "请打13912345678"})
    assert (phone.status_code, "请打13912345678" in phone.text) == (422, True)
    assert (await send(ingest, "/desk/waivers", {**CELL, "reason": "涉及诉讼"})).status_code == 303
    assert "已申请不公开备案，等镇街决定" in (await look(ingest, "/desk")).text
    text = (await look(ingest, "/desk/waivers", REVIEWER)).text
    path = re.search(r'action="(/desk/waivers/[^"]+/grant)"', text)
    assert path is not None
    assert (await send(ingest, path[1], {}, CLERK)).status_code == 403
    assert (await send(ingest, path[1], {}, REVIEWER)).status_code == 303
    assert "已同意备案" in (await look(ingest, "/desk/waivers", REVIEWER)).text
    assert (await send(ingest, path[1], {}, REVIEWER)).status_code == 409


async def test_a_quarter_is_answered_item_by_item_and_confirmed(ingest: Served) -> None:
    path = f"/desk/quarters/{builders.VILLAGE}/2026Q3"
    codes = re.findall(r'name="answer\.(\w+)" value="no"', (await look(ingest, path)).text)
    assert "V01" in codes
    answers: dict[str, Any] = {f"answer.{c}": "no" for c in codes}
    wrong = {**answers, "answer.V01": "yes", "days.V01": "2026-10-03", "answer.V02": "yes"}
    answer = await send(ingest, path, wrong)
    assert (answer.status_code, "请写明每件事的日期" in answer.text) == (422, True)
    late = await send(ingest, path, {**wrong, "days.V02": "8月5日"})
    assert (late.status_code, "不在 2026Q3 内" in late.text) == (422, True)
    good = {**answers, "answer.V01": "yes", "days.V01": "7月3日、2026-08-05"}
    assert (await send(ingest, path, good)).status_code == 303
    assert "季度有无事项表，等您核对" in (await look(ingest, "/desk", SUPERVISOR)).text
    assert (await send(ingest, path, {"action": "confirm", "edition": "1"}, CLERK)).status_code == 403
    assert (await send(ingest, path, {"action": "confirm", "edition": "1"}, SUPERVISOR)).status_code == 303
    assert "已核对并公布" in (await look(ingest, path)).text


@pytest.mark.parametrize("quarter", ["2026-10", "2026Q5", "2027Q1"])
async def test_a_quarter_that_is_none_or_not_over_is_refused(ingest: Served, quarter: str) -> None:
    answer = await send(ingest, f"/desk/quarters/{builders.VILLAGE}/{quarter}", {})
    assert answer.status_code == 422


# -- files --------------------------------------------------------------------------------------------------------


async def upload(served: Served, path: str, content: bytes, **fields: str) -> Any:
    headers = {**served.bearer(CLERK), "accept": "text/html"}
    return await served.client.post(path, data=fields, files={"upload": ("票据.png", content)}, headers=headers)


async def test_an_attachment_joins_the_form_with_all_that_was_typed(ingest: Served) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (30, 20), "white").save(picture, "PNG")
    answer = await upload(ingest, "/desk/attachments", picture.getvalue(), **LEDGER)
    assert answer.status_code == 200, answer.text
    assert 'name="attachments.0.title" value="票据.png"' in answer.text
    assert 'value="修村部水管"' in answer.text
    refused = await upload(ingest, "/desk/attachments", b"MZ no picture", **LEDGER)
    assert (refused.status_code, 'value="修村部水管"' in refused.text) == (422, True)


async def test_a_prepared_file_becomes_drafts_and_is_undone(ingest: Served) -> None:
    data = builders.disclosure()
    wrong = json.dumps({"disclosures": [{**data, "period": "2026-13"}]}).encode()
    answer = await upload(ingest, "/desk/imports", wrong)
    assert answer.status_code == 422
    assert "公开期应为" in answer.text
    made = await upload(ingest, "/desk/imports", json.dumps({"disclosures": [data]}).encode())
    assert made.status_code == 303, made.text
    page = made.headers["location"]
    assert "撤销这次导入" in (await look(ingest, page)).text
    assert (await send(ingest, f"{page}/undo", {})).status_code == 303
    assert "没有留下草稿" in (await look(ingest, page)).text
    assert (await ingest.client.get(PATH, headers=ingest.bearer(CLERK))).json()["items"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/desk",
        "/desk/list",
        "/desk/new",
        "/desk/grid",
        "/desk/urge",
        "/desk/waivers",
        "/desk/quarters",
        "/desk/imports",
    ],
)
@pytest.mark.parametrize("user", [CLERK, SUPERVISOR, REVIEWER, INSPECTOR, "operator"])
async def test_every_page_answers_every_role_with_a_page(ingest: Served, path: str, user: str) -> None:
    answer = await look(ingest, path, user)
    assert answer.status_code in {200, 303, 403}
    if answer.status_code == 403:
        assert "您的角色" in answer.text
