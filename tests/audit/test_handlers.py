"""From events to alerts: raising, clearing, opening again, and what must not do either."""

import json

import pytest
import pytest_asyncio

from services.kit.shred import KeyMissingError
from tests.audit.events import Disclosure, at, give_keys, ledger
from tests.conftest import Served, ServiceFactory
from tests.builders import FAR_VILLAGE, NEIGHBOUR, VILLAGE


@pytest_asyncio.fixture
async def audit(service: ServiceFactory) -> Served:
    return await service("audit")


async def alerts_of(audit: Served, village: str, **query: str) -> list[dict[str, object]]:
    answer = await audit.client.get(
        "/audit/v1/alerts", params={"village": village, **query}, headers=audit.bearer("inspector-210881")
    )
    assert answer.status_code == 200, answer.text
    items: list[dict[str, object]] = answer.json()["items"]
    return items


async def test_wrong_totals_raise_an_alert_that_the_corrected_edition_clears(audit: Served) -> None:
    d = Disclosure(VILLAGE)
    await give_keys(audit, d)
    await audit.hear(d.approved(ledger(totals=(60_000, 81_501)), at("2026-11-10 02:00")), d.published(at("2026-11-10 02:01")))
    [alert] = await alerts_of(audit, VILLAGE)
    assert (alert["rule"], alert["level"], alert["state"], alert["episode"]) == ("A01", 3, "open", 1)
    assert alert["sentence"] == "支出合计与逐笔相加相差 0.01 元，请说明。"
    assert alert["subject"] == {"village": VILLAGE, "item": "F01", "period": "2026-10", "account": None}
    d.edition = 2
    fixed = d.approved(ledger(), at("2026-11-11 02:00"))
    await audit.hear(fixed)
    [alert] = await alerts_of(audit, VILLAGE)
    assert alert["state"] == "cleared"
    [cleared] = await audit.said("alert.cleared.v1")
    assert json.loads(cleared)["cleared_by"] == str(fixed.event_id)
