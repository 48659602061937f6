"""Where a service stands in each partition: the rows that are locked, compared and moved with the effects."""

from collections.abc import Collection, Mapping

from aiokafka import TopicPartition

from services.kit.db import Connection

#: In one order for everybody, so that two who lock the same rows wait and do not deadlock.
LOCK_OFFSETS = """
SELECT topic, partition, next_offset FROM consumer_offset
JOIN unnest($1::text[], $2::int[]) AS w (topic, partition) USING (topic, partition)
ORDER BY topic, partition FOR UPDATE OF consumer_offset
"""
CREATE_OFFSETS = """
INSERT INTO consumer_offset (topic, partition, next_offset)
SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[]) AS t (topic, partition, next) ORDER BY topic, partition
ON CONFLICT (topic, partition) DO NOTHING
"""


async def lock(conn: Connection, first: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    """Lock partitions' rows, each made with its `first` when there is none; returns the stored offsets."""
    stored = await _lock(conn, first)
    if missing := first.keys() - stored.keys():
        topics, partitions = _columns(missing)
        await conn.execute(CREATE_OFFSETS, topics, partitions, [first[tp] for tp in missing])
        stored = await _lock(conn, first)
    return stored


async def _lock(conn: Connection, of: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    rows = await conn.fetch(LOCK_OFFSETS, *_columns(of))
    return {TopicPartition(r["topic"], r["partition"]): r["next_offset"] for r in rows}


def _columns(of: Collection[TopicPartition]) -> tuple[list[str], list[int]]:
    return [tp.topic for tp in of], [tp.partition for tp in of]


MOVE_OFFSETS = """
UPDATE consumer_offset c SET next_offset = t.next, updated_at = now()
FROM unnest($1::text[], $2::int[], $3::bigint[]) AS t (topic, partition, next)
WHERE (c.topic, c.partition) = (t.topic, t.partition)
"""


async def move(conn: Connection, to: Mapping[TopicPartition, int]) -> None:
    """Store how far partitions were handled; their rows were locked before."""
    await conn.execute(MOVE_OFFSETS, *_columns(to), list(to.values()))


SELECT_OFFSETS = "SELECT topic, partition, next_offset FROM consumer_offset WHERE topic = ANY($1::text[])"


async def select_offsets(conn: Connection, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    """The stored offsets of those partitions that have one."""
    rows = await conn.fetch(SELECT_OFFSETS, list({tp.topic for tp in partitions}))
    found = {TopicPartition(r["topic"], r["partition"]): r["next_offset"] for r in rows}
    return {tp: offset for tp, offset in found.items() if tp in partitions}
