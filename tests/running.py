"""A whole city in processes of its own, started and stopped as a user does it."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx2

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class RunningCity:
    """A whole city in processes of its own, started as a user starts it."""

    url: str
    home: Path
    process: subprocess.Popen[str]

    def password(self, username: str) -> str:
        """From the file that the city wrote for its owner."""
        rows = csv.DictReader(io.StringIO((self.home / "staff.csv").read_text(encoding="utf-8")))
        return next(r["password"] for r in rows if r["username"] == username)

    def token(self, username: str) -> str:
        """Sign in and give the bearer token."""
        body = {"username": username, "password": self.password(username)}
        answer = httpx2.post(f"{self.url}/registry/v1/sign-in", json=body, timeout=30)
        return str(answer.raise_for_status().json()["access_token"])

    def addresses(self) -> dict[str, str]:
        """The content of ports.json."""
        known: dict[str, str] = json.loads((self.home / "ports.json").read_text())
        return known


def start_city(home: Path, port: int, sample: str) -> RunningCity:
    """Start `python -m deploy.local run` and wait until it says that it is ready; its output goes to `run.log`."""
    log = home.parent / f"{home.name}.log"
    environment = {**os.environ, "SANWU_HOME": str(home), "SANWU_PORT": str(port), "SANWU_SAMPLE": sample}
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", "run"], env=environment, cwd=ROOT, stdout=out, stderr=out, text=True
        )
    give_up = time.monotonic() + 240
    while "ready: " not in log.read_text():
        if process.poll() is not None or time.monotonic() > give_up:
            process.terminate()
            message = f"the city did not get ready: {log.read_text()[-3000:]}"
            raise RuntimeError(message)
        time.sleep(0.3)
    return RunningCity(f"http://127.0.0.1:{port}", home, process)


def stop_city(city: RunningCity) -> None:
    """Stop it as Ctrl-C does."""
    city.process.send_signal(signal.SIGINT)
    city.process.wait(60)
