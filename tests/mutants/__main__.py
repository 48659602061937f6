"""Runs mutmut over a sample of mutants a module and prints what the tests saw; the settings are in pyproject.toml.

    python -m tests.mutants                                       # 120 mutants a module, as docs/testing.md has it
    python -m tests.mutants --module services/kit/relay.py        # one module, or a folder
    python -m tests.mutants --sample 0                            # all there are: hours

mutmut works in `mutants/`, a copy: nothing of the project changes. Survivors are named; `mutmut show NAME` tells what
was changed.
"""

import argparse
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.utils.file_utils import walk_mutatable_files
from mutmut.utils.format_utils import get_mutant_name

#: Beside this Python: mutmut warns when it runs as a module.
_MUTMUT: Final = str(Path(sys.executable).parent / "mutmut")
_SEEN: Final = ("killed", "timeout", "segfault")


def main() -> None:
    """Read the command line, run, report; exit code 1 if mutmut could not run."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument(
        "--module", nargs="+", type=Path, default=[Path("services")], help="files or folders of those there"
    )
    parser.add_argument("--sample", type=int, default=120, help="mutants a module at most; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    chosen = {path: _chosen(path, wanted.sample, wanted.seed) for path in _modules(wanted.module)}
    names = [name for some, _ in chosen.values() for name in some]
    if not names:
        parser.error("no mutants there: see [tool.mutmut] in pyproject.toml")
    done = subprocess.run([_MUTMUT, "run", "--max-children", "1", *names], check=False)
    if done.returncode != 0:
        sys.exit(1)
    _report(chosen, _outcomes())


def _modules(under: list[Path]) -> list[Path]:
    return sorted(path for path in walk_mutatable_files() if any(path.is_relative_to(each) for each in under))


def _chosen(path: Path, sample: int, seed: int) -> tuple[list[str], int]:
    """A sample of the names of a module's mutants, and how many there are."""
    made = mutate_file_contents(str(path), path.read_text(), None, None)
    names = sorted(get_mutant_name(path, name) for name in made.mutant_names)
    if not sample or len(names) <= sample:
        return names, len(names)
    some = random.Random(f"{seed}:{path}").sample(names, sample)  # noqa: S311 - a sample that can be drawn again
    return sorted(some), len(names)


def _outcomes() -> dict[str, str]:
    told = subprocess.run([_MUTMUT, "results", "--all", "true"], check=True, capture_output=True, text=True).stdout
    lines = (line.strip().rsplit(": ", 1) for line in told.splitlines() if ": " in line)
    return {line[0]: line[1] for line in lines}


def _report(chosen: dict[Path, tuple[list[str], int]], outcomes: dict[str, str]) -> None:
    sys.stdout.write("\n".join(_lines(chosen, outcomes)) + "\n")


def _lines(chosen: dict[Path, tuple[list[str], int]], outcomes: dict[str, str]) -> Iterator[str]:
    yield "| module | mutants | tried | seen | survived | no test reaches | score |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for path, (names, existing) in chosen.items():
        if not names:
            continue
        count = Counter(outcomes[name] for name in names)
        seen = sum(count[word] for word in _SEEN)
        score = f"{100 * seen / len(names):.0f} %"
        yield f"| `{path}` | {existing} | {len(names)} | {seen} | {count['survived']} | {count['no tests']} | {score} |"
    yield ""
    for names, _ in chosen.values():
        yield from (f"{outcomes[name]}: {name}" for name in names if outcomes[name] not in _SEEN)


if __name__ == "__main__":
    main()
