"""Where a service stands in each partition: the rows that are locked, compared and moved with the effects."""

from collections.abc import Collection

from aiokafka import TopicPartition

from services.kit.db import Connection

LOCK_OFFSET = "SELECT next_offset FROM consumer_offset WHERE topic = $1 AND partition = $2 FOR UPDATE"
CREATE_OFFSET = """
INSERT INTO consumer_offset (topic, partition, next_offset) VALUES ($1, $2, $3)
ON CONFLICT (topic, partition) DO NOTHING
"""


async def lock(conn: Connection, tp: TopicPartition, first: int) -> int:
    """Lock a partition's row, made with `first` when there is none; returns the stored offset."""
    stored: int | None = await conn.fetchval(LOCK_OFFSET, tp.topic, tp.partition)
    if stored is None:
        await conn.execute(CREATE_OFFSET, tp.topic, tp.partition, first)
        stored = await conn.fetchval(LOCK_OFFSET, tp.topic, tp.partition)
    assert stored is not None  # noqa: S101 - just made, and never deleted
    return stored


MOVE_OFFSET = """
UPDATE consumer_offset SET next_offset = $3, updated_at = now() WHERE topic = $1 AND partition = $2
"""


async def move(conn: Connection, tp: TopicPartition, next_offset: int) -> None:
    """Store how far a partition was handled; its row was locked before."""
    await conn.execute(MOVE_OFFSET, tp.topic, tp.partition, next_offset)


SELECT_OFFSETS = "SELECT topic, partition, next_offset FROM consumer_offset WHERE topic = ANY($1::text[])"


async def select_offsets(conn: Connection, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    """The stored offsets of those partitions that have one."""
    rows = await conn.fetch(SELECT_OFFSETS, list({tp.topic for tp in partitions}))
    found = {TopicPartition(r["topic"], r["partition"]): r["next_offset"] for r in rows}
    return {tp: offset for tp, offset in found.items() if tp in partitions}
