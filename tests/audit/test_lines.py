"""Rules on lines, rosters, contracts and decisions, from the events of a disclosure to the alert and its coverage."""

from typing import Any

import pytest

from services.audit.rules import RULES
from services.audit.rules.evidence import check_pack
from services.contracts.bodies import BODY, body_digest
from tests.audit.conftest import Alerts
from tests.audit.events import Disclosure, at, give_keys, ledger
from tests.audit.test_pages import page
from tests.builders import VILLAGE
from tests.conftest import Served

NOON = at("2026-11-10 02:00")
CASH = {
    "date": "2026-10-05",
    "summary": "付工程款",
    "direction": "out",
    "amount_fen": 999_900,
    "account": "cash",
    "method": "cash",
}


class Of(Disclosure):
    """A disclosure of another item."""

    def __init__(self, item: str, period: str, number: int = 1) -> None:
        super().__init__(VILLAGE, period, number)
        self.id = f"{self.id[:-3]}{item}"
        self.item = item

    def _frame(self, moment: Any, of: str) -> dict[str, Any]:
        return {**super()._frame(moment, of), "item": self.item}

    def let_out(self, body: dict[str, Any]) -> Any:
        event = self.approved(ledger(), NOON)
        sealed = self._seal("disclosure.approved.v1", {"body": body, "accepted": []})
        return event.model_copy(update={"digest": body_digest(BODY.validate_python(body)), "sealed": sealed})


def with_lines(*more: dict[str, Any]) -> dict[str, Any]:
    body = ledger(totals=None)
    body["lines"] += more
    body["accounts"][0]["closing_fen"] -= sum(x["amount_fen"] for x in more)
    return body


async def told(audit: Served, d: Disclosure, *events: Any) -> None:
    await give_keys(audit, d)
    await audit.hear(*events)


async def test_a_cash_payment_of_9999_yuan_is_told_with_the_law_and_its_line(audit: Served, alerts: Alerts) -> None:
    d = Disclosure(VILLAGE)
    await told(audit, d, d.approved(with_lines(CASH), NOON))
    [alert] = await alerts(rule="B01")
    assert alert["sentence"] == "第 3 行用现金支付 9,999.00 元，超过限额 1,000.00 元。"
    answer = await audit.client.get(f"/audit/v1/alerts/{alert['id']}", headers=audit.bearer("inspector-210881"))
    pack = answer.json()["evidence"]
    assert pack["settings"]["values"] == {"cash_limit_fen": 100_000}
    assert pack["settings"]["sources"] == ["现金管理暂行条例（国务院令第12号）第五条、第六条"]
    # Of the lines those alone that the finding rests on.
    assert [f[1:] for f in pack["facts"]] == [["is_open", True], ["lines[0].line", 3], ["lines[0].amount_fen", 999_900]]
    assert check_pack(RULES, pack) == []
    _, text = await page(audit, f"/inspect/alerts/{alert['id']}")
    for words in (
        "第 3 行现金支付 9,999.00 元",
        "标准：现金管理暂行条例",
        "可以要来看的材料",
        alert["id"],
        "（北京时间）",
    ):
        assert words in text


@pytest.mark.parametrize(
    "line",
    [{"amount_fen": 100_000}, {"summary": "收购农副产品"}, {"method": "transfer"}],
    ids=["at the limit", "produce", "by bank"],
)
async def test_what_may_be_paid_so_is_no_alert(audit: Served, alerts: Alerts, line: dict[str, Any]) -> None:
    d = Disclosure(VILLAGE)
    await told(audit, d, d.approved(with_lines({**CASH, **line}), NOON))
    assert await alerts(rule="B01") == []


async def test_a_correction_clears_it_and_a_withdrawal_does_not(audit: Served, alerts: Alerts) -> None:
    d, e = Disclosure(VILLAGE), Disclosure(VILLAGE, "2026-09")
    await told(audit, d, d.approved(with_lines(CASH), NOON))
    await told(audit, e, e.approved(with_lines(CASH), NOON), e.withdrawn(at("2026-11-11 02:00")))
    d.edition = 2
    await audit.hear(d.approved(with_lines({**CASH, "method": "transfer"}), at("2026-11-12 02:00")))
    found = {a["subject"]["period"]: a["state"] for a in await alerts(rule="B01")}
    assert found == {"2026-10": "cleared", "2026-09": "open"}


@pytest.mark.parametrize(("day", "expected"), [("2026-10-09", 1), ("2026-10-05", 0)])
async def test_a_voucher_number_on_two_days_is_told(audit: Served, alerts: Alerts, day: str, expected: int) -> None:
    voucher = {"voucher": {"word": "记", "no": 7}, "method": "transfer"}
    d = Disclosure(VILLAGE)
    await told(audit, d, d.approved(with_lines({**CASH, **voucher}, {**CASH, **voucher, "date": day}), NOON))
    assert len(await alerts(rule="A06")) == expected


@pytest.mark.parametrize(("note", "expected"), [("。", 1), (None, 1), ("第 2 行金额写错了", 0)])
async def test_a_full_stop_explains_no_change_of_figures(
    audit: Served, alerts: Alerts, note: str | None, expected: int
) -> None:
    d = Disclosure(VILLAGE)
    await told(audit, d, d.approved(ledger(), NOON))
    d.edition, d.note = 2, note
    await audit.hear(d.approved(ledger(closing=98_400), at("2026-11-12 02:00")))
    assert len(await alerts(rule="D07")) == expected


LEASE = {
    "kind": "contract",
    "title": "门市房",
    "type": "lease",
    "party": "大众文具店",
    "subject": "两间",
    "signed_on": "2026-10-12",
    "begins": "2026-11-01",
}
VOTES = {"entitled": 30, "present": 19, "in_favour": 19}
DECISION = {
    "kind": "decision",
    "title": "修路",
    "meeting": "representatives",
    "held_on": "2026-10-12",
    "resolution": "同意",
    "votes": VOTES,
}
PROJECT = {
    "kind": "project",
    "title": "路",
    "scope": "800 米",
    "tender": "quotes",
    "contract_fen": 900,
    "payments": [{"date": "2026-10-12", "amount_fen": 901}],
}
ROSTER = {"kind": "roster", "entries": [{"name": "李明", "days": "20"}, {"name": "李明", "days": "12"}]}


@pytest.mark.parametrize(
    ("rule", "cell", "body", "level"),
    [
        ("B05", "V10 2026-10-12", {**LEASE, "ends": "2056-10-31"}, 3),
        ("B07", "V01 2026-10-12", DECISION, 2),
        ("B09", "V08 2026-10-12", PROJECT, 3),
        ("A10", "V08 2026-10-12", {**PROJECT, "bids": [{"bidder": "通达", "amount_fen": 899, "won": True}]}, 2),
        ("A07", "F09 2026-10", ROSTER, 3),
        ("A08", "F09 2026-10", {"kind": "roster", "entries": [{"name": "李明"}] * 2}, 1),
        ("A09", "F09 2026-10", {"kind": "roster", "entries": [], "totals": {"amount_fen": 1}}, 3),
        (
            "D08",
            "V16 2026Q3",
            {
                "kind": "notice",
                "title": "医保",
                "paragraphs": ["无"],
                "posted_from": "2026-10-01",
                "posted_until": "2026-10-04",
            },
            2,
        ),
    ],
)
async def test_what_is_no_ledger_is_judged_too(
    audit: Served, alerts: Alerts, rule: str, cell: str, body: dict[str, Any], level: int
) -> None:
    item, period = cell.split()
    d = Of(item, period)
    await told(audit, d, d.let_out(body))
    [alert] = await alerts(rule=rule)
    assert (alert["level"], alert["subject"]["item"], alert["subject"]["period"]) == (level, item, period)
    answer = await audit.client.get(f"/audit/v1/alerts/{alert['id']}", headers=audit.bearer("inspector-210881"))
    assert check_pack(RULES, answer.json()["evidence"]) == []
    status, _ = await page(audit, f"/inspect/alerts/{alert['id']}")
    assert status == 200


async def coverage(audit: Served, period: str) -> dict[str, dict[str, Any]]:
    answer = await audit.client.get(
        "/audit/v1/coverage", params={"period": period}, headers=audit.bearer("inspector-210881")
    )
    return {r["rule"]: r for r in answer.json()["rules"]}


async def test_a_roster_that_everybody_reads_is_not_counted_as_withdrawn(audit: Served) -> None:
    d = Of("F09", "2026-10")
    await told(audit, d, d.let_out(ROSTER))
    assert (await coverage(audit, "2026-10"))["A01"]["judged"] == 0


@pytest.mark.parametrize("period", ["2026-10", "2026Q4", "2026H2", "2026", "2026-10-12"])
async def test_an_event_is_counted_in_every_period_that_holds_its_day(audit: Served, period: str) -> None:
    d = Of("V01", "2026-10-12")
    await told(audit, d, d.let_out(DECISION))
    assert (await coverage(audit, period))["B07"]["hit"] == 1
    assert (await coverage(audit, "2026-09"))["B07"]["judged"] == 0


async def test_a_limit_that_the_city_did_not_set_is_counted_as_not_seen(audit: Served) -> None:
    d = Disclosure(VILLAGE)
    await told(audit, d, d.approved(ledger(), NOON))
    assert (await coverage(audit, "2026-10"))["B02"]["not_applicable"] == {"看不见：本地没有填写库存现金限额": 1}


async def test_an_edition_heard_before_its_lines_were_kept_is_completed_when_it_is_heard_again(
    audit: Served, alerts: Alerts
) -> None:
    d = Disclosure(VILLAGE)
    event = d.approved(with_lines(CASH), NOON)
    await told(audit, d, event)
    async with audit.runtime.database.transaction() as conn:
        before = await conn.fetchval("UPDATE fact SET data = data - 'detail' - 'kind' RETURNING seq")
        await conn.execute("DELETE FROM alert; DELETE FROM episode; DELETE FROM verdict; DELETE FROM aggregate_seen")
    await audit.hear(event)
    assert len(await alerts(rule="B01")) == 1
    async with audit.runtime.database.transaction() as conn:
        assert await conn.fetchval("SELECT array_agg(seq) FROM fact") == [before]
