"""`/livez` is false when a role has not turned for a minute, says which, and asks nobody for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from deploy.local.home import free_port
from services.contracts.topics import DISCLOSURES, TOPICS
from services.kit import process, pulse
from services.kit.process import serve
from services.kit.pulse import Backlog, Pulse, beating
from services.kit.runtime import AnyRuntime
from services.kit.service import Job
from services.kit.settings import Settings
from tests.kit.ground import Ground, Time, confirmed, joined, record, running, say_many, settle, until
from tests.kit.site import client_of, open_site
from tests.kit.test_roles import ROLES, service


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time()
    monkeypatch.setattr(pulse, "time", clock)
    return clock


def test_role_is_too_old_beyond_the_limit_and_not_at_it(clock: Time) -> None:
    watched = Pulse()
    beat = watched.watch("relay", lambda: {"leader": True})
    watched.watch("consumer")
    clock.now += 60
    assert watched.answer(60) == {
        "live": True,
        "limit_seconds": 60,
        "roles": {
            "relay": {"live": True, "age_seconds": 60.0, "leader": True},
            "consumer": {"live": True, "age_seconds": 60.0},
        },
    }
    clock.now += 2.5
    beat()
    clock.now += 1
    assert watched.answer(60) == {
        "live": False,
        "limit_seconds": 60,
        "roles": {
            "relay": {"live": True, "age_seconds": 1.0, "leader": True},
            "consumer": {"live": False, "age_seconds": 63.5, "too_old_by_seconds": 3.5},
        },
    }


def test_backlog_stands_still_until_its_place_changes(clock: Time) -> None:
    backlog = Backlog()
    assert (backlog.size(), backlog.still_s()) == (None, None)
    backlog.see(0, 7)
    clock.now += 10
    backlog.see(3, 7)
    assert (backlog.size(), backlog.still_s()) == (3, 10.0)
    clock.now += 20
    backlog.see(4, 7)
    assert (backlog.size(), backlog.still_s()) == (4, 30.0)
    backlog.see(4, 8)
    clock.now += 5
    assert (backlog.size(), backlog.still_s()) == (4, 5.0)


def test_what_nobody_looks_at_is_unknown_and_what_waited_counts_on(clock: Time) -> None:
    empty, full = Backlog(), Backlog()
    empty.see(0, 1)
    full.see(2, 1)
    clock.now += 31
    assert (empty.size(), empty.still_s()) == (None, None)
    assert (full.size(), full.still_s()) == (None, 31.0)


async def test_work_in_a_thread_beats_and_its_outcome_comes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "BEAT_S", 0.01)
    beats: list[int] = []

    async def slow() -> str:
        await asyncio.sleep(0.3)
        return "done"

    assert await beating(slow(), lambda: beats.append(1)) == "done"
    assert len(beats) > 2


async def test_livez_needs_no_database_and_is_503_when_a_role_is_too_old(ground: Ground, clock: Time) -> None:
    runtime, app = await open_site(ground)
    runtime.pulse.watch("consumer")
    await runtime.database.close()
    async with client_of(app) as client:
        assert (await client.get("/readyz")).status_code == 503
        live = await client.get("/livez")
        clock.now += 100
        dead = await client.get("/livez")
    assert (live.status_code, live.json()["live"]) == (200, True)
    assert (dead.status_code, dead.json()["live"]) == (503, False)
    assert dead.json()["roles"] == {"consumer": {"live": False, "age_seconds": 100.0, "too_old_by_seconds": 40.0}}
    assert dead.json()["outbox"] == {"pending": None, "backlog_still_seconds": None, "oldest_age_seconds": None}


hung = asyncio.Event()


async def _hang(_runtime: AnyRuntime) -> None:
    await hung.wait()


async def _turn(_runtime: AnyRuntime) -> None:
    return


async def _work_on(runtime: AnyRuntime) -> None:
    while not runtime.stopping.is_set():
        runtime.beat()
        await asyncio.sleep(0.05)


@asynccontextmanager
async def serving(ground: Ground, limit: int, *jobs: Job[Settings, None]) -> AsyncIterator[httpx2.AsyncClient]:
    """A whole service in this process, which calls a role dead much sooner than the setting allows."""
    # What it says here goes to a topic that publish has no right to.
    operator = ground.broker()
    rights = {"kafka_username": operator.username, "kafka_password": SecretStr(operator.password)}
    settings: Settings = ground.settings("publish", http_port=free_port(set()), **rights)
    settings = settings.model_copy(update={"live_within_s": limit})
    stop = asyncio.Event()
    task = asyncio.create_task(serve(service(*jobs), settings, ROLES, stop))
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{settings.http_port}", timeout=10) as client:

        async def answers() -> bool:
            try:
                return (await client.get("/livez")).is_success
            except httpx2.TransportError:
                return False

        try:
            await until(answers)
            yield client
        finally:
            stop.set()
            hung.set()
            await task


async def _told(client: httpx2.AsyncClient) -> dict[str, Any]:
    told: dict[str, Any] = (await client.get("/livez")).json()
    return told


async def test_job_that_hangs_is_named_and_one_that_works_for_long_is_not(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "BEAT_S", 0.2)
    monkeypatch.setattr(process, "ROLES_DRAIN_S", 1.0)
    hung.clear()
    await ground.create(*(t for t in TOPICS if "publish" in t.consumers))
    jobs = Job("hangs", 0.1, _hang), Job("works on", 0.1, _work_on), Job("sleeps", 3600, _turn)
    async with serving(ground, 5, *jobs) as client:

        async def died() -> bool:
            return (await client.get("/livez")).status_code == 503

        await until(died, 60)
        roles = (await _told(client))["roles"]
        text = (await client.get("/metrics")).text
    assert [name for name, told in roles.items() if "too_old_by_seconds" in told] == ["job hangs"]
    assert {"housekeeping", "relay", "consumer", "job works on", "job sleeps", "job actions linked"} < set(roles)
    ages = dict(line.split("} ") for line in text.splitlines() if line.startswith("role_last_turn_age_seconds{"))
    assert float(ages['role_last_turn_age_seconds{role="job hangs"']) > 5


async def test_outbox_and_consumer_tell_what_waits_and_for_how_long(ground: Ground) -> None:
    """A relay that leads elsewhere and does nothing: the outbox stands still, and the service says so itself."""
    await ground.create(*(t for t in TOPICS if "publish" in t.consumers))
    said = await say_many(await ground.open("publish"), ["d1"], 3)
    holder = await (await ground.open("publish")).dedicated()
    await holder.fetchval("SELECT pg_try_advisory_lock(hashtext('relay'), hashtext(current_user))")
    async with serving(ground, 60) as client:

        async def known() -> bool:
            told = await _told(client)
            looked = told["roles"]["consumer"]["lag_records"] is not None
            return looked and bool((told["outbox"]["backlog_still_seconds"] or 0) > 1)

        await until(known, 60)
        told = await _told(client)
        assert told["outbox"]["pending"] == len(said) == 3
        assert told["roles"]["relay"]["leader"] is False
        assert told["roles"]["consumer"]["lag_records"] == 0
        assert told["roles"]["consumer"]["backlog_still_seconds"] == 0
        assert told["roles"]["consumer"]["trouble"] is None
        text = (await client.get("/metrics")).text
        assert "outbox_pending_events 3.0\n" in text
        assert 'consumer_lag_records{topic="sanwu.disclosures"} 0.0\n' in text
        await holder.close()

        async def moved() -> bool:
            return bool((await _told(client))["outbox"]["pending"] == 0)

        await until(moved, 60)
        told = await _told(client)
    assert told["outbox"]["backlog_still_seconds"] == 0
    assert told["roles"]["relay"] == {**told["roles"]["relay"], "leader": True, "trouble": None}


async def test_lag_of_a_consumer_that_no_longer_looks_is_absent_and_its_backlog_grows(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ground.create()
    consumer = await ground.consumer()
    async with running(consumer):
        await joined(consumer)
        await ground.produce(DISCLOSURES, record(confirmed("d1", 1)))
        await settle(ground, 1)

        async def known() -> bool:
            return consumer.lag.records() == {("sanwu.disclosures",): 0}

        await until(known)
    monkeypatch.setattr(pulse, "FRESH_S", 0.0)
    assert consumer.lag.records() == {}
    assert consumer.lag.seconds() == {}
    assert consumer.lag.facts()["lag_records"] is None
    assert consumer.lag.facts()["backlog_still_seconds"] is None
