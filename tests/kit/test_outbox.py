"""State, event and pointer: all or none, numbered per aggregate."""

import asyncio
import contextlib

import pytest

from services.contracts.topics import KEYS
from services.kit import outbox
from services.kit.db import Connection
from tests import builders
from tests.kit.ground import Ground, say


class BrokenError(Exception):
    pass


async def test_state_event_and_pointer_commit_together(ground: Ground) -> None:
    database = await ground.open("ingest")
    async with database.transaction() as conn:
        await say(conn, "d1")
    counts = await ground.admin(
        "SELECT (SELECT count(*) FROM ingest.aggregate) AS a, (SELECT count(*) FROM ingest.event) AS e, (SELECT count(*) FROM ingest.outbox) AS o"
    )
    assert tuple(counts[0]) == (1, 1, 1)


async def test_nothing_stays_of_a_transaction_that_failed(ground: Ground) -> None:
    database = await ground.open("ingest")
    with contextlib.suppress(BrokenError):
        async with database.transaction() as conn:
            await say(conn, "d1")
            raise BrokenError
    counts = await ground.admin(
        "SELECT (SELECT count(*) FROM ingest.aggregate) AS a, (SELECT count(*) FROM ingest.event) AS e, (SELECT count(*) FROM ingest.outbox) AS o"
    )
    assert tuple(counts[0]) == (0, 0, 0)


async def _count_by_hand(conn: Connection, aggregate_id: str) -> int:
    """What one would write without the aggregate's lock: read the highest version, add one."""
    known = await conn.fetchval(
        "SELECT coalesce(max(aggregate_version), 0) FROM event WHERE aggregate_id = $1", aggregate_id
    )
    await asyncio.sleep(0.01)
    return int(known) + 1


@pytest.mark.parametrize("guarded", [True, False])
async def test_twenty_writers_number_an_aggregate_without_gap_or_repeat(ground: Ground, *, guarded: bool) -> None:
    database = await ground.open("ingest", pool_size=20)

    async def write() -> None:
        for _ in range(5):
            async with database.transaction() as conn:
                if guarded:
                    await say(conn, "d1")
                    continue
                event = (await _count_by_hand(conn, "d1"), "d1")
                await conn.execute(
                    "INSERT INTO event (event_id, occurred_at, type, aggregate, aggregate_id, aggregate_version, payload)"
                    " VALUES (gen_random_uuid(), now(), 't', 'disclosure', $2, $1, '{}')",
                    *event,
                )

    await asyncio.gather(*(write() for _ in range(20)))
    rows = await ground.admin(
        "SELECT aggregate_version AS v FROM ingest.event LEFT JOIN ingest.outbox USING (event_id) ORDER BY outbox.seq, aggregate_version"
    )
    assert ([r["v"] for r in rows] == list(range(1, 101))) is guarded


async def test_keys_default_to_the_village_and_can_be_named(ground: Ground) -> None:
    database = await ground.open("ingest")
    async with database.transaction() as conn:
        await say(conn, "d1", builders.VILLAGE)
        await outbox.append_tombstone(conn, KEYS, "d1", at=builders.NOW, version=2)
    rows = await ground.admin("SELECT topic, key, value FROM ingest.outbox ORDER BY seq")
    assert [tuple(r) for r in rows] == [("sanwu.disclosures", builders.VILLAGE, None), ("sanwu.keys", "d1", None)]


async def test_partitions_are_made_while_events_arrive(ground: Ground) -> None:
    database = await ground.open("ingest")

    async def one(number: int) -> None:
        async with database.transaction() as conn:
            await say(conn, f"p{number}")

    async def ensure() -> None:
        async with database.connection() as conn:
            await conn.execute("SELECT ensure_event_partitions($1)", builders.NOW)

    await asyncio.gather(*(one(n) for n in range(20)), *(ensure() for _ in range(5)), *(one(n) for n in range(20, 40)))
    rows = await ground.admin("SELECT count(*) AS n FROM ingest.event WHERE aggregate_id LIKE 'p%'")
    assert rows[0]["n"] == 40
