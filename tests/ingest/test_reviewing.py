"""A reviewer's list: what is to be let out with its figures, nothing ticked lost, and what came of it."""

import re
from typing import Any

import pytest

from services.contracts.catalogue import ItemSet
from tests import builders
from tests.ingest.conftest import CLERK, REVIEWER, SUPERVISOR, Month
from tests.ingest.test_pages import look


async def send(month: Month, fields: dict[str, Any]) -> Any:
    headers = {**month.served.bearer(REVIEWER), "accept": "text/html"}
    return await month.served.client.post("/desk/approvals", data=fields, headers=headers)


async def confirmed(month: Month, **changes: Any) -> str:
    made = await month.draft(**changes)
    await month.step(made, "submit", CLERK)
    await month.step(made, "confirm", SUPERVISOR)
    return made


def row_of(text: str, disclosure: str) -> str:
    """The row of a disclosure, without its marks."""
    (row,) = [r for r in text.split("<tr>") if f'value="{disclosure}|' in r]
    return " ".join(re.sub(r"<[^>]+>", " ", row).split())


async def test_the_list_tells_the_figures_of_a_ledger_and_how_they_differ_from_the_month_before(month: Month) -> None:
    before = builders.ledger(
        accounts=[
            {"account": "cash", "opening_fen": 130_000, "closing_fen": 120_000},
            {"account": "bank", "opening_fen": 5_000_000, "closing_fen": 5_000_000},
        ],
        lines=[{**builders.ledger()["lines"][0], "date": "2026-09-03", "amount_fen": 10_000}],
        totals=None,
    )
    await confirmed(month, period="2026-09", body=before)
    made = await confirmed(month)
    row = row_of((await look(month.served, "/desk", REVIEWER)).text, made)
    assert "收入 600.00 比2026-09多 600.00" in row
    assert "支出 3,815.00 比2026-09多 3,715.00" in row
    assert "结余 47,985.00 比2026-09少 3,215.00" in row


async def test_the_list_tells_the_title_of_what_is_no_ledger(month: Month) -> None:
    body = {"kind": "notice", "title": "村务公开制度", "paragraphs": ["每月公开一次。"]}
    made = await month.draft(item="P04", period="2026Q3", body=body)
    await month.step(made, "submit", CLERK)
    assert "村务公开制度" in row_of((await look(month.served, "/desk", REVIEWER)).text, made)


async def test_all_are_ticked_by_one_link_without_script(month: Month) -> None:
    await confirmed(month)
    assert " checked" not in (await look(month.served, "/desk", REVIEWER)).text
    text = (await look(month.served, "/desk?all=1", REVIEWER)).text
    assert len(re.findall(r'name="chosen" value="[^"]+" checked', text)) == 1


async def test_one_village_alone_can_be_looked_at(month: Month) -> None:
    made = await confirmed(month)
    assert made in (await look(month.served, f"/desk?village={builders.VILLAGE}", REVIEWER)).text
    assert made not in (await look(month.served, f"/desk?village={builders.NEIGHBOUR}", REVIEWER)).text


@pytest.mark.parametrize("village", ["210881006999", "x", "110101001001"])
async def test_a_village_that_is_not_ones_own_is_refused(month: Month, village: str) -> None:
    assert (await look(month.served, f"/desk?village={village}", REVIEWER)).status_code in {403, 404, 422}


async def test_nothing_ticked_is_told_on_the_same_page(month: Month) -> None:
    made = await confirmed(month)
    answer = await send(month, {"village": ""})
    assert (answer.status_code, "请先勾选要发布的内容" in answer.text, made in answer.text) == (422, True, True)


async def test_one_missing_name_loses_no_tick_and_no_other_name(month: Month) -> None:
    known = month.served.runtime.reference.items["F01"]
    revision = known.revisions[-1].model_copy(update={"secrecy": True})
    secret = known.model_copy(update={"revisions": (revision,)})
    await month.told(ItemSet(**builders.stamp("F01"), item=secret))
    await month.served.runtime.reference.refresh()
    first, second = await confirmed(month), await confirmed(month, period="2026-09", body=quiet())
    answer = await send(
        month,
        {
            "chosen": [f"{first}|1", f"{second}|1"],
            f"secrecy|{first}": "王审",
            f"secrecy|{second}": "",
        },
    )
    await month.told(ItemSet(**builders.stamp("F01"), item=known))
    await month.served.runtime.reference.refresh()
    assert (answer.status_code, "要写明保密审查人的姓名" in answer.text) == (422, True)
    assert len(re.findall(r'name="chosen" value="[^"]+" checked', answer.text)) == 2
    assert f'name="secrecy|{first}" value="王审"' in answer.text
    assert 'aria-invalid="true"' in answer.text


async def test_the_page_of_a_batch_follows_to_what_everybody_reads(month: Month) -> None:
    made = await confirmed(month)
    answer = await send(month, {"chosen": f"{made}|1"})
    page = answer.headers["location"]
    assert "秒后发布" in (await look(month.served, page, REVIEWER)).text
    async with month.served.runtime.database.transaction() as conn:
        await conn.execute("UPDATE approval_item SET state = 'approved'")
        await conn.execute("UPDATE disclosure SET state = 'approved', approved_at = now()")
    assert "data-again" in (await look(month.served, page, REVIEWER)).text
    await month.published(made)
    text = (await look(month.served, page, REVIEWER)).text
    assert ("已公开" in text, f'href="/d/{made}"' in text, "data-again" in text) == (True, True, False)


def quiet() -> dict[str, Any]:
    """September, in which nothing moved."""
    accounts = [
        {"account": "cash", "opening_fen": 120_000, "closing_fen": 120_000},
        {"account": "bank", "opening_fen": 5_000_000, "closing_fen": 5_000_000},
    ]
    return builders.ledger(accounts=accounts, lines=[], totals=None)
