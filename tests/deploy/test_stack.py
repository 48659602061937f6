"""The supervisor: one city per home, parts that come back, nothing left behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from deploy.local.home import Home
from deploy.local.part import end_orphans
from deploy.local.service import process_names
from tests.running import CITY_PATIENCE_S

Command = Callable[..., Any]
_PATIENCE = 240.0


class Running:
    """`python -m deploy.local run` in a home of its own."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.port = port
        self.output = home.parent / "output"
        with self.output.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploy.local", "run"],
                env={**os.environ, "SANWU_HOME": str(home), "SANWU_PORT": str(port), "SANWU_SAMPLE": "none"},
                cwd=Path(__file__).parents[2],
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def say(self) -> str:
        return self.output.read_text()

    def await_ready(self, times: int = 1) -> None:
        until(lambda: self.say().count("ready: http") >= times or self.process.poll() is not None)
        assert self.process.poll() is None, self.say()

    def pid_of(self, part: str) -> int | None:
        try:
            return int(json.loads((self.home / "run" / f"{part}.json").read_text())["pid"])
        except FileNotFoundError:
            # Gone for a moment while a part is started again.
            return None

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def until(condition: Callable[[], object], seconds: float = _PATIENCE, *, errors: bool = False) -> None:
    """Wait for a condition; `errors`: a connection that fails is a condition that is not met yet."""
    end = time.monotonic() + seconds
    while not _holds(condition, errors=errors):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def _holds(condition: Callable[[], object], *, errors: bool) -> bool:
    try:
        return bool(condition())
    except httpx2.HTTPError:
        if not errors:
            raise
        return False


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def city_running(tmp_path_factory: pytest.TempPathFactory, free_port: int) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("city") / "home", free_port)
    try:
        running.await_ready()
        yield running
    finally:
        running.process.send_signal(signal.SIGINT)
        running.process.wait(timeout=60)


def test_ready_city_says_where_it_is(city_running: Running) -> None:
    ports = json.loads((city_running.home / "ports.json").read_text())
    assert ports["gateway"] == f"http://127.0.0.1:{city_running.port}"
    assert set(ports) == {"gateway", "postgres", "kafka", "standby", *process_names()}
    assert answers(city_running.port)
    assert "Traceback" not in city_running.say()


def test_second_city_in_the_same_home_is_one_sentence(city_running: Running, city: Command) -> None:
    answer = city("run", env={"SANWU_HOME": str(city_running.home), "SANWU_PORT": "8000"})
    assert "A city already runs in" in answer.sentence()


def test_port_in_use_is_one_sentence_before_anything_starts(
    city_running: Running, city: Command, tmp_path: Path
) -> None:
    answer = city("run", env={"SANWU_HOME": str(tmp_path / "home"), "SANWU_PORT": str(city_running.port)})
    assert f"Port {city_running.port} is in use: set SANWU_PORT" in answer.sentence()
    assert not (tmp_path / "home" / "postgres").exists()


@pytest.mark.parametrize(("name", "value"), [("SANWU_PORT", "http"), ("SANWU_PORT", "70000"), ("SANWU_SAMPLE", "big")])
def test_setting_that_makes_no_sense_is_one_sentence(city: Command, tmp_path: Path, name: str, value: str) -> None:
    answer = city("run", env={"SANWU_HOME": str(tmp_path / "home"), name: value})
    assert f"{name} is '{value}'" in answer.sentence()


@pytest.mark.parametrize("part", ["gateway", "postgres"])
def test_killed_part_comes_back(city_running: Running, part: str) -> None:
    before = city_running.pid_of(part)
    assert before is not None
    os.kill(before, signal.SIGKILL)
    until(lambda: city_running.pid_of(part) not in {None, before})
    until(lambda: answers(city_running.port))


@pytest.mark.parametrize("part", ["publish", "gateway"])
def test_frozen_part_is_noticed_and_serves_again(city_running: Running, part: str) -> None:
    before = city_running.pid_of(part)
    assert before is not None
    os.kill(before, signal.SIGSTOP)
    until(lambda: city_running.pid_of(part) not in {None, before})
    until(lambda: httpx2.get(f"http://127.0.0.1:{city_running.port}/", timeout=5).status_code == 200, errors=True)
    # The pause is longer where the part was started less than half a minute ago, after it was killed.
    assert re.search(rf"^{part} does not answer and was ended, again in (0\.5|1) s$", city_running.say(), re.MULTILINE)


@pytest.mark.timeout(2 * CITY_PATIENCE_S)
def test_killed_supervisor_s_home_starts_again_and_ctrl_c_leaves_nothing(tmp_path: Path, spare_port: int) -> None:
    first = Running(tmp_path / "home", spare_port)
    first.await_ready()
    family = first.family()
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait()
    second = Running(tmp_path / "home", spare_port)
    second.await_ready(times=2)
    assert not [process for process in family if process.is_running() and process.status() != "zombie"]
    family = second.family()
    os.killpg(second.process.pid, signal.SIGINT)
    assert second.process.wait(timeout=60) == 0
    assert psutil.wait_procs(family, timeout=5)[1] == []
    assert "Traceback" not in second.say()


def test_orphan_is_ended_by_pid_and_start_time(tmp_path: Path) -> None:
    home = Home(tmp_path)
    owner = home.path.stat().st_uid
    with (
        subprocess.Popen(["sleep", "600"], start_new_session=True, user=owner) as orphan,
        subprocess.Popen(["sleep", "600"], start_new_session=True, user=owner) as stranger,
    ):
        started = psutil.Process(orphan.pid).create_time()
        (home.run / "kafka.json").write_text(json.dumps({"pid": orphan.pid, "started": started}))
        # The same pid long ago: another process has it now.
        (home.run / "qr.json").write_text(json.dumps({"pid": stranger.pid, "started": started - 500}))
        ended = end_orphans(home)
        orphan.wait(timeout=5)
        assert stranger.poll() is None
        stranger.kill()
    assert ended == ["kafka"]
