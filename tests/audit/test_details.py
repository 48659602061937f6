"""What audit keeps of a body: numbers and days, no word that anybody wrote."""

import json
import time
from typing import Any

import pytest

from services.audit.rules.details import LineFacts, body_data, says_something
from services.contracts.bodies import BODY

LINE = {"date": "2026-10-03", "summary": "修水管", "direction": "out", "amount_fen": 1_000, "account": "cash"}


def ledger(*lines: dict[str, Any]) -> dict[str, Any]:
    accounts = [{"account": a, "opening_fen": 0, "closing_fen": 0} for a in ("cash", "bank")]
    return {"kind": "ledger", "accounts": accounts, "lines": [{**LINE, **x} for x in lines]}


def kept(body: dict[str, Any]) -> dict[str, Any]:
    return body_data(BODY.validate_python(body))


def lines(*said: dict[str, Any]) -> list[LineFacts]:
    return [LineFacts(*row) for row in kept(ledger(*said))["detail"]]


def test_no_word_of_a_ledger_is_kept() -> None:
    said = {
        "summary": "给李晓明修房顶",
        "payee": "李晓明",
        "category": "公益支出",
        "handler": "王秀英",
        "approver": "赵志强",
        "approver_role": "主任",
        "voucher": {"word": "现付", "no": 12},
        "invoice": {"code": "2100", "no": "998877", "seller": "惠民五金店"},
    }
    text = json.dumps(kept(ledger(said)), ensure_ascii=False)
    for word in ("李晓明", "修房顶", "公益", "王秀英", "赵志强", "主任", "现付", "998877", "惠民"):
        assert word not in text


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, True),
        ({"method": "cash", "account": "bank"}, True),
        ({"method": "transfer"}, False),
        ({"method": "card"}, False),
        ({"account": "bank"}, False),
        ({"direction": "transfer", "to_account": "bank"}, False),
        ({"direction": "in"}, True),
    ],
)
def test_cash_is_what_is_said_to_be_or_what_leaves_the_till(said: dict[str, Any], expected: bool) -> None:  # noqa: FBT001 - a table's column
    assert [x.is_cash for x in lines(said)] == [expected]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"category": "差旅费"}, True),
        ({"summary": "向农户收购农副产品"}, True),
        ({"summary": "购农药"}, False),
        ({}, False),
    ],
)
def test_travel_and_produce_may_be_paid_in_cash(said: dict[str, Any], expected: bool) -> None:  # noqa: FBT001 - a table's column
    assert [x.any_cash for x in lines(said)] == [expected]


def test_payees_vouchers_and_invoices_are_numbers_within_their_ledger() -> None:
    a, b, c = (
        {"payee": p, "voucher": {"word": w, "no": 1}} for p, w in (("甲 店", "收"), ("乙店", "付"), ("甲店", "收"))
    )
    assert [(x.payee, x.voucher) for x in lines(a, b, c, {})] == [(1, 1), (2, 2), (1, 1), (None, None)]


def test_summaries_that_are_much_alike_are_one_purpose() -> None:
    told = ("付 9 月路灯电费", "付 10 月路灯电费", "购红纸", "付 9 月路灯电费")
    assert [x.purpose for x in lines(*({"summary": t} for t in told))] == [1, 1, 2, 1]


def test_the_longest_ledger_of_all_different_lines_is_read_quickly() -> None:
    words = [chr(0x4E00 + 7 * n) + chr(0x5000 + 5 * n) + chr(0x6000 + 3 * n) for n in range(2000)]
    body = BODY.validate_python(ledger(*({"summary": w, "payee": w} for w in words)))
    began = time.process_time()
    found = body_data(body)
    assert time.process_time() - began < 1.0
    assert len({LineFacts(*row).purpose for row in found["detail"]}) == 2000


def test_a_picture_of_the_whole_stands_beside_every_line() -> None:
    body = {**ledger({}, {}), "attachments": [{"digest": "0" * 64, "title": "本月凭证"}]}
    assert [LineFacts(*row).papers for row in kept(body)["detail"]] == [True, True]
    assert [x.papers for x in lines({"attachments": ["0" * 64]}, {})] == [True, False]


def roster(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = kept({"kind": "roster", "entries": entries, **more})["detail"]
    return said


def test_two_people_of_one_name_are_told_apart_by_group_and_by_reference() -> None:
    found = roster(
        {"name": "李明", "group": "一组", "days": "20"},
        {"name": "李 明", "group": "一组", "days": "12.5"},
        {"name": "李明", "group": "二组", "days": "20"},
        {"name": "李明", "group": "一组", "payee_ref": "p7", "days": "20"},
    )
    assert found["days"] == [[1, 1, 200_000], [2, 1, 125_000], [3, 2, 200_000], [4, 3, 200_000]]


@pytest.mark.parametrize(
    ("other", "twice"),
    [
        ({}, 1),
        ({"amount_fen": 101}, 0),
        ({"group": "二组"}, 0),
        ({"remark": "弟弟"}, 0),
        ({"household_size": 3}, 0),
        ({"name": "合计"}, 0),
    ],
)
def test_a_row_is_there_twice_only_when_nothing_tells_the_two_apart(other: dict[str, Any], twice: int) -> None:
    row = {"name": "李明", "group": "一组", "amount_fen": 100}
    assert roster(row, {**row, **other})["twice"] == twice


def test_sums_typed_as_rows_are_nobody_and_no_money() -> None:
    found = roster(
        {"name": "李明", "amount_fen": 100, "days": "1"},
        {"name": "合计", "amount_fen": 100, "days": "1"},
        totals={"amount_fen": 100},
    )
    assert (found["total"], found["days"]) == ([100, 100], [[1, 1, 10_000]])
    assert roster({"name": "李明"})["total"] is None


def test_a_table_leaves_its_kind_alone() -> None:
    table = {"kind": "table", "columns": [{"key": "a", "name": "项目", "type": "text"}], "rows": [["水"]]}
    assert kept(table)["detail"] is None
    assert kept(table)["kind"] == "table"


@pytest.mark.parametrize("note", [None, "", "。", "……", "——！！", "更正", "1111", "哈哈哈哈", "  改  ", "aaa。"])
def test_a_note_of_signs_or_of_nothing_says_nothing(note: str | None) -> None:
    assert not says_something(note)


@pytest.mark.parametrize("note", ["第3行写错", "电费金额抄错了，改为 81.50 元。", "漏记一笔"])
def test_a_note_that_tells_what_was_wrong_says_something(note: str) -> None:
    assert says_something(note)
