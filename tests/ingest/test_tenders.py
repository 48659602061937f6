"""A tender at the desk: the notice first, its result later, which names the notice."""

import re
from typing import Any

import pytest

from tests import builders
from tests.contracts.test_bodies_kinds import golden
from tests.ingest.conftest import CLERK, PATH, Month
from tests.ingest.test_same_day import page

DAY, LATER = "2026-10-05", "2026-10-20"


def offer(**changes: Any) -> dict[str, Any]:
    return {**golden("notice-tender"), "attachments": [], **changes}


def result(follows: str | None) -> dict[str, Any]:
    words = {"title": "鱼池承包合同", "subject": "鱼池两口", "attachments": []}
    return {**golden("contract-lots"), **words, "follows": follows, "signed_on": LATER}


async def codes(month: Month, made: str) -> list[str]:
    return [f["code"] for f in (await month.done("GET", f"{PATH}/{made}", CLERK))["findings"]]


async def test_the_form_of_a_contract_leads_to_a_notice_and_offers_those_that_are_there(month: Month) -> None:
    where = {"village": builders.VILLAGE, "item": "V10", "period": LATER}
    text = await page(month, "/desk/form", **where)
    assert "还没有定给谁，先发招标、招租公告" in text
    notice = await page(month, "/desk/form", **where, **{"as": "notice"})
    assert 'name="as" value="notice"' in notice
    assert "底价（元）" in notice
    assert "承包方" not in notice
    made = await month.draft(item="V10", period=DAY, body=offer())
    again = await page(month, "/desk/form", **where)
    assert f'<option value="{made}">村东鱼池承包经营权招租公告（2026年10月5日）</option>' in " ".join(again.split())


async def test_a_notice_is_saved_from_the_form_and_opened_as_one(month: Month) -> None:
    fields = {"village": builders.VILLAGE, "item": "V10", "period": DAY, "as": "notice", "title": "鱼池招租公告"}
    fields |= {
        "paragraphs.0": "三块鱼池，三年。",
        "lots.0.title": "1号鱼池",
        "lots.0.price_fen": "450",
        "action": "save",
    }
    headers = {**month.served.bearer(CLERK), "accept": "text/html"}
    answer = await month.served.client.post("/desk/form", data=fields, headers=headers)
    assert answer.status_code == 303, answer.text
    made = re.sub(r".*/", "", answer.headers["location"])
    edit = await page(month, f"/desk/disclosures/{made}/edit")
    assert 'name="as" value="notice"' in edit
    assert 'value="1号鱼池"' in edit
    assert "标的" in await page(month, f"/desk/disclosures/{made}")


async def test_a_result_names_the_notice_of_its_own_village(month: Month) -> None:
    notice = await month.draft(item="V10", period=DAY, body=offer())
    made = await month.draft(item="V10", period=LATER, body=result(notice))
    assert "notice.unknown" not in await codes(month, made)
    shown = await page(month, f"/desk/disclosures/{made}")
    assert "村东鱼池承包经营权招租公告（2026年10月5日）" in shown
    assert notice not in re.sub(r"<[^>]+>", "", shown)


@pytest.mark.parametrize("follows", ["0199c7a0-0000-7000-8000-000000000001", "a contract"])
async def test_a_notice_that_is_not_there_has_to_be_mended(month: Month, follows: str) -> None:
    if follows == "a contract":
        follows = await month.draft(item="V10", period="2026-10-19", body=result(None))
    made = await month.draft(item="V10", period=LATER, body=result(follows))
    assert "notice.unknown" in await codes(month, made)
    accept = [{"finding": {"code": "notice.unknown", "at": "body.follows"}, "reason": "就是它"}]
    body = {"version": 1, "accept": accept}
    await month.refused(409, "unexplained_findings", "POST", f"{PATH}/{made}/submit", CLERK, body)


async def test_a_notice_goes_into_no_other_item(month: Month) -> None:
    request = builders.disclosure(item="F01", period="2026-10", body=offer())
    await month.refused(422, "kind_mismatch", "POST", PATH, CLERK, request)
