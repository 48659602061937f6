"""Malformed bodies of the seven kinds are refused at the place where they are wrong."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.contracts.bodies import BODY, Quantity, ten_thousandths
from tests.contracts.test_bodies_kinds import GONE, KINDS, bent, golden, read

BIG = 2**53


def refused_at(body: dict[str, Any]) -> set[str]:
    """Where a body is refused."""
    with pytest.raises(ValidationError) as refused:
        BODY.validate_python(body)
    return {".".join(str(step) for step in e["loc"]) for e in refused.value.errors()}


@pytest.mark.parametrize(
    ("kind", "changes", "at"),
    [
        # Ledger: its own tests hold the rest.
        ("ledger", {"attachments.0.digest": "B2" * 32}, "ledger.attachments.0.digest"),
        ("ledger", {"attachments.0.title": ""}, "ledger.attachments.0.title"),
        ("ledger", {"lines.1.amount_fen": 0}, "ledger.lines.1.amount_fen"),
        ("ledger", {"lines.2.to_account": GONE}, "ledger.lines.2.to_account"),
        ("ledger", {"lines.0.invoice.seller": GONE}, "ledger.lines.0.invoice.seller"),
        # Roster.
        ("roster", {"entries": GONE}, "roster.entries"),
        ("roster", {"entries": None}, "roster.entries"),
        ("roster", {"entries.0.name": GONE}, "roster.entries.0.name"),
        ("roster", {"entries.0.name": " "}, "roster.entries.0.name"),
        ("roster", {"entries.0.name": "张\x00建国"}, "roster.entries.0.name"),
        ("roster", {"entries.0.amount_fen": 300.5}, "roster.entries.0.amount_fen"),
        ("roster", {"entries.0.amount_fen": "30000"}, "roster.entries.0.amount_fen"),
        ("roster", {"entries.0.amount_fen": True}, "roster.entries.0.amount_fen"),
        ("roster", {"entries.0.amount_fen": BIG}, "roster.entries.0.amount_fen"),
        ("roster", {"entries.1.household_size": 0}, "roster.entries.1.household_size"),
        ("roster", {"entries.1.household_size": 101}, "roster.entries.1.household_size"),
        ("roster", {"entries.2.votes": -1}, "roster.entries.2.votes"),
        ("roster", {"totals.entries": -1}, "roster.totals.entries"),
        ("roster", {"totals.entries": BIG}, "roster.totals.entries"),
        ("roster", {"totals.people": BIG}, "roster.totals.people"),
        ("roster", {"standard": "长" * 2001}, "roster.standard"),
        # Notice.
        ("notice", {"title": "维\x00修"}, "notice.title"),
        ("notice", {"title": "长" * 201}, "notice.title"),
        ("notice", {"paragraphs": []}, "notice.paragraphs"),
        ("notice", {"paragraphs": "一段话"}, "notice.paragraphs"),
        ("notice", {"paragraphs.1": "  "}, "notice.paragraphs.1"),
        ("notice", {"paragraphs.1": "机\x00井"}, "notice.paragraphs.1"),
        ("notice", {"paragraphs": ["一段"] * 201}, "notice.paragraphs"),
        ("notice", {"posted_until": "2026-10-04"}, "notice.posted_until"),
        ("notice", {"posted_from": GONE}, "notice.posted_until"),
        ("notice", {"posted_from": "2026-10-5"}, "notice.posted_from"),
        ("notice", {"posted_until": "2026年10月15日"}, "notice.posted_until"),
        ("notice", {"signed_on": 20261005}, "notice.signed_on"),
        ("notice", {"table.rows.0": ["换泵"]}, "notice.table"),
        ("notice", {"table.rows.0.1": "2800"}, "notice.table"),
        ("notice", {"table.rows.0.0": "换\x00泵"}, "notice.table.rows.0.0"),
        # Decision.
        ("decision", {"meeting": "everybody"}, "decision.meeting"),
        ("decision", {"held_on": GONE}, "decision.held_on"),
        ("decision", {"held_on": "2026-02-29"}, "decision.held_on"),
        ("decision", {"held_on": "2026-10-08T00:00:00"}, "decision.held_on"),
        ("decision", {"resolution": GONE}, "decision.resolution"),
        ("decision", {"resolution": "同\x00意"}, "decision.resolution"),
        ("decision", {"votes.entitled": 0}, "decision.votes.entitled"),
        ("decision", {"votes.in_favour": -1}, "decision.votes.in_favour"),
        ("decision", {"votes.against": 1_000_001}, "decision.votes.against"),
        ("decision", {"votes.present": GONE}, "decision.votes.present"),
        ("decision", {"votes.present": 2.5}, "decision.votes.present"),
        ("decision", {"steps.0.date": None}, "decision.steps.0.date"),
        ("decision", {"steps.0.name": GONE}, "decision.steps.0.name"),
        ("decision", {"steps": [{"name": "商议", "date": "2026-10-08"}] * 11}, "decision.steps"),
        # Contract.
        ("contract", {"ends": "2026-10-31"}, "contract.ends"),
        ("contract", {"type": "gift"}, "contract.type"),
        ("contract", {"party": GONE}, "contract.party"),
        ("contract", {"subject": "东山\x00果园"}, "contract.subject"),
        ("contract", {"instalments.1.amount_fen": 0}, "contract.instalments.1.amount_fen"),
        ("contract", {"instalments.1.due": "2029-05"}, "contract.instalments.1.due"),
        ("contract", {"instalments": [{"due": "2026-11-01", "amount_fen": 1}] * 201}, "contract.instalments"),
        ("contract", {"total_fen": -BIG}, "contract.total_fen"),
        ("contract", {"annual_fen": "1万"}, "contract.annual_fen"),
        ("contract", {"signed_on": 1_790_000_000}, "contract.signed_on"),
        ("contract", {"begins": None}, "contract.begins"),
        # Project.
        ("project", {"tender": "lottery"}, "project.tender"),
        ("project", {"scope": GONE}, "project.scope"),
        ("project", {"scope": "硬化\x00道路"}, "project.scope"),
        ("project", {"funds.0.amount_fen": 0}, "project.funds.0.amount_fen"),
        ("project", {"bids.0.amount_fen": 0}, "project.bids.0.amount_fen"),
        ("project", {"bids.0.won": "maybe"}, "project.bids.0.won"),
        ("project", {"payments.0.amount_fen": 0}, "project.payments.0.amount_fen"),
        ("project", {"payments.0.date": "08/20/2026"}, "project.payments.0.date"),
        ("project", {"budget_fen": 2e7}, "project.budget_fen"),
        ("project", {"settled_fen": BIG}, "project.settled_fen"),
        ("project", {"funds": [{"source": "村集体", "amount_fen": 1}] * 51}, "project.funds"),
        # Table.
        ("table", {"columns": []}, "table.columns"),
        ("table", {"columns.0.key": "Who"}, "table.columns.0.key"),
        ("table", {"columns.0.key": "谁"}, "table.columns.0.key"),
        ("table", {"columns.0.name": GONE}, "table.columns.0.name"),
        ("table", {"columns.0.type": "money"}, "table.columns.0.type"),
        ("table", {"rows.0.0": "赵\x00铁柱"}, "table.rows.0.0"),
        ("table", {"rows.0.1": "长" * 501}, "table.rows.0.1"),
        ("table", {"rows.0.4": 1200.0}, "table.rows.0.4"),
        ("table", {"rows.0.4": True}, "table.rows.0.4"),
        ("table", {"rows.0.4": BIG}, "table.rows.0.4"),
        ("table", {"rows.0.4": ["120000"]}, "table.rows.0.4"),
        ("table", {"rows": None}, "table.rows"),
        ("table", {"totals.due": BIG}, "table.totals.due"),
        ("table", {"totals.due": "420000"}, "table.totals.due"),
        ("table", {"totals.due": True}, "table.totals.due"),
        ("table", {"checks.0.plus": []}, "table.checks.0.plus"),
        ("table", {"checks.0.equals": GONE}, "table.checks.0.equals"),
    ],
)
def test_malformed_body_is_refused_at_its_place(kind: str, changes: dict[str, Any], at: str) -> None:
    assert refused_at(bent(kind, changes)) == {at}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows.1": ["孙二娘", "门市房"]}, "第 2 行有 2 格，应有 7 格"),
        ({"rows.1": []}, "第 2 行有 0 格，应有 7 格"),
        ({"rows.0": [*golden("table")["rows"][0], None]}, "第 1 行有 8 格，应有 7 格"),
        ({"rows.0.4": "1200"}, "第 1 行“应交”应为整数"),
        ({"rows.1.3": ""}, "第 2 行“间数”应为整数"),
        ({"rows.0.0": 7}, "第 1 行“承租人”应为文字"),
        ({"rows.0.1": 0}, "第 1 行“租的什么”应为文字"),
        ({"rows.0.2": 3}, "第 1 行“面积”应为文字"),
        ({"columns.1.key": "who"}, "同一列出现了两次"),
        ({"totals.what": 1}, "合计和核对只能用金额或数量的列，“租的什么”不是"),
        ({"totals.area": 3}, "合计和核对只能用金额或数量的列，“面积”不是"),
        ({"totals.nowhere": 1}, "合计和核对只能用金额或数量的列，“没有的列”不是"),
        ({"checks.0.plus": ["who"]}, "合计和核对只能用金额或数量的列，“承租人”不是"),
        ({"checks.0.minus": ["area"]}, "合计和核对只能用金额或数量的列，“面积”不是"),
        ({"checks.0.equals": "what"}, "合计和核对只能用金额或数量的列，“租的什么”不是"),
    ],
)
def test_a_table_that_does_not_fit_its_columns_says_which_row_and_column(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read("table", **changes)
    assert [e["msg"] for e in refused.value.errors()] == [f"Value error, {message}"]


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("notice", {"posted_until": "2026-10-04"}, "公示结束 2026-10-04 早于公示开始 2026-10-05，请改正"),
        ("contract", {"ends": "2026-10-31"}, "到期日期 2026-10-31 早于起始日期 2026-11-01，请改正"),
        ("project", {"payments.0.amount_fen": 0}, "金额不能为 0"),
        ("decision", {"held_on": "2026-10-8"}, "日期应写作 2026-10-03"),
        ("roster", {"entries.0.remark": "\x00"}, "不能含有空字符（NUL）"),
        ("table", {"rows.0.1": "鱼\x00塘"}, "不能含有空字符（NUL）"),
        ("table", {"rows.0.1": "长" * 501}, "文字太长，最多 500 个字"),
        ("table", {"rows.0.4": 1200.5}, "应为整数（金额以分为单位）、文字，或留空"),
    ],
)
def test_a_refusal_is_a_sentence(kind: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read(kind, **changes)
    assert f"Value error, {message}" in {e["msg"] for e in refused.value.errors()}


def test_every_fault_is_told_at_once() -> None:
    body = bent("roster", {"entries.0.name": "", "entries.1.household_size": 0, "totals.people": -1})
    wrong = {"roster.entries.0.name", "roster.entries.1.household_size", "roster.totals.people"}
    assert refused_at(body) == wrong


@pytest.mark.parametrize(
    ("kind", "field", "row"),
    [
        (
            "ledger",
            "lines",
            {"date": "2026-10-03", "summary": "水费", "direction": "out", "amount_fen": 1, "account": "cash"},
        ),
        ("roster", "entries", {"name": "张建国"}),
        ("table", "rows", [None] * 7),
    ],
)
def test_two_thousand_rows_are_taken_and_one_more_is_refused(kind: str, field: str, row: Any) -> None:
    assert read(kind, **{field: [row] * 2000}).row_count == 2000
    assert refused_at(bent(kind, {field: [row] * 2001})) == {f"{kind}.{field}"}


def test_a_table_has_twenty_columns_at_most() -> None:
    columns = [{"key": f"c{n}", "name": f"第{n}列"} for n in range(21)]
    body = {"kind": "table", "columns": columns[:20], "rows": [[""] * 20]}
    assert BODY.validate_python(body).row_count == 1
    assert refused_at({**body, "columns": columns, "rows": []}) == {"table.columns"}


@pytest.mark.parametrize(
    "quantity",
    [
        "",
        " ",
        "-1",
        "+1",
        "01",
        "1.",
        ".5",
        "1.23456",
        "1,000",
        "1e3",
        "2.5\n",
        " 2.5",
        "\uff12",
        "二",
        "NaN",
        "1 000",
        "2.5亩",
        "1234567890",
        2,
        2.5,
        True,
    ],
)
def test_a_quantity_that_is_no_plain_number_is_refused(quantity: Any) -> None:
    assert refused_at(bent("roster", {"entries.0.days": quantity})) == {"roster.entries.0.days"}
    assert refused_at(bent("contract", {"area_mu": quantity})) == {"contract.area_mu"}


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("0", 0),
        ("0.5", 5_000),
        ("0.05", 500),
        ("2.50", 25_000),
        ("3.8966", 38_966),
        ("12", 120_000),
        ("999999999.9999", 9_999_999_999_999),
    ],
)
def test_a_quantity_is_kept_as_written_and_counted_in_ten_thousandths(quantity: Quantity, expected: int) -> None:
    assert read("contract", area_mu=quantity).model_dump()["area_mu"] == quantity
    assert ten_thousandths(quantity) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_is_made_of_nothing_or_of_another_kinds_content(kind: str) -> None:
    assert refused_at({"kind": kind})
    for other in set(KINDS) - {kind}:
        assert refused_at({**golden(other), "kind": kind})


@pytest.mark.parametrize("kind", KINDS)
def test_fifty_files_are_taken_and_one_more_is_refused(kind: str) -> None:
    file = {"digest": "ab" * 32, "title": "照片"}
    assert len(read(kind, attachments=[file] * 50).attachments) == 50
    assert refused_at(bent(kind, {"attachments": [file] * 51})) == {f"{kind}.attachments"}
