"""A loop that does not turn is seen, once a stall, with its cause and where it stood."""

import asyncio
import time
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.kit import metrics
from services.kit.stalls import STALL_S, LoopWatch


def counted(cause: str) -> float:
    return float(metrics.LOOP_STALLS.labels(cause)._value.get())


def compute(seconds: float) -> None:
    secret = "ID-210881196003136666"
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        hash(secret)


def block(seconds: float) -> None:
    time.sleep(seconds)


@pytest.mark.parametrize(("hold", "cause"), [(compute, "work"), (block, "wait")])
async def test_a_stall_is_told_once_with_its_cause_and_its_place_and_without_values(hold: Any, cause: str) -> None:
    before = counted(cause)
    watch = LoopWatch()
    with capture_logs() as logs, watch.watching():
        await asyncio.sleep(0.3)
        hold(1.0)
        await asyncio.sleep(0.3)
    told = [entry for entry in logs if entry["event"] == "the event loop stood still" and entry["cause"] == cause]
    assert len(told) == 1, logs
    assert told[0]["seconds"] >= 0.7
    assert told[0]["processor_seconds"] == pytest.approx(1.0 if cause == "work" else 0.0, abs=0.2)
    assert f"in {hold.__name__}" in told[0]["stack"]
    assert "210881196003136666" not in str(told[0]).replace('secret = "ID-210881196003136666"', "")
    assert counted(cause) - before == 1
    assert watch.worst_s() >= 0.7
    assert watch.facts()["stalls"][cause] == 1


async def test_a_loop_that_turns_costs_nothing_and_is_not_told_of() -> None:
    watch = LoopWatch()
    with watch.watching():
        used = time.process_time()
        await asyncio.sleep(3)
        used = time.process_time() - used
    assert used < 0.05
    assert watch.facts()["stalls"]["work"] == watch.facts()["stalls"]["wait"] == 0
    assert watch.worst_s() < STALL_S or watch.facts()["stalls"]["machine"]
