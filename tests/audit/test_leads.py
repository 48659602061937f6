"""Leads: found from a ledger's lines, seen by inspectors on one page, and nowhere else."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.audit.rules import LEADS
from services.audit.visit import limits_of
from tests.audit.conftest import Alerts
from tests.audit.events import Disclosure, at, give_keys, ledger
from tests.audit.test_pages import page
from tests.audit.test_replay import replay
from tests.builders import FAR_VILLAGE, VILLAGE
from tests.conftest import Served

NOON = at("2026-11-10 02:00")
SPENT = {"direction": "out", "account": "cash", "method": "transfer", "summary": "修水渠", "payee": "利民维修部"}
BILL = {"invoice": {"code": "2100", "no": "77", "seller": "利民维修部"}}


def spent(day: int, fen: int, **more: Any) -> dict[str, Any]:
    return {"date": f"2026-10-{day:02}", "amount_fen": fen, **SPENT, **more}


def body(*lines: dict[str, Any]) -> dict[str, Any]:
    made = ledger(totals=None)
    made["lines"] += lines
    made["accounts"][0]["closing_fen"] -= sum(x["amount_fen"] for x in lines)
    return made


#: One invoice paid twice, nine days apart.
TWICE = body(spent(3, 50_000, **BILL), spent(12, 50_000, **BILL))


async def hear(audit: Served, content: dict[str, Any], village: str = VILLAGE, period: str = "2026-10") -> Disclosure:
    d = Disclosure(village, period)
    await give_keys(audit, d)
    await audit.hear(d.approved(content, NOON))
    return d


async def shown(audit: Served, username: str = "inspector-210881", query: str = "") -> str:
    status, text = await page(audit, f"/inspect/leads{query}", username)
    assert status == 200
    return text


async def test_an_invoice_paid_twice_is_a_lead_with_what_to_rule_out(audit: Served) -> None:
    await hear(audit, TWICE)
    text = await shown(audit)
    for words in (
        "有 1 张发票在不同日期付了同样的金额，多付的合计 500.00 元。",
        "L03",
        "分期付款",
        "这张发票的原件",
        "第 3 行",
    ):
        assert words in text
    assert "利民" not in text


@pytest.mark.parametrize(
    "lines",
    [
        (spent(3, 50_000, **BILL), spent(12, -50_000, **BILL), spent(13, 50_000, **BILL)),
        (spent(3, 50_000, **BILL), spent(12, 50_000)),
        (spent(3, 50_000, **BILL), spent(12, 50_000, **BILL, payee="别的店")),
    ],
    ids=["reversed and posted again", "no invoice", "another payee"],
)
async def test_a_near_miss_is_no_lead(audit: Served, lines: tuple[dict[str, Any], ...]) -> None:
    await hear(audit, body(*lines))
    assert "没有待核实的疑点" in await shown(audit)


async def test_a_correction_takes_the_lead_away_and_nothing_stays(audit: Served, admin: asyncpg.Connection) -> None:
    d = await hear(audit, TWICE)
    d.edition = 2
    await audit.hear(d.approved(body(spent(3, 50_000, **BILL)), at("2026-11-12 02:00")))
    assert "没有待核实的疑点" in await shown(audit)
    assert await admin.fetchval("SELECT count(*) FROM audit.lead") == 0


async def test_no_lead_leaves_by_event_alert_api_metric_or_another_role(
    audit: Served, admin: asyncpg.Connection, alerts: Alerts
) -> None:
    await hear(audit, TWICE)
    assert await admin.fetchval("SELECT count(*) FROM audit.lead") == 1
    ids = tuple(r.id for r in LEADS)
    assert [a for a in await alerts() if a["rule"] in ids] == []
    said = await admin.fetch("SELECT event::text AS text FROM audit.event")
    assert not [r for r in said if any(f'"{i}"' in r["text"] for i in ids)]
    for username in ("operator", "department-210881-finance"):
        assert (await page(audit, "/inspect/leads", username))[0] == 403
        for path in ("/inspect", "/inspect/rules"):
            status, text = await page(audit, path, username)
            assert status == 200
            assert "疑点" not in text
            assert "L03" not in text
    for path in ("/rules", "/alerts", "/coverage?period=2026-10"):
        answer = await audit.client.get(f"/audit/v1{path}", headers=audit.bearer("operator"))
        assert answer.status_code == 200
        assert not [i for i in ids if f'"{i}"' in answer.text]
    metrics = await audit.client.get("/metrics")
    assert not [i for i in ids if f'rule="{i}"' in metrics.text]
    assert await replay(audit, rules="A01") == 0


async def test_an_inspector_sees_leads_of_their_own_part_alone(audit: Served) -> None:
    await hear(audit, TWICE, FAR_VILLAGE)
    assert "L03" in await shown(audit)
    assert "没有待核实的疑点" in await shown(audit, "inspector-210881006")
    status, _ = await page(audit, f"/inspect/leads?division={FAR_VILLAGE}", "inspector-210881006")
    assert status == 403


async def test_the_gravest_and_the_most_money_stand_first_and_the_rest_waits(audit: Served) -> None:
    more = body(*(spent(d, 90_000, **BILL) for d in (3, 12)))
    await hear(audit, TWICE)
    await hear(audit, more, FAR_VILLAGE)
    text = await shown(audit, query="?limit=1")
    assert "900.00 元。" in text
    assert "500.00 元。" not in text
    [_, rest] = text.split('href="/inspect/leads?division=&amp;cursor=')
    after = await shown(audit, query=f"?limit=1&cursor={rest.split(chr(34))[0]}")
    assert "500.00 元。" in after


async def test_a_split_payment_is_seen_where_the_city_has_set_its_step(
    audit: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = body(*(spent(d, 40_000, occurred_on=f"2026-10-{d:02}") for d in (3, 4, 5)))
    await hear(audit, split)
    assert "没有待核实的疑点" in await shown(audit)
    text = '[[L01]]\nfrom = 2026-01-01\napproval_step_fen = 100_000\nsource = "本市文件"\n'
    (tmp_path / "210881.toml").write_text(text)
    limits_of(tmp_path)
    monkeypatch.setattr(audit.runtime, "settings", audit.runtime.settings.model_copy(update={"limits": tmp_path}))
    await hear(audit, split, FAR_VILLAGE)
    assert "3 笔付给同一收款人，每笔低于 1,000.00 元，合计 1,200.00 元。" in await shown(audit)


async def test_a_ledger_like_the_last_one_is_seen_whichever_came_first(audit: Served) -> None:
    lines = [spent(d, 1_000 * d) for d in range(3, 9)]
    first = [{**x, "date": x["date"].replace("-10-", "-09-")} for x in lines]
    await hear(audit, body(*lines))
    await hear(audit, body(*first), period="2026-09")
    assert "本期 8 行里有 8 行的金额和上期完全一样。" in await shown(audit)
