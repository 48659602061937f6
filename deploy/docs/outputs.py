"""The list of generated files; writing them, and finding those that are not what the code says."""

import difflib
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Final

from typer import Option

from deploy.docs import asyncapi, openapi, reference, sbom, topics
from services.contracts.topics import SERVICES, TOPICS
from services.kit.cli import new_app, run_line

ROOT: Final = Path(__file__).resolve().parents[2]

#: Every generated file, relative to the repository's root.
OUTPUTS: Final[Mapping[Path, Callable[[], str]]] = {
    Path("docs/map.md"): topics.map_text,
    Path("docs/metrics.md"): reference.metrics_text,
    Path("docs/settings.md"): reference.settings_text,
    Path("docs/asyncapi.json"): asyncapi.asyncapi_text,
    Path("docs/sbom.json"): sbom.sbom_text,
    **{openapi.OPENAPI / f"{name}.json": partial(openapi.openapi_text, name) for name in SERVICES},
    **{
        topics.SCHEMAS / f"{topic.name}.v1.json": partial(topics.schema_text, topic) for topic in TOPICS if topic.events
    },
}

app = new_app()


def _orphans(root: Path) -> list[Path]:
    """Find schemas and documents that nothing writes any more."""
    there = [p for folder in (topics.SCHEMAS, openapi.OPENAPI) for p in (root / folder).glob("*.json")]
    return sorted(path for p in there if (path := p.relative_to(root)) not in OUTPUTS)


def stale(root: Path = ROOT) -> dict[Path, str]:
    """Find the files that are not what the code says, each with a unified diff from what is there."""
    diffs = {}
    for path, text in OUTPUTS.items():
        there = (root / path).read_text("utf-8") if (root / path).exists() else ""
        if there != (wanted := text()):
            names = (str(path), f"{path} (from the code)")
            diffs[path] = "".join(
                difflib.unified_diff(there.splitlines(keepends=True), wanted.splitlines(keepends=True), *names)
            )
    return diffs | dict.fromkeys(_orphans(root), "nothing writes this file: remove it\n")


def write(root: Path = ROOT) -> list[Path]:
    """Bring every generated file up to date; tells which ones changed."""
    changed = list(stale(root))
    for path in changed:
        target = root / path
        if path not in OUTPUTS:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(OUTPUTS[path](), "utf-8")
    return changed


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run_line(app, sys.argv[1:] if arguments is None else arguments, "python -m deploy.docs")


@app.command()
def write_all(
    *, check: Annotated[bool, Option("--check", help="Write nothing; exit 1 when a file is stale.")] = False
) -> int:
    """Write every generated document anew."""
    if not check:
        for path in write():
            print(f"written: {path}")
        return 0
    diffs = stale()
    for path, diff in diffs.items():
        print(f"stale: {path} (run python -m deploy.docs)\n{diff}")
    return 1 if diffs else 0
