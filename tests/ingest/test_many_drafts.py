"""Many drafts at once: what is refused of each, who waits for whom, what is said of each when they go."""

import asyncio
import json
import uuid
from typing import Any

from services.contracts.topics import KEYS
from services.ingest.commands.attachments import sweep
from services.ingest.store.disclosures import NewDisclosure, insert_disclosures
from services.kit.db import Database
from tests import builders
from tests.ingest.conftest import ACCOUNTANT, CLERK, Month
from tests.ingest.test_files import IMPORTS, picture, upload

#: Who waits for another's lock.
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def empty(**changes: Any) -> dict[str, Any]:
    """A ledger without lines, for a month of no neighbours."""
    return builders.ledger(
        lines=[], totals=None, accounts=[{"account": "cash", "opening_fen": 1, "closing_fen": 1}]
    ) | {**changes}


def draft(period: str, **changes: Any) -> dict[str, Any]:
    return builders.disclosure(period=period, body=empty()) | changes


async def test_all_that_is_wrong_with_a_file_is_told_in_its_order_and_nothing_of_it_is_taken(month: Month) -> None:
    await month.draft(period="2025-03", body=empty())
    unknown = empty(attachments=[{"digest": "ab" * 32, "title": "收据"}])
    sent = [
        draft("2025-01", body=unknown),
        draft("2025-02", body={"kind": "ledger"}),
        draft("2025-03"),
        draft("2025-05"),
        draft("2025-05"),
        draft("2025-13"),
        draft("2025-07", village=builders.FAR_VILLAGE),
        draft("2025-09"),
    ]
    problem = await month.refused(422, "import_faults", "POST", IMPORTS, CLERK, {"disclosures": sent})
    assert [e["at"] for e in problem["errors"]] == [
        "disclosures[0].body.attachments[0].digest",
        "disclosures[1].body.accounts",
        "disclosures[1].body.lines",
        "disclosures[2].period",
        "disclosures[4].period",
        "disclosures[5].period",
        "disclosures[6]",
    ]
    assert [r["period"] for r in await month.rows("SELECT period FROM disclosure")] == ["2025-03"]
    assert await month.rows("SELECT * FROM import") == []


async def test_of_delivered_drafts_that_go_together_each_is_withdrawn_with_its_key(month: Month) -> None:
    sent = [draft("2025-03", village=v) for v in (builders.VILLAGE, builders.NEIGHBOUR)]
    made = await month.done("POST", IMPORTS, ACCOUNTANT, {"disclosures": sent})
    ids = {d["id"]: d["village"] for d in made["disclosures"]}
    delivered = [json.loads(e) for e in await month.served.said("disclosure.delivered.v1")]
    assert {e["aggregate_id"]: e["village_code"] for e in delivered} == ids
    undone = await month.done("DELETE", f"{IMPORTS}/{made['id']}", ACCOUNTANT)
    assert set(undone["removed"]) == set(ids)
    said = [json.loads(e) for e in await month.served.said("disclosure.withdrawn.v1")]
    assert {e["aggregate_id"]: (e["village_code"], e["period"], e["was_published"], e.get("recent")) for e in said} == {
        i: (village, "2025-03", False, None) for i, village in ids.items()
    }
    gone = await month.rows(f"SELECT key FROM outbox WHERE topic = '{KEYS.name}' AND event_id IS NULL")
    assert {r["key"] for r in gone} == set(ids)
    states = await month.rows("SELECT state, digest FROM disclosure")
    assert [tuple(r) for r in states] == [("withdrawn", "")] * 2


async def test_a_file_goes_with_the_last_of_the_drafts_that_go_together_and_not_before_another(month: Month) -> None:
    digests = [(await upload(month, picture(c))).json()["digest"] for c in ("blue", "yellow")]
    both = empty(attachments=[{"digest": d, "title": "收据"} for d in digests])
    sent = [draft(period, body=both) for period in ("2025-03", "2025-05")]
    made = await month.done("POST", IMPORTS, ACCOUNTANT, {"disclosures": sent})
    await month.draft(period="2025-07", body=empty(attachments=[{"digest": digests[1], "title": "收据"}]))
    await month.done("DELETE", f"{IMPORTS}/{made['id']}", ACCOUNTANT)
    runtime = month.served.runtime
    await sweep(runtime)
    assert await runtime.own.objects.get(digests[0]) is None
    assert await runtime.own.objects.get(digests[1]) is not None


async def _enter(database: Database, *periods: str) -> list[str]:
    new = [
        NewDisclosure(uuid.uuid4(), builders.VILLAGE, "F01", p, digest="", history=False, nil=False) for p in periods
    ]
    async with database.transaction() as conn:
        made = await insert_disclosures(conn, new, "somebody", builders.NOW, delivered=False)
    return sorted(d.period for d in made.values())


async def test_two_who_enter_the_same_cells_in_different_orders_wait_and_do_not_deadlock(month: Month) -> None:
    database = month.served.runtime.database
    async with database.transaction() as conn:
        first = NewDisclosure(uuid.uuid4(), builders.VILLAGE, "F01", "2025-03", digest="", history=False, nil=False)
        await insert_disclosures(conn, [first], "another", builders.NOW, delivered=False)
        other = asyncio.create_task(_enter(database, "2025-05", "2025-03"))
        while not await conn.fetchval(WAITING):  # noqa: ASYNC110 - PostgreSQL tells who waits only to who asks
            await asyncio.sleep(0.01)
        second = NewDisclosure(uuid.uuid4(), builders.VILLAGE, "F01", "2025-05", digest="", history=False, nil=False)
        assert len(await insert_disclosures(conn, [second], "another", builders.NOW, delivered=False)) == 1
    assert await other == []
