"""From events to alerts: raising, clearing, opening again, and what must do neither."""

import json
from typing import Any

import asyncpg
import pytest

from services.audit.rules import RULES
from services.audit.rules.evidence import check_pack
from services.kit.errors import Retry
from services.kit.shred import KeyMissingError, save_key
from tests.audit.conftest import Alerts
from tests.audit.events import Disclosure, accounts_of, at, give_keys, ledger
from tests.builders import NEIGHBOUR, VILLAGE
from tests.conftest import Served

SUBJECT = {"village": VILLAGE, "item": "F01", "period": "2026-10", "account": None, "question": None}
FEN_OFF = ledger(totals=(60_000, 81_501))


async def test_wrong_totals_raise_an_alert_and_the_corrected_edition_clears_it(audit: Served, alerts: Alerts) -> None:
    d = Disclosure()
    await give_keys(audit, d)
    await audit.hear(d.approved(FEN_OFF, at("2026-11-10 02:00")), d.published(at("2026-11-10 02:01")))
    [alert] = await alerts()
    assert (alert["rule"], alert["level"], alert["state"], alert["episode"]) == ("A01", 3, "open", 1)
    assert alert["sentence"] == "支出合计与逐笔相加相差 0.01 元，请说明。"
    assert (alert["subject"], alert["cleared_at"]) == (SUBJECT, None)
    d.edition = 2
    fixed = d.approved(ledger(), at("2026-11-11 02:00"))
    await audit.hear(fixed)
    [alert] = await alerts()
    assert (alert["state"], alert["episode"]) == ("cleared", 1)
    [cleared] = await audit.said("alert.cleared.v1")
    assert json.loads(cleared)["cleared_by"] == str(fixed.event_id)


async def test_an_alert_that_comes_back_is_episode_two_of_the_same_alert(audit: Served, alerts: Alerts) -> None:
    d = Disclosure()
    await give_keys(audit, d)
    for edition, body in enumerate((FEN_OFF, ledger(), FEN_OFF), start=1):
        d.edition = edition
        await audit.hear(d.approved(body, at(f"2026-11-1{edition} 02:00")))
    [alert] = await alerts()
    assert (alert["state"], alert["episode"], alert["cleared_at"]) == ("open", 2, None)
    detail = (await audit.client.get(f"/audit/v1/alerts/{alert['id']}", headers=audit.bearer("operator"))).json()
    assert [(e["episode"], e["cleared_at"] is None) for e in detail["episodes"]] == [(2, True), (1, False)]
    raised = [json.loads(e) for e in await audit.said("alert.raised.v1")]
    assert [(e["episode"], e["aggregate_version"]) for e in raised] == [(1, 1), (2, 3)]


async def test_events_and_tables_hold_ids_and_sums_but_no_line(audit: Served, admin: asyncpg.Connection) -> None:
    d = Disclosure()
    await give_keys(audit, d)
    await audit.hear(d.approved(FEN_OFF, at("2026-11-10 02:00")))
    [raised] = await audit.said("alert.raised.v1")
    assert "sentence" not in raised
    for table in ("fact", "verdict", "alert", "evidence", "event"):
        rows = await admin.fetch(f"SELECT t::text AS row FROM audit.{table} t")
        assert rows
        assert not any("修水管" in r["row"] or "承包费" in r["row"] for r in rows)


async def test_withdrawing_does_not_clear_what_was_wrong(audit: Served, alerts: Alerts) -> None:
    d = Disclosure()
    await give_keys(audit, d)
    await audit.hear(d.approved(FEN_OFF, at("2026-11-10 02:00")), d.withdrawn(at("2026-11-11 02:00")))
    [alert] = await alerts(rule="A01")
    assert alert["state"] == "open"
    again = Disclosure(number=2)
    await give_keys(audit, again)
    await audit.hear(again.approved(ledger(), at("2026-11-12 02:00")))
    [alert] = await alerts(rule="A01")
    assert alert["state"] == "cleared"


async def test_an_opening_balance_is_held_against_the_last_closing_balance(audit: Served, alerts: Alerts) -> None:
    september, october = Disclosure(period="2026-09"), Disclosure(period="2026-10")
    await give_keys(audit, september, october)
    await audit.hear(october.approved(ledger(), at("2026-11-10 02:00")))
    assert await alerts() == []
    await audit.hear(september.approved(ledger(opening=141_500, closing=120_001), at("2026-11-11 02:00")))
    by_rule = {a["rule"]: a for a in await alerts()}
    assert set(by_rule) == {"A02", "A03"}
    assert by_rule["A02"]["sentence"] == "本期期初与上期期末相差 -0.01 元，请说明。"
    assert by_rule["A02"]["subject"] == {**SUBJECT, "account": "cash"}
    assert by_rule["A03"]["subject"] == {**SUBJECT, "account": "cash", "period": "2026-09"}


async def test_a_correction_under_way_neither_raises_nor_clears_the_chain(audit: Served, alerts: Alerts) -> None:
    september, october = Disclosure(period="2026-09"), Disclosure(period="2026-10")
    await give_keys(audit, september, october)
    await audit.hear(september.approved(ledger(opening=141_501, closing=120_001), at("2026-10-10 02:00")))
    september.edition = 2
    submitted = september.submitted(at("2026-10-12 02:00"))
    await audit.hear(submitted, october.approved(ledger(), at("2026-11-10 02:00")))
    assert await alerts(rule="A02") == []
    await audit.hear(september.returned(at("2026-11-12 02:00")))
    [alert] = await alerts(rule="A02")
    assert alert["state"] == "open"
    await audit.hear(september.submitted(at("2026-11-13 02:00")))
    [alert] = await alerts(rule="A02")
    assert alert["state"] == "open"
    await audit.hear(september.approved(ledger(opening=141_500, closing=120_000), at("2026-11-14 02:00")))
    [alert] = await alerts(rule="A02")
    assert alert["state"] == "cleared"


async def test_an_account_that_vanishes_is_no_pass(audit: Served, alerts: Alerts) -> None:
    d = Disclosure()
    await give_keys(audit, d)
    await audit.hear(d.approved(ledger(closing=98_501), at("2026-11-10 02:00")))
    [alert] = await alerts()
    assert alert["rule"] == "A03"
    renamed = json.loads(json.dumps(ledger()).replace('"cash"', '"cash:新"'))
    d.edition = 2
    await audit.hear(d.approved(renamed, at("2026-11-11 02:00")))
    [alert] = await alerts()
    assert (alert["subject"]["account"], alert["state"]) == ("cash", "open")


async def test_villages_are_judged_apart(audit: Served, alerts: Alerts) -> None:
    mine, theirs = Disclosure(VILLAGE, "2026-09"), Disclosure(NEIGHBOUR, "2026-10")
    await give_keys(audit, mine, theirs)
    await audit.hear(mine.approved(ledger(opening=1, closing=-21_499), at("2026-11-10 02:00")))
    await audit.hear(theirs.approved(ledger(), at("2026-11-10 02:00")))
    assert await alerts() == []


async def test_hearing_an_event_twice_changes_nothing(audit: Served, alerts: Alerts) -> None:
    d = Disclosure()
    await give_keys(audit, d)
    event = d.approved(FEN_OFF, at("2026-11-10 02:00"))
    await audit.hear(event, event, event)
    [alert] = await alerts()
    assert alert["episode"] == 1
    assert len(await audit.said("alert.raised.v1")) == 1


async def test_an_approval_whose_key_has_not_come_is_not_kept_half(audit: Served, admin: asyncpg.Connection) -> None:
    with pytest.raises(KeyMissingError):
        await audit.hear(Disclosure().approved(FEN_OFF, at("2026-11-10 02:00")))
    assert await admin.fetchval("SELECT count(*) FROM audit.fact") == 0


async def test_a_shredded_body_is_a_fact_without_figures(audit: Served, alerts: Alerts) -> None:
    d = Disclosure()
    async with audit.runtime.database.transaction() as conn:
        await save_key(conn, d.id, None)
    await audit.hear(d.approved(FEN_OFF, at("2026-11-10 02:00")))
    assert await alerts() == []
    coverage = await audit.client.get("/audit/v1/coverage?period=2026-10", headers=audit.bearer("operator"))
    a01 = next(r for r in coverage.json()["rules"] if r["rule"] == "A01")
    assert a01["not_applicable"] == {"已撤回或内容不可见": 1}


async def test_a_village_that_is_not_known_yet_comes_again(audit: Served) -> None:
    d = Disclosure("210881999999")
    await give_keys(audit, d)
    with pytest.raises(Retry):
        await audit.hear(d.approved(ledger(), at("2026-11-10 02:00")))


# -- accounts that are left out -----------------------------------------------------------------------------------


BOTH = accounts_of(cash=(500, 500), bank=(79_275_199, 79_275_199))
CASH = accounts_of(cash=(500, 500))


async def opened(audit: Served, period: str, body: dict[str, Any]) -> Disclosure:
    d = Disclosure(period=period)
    await give_keys(audit, d)
    await audit.hear(d.approved(body, at("2026-11-10 02:00")))
    return d


async def test_an_account_left_out_with_money_in_it_is_a_hit_with_evidence(audit: Served, alerts: Alerts) -> None:
    await opened(audit, "2026-09", BOTH)
    await opened(audit, "2026-10", CASH)
    [alert] = await alerts()
    assert (alert["rule"], alert["level"], alert["subject"]) == ("A02", 3, {**SUBJECT, "account": "bank"})
    assert alert["sentence"] == "上期末还有 792,751.99 元的账户，本期没有列出，请说明。"
    answer = await audit.client.get(f"/audit/v1/alerts/{alert['id']}", headers=audit.bearer("inspector-210881"))
    pack = answer.json()["evidence"]
    assert check_pack(RULES, pack) == []
    facts = {name: value for _, name, value in pack["facts"]}
    assert facts["before.closing_fen"] == 79_275_199
    assert "cur.opening_fen" not in facts


@pytest.mark.parametrize(
    "body", [accounts_of(cash=(500, 500)), accounts_of(cash=(500, 500), bank=(0, 0))], ids=["left out", "listed"]
)
async def test_an_account_that_was_emptied_may_be_left_out(audit: Served, alerts: Alerts, body: dict[str, Any]) -> None:
    await opened(audit, "2026-09", accounts_of(cash=(500, 500), bank=(0, 0)))
    await opened(audit, "2026-10", body)
    assert await alerts() == []


async def test_an_account_under_another_name_is_not_left_out(audit: Served, alerts: Alerts) -> None:
    await opened(audit, "2026-09", BOTH)
    renamed = json.loads(json.dumps(BOTH).replace('"bank"', '"bank:信用社"'))
    await opened(audit, "2026-10", renamed)
    assert await alerts() == []


async def test_a_correction_that_leaves_an_account_out_ends_no_alert(audit: Served, alerts: Alerts) -> None:
    await opened(audit, "2026-09", BOTH)
    october = await opened(audit, "2026-10", accounts_of(cash=(500, 500), bank=(79_275_000, 79_275_000)))
    [alert] = await alerts()
    assert alert["sentence"] == "本期期初与上期期末相差 -1.99 元，请说明。"
    october.edition = 2
    await audit.hear(october.approved(CASH, at("2026-11-12 02:00")))
    [alert] = await alerts()
    assert (alert["state"], alert["episode"]) == ("open", 1)
    assert alert["sentence"] == "上期末还有 792,751.99 元的账户，本期没有列出，请说明。"
    october.edition = 3
    await audit.hear(october.approved(BOTH, at("2026-11-13 02:00")))
    [alert] = await alerts()
    assert alert["state"] == "cleared"


async def test_totals_that_agree_only_without_an_account_do_not_end_the_alert(audit: Served, alerts: Alerts) -> None:
    october = await opened(audit, "2026-10", {**BOTH, "totals": {"income_fen": 1, "expense_fen": 0}})
    [alert] = await alerts(rule="A01")
    october.edition = 2
    await audit.hear(october.approved(CASH, at("2026-11-12 02:00")))
    [alert] = await alerts(rule="A01")
    assert alert["state"] == "open"
    october.edition = 3
    await audit.hear(october.approved(BOTH, at("2026-11-13 02:00")))
    [alert] = await alerts(rule="A01")
    assert alert["state"] == "cleared"


async def test_an_account_left_out_over_a_gap_is_told_of_the_month_where_it_first_is_missing(
    audit: Served, alerts: Alerts
) -> None:
    await opened(audit, "2026-07", BOTH)
    await opened(audit, "2026-10", CASH)
    [alert] = await alerts(rule="A02")
    assert (alert["subject"]["period"], alert["state"]) == ("2026-10", "open")
    assert alert["sentence"] == "2026-07 末还有 792,751.99 元的账户，本期没有列出，请说明。"
    # The month between says where it went missing.
    await opened(audit, "2026-09", CASH)
    states = {a["subject"]["period"]: a["state"] for a in await alerts(rule="A02")}
    assert states == {"2026-10": "cleared", "2026-09": "open"}


async def test_a_month_filled_in_between_with_the_account_in_it_moves_the_question(
    audit: Served, alerts: Alerts
) -> None:
    await opened(audit, "2026-10", CASH)
    assert await alerts() == []
    august = await opened(audit, "2026-08", BOTH)
    [alert] = await alerts(rule="A02")
    assert alert["subject"] == {**SUBJECT, "account": "bank"}
    await audit.hear(august.withdrawn(at("2026-11-12 02:00")))
    await opened(audit, "2026-09", accounts_of(cash=(500, 500), bank=(0, 0)))
    [alert] = await alerts(rule="A02")
    assert alert["state"] == "open"
