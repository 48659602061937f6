"""Arithmetic of the seven kinds: what does not add up is found at its place, what adds up is not."""

from typing import Any

import pytest

from tests.contracts.test_bodies_kinds import GONE, PERIODS, read

Findings = list[tuple[str, str]]


def found(kind: str, changes: dict[str, Any]) -> Findings:
    return [(f.code, f.at) for f in read(kind, **changes).findings(PERIODS[kind])]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"accounts.0.closing_fen": 148501}, [("ledger.closing", "body.accounts[0]")]),
        ({"accounts.1.opening_fen": 0}, [("ledger.closing", "body.accounts[1]")]),
        (
            {"lines.2.amount_fen": 50001},
            [("ledger.closing", "body.accounts[0]"), ("ledger.closing", "body.accounts[1]")],
        ),
        ({"totals.expense_fen": 21500}, [("ledger.total", "body.totals.expense_fen")]),
        ({"totals.income_fen": 110000}, [("ledger.total", "body.totals.income_fen")]),
        ({"lines.3.date": "2026-11-01"}, [("ledger.date", "body.lines[3].date")]),
        ({"totals": GONE}, []),
    ],
)
def test_ledger(changes: dict[str, Any], expected: Findings) -> None:
    assert found("ledger", changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"entries.0.amount_fen": 30001, "totals.amount_fen": 75001},
            [("roster.product", "body.entries[0].amount_fen")],
        ),
        ({"entries.0.days": "2.51"}, [("roster.product", "body.entries[0].amount_fen")]),
        ({"entries.0.rate_fen": 12001}, [("roster.product", "body.entries[0].amount_fen")]),
        ({"entries.0.rate_fen": GONE}, []),
        ({"totals.entries": 4}, [("roster.count", "body.totals.entries")]),
        # An entry without a size is one person.
        ({"totals.people": 5}, [("roster.people", "body.totals.people")]),
        ({"entries.2.household_size": 1}, []),
        ({"totals.amount_fen": 74999}, [("roster.total", "body.totals.amount_fen")]),
        (
            {"entries": []},
            [
                ("roster.count", "body.totals.entries"),
                ("roster.people", "body.totals.people"),
                ("roster.total", "body.totals.amount_fen"),
            ],
        ),
        ({"totals": GONE}, []),
        ({"totals": {"people": 6}}, []),
    ],
)
def test_roster(changes: dict[str, Any], expected: Findings) -> None:
    assert found("roster", changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"table.totals.cost": 320001}, [("table.total", "body.table.totals.cost")]),
        (
            {"table.checks": [{"plus": ["cost"], "minus": ["cost"], "equals": "cost"}]},
            [("table.row", "body.table.rows[0][1]"), ("table.row", "body.table.rows[1][1]")],
        ),
        ({"table": GONE}, []),
        ({"posted_until": "2026-10-05"}, []),
    ],
)
def test_notice(changes: dict[str, Any], expected: Findings) -> None:
    assert found("notice", changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"votes.present": 31},
            [("decision.present", "body.votes.present"), ("decision.votes", "body.votes.in_favour")],
        ),
        ({"votes.in_favour": 25}, [("decision.votes", "body.votes.in_favour")]),
        ({"votes.abstained": GONE}, [("decision.votes", "body.votes.in_favour")]),
        ({"votes.present": 0}, [("decision.votes", "body.votes.in_favour")]),
        ({"votes": GONE}, []),
        ({"steps.1.date": "2026-09-19"}, [("decision.steps", "body.steps[1].date")]),
        ({"steps.1.date": "2026-09-20"}, []),
        ({"steps.0.date": "2026-12-01"}, [("decision.steps", "body.steps[1].date")]),
    ],
)
def test_decision(changes: dict[str, Any], expected: Findings) -> None:
    assert found("decision", changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"total_fen": 5000001}, [("contract.total", "body.total_fen")]),
        ({"total_fen": 0}, [("contract.total", "body.total_fen")]),
        ({"instalments.0.amount_fen": -2500000}, [("contract.total", "body.total_fen")]),
        ({"total_fen": GONE}, []),
        ({"instalments": []}, []),
        ({"ends": "2026-11-01"}, []),
    ],
)
def test_contract(changes: dict[str, Any], expected: Findings) -> None:
    assert found("contract", changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"budget_fen": 20000001}, [("project.funds", "body.budget_fen")]),
        ({"funds": []}, []),
        ({"budget_fen": GONE}, []),
        ({"contract_fen": 18000001}, [("project.bids", "body.contract_fen")]),
        ({"bids.1.won": True}, [("project.bids", "body.bids")]),
        ({"bids.0.won": False}, []),
        ({"settled_fen": 17649999}, [("project.payments", "body.payments")]),
        # Before the settlement the contract is the limit.
        ({"settled_fen": GONE, "payments.0.amount_fen": 9350000}, []),
        ({"settled_fen": GONE, "payments.0.amount_fen": 9350001}, [("project.payments", "body.payments")]),
        ({"settled_fen": GONE, "contract_fen": GONE, "payments.0.amount_fen": 99000000}, []),
        ({"started_on": "2026-06-09"}, [("project.days", "body.started_on")]),
        # Steps without a day are passed over.
        ({"started_on": GONE, "finished_on": "2026-06-09"}, [("project.days", "body.finished_on")]),
        ({"accepted_on": "2026-09-24"}, [("project.days", "body.accepted_on")]),
        ({"accepted_on": "2026-09-25"}, []),
    ],
)
def test_project(changes: dict[str, Any], expected: Findings) -> None:
    assert found("project", changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"totals.rooms": 3}, [("table.total", "body.totals.rooms")]),
        ({"totals": {"due": 1, "paid": 2}}, [("table.total", "body.totals.due"), ("table.total", "body.totals.paid")]),
        ({"rows.0.6": 20001, "totals.owed": 20001}, [("table.row", "body.rows[0][6]")]),
        # A blank stands for nothing among the parts, and is not checked as a result.
        ({"rows.0.5": None, "totals.paid": 300000}, [("table.row", "body.rows[0][6]")]),
        ({"rows.0.6": None, "totals.owed": 0}, []),
        ({"rows.1.5": 1, "totals": {}, "checks": []}, []),
        ({"rows": [], "totals": {}}, []),
    ],
)
def test_table(changes: dict[str, Any], expected: Findings) -> None:
    assert found("table", changes) == expected


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("roster", {"totals.amount_fen": 74999}, "金额合计 749.99 元与逐行相加 750.00 元不符，请核对。"),
        ("roster", {"totals.entries": 4}, "户数或人次合计写的是 4，名单里数出来是 3，请核对。"),
        ("roster", {"entries.0.days": "2.51"}, "第 1 行 2.51 个工 × 120.00 元不等于 300.00 元，请核对。"),
        ("decision", {"votes.in_favour": 25}, "同意、不同意、弃权相加是 27，实到是 26，请核对。"),
        (
            "decision",
            {"steps.1.date": "2026-09-19"},
            "“两委会商议”的日期 2026-09-19 早于“村党支部提议”的日期 2026-09-20，请核对先后。",
        ),
        ("project", {"contract_fen": 18000001}, "合同价 180,000.01 元与中标价 180,000.00 元不符，请核对。"),
        ("project", {"settled_fen": 17649999}, "已付 176,500.00 元多于应付 176,499.99 元，请核对。"),
        ("table", {"totals.rooms": 3}, "合计 3 间与逐行相加 2 间不符，请核对。"),
        ("table", {"totals.due": 1}, "合计 0.01 元与逐行相加 4,200.00 元不符，请核对。"),
        (
            "table",
            {"rows.0.6": 20001, "totals.owed": 20001},
            "第 1 行“欠交”写的是 200.01 元，算出来是 200.00 元，请核对。",
        ),
    ],
)
def test_a_finding_says_what_stands_there_and_what_was_counted(
    kind: str, changes: dict[str, Any], message: str
) -> None:
    (finding,) = read(kind, **changes).findings(PERIODS[kind])
    assert finding.message == message
