"""Forms by item: which cells stand first and what they are called; nothing that is folded away is lost."""

from typing import Any

import pytest

from services.contracts.bodies import Table
from services.contracts.catalogue import ItemKind
from services.ingest.bulk.cells import CellError, to_measured
from services.ingest.forms import Form, form_of, read_form, spec_for, to_body
from services.ingest.forms.paste import paste
from services.ingest.gate.bodies import fits_item, read_body
from tests import builders
from tests.contracts.test_bodies_kinds import golden
from tests.ingest.test_forms import item

WHERE = (builders.VILLAGE, "2026-10-09")


def read(code: str, kind: ItemKind, **typed: str) -> Form:
    fields = {name.replace("__", "."): text for name, text in typed.items()}
    return read_form(code, item(kind), {"village": WHERE[0], "period": WHERE[1], **fields})


def body_of(form: Form) -> dict[str, Any]:
    body = to_body(form)
    assert body is not None, (form.faults, form.homeless)
    return body


@pytest.mark.parametrize(
    ("code", "first"),
    [
        (
            "V04",
            ["姓名或户主", "村民小组", "家庭人口", "面积或数量", "每亩（每头、每人）补多少元", "金额（元）", "备注"],
        ),
        ("V03", ["姓名或户主", "村民小组", "家庭人口", "救助类别", "每人多少元", "金额（元）", "实物"]),
        ("V09", ["姓名或户主", "职务", "金额（元）", "备注"]),
        ("F09", ["姓名或户主", "村民小组", "家庭人口", "职务或类别", "工数", "每工（元）", "金额（元）"]),
        ("V15", ["姓名或户主", "职务或类别", "得票", "选举"]),
    ],
)
def test_a_list_asks_first_what_its_item_is_about(code: str, first: list[str]) -> None:
    grid = next(g for g in spec_for(code, item(ItemKind.ROSTER)).grids if g.path == "entries")
    assert [c.label for c in grid.main] == first
    every = next(g for g in spec_for("F09", item(ItemKind.ROSTER)).grids if g.path == "entries")
    assert {c.path for c in grid.cells} == {c.path for c in every.cells}


def test_a_subsidy_is_typed_with_four_decimals_and_comes_back_as_it_was() -> None:
    row = {"entries__0__name": "某户", "entries__0__quantity": "12.6931", "entries__0__unit_rate": "78.5325"}
    form = read("V04", ItemKind.ROSTER, **row, entries__0__amount_fen="996.82", quantity_unit="亩")
    body = body_of(form)
    assert body["entries"] == [{"name": "某户", "quantity": "12.6931", "unit_rate": "78.5325", "amount_fen": 99_682}]
    assert body["quantity_unit"] == "亩"
    assert to_body(form_of("V04", item(ItemKind.ROSTER), WHERE, body)) == body


@pytest.mark.parametrize("typed", ["12.69315", "约12", "十二亩", "12,5.0"])
def test_an_area_that_cannot_be_read_is_told_at_its_cell(typed: str) -> None:
    form = read("V04", ItemKind.ROSTER, entries__0__name="某户", entries__0__quantity=typed)
    to_body(form)
    assert list(form.faults) == ["entries.0.quantity"]


def test_a_pasted_list_of_subsidies_keeps_area_rate_and_money() -> None:
    form = read("V04", ItemKind.ROSTER)
    text = "序号\t姓名\t面积\t标准\t补贴资金\n1\t某甲\t2.5\t100\t250\n2\t某乙\t7227.693\t10\t72276.93\n合计\t\t\t\t72526.93"
    notes = paste(form, "entries", text)
    body = body_of(form)
    assert [(e["quantity"], e["unit_rate"], e["amount_fen"]) for e in body["entries"]] == [
        ("2.5", "100", 25_000),
        ("7227.693", "10", 7_227_693),
    ]
    assert not any("没有对应的栏目" in n for n in notes)


def test_an_election_asks_for_its_ballots_and_keeps_what_it_does_not_ask() -> None:
    for name in ("roster-ballots", "roster-election", "roster-subsidy", "roster"):
        body = golden(name)
        assert to_body(form_of("V15", item(ItemKind.ROSTER), WHERE, body)) == body
    labels = [c.label for c in spec_for("V15", item(ItemKind.ROSTER)).cells]
    assert labels == [
        "标题",
        "依据和标准",
        "登记参加选举的村民（人）",
        "参加投票（人）",
        "有效票（张）",
        "户数或人次合计",
    ]


# -- a tender and its result --------------------------------------------------------------------------------------

LOT = {"lots__0__title": "1号鱼池", "lots__0__quantity": "15.3", "lots__0__unit": "亩", "lots__0__about": "yes"}
OFFER = {"title": "鱼池招租公告", "paragraphs__0": "三块鱼池，三年。", "tender__deposit_fen": "1000", **LOT}


@pytest.mark.parametrize("kind", [ItemKind.CONTRACT, ItemKind.PROJECT])
def test_what_is_let_or_built_may_begin_with_a_notice(kind: ItemKind) -> None:
    body = body_of(read("V10", kind, **OFFER, **{"as": "notice"}))
    assert body["kind"] == "notice"
    assert body["tender"] == {"deposit_fen": 100_000}
    assert body["lots"] == [{"title": "1号鱼池", "quantity": "15.3", "unit": "亩", "about": True}]
    assert fits_item(kind, read_body(body))
    assert to_body(form_of("V10", item(kind), WHERE, body)) == body


def test_a_tender_without_terms_is_one_all_the_same_and_a_bare_notice_is_no_contract() -> None:
    body = body_of(read("V10", ItemKind.CONTRACT, title="招租公告", paragraphs__0="详见附件。", **{"as": "notice"}))
    assert fits_item(ItemKind.CONTRACT, read_body(body))
    del body["tender"]
    assert not fits_item(ItemKind.CONTRACT, read_body(body))
    assert not fits_item(ItemKind.ROSTER, read_body({**body, "tender": {}}))


@pytest.mark.parametrize("kind", [ItemKind.LEDGER, ItemKind.ROSTER, ItemKind.NOTICE, ItemKind.DECISION])
def test_other_items_have_no_such_notice(kind: ItemKind) -> None:
    assert not read("F01", kind, **{"as": "notice"}).spec.is_tender


def test_days_of_a_tender_that_cannot_be_are_told_at_their_cells() -> None:
    form = read("V10", ItemKind.CONTRACT, **OFFER, tender__opens_on="2026-02-30", **{"as": "notice"})
    assert to_body(form) is None
    assert form.faults == {"tender.opens_on": "没有 2026-02-30 这一天，请核对"}


def test_a_contract_with_lots_and_rising_rent_comes_back_as_it_was() -> None:
    for name in ("contract-lots", "contract-rises"):
        body = golden(name)
        assert to_body(form_of("V10", item(ItemKind.CONTRACT), WHERE, body)) == body
    body = golden("project-parts")
    assert to_body(form_of("V08", item(ItemKind.PROJECT), WHERE, body)) == body


def test_a_pasted_block_of_lots_fills_their_cells() -> None:
    form = read("V10", ItemKind.CONTRACT, **{"as": "notice"})
    paste(form, "lots", "标的\t面积、数量\t单位\t底价（元）\t年限\n1号\t15.3\t亩\t450\t3年\n2号\t14.7\t亩\t450\t3年")
    assert form.value("lots.1.title") == "2号"
    assert form.value("lots.1.price_fen") == "450"


# -- numbers that nobody measured ---------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["约50.17", "16.6多", "近6", "大约 1,200", "50余", "3.8966", "12左右"])
def test_a_number_that_nobody_measured_stays_as_it_was_typed(typed: str) -> None:
    assert to_measured(typed) == typed


@pytest.mark.parametrize("typed", ["约", "约五十", "约5万", "多50", "约50.17多", "约12.34567", "50约", "约1,2"])
def test_what_is_no_approximate_number_is_refused(typed: str) -> None:
    with pytest.raises(CellError, match=r"应写成 12 或 2\.5 这样的数字"):
        to_measured(typed)


def test_an_approximate_area_stands_in_a_table_and_is_added_up_by_nobody() -> None:
    columns = {"columns__0__name": "地块", "columns__0__type": "text", "columns__0__key": "c1"}
    columns |= {"columns__1__name": "面积（公顷）", "columns__1__type": "quantity", "columns__1__key": "c2"}
    rows = {"rows__0__c1": "一", "rows__0__c2": "约3.8966", "rows__1__c1": "二", "rows__1__c2": "6.3870"}
    counts = {"columns__~count": "2", "rows__~count": "2"}
    body = read_body(body_of(read("F05", ItemKind.TABLE, **columns, **rows, **counts)))
    assert isinstance(body, Table)
    assert body.rows == (("一", "约3.8966"), ("二", "6.3870"))
    assert body.column_sum("c2") is None
    exact = read("F05", ItemKind.TABLE, **columns, **{**rows, "rows__0__c2": "3.8966"}, **counts)
    whole = read_body(body_of(exact))
    assert isinstance(whole, Table)
    assert whole.column_sum("c2") == 102_836
