"""A process that runs one part of the plumbing, so that it can be frozen and killed: `python -m tests.kit.worker`.

It prints a line when it has its partitions (`joined`) or leads (`leading`), and stops or kills itself at a named point:
`--at in_hand:stop` = SIGSTOP with a batch handed out and no transaction open. SIGTERM ends it in order.
"""

import argparse
import asyncio
import os
import signal
from collections.abc import Mapping
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.contracts.disclosure import DisclosureConfirmed
from services.contracts.topics import DISCLOSURES
from services.kit.clock import SystemClock
from services.kit.consumer import Assignment, Effects, PartitionedConsumer
from services.kit.db import Database
from services.kit.reference import Reference
from services.kit.relay import Relay, _Pending
from services.kit.settings import Settings
from tests.kit.ground import on_confirmed
from tests.kit.unguarded import DeletesFirst, Forgetful, Unfenced

SIGNALS: Final = {"stop": signal.SIGSTOP, "kill": signal.SIGKILL}


class Failpoint:
    """Sends this process a signal, once, at the point it was told."""

    def __init__(self, at: str | None) -> None:
        self._point, _, kind = (at or ":").partition(":")
        self._signal = SIGNALS.get(kind)

    def reached(self, point: str) -> None:
        if point == self._point and self._signal is not None:
            number, self._signal = self._signal, None
            print(point, flush=True)  # noqa: T201 - the test waits for it
            os.kill(os.getpid(), number)


class FailingRelay(Relay):
    """A relay with failpoints around the sending of a batch."""

    failpoint: Failpoint

    async def _send(self, session: asyncpg.Connection, rows: list[_Pending]) -> list[int]:
        self.failpoint.reached("before_send")
        sent = await super()._send(session, rows)
        if sent:
            self.failpoint.reached("acked")
        return sent


class DeletesFirstAndFails(DeletesFirst, FailingRelay):
    """The same, and rows are deleted before they are sent."""


class Telling(Assignment):
    """An assignment that tells when it has its partitions."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        await super().on_partitions_assigned(assigned)
        print("joined", flush=True)  # noqa: T201 - the test waits for it


class FailingConsumer(PartitionedConsumer):
    """A consumer with a failpoint between poll and transaction."""

    failpoint: Failpoint

    def _assign(self, driver: AIOKafkaConsumer | None) -> Assignment:
        return Telling(driver, self._look_up)

    async def _work(self, batches: Mapping[TopicPartition, list[Any]], loaded: Mapping[TopicPartition, int]) -> bool:
        if batches:
            self.failpoint.reached("in_hand")
        return await super()._work(batches, loaded)


class UnfencedAndFails(Unfenced, FailingConsumer):
    """The same, without the fence."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("relay", "consumer"))
    guards = ("versions", "fence", "delete_after_ack")
    parser.add_argument("--without", action="append", default=[], choices=guards, help="a guard to do without")
    parser.add_argument("--at", help="POINT:stop or POINT:kill")
    return parser.parse_args()


async def _main() -> None:
    arguments = _arguments()
    settings = Settings.load()
    database = Database(settings, "worker")
    await database.open()
    part: FailingRelay | FailingConsumer
    if arguments.part == "relay":
        part = (DeletesFirstAndFails if "delete_after_ack" in arguments.without else FailingRelay)(database, settings)
    else:
        apply = Forgetful if "versions" in arguments.without else Effects
        effects = apply(settings, Reference(database), SystemClock(), project={DisclosureConfirmed: on_confirmed})
        kind = UnfencedAndFails if "fence" in arguments.without else FailingConsumer
        part = kind("publish", settings, database, effects, [DISCLOSURES])
    part.failpoint = Failpoint(arguments.at)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await part.run(stop)
    await database.close()


if __name__ == "__main__":
    asyncio.run(_main())
