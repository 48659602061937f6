"""`.importlinter` holds, and sees each kind of violation: put into a copy of the tree, it fails the named contract."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import grimp
import pytest

ROOT: Final = Path(__file__).parents[2]
LINT: Final = Path(sys.executable).parent / "lint-imports"

STREETS: Final = "Services know the plumbing and the words, never each other"
ROOMS: Final = "Every service has the same rooms: ways in, commands, store, pure rooms"
PLUMBING: Final = "The plumbing stands in layers"
VOCABULARY: Final = "The words stand in layers, topic files side by side"
DRIVERS: Final = "Kafka and PostgreSQL are touched by the plumbing alone"
WORDS: Final = "The words know no web, no templates, no metrics"
PURE: Final = "Pure rooms take values and return values"


@dataclass(frozen=True, slots=True)
class Violation:
    """Text put at the end of a file, or into a new one."""

    name: str
    file: str
    text: str
    contract: str


VIOLATIONS: Final = (
    Violation("a service imports another", "qr/api/codes.py", "from services.publish import store as other", STREETS),
    Violation(
        "for types alone",
        "qr/handlers.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from services.publish import store as other",
        STREETS,
    ),
    Violation(
        "inside a function",
        "qr/commands/codes.py",
        "def late():\n    from services.ingest import commands as other",
        STREETS,
    ),
    Violation("the plumbing imports a service", "kit/db.py", "from services.qr import errors as other", STREETS),
    Violation("the words import the plumbing", "contracts/code.py", "from services.kit import clock", STREETS),
    Violation("an eighth street", "shared/__init__.py", "", STREETS),
    Violation("a room of no name", "qr/helpers.py", "", ROOMS),
    Violation("store imports commands", "qr/store/codes.py", "from services.qr import commands", ROOMS),
    Violation("commands import handlers", "qr/commands/codes.py", "from services.qr import handlers", ROOMS),
    Violation("api imports pages", "qr/api/codes.py", "from services.qr import pages", ROOMS),
    Violation("a pure room imports the store", "qr/render/code.py", "from services.qr import store", ROOMS),
    Violation("a job imports the api", "qr/jobs.py", "from services.qr import api", ROOMS),
    Violation("plumbing of no name", "kit/utils.py", "", PLUMBING),
    Violation("the database imports the outbox", "kit/db.py", "from services.kit import outbox", PLUMBING),
    Violation("a word of no name", "contracts/common.py", "", VOCABULARY),
    Violation("a topic imports a topic", "contracts/code.py", "from services.contracts import alert", VOCABULARY),
    Violation("values import the base", "contracts/values.py", "from services.contracts import base", VOCABULARY),
    Violation("a driver in the api", "qr/api/codes.py", "import asyncpg", DRIVERS),
    Violation("a driver in the words", "contracts/topics.py", "import aiokafka", DRIVERS),
    Violation("the words import the web", "contracts/code.py", "import fastapi", WORDS),
    Violation("a pure room tells the time", "qr/render/poster.py", "from services.kit import clock", PURE),
    Violation("a form knows the plumbing", "ingest/forms/codec.py", "from services.kit import errors", PURE),
    Violation("a rule tells the time", "audit/rules/base.py", "from services.kit import clock", PURE),
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the services and the contracts."""
    copy = tmp_path_factory.mktemp("imports")
    shutil.copytree(ROOT / "services", copy / "services", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", copy)
    return copy


@pytest.fixture
def violated(tree: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Path, Violation]]:
    """The copy with one violation in it, taken out afterwards."""
    violation: Violation = request.param
    file = tree / "services" / violation.file
    before = file.read_text() if file.exists() else None
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{before or ''}\n{violation.text}\n")
    yield tree, violation
    if before is not None:
        file.write_text(before)
    elif file.name == "__init__.py":
        shutil.rmtree(file.parent)
    else:
        file.unlink()


def broken_contracts(tree: Path) -> set[str] | str:
    """Names of the contracts that a tree breaks; the tool's own words when it could not check."""
    done = subprocess.run([LINT, "--no-cache"], cwd=tree, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    if not any(line.startswith("Contracts: ") for line in lines):
        return done.stdout + done.stderr
    return {line.partition(" BROKEN")[0] for line in lines if " BROKEN" in line}


def test_the_tree_keeps_every_contract(tree: Path) -> None:
    assert broken_contracts(tree) == set()


@pytest.mark.parametrize("violated", VIOLATIONS, ids=[v.name for v in VIOLATIONS], indirect=True)
def test_a_violation_breaks_its_contract(violated: tuple[Path, Violation]) -> None:
    tree, violation = violated
    broken = broken_contracts(tree)
    assert isinstance(broken, set), broken
    assert violation.contract in broken


def test_a_missing_room_stops_the_check(tree: Path) -> None:
    file = tree / "services" / "qr" / "metrics.py"
    before = file.read_text()
    file.unlink()
    try:
        said = broken_contracts(tree)
    finally:
        file.write_text(before)
    assert "Missing layer in container 'services.qr'" in said


def test_no_modules_of_deploy_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("deploy", cache_dir=None, exclude_type_checking_imports=True)
    imported = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imported).prepare()
    imported["deploy.local.info"] = {*imported["deploy.local.info"], "deploy.local.sample"}
    with pytest.raises(CycleError):
        TopologicalSorter(imported).prepare()
