"""What the tests of the local city share: commands run as a user runs them, and their verdict."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.home import free_port as choose_port

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
