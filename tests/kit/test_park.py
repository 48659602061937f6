"""Records set aside: by aggregate, with their bytes kept, replayed in order."""

import asyncio
import json

import pytest

from services.contracts import topics
from services.contracts.disclosure import DisclosureConfirmed
from services.contracts.topics import DISCLOSURES, EVENTS, TOPICS
from services.kit import park
from services.kit.consumer import Handling, PartitionedConsumer, patience, replay
from services.kit.errors import Reject, Retry
from tests.kit.ground import Ground, confirmed, on_confirmed, record, running, settle, until
from tests.kit.unguarded import ParksNothing

DEAD_LETTERS = next(t for t in TOPICS if t.name == "publish.dlq")


class Handler:
    """A handler that cannot use what concerns some aggregates, until it is mended."""

    def __init__(self, *bad: str) -> None:
        self.bad = set(bad)

    async def __call__(self, handling: Handling, event: DisclosureConfirmed) -> None:
        if event.aggregate_id in self.bad or "all" in self.bad:
            reason = "cannot be used"
            raise Reject(reason)
        await on_confirmed(handling, event)


class Impatient:
    """A handler that always asks for one more try for one disclosure, and counts them."""

    def __init__(self) -> None:
        self.tries = 0

    async def __call__(self, handling: Handling, event: DisclosureConfirmed) -> None:
        if event.aggregate_id == "d2":
            self.tries += 1
            reason = "not yet"
            raise Retry(reason)
        await on_confirmed(handling, event)


async def _parked(ground: Ground) -> list[tuple[str, str]]:
    rows = await ground.admin("SELECT aggregate_key, error FROM publish.parked_event ORDER BY id")
    return [(r["aggregate_key"], r["error"]) for r in rows]


async def _has_parked(ground: Ground, count: int) -> bool:
    return len(await _parked(ground)) == count


@pytest.mark.parametrize("limit", [1.0, 300.0])
async def test_record_that_asks_for_one_more_try_for_ever_is_given_up(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, *, limit: float
) -> None:
    monkeypatch.setattr(patience, "RETRY_LIMIT_S", limit)
    monkeypatch.setattr(patience, "RETRY_AFTER_S", 0.2)
    await ground.create()
    await ground.produce(DISCLOSURES, *(record(confirmed(name, 1)) for name in ("d1", "d2", "d3")))
    handler = Impatient()

    async def decided() -> bool:
        return bool(await _parked(ground)) or (limit == 300.0 and handler.tries > 5)

    async with running(await ground.consumer(project={DisclosureConfirmed: handler})):
        await until(decided)
        if limit == 1.0:
            await settle(ground, 2)
    if limit == 1.0:
        assert await _parked(ground) == [("disclosure:d2", "Retry('not yet')")]
        assert await ground.effects() == [("d1", 1), ("d3", 1)]
    else:
        assert await _parked(ground) == []
        assert await ground.effects() == [("d1", 1)]
    assert handler.tries > 1


@pytest.mark.parametrize("guarded", [True, False])
async def test_poison_is_parked_by_aggregate_and_the_partition_flows(ground: Ground, *, guarded: bool) -> None:
    await ground.create()
    events = [confirmed("d1", 1), confirmed("d2", 1), confirmed("d2", 2), confirmed("d1", 2), confirmed("d3", 1)]
    await ground.produce(DISCLOSURES, *map(record, events))
    handler = Handler("d2")
    kind = PartitionedConsumer if guarded else ParksNothing
    started = await ground.consumer(kind, project={DisclosureConfirmed: handler})
    async with running(started):
        await settle(ground, 1)
        await asyncio.sleep(1)
    if not guarded:
        assert await ground.effects() == [("d1", 1)]
        return
    assert await ground.effects() == [("d1", 1), ("d1", 2), ("d3", 1)]
    assert await _parked(ground) == [
        ("disclosure:d2", "Reject('cannot be used')"),
        ("disclosure:d2", "behind a parked record"),
    ]
    handler.bad.clear()
    assert await replay(started._database, started._effects, "disclosure:d2") == 2
    assert (await ground.effects())[-2:] == [("d2", 1), ("d2", 2)]
    assert await _parked(ground) == []


async def test_dead_letter_has_the_original_bytes_headers_and_place(ground: Ground) -> None:
    await ground.create(DISCLOSURES, DEAD_LETTERS)
    key, value, headers = record(confirmed("d2", 1))
    # White space that no serialiser of ours would write shows that the bytes are the original ones.
    value = json.dumps(json.loads(value), indent=3).encode()
    await ground.produce(DISCLOSURES, record(confirmed("d1", 1)), (key, value, headers), partition=5)
    started = await ground.consumer(project={DisclosureConfirmed: Handler("d2")})
    async with running(started, await ground.relay(owner="publish")):
        await until(lambda: _has_parked(ground, 1))
        await until(lambda: _sent(ground))
    (letter,) = await ground.log(DEAD_LETTERS)
    assert (letter.key, letter.value) == (key, value)
    found = {name: text.decode() for name, text in letter.headers}
    assert headers.items() <= found.items()
    assert {n: found[f"__streams.errors.{n}"] for n in ("topic", "partition", "offset", "message")} == {
        "topic": "sanwu.disclosures",
        "partition": "5",
        "offset": "1",
        "message": "Reject('cannot be used')",
    }


async def _sent(ground: Ground) -> bool:
    return await ground.waiting("publish") == 0


async def test_more_than_a_hundred_parked_stop_the_consumer_and_a_restart_does_not_go_on(ground: Ground) -> None:
    await ground.create()
    await ground.produce(DISCLOSURES, *(record(confirmed(f"d{n}", 1)) for n in range(103)))
    for _ in range(2):
        started = await ground.consumer(project={DisclosureConfirmed: Handler("all")})
        with pytest.raises(park.TooManyParkedError, match="100 records parked within an hour"):
            async with asyncio.timeout(60):
                await started.run(asyncio.Event())
        assert len(await _parked(ground)) == 100
    ground.clock.advance(hours=1, seconds=1)
    async with running(await ground.consumer()):
        assert await settle(ground, 3) == [("d100", 1), ("d101", 1), ("d102", 1)]


@pytest.mark.parametrize("guarded", [True, False])
async def test_unknown_type_is_parked_and_replayed_when_it_is_known(
    ground: Ground, *, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ground.create()
    tag = "disclosure.confirmed.v1"
    kind = PartitionedConsumer if guarded else ParksNothing
    await ground.produce(DISCLOSURES, *(record(confirmed("d1", v)) for v in (1, 2)))
    with monkeypatch.context() as older:
        # A version of the code that was written before this event was.
        older.setattr(topics, "_ADAPTERS", {t: a for t, a in topics._ADAPTERS.items() if t != tag})
        older.setattr(park, "EVENTS", {t: e for t, e in EVENTS.items() if t != tag})
        async with running(await ground.consumer(kind)):
            await asyncio.sleep(2)
            assert len(await _parked(ground)) == (2 if guarded else 0)
            assert await ground.effects() == []
    await ground.produce(DISCLOSURES, record(confirmed("d1", 3)))
    async with running(await ground.consumer(kind)):
        assert await settle(ground, 3) == [("d1", 1), ("d1", 2), ("d1", 3)]
    assert await _parked(ground) == []


async def test_garbage_is_parked_whatever_it_is_made_of(ground: Ground) -> None:
    await ground.create()
    key, value, headers = record(confirmed("d1", 1))
    await ground.produce(
        DISCLOSURES,
        (key, b"not JSON", headers),
        (key, b"{}", {**headers, "aggregate_id": "d2"}),
        (b"\xff\x00", b"\x00\xff", {}),
        (key, value, {**headers, "aggregate_id": "nul\x00", "type": "\x00"}),
        (key, value[:-2], {**headers, "aggregate_id": "d3", "aggregate_version": "9" * 5000}),
        (key, None, {**headers, "aggregate_id": "d4"}),
        (key, value, {**headers, "aggregate_id": "d5", "type": "key.set.v1"}),
        record(confirmed("d9", 1)),
    )
    async with running(await ground.consumer()):
        assert await settle(ground, 1) == [("d9", 1)]
    assert [a for a, _ in await _parked(ground)] == [
        "disclosure:d1",
        "disclosure:d2",
        "?:\ufffd\ufffd",
        "disclosure:nul\ufffd",
        "disclosure:d3",
        "disclosure:d4",
        "disclosure:d5",
    ]


async def test_argument_that_the_database_cannot_hold_is_no_lost_connection(ground: Ground) -> None:
    async def too_large(handling: Handling, event: DisclosureConfirmed) -> None:
        number = 2**70 if event.aggregate_id == "d1" else event.aggregate_version
        await handling.conn.execute(
            "INSERT INTO effect (aggregate_id, version) VALUES ($1, $2)", event.aggregate_id, number
        )

    await ground.create()
    await ground.produce(DISCLOSURES, record(confirmed("d1", 1)), record(confirmed("d2", 1)))
    async with running(await ground.consumer(project={DisclosureConfirmed: too_large})):
        assert await settle(ground, 1) == [("d2", 1)]
    assert [a for a, _ in await _parked(ground)] == ["disclosure:d1"]


async def test_record_that_comes_during_a_replay_is_handled_after_it(ground: Ground) -> None:
    await ground.create()
    replaying, go_on = asyncio.Event(), asyncio.Event()
    handler = Handler("d1")

    async def gated(handling: Handling, event: DisclosureConfirmed) -> None:
        await handler(handling, event)
        if event.aggregate_version == 1:
            replaying.set()
            await go_on.wait()

    await ground.produce(DISCLOSURES, record(confirmed("d1", 1)))
    started = await ground.consumer(project={DisclosureConfirmed: gated})
    async with running(started):
        await until(lambda: _has_parked(ground, 1))
        handler.bad.clear()
        replaying_all = asyncio.create_task(replay(started._database, started._effects, "disclosure:d1"))
        await replaying.wait()
        await ground.produce(DISCLOSURES, record(confirmed("d1", 2)))
        await asyncio.sleep(1)
        go_on.set()
        await replaying_all
        assert await settle(ground, 2) == [("d1", 1), ("d1", 2)]
    assert await _parked(ground) == []


async def test_failing_replay_leaves_all_as_it_was(ground: Ground) -> None:
    await ground.create()
    await ground.produce(DISCLOSURES, *(record(confirmed("d1", v)) for v in (1, 2)))
    handler = Handler("d1")
    started = await ground.consumer(project={DisclosureConfirmed: handler})
    async with running(started):
        await until(lambda: _has_parked(ground, 2))
    with pytest.raises(Reject):
        await replay(started._database, started._effects, "disclosure:d1")
    assert await _has_parked(ground, 2)
