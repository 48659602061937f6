"""An accountant brings eleven ledgers in one file: faults by line and column, all or nothing, and back again."""

import json
from typing import Any

from tests.browser import steps
from tests.browser.conftest import People, Person
from tests.browser.steps import TOWNSHIP
from tests.running import RunningCity

ENDS = ("200", "201", "202", "206", "208", "209", "210", "211", "212")
VILLAGES = [TOWNSHIP + end for end in ENDS]
#: A month of every village, and the one before of two: eleven ledgers.
CELLS = [(v, "2025-12") for v in VILLAGES] + [(v, "2025-11") for v in VILLAGES[:2]]
HEAD = "村代码,事项,公开期,行别,账户,期初,期末,日期,摘要,收支,金额"


def rows() -> list[str]:
    """Lines of a spreadsheet: for each ledger its account and one payment."""
    found = [HEAD]
    for village, month in CELLS:
        found.append(f"{village},F01,{month},账户,银行存款,10000.00,9800.00,,,,")
        found.append(f"{village},F01,{month},明细,银行存款,,,{month}-20,付电费,支出,200.00")
    return found


def as_json() -> bytes:
    """The same eleven ledgers for programs."""
    accounts = [{"account": "bank", "opening_fen": 1_000_000, "closing_fen": 980_000}]
    told: list[dict[str, Any]] = []
    for village, month in CELLS:
        line = {"date": f"{month}-20", "summary": "付电费", "direction": "out", "amount_fen": 20_000, "account": "bank"}
        body = {"kind": "ledger", "accounts": accounts, "lines": [line]}
        told.append({"village": village, "item": "F01", "period": month, "body": body})
    return json.dumps({"disclosures": told}).encode()


async def bring(accountant: Person, name: str, content: bytes) -> None:
    await accountant.open("/desk/imports")
    kind = "text/csv" if name.endswith(".csv") else "application/json"
    file = accountant.page.get_by_label("账表文件")
    await file.set_input_files({"name": name, "mimeType": kind, "buffer": content})
    await accountant.page.get_by_role("button", name="上传并核对").click()


async def drafts(accountant: Person) -> int:
    """How many drafts of the two months the accountant sees."""
    await accountant.open("/desk/list?item=F01&state=draft")
    page = accountant.page
    return sum([await page.get_by_role("row").filter(has_text=m).count() for m in ("2025-11", "2025-12")])


async def test_a_file_with_two_faults_names_both_and_nothing_is_taken(people: People) -> None:
    accountant = await people()
    await accountant.sign_in(f"accountant-{TOWNSHIP}")
    wrong = rows()
    wrong[4] = wrong[4].replace("200.00", "二百元")
    wrong[10] = wrong[10].replace("支出", "付款")
    await bring(accountant, "十一份.csv", "\r\n".join(wrong).encode("gb18030"))
    await accountant.sees("第 5 行“金额”列：“二百元”不对，")
    await accountant.sees("第 11 行“收支”列：“付款”不对，应为 支出、收入、内部划转 之一")
    await accountant.shoot("25-import-faults")
    assert await drafts(accountant) == 0


async def test_an_undone_import_takes_back_what_nobody_has_touched(people: People, small_city: RunningCity) -> None:
    accountant = await people()
    await accountant.sign_in(f"accountant-{TOWNSHIP}")
    await bring(accountant, "十一份.csv", "\r\n".join(rows()).encode())
    await accountant.sees("导入结果")
    result = accountant.page.url
    assert await accountant.page.locator("tbody tr").count() == 11
    await accountant.shoot("26-imported")
    clerk = await steps.clerk_of(people, VILLAGES[3])
    await clerk.open(f"/desk/form?village={VILLAGES[3]}&item=F01&period=2025-12")
    await clerk.press("修改")
    await clerk.page.get_by_label("逐笔收支第1行摘要").fill("付村部电费")
    await clerk.press("保存草稿")
    await accountant.open(result)
    await accountant.sees("删去没有人动过的 10 份草稿，改过或已提交的留下。")
    await accountant.press("撤销这次导入")
    await accountant.sees("已撤销")
    assert await accountant.page.locator("tbody tr").count() == 1
    await accountant.sees("西海村委会")
    assert await drafts(accountant) == 1
    await accountant.shoot("27-import-undone")
    await steps.give_up(clerk, clerk.page.url.rsplit("/", 1)[-1])


async def test_the_same_eleven_come_as_json_and_go_again(people: People) -> None:
    accountant = await people()
    await accountant.sign_in(f"accountant-{TOWNSHIP}")
    await bring(accountant, "十一份.json", as_json())
    await accountant.sees("删去没有人动过的 11 份草稿")
    await accountant.press("撤销这次导入")
    await accountant.sees("没有留下草稿。")
    assert await drafts(accountant) == 0
