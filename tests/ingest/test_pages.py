"""The desk as a browser without script uses it: the entry form, and one page a disclosure."""

import re
from typing import Any

import pytest
import pytest_asyncio

from tests import builders
from tests.conftest import Served, ServiceFactory

CLERK = "clerk-210881006206"
PATH = "/ingest/v1/disclosures"
LEDGER = {
    "village": builders.VILLAGE,
    "period": "2026-10",
    "cash-opening": "１，２００.00",  # noqa: RUF001 - as Chinese input methods type it
    "cash-closing": "985",
    "date-0": "2026-10-03",
    "summary-0": "修村部水管",
    "direction-0": "out",
    "amount-0": "215.00",
    "account-0": "cash",
}


@pytest_asyncio.fixture
async def ingest(service: ServiceFactory) -> Served:
    served = await service("ingest")
    served.clock.at = builders.NOW
    async with served.runtime.database.transaction() as conn:
        await conn.execute("TRUNCATE disclosure, edition, confirmation, event, outbox, idempotency")
    return served


async def send(served: Served, path: str, fields: dict[str, str]) -> Any:
    headers = {**served.bearer(CLERK), "accept": "text/html"}
    return await served.client.post(path, data=fields, headers=headers)


async def kept(served: Served, location: str) -> Any:
    answer = await served.client.get(f"{PATH}/{location.rsplit('/', 1)[-1]}", headers=served.bearer(CLERK))
    return answer.json()


async def test_a_form_becomes_a_draft_to_the_fen(ingest: Served) -> None:
    answer = await send(ingest, "/desk/disclosures/new", LEDGER)
    assert answer.status_code == 303, answer.text
    body = (await kept(ingest, answer.headers["location"]))["body"]
    assert body["accounts"] == [{"account": "cash", "opening_fen": 120000, "closing_fen": 98500}]
    assert [(x["summary"], x["direction"], x["amount_fen"]) for x in body["lines"]] == [("修村部水管", "out", 21500)]


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("amount-0", "二百元", "金额应写成 1234.50 这样的数字"),
        ("amount-0", "1.234", "金额应写成 1234.50 这样的数字"),
        ("amount-0", "0", "金额不能为 0"),
        ("no-0", "第三号", "凭证号应为数字"),
        ("no-0", "9" * 5000, "凭证号应为数字"),
        ("no-0", "100000", "不能大于 99999"),
        ("date-0", "10月3日", "日期应写作 2026-10-03"),
        ("summary-0", "", "不能为空"),
        ("period", "十月", "公开期应为"),
        ("village", "210881006999", "没有代码为 210881006999 的村"),
    ],
)
async def test_a_wrong_field_brings_the_form_back_with_what_was_typed(
    ingest: Served, field: str, text: str, words: str
) -> None:
    answer = await send(ingest, "/desk/disclosures/new", {**LEDGER, field: text})
    assert (answer.status_code, words in answer.text) == (422, True), answer.text
    assert "985" in answer.text


@pytest.mark.parametrize("rows", ["-1", "x", "9" * 5000, "", "0"])
async def test_a_strange_count_of_rows_is_no_error(ingest: Served, rows: str) -> None:
    answer = await send(ingest, "/desk/disclosures/new", {**LEDGER, "rows": rows})
    assert answer.status_code == 303, answer.text


async def test_more_rows_keep_what_was_typed(ingest: Served) -> None:
    answer = await send(ingest, "/desk/disclosures/new", {**LEDGER, "rows": "12", "action": "more"})
    assert len(re.findall('name="summary-', answer.text)) == 22
    assert 'value="修村部水管"' in answer.text


async def test_submitting_without_reasons_shows_again_what_needs_one(ingest: Served) -> None:
    made = await send(ingest, "/desk/disclosures/new", {**LEDGER, "cash-closing": "900"})
    page = made.headers["location"]
    answer = await send(ingest, f"{page}/submit", {"version": "1"})
    assert answer.status_code == 409
    assert "有没有说明的问题，请改正" in answer.text
    assert 'name="reason|ledger.closing|body.accounts[0]"' in answer.text
    again = await send(ingest, f"{page}/submit", {"version": "1", "reason|ledger.closing|body.accounts[0]": "盘点差错"})
    assert (again.status_code, (await kept(ingest, page))["state"]) == (303, "submitted")


async def edit(served: Served, body: dict[str, Any]) -> Any:
    made = await served.client.post(PATH, json=builders.disclosure(body=body), headers=served.bearer(CLERK))
    headers = {**served.bearer(CLERK), "accept": "text/html"}
    return await served.client.get(f"/desk/disclosures/{made.json()['id']}/edit", headers=headers)


async def test_a_ledger_of_cash_and_bank_opens_in_the_form(ingest: Served) -> None:
    answer = await edit(ingest, builders.ledger())
    assert answer.status_code == 200
    assert 'value="修村部水管"' in answer.text
    assert 'value="50000.00"' in answer.text


@pytest.mark.parametrize("account", ["imprest", "bank:信用社"])
async def test_a_ledger_with_an_account_that_the_form_lacks_is_not_opened_there(ingest: Served, account: str) -> None:
    more = {"account": account, "opening_fen": 100, "closing_fen": 100}
    answer = await edit(ingest, builders.ledger(accounts=[*builders.ledger()["accounts"], more]))
    assert (answer.status_code, "从这里修改会丢失内容" in answer.text) == (409, True)


@pytest.mark.parametrize(("times", "status"), [(66, 200), (67, 409)])
async def test_a_ledger_of_more_than_200_lines_is_not_opened_in_the_form(
    ingest: Served, times: int, status: int
) -> None:
    lines = builders.ledger()["lines"] * times
    assert (await edit(ingest, builders.ledger(lines=lines))).status_code == status
