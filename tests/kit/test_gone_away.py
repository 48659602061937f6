"""Work for somebody who has closed the window ends at once, and its turn is the next one's."""

import asyncio
import json
import time
from pathlib import Path

from tests.kit.ground import Ground
from tests.kit.site import open_site, served


def children() -> list[str]:
    """Processes that sleep for this one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_text()
        except OSError:
            # It ended meanwhile.
            continue
        if "tests.ingest.sleeper" in line:
            found.append(process.name)
    return found


async def until(count: int, seconds: float) -> float:
    """How many seconds passed until so many sleep."""
    started = time.monotonic()
    while len(children()) != count:
        assert time.monotonic() - started < seconds, children()
        await asyncio.sleep(0.02)
    return time.monotonic() - started


async def ask(port: int, who: str, seconds: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send a request by hand and leave the connection open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps({"id": who, "note": str(seconds)}).encode()
    head = f"POST /sleep HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    return reader, writer


async def test_a_child_ends_when_the_window_is_closed_and_its_turn_is_free(ground: Ground) -> None:
    runtime, app = await open_site(ground)
    async with served(runtime, app) as client:
        port = runtime.settings.http_port
        # Both turns, and a third who waits for one.
        writers = [(await ask(port, who, 3600))[1] for who in ("a", "b", "c")]
        await until(2, 20)
        writers[2].close()
        await asyncio.sleep(0.2)
        for writer in writers[:2]:
            writer.close()
        assert await until(0, 30) < 5
        done = await client.post("/sleep", json={"id": "a", "note": "0"})
        assert done.json() == {"answer": "0"}


async def test_whoever_stays_gets_the_answer(ground: Ground) -> None:
    runtime, app = await open_site(ground)
    async with served(runtime, app):
        reader, writer = await ask(runtime.settings.http_port, "a", 1.0)
        answer = await asyncio.wait_for(reader.read(4096), 30)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b'{"answer":"1.0"}')
