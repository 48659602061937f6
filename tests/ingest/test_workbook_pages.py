"""一键导入 of a spreadsheet as a browser without script uses it: from the file to drafts that are handed in."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests import builders
from tests.conftest import Served
from tests.ingest.conftest import ACCOUNTANT, CLERK, REVIEWER, Month
from tests.ingest.test_pages import look, send

FILES = Path(__file__).parent / "spreadsheets"
BOARD = "01_line_board_html.xls"


async def upload(month: Month, name: str, data: bytes | None = None, user: str = CLERK) -> Any:
    content = data if data is not None else (FILES / name).read_bytes()
    headers = {**month.served.bearer(user), "accept": "text/html"}
    return await month.served.client.post("/desk/imports", files={"file": (name, content)}, headers=headers)


async def uploaded(month: Month, name: str, data: bytes | None = None, user: str = CLERK) -> str:
    answer = await upload(month, name, data, user)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def said(served: Served, page: str, user: str = CLERK, **fields: str) -> str:
    """The preview after some answers."""
    answer = await send(served, page, fields, user)
    assert answer.status_code == 303, answer.text
    return str((await look(served, page, user)).text)


async def taken(month: Month, page: str, user: str = CLERK) -> str:
    answer = await send(month.served, f"{page}/take", {}, user)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def body_of(month: Month, village: str = builders.VILLAGE, user: str = CLERK, **where: str) -> dict[str, Any]:
    found = await month.done("GET", "/ingest/v1/disclosures", user, division=village, **where)
    (one,) = found["items"]
    return dict((await month.done("GET", f"/ingest/v1/disclosures/{one['id']}", user))["body"])


async def test_an_agencys_board_becomes_a_ledger_after_two_answers(month: Month) -> None:
    page = await uploaded(month, BOARD)
    text = (await look(month.served, page)).text
    assert "文件里的日期没有年份，请选是哪一年" in text
    assert "全部是银行存款" in text
    assert "带入草稿" not in text.replace("点了“带入草稿”", "")
    text = await said(month.served, page, year="2026", account="bank")
    assert "带入草稿（1 份，9 行）" in text
    assert "相符" in text
    assert "原文：3月2" in text
    result = await taken(month, page)
    body = await body_of(month)
    assert body["accounts"] == [{"account": "bank", "opening_fen": 1842055, "closing_fen": 1606792}]
    assert [(x["date"], x["direction"], x["amount_fen"]) for x in body["lines"]][:3] == [
        ("2026-03-02", "out", 360000),
        ("2026-03-05", "in", 600000),
        ("2026-03-09", "out", 81240),
    ]
    assert body["lines"][1]["voucher"] == {"word": "收", "no": 1}
    assert body["totals"] == {"income_fen": 601237, "expense_fen": 836500}
    assert "提交没有问题的 1 份" in (await look(month.served, result)).text
    assert (await send(month.served, f"{result}/submit", {})).status_code == 303
    assert "等待核对" in (await look(month.served, result)).text


async def test_nothing_is_a_draft_before_it_was_seen_and_pressed(month: Month) -> None:
    page = await uploaded(month, BOARD)
    refused = await send(month.served, f"{page}/take", {})
    assert refused.status_code == 422
    assert "还有没回答的问题" in refused.text
    assert await month.rows("SELECT 1 FROM disclosure") == []


async def test_pressed_twice_it_is_taken_in_once(month: Month) -> None:
    page = await uploaded(month, BOARD)
    await said(month.served, page, year="2026", account="bank")
    await taken(month, page)
    assert (await send(month.served, f"{page}/take", {})).status_code == 404
    assert len(await month.rows("SELECT 1 FROM disclosure")) == 1
    assert await month.rows("SELECT 1 FROM workbook") == []


async def test_what_waits_rests_sealed_and_its_key_goes_with_it(month: Month) -> None:
    page = await uploaded(month, BOARD)
    await said(month.served, page, year="2026")
    (row,) = await month.rows("SELECT sealed, answers_sealed FROM workbook")
    assert "收二组机动地承包费".encode() not in row["sealed"]
    assert b"2026" not in row["answers_sealed"]
    workbook_id = page.rsplit("/", 1)[-1]
    key = f"SELECT 1 FROM shred_key WHERE aggregate_id = '{workbook_id}'"
    assert len(await month.rows(key)) == 1
    assert (await send(month.served, f"{page}/drop", {})).status_code == 303
    assert await month.rows(key) == []
    assert (await look(month.served, page)).status_code == 404


async def test_somebody_elses_file_is_as_if_there_were_none(month: Month) -> None:
    page = await uploaded(month, BOARD)
    assert (await look(month.served, page, REVIEWER)).status_code == 404
    assert (await send(month.served, page, {"year": "2026"}, ACCOUNTANT)).status_code == 404


async def test_vouchers_are_counted_once_and_void_ones_left_out_and_told(month: Month) -> None:
    page = await uploaded(month, "14_vouchers_with_status_bom.csv")
    text = (await look(month.served, page)).text
    assert "状态是“已作废”，没有入账：2 处" in text
    assert "状态是“草稿”，没有入账：2 处" in text
    key = f"opening:{builders.VILLAGE}|2026-10|"
    text = await said(month.served, page, **{f"{key}cash": "100", f"{key}bank": "9,000.00"})
    assert "带入草稿（1 份，2 行）" in text
    await taken(month, page)
    body = await body_of(month)
    assert [(x["direction"], x["amount_fen"], x["account"]) for x in body["lines"]] == [
        ("transfer", 200000, "bank"),
        ("out", 81240, "bank"),
    ]
    assert {a["account"]: a["closing_fen"] for a in body["accounts"]} == {"bank": 618760, "cash": 210000}


async def test_the_opening_is_what_the_period_before_left(month: Month) -> None:
    accounts = [{"account": a, "opening_fen": 0, "closing_fen": 5000} for a in ("cash", "bank")]
    await month.draft(period="2026-09", body={"kind": "ledger", "accounts": accounts, "lines": []})
    text = (await look(month.served, await uploaded(month, "14_vouchers_with_status_bom.csv"))).text
    assert "库存现金的上期结余文件里没有，用的是本村上一期的期末 50.00 元" in text
    assert "带入草稿（1 份，2 行）" in text


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("空.xlsx", b" ", "文件是空的"),
        ("图.xls", b"\xff\xd8\xff\xe0" + b"\0" * 100, "这不是表格文件"),
        ("坏.xlsx", b"PK\x03\x04" + b"x" * 300, "文件不完整或已损坏"),
        ("坏.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 900, "文件不完整或已损坏"),
        ("大.csv", b"a," * (4 * 1024 * 1024 + 1), "文件超过 8 MiB"),
    ],
)
async def test_what_is_no_spreadsheet_is_told_in_one_sentence(month: Month, name: str, data: bytes, words: str) -> None:
    answer = await upload(month, name, data)
    assert answer.status_code == 422
    assert words in answer.text
    assert await month.rows("SELECT 1 FROM workbook") == []


SHEET = "日期,摘要,收入,支出,余额\n,上期结转,,,1000.00\n{day},付电费,,{amount},{left}\n"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": "二百元"}, "第 3 行 D 列“支出”：“二百元”不对，金额应写成"),
        ({"day": "2026-02-30"}, "第 3 行 A 列“日期”：“2026-02-30”不对，没有 2026-02-30 这一天"),
        ({"amount": "12.345"}, "第 3 行 D 列“支出”：“12.345”不对，金额的单位是元，最多到分"),
        ({"left": "不知道"}, "第 3 行 E 列“余额”：“不知道”不对"),
    ],
)
async def test_a_wrong_cell_is_named_by_line_and_column(month: Month, changes: dict[str, str], words: str) -> None:
    text = SHEET.format(**{"day": "2026-10-03", "amount": "20.00", "left": "980.00", **changes})
    page = await uploaded(month, "现金.csv", text.encode("gb18030"))
    shown = await said(month.served, page, account="cash")
    assert words in shown
    assert (await send(month.served, f"{page}/take", {})).status_code == 422
    assert await month.rows("SELECT 1 FROM disclosure") == []


async def test_a_cell_that_is_taken_says_so_with_the_place_in_the_file(month: Month) -> None:
    await month.draft()
    page = await uploaded(month, "现金.csv", SHEET.format(day="2026-10-03", amount="20", left="980").encode())
    await said(month.served, page, account="cash")
    answer = await send(month.served, f"{page}/take", {})
    assert answer.status_code == 422
    assert "已经录入" in answer.text
    assert "公开期：" in answer.text
    assert "period" not in answer.text.partition('class="fault"')[2].partition("</div>")[0]
    assert len(await month.rows("SELECT 1 FROM workbook")) == 1


async def test_a_column_that_somebody_explained_is_known_to_the_agencys_other_villages(month: Month) -> None:
    text = "日期,摘要,进项,出项\n2026-10-03,付电费,,20.00\n"
    page = await uploaded(month, "账.csv", text.encode())
    shown = (await look(month.served, page)).text
    assert "不认识，没有带入" in shown
    columns = dict(re.findall(r'name="name:([^"]+)" value="([^"]+)"', shown))
    fields = {f"column:{key}": {"进项": "in", "出项": "out"}.get(name, "") for key, name in columns.items()}
    fields |= {f"name:{key}": name for key, name in columns.items()}
    assert "全部是银行存款" in await said(month.served, page, **fields, learn="yes")
    other = (await look(month.served, await uploaded(month, "账.csv", text.encode(), ACCOUNTANT), ACCOUNTANT)).text
    assert "全部是银行存款" in other
    assert "出项" in (await look(month.served, "/desk/imports/words", ACCOUNTANT)).text
    await send(month.served, "/desk/imports/words", {"word:出项": "yes", "word:进项": "yes"}, REVIEWER)
    assert "还没有记住过列名" in (await look(month.served, "/desk/imports/words")).text


async def test_one_file_of_several_villages_splits_by_name(month: Month) -> None:
    names = [d.now.name for d in month.served.runtime.reference.villages(builders.TOWNSHIP)][:3]
    rows = [f"{name},2026-10-0{n + 1},付电费,,{n + 1}.00,银行存款" for n, name in enumerate(names)]
    data = "\n".join(["村名,日期,摘要,收入,支出,账户", *rows]).encode()
    page = await uploaded(month, "十月.csv", data, ACCOUNTANT)
    text = (await look(month.served, page, ACCOUNTANT)).text
    keys = re.findall(r'name="(opening:[^"]+)"', text)
    assert len(keys) == len(names)
    assert f"带入草稿（{len(names)} 份" in await said(month.served, page, ACCOUNTANT, **dict.fromkeys(keys, "10"))
    result = await taken(month, page, ACCOUNTANT)
    assert f"提交没有问题的 {len(names)} 份" in (await look(month.served, result, ACCOUNTANT)).text
    assert (await send(month.served, f"{result}/submit", {}, ACCOUNTANT)).status_code == 303
    states = await month.rows("SELECT state FROM disclosure")
    assert [r["state"] for r in states] == ["submitted"] * len(names)


async def test_earlier_imports_are_listed_and_can_be_undone(month: Month) -> None:
    page = await uploaded(month, BOARD)
    assert BOARD in (await look(month.served, "/desk/imports")).text
    await said(month.served, page, year="2026", account="bank")
    result = await taken(month, page)
    assert f'href="{result}"' in (await look(month.served, "/desk/imports")).text
    assert (await send(month.served, f"{result}/undo", {})).status_code == 303
    assert "，已撤销" in (await look(month.served, "/desk/imports")).text
    assert await month.rows("SELECT 1 FROM disclosure") == []
