"""A block copied from a spreadsheet into the form, and the shape of last month."""

from datetime import date
from typing import Any

import pytest

from services.contracts.bodies import BODY
from services.contracts.catalogue import Affair, ItemKind, ItemRevision, Masking
from services.contracts.values import Frequency
from services.ingest.forms import Form, form_of, read_form, to_body
from services.ingest.forms.paste import paste
from services.ingest.forms.shape import same_shape


def item(kind: ItemKind) -> ItemRevision:
    return ItemRevision(
        since=date(2020, 1, 1),
        affair=Affair.FINANCE,
        name="事项",
        plain_name="事项",
        kind=kind,
        frequency=Frequency.MONTHLY,
        due="month:15",
        masking=Masking.NONE,
        board=Masking.NONE,
        confirmations=(),
        secrecy=False,
        applies="both",
        publisher="村委会",
        notice_days=0,
        keep_months=None,
        province_item=None,
        basis="依据",
    )


def empty(kind: ItemKind, code: str = "F01") -> Form:
    fields = {
        "village": "210881006206",
        "period": "2026-10",
        "accounts.0.account": "银行存款",
        "accounts.0.opening_fen": "1000",
        "accounts.0.closing_fen": "1150",
    }
    return read_form(code, item(kind), fields)


def lines(form: Form) -> list[tuple[Any, ...]]:
    made = to_body(form)
    assert made is not None, form.faults
    return [(x["date"], x["summary"], x["direction"], x["amount_fen"]) for x in made["lines"]]


def test_a_cash_book_with_month_and_day_and_two_money_columns() -> None:
    form = empty(ItemKind.LEDGER)
    notes = paste(
        form,
        "lines",
        "月\t日\t凭证字\t号\t摘要\t借方\t贷方\t方向\t余额\r\n"
        "10\t1\t\t\t上期结转\t\t\t借\t1000.00\r\n"
        "10\t8\t记\t3\t收果园承包费\t350.00\t\t借\t1350.00\r\n"
        "10\t15\t记\t4\t修村部水管\t-\t2.00E\t借\t1150.00\r\n"
        "\t\t\t\t本月合计\t350.00\t200.00\t借\t1150.00\r\n",
    )
    assert notes == ["2 行合计、结转没有带入，它们不是逐笔。"]
    assert to_body(form) is None
    assert form.faults == {"lines.1.amount_fen": "金额应写成 1234.50 这样的数字，单位是元；也可以写 2.3万"}
    form.faults.clear()
    form.values["lines.1.amount_fen"] = "200"
    assert lines(form) == [
        ("2026-10-08", "收果园承包费", "in", 35000),
        ("2026-10-15", "修村部水管", "out", 20000),
    ]
    made = to_body(form)
    assert made is not None
    assert [x["voucher"] for x in made["lines"]] == [{"word": "记", "no": 3}, {"word": "记", "no": 4}]


def test_a_plain_block_goes_behind_the_rows_that_are_there() -> None:
    form = empty(ItemKind.LEDGER)
    form.values |= {
        "lines.2.date": "10-1",
        "lines.2.summary": "甲",
        "lines.2.direction": "in",
        "lines.2.amount_fen": "1",
    }
    notes = paste(
        form,
        "lines",
        '日期\t摘要\t收支\t金额（元）\t凭证编号\t审批意见\n2026/10/2\t"乙\n丙"\t支出\t1,234.5\t现付-7\t同意',
    )
    assert notes == ["“审批意见”这一列没有对应的栏目，没有带入。"]
    assert lines(form) == [("2026-10-01", "甲", "in", 100), ("2026-10-02", "乙\n丙", "out", 123450)]
    assert (form.value("lines.3.voucher.word"), form.value("lines.3.voucher.no")) == ("现付", "7")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "没有读到内容"),
        ("\n \t \n", "没有读到内容"),
        ("甲\t乙\n1\t2", "没有认出表头"),
        ("2026-10-03\t修水管\t215", "没有认出表头"),
        ("\x00\x00", "没有读到内容"),
    ],
)
def test_a_block_without_heads_is_refused_with_the_heads_to_use(text: str, words: str) -> None:
    form = empty(ItemKind.LEDGER)
    before = dict(form.values)
    assert words in paste(form, "lines", text)[0]
    assert form.values == before


def test_two_halves_side_by_side_are_not_mixed() -> None:
    form = empty(ItemKind.LEDGER)
    notes = paste(form, "lines", "日期\t摘要\t收入\t日期\t摘要\t支出\n10-1\t甲\t5\t10-2\t乙\t6")
    assert notes == ["“日期”这一列没有对应的栏目，没有带入。", "“摘要”这一列没有对应的栏目，没有带入。"]


def test_a_roster_and_a_table_are_pasted_by_their_labels() -> None:
    roster = empty(ItemKind.ROSTER)
    assert paste(roster, "entries", "出工人员,天数,元/日,用工费\n张三,2.5,150,375\n合计,2.5,,375") == [
        "合计行的金额填到了“金额合计”，请核对。",
        "1 行合计、结转没有带入，它们不是逐笔。",
    ]
    made = to_body(roster)
    assert made is not None
    assert made["entries"] == [{"name": "张三", "days": "2.5", "rate_fen": 15000, "amount_fen": 37500}]
    table = empty(ItemKind.TABLE, "F10")
    assert paste(table, "rows", "承包人、承租人\t应交\t已交\t尚欠\n赵六\t1万\t2,000\t8000") == []
    body = to_body(table)
    assert body is not None
    assert body["rows"] == [["赵六", None, None, 1000000, 200000, 800000]]


def test_more_lines_than_a_page_holds_are_cut_and_told() -> None:
    form = empty(ItemKind.LEDGER)
    notes = paste(form, "lines", "日期\t摘要\t金额\n" + "10-1\t甲\t1\n" * 401)
    assert notes == ["页面上最多 400 行，后面的没有带入；更多的请用一键导入，或拆分成几份。"]
    assert form.counts["lines"] == 400


def test_last_months_shape_keeps_words_and_carries_balances() -> None:
    last = BODY.validate_python(
        {
            "kind": "ledger",
            "accounts": [{"account": "bank:信用社", "opening_fen": 1, "closing_fen": 777}],
            "lines": [
                {
                    "date": "2026-09-03",
                    "summary": "电费",
                    "direction": "out",
                    "amount_fen": 5,
                    "account": "bank:信用社",
                    "category": "管理费用",
                    "voucher": {"word": "记", "no": 3},
                    "attachments": ["a" * 64],
                }
            ],
            "totals": {"income_fen": 0, "expense_fen": 5},
            "attachments": [{"digest": "b" * 64, "title": "对账单"}],
        }
    )
    shape = same_shape(last.model_dump(mode="json", exclude_none=True))
    assert shape == {
        "kind": "ledger",
        "accounts": [{"account": "bank:信用社", "opening_fen": 777}],
        "lines": [{"summary": "电费", "direction": "out", "account": "bank:信用社", "category": "管理费用"}],
    }
    form = form_of("F01", item(ItemKind.LEDGER), ("210881006206", "2026-10"), shape)
    assert to_body(form) is None
    assert form.faults == {
        "accounts.0.closing_fen": "请填写本期结余",
        "lines.0.date": "请填写记账日期",
        "lines.0.amount_fen": "请填写金额（元）",
    }


def test_last_quarters_debts_begin_with_their_last_balance() -> None:
    columns = [
        {"key": "party", "name": "单位", "type": "name"},
        *({"key": k, "name": k, "type": "amount"} for k in ("opening", "increase", "decrease", "closing")),
    ]
    check = {"plus": ["opening", "increase"], "minus": ["decrease"], "equals": "closing"}
    body = {
        "kind": "table",
        "columns": columns,
        "rows": [["甲", 5, 3, 1, 7]],
        "checks": [check],
        "totals": {"closing": 7},
    }
    assert same_shape(body) == {
        "kind": "table",
        "columns": columns,
        "checks": [check],
        "rows": [["甲", 7, None, None, None]],
    }
