"""Whether this is the log that the stored offsets belong to: another one would be read from the middle, in silence."""

from typing import Final

from aiokafka.admin import AIOKafkaAdminClient

from services.kit.broker import Broker
from services.kit.db import Database
from services.kit.driver import ask, end

ANSWER_S: Final = 15.0
CLOSE_S: Final = 5.0

NOTE_LOG = "INSERT INTO log_identity (cluster_id) VALUES ($1) ON CONFLICT DO NOTHING"
SELECT_LOG = "SELECT cluster_id FROM log_identity"


class AnotherLogError(Exception):
    """Offsets of one Kafka mean nothing in another one. Say everything anew (`republish --new-log`), then restart."""

    def __init__(self, noted: str, found: str) -> None:
        """`noted` is the log that the offsets belong to, `found` the one that answers now: Kafka's ids."""
        super().__init__(
            f"offsets belong to Kafka {noted} and this is {found}: run `republish --new-log`, then restart"
        )


async def check_log(database: Database, kafka: Broker) -> None:
    """Note which Kafka this is when nothing was noted yet; AnotherLogError when it is not the noted one."""
    admin = AIOKafkaAdminClient(**kafka.options())
    try:
        await ask(admin.start(), ANSWER_S)
        found = str((await ask(admin.describe_cluster(), ANSWER_S))["cluster_id"])
    finally:
        await end(admin.close(), CLOSE_S)
    async with database.transaction() as conn:
        await conn.execute(NOTE_LOG, found)
        noted = await conn.fetchval(SELECT_LOG)
    if noted != found:
        raise AnotherLogError(noted, found)
