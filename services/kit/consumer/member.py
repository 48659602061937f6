"""A driver that is a member of a service's group: how it is set up, and how long it may take to join."""

from collections.abc import Collection
from hashlib import sha256
from typing import Final

from aiokafka import AIOKafkaConsumer

from services.kit.driver import ask
from services.kit.pulse import Beat
from services.kit.settings import Settings

#: To join a group takes as long as a member that hangs is waited for; whoever gives up before hangs for the next.
REBALANCE_MS: Final = 60_000
JOIN_SLACK_S: Final = 30.0
#: How long the broker waits with an answer when there is nothing.
NOTHING_MS: Final = 500
#: When so much is there the broker answers at once, also whoever lets records gather.
ENOUGH_BYTES: Final = 256 * 1024


def make_member(settings: Settings, service: str, topics: Collection[str], linger_ms: int) -> AIOKafkaConsumer:
    """A driver for the group of a service that reads these topics; it has asked nobody for anything yet.

    The broker lets records gather for `linger_ms` milliseconds: many at once cost less than each alone.
    """
    return AIOKafkaConsumer(
        **settings.broker.options(),
        group_id=settings.topic_prefix + service,
        group_instance_id=None if settings.instance is None else _known_as(settings.instance, topics),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=settings.session_timeout_ms,
        rebalance_timeout_ms=_rebalance_ms(settings),
        heartbeat_interval_ms=min(3_000, settings.session_timeout_ms // 3),
        max_partition_fetch_bytes=4 * 1024 * 1024,
        fetch_max_wait_ms=linger_ms or NOTHING_MS,
        fetch_min_bytes=ENOUGH_BYTES if linger_ms else 1,
    )


def _known_as(instance: str, topics: Collection[str]) -> str:
    """The name under which a copy comes back to its partitions; another one when it reads other topics.

    To who comes back under its name Kafka gives what it had and divides nothing anew (KIP-345): a topic that a new version
    reads would never be read.
    """
    return f"{instance}-{sha256(' '.join(sorted(topics)).encode()).hexdigest()[:8]}"


async def join(driver: AIOKafkaConsumer, settings: Settings, beat: Beat) -> None:
    """Start a member; TimeoutError when it could not join in the time that the slowest of the others has."""
    await ask(driver.start(), _rebalance_ms(settings) / 1000 + JOIN_SLACK_S, beat)


def _rebalance_ms(settings: Settings) -> int:
    return max(REBALANCE_MS, settings.session_timeout_ms)
