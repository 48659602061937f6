"""A role that ends before it is told to is a failure of its process, whatever it ended with."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from deploy.local.home import free_port
from services.contracts.topics import TOPICS
from services.kit import process
from services.kit.process import RoleEndedError, Roles, run_roles, serve
from services.kit.runtime import AnyRuntime
from services.kit.service import Job, Service
from services.kit.settings import Settings
from services.kit.web import create_web
from tests.kit.ground import Ground, until
from tests.kit.test_processes import ROOT

ROLES = ["http", "relay", "consumer", "jobs"]
runs: list[str] = []


async def _count(_runtime: AnyRuntime) -> None:
    runs.append("run")


async def _fail(_runtime: AnyRuntime) -> None:
    runs.append("failed")
    message = "a fault of this job"
    raise ValueError(message)


async def _give_up(_runtime: AnyRuntime) -> None:
    """End as a job did whose look at Kafka was cancelled by the driver."""
    raise asyncio.CancelledError


def service(*jobs: Job[Settings, None]) -> Service[Settings, None]:
    return Service(
        "publish", Settings, lambda *_: None, lambda runtime: create_web(runtime, "nothing"), make_jobs=lambda: jobs
    )


async def _returns() -> None:
    return


async def _raises() -> None:
    message = "broken"
    raise ValueError(message)


async def _is_cancelled() -> None:
    raise asyncio.CancelledError


async def _deaf() -> None:
    """A role that hangs and hears nothing, as a driver that swallows what it is told."""
    for _ in range(3):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            continue


@pytest.mark.parametrize("end", [_returns, _raises, _is_cancelled])
async def test_role_that_ends_early_is_a_failure_however_it_ends(end: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ROLES_DRAIN_S", 0.2)
    monkeypatch.setattr(process, "CANCEL_S", 0.2)
    stop, stopping = asyncio.Event(), asyncio.Event()
    drained: list[str] = []

    async def other() -> None:
        await stopping.wait()
        drained.append("other")

    works: Roles = {"quits": end(), "other": other(), "deaf": _deaf()}
    with pytest.raises(RoleEndedError, match=r"\Aquits\Z"):
        async with asyncio.timeout(5):
            await run_roles(works, stop, stopping)
    assert drained == ["other"]
    assert not stop.is_set()


@pytest.mark.parametrize("end", [_returns, _is_cancelled])
async def test_role_that_ends_when_told_is_no_failure(end: type) -> None:
    stop, stopping = asyncio.Event(), asyncio.Event()

    async def told() -> None:
        await stopping.wait()
        await end()

    running = asyncio.create_task(run_roles({"one": told(), "two": told()}, stop, stopping))
    stop.set()
    await running


@pytest.mark.parametrize("role", ["http", "relay", "consumer", "housekeeping", "job counts", "job actions linked"])
async def test_every_role_of_a_service_takes_the_process_with_it(ground: Ground, role: str) -> None:
    await ground.create(*(t for t in TOPICS if "publish" in t.consumers))
    settings = ground.settings("publish", http_port=free_port(set()))
    serving = asyncio.create_task(serve(service(Job("counts", 0.1, _count)), settings, ROLES, asyncio.Event()))

    async def works() -> bool:
        return any(t.get_name() == role for t in asyncio.all_tasks()) or serving.done()

    await until(works)
    await asyncio.sleep(0.5)
    assert not serving.done()
    next(t for t in asyncio.all_tasks() if t.get_name() == role).cancel()
    with pytest.raises(RoleEndedError, match=rf"\A{role}\Z"):
        async with asyncio.timeout(25):
            await serving


async def test_job_that_fails_is_run_again_and_ends_nothing(ground: Ground) -> None:
    runs.clear()
    stop = asyncio.Event()
    settings = ground.settings("publish", http_port=free_port(set()))
    jobs = service(Job("fails", 0.05, _fail), Job("counts", 0.05, _count))
    serving = asyncio.create_task(serve(jobs, settings, ["jobs"], stop))

    async def both_went_on() -> bool:
        return (runs.count("failed") >= 3 and runs.count("run") >= 3) or serving.done()

    await until(both_went_on)
    assert not serving.done()
    stop.set()
    await serving


async def test_job_that_ends_cancelled_is_no_good_end(ground: Ground) -> None:
    settings = ground.settings("publish", http_port=free_port(set()))
    with pytest.raises(RoleEndedError, match=r"\Ajob gives up\Z"):
        async with asyncio.timeout(25):
            await serve(service(Job("gives up", 0.05, _give_up)), settings, ["jobs"], asyncio.Event())


@asynccontextmanager
async def started(ground: Ground, what: str) -> AsyncIterator[Process]:
    environment = {**ground.environment("publish"), "SANWU_HTTP_PORT": str(free_port(set()))}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.kit.serving", what),
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def test_process_of_a_role_that_ended_exits_with_1_and_names_the_role(ground: Ground) -> None:
    async with started(ground, "quits") as child, asyncio.timeout(60):
        _, log = await child.communicate()
    assert child.returncode == 1
    told = [json.loads(line) for line in log.splitlines()]
    assert [(t["role"], t["how"]) for t in told if t["level"] == "critical" and "role" in t] == [
        ("job quits", "cancelled")
    ]


async def test_process_that_is_told_to_stop_exits_with_0(ground: Ground) -> None:
    async with started(ground, "stays") as child, asyncio.timeout(60):
        assert child.stdout is not None
        assert await child.stdout.readline() == b"turned\n"
        child.send_signal(signal.SIGTERM)
        assert await child.wait() == 0
