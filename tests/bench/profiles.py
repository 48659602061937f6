"""`python -m tests.bench flames`: the loads of the figures that miss their bars once more, recorded and not measured.

Writes docs/flames: a graph of every part under every load, and a page with the dearest three steps of each.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from deploy.local.home import free_port
from deploy.local.info import known
from tests.bench import growth, hot, submit, visible
from tests.bench.flames import RATE, Recording, missing_tools, watched
from tests.bench.growth_notes import Figures
from tests.bench.load import wrk
from tests.bench.report import put_section, table
from tests.bench.wire import Wire
from tests.running import ROOT, RunningCity, full_city, paused, start_city, stop_city

TO: Final = ROOT / "docs" / "flames"
_AT_RATE: Final = 50
_APPROVALS: Final = 50
#: No other benchmark has ledgers of these, nor has a city of ten years.
_YEARS: Final = range(2007, 2017)
_SECONDS: Final = 10
Burn = Callable[[RunningCity, Recording], Coroutine[None, None, None]]
HEAD: Final = f"""# Where the time goes

Written by `python -m tests.bench flames` (a word behind it: one of them) and, for a city of ten years, `python -m tests.bench flames HOME`.
Every load of [the benchmarks](../benchmarks.md) whose figure misses its bar, once more and recorded: {RATE} samples a second
of every process, of what works and not of what waits. A share is of the samples of its part; a step is the innermost
function of ours that was at work, with all that it called of others, and where there is none (gateway, database, broker)
the function itself. Point at a frame of a graph to read its name and share.
"""


async def approve(city: RunningCity, recording: Recording) -> None:
    """Approvals at the rate, until all that follows from them is made."""
    async with Wire(city.url, 64) as wire:
        desk = visible.Desk(city, wire)
        waiting = await visible.prepare(desk, _YEARS, _APPROVALS)
        await visible.settled(city)
        with recording:
            await visible.at_rate(desk, waiting, _AT_RATE)
            await visible.settled(city)


async def hand_in(city: RunningCity, recording: Recording) -> None:
    """Ledgers entered and submitted, as fast as they are taken."""
    with tempfile.TemporaryDirectory() as name:
        ingest, scripts = await submit.prepare(city, Path(name), 1)
        with paused(city, "registry", "publish", "audit", "qr"), recording:
            await submit.load(ingest, scripts)


async def read(city: RunningCity, recording: Recording) -> None:
    """The hot pages through the local gateway."""
    with recording:
        for path in hot.PATHS.values():
            await asyncio.to_thread(
                wrk, city.url + path, connections=hot.CONNECTIONS, seconds=_SECONDS, headers=hot.GZIP
            )


async def read_by_front(city: RunningCity, recording: Recording) -> None:
    """The hot pages through the front for a big city."""
    async with hot.front_of(recording.folder / "front", city) as front:
        main = psutil.Process(front.process.pid)
        recording.others = {p.pid: "front" for p in (main, *main.children(recursive=True))}
        with recording:
            for path in hot.PATHS.values():
                await asyncio.to_thread(
                    wrk, front.url + path, connections=hot.CONNECTIONS, seconds=_SECONDS, headers=hot.GZIP
                )


async def rebuild(city: RunningCity, recording: Recording) -> None:
    """The read model anew and compared, by a process of its own."""
    command = [sys.executable, "-m", "services.publish", "rebuild", "--check", "--json"]
    with recording.alone():
        asked = watched("rebuild", command, recording.folder)
        await asyncio.to_thread(
            subprocess.run, asked, env=known(city.home).environment("publish"), check=True, capture_output=True
        )


async def start(city: RunningCity, recording: Recording) -> None:
    """The city stopped and started again: all its Python processes, until it says that it is ready."""
    await asyncio.to_thread(stop_city, city)
    await _started("start", city.home, int(city.url.rpartition(":")[2]), recording)


async def load(_: RunningCity, recording: Recording) -> None:
    """A city that was not there, with the full sample entered: all its Python processes, until it says that it is ready."""
    with _open_folder() as folder:
        await _started("load", folder / "home", free_port(avoid=set()), recording)


@contextmanager
def _open_folder() -> Iterator[Path]:
    """A folder that the city's own user may pass."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


async def _started(name: str, home: Path, port: int, recording: Recording) -> None:
    own = {"SANWU_HOME": str(home), "SANWU_PORT": str(port), "SANWU_SAMPLE": "full"}
    command = watched(name, [sys.executable, "-m", "deploy.local", "run"], recording.folder)
    with recording.alone():
        process = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, **own}, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdout is not None
        async for line in process.stdout:
            if b"ready: http" in line:
                break
        # The recorder ends when what it started has ended.
        (supervisor,) = psutil.Process(process.pid).children()
        supervisor.send_signal(signal.SIGINT)
        await process.communicate()


async def village(city: RunningCity, recording: Recording) -> None:
    """The page of a village with all that it ever opened, loaded and rendered."""
    found = Figures()
    with recording.this_process("village"):
        await growth.render(city, found, times=300, kinds=("village",))


LOADS: Final = {
    "approve": (approve, f"Approvals at {_AT_RATE}/s"),
    "submit": (hand_in, "Ledgers handed in"),
    "rebuild": (rebuild, "Rebuild of the read model"),
    "hot": (read, "Hot pages through the local gateway"),
    "front": (read_by_front, "Hot pages through the front for a big city"),
    "load": (load, "The full sample entered"),
    "start": (start, "A second start"),
}
#: In a city with ten years behind it.
OLD_LOADS: Final = {
    "old-village": (village, "Ten years: a village's page loaded and rendered"),
    "old-approve": (approve, f"Ten years: approvals at {_AT_RATE}/s"),
}


def main(machine: str, wanted: Sequence[str] = ()) -> int:
    """Record every load in a city with the full sample, or some by name; or those of a city with ten years (its home, of a run of `growth`).

    Each section of the page is written as soon as it is there; those of the other city stay.
    """
    if lacking := missing_tools():
        sys.stderr.write(f"Recording needs {' and '.join(lacking)} (perf is Debian's linux-perf).\n")
        return 1
    if set(wanted) <= set(LOADS):
        with full_city() as city:
            _record(city, machine, {name: LOADS[name] for name in wanted or LOADS})
        return 0
    city = start_city(Path(wanted[0]).absolute(), free_port(avoid=set()), "full")
    try:
        _record(city, machine, OLD_LOADS)
    finally:
        stop_city(city)
    return 0


def _record(city: RunningCity, machine: str, loads: Mapping[str, tuple[Burn, str]]) -> None:
    page = TO / "README.md"
    for name, (burn, title) in loads.items():
        sys.stdout.write(f"recording {name} …\n")
        sys.stdout.flush()
        with tempfile.TemporaryDirectory() as raw:
            recording = Recording(city, Path(raw))
            asyncio.run(burn(city, recording))
            rows = recording.write(TO, name)
        text = page.read_text(encoding="utf-8") if page.exists() else HEAD
        section = f"{machine}\n{table(('part', 'share of all', 'dearest steps of it'), rows)}"
        page.write_text(put_section(text, title, section), encoding="utf-8")
