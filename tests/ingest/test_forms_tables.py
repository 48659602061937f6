"""Tables at the desk: units are converted, keys and checks follow their columns, sums typed as rows are checked."""

from typing import Any

import pytest

from services.contracts.bodies import Table
from services.contracts.catalogue import ItemKind, Masking
from services.ingest.bulk.cells import CellError, to_fen_of_wan, to_wan
from services.ingest.forms import Form, field_of, form_of, read_form, to_body
from services.ingest.forms.paste import paste
from services.ingest.forms.values import WAN
from services.ingest.gate.bodies import read_body
from services.ingest.pages.compare import shown as as_read
from tests.disclosures import sheet
from tests.ingest.test_forms import WHERE, item, sent

YEARS = [("年度", "text", ""), ("重建", "count", "户"), ("修缮", "count", "户"), ("补助", "amount", "万元")]


def begun(code: str) -> dict[str, str]:
    """What a browser would send of the form that an item begins with."""
    form = read_form(code, item(ItemKind.TABLE), {"village": WHERE[0], "period": "2026Q3"})
    counts = {f"{path}.~count": str(n) for path, n in form.counts.items()}
    return {**form.values, **counts, "village": WHERE[0], "period": "2026Q3"}


def with_columns(code: str, columns: list[tuple[str, str, str]]) -> dict[str, str]:
    """The columns of an item's form typed over, those beyond taken away, new ones added."""
    fields = begun(code)
    count = max(int(fields["columns.~count"]), len(columns))
    for n in range(count):
        name, kind, unit = columns[n] if n < len(columns) else ("", "text", "")
        fields |= {f"columns.{n}.name": name, f"columns.{n}.type": kind, f"columns.{n}.unit": unit}
    return {**fields, "columns.~count": str(count)}


def filled(code: str, fields: dict[str, str], rows: list[list[str]]) -> Form:
    """Rows typed into the form's own cells."""
    form = read_form(code, item(ItemKind.TABLE), fields)
    for n, row in enumerate(rows):
        for cell, text in zip(form.grid("rows").cells, row, strict=True):
            form.values[f"rows.{n}.{cell.path}"] = text
    form.counts["rows"] = max(form.counts["rows"], len(rows))
    return form


def body_of(form: Form) -> Table:
    made = to_body(form)
    assert made is not None, (form.faults, form.homeless)
    body = read_body(made)
    assert isinstance(body, Table)
    return body


# -- units --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "fen"),
    [
        ("482.87", 482_870_000), ("35.7226", 35_722_600), ("22.28013", 22_280_130), ("0.000001", 1), ("20", 20_000_000), ("20万", 20_000_000),
        ("20万元", 20_000_000), ("200000元", 20_000_000), ("1,234.5", 1_234_500_000), ("(1.5)", -1_500_000), ("０．５", 500_000), ("0", 0),  # noqa: RUF001 - as Chinese input methods type it
    ],
)  # fmt: skip
def test_ten_thousands_of_yuan_are_exact_fen(typed: str, fen: int) -> None:
    assert to_fen_of_wan(typed) == fen
    assert to_fen_of_wan(to_wan(fen)) == fen


@pytest.mark.parametrize("typed", ["0.0000001", "约20", "5.9多", "二十", "1.2.3", "20万万"])
def test_what_is_no_exact_amount_is_refused_with_its_unit(typed: str) -> None:
    with pytest.raises(CellError, match="这一列的单位是万元"):
        to_fen_of_wan(typed)


def test_a_column_of_yuan_says_how_to_write_ten_thousands() -> None:
    form = filled("V17", begun("V17"), [["危房改造", "3", "35.7226", ""]])
    assert to_body(form) is None
    assert form.faults["rows.0.amount"] == ("金额的单位是元，最多到分，小数点后不超过两位；按万元算的请写成 35.7226万")


def test_a_table_of_ten_thousands_reads_back_as_typed_and_as_yuan() -> None:
    form = filled("V17", with_columns("V17", YEARS), sheet("text-jifei")[1:])
    body = body_of(form)
    assert [row[3] for row in body.rows] == [20_000_000, 120_000_000, 242_910_000, 99_960_000, 482_870_000]
    assert [(f.code, f.at) for f in body.findings("2026Q3")] == [("table.total", "body.rows[4][1]")]
    again = form_of("V17", item(ItemKind.TABLE), WHERE, body.model_dump(mode="json", exclude_none=True))
    assert [again.value(f"rows.{n}.{body.columns[3].key}") for n in range(5)] == [
        "20",
        "120",
        "242.91",
        "99.96",
        "482.87",
    ]
    assert field_of(again, "body.rows[4][1]", {}) == f"rows.4.{body.columns[1].key}"
    assert body_of(sent(again)) == body
    assert as_read(WAN, "482.87") == "4,828,700.00元（填的是482.87万元）"


def test_an_old_amount_under_ten_thousands_is_shown_in_yuan_so_that_nobody_multiplies_it() -> None:
    columns = [{"key": "y", "name": "年度"}, {"key": "m", "name": "补助", "type": "amount", "unit": "万元"}]
    form = form_of(
        "V17", item(ItemKind.TABLE), WHERE, {"kind": "table", "columns": columns, "rows": [["2010", 48_287]]}
    )
    assert form.value("rows.0.m") == "482.87元"
    assert body_of(sent(form)).rows == (("2010", 48_287),)


# -- keys and checks follow their columns -------------------------------------------------------------------------

STALLS = [
    ("序号", "text", ""), ("招租摊位", "text", ""), ("报名保证金", "amount", "元"), ("租期", "count", "年"),
    ("起拍价格", "amount", "元/月"), ("最高限价", "amount", "元/月"), ("备注", "text", ""),
]  # fmt: skip


def test_columns_made_into_something_else_leave_no_key_no_check_and_no_false_alarm() -> None:
    body = body_of(filled("F10", with_columns("F10", STALLS), sheet("lease-liannan")[1:]))
    assert body.findings("2026Q3") == ()
    assert body.checks == ()
    assert {c.key for c in body.columns} == {"c1", "c2", "c3", "c4", "c5", "c6", "c7"}
    assert [c.sum for c in body.columns] == [None, None, True, False, False, False, None]


def test_a_column_that_keeps_its_meaning_keeps_its_key_and_check() -> None:
    fields = begun("F10")
    assert fields["columns.3.name"] == "应交"
    body = body_of(filled("F10", {**fields, "columns.3.name": "应交金额"}, [["某建材店", "门市", "", "10", "4", "5"]]))
    assert [c.key for c in body.columns] == ["party", "thing", "term", "receivable", "received", "owed"]
    assert [f.at for f in body.findings("2026Q3")] == ["body.rows[0][5]"]


def test_a_check_is_seen_at_the_form_and_can_be_taken_off() -> None:
    form = read_form("F02", item(ItemKind.TABLE), {"village": WHERE[0], "period": "2026Q3"})
    labels = {c.path: c.label for c in form.spec.foot}
    assert labels["~check-0"] == "每一行都核对：期初余额 + 本期增加 − 本期减少 = 期末余额"
    assert form.value("~check-0") == "yes"
    ticked = filled("F02", begun("F02"), [["某建材店", "债务", "", "1", "1", "", "3"]])
    assert len(body_of(ticked).checks) == 1
    assert [f.at for f in body_of(ticked).findings("2026Q3")] == ["body.rows[0][6]"]
    fields = {name: value for name, value in begun("F02").items() if name != "~check-0"}
    assert body_of(filled("F02", fields, [["某建材店", "债务", "", "1", "1", "", "3"]])).checks == ()


def test_a_total_follows_its_column_and_its_fault_finds_the_field() -> None:
    fields = {**with_columns("V17", YEARS), "totals.people": "428"}
    form = filled("V17", fields, sheet("text-jifei")[1:-1])
    body = body_of(form)
    assert body.totals == {body.columns[1].key: 428}
    assert [field_of(form, f.at, {}) for f in body.findings("2026Q3")] == ["totals.people"]


def test_the_three_months_of_a_remark_are_no_remark() -> None:
    columns = [("保障项目", "text", ""), ("人数", "count", "人"), ("标准", "amount", "元"), ("三个月", "amount", "元")]
    body = body_of(
        filled("V17", with_columns("V17", columns), [["护理补贴", "3", "110", "990"], ["生活补贴", "2", "120", "720"]])
    )
    assert [c.key for c in body.columns] == ["scheme", "people", "c1", "c2"]
    assert body.sums() == (("", (None, None, None, 171_000)),)


# -- what may be added up -----------------------------------------------------------------------------------------


def test_no_total_is_asked_of_rates_and_of_people_in_several_schemes() -> None:
    form = read_form("V17", item(ItemKind.TABLE), begun("V17"))
    assert [c.path for c in form.spec.foot] == ["totals.amount"]
    form = read_form("F10", item(ItemKind.TABLE), with_columns("F10", STALLS))
    assert [c.label for c in form.spec.foot] == ["报名保证金（元）合计"]


def test_a_clerk_may_say_what_is_added_up_and_what_groups() -> None:
    columns = [("资金", "text", ""), ("用途", "text", ""), ("标准", "amount", "元"), ("金额", "amount", "元")]
    fields = {**with_columns("V17", columns), "columns.0.sum": "group", "columns.2.sum": "yes", "columns.3.sum": "no"}
    body = body_of(filled("V17", fields, [["中央", "甲", "1", "2"], ["省级", "乙", "3", "4"]]))
    assert body.group_by == body.columns[0].key
    assert [c.sum for c in body.columns] == [None, None, True, False]
    again = form_of("V17", item(ItemKind.TABLE), WHERE, body.model_dump(mode="json", exclude_none=True))
    assert [again.value(f"columns.{n}.sum") for n in range(4)] == ["group", "", "yes", "no"]
    assert body_of(sent(again)) == body


def test_debts_and_budgets_begin_with_a_column_that_tells_unlike_things_apart() -> None:
    rows = [["某建材店", "债权", "", "", "", "", "13750"], ["某施工队", "债务", "", "", "", "", "31340"]]
    fields = {name: value for name, value in begun("F02").items() if name != "~check-0"}
    sums = body_of(filled("F02", fields, rows)).sums()
    assert [(group, cells[6]) for group, cells in sums] == [("债权", 1_375_000), ("债务", 3_134_000)]
    budget = [["收入", "经营收入", "5", "", "", ""], ["支出", "管理费用", "2", "", "", ""]]
    assert [g for g, _ in body_of(filled("F03", begun("F03"), budget)).sums()] == ["收入", "支出"]


def test_quantities_to_four_decimals_and_their_stated_total() -> None:
    columns = [("村", "text", ""), ("面积", "quantity", "公顷")]
    fields = {**with_columns("F05", columns), "quantity_totals.category": "17.2566"}
    form = filled("F05", fields, [row[:2] for row in sheet("land-lutai")[1:4]])
    body = body_of(form)
    assert [(f.at, field_of(form, f.at, {})) for f in body.findings("2026H1")] == [
        (f"body.quantity_totals.{body.columns[1].key}", "quantity_totals.category")
    ]
    wrong = filled("F05", with_columns("F05", columns), [["冯台村", "3.89666"]])
    assert to_body(wrong) is None
    assert "最多四位小数" in next(iter(wrong.faults.values()))


# -- paste --------------------------------------------------------------------------------------------------------


def test_a_pasted_table_keeps_its_total_as_a_row() -> None:
    form = read_form("V17", item(ItemKind.TABLE), with_columns("V17", YEARS))
    block = "\n".join("\t".join(row) for row in sheet("text-jifei"))
    assert paste(form, "rows", block) == []
    body = body_of(form)
    assert [(f.code, f.at) for f in body.findings("2026Q3")] == [("table.total", "body.rows[4][1]")]


def test_a_pasted_column_of_another_unit_is_not_taken_for_the_forms() -> None:
    form = read_form("V17", item(ItemKind.TABLE), begun("V17"))
    paste(form, "rows", "保障项目\t金额(万元)\n危房改造\t20")
    assert body_of(form).rows[0][2] == 20_000_000
    wan = read_form("V17", item(ItemKind.TABLE), with_columns("V17", YEARS))
    paste(wan, "rows", "年度\t补助(元)\n2010\t200000")
    assert body_of(wan).rows[0][3] == 20_000_000


@pytest.mark.parametrize("word", ["共计", "总 计", "（合计）", "合　计"])
def test_a_pasted_lists_sum_is_nobody(word: str) -> None:
    form = read_form("V04", item(ItemKind.ROSTER), {"village": WHERE[0], "period": "2026-10-09"})
    paste(form, "entries", f"姓名\t金额\n张三\t100\n{word}\t110")
    made = to_body(form)
    assert made is not None
    assert [e["name"] for e in made["entries"]] == ["张三"]
    assert [f.at for f in read_body(made).findings("2026-10-09")] == ["body.totals.amount_fen"]


# -- elections and hints ------------------------------------------------------------------------------------------


def test_an_elections_form_asks_for_votes_and_who_won() -> None:
    revision = item(ItemKind.ROSTER, masking=Masking.AGGREGATE)
    form = read_form("V15", revision, {"village": WHERE[0], "period": "2026-10-09"})
    assert [c.path for c in form.grid("entries").main] == ["name", "category", "votes", "standing"]
    assert "候选人、得票和当选的人网上照实公布；选民名单只公布人数。" in form.spec.hints
    form.values |= {"entries.0.name": "周大川", "entries.0.votes": "412", "entries.0.standing": "elected"}
    made: dict[str, Any] | None = to_body(form)
    assert made is not None
    assert made["entries"] == [{"name": "周大川", "votes": 412, "standing": "elected"}]


def test_a_table_of_totals_says_what_is_hidden() -> None:
    form = read_form("V17", item(ItemKind.TABLE, masking=Masking.AGGREGATE), begun("V17"))
    assert "按项目、类别写的行网上照实公布；写到个人的行不显示，只公布合计。" in form.spec.hints
