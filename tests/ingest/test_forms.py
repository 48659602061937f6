"""Forms of all seven kinds: what an API wrote comes back from the form unchanged, and a wrong cell is told at its place."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.contracts.bodies import BODY, settled
from services.contracts.catalogue import Affair, ItemKind, ItemRevision, Masking
from services.contracts.privacy.walking import FIELDS
from services.contracts.values import Frequency
from services.ingest.forms import Form, add_rows, form_of, note_faults, read_form, to_body
from services.ingest.forms.columns import STARTERS
from services.ingest.forms.spec import spec_for
from services.ingest.gate.bodies import MalformedBodyError, read_body
from services.kit.errors import faults_of

WHERE = ("210881006206", "2026-10")


def item(kind: ItemKind, **changes: Any) -> ItemRevision:
    values: dict[str, Any] = {
        "since": date(2020, 1, 1),
        "affair": Affair.FINANCE,
        "name": "事项",
        "plain_name": "事项",
        "kind": kind,
        "frequency": Frequency.MONTHLY,
        "due": "month:15",
        "masking": Masking.SURNAME,
        "board": Masking.FULL,
        "confirmations": ("supervisors",),
        "secrecy": False,
        "applies": "both",
        "publisher": "村委会",
        "notice_days": 10,
        "keep_months": None,
        "province_item": None,
        "basis": "依据",
    }
    return ItemRevision(**{**values, **changes})


def shown(body: dict[str, Any]) -> Form:
    return form_of("F01", item(ItemKind(body["kind"])), WHERE, body)


def sent(form: Form) -> Form:
    """The form as a browser sends it back: every field, counts, line ends as CRLF."""
    fields = {name: value.replace("\n", "\r\n") for name, value in form.values.items()}
    counts = {f"{path}.~count": str(n) for path, n in form.counts.items()}
    where = {"village": form.village, "period": form.period}
    return read_form(form.item, item(form.spec.kind), {**fields, **counts, **where})


FULL: list[dict[str, Any]] = [
    {
        "kind": "ledger",
        "accounts": [
            {"account": "cash", "opening_fen": 120000, "closing_fen": 98500},
            {"account": "bank:信用社", "opening_fen": -5, "closing_fen": 9007199254740991},
            {"account": "imprest", "opening_fen": 0, "closing_fen": 0},
        ],
        "lines": [
            {
                "date": "2026-10-03",
                "occurred_on": "2026-09-30",
                "summary": "修村部水管",
                "direction": "out",
                "amount_fen": -21500,
                "account": "cash",
                "method": "cash",
                "category": "管理费用",
                "payee": "某五金店",
                "payee_ref": "k1:abc",
                "voucher": {"word": "现付", "no": 7},
                "handler": "张三",
                "attestor": "李四",
                "approver": "王五",
                "approver_role": "村主任",
                "invoice": {"code": "2100", "no": "0007", "seller": "五金店"},
                "resolution_id": "决2026-3",
                "person_days": 3,
                "attachments": ["a" * 64],
            },
            {
                "date": "2026-10-04",
                "summary": "取现",
                "direction": "transfer",
                "amount_fen": 100,
                "account": "bank:信用社",
                "to_account": "cash",
            },
        ],
        "totals": {"income_fen": 0, "expense_fen": -21500},
        "attachments": [{"digest": "b" * 64, "title": "对账单"}],
    },
    {
        "kind": "roster",
        "title": "十月用工",
        "standard": "每工 150 元\n按实际出工",
        "entries": [
            {
                "name": "张三",
                "payee_ref": "k1:x",
                "group": "一组",
                "household_size": 4,
                "category": "保洁",
                "days": "2.50",
                "rate_fen": 15000,
                "amount_fen": 37500,
                "goods": "大米 2 袋",
                "votes": 0,
                "remark": "无",
            }
        ],
        "totals": {"entries": 1, "people": 4, "amount_fen": 37500},
    },
    {
        "kind": "notice",
        "title": "公告",
        "paragraphs": ["第一段", "第二段\n\n还是第二段", "第三段"],
        "table": {"kind": "table", "columns": [{"key": "a", "name": "甲"}], "rows": [["x"], [None]]},
        "posted_from": "2026-10-01",
        "posted_until": "2026-10-10",
        "signed_by": "西海村委会",
        "signed_on": "2026-10-01",
    },
    {
        "kind": "decision",
        "title": "修路",
        "meeting": "representatives",
        "held_on": "2026-10-08",
        "votes": {"entitled": 30, "present": 25, "in_favour": 24, "against": 1, "abstained": 0},
        "steps": [{"name": "提议", "date": "2026-10-01", "note": "党支部"}, {"name": "决议", "date": "2026-10-08"}],
        "resolution": "同意修路",
        "implementation": "已开工",
    },
    {
        "kind": "contract",
        "title": "果园租赁",
        "type": "lease",
        "party": "赵六",
        "outsider": True,
        "subject": "东坡果园",
        "area_mu": "12.5",
        "signed_on": "2026-10-01",
        "begins": "2026-10-01",
        "ends": "2036-09-30",
        "total_fen": 1000000,
        "annual_fen": 100000,
        "instalments": [{"due": "2026-12-31", "amount_fen": 1000000}],
        "method": "公开协商",
        "resolution_id": "决1",
        "remark": "无",
    },
    {
        "kind": "project",
        "title": "修路",
        "scope": "三公里",
        "tender": "open",
        "contractor": "路桥公司",
        "budget_fen": 5,
        "contract_fen": 4,
        "settled_fen": 4,
        "funds": [{"source": "上级", "amount_fen": 5}],
        "bids": [{"bidder": "路桥公司", "amount_fen": 4, "won": True}, {"bidder": "乙", "amount_fen": 5}],
        "payments": [{"date": "2026-10-09", "amount_fen": 4, "note": "首付"}],
        "tendered_on": "2026-08-01",
        "started_on": "2026-09-01",
        "finished_on": "2026-10-01",
        "accepted_on": "2026-10-09",
        "acceptance": "合格",
        "resolution_id": "决1",
    },
    {
        "kind": "table",
        "title": "债权债务",
        "columns": [
            {"key": "party", "name": "单位", "type": "name"},
            {"key": "keep", "name": "期末", "type": "amount", "unit": "元"},
            {"key": "n", "name": "户", "type": "count"},
            {"key": "q", "name": "亩", "type": "quantity"},
            {"key": "t", "name": "说明"},
        ],
        "rows": [["甲", 123, -2, "1.50", None], [None, None, 0, None, "无"]],
        "totals": {"keep": 123, "n": -2},
        "checks": [{"plus": ["keep"], "minus": [], "equals": "keep"}],
    },
]


@pytest.mark.parametrize("body", FULL, ids=lambda b: b["kind"])
def test_a_body_with_everything_in_it_survives_the_form(body: dict[str, Any]) -> None:
    form = sent(shown(body))
    made = to_body(form)
    assert made is not None, (form.faults, form.homeless)
    assert read_body(made) == settled(BODY.validate_python(body))


def test_every_golden_body_survives_the_form() -> None:
    folder = Path(__file__).parents[2] / "services/contracts/examples"
    found = [b for f in sorted(folder.rglob("*.json")) for b in bodies_in(json.loads(f.read_text()))]
    for body in found:
        dump = BODY.validate_python(body).model_dump(mode="json", exclude_none=True)
        made = to_body(sent(shown(dump)))
        assert made is not None
        assert read_body(made) == settled(BODY.validate_python(body))


def bodies_in(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [b for inner in value for b in bodies_in(inner)]
    if not isinstance(value, dict):
        return []
    own = [value["body"]] if isinstance(value.get("body"), dict) and "kind" in value["body"] else []
    return [*own, *(b for inner in value.values() for b in bodies_in(inner))]


LEDGER = {
    "village": "210881006206",
    "period": "2026-10",
    "accounts.0.account": "现金",
    "accounts.0.opening_fen": "１，２００.00",  # noqa: RUF001 - as Chinese input methods type it
    "accounts.0.closing_fen": "985",
    "lines.0.date": "10月3日",
    "lines.0.summary": "修村部水管",
    "lines.0.direction": "out",
    "lines.0.amount_fen": "215",
}


def ledger(**changes: str) -> Form:
    fields = {**LEDGER, **{name.replace("__", "."): value for name, value in changes.items()}}
    return read_form("F01", item(ItemKind.LEDGER), fields)


def test_a_plain_line_takes_the_only_account_and_the_periods_year() -> None:
    made = to_body(ledger(lines__0__voucher__no="12"))
    assert made is not None
    assert made["accounts"] == [{"account": "cash", "opening_fen": 120000, "closing_fen": 98500}]
    assert made["lines"] == [
        {
            "date": "2026-10-03",
            "summary": "修村部水管",
            "direction": "out",
            "amount_fen": 21500,
            "account": "cash",
            "voucher": {"no": 12, "word": "记"},
        }
    ]


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("lines.0.amount_fen", "二百元", "金额应写成 1234.50 这样的数字"),
        ("lines.0.amount_fen", "1.234", "小数点后不超过两位"),
        ("lines.0.amount_fen", "12,34", "金额应写成"),
        ("lines.0.amount_fen", "9" * 5000, "金额应写成"),
        ("lines.0.amount_fen", "9999999999999999", "金额太大"),
        ("lines.0.amount_fen", "约100", "金额应写成"),
        ("lines.0.amount_fen", "***", "金额应写成"),
        ("lines.0.amount_fen", "", "请填写金额"),
        ("lines.0.date", "6月31日", "没有 6月31日 这一天"),
        ("lines.0.date", "202131日", "日期应写作"),
        ("lines.0.date", "三月五日", "日期应写作"),
        ("lines.0.date", "45678", "日期应写作"),
        ("lines.0.summary", "   ", "请填写摘要"),
        ("lines.0.voucher.no", "第三号", "应写成 12 这样的整数"),
        ("lines.0.account", "微信", "账户应写 库存现金、银行存款 或 备用金"),
        ("accounts.0.opening_fen", "", "请填写上期结余"),
        ("totals.income_fen", "千元", "金额应写成"),
    ],
)
def test_a_wrong_cell_is_told_at_the_cell(field: str, typed: str, words: str) -> None:
    form = read_form("F01", item(ItemKind.LEDGER), {**LEDGER, field: typed})
    assert to_body(form) is None
    assert words in form.faults[field]
    assert form.value(field) == (typed if typed.strip() else "")


@pytest.mark.parametrize(
    ("typed", "fen"),
    [
        ("2.3万", 2300000),
        ("1,234.5", 123450),
        ("１２．３０", 1230),  # noqa: RUF001 - full-width
        ("¥12元", 1200),
        ("(5)", -500),
        ("−0.05", -5),
        ("0.000001万", 1),
        ("7.10", 710),
        ("3.500", 350),
    ],
)
def test_money_is_understood_as_people_type_it(typed: str, fen: int) -> None:
    made = to_body(ledger(lines__0__amount_fen=typed))
    assert made is not None
    assert made["lines"][0]["amount_fen"] == fen


def test_what_the_body_refuses_stands_at_its_cell_even_when_rows_are_left_blank() -> None:
    form = read_form(
        "F01",
        item(ItemKind.LEDGER),
        {
            **LEDGER,
            "lines.5.direction": "in",
            "lines.5.date": "10-9",
            "lines.5.summary": "x",
            "lines.5.amount_fen": "0",
            "lines.5.voucher.no": "100000",
        },
    )
    made = to_body(form)
    assert made is not None
    with pytest.raises(MalformedBodyError) as refused:
        read_body(made)
    note_faults(form, [(f.at, f.message) for f in faults_of(refused.value.errors, below=("body",))])
    assert form.faults == {"lines.5.amount_fen": "金额不能为 0", "lines.5.voucher.no": "不能大于 99999"}
    assert form.homeless == []


def test_a_transfer_knows_the_other_of_two_accounts_and_asks_among_three() -> None:
    bank = {"accounts__1__account": "银行", "accounts__1__opening_fen": "0", "accounts__1__closing_fen": "0"}
    two = to_body(ledger(lines__0__direction="transfer", lines__0__account="银行", **bank))
    assert two is not None
    assert (two["lines"][0]["account"], two["lines"][0]["to_account"]) == ("bank", "cash")
    third = {"accounts__2__account": "备用金", "accounts__2__opening_fen": "0", "accounts__2__closing_fen": "0"}
    three = ledger(lines__0__direction="transfer", lines__0__account="银行", **bank, **third)
    assert to_body(three) is None
    assert three.faults == {"lines.0.to_account": "内部划转要写转入账户"}


@pytest.mark.parametrize("kept", ["{", "[]", "7", '"x"', "[" * 100_000])
def test_a_spoilt_hidden_field_is_told_and_nothing_is_saved(kept: str) -> None:
    form = read_form("F01", item(ItemKind.LEDGER), {**LEDGER, "lines.0.~keep": kept})
    assert to_body(form) is None
    assert form.homeless == ["页面上随附的内容损坏了，请从办事台重新打开这一份再填。"]


@pytest.mark.parametrize("count", ["-1", "x", "9" * 50, "", "99999"])
def test_a_strange_count_of_rows_is_no_error(count: str) -> None:
    form = read_form("F01", item(ItemKind.LEDGER), {**LEDGER, "lines.~count": count})
    assert to_body(form) is not None


def test_more_rows_stop_at_the_limit() -> None:
    form = ledger()
    add_rows(form, "accounts")
    assert form.counts["accounts"] == 4
    for _ in range(30):
        add_rows(form, "accounts")
    assert form.counts["accounts"] == 20


def test_every_table_item_of_the_catalogue_has_columns_that_a_body_takes() -> None:
    assert sorted(STARTERS) == ["F02", "F03", "F05", "F10", "V06", "V17"]
    for code in STARTERS:
        form = read_form(code, item(ItemKind.TABLE), {"village": WHERE[0], "period": "2026Q3"})
        made = to_body(form)
        assert made is not None
        assert len(read_body(made).model_dump()["columns"]) >= 4


def test_a_clerk_renames_drops_and_adds_columns_of_a_table() -> None:
    begun = sent(read_form("F10", item(ItemKind.TABLE), {"village": WHERE[0], "period": "2026Q3"}))
    values = {**begun.values, "columns.2.name": "", "columns.6.name": "电话之外的说明", "columns.6.type": "text"}
    values |= {"columns.~count": "7", "rows.0.party": "赵六", "rows.0.receivable": "1万", "totals.owed": "3"}
    made = to_body(read_form("F10", item(ItemKind.TABLE), values))
    assert made is not None
    assert [c["key"] for c in made["columns"]] == ["party", "thing", "receivable", "received", "owed", "c1"]
    assert made["rows"] == [["赵六", None, 1000000, None, None, None]]
    assert made["totals"] == {"owed": 300}
    read_body(made)


def test_a_dropped_sum_column_takes_its_checks_and_totals_with_it() -> None:
    begun = sent(read_form("F10", item(ItemKind.TABLE), {"village": WHERE[0], "period": "2026Q3"}))
    made = to_body(
        read_form(
            "F10",
            item(ItemKind.TABLE),
            {**begun.values, "columns.~count": "6", "columns.5.name": "", "totals.owed": "3"},
        )
    )
    assert made is not None
    assert (made.get("checks", []), made.get("totals", {})) == ([], {})
    read_body(made)


def test_hints_come_from_the_catalogue_row() -> None:
    revision = item(
        ItemKind.ROSTER, secrecy=True, masking=Masking.AGGREGATE, confirmations=("supervisors", "principal")
    )
    hints = " ".join(read_form("P02", revision, {}).spec.hints)
    assert re.search("网上只公布人数和金额的合计.*村务监督委员会、村集体负责人核对.*保密审查.*不少于 10 天", hints)


def test_findings_call_fields_what_the_form_calls_them() -> None:
    labels: dict[str, set[str]] = {}
    for spec in (spec_for("F01", item(kind)) for kind in ItemKind if kind is not ItemKind.TABLE):
        for cell in (*spec.cells, *(cell for grid in spec.grids for cell in grid.cells)):
            labels.setdefault(cell.path, set()).add(cell.label)
    for field, word in FIELDS.items():
        if field in labels:
            assert any(word in label for label in labels[field]), (field, word, labels[field])
