"""Helpers beside a command: the same answers as without them, errors where somebody waits, and never left behind."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from services.kit.rebuild.helpers import FAILED, Helpers

ROOT = Path(__file__).parents[2]
#: A process of its own: where tests run there are threads.
HEAD = """
import asyncio, json, math, multiprocessing, os, signal, sys, time
from services.kit.rebuild.helpers import Helpers
helpers = Helpers({count})
pids = [p.pid for p in multiprocessing.active_children()]
async def main():
"""


def run(body: str, count: int = 2) -> Any:
    """What a script with helpers tells."""
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    script = f"{HEAD.format(count=count)}{lines}print(json.dumps(asyncio.run(main())))\n"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


SQUARES = "return await helpers.work_out([(math.pow, (n, 2)) for n in range(1000)])"


def test_answers_come_in_order_whoever_gives_them() -> None:
    expected = [n * n for n in range(1000)]
    assert run(SQUARES) == run(SQUARES, count=0) == expected
    pids = run("return sorted({*await helpers.work_out([(os.getpid, ())] * 1000)} - {os.getpid()}), sorted(pids)")
    assert pids[0] == pids[1]
    assert len(pids[0]) == 2


@pytest.mark.parametrize("count", [0, 1])
def test_a_call_that_fails_is_told_and_the_others_are_answered(count: int) -> None:
    body = (
        'return await helpers.work_out([(math.sqrt, (4,)), (math.sqrt, (-1,)), (math.sqrt, ("x",)), (math.sqrt, (9,))])'
    )
    assert run(body, count=count) == [2, FAILED, FAILED, 3]


def test_every_helper_is_prepared_before_it_works() -> None:
    body = """
await helpers.everywhere(os.chdir, "/")
return await helpers.work_out([(os.getcwd, ())] * 200), os.getcwd()
"""
    assert run(body) == [["/"] * 200, str(ROOT)]


def test_a_helper_that_dies_is_told_and_nobody_waits_for_it() -> None:
    body = """
os.kill(pids[0], signal.SIGKILL)
try:
    await helpers.work_out([(math.sqrt, (n,)) for n in range(1000)])
except ConnectionError as error:
    return str(error)
"""
    assert run(body) == "a process beside this one has ended"


@pytest.mark.parametrize("way", ["kill", "terminate"])
def test_helpers_end_with_a_command_however_it_ends(way: str) -> None:
    script = (
        HEAD.format(count=3)
        + "    print(json.dumps(pids), flush=True)\n    await asyncio.sleep(60)\nasyncio.run(main())"
    )
    command = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert command.stdout is not None
    pids = json.loads(command.stdout.readline())
    assert len(pids) == 3
    assert all(psutil.pid_exists(pid) for pid in pids)
    getattr(command, way)()
    command.wait(10)
    command.stdout.close()
    until = time.monotonic() + 20
    while any(psutil.pid_exists(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


async def test_where_other_threads_run_there_is_no_helper_and_the_work_is_done_here() -> None:
    over = threading.Event()
    other = threading.Thread(target=over.wait)
    other.start()
    try:
        helpers = Helpers.beside()
    finally:
        over.set()
        await asyncio.to_thread(other.join)
    assert await helpers.work_out([(threading.get_ident, ())]) == [threading.get_ident()]
    helpers.close()
