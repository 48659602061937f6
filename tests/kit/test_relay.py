"""The relay on a real broker: order per key, sequence gaps, refused rows, keys first, one leader."""

import asyncio
import contextlib
import time
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, NotLeaderForPartitionError

from services.contracts.disclosure import DisclosureReturned, ReturnedContent
from services.contracts.topics import DISCLOSURES, KEYS
from services.kit import outbox, relay
from services.kit.consumer import Handling
from services.kit.db import Connection
from services.kit.relay import Relay, _acked_prefixes, _Pending
from services.kit.shred import seal, unseal
from tests import builders
from tests.kit.ground import Ground, confirmed, joined, leave, running, say, say_many, settle, until
from tests.kit.unguarded import KeepsProducer, KeysAnytime, SendsUnasked, StandsBySilently


def _row(seq: int, key: str, topic: str = "t") -> _Pending:
    return _Pending(seq, topic, key, (), b"", builders.NOW)


def _acked(rows: list[_Pending], unacked: set[int], unknown: set[int]) -> list[int]:
    outcomes = {r.seq: KafkaError() if r.seq in unacked else None for r in rows if r.seq not in unknown}
    return [r.seq for r in _acked_prefixes(rows, outcomes)]


def test_row_behind_an_unacknowledged_one_of_its_key_is_kept() -> None:
    rows = [_row(1, "a"), _row(2, "b"), _row(3, "a"), _row(4, "b"), _row(5, "a"), _row(6, "b")]
    assert _acked(rows, set(), set()) == [1, 2, 3, 4, 5, 6]
    assert _acked(rows, {3}, set()) == [1, 2, 4, 6]
    # A row of which nothing is known counts as not acknowledged.
    assert _acked(rows, set(), {2}) == [1, 3, 5]
    assert _acked(rows, {1}, {6}) == [2, 4]
    assert _acked(rows, {1, 2}, set()) == []


def test_same_key_of_another_topic_is_another_row_of_waiting() -> None:
    assert _acked([_row(1, "a", "t"), _row(2, "a", "u"), _row(3, "a", "t")], {1}, set()) == [2]


async def test_events_arrive_once_in_order_with_their_headers(ground: Ground) -> None:
    await ground.create()
    said = await say_many(await ground.open("ingest"), ["d1", "d2", "d3"], 20)
    async with running(await ground.relay()):
        await until(ground.nothing_waits)
    log = await ground.log(DISCLOSURES)
    headers = [{n: v.decode() for n, v in r.headers} for r in log]
    assert sorted(h["id"] for h in headers) == sorted(said)
    for name in ("d1", "d2", "d3"):
        assert [int(h["aggregate_version"]) for h in headers if h["aggregate_id"] == name] == list(range(1, 21))
    assert {h["type"] for h in headers} == {"disclosure.confirmed.v1"}


@pytest.mark.parametrize("guarded", [True, False])
async def test_sequence_gap_of_the_producer_is_survived(ground: Ground, *, guarded: bool) -> None:
    await ground.create()
    database = await ground.open("ingest")
    sender = await ground.relay(Relay if guarded else KeepsProducer)
    async with running(sender):
        await say_many(database, ["d1", "d2"], 3)
        await until(ground.nothing_waits)
        _skip_numbers(sender)
        await say_many(database, ["d1", "d2"], 3)
        await asyncio.sleep(2)
        stuck = await ground.waiting()
    assert (stuck == 0) is guarded
    versions = [
        dict(r.headers)["aggregate_version"]
        for r in await ground.log(DISCLOSURES)
        if dict(r.headers)["aggregate_id"] == b"d1"
    ]
    assert (versions == [b"1", b"2", b"3", b"4", b"5", b"6"]) is guarded


def _skip_numbers(sender: Relay) -> None:
    """Let the producer count records that it never sent, as after a blip of the cluster (aiokafka#1017)."""
    manager = sender._producer._txn_manager  # type: ignore[union-attr] # it has sent
    for place in list(manager._sequence_numbers):
        manager.increment_sequence_number(place, 7)


async def _say_large(conn: Connection, aggregate_id: str) -> None:
    """An event that Kafka will not take: its two parts pass every limit of ours but the record's."""
    stamp = await outbox.stamp(conn, "disclosure", aggregate_id, at=builders.NOW, village_code=builders.VILLAGE)
    event = confirmed(aggregate_id, stamp["aggregate_version"]).model_copy(update={"digest": "0" * 1_100_000})
    await outbox.append(conn, event, key=aggregate_id)


async def test_refused_record_is_parked_with_those_behind_it_and_the_rest_flows(ground: Ground) -> None:
    await ground.create()
    database = await ground.open("ingest")
    async with database.transaction() as conn:
        await _say_large(conn, "d1")
        for _ in range(2):
            stamp = await outbox.stamp(conn, "disclosure", "d1", at=builders.NOW, village_code=builders.VILLAGE)
            await outbox.append(conn, confirmed("d1", stamp["aggregate_version"]), key="d1")
        await say(conn, "d2")
    async with running(await ground.relay()):
        await until(lambda: _left(ground, 3))
    rows = await ground.admin("SELECT key, error IS NOT NULL AS parked FROM ingest.outbox ORDER BY seq")
    assert [tuple(r) for r in rows] == [("d1", True), ("d1", False), ("d1", False)]
    # Nothing of the key may overtake the parked record: whoever has seen version 2 forgets version 1.
    assert [dict(r.headers)["aggregate_id"] for r in await ground.log(DISCLOSURES)] == [b"d2"]


async def _left(ground: Ground, count: int) -> bool:
    return await ground.waiting() == count


class Mute(Relay):
    """A relay whose first producer never hears an answer, as the driver may wait for ever (aiokafka#1039)."""

    muted = False

    async def _ensure_producer(self) -> AIOKafkaProducer:
        producer = await super()._ensure_producer()
        if not self.muted:
            self.muted = True
            producer._sender.sender_task.cancel()
        return producer


class MuteForEver(Mute, KeepsProducer):
    """The same, and it keeps that producer."""


@pytest.mark.parametrize("guarded", [True, False])
async def test_producer_that_never_answers_is_replaced(
    ground: Ground, *, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "SEND_DEADLINE_S", 0.5)
    await ground.create()
    await say_many(await ground.open("ingest"), ["d1", "d2", "d3"], 2)
    stop = asyncio.Event()
    task = asyncio.create_task((await ground.relay(Mute if guarded else MuteForEver)).run(stop))
    await asyncio.sleep(3.5)
    assert (await ground.waiting() == 0) is guarded
    stop.set()
    if not guarded:
        task.cancel()
    # A cancelled relay ends: it swallows no cancellation while it waits for an answer.
    async with asyncio.timeout(10):
        await asyncio.gather(task, return_exceptions=True)


class KeysLate(Relay):
    """A relay to which the leader of the keys' partition is unknown for five seconds."""

    known_from = 0.0

    async def _ensure_producer(self) -> AIOKafkaProducer:
        producer = await super()._ensure_producer()
        if not hasattr(producer, "honest_send"):
            producer.honest_send = producer.send

            async def send(topic: str, *args: Any, **named: Any) -> Any:
                self.known_from = self.known_from or time.monotonic() + 5
                if topic.endswith(KEYS.name) and time.monotonic() < self.known_from:
                    raise NotLeaderForPartitionError
                return await producer.honest_send(topic, *args, **named)

            producer.send = send
        return producer


class KeysLateAnytime(KeysLate, KeysAnytime):
    """The same, and it does not wait for the keys."""


async def _returned(conn: Connection, aggregate_id: str) -> None:
    tag = "disclosure.returned.v1"
    stamp = await outbox.stamp(conn, "disclosure", aggregate_id, at=builders.NOW, village_code=builders.VILLAGE)
    sealed = await seal(conn, aggregate_id, tag, ReturnedContent(reason="发票缺少盖章"), builders.NOW)
    await outbox.append(conn, DisclosureReturned(**stamp, item="F01", period="2026-10", edition=1, sealed=sealed))


async def on_returned(handling: Handling, event: DisclosureReturned) -> None:
    content = await unseal(handling.conn, event.aggregate_id, event.type, event.sealed, ReturnedContent)
    await leave(handling.conn, event, content.reason if content else "shredded")


@pytest.mark.parametrize("guarded", [True, False])
async def test_sealed_event_never_arrives_before_its_key(ground: Ground, *, guarded: bool) -> None:
    await ground.create(DISCLOSURES, KEYS)
    database = await ground.open("ingest")
    hearer = await ground.consumer(project={DisclosureReturned: on_returned}, topics_=(KEYS, DISCLOSURES))
    sender = await ground.relay(KeysLate if guarded else KeysLateAnytime)
    async with running(hearer, sender):
        await joined(hearer)
        async with database.transaction() as conn:
            await _returned(conn, "d1")
        await until(ground.nothing_waits)
        await settle(ground, 1)
    notes = [r["note"] for r in await ground.admin("SELECT note FROM publish.effect")]
    assert notes == (["发票缺少盖章"] if guarded else ["shredded"])


@pytest.mark.parametrize("guarded", [True, False])
async def test_two_relays_of_a_service_do_not_send_the_same_rows(ground: Ground, *, guarded: bool) -> None:
    await ground.create()
    database = await ground.open("ingest")
    async with running(*[await ground.relay(Relay if guarded else SendsUnasked) for _ in range(2)]):
        await asyncio.sleep(1.5)
        said = await say_many(database, [f"d{n}" for n in range(20)], 10)
        await until(ground.nothing_waits)
    sent = [dict(r.headers)["id"].decode() for r in await ground.log(DISCLOSURES)]
    assert (sorted(sent) == sorted(said)) is guarded
    assert set(sent) == set(said)


@pytest.mark.parametrize("guarded", [True, False])
async def test_a_commit_beside_a_relay_that_stands_by_wakes_the_one_that_leads(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, *, guarded: bool
) -> None:
    monkeypatch.setattr(relay, "IDLE_S", 20.0)
    await ground.create()
    leads, database = await ground.relay(), await ground.open("ingest")
    beside = (Relay if guarded else StandsBySilently)(database, ground.settings("ingest"))

    async def is_led() -> bool:
        return bool(leads.facts()["leader"])

    async with running(leads):
        await until(is_led)
        async with running(beside):
            await asyncio.sleep(1)
            await say_many(database, ["d1"], 2)
            with contextlib.suppress(AssertionError):
                await until(ground.nothing_waits, 5)
            left = await ground.waiting()
            beside.wake.set()
        assert beside.facts()["leader"] is False
        leads.wake.set()
    assert (left == 0) is guarded


async def test_a_relay_that_stands_by_leads_once_the_other_is_gone(ground: Ground) -> None:
    await ground.create()
    first, second = await ground.relay(), await ground.relay()
    database = await ground.open("ingest")

    async def second_leads() -> bool:
        return bool(second.facts()["leader"])

    async with running(first):
        await say_many(database, ["d1"], 1)
        await until(ground.nothing_waits)
        stop = asyncio.Event()
        standing_by = asyncio.create_task(second.run(stop))
        await asyncio.sleep(1)
        assert not await second_leads()
    await until(second_leads, 10)
    await say_many(database, ["d1"], 1)
    await until(ground.nothing_waits)
    stop.set()
    await standing_by
