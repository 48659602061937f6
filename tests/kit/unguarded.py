"""Relays and consumers that lack one guard each, so that the tests see the loss which it prevents."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.kit.consumer import Assignment, Effects, PartitionedConsumer, offsets
from services.kit.consumer.ends import Watchdog
from services.kit.consumer.share import Share
from services.kit.db import Connection
from services.kit.errors import Reject
from services.kit.pulse import Beat
from services.kit.record import Incoming
from services.kit.relay import DELETE_SENT, Relay, _Pending


class Forgetful(Effects):
    """Effects without the memory of versions: whatever comes is new."""

    async def handle(self, conn: Connection, incoming: Sequence[Incoming], beat: Beat) -> None:
        for record in incoming:
            beat()
            await self.handle_one(conn, record)


class Unfenced(PartitionedConsumer):
    """A consumer that moves the offset wherever it stands."""

    async def _fence(self, conn: Connection, partitions: Collection[TopicPartition]) -> None:
        await offsets.lock(conn, {tp: self._assignment.held().get(tp, 0) for tp in partitions})


class Hasty(PartitionedConsumer):
    """A consumer that handles whatever is handed out, whether or not it is what comes next."""

    def _stands(self, tp: TopicPartition, loaded: Mapping[TopicPartition, int]) -> bool:  # noqa: ARG002 - never asks
        return True


class Unpaused(Assignment):
    """An assignment that lets the driver hand out records while the offsets are looked up."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        await self.load(assigned)


class Hastiest(Hasty, Unfenced):
    """A consumer that waits for no look-up at all: nothing between the driver and the handlers."""

    def _assign(self, driver: AIOKafkaConsumer | None) -> Assignment:
        return Unpaused(driver, self._look_up)


class OffsetFirst(PartitionedConsumer):
    """A consumer that commits the offset before the effect, as one does that lets the driver commit."""

    async def _apply(self, shares: Sequence[Share]) -> None:
        to = {share.tp: share.next_offset for share in shares}
        async with self._database.transaction() as conn:
            await offsets.lock(conn, to)
            await offsets.move(conn, to)
        for tp, next_offset in to.items():
            self._assignment.move(tp, next_offset)
        await super()._apply(shares)


class ParksNothing(PartitionedConsumer):
    """A consumer that tries a record which cannot be handled until it can be."""

    async def _handle_or_park(self, tp: TopicPartition, record: Incoming) -> bool:
        try:
            await self._apply([Share(tp, [record], record.offset + 1)])
        except (Reject, ValueError):
            self._assignment.rewind(tp)
            return False
        return True


class ReferenceAnytime(PartitionedConsumer):
    """A consumer that handles records before the reference topics were read."""

    def _waits_for_reference(self, tp: TopicPartition) -> bool:  # noqa: ARG002 - never asks
        return False


class Unwatched(PartitionedConsumer):
    """A consumer that does not ask whether records wait while it gets none."""

    async def _watch(self, watchdog: Watchdog, driver: AIOKafkaConsumer, *, got_records: bool) -> None:
        pass


class SendsUnasked(Relay):
    """A relay that sends whether or not another one leads."""

    async def _take_lead(self, session: asyncpg.Connection) -> bool:  # noqa: ARG002 - never asks
        return True


class StandsBySilently(Relay):
    """A relay that tells the one that leads nothing of what is committed beside it."""

    async def _stand_by(self) -> bool:
        await super()._stand_by()
        return False


class KeysAnytime(Relay):
    """A relay that sends rows in their order, whether or not the keys have arrived."""

    def _waves(self, rows: list[_Pending]) -> list[list[_Pending]]:
        return [rows]


class DeletesFirst(Relay):
    """A relay that deletes rows before they are acknowledged."""

    async def _send(self, session: asyncpg.Connection, rows: list[_Pending]) -> list[int]:
        await session.execute(DELETE_SENT, [r.seq for r in rows])
        return await super()._send(session, rows)


class KeepsProducer(Relay):
    """A relay that goes on with the producer it has, whatever became of it."""

    async def _drop_producer(self) -> None:
        pass

    async def run(self, stop: Any) -> None:
        try:
            await super().run(stop)
        finally:
            await super()._drop_producer()
