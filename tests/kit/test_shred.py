"""Keys: saved once, gone for good, and what they opened stays closed."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest
from cryptography.exceptions import InvalidTag

from services.contracts.disclosure import DisclosureReturned, ReturnedContent
from services.contracts.keys import KeySet
from services.contracts.topics import DISCLOSURES, KEYS
from services.kit.consumer import Effects, Handling
from services.kit.db import Connection
from services.kit.heartbeats import beat_keys
from services.kit.shred import seal, shred, unseal
from tests import builders
from tests.kit.ground import Ground, leave, record, running, settle, until
from tests.kit.unguarded import Forgetful

TAG = "disclosure.returned.v1"
CONTENT = ReturnedContent(reason="发票缺少盖章")


async def on_returned(handling: Handling, event: DisclosureReturned) -> None:
    content = await unseal(handling.conn, event.aggregate_id, event.type, event.sealed, ReturnedContent)
    await leave(handling.conn, event, content.reason if content else "shredded")


async def _sealed(ground: Ground, aggregate_id: str, version: int) -> DisclosureReturned:
    async with (await ground.open("ingest")).transaction() as conn:
        sealed = await seal(conn, aggregate_id, TAG, CONTENT, builders.NOW)
    stamp = builders.stamp(aggregate_id, version, builders.VILLAGE)
    return DisclosureReturned(**stamp, item="F01", period="2026-10", edition=1, sealed=sealed)


async def _notes(ground: Ground) -> list[str]:
    return [r["note"] for r in await ground.admin("SELECT note FROM publish.effect ORDER BY n")]


async def test_key_shredded_before_the_first_read_lets_the_consumer_go_on(ground: Ground) -> None:
    await ground.create(DISCLOSURES, KEYS)
    gone, kept = await _sealed(ground, "d1", 1), await _sealed(ground, "d2", 1)
    key = (await ground.admin("SELECT key FROM ingest.shred_key WHERE aggregate_id = 'd2'"))[0]["key"]
    await ground.produce(KEYS, record(KeySet(**builders.stamp("d2"), key=key)))
    await ground.produce(DISCLOSURES, record(gone), record(kept), record(await _sealed(ground, "d1", 2)))
    async with running(await ground.consumer(project={DisclosureReturned: on_returned}, topics_=(DISCLOSURES, KEYS))):
        await settle(ground, 3)
    assert await _notes(ground) == ["shredded", "发票缺少盖章", "shredded"]


async def test_handler_that_misses_a_key_late_has_its_earlier_effects_once(ground: Ground) -> None:
    async def late(handling: Handling, event: DisclosureReturned) -> None:
        await leave(handling.conn, event, "begun")
        await on_returned(handling, event)

    await ground.create(DISCLOSURES, KEYS)
    await ground.produce(DISCLOSURES, record(await _sealed(ground, "d1", 1)))
    async with running(await ground.consumer(project={DisclosureReturned: late}, topics_=(DISCLOSURES, KEYS))):
        await settle(ground, 2)
    assert await _notes(ground) == ["begun", "shredded"]


@pytest.mark.parametrize("guarded", [True, False])
async def test_key_never_comes_back_after_its_tombstone(ground: Ground, *, guarded: bool) -> None:
    await ground.create(DISCLOSURES, KEYS)
    first, again = (record(KeySet(**builders.stamp("d1", v), key="a2V5")) for v in (1, 3))
    tombstone = (b"d1", None, {"aggregate_version": "2"})
    await ground.produce(KEYS, first, tombstone, first, again)
    # The versions hide a repeat; the table refuses even without them, and even a newer one.
    async with running(await ground.consumer(effects=Effects if guarded else Forgetful, topics_=(KEYS,))):
        await until(lambda: _read_to(ground, 4))
    rows = await ground.admin("SELECT aggregate_id, key FROM publish.shred_key")
    assert [tuple(r) for r in rows] == [("d1", None)]


async def _read_to(ground: Ground, offset: int) -> bool:
    rows = await ground.admin("SELECT 1 FROM publish.consumer_offset WHERE partition = 0 AND next_offset = $1", offset)
    return bool(rows)


async def test_owner_shreds_its_key_its_event_and_tells_everybody(ground: Ground) -> None:
    await ground.create(DISCLOSURES, KEYS)
    database = await ground.open("ingest")
    event = await _sealed(ground, "d1", 1)
    async with running(await ground.relay()):
        await until(ground.nothing_waits)
        async with database.transaction() as conn:
            await shred(conn, ["d1"], builders.NOW)
        await until(ground.nothing_waits)
    assert [(r.key, r.value is None) for r in await ground.log(KEYS)] == [(b"d1", False), (b"d1", True)]
    assert await ground.admin("SELECT FROM ingest.event") == []
    async with database.transaction() as conn:
        assert await unseal(conn, "d1", TAG, event.sealed, ReturnedContent) is None
        with pytest.raises(ValueError, match="d1 was shredded"):
            await seal(conn, "d1", TAG, CONTENT, builders.NOW)


async def test_key_shredded_before_it_was_sent_is_never_sent(ground: Ground) -> None:
    await ground.create(DISCLOSURES, KEYS)
    await _sealed(ground, "d1", 1)
    async with (await ground.open("ingest")).transaction() as conn:
        await shred(conn, ["d1"], builders.NOW)
    async with running(await ground.relay()):
        await until(ground.nothing_waits)
    assert {r.value for r in await ground.log(KEYS)} == {None}


async def test_two_that_seal_at_once_use_one_key(ground: Ground) -> None:
    database = await ground.open("ingest")

    async def one(conn: Connection) -> object:
        return await seal(conn, "d1", TAG, CONTENT, builders.NOW)

    async def in_transaction() -> object:
        async with database.transaction() as conn:
            sealed = await one(conn)
            await asyncio.sleep(0.2)
            return sealed

    texts = await asyncio.gather(*(in_transaction() for _ in range(4)))
    async with database.transaction() as conn:
        for sealed in texts:
            assert await unseal(conn, "d1", TAG, sealed, ReturnedContent) == CONTENT  # type: ignore[arg-type] # what seal gave


async def test_sealed_text_cannot_be_moved_to_another_event(ground: Ground) -> None:
    event = await _sealed(ground, "d1", 1)
    async with (await ground.open("ingest")).transaction() as conn:
        with pytest.raises(InvalidTag):
            await unseal(conn, "d1", "disclosure.submitted.v1", event.sealed, ReturnedContent)


#: The broker looks for something to compact every 15 s and deletes what it replaced a minute later; here at once.
QUICK: Final = replace(
    KEYS,
    config={
        **KEYS.config,
        "segment.ms": "1000",
        "max.compaction.lag.ms": "1000",
        "min.cleanable.dirty.ratio": "1",
        "file.delete.delay.ms": "0",
    },
)


async def test_destroyed_keys_leave_every_partition_with_no_other_traffic(ground: Ground) -> None:
    await ground.create(QUICK)
    database = await ground.open("ingest")
    names = [f"d{n}" for n in range(6)]
    ground.clock.at = datetime.now(UTC)
    async with running(await ground.relay()):
        for name in names:
            async with database.transaction() as conn:
                await seal(conn, name, TAG, CONTENT, ground.clock.now())
        await until(ground.nothing_waits)
        assert {r.partition for r in await ground.log(KEYS)} == {0, 1, 2}
        async with database.transaction() as conn:
            await shred(conn, names, datetime.now(UTC))
        await until(ground.nothing_waits)
        assert await _readable(ground) == 6
        async with asyncio.timeout(120):
            while await _readable(ground):
                async with database.transaction() as conn:
                    await beat_keys(conn, datetime.now(UTC))
                await asyncio.sleep(1.5)
    beats = [r for r in await ground.log(KEYS) if r.key.startswith(b"heartbeat")]
    assert ({r.partition for r in beats}, len({r.key for r in beats})) == ({0, 1, 2}, 3)


async def _readable(ground: Ground) -> int:
    return len({r.key for r in await ground.log(KEYS) if r.value is not None})


async def test_heartbeats_are_heard_once_and_grow_nothing(ground: Ground) -> None:
    await ground.create(DISCLOSURES, KEYS)
    database = await ground.open("ingest")
    async with running(await ground.relay()), running(await ground.consumer(topics_=(DISCLOSURES, KEYS))):
        for _ in range(3):
            async with database.transaction() as conn:
                await beat_keys(conn, builders.NOW)
        await until(ground.nothing_waits)
        await until(lambda: _read_all(ground))
    assert await ground.admin("SELECT count(*) FROM publish.shred_key WHERE key IS NULL") == [(3,)]
    assert await ground.admin("SELECT max(version), count(*) FROM publish.aggregate_seen") == [(1, 3)]
    assert await ground.admin("SELECT FROM publish.parked_event") == []
    assert await ground.admin("SELECT FROM ingest.event UNION ALL SELECT FROM ingest.aggregate") == []


async def _read_all(ground: Ground) -> bool:
    rows = await ground.admin("SELECT sum(next_offset) FROM publish.consumer_offset WHERE topic LIKE '%sanwu.keys'")
    return [tuple(r) for r in rows] == [(9,)]
