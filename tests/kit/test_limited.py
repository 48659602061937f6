"""Work in a process of its own: it is ended in time, knows and reaches nothing, and nobody keeps the others from their turn."""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from services.ingest.commands import attachments, imports, sheets
from services.kit.incoming import TURN_S
from services.kit.limited import CLOCK, LINE_S, Limits, LineFullError, OverLimitError, run_limited

SLEEPER, TELLER = "tests.ingest.sleeper", "tests.kit.teller"
PLENTY = Limits(seconds=60, memory_mib=512, answer_bytes=1024)


async def sleep(seconds: float, who: str, limits: Limits = PLENTY) -> bytes:
    return await run_limited(SLEEPER, str(seconds).encode(), limits, who=who)


@asynccontextmanager
async def sleeping(*whose: str) -> AsyncIterator[None]:
    works = [asyncio.create_task(sleep(3600, who)) for who in whose]
    await asyncio.sleep(0.2)
    yield
    for work in works:
        work.cancel()
    for work in works:
        with suppress(asyncio.CancelledError):
            await work


@pytest.mark.parametrize(
    ("module", "data", "limits"),
    [
        (SLEEPER, b"3600", Limits(seconds=0.5, memory_mib=512, answer_bytes=1024)),
        (SLEEPER, b"0.01", Limits(seconds=60, memory_mib=512, answer_bytes=1)),
        (TELLER, b"memory", PLENTY),
    ],
    ids=["time", "answer", "memory"],
)
async def test_work_over_its_limits_is_ended(module: str, data: bytes, limits: Limits) -> None:
    with pytest.raises(OverLimitError):
        await run_limited(module, data, limits, who="a")


@pytest.mark.parametrize("what", ["files", "environment", "niceness", "process time", "capabilities"])
async def test_work_has_no_file_no_secret_and_no_precedence(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANWU_SECRET", "swordfish")
    told = (await run_limited(TELLER, what.encode(), PLENTY, who="a")).decode()
    expected = {
        "files": "only one",
        "capabilities": "0" * 16,
        "environment": "PYTHONPATH",
        "niceness": str(min(19, os.nice(0) + 10)),
        "process time": "61 s",
    }
    assert told == expected[what]


async def test_work_ends_with_whoever_waits_for_it() -> None:
    work = asyncio.create_task(sleep(3600, "a"))
    await asyncio.sleep(0.5)
    started = time.monotonic()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert time.monotonic() - started < 30
    assert await sleep(0, "a") == b"0"


async def test_one_person_has_one_turn_at_a_time_and_others_have_theirs() -> None:
    async with sleeping("a", "a", "a"):
        assert await sleep(0, "b") == b"0"


async def test_who_sends_more_than_four_files_at_once_is_told_to_come_again() -> None:
    async with sleeping("a", "a", "a", "a"):
        with pytest.raises(LineFullError) as refused:
            await sleep(0, "a")
    assert (refused.value.status, refused.value.extra["retry_after_s"]) == (503, 30)
    assert "请过半分钟再上传" in refused.value.detail


async def test_a_line_of_twenty_is_full_for_everybody_and_empties_again() -> None:
    async with sleeping(*(f"{n}" for n in range(20))):
        with pytest.raises(LineFullError):
            await sleep(0, "b")
    assert await sleep(0, "b") == b"0"


async def test_nobody_stands_in_the_line_longer_than_a_gateway_waits() -> None:
    async with sleeping("a", "b"):
        started = time.monotonic()
        with pytest.raises(LineFullError):
            await sleep(0, "c")
        assert LINE_S <= time.monotonic() - started < LINE_S + 10
    assert await sleep(0, "c") == b"0"


def test_the_gateway_waits_for_files_longer_than_turn_line_and_work_together() -> None:
    gateway = (Path(__file__).parents[2] / "deploy/caddy/Caddyfile").read_text()
    waits = re.search(r"import to (\d+)s first \{\$SANWU_UPSTREAM_INGEST\}  # files", gateway)
    assert waits is not None
    for work in (attachments, imports, sheets):
        assert TURN_S + LINE_S + CLOCK * work.LIMITS.seconds < int(waits[1]), work
