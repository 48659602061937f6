"""Runs mutmut over a sample of mutants a module and prints what the tests saw; the settings are in pyproject.toml.

    python -m tests.mutants                                       # 120 mutants a module, as docs/testing.md has it
    python -m tests.mutants --module services/kit/relay.py        # one module, or a folder
    python -m tests.mutants --sample 0                            # all there are: hours

mutmut works in `mutants/`, a copy: nothing of the project changes. Survivors are named; `mutmut show NAME` tells what
was changed.
"""

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.utils.file_utils import walk_mutatable_files
from mutmut.utils.format_utils import get_mutant_name
from typer import BadParameter, Option

from services.kit.cli import new_app, run_line

#: Beside this Python: mutmut warns when it runs as a module.
_MUTMUT: Final = str(Path(sys.executable).parent / "mutmut")
_SEEN: Final = ("killed", "timeout", "segfault")


app = new_app()


@app.command()
def try_mutants(
    *,
    module: Annotated[list[Path], Option(help="A file or folder of those there; may be given again.")] = [  # noqa: B006 - read alone
        Path("services")
    ],
    sample: Annotated[int, Option(help="Mutants a module at most; 0: all.")] = 120,
    seed: int = 1,
) -> int:
    """Run mutmut over a sample of mutants a module and print what the tests saw; 1 if mutmut could not run."""
    chosen = {path: _chosen(path, sample, seed) for path in _modules(module)}
    names = [name for some, _ in chosen.values() for name in some]
    if not names:
        message = "no mutants there: see [tool.mutmut] in pyproject.toml"
        raise BadParameter(message)
    done = subprocess.run([_MUTMUT, "run", "--max-children", "1", *names], check=False)
    if done.returncode != 0:
        return 1
    _report(chosen, _outcomes())
    return 0


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
    sys.exit(run_line(app, sys.argv[1:], "python -m tests.mutants"))
