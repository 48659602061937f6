"""Where a process stands in its partitions: the assignment alone, with a driver and offsets that are tables."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from services.kit.consumer import Assignment, LogLostError, assignment

FIRST, SECOND = TopicPartition("t", 0), TopicPartition("t", 1)


@dataclass(slots=True)
class Log:
    """A driver: what it is assigned, how far its log goes, and what it was told in order."""

    ends: dict[TopicPartition, int]
    begins: dict[TopicPartition, int] = field(default_factory=dict)
    assigned: set[TopicPartition] = field(default_factory=lambda: {FIRST, SECOND})
    told: list[tuple[str, object]] = field(default_factory=list)
    #: Raised one by one by whoever asks for ends.
    failures: list[Exception] = field(default_factory=list)

    def assignment(self) -> set[TopicPartition]:
        return self.assigned

    def pause(self, *partitions: TopicPartition) -> None:
        self.told.append(("pause", set(partitions)))

    def resume(self, *partitions: TopicPartition) -> None:
        self.told.append(("resume", set(partitions)))

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.told.append(("seek", (tp.partition, offset)))

    async def beginning_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        if self.failures:
            raise self.failures.pop(0)
        return {tp: self.begins.get(tp, 0) for tp in partitions}

    async def end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return {tp: self.ends[tp] for tp in partitions}


@dataclass(slots=True)
class Stored:
    """The table of offsets."""

    rows: dict[TopicPartition, int]
    failures: list[Exception] = field(default_factory=list)
    #: Cleared by a test that wants an answer to be under way.
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def look_up(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        if self.failures:
            raise self.failures.pop(0)
        await self.answers.wait()
        return {tp: at for tp, at in self.rows.items() if tp in partitions}


def stored(rows: dict[TopicPartition, int]) -> Stored:
    table = Stored(rows)
    table.answers.set()
    return table


async def holding(log: Log, rows: dict[TopicPartition, int]) -> Assignment:
    """An assignment that was loaded; the log's memory of it is cleared."""
    held = Assignment(log, stored(rows).look_up)
    await held.load({FIRST, SECOND})
    log.told.clear()
    return held


async def test_partitions_are_paused_until_they_were_sought_at_their_stored_offsets() -> None:
    log = Log({FIRST: 10, SECOND: 8}, begins={SECOND: 3})
    fresh = Assignment(log, stored({FIRST: 7}).look_up)
    await fresh.on_partitions_assigned({FIRST, SECOND})
    assert log.told[0] == ("pause", {FIRST, SECOND})
    # What was never stored begins where the log does.
    assert sorted(log.told[1:3]) == [("seek", (0, 7)), ("seek", (1, 3))]
    assert log.told[3:] == [("resume", {FIRST, SECOND})]
    assert fresh.held() == {FIRST: 7, SECOND: 3}


async def test_nothing_is_held_while_the_look_up_is_under_way() -> None:
    log, table = Log({FIRST: 10}), Stored({FIRST: 7})
    fresh = Assignment(log, table.look_up)
    loading = asyncio.create_task(fresh.on_partitions_assigned({FIRST}))
    await asyncio.sleep(0.01)
    assert fresh.held() == {}
    assert log.told == [("pause", {FIRST})]
    table.answers.set()
    await loading
    assert fresh.held() == {FIRST: 7}


async def test_look_up_is_repeated_until_database_and_broker_answer() -> None:
    log, table = Log({FIRST: 10}, failures=[KafkaConnectionError()]), stored({FIRST: 7})
    table.failures.append(ConnectionRefusedError())
    fresh, beats = Assignment(log, table.look_up), [0]
    await fresh.load({FIRST}, lambda: beats.append(1))
    assert fresh.held() == {FIRST: 7}
    assert sum(beats) == 3


async def test_partition_that_went_away_during_the_look_up_is_neither_sought_nor_held() -> None:
    log, table = Log({FIRST: 10, SECOND: 10}), Stored({FIRST: 7, SECOND: 4})
    fresh = Assignment(log, table.look_up)
    loading = asyncio.create_task(fresh.on_partitions_assigned({FIRST, SECOND}))
    await asyncio.sleep(0.01)
    log.assigned = {SECOND}
    table.answers.set()
    await loading
    assert fresh.held() == {SECOND: 4}
    assert log.told[1:] == [("seek", (1, 4)), ("resume", {SECOND})]


@pytest.mark.parametrize(("begin", "at", "end"), [(0, 6, 5), (3, 2, 5)])
async def test_offset_outside_the_log_is_fatal_and_not_held(begin: int, at: int, end: int) -> None:
    fresh = Assignment(Log({FIRST: end}, begins={FIRST: begin}), stored({FIRST: at}).look_up)
    await fresh.load({FIRST})
    assert isinstance(fresh.fatal, LogLostError)
    assert str(fresh.fatal) == f"t[0]: stored offset {at} is outside the log {begin}..{end}"
    assert fresh.held() == {}


@pytest.mark.parametrize("at", [3, 5])
async def test_both_ends_of_the_log_are_within_it(at: int) -> None:
    fresh = Assignment(Log({FIRST: 5}, begins={FIRST: 3}), stored({FIRST: at}).look_up)
    await fresh.load({FIRST})
    assert (fresh.fatal, fresh.held()) == (None, {FIRST: at})


async def test_closed_assignment_ends_its_load_and_touches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignment, "CLOSE_S", 0.01)
    log, table = Log({FIRST: 10}), Stored({FIRST: 7}, failures=[ConnectionRefusedError()])
    fresh = Assignment(log, table.look_up)
    loading = asyncio.create_task(fresh.on_partitions_assigned({FIRST}))
    await asyncio.sleep(0.01)
    await fresh.close()
    await asyncio.wait_for(loading, 2)
    assert (fresh.driver, fresh.held()) == (None, {})
    assert log.told == [("pause", {FIRST})]
    fresh.rewind(FIRST)
    assert log.told == [("pause", {FIRST})]


async def test_rewinding_seeks_the_held_offset_of_what_is_held_and_assigned() -> None:
    log = Log({FIRST: 10, SECOND: 10})
    held = await holding(log, {FIRST: 7, SECOND: 4})
    held.move(FIRST, 9)
    log.assigned = {FIRST}
    held.rewind(FIRST)
    held.rewind(SECOND)
    held.rewind(TopicPartition("t", 2))
    assert log.told == [("seek", (0, 9))]


async def test_lost_partition_is_read_where_it_stands_now() -> None:
    log, table = Log({FIRST: 10, SECOND: 10}), stored({FIRST: 7, SECOND: 4})
    held = Assignment(log, table.look_up)
    await held.load({FIRST, SECOND})
    table.rows[FIRST] = 9
    await held.lose(FIRST)
    assert held.held() == {FIRST: 9, SECOND: 4}
    log.assigned = {FIRST}
    await held.lose(SECOND)
    assert held.held() == {FIRST: 9}


async def test_partitions_are_let_go_when_the_batch_in_hand_is_done() -> None:
    held = await holding(Log({FIRST: 10, SECOND: 10}), {FIRST: 7})
    held.pass_by(FIRST, 8)
    async with held.in_hand:
        revoking = asyncio.create_task(held.on_partitions_revoked({FIRST, SECOND}))
        await asyncio.sleep(0.01)
        assert held.held() == {FIRST: 7, SECOND: 0}
    await asyncio.wait_for(revoking, 1)
    assert (held.held(), held.take_passed()) == ({}, {})


async def test_batch_that_hangs_keeps_no_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignment, "REVOKE_WAIT_S", 0.05)
    held = await holding(Log({FIRST: 10, SECOND: 10}), {FIRST: 7})
    async with held.in_hand:
        await asyncio.wait_for(held.on_partitions_revoked({FIRST, SECOND}), 2)
    assert held.held() == {}


async def test_what_was_passed_by_is_wanted_no_more_and_stored_later() -> None:
    held = await holding(Log({FIRST: 10, SECOND: 10}), {FIRST: 3, SECOND: 4})
    held.pass_by(FIRST, 6)
    assert held.held() == {FIRST: 3, SECOND: 4}
    assert held.reached() == {FIRST: 6, SECOND: 4}
    assert held.take_passed() == {FIRST: 6}
    assert held.take_passed() == {}


async def test_what_was_passed_before_moves_no_offset_back() -> None:
    held = await holding(Log({FIRST: 10, SECOND: 10}), {FIRST: 3, SECOND: 4})
    held.pass_by(FIRST, 6)
    held.move(FIRST, 8)
    held.pass_by(SECOND, 6)
    await held.load({SECOND})
    assert held.take_passed() == {}
    assert held.take_moved() == {FIRST: 8}
    assert held.take_moved() == {}


async def test_what_is_told_of_the_past_does_not_change_it() -> None:
    held = await holding(Log({FIRST: 10, SECOND: 10}), {FIRST: 3, SECOND: 4})
    before = held.held()
    held.move(FIRST, 8)
    assert before == {FIRST: 3, SECOND: 4}
