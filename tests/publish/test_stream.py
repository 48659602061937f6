"""Changes as they happen, over real sockets to a process of its own: hints in order, nothing lost, nobody left behind."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from deploy.local.gateway import Gateway
from deploy.local.home import free_port
from services.publish.listening import MOST_OF_ONE
from tests.publish.conftest import Publishing
from tests.publish.running import Running

STREAM = "/api/v1/changes/stream"


Event = dict[str, str]


async def events_of(answer: httpx2.Response) -> AsyncIterator[Event]:
    """Events as a browser reads them; comments are passed over."""
    event: Event = {}
    async for line in answer.aiter_lines():
        if not line and "data" in event:
            yield event
            event = {}
        name, _, value = line.partition(": ")
        if name in {"id", "event", "data"}:
            event[name] = value


@asynccontextmanager
async def listening(url: str, last: str | None = None) -> AsyncIterator[AsyncIterator[Event]]:
    headers = {"Last-Event-ID": last} if last is not None else {}
    timeout = httpx2.Timeout(30)
    async with (
        httpx2.AsyncClient(timeout=timeout) as client,
        client.stream("GET", f"{url}{STREAM}", headers=headers) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["access-control-allow-origin"] == "*"
        yield events_of(answer)


async def opened(publish: Publishing, year: int) -> str:
    return str((await publish.opened(item="F02", period=str(year))).aggregate_id)


async def test_what_changes_is_heard_soon_with_its_place(publish: Any, running: Running) -> None:
    async with listening(running.url) as events:
        await asyncio.sleep(1.5)
        made = await opened(publish, 2001)
        since = time.monotonic()
        heard = await anext(events)
        assert time.monotonic() - since < 3
    assert heard["event"] == "change"
    told = json.loads(heard["data"])
    assert (told["id"], told["kind"], told["cursor"]) == (made, "published", heard["id"])
    listed = (await publish.get(f"/api/v1/changes?cursor={heard['id']}")).json()
    assert listed["items"] == []


async def test_a_restart_loses_nothing_and_ends_in_time_with_listeners(publish: Any, running: Running) -> None:
    async with contextlib.AsyncExitStack() as held:
        streams = [await held.enter_async_context(listening(running.url)) for _ in range(10)]
        await asyncio.sleep(1.5)
        first = await opened(publish, 2002)
        heard = [await anext(events) for events in streams]
        assert {json.loads(h["data"])["id"] for h in heard} == {first}
        assert await asyncio.to_thread(running.stop) < 10
        assert running.process.returncode == 0
        # Told as ended, not cut.
        for events in streams:
            assert [e async for e in events] == []
    missed = [await opened(publish, year) for year in (2003, 2004, 2005)]
    await running.start_again()
    async with listening(running.url, heard[0]["id"]) as events:
        assert [json.loads((await anext(events))["data"])["id"] for _ in missed] == missed
        await asyncio.sleep(1.5)
        last = await opened(publish, 2006)
        assert json.loads((await anext(events))["data"])["id"] == last


@contextlib.contextmanager
def socketed(port: int, count: int, address: str) -> Iterator[None]:
    """Listeners that are plain sockets, as of different offices behind a gateway."""
    made = []
    for number in range(count):
        one = socket.create_connection(("127.0.0.1", port), timeout=10)
        head = f"GET {STREAM} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {address.format(number)}\r\n\r\n"
        one.sendall(head.encode())
        assert b"200" in one.recv(4096)[:20]
        made.append(one)
    try:
        yield
    finally:
        for one in made:
            one.close()


async def listeners_of(running: Running) -> float:
    async with httpx2.AsyncClient() as client:
        text = (await client.get(f"{running.url}/metrics")).text
    line = next(x for x in text.splitlines() if x.startswith("sanwu_publish_listeners "))
    return float(line.partition(" ")[2])


async def test_a_hundred_that_are_cut_at_once_leave_nothing_running(publish: Any, running: Running) -> None:
    with socketed(running.port, 100, "10.0.0.{}"):
        await asyncio.sleep(2)
        assert await listeners_of(running) == 100
        held = psutil.Process(running.process.pid).num_fds()
    for _ in range(50):
        await asyncio.sleep(0.1)
        if not await listeners_of(running):
            break
    assert await listeners_of(running) == 0
    assert psutil.Process(running.process.pid).num_fds() <= held - 90
    before, since = running.processor_s(), time.monotonic()
    await asyncio.sleep(4)
    assert (running.processor_s() - before) / (time.monotonic() - since) < 0.05
    # Nobody is looked for: who comes next hears what comes next.
    async with listening(running.url) as events:
        await asyncio.sleep(1.5)
        made = await opened(publish, 2010)
        assert json.loads((await anext(events))["data"])["id"] == made


async def test_one_address_has_so_many_streams_and_others_theirs(running: Running) -> None:
    with socketed(running.port, MOST_OF_ONE, "10.0.0.1"):
        async with httpx2.AsyncClient() as client:
            refused = await client.get(f"{running.url}{STREAM}", headers={"X-Forwarded-For": "10.0.0.1"})
            assert refused.status_code == 429
            assert "retry-after" in refused.headers
        with socketed(running.port, 1, "10.0.0.2"):
            pass


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("told", ["nonsense", "", "MQ", "Ii0xIg==", "OTk5OTk5OTk=", "LTE="])
async def test_a_place_that_is_none_is_refused_where_it_stands(publish: Any, told: str, *, header: bool) -> None:
    if header:
        answer = await publish.served.client.get(STREAM, headers={"Last-Event-ID": told})
    else:
        answer = await publish.served.client.get(STREAM, params={"after": told})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["at"] == ("header.Last-Event-ID" if header else "query.after")


@pytest.mark.parametrize("seconds", ["0", "3601", "x", "-1"])
async def test_a_time_that_is_none_is_refused(publish: Any, seconds: str) -> None:
    await publish.get(f"{STREAM}?seconds={seconds}", 422)


async def test_the_gateway_passes_events_on_as_they_come(publish: Any, running: Running, tmp_path: Path) -> None:
    there = f"127.0.0.1:{running.port}"
    upstreams = dict.fromkeys(("registry", "ingest", "publish", "audit", "qr", "standby"), there)
    async with Gateway(tmp_path, free_port(avoid=set()), upstreams) as gateway:
        headers = {"accept-encoding": "gzip, br, zstd"}
        async with (
            httpx2.AsyncClient(timeout=30) as client,
            client.stream("GET", f"{gateway.url}{STREAM}", headers=headers) as answer,
        ):
            assert "content-encoding" not in answer.headers
            events = events_of(answer)
            await asyncio.sleep(1.5)
            made = await opened(publish, 2011)
            heard = await asyncio.wait_for(anext(events), 3)
            assert json.loads(heard["data"])["id"] == made
