"""Tables and lists as villagers read them: sums of like things alone, stated beside computed, only persons hidden."""

import re
from typing import Any

import pytest

from services.contracts.bodies import BODY, Body, Notice, Roster, Table
from services.contracts.catalogue import Masking
from services.publish.render.kinds import notice_view, roster_view
from services.publish.render.masking import masked_body
from services.publish.render.shapes import BodyView
from services.publish.render.tables import table_view
from tests import builders
from tests.contracts.test_tables import YEARS
from tests.contracts.test_tables import table as made
from tests.disclosures import as_table, sheet
from tests.publish.bodies import public_body

STALLS = {"报名保证金(元)": "amount", "租期(年)": "count", "起拍价格(元/月)": "amount", "最高限价(元/月)": "amount"}


def seen(body: Table, masking: Masking = Masking.NONE, item: str = "F05") -> BodyView:
    shown = masked_body(body, masking, item)
    assert isinstance(shown, Table)
    return table_view(body, shown, aggregate=masking is Masking.AGGREGATE)


def words(view: BodyView) -> str:
    cells = [c for t in view.tables for row in (*t.rows, *t.sums) for c in row]
    return " ".join([*(f"{a} {b}" for a, b in view.facts), *cells, view.empty or ""])


# -- real disclosures ---------------------------------------------------------------------------------------------


def test_ten_thousands_of_yuan_stand_in_yuan_with_what_was_typed_beside() -> None:
    view = seen(as_table(sheet("text-jifei"), YEARS), Masking.AGGREGATE, "V17")
    (t,) = view.tables
    assert [h.name for h in t.heads] == ["年度", "重建(户)", "修缮(户)", "补助"]
    assert t.rows[2] == ("2012", "220", "", "2,429,100.00元（填的是242.91万元）")
    assert t.rows[4] == ("合计(原文)", "428", "50", "4,828,700.00元（填的是482.87万元）")
    assert 4 in t.strong
    assert view.empty is None


def test_428_does_not_become_550_they_stand_beside_each_other() -> None:
    (t,) = seen(as_table(sheet("text-jifei"), YEARS)).tables
    assert t.rows[4][1] == "428"
    assert t.sums == (("合计（逐行相加）", "550", "", ""),)


def test_a_total_typed_as_a_row_is_not_shown_twice() -> None:
    crops = dict.fromkeys(("玉米", "水稻", "甘蔗", "早熟马铃薯", "合计"), "count 亩")
    view = seen(as_table(sheet("table-ceheng"), crops))
    assert "260000" not in words(view)
    assert words(view).count("130000") == 1
    assert view.tables[0].sums == ()


def test_rents_and_terms_have_no_sum() -> None:
    (t,) = seen(as_table(sheet("lease-liannan"), STALLS)).tables
    assert t.sums == (("合计", "", "17,700.00元", "", "", "", ""),)
    assert [h.name for h in t.heads][2:6] == ["报名保证金", "租期(年)", "起拍价格(元/月)", "最高限价(元/月)"]


def test_a_difference_of_18_hundredths_of_a_hectare_is_seen() -> None:
    (t,) = seen(as_table(sheet("land-lutai"), {"公顷": "quantity 公顷"})).tables
    assert t.rows[3] == ("合计(原文)", "17.2566")
    assert t.sums == (("合计（逐行相加）", "17.0766"),)


@pytest.mark.parametrize(
    ("name", "types", "told"),
    [
        ("table-ceheng", dict.fromkeys(("玉米", "水稻", "甘蔗", "早熟马铃薯", "合计"), "count 亩"), []),
        ("lease-liannan", STALLS, []),
        ("text-jifei", YEARS, ["写的是428户，算出来是550户。"]),
        ("land-lutai", {"公顷": "quantity 公顷"}, ["写的是17.2566公顷，算出来是17.0766公顷。"]),
    ],
)
async def test_real_tables_are_told_to_be_wrong_only_where_they_are(
    publish: Any, name: str, types: dict[str, str], told: list[str]
) -> None:
    body = as_table(sheet(name), types).model_dump(mode="json")
    village = builders.FAR_VILLAGE
    event = await publish.opened(item="F05", period="2026H1", village=village, body=body)
    page = (await publish.get(f"/d/{event.aggregate_id}")).text
    assert page.count("对不上") == len(told)
    assert all(words in page for words in told)
    answer = (await publish.get(f"/api/v1/disclosures/{event.aggregate_id}")).json()
    assert len([c for c in answer["checks"] if not c["ok"]]) == len(told)
    await publish.withdrawn(event)


# -- sums ---------------------------------------------------------------------------------------------------------

DEBTS = [("债权或债务",), ("对方", "name"), ("期末余额", "amount")]


def test_debts_have_a_sum_each_and_none_of_both() -> None:
    rows: list[list[Any]] = [
        ["债权", "张三", 13_000_00],
        ["债权", "李四", 750_00],
        ["债务", "某建材店", 31_000_00],
        ["债务", "某砂石厂", 340_00],
    ]
    view = seen(made(DEBTS, rows, totals={"c2": 45_090_00}), Masking.SURNAME, "F02")
    assert view.tables[0].sums == (("债权合计", "", "13,750.00元"), ("债务合计", "", "31,340.00元"))
    assert "45,090" not in words(view)


def test_one_row_is_not_said_again_as_a_sum() -> None:
    columns = [("项目",), ("金额", "amount")]
    by_kind = made(columns, [["高龄补贴", 100_00], ["残疾人补贴", 50_00], ["残疾人补贴", 20_00]], group_by="c0")
    assert seen(by_kind).tables[0].sums == (("残疾人补贴合计", "70.00元"),)
    one_each = made(columns, [["高龄补贴", 100_00], ["残疾人补贴", 50_00]], group_by="c0")
    assert seen(one_each, Masking.AGGREGATE, "V17").tables[0].sums == ()
    assert seen(made(columns, [["高龄补贴", 100_00]])).tables[0].sums == ()


def test_a_wrong_sum_of_one_row_stands_beside_the_right_one() -> None:
    rows: list[list[Any]] = [["债权", "某厂", 1_00], ["债权", "小计", 3_00], ["债务", "李四", 2_00]]
    assert seen(made(DEBTS, rows), Masking.SURNAME).tables[0].sums == (("债权合计（逐行相加）", "", "1.00元"),)


def test_a_subtotal_that_the_author_typed_is_not_said_again() -> None:
    rows: list[list[Any]] = [
        ["债权", "张三", 1_00],
        ["债权", "小计", 1_00],
        ["债务", "李四", 2_00],
        ["债务", "王五", 3_00],
    ]
    assert seen(made(DEBTS, rows), Masking.SURNAME).tables[0].sums == (("债务合计", "", "5.00元"),)


def test_a_stated_total_below_stands_beside_the_computed_one() -> None:
    body = made([("名称",), ("金额", "amount")], [["甲", 100_00], ["乙", 50_00]], totals={"c1": 160_00})
    assert seen(body).tables[0].sums == (("合计（村里写的）", "160.00元"), ("合计（逐行相加）", "150.00元"))
    assert public_body(body, Masking.NONE)["totals"] == {"c1": 160_00}


def test_budget_income_and_spending_are_not_added_up() -> None:
    rows: list[list[Any]] = [["经营收入", 5_00], ["补助收入", 4_00], ["管理费用", 1_00], ["维修费用", 1_00]]
    body = made([("项目",), ("本年预算", "amount")], rows, totals={"c1": 11_00})
    assert seen(body).tables[0].sums == (("收入合计", "9.00元"), ("支出合计", "2.00元"))


def test_a_body_from_before_says_that_its_unit_is_not_sure() -> None:
    (t,) = seen(made([("年度",), ("补助", "amount", "万元")], [["2010", 482_87]])).tables
    assert t.rows == (("2010", "482.87元"),)
    assert t.notes == ("“补助”录入时写的单位是万元，系统当时按元登记，以村里的原件为准。",)


# -- aggregate: persons are hidden, nothing else ------------------------------------------------------------------


def test_what_schemes_pay_stands_by_scheme_without_sums_of_rates_or_people() -> None:
    columns = [("保障项目",), ("人数", "count", "人"), ("标准", "amount", "元"), ("三个月", "amount")]
    rows: list[list[Any]] = [
        ["困难残疾人生活补贴", 5_000, 110_00, 1_650_000_00],
        ["重度残疾人护理补贴", 3_136, 120_00, 1_128_960_00],
    ]
    view = seen(made(columns, rows), Masking.AGGREGATE, "V17")
    (t,) = view.tables
    assert t.rows[1] == ("重度残疾人护理补贴", "3136", "120.00元", "1,128,960.00元")
    assert t.sums == (("合计", "", "", "2,778,960.00元"),)
    assert view.facts == ()
    assert "8136" not in words(view)


def test_rows_of_persons_are_hidden_and_their_sum_stays() -> None:
    columns = [("姓名", "name"), ("项目",), ("金额", "amount")]
    body = made(columns, [["张三丰", "张三丰医疗救助", 100_00], ["李秀英", "救助", 50_00], ["合计", None, 150_00]])
    view = seen(body, Masking.AGGREGATE, "V17")
    shown = words(view) + str(public_body(body, Masking.AGGREGATE, "V17"))
    assert "150.00元" in shown
    assert not any(name in shown for name in ("张三丰", "李秀英", "张某某", "李某某"))
    assert view.facts[0] == ("一共", "2行")


def test_a_text_column_of_names_hides_its_rows_as_well() -> None:
    body = made([("户主姓名",), ("金额", "amount")], [["张三丰", 100_00], ["李秀英", 50_00]])
    shown = words(seen(body, Masking.AGGREGATE, "V17")) + str(public_body(body, Masking.AGGREGATE, "V17"))
    assert "150.00元" in shown
    assert "张三丰" not in shown


def test_a_table_in_a_notice_is_treated_alike() -> None:
    inner = made([("评议等次",), ("人数", "count", "人")], [["优秀", 3], ["合格", 20]]).model_dump()
    body = BODY.validate_python({"kind": "notice", "title": "评议", "paragraphs": ["结果如下。"], "table": inner})
    shown = masked_body(body, Masking.AGGREGATE, "P06")
    assert isinstance(body, Notice)
    assert isinstance(shown, Notice)
    assert "优秀 3" in words(notice_view(body, shown, aggregate=True))


# -- elections ----------------------------------------------------------------------------------------------------


def election(**changes: Any) -> Roster:
    entries = [
        {"name": "周大川", "category": "村委会主任候选人", "votes": 412, "standing": "elected"},
        {"name": "吴小河", "category": "村委会主任候选人", "votes": 97},
        {"name": "郑三友", "group": "一组", "remark": "病重在家"},
    ]
    return Roster.model_validate({"entries": entries, **changes})


def voted(body: Roster, item: str, *, faded: bool = False) -> str:
    shown = masked_body(body, Masking.AGGREGATE, item)
    assert isinstance(shown, Roster)
    view = roster_view(body, shown, aggregate=True, faded=faded)
    return words(view) + str(public_body(body, Masking.AGGREGATE, item))


@pytest.mark.parametrize("faded", [False, True])
def test_candidates_votes_and_who_won_are_public_and_voters_are_not(*, faded: bool) -> None:
    shown = voted(election(), "V15", faded=faded)
    for said in (
        "周大川",
        "412票",
        "当选",
        "吴小河",
        "97票",
        "村委会主任候选人",
        "名单上的其他人 1人",
        "候选人 2人",
        "当选 1人",
    ):
        assert said in shown, said
    assert not any(hidden in shown for hidden in ("郑三友", "郑某某", "一组", "病重"))


def test_other_lists_with_votes_stay_totals_alone() -> None:
    shown = voted(election(), "P02")
    assert not any(name in shown for name in ("周大川", "吴小河", "郑三友", "412"))
    assert "一共 3户（人）" in shown


# -- lists --------------------------------------------------------------------------------------------------------


def test_a_lists_stated_totals_stand_beside_the_computed_ones() -> None:
    body: Body = BODY.validate_python(
        {
            "kind": "roster",
            "entries": [{"name": "张三", "amount_fen": 100_00}, {"name": "李四", "amount_fen": 50_00}],
            "totals": {"entries": 3, "amount_fen": 160_00},
        }
    )
    assert isinstance(body, Roster)
    shown = masked_body(body, Masking.SURNAME)
    assert isinstance(shown, Roster)
    assert roster_view(body, shown, aggregate=False, faded=False).facts == (
        ("一共（村里写的）", "3户（人）"),
        ("一共（按名单算的）", "2户（人）"),
        ("金额合计（村里写的）", "160.00元"),
        ("金额合计（按名单算的）", "150.00元"),
    )
    assert public_body(body, Masking.AGGREGATE)["totals"] == {
        "entries": 3,
        "people": 2,
        "amount_fen": 160_00,
        "quantity": None,
    }


def test_a_sum_typed_into_a_list_is_nobody() -> None:
    body: Body = BODY.validate_python(
        {
            "kind": "roster",
            "entries": [
                {"name": "张三", "amount_fen": 100_00},
                {"name": "李四", "amount_fen": 50_00},
                {"name": "合 计", "amount_fen": 160_00},
            ],
        }
    )
    assert isinstance(body, Roster)
    shown = masked_body(body, Masking.SURNAME)
    assert isinstance(shown, Roster)
    view = roster_view(body, shown, aggregate=False, faded=False)
    assert view.facts == (("一共", "2户（人）"), ("金额合计", "150.00元"))
    assert [row[0] for row in view.tables[0].rows] == ["张某某", "李某某", "合 计"]
    assert view.tables[0].strong == {2}
    assert [(f.code, f.at) for f in body.findings("2026Q3")] == [("roster.total", "body.entries[2].amount_fen")]


async def test_on_a_phone_a_row_is_headed_by_what_it_is_about_and_not_by_its_number_and_empty_rows_are_none(
    publish: Any,
) -> None:
    columns = [
        {"key": "n", "name": "序号"},
        {"key": "what", "name": "项目名称"},
        {"key": "fen", "name": "金额", "type": "amount"},
    ]
    rows = [
        ["1", "屈王庄村饮水工程", 20_000_000],
        [None, None, None],
        ["2", "后林都道路", 73_500_000],
        ["合计", None, 93_500_000],
    ]
    event = await publish.opened(
        item="V18", period="2026-10-21", body={"kind": "table", "columns": columns, "rows": rows}
    )
    html = (await publish.get(f"/d/{event.aggregate_id}")).text
    heads = re.findall(r'<td class="what[^"]*" data-t="([^"]+)"><b>([^<]+)</b>', html)
    assert heads == [("项目名称", "屈王庄村饮水工程"), ("项目名称", "后林都道路"), ("序号", "合计")]
    assert html.count("<tr") == 4
