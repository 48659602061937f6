"""Spreadsheets understood: whatever format, encoding and layout, every figure once, every doubt asked, nothing dropped in silence."""

import io
import json
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.catalogue import ItemKind
from services.contracts.values import Frequency
from services.ingest.bulk.cells import CellError
from services.ingest.workbooks.days import day_of, months_of, period_in
from services.ingest.workbooks.plan import Answers, ItemFacts, Office, Plan, compose, understand
from services.ingest.workbooks.reading import read_workbook
from services.ingest.workbooks.villages import Place
from services.ingest.workbooks.workbook import UnreadableError, Workbook, dumped, letters, loaded

FILES = Path(__file__).parent / "spreadsheets"
FRONT, BACK = Place("210881006206", "前柳村", "河口镇"), Place("210881006207", "后柳村", "河口镇")
ITEMS = (
    ItemFacts("F01", "财务收支明细", ItemKind.LEDGER, Frequency.MONTHLY),
    ItemFacts("F05", "资产台账", ItemKind.TABLE, Frequency.HALF_YEAR),
    ItemFacts("V05", "救灾救助", ItemKind.ROSTER, Frequency.ON_EVENT),
)
TODAY = date(2026, 11, 28)


def plan_of(book: Workbook, *places: Place, before: dict[str, dict[str, int]] | None = None, **answers: Any) -> Plan:
    office = Office(ITEMS, places or (FRONT,), {}, TODAY, tuple(p for p in (FRONT, BACK) if p not in places))
    return compose(understand(book, "账.xlsx", Answers(**answers), office), before or {})


def of_file(name: str, *places: Place, **answers: Any) -> Plan:
    return plan_of(read_workbook((FILES / name).read_bytes()), *places, **answers)


def of_text(text: str, *places: Place, **answers: Any) -> Plan:
    return plan_of(read_workbook(text.encode()), *places, **answers)


def asked(plan: Plan) -> list[str]:
    return [q.field for q in plan.questions]


def lines(plan: Plan) -> list[tuple[str, str, int, str]]:
    (one,) = plan.made
    return [(x["date"], x["direction"], x["amount_fen"], x["account"]) for x in one.body["lines"]]


def left(plan: Plan) -> dict[str, int]:
    return {reason: len(places) for reason, places in plan.left_out}


# -- the look-alikes, one by one ----------------------------------------------------------------------------------


def test_the_board_of_an_agency() -> None:
    assert asked(of_file("01_line_board_html.xls", FRONT, BACK)) == ["village", "year", "account"]
    plan = of_file("01_line_board_html.xls", year="2026", account="bank")
    assert plan.ready
    assert plan.stated[0].holds
    (one,) = plan.made
    assert (one.period, len(one.body["lines"])) == ("2026-03", 9)
    assert one.body["accounts"] == [{"account": "bank", "opening_fen": 1842055, "closing_fen": 1606792}]
    red = next(x for x in one.body["lines"] if x["summary"] == "冲回多付电费")
    assert (red["direction"], red["amount_fen"], red["voucher"]) == ("out", -11240, {"word": "付", "no": 5})


def test_the_finances_of_a_wall_board_are_found_among_nineteen_sections() -> None:
    plan = of_file("02_wall_board_3sheets.xls", account="cash")
    assert plan.ready
    assert [(m.period, len(m.body["lines"])) for m in plan.made] == [("2026-01", 2), ("2026-02", 2), ("2026-03", 2)]
    ends = [(m.body["accounts"][0]["opening_fen"], m.body["accounts"][0]["closing_fen"]) for m in plan.made]
    assert (ends[0][0], ends[2][1]) == (1230620, 1107281)
    assert ends[0][1] == ends[1][0]
    assert left(plan)["没有金额，或金额是 0"] == 1


def test_forms_in_prose_are_no_tables_of_figures() -> None:
    plan = of_file("03_tender_forms.xls")
    assert not plan.ready
    assert plan.made == []


def test_a_list_of_vouchers_is_counted_once() -> None:
    plan = of_file("04a_voucher_list_32col_real_dates.xlsx")
    assert asked(plan) == [f"opening:{FRONT.code}|2026-10|{account}" for account in ("cash", "bank")]
    plan = of_file(
        "04a_voucher_list_32col_real_dates.xlsx",
        openings={f"{FRONT.code}|2026-10|cash": "500", f"{FRONT.code}|2026-10|bank": "1万"},
    )
    assert plan.ready
    assert lines(plan) == [
        ("2026-10-03", "transfer", 200000, "bank"),
        ("2026-10-06", "out", 72000, "cash"),
        ("2026-10-09", "out", 38550, "cash"),
        ("2026-10-12", "in", 600000, "bank"),
        ("2026-10-15", "out", 81240, "bank"),
        ("2026-10-18", "out", -11240, "bank"),
        ("2026-10-21", "out", 9600, "cash"),
    ]
    assert "6200000000000000018" not in json.dumps(plan.made[0].body)


def test_a_chart_without_figures_is_nothing_to_publish() -> None:
    assert of_file("05_chart_of_accounts_indented.xlsx").made == []


def test_a_list_of_people_asks_which_village_where_code_and_name_do_not_agree() -> None:
    name = "07_winter_relief_note_row_hidden_lists.xls"
    plan = of_file(name, item="V05", period="2026-11-05")
    assert asked(plan) == ["village:210000000200|前柳村", "village:210000000201|前柳村"]
    assert plan.untold == ["工作表“字典”是隐藏的，没有带入。"]
    said = dict.fromkeys(("210000000200|前柳村", "210000000201|前柳村"), FRONT.code)
    plan = of_file(name, item="V05", period="2026-11-05", villages=said)
    assert plan.ready
    (one,) = plan.made
    assert one.body["entries"][0] == {
        "name": "佟长顺",
        "household_size": 1,
        "category": "五保户",
        "amount_fen": 50000,
    }
    assert "21088119400101000X" not in json.dumps(one.body)


def test_numbers_of_accounts_are_never_taken() -> None:
    plan = of_file("08_bank_batch_200_styled_rows.xls", item="V05", period="2026-11-05")
    assert "620000" not in json.dumps(plan.made[0].body)
    assert len(plan.made[0].body["entries"]) == 6


def test_a_head_of_three_rows_with_marks_below_splits_by_village_and_asks_the_unit() -> None:
    name = "09_village_project_3level_N_row.xls"
    plan = of_file(name, FRONT, BACK, item="F05", period="2026H2")
    assert asked(plan) == ["unit"]
    plan = of_file(name, FRONT, BACK, item="F05", period="2026H2", unit="万元")
    assert plan.ready
    assert [m.village for m in plan.made] == [FRONT.code, BACK.code]
    names = [c["name"] for c in plan.made[0].body["columns"]]
    assert names[:4] == ["项目名称", "总投资", "其中·财政补助", "其中·省级"]
    assert plan.made[0].body["rows"][0][:2] == ["冷库", 60_000_000]
    assert left(plan)["表头下的编号、类型行"] == 1


def test_a_tick_in_one_of_seven_columns_is_a_category() -> None:
    plan = of_file("12_household_funds_tick_columns.xls", item="V05", period="2026-11-05")
    found = [(e["name"], e["category"], e["amount_fen"]) for e in plan.made[0].body["entries"]]
    assert found == [
        ("佟长顺", "直接扶持", 150000),
        ("宫玉珍", "入股分红", 150000),
        ("单立国", "公益岗", 150000),
        ("栾桂芝", "其他", 150000),
    ]


def test_drafts_and_void_vouchers_are_left_out_and_told() -> None:
    plan = of_file("14_vouchers_with_status_bom.csv")
    assert [x["summary"] for x in plan.made[0].body["lines"]] == ["提现备用", "付电费"]
    assert left(plan) == {"状态是“已作废”，没有入账": 2, "状态是“草稿”，没有入账": 2}


def test_a_journal_in_gbk_without_a_year() -> None:
    assert asked(of_file("15_ledger_u8_gbk.csv")) == ["year"]
    plan = of_file("15_ledger_u8_gbk.csv", year="2026")
    assert plan.ready
    assert lines(plan) == [("2026-10-03", "in", 200000, "cash"), ("2026-10-09", "out", 72000, "cash")]
    assert plan.made[0].body["accounts"] == [{"account": "cash", "opening_fen": 1842055, "closing_fen": 1970055}]


# -- layouts that are made here -----------------------------------------------------------------------------------

BOOK = "日期,凭证号,摘要,收入,支出,余额\n,,上期结转,,,100.00\n2026-10-03,记-1,付电费,,20.00,80.00\n,,本月合计,0,20.00,80.00\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_delimiter_and_line_end_reads_the_same(encoding: str, delimiter: str, end: str) -> None:
    data = BOOK.replace(",", delimiter).replace("\n", end).encode(encoding)
    assert lines(plan_of(read_workbook(data), account="cash")) == [("2026-10-03", "out", 2000, "cash")]


def test_western_letters_are_not_taken_for_chinese() -> None:
    rows = read_workbook("Año;Descripción\n2011;Educación y salud\n".encode("latin-1")).sheets[0].rows
    assert rows[0] == ["Año", "Descripción"]


def table(rows: list[list[str]]) -> str:
    return "\n".join(",".join(row) for row in rows)


def test_the_head_again_on_every_printed_page_is_no_line() -> None:
    head = ["日期", "摘要", "收入", "支出"]
    body = [["2026-10-03", "付电费", "", "1"], ["第 1 页 共 2 页", "", "", ""], head, ["2026-10-04", "付水费", "", "2"]]
    plan = of_text(table([["十月账", "", "", ""], head, *body]), account="cash")
    assert [x[2] for x in lines(plan)] == [100, 200]
    assert left(plan) == {"每页重复的表头": 1, "页码": 1}


def test_two_halves_side_by_side_are_read_one_after_the_other() -> None:
    rows = [
        ["日期", "摘要", "支出"] * 2,
        ["2026-10-01", "甲", "1", "2026-10-02", "乙", "2"],
        ["2026-10-03", "丙", "3", "", "", ""],
    ]
    plan = of_text(table(rows).replace("支出", "支出金额"), account="cash")
    assert [x[2] for x in lines(plan)] == [100, 200, 300]


def test_notes_and_signatures_are_told_and_not_taken() -> None:
    rows = ["日期,摘要,收入,支出", "2026-10-03,付电费,,1", "备注：本月无其他收支,,,", "会计：,审核：,负责人：,"]
    plan = of_text("\n".join(rows), account="cash")
    assert left(plan) == {"说明": 1, "签字栏": 1}
    assert len(lines(plan)) == 1


def test_money_between_ones_own_books_is_a_transfer_counted_once() -> None:
    rows = [
        "日期,凭证号,摘要,账户,收入,支出",
        "2026-10-03,记-1,提现备用,库存现金,2000,",
        "2026-10-03,记-1,提现备用,银行存款,,2000",
    ]
    plan = of_text("\n".join(rows), before={f"{FRONT.code}|2026-10": {"cash": 0, "bank": 500000}})
    assert plan.ready
    assert lines(plan) == [("2026-10-03", "transfer", 200000, "bank")]
    assert "只算一次" in "".join(plan.made[0].notes)


def test_a_voucher_that_does_not_balance_is_refused_at_its_place() -> None:
    rows = ["日期,凭证号,摘要,科目名称,借方,贷方", "2026-10-03,记-1,付电费,管理费用,120,", ",,,银行存款,,110"]
    plan = of_text("\n".join(rows))
    assert [f.words for f in plan.faults] == [
        "第 2 行 B 列“凭证号”：这张凭证借贷不平，相差 10.00 元，请核对有没有少了一行"
    ]


def test_a_voucher_without_money_is_left_out_and_told() -> None:
    rows = [
        "日期,凭证号,摘要,科目名称,借方,贷方",
        "2026-10-03,记-1,计提折旧,管理费用,120,",
        ",,,累计折旧,,120",
        "2026-10-04,记-2,付水费,管理费用,5,",
        ",,,库存现金,,5",
    ]
    plan = of_text("\n".join(rows))
    assert [x[2] for x in lines(plan)] == [500]
    assert left(plan) == {"没有动用现金、银行存款的凭证（不是收支）": 1}


def test_parents_and_children_of_a_chart_are_never_added_together() -> None:
    chart = [
        "科目代码,科目名称,期初余额,期末余额",
        "1001,库存现金,100,80",
        "1002,银行存款,3000,3000",
        "100201,信用社,1000,1000",
        "100202,农行,2000,2000",
        ",合计,3100,3080",
    ]
    book = Workbook("XLSX", [read_workbook(BOOK.replace("上期结转", "").encode()).sheets[0]])
    book.sheets += read_workbook("\n".join(chart).encode()).sheets
    book.sheets[1].name = "余额表"
    plan = plan_of(book, account="cash")
    accounts = {a["account"]: a["opening_fen"] for a in plan.made[0].body["accounts"]}
    assert sum(accounts.values()) == 310000
    assert left(plan)["上级科目（用的是它下面的明细，不重复相加）"] == 1


def test_a_title_of_another_village_is_asked_about_and_never_taken_as_ones_own() -> None:
    plan = of_text(f"后柳村财务收支明细,,,,,\n{BOOK}", account="cash")
    assert asked(plan) == ["village"]
    assert "后柳村" in plan.questions[0].words
    assert of_text(f"后柳村财务收支明细,,,,,\n{BOOK}", account="cash", village=FRONT.code).ready


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("前流村", "没有叫“前流村”的村"),
        ("210881006207|前柳村", "代码 210881006207 是后柳村，村名却写的是“前柳村”"),
        ("2.10881E+11|", "村代码成了“2.10881E+11”"),
        ("21088100620|前柳村", "村代码“21088100620”不对，应是 12 位数字"),
    ],
)
def test_a_village_that_is_not_certain_is_offered_and_never_guessed(said: str, words: str) -> None:
    code, _, name = said.rpartition("|") if "|" in said else ("", "", said)
    if said.endswith("|"):
        code, name = said[:-1], ""
    text = f"村代码,村名,日期,摘要,收入,支出,账户\n{code},{name},2026-10-03,付电费,,1,现金\n"
    plan = of_text(text, FRONT, BACK)
    told = [q.words for q in plan.questions] + [f.message for f in plan.faults]
    assert any(words in t for t in told)
    assert not plan.ready


def test_a_row_without_a_village_among_rows_with_one_is_a_fault() -> None:
    text = "村名,日期,摘要,支出金额,账户\n前柳村,2026-10-03,付电费,1,现金\n,2026-10-04,付水费,1,现金\n"
    assert [f.words for f in of_text(text, FRONT, BACK).faults] == ["第 3 行：这一行没有写是哪个村，请补上"]


@pytest.mark.parametrize("cell", ["2026.1", 2026.1])
def test_a_period_of_january_or_october_is_asked(cell: Any) -> None:
    assert months_of(cell) == ("2026-01", "2026-10")
    book = read_workbook("会计期间,凭证号,摘要,收入,支出\n2026.1,记-1,付电费,,1\n".encode())
    book.sheets[0].rows[1][0] = cell
    plan = plan_of(book, account="cash")
    assert [(q.field, q.offered) for q in plan.questions][:1] == [
        ("period", (("2026-01", "2026年1月"), ("2026-10", "2026年10月")))
    ]


@pytest.mark.parametrize(
    "text", ["2026-10", "2026年10月", "202610", "2026/10", "Oct-26", "二〇二六年十月", "2026年第10期"]
)
def test_a_month_in_every_form(text: str) -> None:
    assert months_of(text) == ("2026-10",)


@pytest.mark.parametrize("text", ["2026-13", "202600", "十三月", "Okt-26", "", "去年"])
def test_what_is_no_month_is_none(text: str) -> None:
    assert months_of(text) == ()


@pytest.mark.parametrize(
    ("text", "frequency", "period"),
    [
        ("前柳村2026年10月份财务收支公开表", Frequency.MONTHLY, "2026-10"),
        ("2026年第 一 季度", Frequency.QUARTERLY, "2026Q1"),
        ("2026年上半年", Frequency.HALF_YEAR, "2026H1"),
        ("二〇二六年度决算", Frequency.YEARLY, "2026"),
        ("2026年9月至2026年10月", Frequency.MONTHLY, None),
        ("没有日期", Frequency.MONTHLY, None),
    ],
)
def test_a_title_names_its_period_or_none(text: str, frequency: Frequency, period: str | None) -> None:
    assert period_in(text, frequency) == period


def test_a_day_that_is_none_is_a_fault_and_no_question() -> None:
    plan = of_text("日期,摘要,收入,支出\n4月31日,付水费,,5\n", account="cash", year="2026")
    assert asked(plan) == []
    assert [f.words for f in plan.faults][:1] == ["第 2 行 A 列“日期”：“4月31日”不对，没有 4月31日 这一天，请核对"]


# -- whatever is written ------------------------------------------------------------------------------------------

DAYS = st.dates(date(2000, 1, 1), date(2098, 12, 31))


@given(DAYS)
def test_a_day_in_any_form_is_that_day(day: date) -> None:
    forms = (
        "{0}-{1:02}-{2:02}",
        "{0}/{1}/{2}",
        "{0}.{1}.{2}",
        "{0}年{1}月{2}日",
        "{0}{1:02}{2:02}",
        "{0}-{1}-{2} 08:30:00",
    )
    for form in forms:
        assert day_of(form.format(day.year, day.month, day.day), "") == day
    assert day_of(f"{day.month}月{day.day}日", str(day.year)) == day
    assert day_of((day - date(1899, 12, 30)).days, "") == day


@given(st.text(max_size=12))
def test_what_is_no_day_is_told_and_nothing_else_happens(text: str) -> None:
    told = ""
    try:
        day_of(text, "2026-10")
    except CellError as error:
        told = str(error)
    assert told == "" or "日" in told or "天" in told


AMOUNTS = st.lists(st.integers(-99_999_999, 99_999_999).filter(bool), min_size=1, max_size=30)


@given(AMOUNTS, st.sampled_from(["{:.2f}", "{:,.2f}", "¥{:,.2f}"]))
def test_lines_come_to_the_fen_whatever_form_the_amounts_have(amounts: list[int], form: str) -> None:
    rows = [f"2026-10-{1 + n % 28:02}\t第{n}笔\t\t{form.format(fen / 100)}" for n, fen in enumerate(amounts)]
    plan = of_text("\n".join(["日期\t摘要\t收入\t支出", *rows]), account="bank")
    assert sorted(x["amount_fen"] for x in plan.made[0].body["lines"]) == sorted(amounts)
    assert plan.faults == []


NAMES = st.lists(st.text("日月期摘要收支入出借贷方金额余村姓名（元）/ \n", max_size=8), min_size=1, max_size=8)


@given(NAMES, st.lists(st.lists(st.text(max_size=6), max_size=8), max_size=6))
def test_any_head_over_any_rows_is_understood_or_told(head: list[str], rows: list[list[str]]) -> None:
    out = io.StringIO()
    out.write("\n".join("\t".join(c.replace("\t", "").replace("\n", "") for c in row) for row in [head, *rows]))
    try:
        book = read_workbook(out.getvalue().encode(errors="replace"))
    except UnreadableError:
        return
    plan = plan_of(book)
    assert not plan.ready or plan.made
    assert loaded(dumped(book)).sheets[0].rows == book.sheets[0].rows


@given(st.integers(0, 20_000))
def test_columns_are_named_as_spreadsheets_name_them(column: int) -> None:
    name = letters(column)
    back = 0
    for c in name:
        back = back * 26 + ord(c) - ord("A") + 1
    assert back - 1 == column


# -- what is no spreadsheet, and what would break one --------------------------------------------------------------


def wide() -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    for row in range(20):
        for column in range(0, 16_000, 40):
            sheet.write(row, column, 1)
    book.close()
    return out.getvalue()


def corners() -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.write(0, 0, "日期")
    sheet.write(1_048_575, 16_383, "摘要")
    book.close()
    return out.getvalue()


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"<workbook/>")
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * (300 * 1024 * 1024))
    return out.getvalue()


def locked() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 2000


#: A reader that opens nothing once it has begun, as in the limited process, and tells the most memory that it held, in kB.
MEASURED = """
import codecs, sys
from services.ingest.workbooks.reading import answer
from services.kit.confined import _ENCODINGS
for encoding in _ENCODINGS: codecs.lookup(encoding)
data, late = sys.stdin.buffer.read(), []
sys.addaudithook(lambda event, args: late.append(str(args[0])) if event in {"import", "open"} else None)
written = answer(data)
assert late == [], late
sys.stdout.buffer.write(written)
sys.stderr.write(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def read_apart(data: bytes) -> tuple[dict[str, Any], int]:
    """What a process of its own makes of a file, and the MiB that it held at most."""
    done = subprocess.run([sys.executable, "-c", MEASURED], input=data, capture_output=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    return json.loads(done.stdout), int(done.stderr) // 1024


@pytest.mark.parametrize("name", sorted(p.name for p in FILES.iterdir() if p.suffix != ".md"))
def test_a_file_is_read_without_opening_anything(name: str) -> None:
    read, mib = read_apart((FILES / name).read_bytes())
    assert read["sheets"]
    assert mib < 300


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (wide, "表格有 15961 列，最多 400 列"),
        (corners, "表格有 16384 列，最多 400 列"),
        (bomb, "文件展开后太大"),
        (locked, "文件设了打开密码"),
        (lambda: b"PK\x03\x04" + b"\0" * 100, "文件不完整或已损坏"),
        (lambda: (FILES / "02_wall_board_3sheets.xls").read_bytes()[:1500], "文件不完整或已损坏"),
        (lambda: b"%PDF-1.7\n", "这不是表格文件"),
        (lambda: b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'/>", "不该有的声明"),
        (lambda: b"\0" * 10 + b"x" * 1000, "这不是表格文件"),
        (lambda: b"<html><body>" + b"<table><tr>" + b"<td>1</td>" * 2000 + b"</tr></table>", "表格超过 400 列"),
        (lambda: b"<table>" * 5000 + b"<tr><td colspan=99999 rowspan=99999>x", "网页里没有表格"),
    ],
)  # fmt: skip
def test_bombs_answer_with_one_sentence_in_little_memory(make: Any, words: str) -> None:
    read, mib = read_apart(make())
    assert words in read["unreadable"]
    assert "\n" not in read["unreadable"]
    assert mib < 300


def test_what_is_hidden_or_beside_the_cells_is_told_and_not_taken() -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("十月")
    for n, row in enumerate(BOOK.splitlines()):
        sheet.write_row(n, 0, row.split(","))
    sheet.write_row(5, 0, ["2026-10-09", "记-2", "不该看见", "", 1, ""])
    sheet.set_row(5, None, None, {"hidden": True})
    sheet.write(0, 7, "身份证号")
    sheet.write(2, 7, "21088119400101000X")
    sheet.set_column(7, 7, None, None, {"hidden": True})
    sheet.write_comment("C3", "打给张三 13800138000")
    book.define_name("合计额", "=十月!$E$3")
    book.add_worksheet("底稿").hide()
    book.close()
    plan = plan_of(read_workbook(out.getvalue()), account="cash")
    assert len(lines(plan)) == 1
    assert sorted(plan.untold) == [
        "1 个自定义名称没有带入。",
        "1 条批注没有带入。",
        "工作表“十月”有 1 列是隐藏的，没有带入。",
        "工作表“十月”有 1 行是隐藏的，没有带入。",
        "工作表“底稿”是隐藏的，没有带入。",
    ]


SPREADSHEET_XML = """<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
<Worksheet ss:Name="十月"><Table>
<Row><Cell ss:MergeAcross="3"><Data ss:Type="String">前柳村2026年10月账</Data></Cell></Row>
<Row><Cell><Data ss:Type="String">日期</Data></Cell><Cell><Data ss:Type="String">摘要</Data></Cell>
<Cell><Data ss:Type="String">收入</Data></Cell><Cell><Data ss:Type="String">支出</Data></Cell></Row>
<Row><Cell><Data ss:Type="DateTime">2026-10-03T00:00:00.000</Data></Cell><Cell><Data ss:Type="String">付电费</Data></Cell>
<Cell ss:Index="4"><Data ss:Type="Number">20.5</Data><Comment><Data>谁</Data></Comment></Cell></Row>
<Row ss:Hidden="1"><Cell><Data ss:Type="String">2026-10-04</Data></Cell></Row>
</Table></Worksheet></Workbook>"""


def test_xml_of_2003_is_read_by_what_it_holds() -> None:
    plan = plan_of(read_workbook(SPREADSHEET_XML.encode()), account="cash")
    assert lines(plan) == [("2026-10-03", "out", 2050, "cash")]
    assert plan.untold == ["1 处隐藏的行、列或工作表没有带入。", "1 条批注没有带入。"]
