"""The consumer on a real broker and a real database: assignment, atomicity, versions, order of topics, watchdog."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from services.contracts.disclosure import DisclosureConfirmed, DisclosureWithdrawn
from services.contracts.division import DivisionKind, DivisionSet
from services.contracts.topics import DISCLOSURES, DIVISIONS
from services.kit.consumer import Assignment, Effects, Handlers, Handling, LogLostError, PartitionedConsumer, ends
from services.kit.consumer.share import Share
from services.kit.errors import Reject, Retry
from tests import builders
from tests.kit.ground import Ground, confirmed, joined, leave, on_confirmed, record, running, settle
from tests.kit.unguarded import Forgetful, Hastiest, Hasty, OffsetFirst, ReferenceAnytime, Unwatched


async def _produce(ground: Ground, count: int, aggregate_id: str = "d1", partition: int = 0) -> list[tuple[str, int]]:
    records = (record(confirmed(aggregate_id, v)) for v in range(1, count + 1))
    await ground.produce(DISCLOSURES, *records, partition=partition)
    return [(aggregate_id, v) for v in range(1, count + 1)]


class SlowLookUp(PartitionedConsumer):
    """A consumer whose database answers late when partitions are assigned."""

    async def _look_up(self, partitions: Collection[TopicPartition]) -> ends.Offsets:
        # Longer than a busy machine takes to fetch: who does not wait has the records before the answer.
        await asyncio.sleep(3)
        return await super()._look_up(partitions)


class SlowAndHasty(SlowLookUp, Hastiest):
    """The same, and it does not wait for the answer."""


@pytest.mark.parametrize("guarded", [True, False])
async def test_nothing_is_handled_before_the_offset_is_known(ground: Ground, *, guarded: bool) -> None:
    await ground.create()
    said = await _produce(ground, 60)
    # The mirror in Kafka is ahead of the truth, as after PostgreSQL came back from a backup.
    async with AIOKafkaConsumer(
        **ground.broker().options(), group_id=ground.prefix + "publish", enable_auto_commit=False
    ) as driver:
        place = TopicPartition(ground.prefix + DISCLOSURES.name, 0)
        driver.assign([place])
        await driver.commit({place: OffsetAndMetadata(40, "")})
    async with running(await ground.consumer(SlowLookUp if guarded else SlowAndHasty)):
        effects = await settle(ground, 20)
        await asyncio.sleep(1)
    assert (effects == said) is guarded
    assert effects[-1] == ("d1", 60)


class Overtaken(PartitionedConsumer):
    """A consumer that is assigned its partition anew, read on by another meanwhile, with a batch in hand."""

    moved = False

    async def _work(self, batches: Mapping[TopicPartition, list[Any]], loaded: Mapping[TopicPartition, int]) -> bool:
        if batches and not self.moved:
            self.moved = True
            async with self._database.transaction() as conn:
                for version in range(1, 21):
                    await leave(conn, confirmed("d1", version))
                await conn.execute("UPDATE consumer_offset SET next_offset = 20 WHERE partition = 0")
            await self._assignment.load(set(batches))
        return await super()._work(batches, loaded)


class OvertakenAndHasty(Overtaken, Hasty):
    """The same, and it works on what it has in hand."""


@pytest.mark.parametrize("guarded", [True, False])
async def test_batch_handed_out_before_a_new_assignment_is_dropped(ground: Ground, *, guarded: bool) -> None:
    await ground.create()
    await ground.admin(
        "INSERT INTO publish.consumer_offset (topic, partition, next_offset) VALUES ($1, 0, 0)",
        ground.prefix + DISCLOSURES.name,
    )
    said = await _produce(ground, 60)
    async with running(await ground.consumer(Overtaken if guarded else OvertakenAndHasty, Forgetful)):
        effects = await settle(ground, 60)
    assert (effects == said) is guarded


async def _transactions(ground: Ground) -> int:
    """In how many transactions the effects were made."""
    rows = await ground.admin("SELECT count(DISTINCT xmin::text) AS n FROM publish.effect")
    return int(rows[0]["n"])


class Apart(PartitionedConsumer):
    """A consumer that handles each partition for itself."""

    async def _handle_together(self, shares: Sequence[Share]) -> None:
        pass


@pytest.mark.parametrize(("kind", "transactions"), [(PartitionedConsumer, 1), (Apart, 8)])
async def test_a_poll_of_many_partitions_is_one_transaction(
    ground: Ground, kind: type[PartitionedConsumer], transactions: int
) -> None:
    await ground.create()
    said = [of for n in range(8) for of in await _produce(ground, 3, f"d{n}", n)]
    async with running(await ground.consumer(kind, instance="one")):
        assert sorted(await settle(ground, 24)) == said
    # The first poll may bring a part.
    assert transactions <= await _transactions(ground) <= transactions + 2
    rows = await ground.admin("SELECT next_offset FROM publish.consumer_offset")
    assert [r["next_offset"] for r in rows] == [3] * 8


@pytest.mark.parametrize("count", [3, 40])
async def test_a_poll_with_a_bad_record_parks_that_one_alone_and_does_the_rest_once(ground: Ground, count: int) -> None:
    await ground.create()
    tried = Counter[tuple[str, int]]()

    async def on_all_but_one(handling: Handling, event: DisclosureConfirmed) -> None:
        tried[event.aggregate_id, event.aggregate_version] += 1
        if (event.aggregate_id, event.aggregate_version) == ("d1", 2):
            reason = "never"
            raise Reject(reason)
        await on_confirmed(handling, event)

    said = [of for n in range(3) for of in await _produce(ground, count, f"d{n}", n)]
    async with running(await ground.consumer(project={DisclosureConfirmed: on_all_but_one})):
        done = [of for of in said if of[0] != "d1" or of[1] < 2]
        assert sorted(await settle(ground, len(done))) == done
    parked = await ground.admin("SELECT aggregate_key, record_offset FROM publish.parked_event ORDER BY record_offset")
    assert [(r["aggregate_key"], r["record_offset"]) for r in parked] == [("disclosure:d1", n) for n in range(1, count)]
    assert tried["d1", 2] > 1


@pytest.mark.parametrize("aggregates", [["d1"], ["d1", "d2"]])
@pytest.mark.parametrize("guarded", [True, False])
async def test_effect_and_offset_commit_together(ground: Ground, aggregates: list[str], *, guarded: bool) -> None:
    await ground.create()
    cut = asyncio.Event()

    async def cut_once(handling: Handling, event: DisclosureConfirmed) -> None:
        await on_confirmed(handling, event)
        if (event.aggregate_id, event.aggregate_version) == (aggregates[-1], 30) and not cut.is_set():
            cut.set()
            await handling.conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    said = [of for n, name in enumerate(aggregates) for of in await _produce(ground, 40, name, n)]
    handlers: Handlers = {DisclosureConfirmed: cut_once}
    kind = PartitionedConsumer if guarded else OffsetFirst
    async with running(await ground.consumer(kind, Forgetful, project=handlers)):
        await asyncio.wait_for(cut.wait(), 20)
        await asyncio.sleep(2)
    assert (sorted(await ground.effects()) == said) is guarded


@pytest.mark.parametrize("guarded", [True, False])
async def test_repeated_and_late_records_have_no_second_effect(ground: Ground, *, guarded: bool) -> None:
    await ground.create()
    first, second, third = (record(confirmed("d1", v)) for v in (1, 2, 3))
    await ground.produce(DISCLOSURES, first, first, second, third, second, first, record(confirmed("d2", 1)))
    async with running(await ground.consumer(effects=Effects if guarded else Forgetful)):
        effects = await settle(ground, 4)
    assert (effects == [("d1", 1), ("d1", 2), ("d1", 3), ("d2", 1)]) is guarded


async def test_cut_connections_are_waited_out(ground: Ground) -> None:
    await ground.create()
    said = await _produce(ground, 100)
    async with running(await ground.consumer()):
        for round_ in range(4):
            await ground.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'publish'")
            said += await _produce(ground, 100, f"d{round_ + 2}")
        effects = await settle(ground, 500)
    assert effects == said


@pytest.mark.parametrize("guarded", [True, False])
async def test_reference_topics_are_read_before_the_rest(ground: Ground, *, guarded: bool) -> None:
    await ground.create(DIVISIONS, DISCLOSURES)
    division = builders.division(builders.VILLAGE, "西海村委会", DivisionKind.VILLAGE, None)
    key, value, headers = record(DivisionSet(**builders.stamp(builders.VILLAGE), division=division))
    await ground.produce(DIVISIONS, (key, value, headers))
    await _produce(ground, 3)
    tries = 0

    async def on_division(_handling: Handling, _event: DivisionSet) -> None:
        nonlocal tries
        tries += 1
        if tries <= 3:
            reason = "the copy is not ready"
            raise Retry(reason)

    async def on_known(handling: Handling, event: DisclosureConfirmed) -> None:
        known = event.village_code in handling.reference.divisions
        await leave(handling.conn, event, "known" if known else "unknown")

    started = await ground.consumer(
        PartitionedConsumer if guarded else ReferenceAnytime,
        project={DivisionSet: on_division, DisclosureConfirmed: on_known},
        topics_=(DISCLOSURES, DIVISIONS),
    )
    async with running(started):
        await settle(ground, 3)
        await asyncio.wait_for(started.caught_up.wait(), 10)
    notes = [r["note"] for r in await ground.admin("SELECT note FROM publish.effect")]
    assert notes == ["known" if guarded else "unknown"] * 3


async def test_a_copy_that_comes_back_with_another_topic_reads_it(ground: Ground) -> None:
    await ground.create(DIVISIONS, DISCLOSURES)
    said = await _produce(ground, 1)
    async with running(await ground.consumer(instance="one")):
        await settle(ground, 1)
    division = builders.division(builders.VILLAGE, "西海村委会", DivisionKind.VILLAGE, None)
    await ground.produce(DIVISIONS, record(DivisionSet(**builders.stamp(builders.VILLAGE), division=division)))

    async def on_division(handling: Handling, event: DivisionSet) -> None:
        await leave(handling.conn, event)

    again = await ground.consumer(project={DivisionSet: on_division}, topics_=(DISCLOSURES, DIVISIONS), instance="one")
    async with running(again):
        assert await settle(ground, 2) == [*said, (builders.VILLAGE, 1)]


class Silent(Assignment):
    """An assignment of which the driver hands out nothing, as after a lost group (aiokafka#1154)."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        await super().on_partitions_assigned(assigned)
        if self.driver is not None:
            self.driver.pause(*assigned)


class Deaf(PartitionedConsumer):
    """A consumer whose first driver lives on outside its group."""

    drivers = 0

    def _assign(self, driver: AIOKafkaConsumer | None) -> Assignment:
        self.drivers += driver is not None
        return (Silent if self.drivers == 1 else Assignment)(driver, self._look_up)


class DeafUnwatched(Deaf, Unwatched):
    """The same, and nobody looks whether records wait."""


@pytest.mark.parametrize("guarded", [True, False])
async def test_driver_that_hands_out_nothing_is_replaced(
    ground: Ground, *, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ends, "IDLE_LOOK_S", 0.7)
    await ground.create()
    deaf = await ground.consumer(Deaf if guarded else DeafUnwatched)
    async with running(deaf):
        await joined(deaf)
        said = await _produce(ground, 5)
        await asyncio.sleep(4)
        effects = await ground.effects()
    assert effects == (said if guarded else [])


async def test_offset_beyond_the_log_stops_the_consumer(ground: Ground) -> None:
    await ground.create()
    await _produce(ground, 5)
    await ground.admin(
        "INSERT INTO publish.consumer_offset (topic, partition, next_offset) VALUES ($1, 0, 6)",
        ground.prefix + DISCLOSURES.name,
    )
    started = await ground.consumer()
    with pytest.raises(LogLostError, match=r"stored offset 6 is outside the log 0\.\.5"):
        async with asyncio.timeout(20):
            await started.run(asyncio.Event())


async def test_stopped_consumer_finishes_its_batch_and_another_goes_on(ground: Ground) -> None:
    await ground.create()
    said = await _produce(ground, 400)
    for _ in range(3):
        with contextlib.suppress(TimeoutError):
            async with running(await ground.consumer()):
                await asyncio.sleep(0.7)
    async with running(await ground.consumer()):
        effects = await settle(ground, 400)
    assert effects == said


async def test_records_of_no_interest_are_passed_also_behind_a_parked_one(ground: Ground) -> None:
    await ground.create()
    stranger = DisclosureWithdrawn(
        **builders.stamp("d9", 1, builders.VILLAGE),
        item="F01",
        period="2026-10",
        edition=1,
        reason="x",
        was_published=False,
    )
    poison, noise = record(confirmed("d1", 1)), record(stranger)
    await ground.produce(DISCLOSURES, noise, (poison[0], b"{}", poison[2]), noise, noise)
    await ground.produce(DISCLOSURES, noise, partition=1)
    started = await ground.consumer()
    async with running(started):
        await asyncio.wait_for(started.caught_up.wait(), 10)
        assert await started.catch_up_with([DISCLOSURES], within_s=10)
    rows = await ground.admin("SELECT partition, next_offset FROM publish.consumer_offset ORDER BY partition")
    assert [tuple(r) for r in rows] == [(0, 4), (1, 1)]


async def test_what_was_passed_before_a_new_assignment_moves_no_offset_after_it(ground: Ground) -> None:
    await ground.create()
    said = await _produce(ground, 20)
    started = await ground.consumer()
    async with running(started):
        assert await settle(ground, 20) == said
        place = TopicPartition(ground.prefix + DISCLOSURES.name, 0)
        started._assignment.pass_by(place, 10)
        await started._assignment.on_partitions_revoked({place})
        await started._assignment.on_partitions_assigned({place})
        await asyncio.sleep(1.5)
        rows = await ground.admin("SELECT next_offset FROM publish.consumer_offset WHERE partition = 0")
    assert rows[0]["next_offset"] == 20
