"""State, event and pointer: all or none, numbered per aggregate."""

import asyncio
import contextlib

import pytest

from services.contracts.base import Stamp
from services.contracts.disclosure import DisclosureConfirmed
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
        await outbox.append_tombstones(conn, KEYS, {"d1": 2}, at=builders.NOW)
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


def confirmed(stamp: Stamp) -> DisclosureConfirmed:
    return DisclosureConfirmed.model_validate(
        {
            **stamp,
            "item": "F01",
            "period": "2026-10",
            "edition": 1,
            "digest": "0" * 64,
            "confirmation": "supervisors",
            "complete": True,
        }
    )


async def test_many_events_of_one_statement_are_numbered_and_queued_in_their_order(ground: Ground) -> None:
    database = await ground.open("ingest")
    ids, village = [f"d{n}" for n in (9, 1, 5, 3)], builders.VILLAGE
    async with database.transaction() as conn:
        await say(conn, "d5")
        stamps = await outbox.stamp_all(conn, "disclosure", dict.fromkeys(ids, village), at=builders.NOW)
        await outbox.append_all(conn, [confirmed(stamps[i]) for i in ids])
        again = await outbox.stamp_all(conn, "disclosure", {"d1": village}, at=builders.NOW)
        await outbox.append_all(conn, [confirmed(again["d1"])], keys=["another"])
    rows = await ground.admin(
        "SELECT aggregate_id, aggregate_version, key, record_key, headers ->> 'aggregate_version' AS told,"
        " payload ->> 'village_code' AS village FROM ingest.outbox JOIN ingest.event USING (event_id) ORDER BY seq"
    )
    assert [tuple(r) for r in rows] == [
        ("d5", 1, village, village, "1", village),
        ("d9", 1, village, village, "1", village),
        ("d1", 1, village, village, "1", village),
        ("d5", 2, village, village, "2", village),
        ("d3", 1, village, village, "1", village),
        ("d1", 2, "another", "another", "2", village),
    ]


async def test_who_stamps_the_same_aggregates_in_another_order_waits_and_does_not_deadlock(ground: Ground) -> None:
    database = await ground.open("ingest", pool_size=10)
    ids = [f"d{n}" for n in range(50)]

    async def write(order: list[str]) -> None:
        async with database.transaction() as conn:
            stamps = await outbox.stamp_all(conn, "disclosure", dict.fromkeys(order, builders.VILLAGE), at=builders.NOW)
            await outbox.append_all(conn, [confirmed(stamps[i]) for i in order])

    await asyncio.gather(*(write(ids if n % 2 else ids[::-1]) for n in range(10)))
    rows = await ground.admin(
        "SELECT array_agg(aggregate_version ORDER BY seq) AS v FROM ingest.outbox JOIN ingest.event USING (event_id)"
        " GROUP BY aggregate_id"
    )
    assert [r["v"] for r in rows] == [list(range(1, 11))] * 50


async def test_no_event_at_all_is_queued_for_none(ground: Ground) -> None:
    database = await ground.open("ingest")
    async with database.transaction() as conn:
        assert await outbox.stamp_all(conn, "disclosure", {}, at=builders.NOW) == {}
        await outbox.append_all(conn, [])
    assert await ground.admin("SELECT FROM ingest.outbox") == []
