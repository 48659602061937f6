"""Measures the shape of the code, here or as it was at a commit; `docs/code-figures.md` says what each figure means.

    python -m tests.house.figures                     # of this tree, as tables
    python -m tests.house.figures --at COMMIT         # of a commit, in a folder of its own
    python -m tests.house.figures --json              # for programs
    python -m tests.house.figures --page              # writes docs/code-figures.md: before and now

The call depths come from requests that are made in this process, on a real PostgreSQL; everything else is read.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.house.shape import COUNTED, MANY_BRANCHES, File, read

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "code-figures.md"
#: Before the typed edge, measured anew at each writing of the page.
BEFORE: Final = "deaa4de"
SERVICES: Final = ("contracts", "kit", "registry", "ingest", "publish", "audit", "qr")
PARTS: Final = ("services", *(f"services/{name}" for name in SERVICES), "deploy", "tests")
_WAYS: Final = "tests/house/ways.py"

Figures = dict[str, Any]


def _at(values: Sequence[int], share: float) -> int:
    """The value below which a share of all lies (nearest rank); 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 100) * len(ordered) // 100) - 1)] if ordered else 0


def _spread(values: Sequence[int]) -> list[int]:
    return [_at(values, 0.5), _at(values, 0.9), max(values, default=0)]


def of_part(files: Sequence[File]) -> Figures:
    """The figures of some files; spreads are p50, p90 and the largest."""
    branches = [b for f in files for b in f.branches]
    lines = sum(f.lines for f in files)
    return {
        "files": len(files),
        "lines": lines,
        "code_lines": sum(f.code for f in files),
        "file_lines": _spread([f.lines for f in files]),
        "functions": len(branches),
        "function_lines": _spread([n for f in files for n in f.functions]),
        "complexity": _spread(branches),
        "complex_functions": sum(b > MANY_BRANCHES for b in branches),
        "comments_percent": round(100 * sum(f.comments for f in files) / lines, 1) if lines else 0.0,
        **{name: sum(f.counts[name] for f in files) for name in COUNTED},
    }


def measure(root: Path) -> Figures:
    """Everything that can be read from a tree's text."""
    files = read(root, "services", "deploy", "tests")
    parts = {part: of_part([f for f in files if f.path.startswith(f"{part}/")]) for part in PARTS}
    return {"parts": parts, "anys_by_folder": _by_folder(files)}


def _by_folder(files: Sequence[File]) -> dict[str, int]:
    found: dict[str, int] = {}
    for f in files:
        folder = "/".join(f.path.split("/")[:-1][:2])
        found[folder] = found.get(folder, 0) + f.counts["anys"]
    return {folder: n for folder, n in sorted(found.items()) if n}


def ways(root: Path) -> dict[str, list[str]]:
    """The frames of the named ways in a tree, by a run of pytest there."""
    if root != ROOT:
        (root / _WAYS).write_text((ROOT / _WAYS).read_text("utf-8"), "utf-8")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "ways.json"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", _WAYS]
        done = subprocess.run(
            command, cwd=root, env={**os.environ, "WAYS": str(out)}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            message = f"the ways could not be walked:\n{done.stdout[-2000:]}"
            raise SystemExit(message)
        found: dict[str, list[str]] = json.loads(out.read_text("utf-8"))
    return found


def figures_of(root: Path) -> Figures:
    """Everything of a tree. A way's depth is the number of frames above business."""
    return {**measure(root), "ways": ways(root)}


@contextmanager
def tree_of(commit: str) -> Iterator[Path]:
    """A commit's files in a folder that goes afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, stdout=subprocess.PIPE, check=True)
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        yield Path(folder)


# -- telling ------------------------------------------------------------------------------------------------------


def _shown(value: Any) -> str:
    return " / ".join(str(v) for v in value) if isinstance(value, list) else str(value)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


SIZES: Final[Mapping[str, str]] = {
    "files": "files",
    "lines": "lines",
    "code_lines": "lines of code",
    "file_lines": "file p50 / p90 / max",
    "functions": "functions",
    "function_lines": "function p50 / p90 / max",
    "complexity": "complexity p50 / p90 / max",
    "complex_functions": "more complex than 10",
    "comments_percent": "comment lines, %",
}


def _cell(of: Figures, before: Figures | None, name: str) -> str:
    """A figure; with the one before, when it was another."""
    now, was = _shown(of.get(name, 0)), _shown(before.get(name, 0)) if before is not None else None
    return now if was in {None, now} else f"{was} → {now}"


def _frames(frames: Sequence[str]) -> str:
    return " → ".join(f"`{f}`" for f in frames)


def told(figures: Figures, before: Figures | None = None) -> str:
    """The figures of one tree as tables, beside those of another."""
    parts, folders, found = figures["parts"], figures["anys_by_folder"], figures["ways"]
    then = before or {"parts": {}, "anys_by_folder": None, "ways": {}}
    tables = [
        _table(
            ["part", *names.values()],
            [[p, *(_cell(of, then["parts"].get(p), name) for name in names)] for p, of in parts.items()],
        )
        for names in (SIZES, COUNTED)
    ]
    anys = [[folder, _cell(folders, then["anys_by_folder"], folder)] for folder in folders]
    depths = {name: len(frames) - 1 for name, frames in found.items()}
    were = {name: len(frames) - 1 for name, frames in then["ways"].items()} or None
    ways_rows = [[name, _cell(depths, were, name), _frames(frames)] for name, frames in found.items()]
    ways_rows += [[f"{n}, before", "", _frames(f)] for n, f in then["ways"].items() if f != found.get(n)]
    return "\n".join(
        [
            *tables,
            _table(["folder", COUNTED["anys"]], anys),
            _table(["way", "call depth", "frames"], ways_rows),
        ]
    )


_TEXT: Final = """# The shape of the code, in figures

What is measured of the code's text and of a request's way through it; `tests/house/test_figures.py` holds what must not
get worse again. Where two figures stand, the first was measured at commit {commit}.

`python -m tests.house.figures --page` measures both and writes this page. `--at COMMIT` measures any other commit, `--json` is for programs.

- **lines of code**: without blank lines, comments and docstrings. **comment lines**: those that hold nothing else, of all lines.
- **complexity**: cyclomatic, counted by `tests/house/shape.py`: one, and one for each `if`, loop, `except`, `and`/`or`,
  comprehension and its ifs, and `case` that is no default. Functions within functions are counted for themselves; a
  lambda belongs to what holds it. ruff's C901 counts less.
- **suppressions**: `noqa` and `type: ignore`, each of which tells its reason on the same line.
- **functions that know what is in a cursor**: they read `page.after`, or let a page answer nothing to get a cursor.
- **call depth**: frames of `services/` from a route's function to the first line of business, business not counted. A real
  request is made while the interpreter tells of every call; a lambda that only makes the coroutine counts as well.

{tables}"""


def write_page() -> None:
    """Measure the commit of before and this tree, and write the page."""
    with tree_of(BEFORE) as tree:
        before = figures_of(tree)
    now = figures_of(ROOT)
    PAGE.write_text(_TEXT.format(tables=told(now, before), commit=BEFORE), "utf-8")


def main() -> None:
    """Read the command line, measure, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.house.figures")
    parser.add_argument("--at", metavar="COMMIT", help="measure a commit, not this tree")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--page", action="store_true", help="write docs/code-figures.md")
    wanted = parser.parse_args()
    if wanted.page:
        write_page()
        return
    if wanted.at is None:
        figures = figures_of(ROOT)
    else:
        with tree_of(wanted.at) as tree:
            figures = figures_of(tree)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n" if wanted.json else told(figures))


if __name__ == "__main__":
    main()
