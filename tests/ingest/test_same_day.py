"""Several events of one item on one day: each has a form, a title in lists, and is made once."""

import re
from uuid import UUID

import pytest

from tests import builders
from tests.contracts.test_bodies_kinds import golden
from tests.ingest.conftest import CLERK, SUPERVISOR, Month

DAY = "2026-10-09"
CONTRACT = {
    "type": "lease",
    "party": "某商贸有限公司",
    "subject": "门市房一间",
    "signed_on": DAY,
    "begins": DAY,
}


async def page(month: Month, path: str, user: str = CLERK, **params: str) -> str:
    answer = await month.served.client.get(
        path, params=params, headers={**month.served.bearer(user), "accept": "text/html"}
    )
    assert answer.status_code == 200, answer.text
    return answer.text


async def contract(month: Month, title: str) -> str:
    return await month.draft(item="V10", period=DAY, body={"kind": "contract", "title": title, **CONTRACT})


async def of_the_day(month: Month, **more: str) -> str:
    return await page(month, "/desk/form", village=builders.VILLAGE, item="V10", period=DAY, **more)


async def send(month: Month, title: str, **more: str) -> int:
    fields = {"village": builders.VILLAGE, "item": "V10", "period": DAY, "title": title, **CONTRACT, **more}
    headers = {**month.served.bearer(CLERK), "accept": "text/html"}
    answer = await month.served.client.post("/desk/form", data={**fields, "action": "save"}, headers=headers)
    return answer.status_code


async def titles(month: Month) -> list[str]:
    listed = await page(month, "/desk/list", item="V10")
    return re.findall(r"<br>([^<]+)</a>", listed)


async def test_a_second_event_of_a_day_is_entered_beside_the_first(month: Month) -> None:
    assert "再录一件同一天的事" not in await of_the_day(month)
    await contract(month, "东侧门市房租赁合同")
    text = await of_the_day(month)
    assert "这一天已经录入了下面1件" in text
    assert "东侧门市房租赁合同" in text
    (another,) = re.findall(r"another=([0-9a-f-]{36})", text)
    assert UUID(another).version == 7
    form = await of_the_day(month, another=another)
    assert f'name="another" value="{another}"' in form
    assert "东侧门市房" not in form
    assert await send(month, "西侧门市房租赁合同", another=another) == 303
    assert sorted(await titles(month)) == ["东侧门市房租赁合同", "西侧门市房租赁合同"]
    assert "这一天已经录入了下面2件" in await of_the_day(month)


async def test_a_form_sent_twice_makes_one_event(month: Month) -> None:
    await contract(month, "东侧门市房租赁合同")
    (another,) = re.findall(r"another=([0-9a-f-]{36})", await of_the_day(month))
    assert await send(month, "西侧门市房租赁合同", another=another) == 303
    assert await send(month, "西侧门市房租赁合同", another=another) == 409
    assert len(await titles(month)) == 2


@pytest.mark.parametrize("another", ["", "1", "x" * 36, "0b2f6d3e-8c1a-4f57-9a3e-5d6c7b8a9f01"])
async def test_what_the_page_of_the_day_did_not_give_is_no_other_event(month: Month, another: str) -> None:
    await contract(month, "东侧门市房租赁合同")
    assert await send(month, "西侧门市房租赁合同", another=another) == 409
    assert await titles(month) == ["东侧门市房租赁合同"]


async def test_an_item_with_one_content_a_period_leads_to_it(month: Month) -> None:
    made = await month.draft()
    answer = await month.served.client.get(
        "/desk/form",
        params={"village": builders.VILLAGE, "item": "F01", "period": "2026-10", "another": ""},
        headers={**month.served.bearer(CLERK), "accept": "text/html"},
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"/desk/disclosures/{made}")


async def test_supervisors_see_what_each_is_called(month: Month) -> None:
    for title in ("东侧门市房租赁合同", "西侧门市房租赁合同"):
        await month.step(await contract(month, title), "submit", CLERK)
    text = await page(month, "/desk", SUPERVISOR)
    assert "东侧门市房租赁合同" in text
    assert "西侧门市房租赁合同" in text


async def test_the_title_of_a_list_without_one_is_not_made_up(month: Month) -> None:
    await month.draft(item="V04", period=DAY, body={**golden("roster"), "title": None, "attachments": []})
    listed = await page(month, "/desk/list", item="V04")
    assert re.findall(r"<br>([^<]+)</a>", listed) == []
