"""Creates the topics that `services.contracts.topics` declares, and what each service may do there, on a broker that is up.

    await apply(kafka.broker())                    # all of TOPICS
    await apply(kafka.broker(), prefix="t1.")      # the same under other names, for a test

Idempotent: creates what is missing, alters no topic. A topic with another number of partitions
than declared is a fault, since keys would land elsewhere and order per village would break.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Protocol

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from services.kit.broker import Broker

from deploy.local import rights
from deploy.local.faults import Fault

_MOST_COPIES = 3
_VISIBLE_SECONDS = 30.0
_VISIBLE_PAUSE = 0.1


class Declared(rights.Used, Protocol):
    """What this module reads of a topic's declaration."""

    @property
    def partitions(self) -> int: ...  # noqa: D102 - named as in the declaration
    @property
    def config(self) -> Mapping[str, str]: ...  # noqa: D102 - the same


async def apply(broker: Broker, prefix: str = "", topics: Iterable[Declared] | None = None) -> None:
    """Create the missing topics, check the partitions of the others, and give the services their rights."""
    declared = list(_declared() if topics is None else topics)
    admin = AIOKafkaAdminClient(**broker.options(), client_id="sanwu-topics")
    try:
        await admin.start()
        existing = set(await admin.list_topics())
        missing = [topic for topic in declared if prefix + topic.name not in existing]
        await _create(admin, missing, prefix)
        await _check(admin, declared, prefix)
        await rights.apply(admin, declared, prefix)
    except (KafkaError, OSError, TimeoutError) as error:
        raise Fault(f"The topics could not be created: {error}") from error
    finally:
        await admin.close()


async def differences(broker: Broker, prefix: str = "") -> list[str]:
    """Where the broker is not as declared, a sentence for each topic, its name first, and for each right."""
    declared = list(_declared())
    admin = AIOKafkaAdminClient(**broker.options(), client_id="sanwu-topics")
    try:
        await admin.start()
        existing = set(await admin.list_topics())
        known = [prefix + t.name for t in declared if prefix + t.name in existing]
        described = await admin.describe_topics(known) if known else []
        of_rights = await rights.differences(admin, declared, prefix)
    except (KafkaError, OSError, TimeoutError) as error:
        raise Fault(f"The topics could not be read: {error}") from error
    finally:
        await admin.close()
    partitions = {t["topic"]: len(t["partitions"]) for t in described}
    found = []
    for topic in declared:
        name = prefix + topic.name
        if name not in partitions:
            found.append(f"{name} is missing")
        elif partitions[name] != topic.partitions:
            found.append(f"{name} has {partitions[name]} partitions and not {topic.partitions}")
    return found + of_rights


def read_by(services: Iterable[str]) -> dict[str, object]:
    """By service, the topics that it reads with their partitions."""
    from services.contracts.topics import TOPICS  # noqa: PLC0415 - as below

    return {name: {t.name: t.partitions for t in TOPICS if name in t.consumers} for name in services}


def _declared() -> Iterable[Declared]:
    # Read late, so that a broker alone can be started without the services' packages.
    from services.contracts.topics import TOPICS  # noqa: PLC0415 - see above

    return TOPICS


async def _create(admin: AIOKafkaAdminClient, missing: list[Declared], prefix: str) -> None:
    if not missing:
        return
    brokers = (await admin.describe_cluster())["brokers"]
    copies = min(len(brokers), _MOST_COPIES)
    wanted = [
        NewTopic(
            name=prefix + topic.name,
            num_partitions=topic.partitions,
            replication_factor=copies,
            topic_configs=dict(topic.config),
        )
        for topic in missing
    ]
    answer = await admin.create_topics(wanted)
    for name, code, *message in answer.topic_errors:
        if code not in {0, TopicAlreadyExistsError.errno}:
            raise Fault(f"Topic {name} could not be created: {message[0] if message else for_code(code).__name__}")


async def _check(admin: AIOKafkaAdminClient, declared: list[Declared], prefix: str) -> None:
    found = await _partitions(admin, [prefix + topic.name for topic in declared])
    for topic in declared:
        partitions = found.get(prefix + topic.name, 0)
        if partitions != topic.partitions:
            message = (
                f"Topic {prefix}{topic.name} has {partitions} partitions and not {topic.partitions}: "
                "move its events to a new topic, partitions are never changed in place."
            )
            raise Fault(message)


async def _partitions(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    """Count each topic's partitions, waiting for a new topic to reach the broker's metadata."""
    async with asyncio.timeout(_VISIBLE_SECONDS):
        while True:
            described = await admin.describe_topics(names)
            found = {topic["topic"]: len(topic["partitions"]) for topic in described}
            if all(found.get(name) for name in names):
                return found
            await asyncio.sleep(_VISIBLE_PAUSE)
