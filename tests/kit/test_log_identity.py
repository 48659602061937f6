"""An offset means nothing in another Kafka: the consumer says so instead of reading on from the middle."""

import asyncio

import pytest

from services.kit.consumer import AnotherLogError
from services.kit.consumer.identity import check_log
from tests.kit.ground import Ground, running, say_many, settle, until


async def test_consumer_notes_its_log_and_goes_on(ground: Ground) -> None:
    await ground.create()
    await ground.admin("DELETE FROM publish.log_identity")
    async with running(await ground.relay(), await ground.consumer()):
        await say_many(await ground.open("ingest"), ["d1"], 2)
        assert await settle(ground, 2) == [("d1", 1), ("d1", 2)]
    rows = await ground.admin("SELECT cluster_id FROM publish.log_identity")
    assert len(rows) == 1
    await check_log(await ground.open("publish"), ground.settings("publish").broker)


async def test_in_front_of_another_log_nothing_is_read_until_the_repair(ground: Ground) -> None:
    await ground.create()
    await ground.admin("DELETE FROM publish.log_identity")
    await ground.admin("INSERT INTO publish.log_identity (cluster_id) VALUES ('another')")
    with pytest.raises(AnotherLogError, match="republish --new-log"):
        await check_log(await ground.open("publish"), ground.settings("publish").broker)
    async with running(await ground.relay(), await ground.consumer()):
        await say_many(await ground.open("ingest"), ["d1"], 1)
        await until(ground.nothing_waits)
        await asyncio.sleep(1)
        assert await ground.effects() == []
        await ground.admin("DELETE FROM publish.log_identity")
        assert await settle(ground, 1) == [("d1", 1)]
