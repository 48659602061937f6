"""Tables: what may be added up, sums typed as rows, groups of unlike things, numbers to four decimals."""

from typing import Any

import pytest

from services.contracts.bodies import Table
from tests.disclosures import as_table, sheet

YEARS = {"重建(户)": "count", "修缮(户)": "count", "补助(万元)": "amount 万元"}


def table(columns: list[tuple[str, ...]], rows: list[list[Any]], **more: Any) -> Table:
    """A table of columns as (name, type, unit)."""
    made = [
        {"key": f"c{n}", "name": c[0], "type": c[1] if len(c) > 1 else "text", **({"unit": c[2]} if len(c) > 2 else {})}
        for n, c in enumerate(columns)
    ]
    return Table.model_validate({"kind": "table", "columns": made, "rows": rows, **more})


def told(body: Table) -> list[tuple[str, str, str]]:
    return [(f.code, f.at, f.message) for f in body.findings("2026Q3")]


# -- real disclosures ---------------------------------------------------------------------------------------------


def test_428_households_against_550_are_found_and_the_money_is_right() -> None:
    body = as_table(sheet("text-jifei"), YEARS)
    assert told(body) == [
        (
            "table.total",
            "body.rows[4][1]",
            "第 5 行“合计”的“重建(户)”写的是 428 户，上面各行相加是 550 户，请核对。",
        )
    ]
    assert body.sums() == (("", (None, 550, 50, 48_287_0000)),)


def test_18_hundredths_of_a_hectare_are_found_among_four_decimals() -> None:
    body = as_table(sheet("land-lutai"), {"公顷": "quantity 公顷"})
    assert told(body) == [
        (
            "table.total",
            "body.rows[3][1]",
            "第 4 行“合计”的“公顷”写的是 17.2566 公顷，上面各行相加是 17.0766 公顷，请核对。",
        )
    ]


def test_a_clean_table_with_a_merged_column_is_silent_and_130000_are_not_260000() -> None:
    crops = dict.fromkeys(("玉米", "水稻", "甘蔗", "早熟马铃薯", "合计"), "count 亩")
    body = as_table(sheet("table-ceheng"), crops)
    assert told(body) == []
    assert body.column_sum("c2") == 130_000
    assert body.sums() == (("", (None, None, 130_000, 60_000, 115_000, 2_000, 307_000, None)),)


def test_rates_and_sums_insured_are_not_added_up_and_shares_are_checked() -> None:
    numbers = ("面积(万亩)", "总保费(万元)", "中央40%", "省25%", "州4.5%", "县10.5%", "农户20%")
    types = {**dict.fromkeys(numbers, "quantity"), "总保费(万元)": "amount 万元", "费率": "text"}
    types |= {"保险金额元/亩": "amount", "保费元/亩": "amount"}
    body = as_table(sheet("table-ceheng", 1), types)
    assert told(body) == []
    assert [c.sum for c in body.columns] == [None, None, False, None, False, *[True] * 7]


def test_rents_prices_and_terms_of_a_tender_are_not_added_up() -> None:
    types = {"报名保证金(元)": "amount", "租期(年)": "count", "起拍价格(元/月)": "amount", "最高限价(元/月)": "amount"}
    body = as_table(sheet("lease-liannan"), types)
    assert told(body) == []
    assert body.sums() == (("", (None, None, 1_770_000, None, None, None, None)),)


def test_a_total_with_a_space_in_it_is_one() -> None:
    printed = sheet("table-dianjiang")
    printed[-1][0] = "合  计"
    types = {h: "amount 万元" if "万元" in h else "count" for h in printed[0][2:]}
    # Only some of the rows were kept of the notice: the differences tell that the row is read as a sum.
    assert {at for _, at, _ in told(as_table(printed, types))} >= {"body.rows[5][8]", "body.rows[5][9]"}
    assert as_table(printed, types).column_sum("c8") == 14


def test_approximate_numbers_are_never_added_up() -> None:
    body = as_table(sheet("debt-yanpengwo"), {"次数": "quantity 次"})
    assert body.column_sum("c1") is None
    assert body.sums() == (("", (None, None)),)
    assert told(as_table([*sheet("debt-yanpengwo"), ["合计", "95"]], {"次数": "quantity 次"})) == []


def test_three_decimals_add_up_to_the_last() -> None:
    types = {"户数": "count", "补贴面积(亩)": "quantity 亩", "补贴资金(元)": "amount"}
    body = as_table([*sheet("subsidy-longquan"), ["", "全市合计", "12303", "68670.523", "686705.23"]], types)
    assert told(body) == []
    assert [
        at for _, at, _ in told(as_table([*sheet("subsidy-longquan"), ["", "共计", "12303", "68670.52", ""]], types))
    ] == ["body.rows[11][3]"]


# -- words of sums ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    [
        "合计",
        "合 计",
        "（合计）",
        "(合计)",
        "总计",
        "共计",
        "共　计",
        "合计：",
        "全村合计",
        "合计(原文)",
        "总合计",
        "5户合计",
        "累计",
    ],
)
def test_a_row_that_only_adds_up_is_no_row(word: str) -> None:
    body = table([("名称",), ("金额", "amount")], [["甲", 100], ["乙", 200], [word, 300]])
    assert told(body) == []
    assert body.column_sum("c1") == 300
    wrong = table([("名称",), ("金额", "amount")], [["甲", 100], ["乙", 200], [word, 301]])
    assert [(code, at) for code, at, _ in told(wrong)] == [("table.total", "body.rows[2][1]")]


@pytest.mark.parametrize(
    "word", ["合计划", "合作社", "共计算机一台", "总计划面积", "累计积分榜", "小计量器", "张合计生"]
)
def test_words_that_only_begin_so_are_rows(word: str) -> None:
    body = table([("名称",), ("金额", "amount")], [["甲", 100], ["乙", 200], [word, 300]])
    assert body.column_sum("c1") == 600


def test_the_word_may_stand_in_any_text_column() -> None:
    body = table(
        [("序号",), ("乡镇",), ("姓名", "name"), ("户数", "count")], [["1", "甲镇", None, 3], ["", None, "合计", 4]]
    )
    assert [at for _, at, _ in told(body)] == ["body.rows[1][3]"]


def test_a_wrong_total_stated_twice_is_told_once() -> None:
    body = table([("名称",), ("金额", "amount")], [["甲", 100], ["共计", 110]], totals={"c1": 110})
    assert [at for _, at, _ in told(body)] == ["body.rows[1][1]"]


def test_subtotals_and_the_grand_total_are_each_checked_against_their_own_rows() -> None:
    rows: list[list[Any]] = [["甲", 1], ["乙", 2], ["小计", 3], ["丙", 4], ["小计", 5], ["总计", 7]]
    assert [at for _, at, _ in told(table([("名称",), ("数", "count")], rows))] == ["body.rows[4][1]"]
    twice: list[list[Any]] = [["甲", 1], ["乙", 2], ["合计", 3], ["丙", 4], ["合计", 4], ["总计", 7]]
    assert told(table([("名称",), ("数", "count")], twice)) == []


def test_what_is_left_over_and_what_is_told_again_are_not_counted() -> None:
    rows: list[list[Any]] = [
        ["经营收入", 10],
        ["其中：租金", 4],
        ["补助收入", 5],
        ["收入合计", 15],
        ["办公支出", 6],
        ["支出合计", 6],
        ["结余", 9],
    ]
    body = table([("项目",), ("金额", "amount")], rows)
    assert told(body) == []
    assert body.sums() == (("收入", (None, 15)), ("支出", (None, 6)))


def test_a_kind_whose_name_sounds_like_a_sum_is_a_row() -> None:
    body = table([("项目",), ("金额", "amount")], [["医保合计", 7], ["养老合计", 5], ["总计", 12]])
    assert told(body) == []
    assert body.column_sum("c1") == 12


def test_two_thousand_rows_of_sums_are_read_at_once() -> None:
    rows: list[list[Any]] = [[("合计" if n % 2 else f"第{n}户合计"), n] for n in range(2000)]
    assert len(table([("名称",), ("数", "count")], rows).read()) == 2000


# -- unlike things ------------------------------------------------------------------------------------------------

DEBTS = [("债权或债务",), ("对方", "name"), ("期末余额", "amount")]


def test_what_is_owed_to_the_village_and_by_it_is_not_one_sum() -> None:
    body = table(DEBTS, [["债权", "甲", 13_750], ["债务", "乙", 30_000], ["债务", "丙", 1_340]])
    assert body.sums() == (("债权", (None, None, 13_750)), ("债务", (None, None, 31_340)))


def test_a_merged_cell_names_the_group_of_all_its_rows() -> None:
    body = table(DEBTS, [["债权", "甲", 1], [None, "乙", 2], ["债务", "丙", 4], [None, "丁", 8], ["小计", None, 12]])
    assert body.sums() == (("债权", (None, None, 3)), ("债务", (None, None, 12)))
    assert told(body) == []


def test_headings_make_groups() -> None:
    rows: list[list[Any]] = [["一、收入", None], ["租金", 5], ["二、支出", None], ["办公", 2], ["水电", 1]]
    assert table([("项目",), ("本年预算", "amount")], rows).sums() == (("收入", (None, 5)), ("支出", (None, 3)))


def test_a_sum_may_stand_above_the_rows_that_make_it() -> None:
    rows: list[list[Any]] = [
        ["一、收入", 9],
        ["经营收入", 5],
        ["补助收入", 4],
        ["二、支出合计", 3],
        ["办公", 2],
        ["水电", 1],
    ]
    body = table([("项目",), ("本年预算", "amount")], rows)
    assert told(body) == []
    assert body.sums() == (("收入", (None, 9)), ("支出", (None, 3)))
    # Chapters without rows of their own are rows.
    plain: list[list[Any]] = [["一、修路", 9], ["二、改厕", 5], ["合计", 14]]
    assert told(table([("项目",), ("金额", "amount")], plain)) == []


def test_what_is_left_each_month_is_not_added_up_over_the_months() -> None:
    columns = [("月份",), ("收入", "amount"), ("结余", "amount")]
    body = table(columns, [["1月", 10, 5], ["2月", 20, 20], ["合计", 30, 20]])
    assert told(body) == []
    assert body.sums() == (("", (None, 30, None)),)
    assert table([("户名",), ("余额", "amount")], [["甲", 1], ["乙", 2]]).sums() == (("", (None, 3)),)


def test_budget_rows_tell_by_their_names_that_they_are_unlike() -> None:
    rows: list[list[Any]] = [["经营收入", 5], ["补助收入", 4], ["管理费用", 2], ["公益支出", 1]]
    assert table([("项目",), ("本年预算", "amount")], rows).sums() == (("收入", (None, 9)), ("支出", (None, 3)))
    # A row that is neither: nobody knows what a sum would say.
    assert table([("项目",), ("本年预算", "amount")], [*rows, ["上年结转", 7]]).sums() == ()


def test_a_column_that_was_said_to_group_does() -> None:
    body = table([("资金",), ("数", "count")], [["中央", 1], ["省级", 2], ["中央", 4]], group_by="c0")
    assert body.sums() == (("中央", (None, 5)), ("省级", (None, 2)))


# -- what may be added up -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "column",
    [
        ("费率", "quantity"), ("补贴标准", "amount", "元"), ("单价", "amount"), ("每亩金额", "amount"), ("租金", "amount", "元/年"),
        ("最高限价", "amount"), ("起拍价(元/月)", "amount"), ("人均收入", "amount"), ("租期", "count", "年"), ("年度", "count"),
        ("年份", "count"), ("公示天数", "count", "天"), ("占比", "quantity", "%"), ("序号", "count"), ("合同期限", "count", "月"),
        ("完成比例", "quantity"), ("年龄", "count", "岁"),
    ],
)  # fmt: skip
def test_rates_prices_standards_years_and_durations_are_not_added_up(column: tuple[str, ...]) -> None:
    rows = [["甲", "1" if column[1] == "quantity" else 1], ["乙", "2" if column[1] == "quantity" else 2]]
    assert table([("名称",), column], rows).sums() == ()


@pytest.mark.parametrize(
    "column",
    [
        ("金额", "amount"), ("三个月", "amount"), ("合同总价", "amount"), ("中标价", "amount"), ("户数", "count", "户"), ("面积", "quantity", "亩"),
        ("用工", "quantity", "天"), ("保证金(元)", "amount"), ("评估价值", "amount"), ("年租金", "amount"), ("标准化厂房", "count", "间"),
    ],
)  # fmt: skip
def test_amounts_counts_and_areas_are(column: tuple[str, ...]) -> None:
    rows = [["甲", "1" if column[1] == "quantity" else 1], ["乙", "2" if column[1] == "quantity" else 2]]
    assert table([("名称",), column], rows).sums()[0][1][1] in {3, 30_000}


def test_things_in_units_of_their_own_are_not_added_up() -> None:
    columns = [("资产",), ("数量", "quantity"), ("单位",)]
    assert table(columns, [["机动地", "20", "亩"], ["机井", "2", "眼"]]).sums() == ()
    assert table(columns, [["东地", "20", "亩"], ["西地", "2.5", "亩"]]).sums() == (("", (None, 225_000, None)),)


def test_people_of_several_schemes_are_not_added_up_unless_the_author_does() -> None:
    columns = [("保障项目",), ("人数", "count", "人"), ("金额", "amount")]
    rows = [["医保", 300, 5], ["养老", 100, 7]]
    old = table(columns, rows, totals={"c1": 400, "c2": 12})
    assert old.sums() == table(columns, rows).settled().sums() == (("", (None, None, 12)),)
    assert old.settled().sums() == (("", (None, None, 12)),)
    assert [at for _, at, _ in told(table(columns, rows, totals={"c1": 399}).settled())] == ["body.totals.c1"]
    typed = table(columns, [*rows, ["合计", 399, 12]]).settled()
    assert typed.sums() == (("", (None, 400, 12)),)
    assert [at for _, at, _ in told(typed)] == ["body.rows[2][1]"]


def test_what_was_said_of_a_column_goes_before_what_it_looks_like() -> None:
    said = {"key": "c1", "name": "标准", "type": "amount", "sum": True}
    body = Table.model_validate({"columns": [{"key": "c0", "name": "名称"}, said], "rows": [["甲", 1], ["乙", 2]]})
    assert body.sums() == (("", (None, 3)),)


def test_a_check_left_over_from_columns_that_are_prices_by_now_is_none() -> None:
    columns = [("摊位",), ("起拍价", "amount"), ("限价", "amount"), ("尚欠", "amount")]
    checks = [{"plus": ["c1"], "minus": ["c2"], "equals": "c3"}]
    rows: list[list[Any]] = [["1号", 110_000, 145_000, None], ["2号", 100_000, 130_000, 5]]
    assert told(table(columns, rows, checks=checks)) == []
    sums: list[list[Any]] = [["甲", 10, 4, 5]]
    money = [("承租人",), ("应交", "amount"), ("已交", "amount"), ("尚欠", "amount")]
    assert [at for _, at, _ in told(table(money, sums, checks=checks))] == ["body.rows[0][3]"]


def test_a_body_from_before_with_ten_thousands_of_yuan_says_that_it_may_be_wrong() -> None:
    columns = [("年度",), ("补助", "amount", "万元")]
    assert [(code, at) for code, at, _ in told(table(columns, [["2010", 48_287]]))] == [
        ("table.unit", "body.columns[1].unit")
    ]
    assert told(table(columns, [["2010", 482_870_000]]).settled()) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"group_by": "c1"}, "只能按文字列分组"),
        ({"group_by": "c9"}, "只能按文字列分组"),
        ({"quantity_totals": {"c1": "3"}}, "带小数的合计只能用带小数的数量列，“金额”不是"),
        ({"quantity_totals": {"c2": "约3"}}, "String should match"),
    ],
)
def test_totals_and_groups_name_columns_that_can_be(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        table([("名称",), ("金额", "amount"), ("面积", "quantity")], [["甲", 1, "2"]], **more)


def test_a_stated_total_of_a_quantity_is_checked() -> None:
    columns = [("地块",), ("面积", "quantity", "公顷")]
    rows = [["东", "3.8966"], ["西", "6.3870"]]
    assert told(table(columns, rows, quantity_totals={"c1": "10.2836"})) == []
    assert [at for _, at, _ in told(table(columns, rows, quantity_totals={"c1": "10.2837"}))] == [
        "body.quantity_totals.c1"
    ]
