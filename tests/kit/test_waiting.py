"""When a partition is tried again, when a record is given up, when a driver that gets nothing is: by a clock that is set."""

from collections.abc import Callable

import pytest
from aiokafka import TopicPartition

from services.kit.consumer import ends, patience
from services.kit.consumer.ends import Watchdog
from services.kit.consumer.patience import Patience
from tests.kit.ground import Time

FIRST, SECOND = TopicPartition("t", 0), TopicPartition("t", 1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time()
    monkeypatch.setattr(patience, "time", clock)
    monkeypatch.setattr(ends, "time", clock)
    return clock


def test_partition_waits_for_as_long_as_it_was_told_and_no_other_does(clock: Time) -> None:
    waiting = Patience()
    waiting.wait(FIRST, 2.0)
    assert (waiting.waits(FIRST), waiting.waits(SECOND)) == (True, False)
    clock.now += 1.9
    assert waiting.waits(FIRST)
    clock.now += 0.1
    assert not waiting.waits(FIRST)


def test_record_is_given_up_beyond_five_minutes_of_its_own(clock: Time) -> None:
    waiting = Patience()
    assert not waiting.lose(FIRST, 7)
    clock.now += 300
    assert not waiting.lose(FIRST, 7)
    # The one behind it begins its own five minutes; so does the same number elsewhere.
    assert not waiting.lose(FIRST, 8)
    assert not waiting.lose(SECOND, 8)
    clock.now += 300
    assert not waiting.lose(FIRST, 8)
    clock.now += 0.1
    assert waiting.lose(FIRST, 8)


@pytest.fixture
def watchdog(clock: Time) -> Callable[[dict[TopicPartition, int]], str | None]:
    """A watchdog over two logs of ten records that begin at 2; tells what it complained of after one more period."""
    dog = Watchdog()

    def look(stored: dict[TopicPartition, int]) -> str | None:
        clock.now += 30
        assert dog.is_due()
        try:
            dog.look(stored, {FIRST: 2, SECOND: 2}, {FIRST: 10, SECOND: 10})
        except TimeoutError as error:
            return str(error)
        return None

    return look


Look = Callable[[dict[TopicPartition, int]], str | None]
LATE = "records wait and none came for 30.0 s"


def test_partition_that_stands_at_two_looks_with_records_behind_it_is_complained_of(watchdog: Look) -> None:
    assert watchdog({FIRST: 9, SECOND: 10}) is None
    assert watchdog({FIRST: 9, SECOND: 10}) == LATE


def test_partition_of_which_nothing_was_ever_stored_stands_at_the_logs_beginning(watchdog: Look) -> None:
    assert watchdog({FIRST: 10}) is None
    assert watchdog({FIRST: 10}) == LATE


def test_partition_that_moves_or_has_nothing_behind_it_is_not(watchdog: Look) -> None:
    assert watchdog({FIRST: 5, SECOND: 10}) is None
    assert watchdog({FIRST: 6, SECOND: 10}) is None
    assert watchdog({FIRST: 10, SECOND: 10}) is None
    assert watchdog({FIRST: 10, SECOND: 9}) is None
    assert watchdog({FIRST: 10, SECOND: 10}) is None


def test_log_that_was_cut_to_its_end_before_anything_was_stored_is_not(clock: Time) -> None:
    dog = Watchdog()
    for _ in range(2):
        clock.now += 30
        dog.look({}, {FIRST: 10}, {FIRST: 10})
    assert not dog.is_due()


def test_records_put_the_look_off_and_what_was_seen_before_is_forgotten(clock: Time) -> None:
    dog = Watchdog()
    clock.now += 29.9
    assert not dog.is_due()
    dog.look({FIRST: 9}, {FIRST: 0}, {FIRST: 10})
    dog.rest()
    clock.now += 29.9
    assert not dog.is_due()
    clock.now += 0.1
    assert dog.is_due()
    dog.look({FIRST: 9}, {FIRST: 0}, {FIRST: 10})
    assert not dog.is_due()
