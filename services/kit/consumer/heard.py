"""Whether a service has heard all that was said, asked by a driver of its own: the process that reads may be another one."""

from collections.abc import Collection
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.contracts.topics import TOPICS
from services.kit.consumer.ends import Ends, Offsets
from services.kit.consumer.offsets import select_offsets
from services.kit.driver import ask, end
from services.kit.runtime import AnyRuntime

_START_S: Final = 10.0


async def has_heard_all(runtime: AnyRuntime, within_s: float) -> bool:
    """Tell whether all that stands on the service's topics at this moment was handled within some seconds; False also when Kafka does not say."""
    driver = AIOKafkaConsumer(**runtime.settings.broker.options(), enable_auto_commit=False)

    async def look_up(partitions: Collection[TopicPartition]) -> Offsets:
        async with runtime.database.connection() as conn:
            return await select_offsets(conn, partitions)

    try:
        await ask(driver.start(), _START_S)
        topics = [t for t in TOPICS if runtime.service in t.consumers]
        return await Ends(runtime.settings.topic_prefix, look_up).reach(driver, topics, within_s)
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await end(driver.stop(), _START_S)
