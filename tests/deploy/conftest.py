"""What the tests of the local city share: commands run as a user runs them, and their verdict."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.cli.app import main
from deploy.local.home import Home
from deploy.local.home import free_port as choose_port
from deploy.local.postgres import Postgres
from tests.running import RunningCity

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Answer:
    """How a command ended."""

    code: int
    out: str
    err: str

    def sentence(self) -> str:
        """Return what stderr says, having seen that it is one sentence and exit code 1."""
        assert self.code == 1, self
        assert "Traceback" not in self.err + self.out
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self
        return lines[0]


type_of_run = Callable[..., Answer]


@pytest.fixture(scope="session")
def command() -> type_of_run:
    """Run a command with changes to the environment (None removes) and give its answer."""

    def run(
        arguments: Sequence[str],
        env: Mapping[str, str | None] | None = None,
        before: Callable[[], None] | None = None,
        cwd: Path = ROOT,
    ) -> Answer:
        environment = {**os.environ, **(env or {})}
        done = subprocess.run(
            arguments,
            env={name: value for name, value in environment.items() if value is not None},
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=120,
            preexec_fn=before,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def city(command: type_of_run) -> type_of_run:
    """Run `python -m deploy.local …`."""

    def run(*arguments: str, **rest: object) -> Answer:
        return command([sys.executable, "-m", "deploy.local", *arguments], **rest)

    return run


@pytest.fixture(scope="session")
def free_port() -> int:
    """Give a port for a gateway."""
    return choose_port(avoid=set())


@pytest.fixture(scope="session")
def spare_port(free_port: int) -> int:
    """Give a port for a second one."""
    return choose_port(avoid={free_port})


@pytest.fixture
def sanwu(small_city: RunningCity, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> type_of_run:
    """Run the command on the small city, in this process: what it calls runs in processes of its own."""

    def run(*arguments: str, home: Path = small_city.home) -> Answer:
        monkeypatch.setenv("SANWU_HOME", str(home))
        capfd.readouterr()
        code = main(list(arguments))
        return Answer(code, *capfd.readouterr())

    return run


@pytest.fixture
def sql(small_city: RunningCity) -> Callable[..., list[Any]]:
    """The superuser's look from outside."""

    def run(query: str, *args: object) -> list[Any]:
        async def ask() -> list[Any]:
            conn = await asyncpg.connect(Postgres(Home(small_city.home)).dsn("sanwu_admin"))
            try:
                return list(await conn.fetch(query, *args))
            finally:
                await conn.close()

        return asyncio.run(ask())

    return run


@pytest.fixture
def parked(sql: Callable[..., list[Any]]) -> Iterator[int]:
    """A record that publish could not read."""
    rows = sql(
        "INSERT INTO publish.parked_event (topic, partition, record_offset, key, value, headers, type, aggregate_key,"
        " error, unknown_type, parked_at) VALUES ('sanwu.disclosures', 0, 1000000, '210881006206', '{}',"
        """ '{"id": "01930000-0000-7000-8000-000000000001", "type": "disclosure.confirmed.v1"}',"""
        " 'disclosure.confirmed.v1', 'disclosure:none', 'made for a test', false, now()) RETURNING id"
    )
    yield rows[0]["id"]
    sql("DELETE FROM publish.parked_event WHERE aggregate_key = 'disclosure:none'")
