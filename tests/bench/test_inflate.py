"""What the inflater writes is what the services would have written: they read it, judge it and find nothing to add."""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from services.audit import commands
from services.audit.jobs import Watch
from services.audit.rules.facts import CellKey
from services.audit.rules.judge import alert_id
from services.audit.visit import Bench
from services.contracts.alert import Subject
from tests import builders
from tests.bench.inflate import inflate
from tests.builders import CITY, FAR_VILLAGE, NOW, VILLAGE
from tests.conftest import Place, Served, ServiceFactory

YEARS = 2
CELL = CellKey(VILLAGE, "F01", "2025-03")


@pytest_asyncio.fixture(scope="module")
async def inflated(place: Place, service: ServiceFactory) -> AsyncIterator[dict[str, Served]]:
    """Three villages with two years behind them, before three services."""
    services = {name: await service(name) for name in ("ingest", "publish", "audit")}
    conn = await asyncpg.connect(place.parts.pg.dsn("sanwu_admin", database=place.database))
    assert await inflate(conn, None, NOW, YEARS) == 822
    await conn.close()
    for served in services.values():
        await served.runtime.reference.refresh()
    yield services


async def id_of(admin: asyncpg.Connection, key: CellKey) -> str:
    found = await admin.fetchval(
        "SELECT disclosure_id FROM publish_read.publication WHERE (village_code, item, period) = ($1, $2, $3)", *key
    )
    return str(found)


async def test_the_same_cell_gets_the_same_id_in_every_run(
    inflated: dict[str, Served], admin: asyncpg.Connection
) -> None:
    assert await id_of(admin, CELL) == "01963507-6801-7997-8db4-1f77ca708e32"


async def test_everybody_reads_what_was_opened_long_ago(inflated: dict[str, Served], admin: asyncpg.Connection) -> None:
    client, disclosure = inflated["publish"].client, await id_of(admin, CELL)
    page = await client.get(f"/d/{disclosure}")
    assert page.status_code == 200
    assert "付村内道路零星工程款" in page.text
    listed = await client.get(f"/v/{VILLAGE}/F01/2025")
    assert "2025年3月" in listed.text
    duties = (await client.get(f"/api/v1/villages/{FAR_VILLAGE}/duties", params={"limit": 200})).json()["items"]
    assert {d["state"] for d in duties} == {"opened", "opened_late"}


async def test_the_desk_opens_it_too(inflated: dict[str, Served], admin: asyncpg.Connection) -> None:
    ingest, disclosure = inflated["ingest"], await id_of(admin, CELL)
    headers = ingest.bearer(f"clerk-{VILLAGE}")
    told = (await ingest.client.get(f"/ingest/v1/disclosures/{disclosure}", headers=headers)).json()
    assert (told["state"], len(told["body"]["lines"])) == ("published", 20)


async def test_the_clock_and_a_replay_find_nothing_that_is_missing(
    inflated: dict[str, Served], admin: asyncpg.Connection
) -> None:
    audit = inflated["audit"]
    await Watch().run(audit.runtime)
    assert await admin.fetchval("SELECT count(*) FROM audit.alert WHERE state = 'open'") == 0
    assert await admin.fetchval("SELECT count(*) FROM audit.alert WHERE state = 'cleared'") == 20
    bench = Bench(audit.runtime.reference, audit.runtime.settings, NOW)
    assert await commands.replay(audit.runtime.database, bench, None) == []


async def test_judging_a_cell_anew_changes_no_word(inflated: dict[str, Served], admin: asyncpg.Connection) -> None:
    runtime = inflated["audit"].runtime
    bench = Bench(runtime.reference, runtime.settings, NOW)
    words = "SELECT rules::text FROM audit.verdict WHERE (village, item, period) = ($1, $2, $3)"
    before = await admin.fetchval(words, *CELL)
    assert before is not None
    async with runtime.database.transaction() as conn:
        await commands.judge_after_disclosure(conn, bench, CELL, "test")
        await commands.judge_by_clock(conn, bench, [CELL])
    assert await admin.fetchval(words, *CELL) == before


async def test_an_alert_is_called_as_audit_calls_it(inflated: dict[str, Served], admin: asyncpg.Connection) -> None:
    rows = await admin.fetch("SELECT alert_id, village, item, period FROM audit.alert")
    for r in rows:
        subject = Subject(village=r["village"], item=r["item"], period=r["period"])
        assert r["alert_id"] == alert_id(CITY, "D01", 1, subject)


async def test_what_is_there_already_is_left_alone(inflated: dict[str, Served], admin: asyncpg.Connection) -> None:
    assert await inflate(admin, None, builders.NOW, YEARS) == 0
