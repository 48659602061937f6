"""Awaiting the Kafka driver: its own cancellations are errors, ours go through, and nothing waits for ever."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer

from services.contracts.topics import DISCLOSURES
from services.kit import driver
from services.kit.db import INFRASTRUCTURE_ERRORS
from services.kit.driver import DriverCancelledError, ask, end
from tests.kit.ground import Ground


async def _answer() -> str:
    return "an answer"


async def _inner_task_cancelled() -> None:
    inner = asyncio.ensure_future(asyncio.sleep(60))
    inner.cancel()
    await inner


async def _swallows() -> None:
    for _ in range(2):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            continue


async def test_answer_comes_through() -> None:
    assert await ask(_answer(), 1) == "an answer"
    assert await ask(_answer()) == "an answer"


async def test_inner_cancellation_is_an_error_that_is_waited_out() -> None:
    with pytest.raises(DriverCancelledError):
        await ask(_inner_task_cancelled(), 1)
    assert issubclass(DriverCancelledError, INFRASTRUCTURE_ERRORS)


async def test_own_cancellation_goes_through_and_ends_the_step() -> None:
    ended = asyncio.Event()

    async def step() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    asker = asyncio.create_task(ask(step(), 60))
    await asyncio.sleep(0.05)
    asker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asker
    assert ended.is_set()


async def test_deadline_holds_for_a_step_that_swallows_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "GRACE_S", 0.1)
    with pytest.raises(TimeoutError, match=r"the Kafka driver did not answer within 0\.1 s"):
        async with asyncio.timeout(5):
            await ask(_swallows(), 0.1)


async def test_long_step_beats_while_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "BEAT_S", 0.02)
    beats: list[int] = []
    with pytest.raises(TimeoutError):
        await ask(asyncio.sleep(60), 0.5, lambda: beats.append(1))
    assert len(beats) > 3


async def test_end_that_takes_long_goes_on_uncancelled_and_what_it_says_is_past() -> None:
    go_on, ended = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        await go_on.wait()
        ended.set()
        message = "broken at its end"
        raise ValueError(message)

    await end(slow(), 0.05)
    assert not ended.is_set()
    go_on.set()
    await asyncio.wait_for(ended.wait(), 5)
    await end(_inner_task_cancelled(), 5)


@pytest.mark.parametrize("guarded", [True, False])
async def test_driver_stopped_between_two_tries_lets_its_cancellation_out(ground: Ground, *, guarded: bool) -> None:
    await ground.create()
    consumer = AIOKafkaConsumer(ground.prefix + DISCLOSURES.name, **ground.broker().options())
    await consumer.start()
    # What its fetcher does while connections are refused.
    consumer._fetcher._pending_tasks.add(asyncio.ensure_future(asyncio.sleep(60)))
    await asyncio.sleep(0.05)
    if guarded:
        await end(consumer.stop(), 5)
    else:
        with pytest.raises(asyncio.CancelledError):
            await consumer.stop()
    await consumer._client.close()
