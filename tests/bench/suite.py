"""`python -m tests.bench suite`: the whole suite as `make test` runs it, recorded: where its time goes, and its processors'.

Writes a graph of each of its processes to docs/flames, and a section of the page there. What counts is time that passes: a
test that waits is recorded as one that works is, since nobody gets his answer sooner for it. Only what runs or waits within a test
counts, not the threads beside it.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import psutil

from tests.bench.flames import Stacks, drawn, folded
from tests.bench.report import put_section, table
from tests.bench.spent import seconds_of
from tests.running import ROOT

TITLE: Final = "The suite"
PROCESSES: Final = 2
#: Samples a second: half an hour of them is enough.
_RATE: Final = 10
_DEAREST: Final = 3
_DEAREST_FILES: Final = 12
_LOOKS_EVERY_S: Final = 1.0
_ENDS_WITHIN_S: Final = 60.0
_FEWEST_S: Final = 1.0
_OF_A_TEST: Final = "runtestprotocol ("
_OURS: Final = re.compile(r"\((?:services/|deploy/|tests/|test_|conftest|running\.py)")
_PYTEST: Final = re.compile(r"\((?:_pytest|pluggy|xdist|execnet|pytest_\w+)(?:/|\.py)")
_WORKER: Final = "exec(eval(sys.stdin.readline()))"
#: Whose a process is, by a word of its command line; the first that fits.
_WHOSE: Final = (
    ("kafka", "brokers"),
    ("chrom", "browsers"),
    ("postgres", "PostgreSQL"),
    ("caddy", "gateways"),
    ("services.", "services of the cities"),
    ("deploy.local", "supervisors and operators' commands"),
    ("pytest", "pytest and what runs within it"),
    (_WORKER, "pytest and what runs within it"),
)


def main(machine: str, to: Path, arguments: list[str]) -> int:
    """Run the suite (`arguments` go to pytest), and write what was seen; its exit status."""
    asked = [sys.executable, "-m", "pytest", "-n", str(PROCESSES), "--dist", "loadgroup", "--no-loadscope-reorder"]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        suite = subprocess.Popen([*asked, f"--junitxml={folder / 'tests.xml'}", *arguments], cwd=ROOT)
        spent = _watch(psutil.Process(suite.pid), folder)
        took = time.monotonic() - begun
        files = seconds_by_file(folder / "tests.xml")
        seen = [within_tests(folded(raw.read_text("utf-8").splitlines())) for raw in sorted(folder.glob("*.raw"))]
    page = to / "README.md"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    section = f"{machine}\n{_told(seen, files, spent, took, to)}"
    page.write_text(put_section(text, TITLE, section), encoding="utf-8")
    sys.stdout.write(section)
    return suite.returncode


def _watch(suite: psutil.Process, folder: Path) -> Counter[str]:
    """Record its workers until it ends; seconds of processor time of all that it started, by whose they are."""
    watching: dict[int, subprocess.Popen[bytes]] = {}
    last: dict[tuple[int, float], tuple[str, float]] = {}
    while suite.is_running() and suite.status() != psutil.STATUS_ZOMBIE:
        for process in (suite, *suite.children(recursive=True)):
            try:
                name, line, key = process.name(), " ".join(process.cmdline()), (process.pid, process.create_time())
                own = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            last[key] = (whose(line, name), float(own.user + own.system))
            if _WORKER in line and process.pid not in watching:
                watching[process.pid] = _spied(process.pid, folder / f"{len(watching) + 1}.raw")
        time.sleep(_LOOKS_EVERY_S)
    for each in watching.values():
        each.wait(_ENDS_WITHIN_S)
    exact: dict[str, float] = {}
    for name, seconds in last.values():
        exact[name] = exact.get(name, 0.0) + seconds
    spent = Counter({name: round(seconds) for name, seconds in exact.items() if seconds >= _FEWEST_S})
    spent["ended between two looks"] = max(0, round(seconds_of(suite)) - spent.total())
    return spent


def _spied(pid: int, to: Path) -> subprocess.Popen[bytes]:
    program = str(Path(sys.executable).with_name("py-spy"))
    options = ["-r", str(_RATE), "-f", "raw", "--idle", "--nonblocking", "-d", "7200", "-o", str(to)]
    return subprocess.Popen(
        [program, "record", "-p", str(pid), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def whose(line: str, name: str) -> str:
    """Whose a process with this command line is; its own name where nobody's."""
    return next((owner for word, owner in _WHOSE if word in line), f"`{name}`")


def seconds_by_file(report: Path) -> Counter[str]:
    """Seconds of each file's tests, of what pytest wrote down."""
    files: Counter[str] = Counter()
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - written by pytest a moment ago
        files[case.get("classname", "collection").replace(".", "/") + ".py"] += round(float(case.get("time", 0)))
    return files


def within_tests(stacks: Stacks) -> Stacks:
    """What ran or waited for a test, under the file in which that began: behind the last function of pytest and its plugins.

    Of a coroutine that waits only the loop is seen.
    """
    found: Stacks = Counter()
    for frames, count in stacks.items():
        if any(f.startswith(_OF_A_TEST) for f in frames):
            last = max(n for n, f in enumerate(frames) if _PYTEST.search(f))
            own = frames[last + 1 :] or frames[-1:]
            found[(_file(own[0]), *own)] += count
    return found


def _file(frame: str) -> str:
    return "a coroutine, or its loop" if "(asyncio/" in frame else frame[frame.rindex("(") + 1 : -1]


def dearest_steps(stacks: Iterable[Stacks]) -> list[tuple[str, float]]:
    """The functions of ours within which the tests were most of the time."""
    steps: Counter[str] = Counter()
    for each in stacks:
        for frames, count in each.items():
            steps[next((f for f in reversed(frames) if _OURS.search(f)), frames[-1])] += count
    return [(name, count / steps.total()) for name, count in steps.most_common(_DEAREST)]


def _told(seen: list[Stacks], files: Counter[str], spent: Counter[str], took: float, to: Path) -> str:
    rows = []
    for number, stacks in enumerate(seen, 1):
        if not stacks:
            continue
        graph = to / f"suite-{number}.svg"
        graph.write_text(drawn(stacks, f"suite, process {number}", _RATE), encoding="utf-8")
        steps = "; ".join(f"{share:.0%} `{name}`" for name, share in dearest_steps([stacks]))
        rows.append((f"[{number}]({graph.name})", steps))
    cores = psutil.cpu_count() or 1
    by_file = [(f"`{name}`", f"{n} s", f"{n / files.total():.0%}") for name, n in files.most_common(_DEAREST_FILES)]
    by_whose = [(name, f"{seconds} s", f"{seconds / spent.total():.0%}") for name, seconds in spent.most_common()]
    return (
        f"`python -m tests.bench suite`: {took / 60:.1f} min; its processes worked {spent.total()} s, {spent.total() / took / cores:.0%} of the\n"
        f"processors. {_RATE} samples a second of time that passes, working or waiting, within tests.\n\n"
        f"{table(('process', 'dearest steps'), rows)}\n"
        f"{table(('time of', '', 'share'), by_file)}\n"
        f"{table(('processor time of', '', 'share'), by_whose)}"
    )
