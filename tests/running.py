"""A whole city in processes of its own, started and stopped as a user does it."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil
import pyotp

from deploy.local.home import free_port
from deploy.local.postgres import SERVICES
from deploy.local.service import service_of

ROOT = Path(__file__).parents[1]
#: So long a city may take to be ready, its sample loaded, on a machine that starts others as well.
CITY_PATIENCE_S = 480.0


@dataclass(frozen=True, slots=True)
class RunningCity:
    """A whole city in processes of its own, started as a user starts it."""

    url: str
    home: Path
    process: subprocess.Popen[str]
    tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    #: The loader signed in until about now; later steps are unused.
    ready_step: int = field(default_factory=lambda: int(time.time()) // 30)

    def _account(self, username: str) -> dict[str, str]:
        """A row of the file that the city wrote for its owner."""
        rows = csv.DictReader(io.StringIO((self.home / "staff.csv").read_text(encoding="utf-8")))
        return next(r for r in rows if r["username"] == username)

    def password(self, username: str) -> str:
        """From the file that the city wrote for its owner."""
        return self._account(username)["password"]

    def code(self, username: str) -> str | None:
        """The second factor's code, which nobody has used; None for those who need none.

        Where that of this half minute is used, that of a phone whose clock is half a minute ahead; then waits for the next.
        """
        secret = self._account(username)["totp_secret"]
        if not secret:
            return None
        step = max(int(time.time()) // 30, self.steps.get(username, self.ready_step) + 1)
        time.sleep(max(0.0, (step - 1) * 30 - time.time() + 0.1))
        self.steps[username] = step
        return pyotp.TOTP(secret).generate_otp(step)

    def token(self, username: str) -> str:
        """Sign in and give the bearer token; one that is young is given again."""
        token, until = self.tokens.get(username, ("", 0.0))
        if time.monotonic() < until:
            return token
        # Somebody else may have used the code of this half minute.
        for _ in range(3):
            body = {"username": username, "password": self.password(username)}
            code = self.code(username)
            answer = httpx2.post(
                f"{self.url}/registry/v1/sign-in", json={**body, **({"totp": code} if code else {})}, timeout=30
            )
            if answer.is_success or code is None:
                break
        token = str(answer.raise_for_status().json()["access_token"])
        self.tokens[username] = (token, time.monotonic() + 600)
        return token

    def service_pids(self) -> dict[str, int]:
        """Processes of the services by name, copies too."""
        names = [name for name in self.addresses() if service_of(name) in SERVICES]
        return {name: process_of(self, name).pid for name in names}

    def said(self) -> str:
        """What the supervisor has printed so far."""
        return (self.home.parent / f"{self.home.name}.log").read_text()

    def addresses(self) -> dict[str, str]:
        """The content of ports.json."""
        known: dict[str, str] = json.loads((self.home / "ports.json").read_text())
        return known


def start_city(
    home: Path, port: int, sample: str, *, patience_s: float = CITY_PATIENCE_S, **settings: str
) -> RunningCity:
    """Start `python -m deploy.local run` and wait until it says that it is ready; its output goes to `run.log`."""
    log = home.parent / f"{home.name}.log"
    own = {"SANWU_HOME": str(home), "SANWU_PORT": str(port), "SANWU_SAMPLE": sample}
    environment = {**os.environ, **own, **settings}
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", "run"], env=environment, cwd=ROOT, stdout=out, stderr=out, text=True
        )
    give_up = time.monotonic() + patience_s
    while "ready: http" not in log.read_text():
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


@contextmanager
def full_city() -> Iterator[RunningCity]:
    """A city with its full sample in a folder of its own, stopped and gone at the end."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        sys.stdout.write("starting a city with the full sample …\n")
        sys.stdout.flush()
        city = start_city(Path(folder) / "home", free_port(avoid=set()), "full")
        try:
            yield city
        finally:
            stop_city(city)


def process_of(city: RunningCity, part: str) -> psutil.Process:
    """The main process of a part, by its note."""
    return psutil.Process(json.loads((city.home / "run" / f"{part}.json").read_text())["pid"])


@contextmanager
def standing_still(city: RunningCity, part: str) -> Iterator[None]:
    """SIGSTOP for a part and all that it started; its supervisor goes on and may end it meanwhile."""
    main = process_of(city, part)
    tree = [main, *main.children(recursive=True)]
    for process in tree:
        process.suspend()
    try:
        yield
    finally:
        for process in tree:
            with suppress(psutil.NoSuchProcess):
                process.resume()


@contextmanager
def paused(city: RunningCity, *services: str) -> Iterator[None]:
    """Services that stand still for a while, as if frozen; their supervisor too, which would end and start them."""
    pids = [city.process.pid, *(city.service_pids()[name] for name in services)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)
