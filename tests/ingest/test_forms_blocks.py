"""The table of a notice as a pasted block: read, shown again, told at its line; what a block cannot tell is kept."""

from typing import Any

import pytest

from services.contracts.bodies import Notice
from services.contracts.catalogue import ItemKind
from services.ingest.bulk.cells import CellError
from services.ingest.forms import field_of, form_of, to_body
from services.ingest.forms.blocks import block_of, tells_whole, to_block
from services.ingest.gate.bodies import read_body
from tests.contracts.test_bodies_kinds import golden
from tests.ingest.test_forms import item
from tests.ingest.test_forms_items import body_of, read

BLOCK = "序号\t项目\t面积\t金额（元）\t补助(万元)\t户主\n1\t换泵\t2.5\t2,800.00\t0.28\t某甲\n2\t人工\t\t400\t\t\n\t合计\t\t3200\t\t"
WHERE = ("210881006206", "2026-10-05")


def test_a_block_is_read_by_what_stands_in_its_columns() -> None:
    table = to_block(BLOCK)
    assert [(c["name"], c["type"], c.get("unit")) for c in table["columns"]] == [
        ("序号", "text", None),
        ("项目", "text", None),
        ("面积", "quantity", None),
        ("金额（元）", "amount", "元"),
        ("补助(万元)", "amount", "万元"),
        ("户主", "name", None),
    ]
    assert table["rows"][0] == ["1", "换泵", "2.5", 280_000, 280_000, "某甲"]
    assert table["rows"][1] == ["2", "人工", None, 40_000, None, None]


def test_a_notice_with_a_table_comes_back_as_it_was_and_its_sum_is_checked() -> None:
    raw = body_of(read("V18", ItemKind.NOTICE, title="公告", paragraphs__0="如下。", table=BLOCK))
    body = read_body(raw)
    assert isinstance(body, Notice)
    assert body.findings("2026-10-05") == ()
    again = form_of("V18", item(ItemKind.NOTICE), WHERE, body.model_dump(mode="json", exclude_none=True))
    assert again.value("table").startswith("序号\t项目")
    assert read_body(to_body(again) or {}) == body
    wrong = read_body({**raw, "table": to_block(BLOCK.replace("3200", "3300"))})
    (finding,) = wrong.findings("2026-10-05")
    assert finding.code == "table.total"
    assert field_of(again, finding.at, {}) == "table"


def test_a_table_that_a_block_cannot_tell_stays_as_it_is() -> None:
    body = golden("notice")
    assert not tells_whole(body["table"])
    form = form_of("V18", item(ItemKind.NOTICE), WHERE, body)
    assert form.value("table") == ""
    assert to_body(form) == body
    form.values["table"] = "项目\t金额（元）\n换泵\t1"
    assert (to_body(form) or {})["table"]["rows"] == [["换泵", 100]]


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("\n \n", "没有读到表格"),
        ("项目\t\t金额\na\tb\tc", "第 2 列没有列名"),
        ("项目\t金额\na\tb\tc", "表格第 2 行有 3 格，列名只有 2 个"),
        ("\t".join(f"列{n}" for n in range(21)), "表格太大，最多 20 列、400 行"),
        ("项目\n" + "一\n" * 401, "表格太大，最多 20 列、400 行"),
    ],
)
def test_a_block_that_is_no_table_is_told(block: str, message: str) -> None:
    with pytest.raises(CellError, match=message):
        to_block(block)
    if block.strip():
        form = read("V18", ItemKind.NOTICE, title="公告", paragraphs__0="如下。", table=block)
        assert to_body(form) is None
        assert message in form.faults["table"]


@pytest.mark.parametrize("cell", ["=1+1", "约50", "2026-02-30", "1e5", '"引号', "一\t", "某甲\n某乙"])
def test_what_is_no_number_stays_words(cell: str) -> None:
    table: dict[str, Any] = {"columns": [{"key": "c1", "name": "数（元）"}], "rows": [[cell]]}
    assert block_of(to_block(block_of(table))) == block_of(table) or cell.strip() != cell
