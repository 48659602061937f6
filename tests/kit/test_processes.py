"""Processes that freeze and die: a zombie loses, a killed relay loses nothing and repeats nothing that counts."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from services.contracts.topics import DISCLOSURES
from services.kit.consumer import Effects, PartitionedConsumer
from tests.kit.ground import Ground, confirmed, record, running, say_many, settle, until
from tests.kit.unguarded import Forgetful, Unfenced

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def worker(ground: Ground, owner: str, *arguments: str) -> AsyncIterator[Process]:
    """A worker process; ended by SIGKILL when it did not end before."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.kit.worker", *arguments),
        cwd=ROOT,
        env={**os.environ, **ground.environment(owner)},
        stdout=PIPE,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def told(process: Process, word: str) -> None:
    """Wait until a worker printed a word."""
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while (line := await process.stdout.readline()) and line.decode().strip() != word:
            pass
    assert line, f"the worker ended before it said {word}"


async def frozen(process: Process) -> None:
    """Wait until a worker stands still."""

    async def stands_still() -> bool:
        return psutil.Process(process.pid).status() == psutil.STATUS_STOPPED

    await until(stands_still)


def thawed(process: Process) -> None:
    process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("guarded", [True, False])
async def test_consumer_frozen_past_its_session_loses_what_it_held(ground: Ground, *, guarded: bool) -> None:
    # Without the memory of versions in both runs: the fence alone must do.
    off = ("--without", "versions", *(() if guarded else ("--without", "fence")))
    await ground.create()
    async with worker(ground, "publish", "consumer", "--at", "in_hand:stop", *off) as zombie:
        await told(zombie, "joined")
        said = [confirmed("d1", v) for v in range(1, 51)]
        await ground.produce(DISCLOSURES, *map(record, said))
        await frozen(zombie)
        heir = await ground.consumer(PartitionedConsumer if guarded else Unfenced, Forgetful)
        async with running(heir):
            await settle(ground, 50)
            thawed(zombie)
            await asyncio.sleep(1)
            await ground.produce(DISCLOSURES, record(confirmed("d1", 51)))
            effects = await settle(ground, 51)
    assert (effects == [("d1", v) for v in range(1, 52)]) is guarded
    assert set(effects) == {("d1", v) for v in range(1, 52)}


@pytest.mark.parametrize("guarded", [True, False])
async def test_relay_killed_between_ack_and_delete_repeats_records_and_no_effect(
    ground: Ground, *, guarded: bool
) -> None:
    await ground.create()
    said = await say_many(await ground.open("ingest"), ["d1", "d2"], 15)
    async with worker(ground, "ingest", "relay", "--at", "acked:kill") as killed:
        assert await killed.wait() == -signal.SIGKILL
    assert await ground.waiting() == 30
    hearer = await ground.consumer(effects=Effects if guarded else Forgetful)
    async with running(hearer, await ground.relay()):
        await until(ground.nothing_waits)
        effects = await settle(ground, 30)
    sent = [dict(r.headers)["id"].decode() for r in await ground.log(DISCLOSURES)]
    assert sorted(sent) == sorted(said * 2)
    assert ([v for name, v in effects if name == "d1"] == list(range(1, 16))) is guarded
    assert len(effects) == (30 if guarded else 60)


@pytest.mark.parametrize("guarded", [True, False])
async def test_relay_killed_before_the_ack_loses_nothing(ground: Ground, *, guarded: bool) -> None:
    await ground.create()
    said = await say_many(await ground.open("ingest"), ["d1", "d2"], 15)
    off = () if guarded else ("--without", "delete_after_ack")
    async with worker(ground, "ingest", "relay", "--at", "before_send:kill", *off) as killed:
        assert await killed.wait() == -signal.SIGKILL
    async with running(await ground.relay()):
        await until(ground.nothing_waits)
    sent = [dict(r.headers)["id"].decode() for r in await ground.log(DISCLOSURES)]
    assert (sorted(sent) == sorted(said)) is guarded
    assert sent == [] or guarded


@pytest.mark.parametrize("guarded", [True, False])
async def test_relay_frozen_past_the_loss_of_its_lock_can_only_repeat(ground: Ground, *, guarded: bool) -> None:
    await ground.create()
    database = await ground.open("ingest")
    await say_many(database, ["d1", "d2"], 10)
    hearer = await ground.consumer(effects=Effects if guarded else Forgetful)
    async with worker(ground, "ingest", "relay", "--at", "before_send:stop") as zombie, running(hearer):
        await frozen(zombie)
        await ground.admin(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'worker-session'"
        )
        async with running(await ground.relay()):
            await until(ground.nothing_waits)
            await say_many(database, ["d1", "d2"], 10)
            await until(ground.nothing_waits)
            thawed(zombie)
            await asyncio.sleep(1)
            await say_many(database, ["d1", "d2"], 1)
            effects = await settle(ground, 42 if guarded else 62)
    for name in ("d1", "d2"):
        assert ([v for n, v in effects if n == name] == list(range(1, 22))) is guarded
    sent = [dict(r.headers)["aggregate_version"] for r in await ground.log(DISCLOSURES)]
    assert len(sent) == 62
