"""Bodies on their way in: nobody who sends slowly, much, or lies holds anything that others need."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import httpx2
import psutil
import pytest
import pytest_asyncio
from fastapi import FastAPI
from starlette.types import Message

from deploy.local.gateway import Gateway
from deploy.local.home import free_port
from services.contracts.topics import SERVICES
from services.kit.address import coming_from
from services.kit.errors import TooLargeError, TooManyAtOnceError, TooSlowError, UnavailableError
from services.kit.incoming import (
    BIG_AT_ONCE,
    BIG_BYTES,
    DROPPED_S,
    GRACE_S,
    OF_ACCOUNT,
    OF_STRANGERS,
    PIECE_BYTES,
    SMALL_BYTES,
    SMALL_S,
    WAIT_S,
    Doors,
    Incoming,
)
from services.kit.runtime import AnyRuntime
from tests.kit.ground import Ground
from tests.kit.site import open_site, served
from tests.kit.test_web import bearer

SLOW = 50


async def of(
    pieces: list[bytes], folder: Path, *, limit: int = 1 << 24, told: int | None = None, doors: Doors | None = None
) -> Incoming:
    """A body that comes in these pieces."""
    left = list(pieces)

    async def receive() -> Message:
        if not left:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    length = sum(map(len, pieces)) if told is None else told
    return Incoming(receive, {b"content-length": b"%d" % length}, limit, doors or Doors(), folder)


def held_below(folder: Path) -> int:
    """How many files without a name this process holds in a folder."""
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found += str(descriptor.readlink()).startswith(str(folder))
    return found


async def read(body: Incoming) -> bytes:
    """All of it, as an application reads it."""
    found, more = b"", True
    while more:
        message = await body.receive()
        found, more = found + message["body"], message["more_body"]
    return found


def silent_of(told: int, folder: Path, doors: Doors) -> Incoming:
    """A body that is told and never comes."""

    async def silent() -> Message:
        await asyncio.sleep(3600)
        raise AssertionError

    return Incoming(silent, {b"content-length": b"%d" % told}, 1 << 24, doors, folder)


@asynccontextmanager
async def ended(tasks: list[asyncio.Task[None]]) -> AsyncIterator[None]:
    """Let them begin, and end them with the block."""
    await asyncio.sleep(0.05)
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def sent_from(address: str, body: Incoming) -> None:
    """A stranger's body from an address."""
    with coming_from({"type": "http", "client": (address, 1)}, {}, ()), contextlib.closing(body):
        await body.arrive()


@pytest.mark.parametrize("size", [1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 5_000_000])
async def test_what_came_in_is_handed_on_and_its_digest_is_that_of_the_whole(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    body = await of([content[n : n + 10_000] for n in range(0, size, 10_000)], tmp_path)
    await body.arrive()
    assert await body.digest(b"/path\n", b"") == sha256(b"/path\n" + content).hexdigest()
    assert await read(body) == content
    assert await body.digest(b"/path\n", b"") == sha256(b"/path\n" + content).hexdigest()
    body.close()


@pytest.mark.parametrize("at", [0, PIECE_BYTES - 3, PIECE_BYTES - 1, PIECE_BYTES, 3 * PIECE_BYTES - 5])
async def test_a_digest_leaves_a_word_out_wherever_pieces_part_it(tmp_path: Path, at: int) -> None:
    content = b"." * at + b"--boundary" + b"." * (4 * PIECE_BYTES)
    body = await of([content[n : n + 5_000] for n in range(0, len(content), 5_000)], tmp_path)
    assert await body.digest(b"", b"--boundary") == sha256(content.replace(b"--boundary", b"")).hexdigest()
    body.close()


async def test_a_large_body_has_no_name_on_the_disk_and_is_gone_when_it_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "incoming"
    body = await of([b"x" * 1_000_000] * 3, folder)
    await body.arrive()
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o700
    assert held_below(folder) == 1
    body.close()
    assert held_below(folder) == 0


@pytest.mark.parametrize("told", [None, 10, 5_000_000])
async def test_a_body_beyond_the_limit_is_refused_at_its_end_whatever_was_told(
    tmp_path: Path, told: int | None
) -> None:
    body = await of([b"x" * 100_000] * 20, tmp_path, limit=1_000_000, told=told)
    with pytest.raises(TooLargeError):
        await body.arrive()
    assert body.size == 2_000_000


async def test_the_ninth_body_of_an_account_waits_and_is_then_refused_and_others_are_not(tmp_path: Path) -> None:
    doors, forever = Doors(), asyncio.Event()

    async def silent() -> Message:
        await forever.wait()
        raise AssertionError

    slow = [Incoming(silent, {b"content-length": b"10"}, 100, doors, tmp_path) for _ in range(OF_ACCOUNT)]
    waiting = [asyncio.create_task(b.arrive("clerk")) for b in slow]
    await asyncio.sleep(0)
    started = time.monotonic()
    with pytest.raises(TooManyAtOnceError):
        await (await of([b"x" * 10], tmp_path, doors=doors)).arrive("clerk")
    assert time.monotonic() - started == pytest.approx(WAIT_S, abs=2)
    await (await of([b"x" * 10], tmp_path, doors=doors)).arrive("another")
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await (await of([b"x" * 10], tmp_path, doors=doors)).arrive("clerk")


async def test_one_network_takes_no_more_than_its_own_room(tmp_path: Path) -> None:
    doors = Doors()
    large = [
        asyncio.create_task(sent_from(f"2001:db8::{n:x}", silent_of(900_000, tmp_path, doors)))
        for n in range(OF_STRANGERS)
    ]
    async with ended(large):
        # The others of the household wait, another is served.
        await sent_from("2001:db8:0:1::1", await of([b"x" * 900_000], tmp_path, doors=doors))
        with pytest.raises(TooManyAtOnceError):
            await sent_from("2001:db8::ffff", await of([b"x" * 900_000], tmp_path, doors=doors))


async def test_signing_in_has_room_while_strangers_send_much_from_everywhere(tmp_path: Path) -> None:
    doors = Doors()
    large = [
        asyncio.create_task(sent_from(f"10.{n // 256}.{n % 256}.1", silent_of(900_000, tmp_path, doors)))
        for n in range(OF_STRANGERS)
    ]
    async with ended(large):
        with pytest.raises(UnavailableError):
            await sent_from("192.0.2.1", await of([b"x" * 900_000], tmp_path, doors=doors))
        await sent_from("192.0.2.1", await of([b"x" * 100], tmp_path, doors=doors))


async def test_many_big_bodies_of_one_account_leave_the_turns_to_others(tmp_path: Path) -> None:
    doors, size = Doors(), BIG_BYTES + 1

    async def work(account: str) -> None:
        async with doors.working(size, account):
            await asyncio.sleep(3600)

    async with ended([asyncio.create_task(work("hostile")) for _ in range(2 * BIG_AT_ONCE)]), asyncio.timeout(1):
        async with doors.working(size, "another"):
            pass
        # What is not big waits for nobody.
        async with doors.working(BIG_BYTES, "hostile"):
            pass


# -- over a socket


@pytest_asyncio.fixture
async def site(ground: Ground) -> AsyncIterator[tuple[AnyRuntime, FastAPI, httpx2.AsyncClient]]:
    runtime, app = await open_site(ground)
    async with served(runtime, app) as client:
        yield runtime, app, client


def head(port: int, length: int, username: str = "operator", path: str = "/operators/a") -> bytes:
    token = bearer(username)["authorization"]
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {length}\r\nAuthorization: {token}\r\n"
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()


async def drip(port: int, username: str) -> bytes:
    """Send a byte a second until somebody answers; gives the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head(port, 900_000, username))
    answer = asyncio.create_task(reader.read(4096))
    with contextlib.suppress(ConnectionError):
        while not answer.done():
            writer.write(b"x")
            await asyncio.wait([answer], timeout=1)
    writer.close()
    return await answer


@asynccontextmanager
async def through_a_gateway(port: int, home: Path) -> AsyncIterator[int]:
    """The port of a real gateway before the site."""
    own = free_port(avoid={port})
    upstreams = dict.fromkeys((*SERVICES, "standby"), f"127.0.0.1:{port}")
    async with Gateway(home, own, upstreams):
        yield own


async def asked(client: httpx2.AsyncClient, until: float) -> list[float]:
    """How long the requests of somebody else take, in seconds."""
    took: list[float] = []
    while time.monotonic() < until:
        sent = time.monotonic()
        answer = await client.post("/once/a", json={"id": "d1"}, headers=bearer("reviewer-210881006"))
        assert answer.status_code == 201
        # The route itself sleeps so long.
        took.append(time.monotonic() - sent - 0.2)
    return took


@pytest.mark.parametrize("gated", [True, False])
async def test_fifty_slow_senders_are_ended_and_nobody_else_notices(
    site: tuple[AnyRuntime, FastAPI, httpx2.AsyncClient], tmp_path: Path, *, gated: bool
) -> None:
    runtime, _, client = site
    port = runtime.settings.http_port
    async with through_a_gateway(port, tmp_path) if gated else contextlib.nullcontext(port) as port:
        quiet = await asked(client, time.monotonic() + 3)
        before = psutil.Process().memory_info().rss
        started = time.monotonic()
        slow = [asyncio.create_task(drip(port, "operator")) for _ in range(SLOW)]
        await asyncio.sleep(1)
        took = await asked(client, started + GRACE_S - 5)
        grown = psutil.Process().memory_info().rss - before
        answers = await asyncio.gather(*slow)
        lasted = time.monotonic() - started
    statuses = sorted(a.split(b" ", 2)[1] for a in answers)
    # Eight were let in and ended after the grace, the others of the same account were asked to come again.
    assert statuses == [b"408"] * OF_ACCOUNT + [b"429"] * (SLOW - OF_ACCOUNT)
    assert all("网络太慢" in a.decode() for a in answers if a.split(b" ", 2)[1] == b"408")
    assert all(b"retry-after: 10" in a.lower() for a in answers if a.split(b" ", 2)[1] == b"429")
    assert lasted < GRACE_S + 20
    # On a machine that is busy with something else all take longer, with slow senders or without.
    # Whoever waited behind the senders waited for 5 s and more; how fast it is, `tests.attacks` measures.
    assert p99(took) <= max(1.0, 3 * p99(quiet)), (p99(took), p99(quiet))
    assert grown < 50_000_000


def p99(took: list[float]) -> float:
    return sorted(took)[int(len(took) * 0.99)]


async def test_a_sender_that_vanishes_leaves_nothing(site: tuple[AnyRuntime, FastAPI, httpx2.AsyncClient]) -> None:
    runtime, _, client = site
    port, folder = runtime.settings.http_port, runtime.settings.home / "incoming"
    for _ in range(OF_ACCOUNT + 1):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head(port, 900_000) + b"x" * 300_000)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.transport.abort()
    await asyncio.sleep(0.5)
    answer = await client.post("/operators/a", content=b"x" * 800_000, headers=bearer("operator"))
    assert answer.status_code == 200, answer.text
    assert list(folder.iterdir()) == []
    assert held_below(folder) == 0


@pytest.mark.parametrize(("told", "within"), [(10, SMALL_S), (SMALL_BYTES + 1, GRACE_S)])
async def test_a_body_of_silence_is_too_slow(tmp_path: Path, told: int, within: float) -> None:
    body = silent_of(told, tmp_path, Doors())
    started = time.monotonic()
    with pytest.raises(TooSlowError):
        await body.arrive()
    assert within <= time.monotonic() - started < within + 5


@pytest.mark.parametrize(("path", "username"), [("/nowhere", "operator"), ("/operators/a", "clerk-210881006206")])
async def test_what_nobody_takes_is_read_for_half_a_minute_and_the_connection_told_to_end(
    site: tuple[AnyRuntime, FastAPI, httpx2.AsyncClient], path: str, username: str
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", site[0].settings.http_port)
    started = time.monotonic()
    writer.write(head(site[0].settings.http_port, 900_000, username, path))
    # Whoever hears it ends the connection, a gateway at once.
    answer = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
    with contextlib.suppress(ConnectionError):
        # Faster than the slowest that is allowed.
        while not answer.done() and time.monotonic() < started + DROPPED_S + 15:
            writer.write(b"x" * 17_000)
            await asyncio.wait([answer], timeout=1)
    told = await asyncio.wait_for(answer, 1)
    writer.close()
    assert told.split(b" ", 2)[1] in {b"404", b"403"}
    assert b"connection: close" in told.lower()
    assert DROPPED_S <= time.monotonic() - started < DROPPED_S + 15
