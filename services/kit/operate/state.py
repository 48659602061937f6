"""`state`: how a service stands, from its tables and the log's ends: what the process says of itself is not asked."""

from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.contracts.topics import TOPICS
from services.kit import standing
from services.kit.cli import Told, on_runtime
from services.kit.driver import ask, end
from services.kit.runtime import AnyRuntime

_KAFKA_PATIENCE_S: Final = 10.0


async def _log(runtime: AnyRuntime, stored: dict[tuple[str, int], int]) -> dict[str, Any]:
    """How far the stored offsets are behind the log, by topic, and how many dead letters there are."""
    prefix = runtime.settings.topic_prefix
    topics = [t for t in TOPICS if runtime.service in t.consumers]
    places = [TopicPartition(prefix + t.name, n) for t in topics for n in range(t.partitions)]
    letters = TopicPartition(f"{prefix}{runtime.service}.dlq", 0)
    driver = AIOKafkaConsumer(**runtime.settings.broker.options(), enable_auto_commit=False)
    try:
        await ask(driver.start(), _KAFKA_PATIENCE_S)
        ends = await ask(driver.end_offsets([*places, letters]), _KAFKA_PATIENCE_S)
        begins = await ask(driver.beginning_offsets([*places, letters]), _KAFKA_PATIENCE_S)
    except (KafkaError, OSError, TimeoutError) as error:
        return {"kafka": f"away: {type(error).__name__}", "lag": None, "outside_the_log": [], "dead_letters": None}
    finally:
        await end(driver.stop(), _KAFKA_PATIENCE_S)
    lag: dict[str, int] = {t.name: 0 for t in topics}
    outside = []
    for tp in places:
        at = stored.get((tp.topic, tp.partition), begins[tp])
        lag[tp.topic.removeprefix(prefix)] += max(0, ends[tp] - at)
        if at > ends[tp] or at < begins[tp]:
            outside.append(f"{tp.topic}[{tp.partition}]: {at} is not in {begins[tp]}..{ends[tp]}")
    letters_count = ends[letters] - begins[letters]
    return {"kafka": "up", "lag": lag, "outside_the_log": outside, "dead_letters": letters_count}


@on_runtime
async def state(runtime: AnyRuntime) -> Told:
    """Outbox, parked records, distance to the log's ends."""
    async with runtime.database.connection() as conn:
        tables = {"events": await conn.fetchval(standing.COUNT_EVENTS), **await standing.tables(conn)}
        at = await standing.offsets(conn)
    log = await _log(runtime, {place: offset for place, (offset, _) in at.items()})
    return Told({"service": runtime.service, **tables, **log})
