"""Slow, large and lying senders, through the real gateway against a whole city: they get their answer, others notice nothing."""

import asyncio
import contextlib
import io
import os
import time
from collections.abc import AsyncIterator, Callable

import httpx2
import psutil
import pytest
import pytest_asyncio
from PIL import Image

from services.kit.incoming import GRACE_S, OF_ACCOUNT, OF_NETWORK
from tests.running import RunningCity

VILLAGE = "210881006206"
CLERK = f"clerk-{VILLAGE}"
OTHER = "clerk-210881006208"
BOUNDARY = "a-boundary"
#: A line of 1 Mbit/s, in bytes a second.
LINE = 125_000


def photograph(size: int) -> bytes:
    """A picture of about so many bytes: noise does not get smaller."""
    side = int((size / 3) ** 0.5)
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(out, "PNG", compress_level=0)
    return out.getvalue()


def form(content: bytes) -> bytes:
    """A form as a browser sends it."""
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="village"\r\n\r\n{VILLAGE}\r\n--{BOUNDARY}\r\n'
    file = 'Content-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    return (part + file).encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def head(city: RunningCity, path: str, length: int | None, who: str | None) -> bytes:
    """A request's head, with a length or in pieces."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {city.url.removeprefix('http://')}"]
    lines.append(f"Content-Length: {length}" if length is not None else "Transfer-Encoding: chunked")
    lines.append(f"Content-Type: multipart/form-data; boundary={BOUNDARY}")
    if who is not None:
        lines.append(f"Authorization: Bearer {city.token(who)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def opened(city: RunningCity) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", int(city.url.rpartition(":")[2]))


async def drip(city: RunningCity, path: str, who: str | None) -> bytes:
    """Send a byte a second until somebody answers; the answer."""
    reader, writer = await opened(city)
    writer.write(head(city, path, 900_000, who))
    answer = asyncio.create_task(reader.read(100_000))
    with contextlib.suppress(ConnectionError):
        while not answer.done():
            writer.write(b"x")
            await asyncio.wait([answer], timeout=1)
    writer.close()
    return await answer


async def others(city: RunningCity, until: float) -> AsyncIterator[float]:
    """How long the requests of another clerk take, in seconds."""
    headers = {"authorization": f"Bearer {city.token(OTHER)}"}
    async with httpx2.AsyncClient(base_url=city.url, headers=headers, timeout=60) as client:
        while time.monotonic() < until:
            for path in ("/desk", "/ingest/v1/disclosures?limit=5"):
                started = time.monotonic()
                answer = await client.get(path)
                assert answer.status_code == 200, answer.text
                yield time.monotonic() - started
            started = time.monotonic()
            # A body of one's own, refused by what it says and not by who else sends.
            assert (await client.post("/ingest/v1/disclosures", json={})).status_code == 422
            yield time.monotonic() - started
            await asyncio.sleep(0.05)


def stalls(city: RunningCity, service: str) -> dict[str, int]:
    """How often the loop of a service stood still by what the service did itself."""
    told = httpx2.get(f"{city.addresses()[service]}/livez", timeout=10).json()["event_loop"]["stalls"]
    return {cause: told[cause] for cause in ("work", "wait")}


def p99(took: list[float]) -> float:
    return sorted(took)[int(len(took) * 0.99)]


@pytest.mark.parametrize("who", [CLERK, None])
async def test_fifty_slow_senders_hold_nobody_up_and_are_told_so(
    small_city: RunningCity, record_property: Callable[[str, object], None], who: str | None
) -> None:
    small_city.token(OTHER)
    path = "/desk/attachments" if who is not None else "/registry/v1/sign-in"
    service = "ingest" if who is not None else "registry"
    main = psutil.Process(small_city.service_pids()[service])
    quiet = [t async for t in others(small_city, time.monotonic() + 5)]
    before, stood = main.memory_info().rss, stalls(small_city, service)
    began = time.monotonic()
    slow = [asyncio.create_task(drip(small_city, path, who)) for _ in range(50)]
    await asyncio.sleep(2)
    took = [t async for t in others(small_city, began + GRACE_S - 3)]
    grown = main.memory_info().rss - before
    answers = await asyncio.gather(*slow)
    lasted = time.monotonic() - began
    statuses = sorted(a.split(b" ", 2)[1] for a in answers)
    record_property("p99_ms", round(p99(took) * 1000))
    record_property("quiet_p99_ms", round(p99(quiet) * 1000))
    record_property("grown_kib", grown // 1024)
    record_property("lasted_s", round(lasted))
    assert statuses.count(b"408") == (OF_ACCOUNT if who is not None else OF_NETWORK)
    assert set(statuses) == {b"408", b"429"}
    assert lasted < GRACE_S + 20
    assert all("网络太慢" in a.decode() for a in answers if b" 408 " in a[:20])
    # On a machine that is busy with something else all take longer, with slow senders or without.
    assert p99(took) <= max(1.0, 3 * p99(quiet))
    assert stalls(small_city, service) == stood
    assert grown < 30_000_000


@pytest_asyncio.fixture(scope="module")
async def photographs(small_city: RunningCity) -> AsyncIterator[dict[bool, asyncio.Task[bytes]]]:
    """One with its length told and one in pieces, on lines of their own at the same time: each takes 40 s."""
    small_city.token(CLERK)
    sent = {length: asyncio.create_task(sent_slowly(small_city, length=length)) for length in (True, False)}
    yield sent
    await asyncio.wait(sent.values())


async def sent_slowly(city: RunningCity, *, length: bool) -> bytes:
    """Send a photograph over a line of one megabit; the answer."""
    body = form(photograph(5_000_000))
    assert len(body) > 4_900_000
    reader, writer = await opened(city)
    writer.write(head(city, "/ingest/v1/attachments", len(body) if length else None, CLERK))
    began = time.monotonic()
    for n in range(0, len(body), LINE // 10):
        piece = body[n : n + LINE // 10]
        writer.write(piece if length else b"%x\r\n" % len(piece) + piece + b"\r\n")
        await writer.drain()
        await asyncio.sleep(max(0.0, began + (n + len(piece)) / LINE - time.monotonic()))
    if not length:
        writer.write(b"0\r\n\r\n")
    assert time.monotonic() - began > 38
    answer = await asyncio.wait_for(reader.read(10_000), 60)
    writer.close()
    return answer


@pytest.mark.parametrize("length", [True, False])
async def test_a_photograph_of_five_megabytes_arrives_over_a_line_of_one_megabit(
    photographs: dict[bool, asyncio.Task[bytes]], *, length: bool
) -> None:
    answer = await photographs[length]
    assert answer.startswith(b"HTTP/1.1 201 "), answer
    assert b'"media_type":"image/jpeg"' in answer


async def test_a_file_that_the_service_refuses_is_always_called_too_large(small_city: RunningCity) -> None:
    headers = {"authorization": f"Bearer {small_city.token(CLERK)}"}
    files = {"file": ("a.pdf", b"%PDF-1.4\n".ljust(11 * 1024 * 1024), "application/pdf")}
    async with httpx2.AsyncClient(base_url=small_city.url, headers=headers, timeout=60) as client:
        for _ in range(12):
            answer = await client.post("/ingest/v1/attachments", data={"village": VILLAGE}, files=files)
            assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        # Nobody signed in, and a route that nobody knows: read to the end as well.
        for path, status in (("/ingest/v1/attachments", 401), ("/ingest/v1/nothing", 404)):
            content = files["file"][1] if status == 401 else b"x" * 900_000
            answer = await client.post(path, content=content, headers={"authorization": ""})
            assert answer.status_code == status


async def test_a_file_of_twenty_megabytes_gives_the_desks_form_back(small_city: RunningCity) -> None:
    headers = {"authorization": f"Bearer {small_city.token(CLERK)}", "accept": "text/html"}
    data = {
        "village": VILLAGE,
        "item": "V18",
        "period": "2026-11-20",
        "title": "写了半天的标题",
        "attachments.~count": "0",
    }
    files = {"upload": ("大.pdf", b"%PDF-1.4\n".ljust(20_000_000), "application/pdf")}
    answer = httpx2.post(f"{small_city.url}/desk/attachments", data=data, files=files, headers=headers, timeout=60)
    assert answer.status_code == 422, answer.text[:500]
    assert "文件太大，最多 10 MiB" in answer.text
    assert "写了半天的标题" in answer.text


async def test_the_gateway_says_in_chinese_what_no_service_takes(small_city: RunningCity) -> None:
    headers = {"authorization": f"Bearer {small_city.token(CLERK)}", "accept": "text/html"}
    files = {"upload": ("大.pdf", b"%PDF-1.4\n".ljust(40_000_000), "application/pdf")}
    answer = httpx2.post(f"{small_city.url}/desk/attachments", files=files, headers=headers, timeout=60)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "内容太大，没有提交" in answer.text
