"""Where the time of a figure goes: a flame graph of every part, and what in it is dearest.

    with Recording(city, folder) as recording:   # py-spy for what is Python, perf for the rest, 99 samples a second
        ...                                      # the load, and nothing else
    recording.write(to, "approve")               # approve-publish.svg, approve-gateway.svg, …; returns the rows of a table

Needs perf (Debian: linux-perf) and leave to look into other processes: root, or `kernel.yama.ptrace_scope=0`.
A sample is one hundredth of a second of a processor. Of a Python process those count in which a thread held the interpreter:
a thread that waits is otherwise often taken for one that works. What works without it (compression, `fsync`) is missed.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from deploy.local.home import Home
from deploy.local.part import process_of
from tests.running import RunningCity
from tests.running import process_of as process_of_city

#: Samples a second; no round number, so that it does not beat with what happens every so many milliseconds.
RATE: Final = 99
#: Parts with fewer samples tell nothing.
_FEWEST: Final = 50
_DEAREST: Final = 3
_WIDTH: Final = 1200
_ROW: Final = 16
#: Narrower frames cannot be seen.
_NARROWEST: Final = 1.0
_ENDS_WITHIN_S: Final = 60.0
_LINE: Final = re.compile(r":\d+\)$")
#: Where a file lies is the machine's own.
_FOLDERS: Final = re.compile(r"(?<![\w.])/(?:[\w.+-]+/)+")
_OFFSET: Final = re.compile(r"\+0x[0-9a-f]+$")

#: Samples of each stack, its outermost frame first.
Stacks = Counter[tuple[str, ...]]


class Cost(NamedTuple):
    """A part of what a part of the city spent: who, and how much of its samples."""

    where: str
    share: float


class Recording:
    """The stacks of every part of a city, from entering to leaving."""

    def __init__(self, city: RunningCity, folder: Path) -> None:
        self._city, self.folder = city, folder
        self._native: dict[int, str] = {}
        #: What is looked at beside the city's own parts: processes, and the name of each.
        self.others: dict[int, str] = {}
        self._watching: list[subprocess.Popen[bytes]] = []
        self.stacks: dict[str, Stacks] = {}

    def __enter__(self) -> Self:
        """Begin to look, without stopping anybody."""
        for part in self._city.service_pids():
            self._watch(_spy(process_of_city(self._city, part).pid, self.folder / f"{part}.raw"))
        self._note_native()
        self._watch(_perf(self._native, self.folder / "perf.data"))
        return self

    def _note_native(self) -> None:
        """Whose each process is that is none of Python."""
        self._native |= self.others
        home, services = Home(self._city.home), self._city.service_pids()
        for note in home.run.glob("*.json"):
            process = process_of(home, note.stem) if note.stem not in services else None
            if process is not None:
                self._native |= {p.pid: note.stem for p in (process, *process.children(recursive=True))}

    def _watch(self, command: list[str]) -> None:
        self._watching.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop looking, and read what was seen."""
        for each in self._watching:
            each.send_signal(signal.SIGINT)
        for each in self._watching:
            each.wait(_ENDS_WITHIN_S)
        self._read_raw()
        asked = ["perf", "script", "-F", "pid,ip,sym", "-i", str(self.folder / "perf.data")]
        told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        # What a part started meanwhile belongs to it; of what has ended since nobody knows whose it was.
        self._note_native()
        for pid, stacks in scripted(told.splitlines()).items():
            if (part := self._native.get(pid)) is not None:
                self.stacks.setdefault(part, Counter()).update(stacks)

    @contextmanager
    def this_process(self, name: str) -> Iterator[None]:
        """Of the benchmark's own process alone, which does a service's work itself."""
        self._watch(_spy(os.getpid(), self.folder / f"{name}.raw"))
        try:
            yield
        finally:
            for each in self._watching:
                each.send_signal(signal.SIGINT)
                each.wait(_ENDS_WITHIN_S)
            self._read_raw()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Of what is `watched` meanwhile, and of no part of the city."""
        yield
        self._read_raw()

    def _read_raw(self) -> None:
        for raw in sorted(self.folder.glob("*.raw")):
            self.stacks[raw.stem] = folded(raw.read_text("utf-8").splitlines())

    def write(self, to: Path, figure: str) -> list[tuple[str, ...]]:
        """A graph of each part, and rows of a table: the part, its share of all samples, and its dearest three."""
        whole = sum(sum(s.values()) for s in self.stacks.values())
        to.mkdir(parents=True, exist_ok=True)
        rows: list[tuple[str, ...]] = []
        for part, stacks in sorted(self.stacks.items(), key=lambda item: -item[1].total()):
            if stacks.total() < _FEWEST:
                continue
            graph = to / f"{figure}-{part}.svg"
            graph.write_text(drawn(stacks, f"{figure}: {part}"), encoding="utf-8")
            dearest = "; ".join(f"{cost.share:.0%} `{cost.where}`" for cost in dearest_of(stacks))
            rows.append((f"[{part}]({graph.name})", f"{stacks.total() / whole:.0%}", dearest))
        return rows


def missing_tools() -> list[str]:
    """What has to be installed before anything can be recorded."""
    beside = Path(sys.executable).with_name("py-spy")
    return [name for name, there in (("perf", shutil.which("perf")), ("py-spy", beside.exists())) if not there]


def _spy(pid: int, to: Path) -> list[str]:
    program = str(Path(sys.executable).with_name("py-spy"))
    return [
        program,
        "record",
        "-p",
        str(pid),
        "-r",
        str(RATE),
        "-f",
        "raw",
        "-o",
        str(to),
        "--nonblocking",
        "--gil",
        "-d",
        "3600",
    ]


def watched(name: str, command: Sequence[str], folder: Path) -> list[str]:
    """A command that runs another and its children, and keeps their stacks under a name."""
    program = str(Path(sys.executable).with_name("py-spy"))
    raw = str(folder / f"{name}.raw")
    return [
        program,
        "record",
        "--subprocesses",
        "-r",
        str(RATE),
        "-f",
        "raw",
        "-o",
        raw,
        "--nonblocking",
        "--gil",
        "--",
        *command,
    ]


def _perf(native: Mapping[int, str], to: Path) -> list[str]:
    pids = ",".join(map(str, native))
    return ["perf", "record", "-e", "cpu-clock", "-F", str(RATE), "-g", "-p", pids, "-o", str(to)]


def folded(lines: Iterable[str]) -> Stacks:
    """Stacks as py-spy writes them: frames with semicolons between, a space, the number of samples."""
    stacks: Stacks = Counter()
    for line in lines:
        frames, _, count = line.rpartition(" ")
        stacks[tuple(_FOLDERS.sub("", _LINE.sub(")", f)) for f in frames.split(";"))] += int(count)
    return stacks


def scripted(lines: Iterable[str]) -> dict[int, Stacks]:
    """Stacks as `perf script` writes them, by process: its number, then a line with a tab each frame, the innermost first."""
    found: dict[int, Stacks] = {}
    pid, frames = 0, list[str]()
    for line in (*lines, ""):
        if line.startswith("\t"):
            frames.append(_OFFSET.sub("", line.split(maxsplit=1)[1]))
        elif line.strip():
            pid = int(line)
        elif frames:
            found.setdefault(pid, Counter())[tuple(reversed(frames))] += 1
            frames = []
    return found


def dearest_of(stacks: Stacks) -> list[Cost]:
    """The dearest steps: samples go to the innermost function of ours that was at work, or where there is none, to the innermost."""
    costs: Counter[str] = Counter()
    for frames, count in stacks.items():
        ours = [f for f in frames if "(services/" in f]
        costs[(ours or frames)[-1]] += count
    return [Cost(where, count / stacks.total()) for where, count in costs.most_common(_DEAREST)]


# -- the picture


class _Box(NamedTuple):
    """A frame in the picture: its samples from the left, how many, how deep."""

    name: str
    left: int
    samples: int
    depth: int


def drawn(stacks: Stacks, title: str, rate: int = RATE) -> str:
    """An SVG without script: the outermost frame at the bottom, as wide as its samples; each tells itself when pointed at."""
    boxes = _boxes(stacks)
    whole, depth = stacks.total(), max(b.depth for b in boxes) + 1
    height = (depth + 2) * _ROW
    scale = _WIDTH / whole
    shapes = [
        _shape(b, b.left * scale, height - (b.depth + 1) * _ROW, b.samples * scale, b.samples / whole)
        for b in boxes
        if b.samples * scale >= _NARROWEST
    ]
    head = f'<text x="4" y="13" font-size="13">{escape(title)}, {whole} samples at {rate}/s</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="monospace" font-size="10">\n'
        f"{head}\n" + "\n".join(shapes) + "\n</svg>\n"
    )


def _boxes(stacks: Stacks) -> list[_Box]:
    """Neighbours with the same way to them are one box."""
    done: list[_Box] = []
    open_: list[_Box] = []
    left = 0
    for frames, count in sorted(stacks.items()):
        same = 0
        while same < min(len(open_), len(frames)) and open_[same].name == frames[same]:
            same += 1
        done += open_[same:]
        open_ = [b._replace(samples=b.samples + count) for b in open_[:same]]
        open_ += [_Box(name, left, count, depth) for depth, name in enumerate(frames[same:], same)]
        left += count
    return done + open_


def _shape(box: _Box, x: float, y: float, width: float, share: float) -> str:
    colour = f"hsl({20 + sum(box.name.encode()) % 40} 80% {60 + sum(box.name.encode()) % 15}%)"
    letters = int(width / 6.2)
    words = escape(box.name[:letters]) if letters >= 3 else ""
    return (
        f'<g><title>{escape(box.name)} {share:.1%}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_ROW - 1}" '
        f'fill="{colour}"/>' + (f'<text x="{x + 2:.1f}" y="{y + 11}">{words}</text>' if words else "") + "</g>"
    )
