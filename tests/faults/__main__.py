"""`tests/faults/drill`: a city of one township, every fault there is, and what people saw 5, 30 and 120 seconds after.

    tests/faults/drill                    # all; writes docs/reliability.md, takes half an hour
    tests/faults/drill --only kafka       # those whose name holds the word; prints, writes nothing

It starts the city itself in a temporary home, on a small file system of its own where this machine lets us mount one,
and ends it. A fault after which all is well at 30 seconds is not watched until 120. Nothing is written by hand: every
cell is what an HTTP client or the operators' command was answered.
"""

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

from typer import Option

from deploy.local.home import free_port
from services.kit.cli import new_app, run_line
from tests.faults.doing import FAULTS, Fault, disk_full
from tests.faults.seeing import People
from tests.running import ROOT, start_city, stop_city

PAGE: Final = ROOT / "docs" / "reliability.md"
MARKS: Final = (5, 30, 120)
#: After the last mark, for what was taken back late.
_HEALING_S: Final = 180.0
_SMALL_DISK: Final = "3500m"
Row = tuple[str, str, list[str]]


app = new_app()


@app.command()
def drill(*, only: Annotated[str, Option(metavar="WORD", help="Faults whose name holds the word.")] = "") -> int:
    """Do every fault to a city of one township and tell what people saw."""
    with tempfile.TemporaryDirectory(prefix="sanwu-drill-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o711)
        small = stack.enter_context(_small_disk(folder))
        faults = [f for f in (*FAULTS, *([disk_full(folder)] if small else [])) if only in f.name]
        city = start_city(folder / "home", free_port(avoid=set()), "small")
        stack.callback(stop_city, city)
        people = People(city)
        begun = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        loads = [os.getloadavg()[0]]
        rows: list[Row] = []
        page = ""
        lost: list[str] = []
        for fault in faults:
            rows += _watched(people, fault)
            loads.append(os.getloadavg()[0])
            lost = people.lost()
            # After each, so that a drill that is broken off tells what it saw.
            page = _page(rows, begun, loads, (len(people.accepted), len(lost)), small=small)
            if not only:
                PAGE.write_text(page, encoding="utf-8")
    sys.stdout.write(page)
    return 1 if lost else 0


@contextmanager
def _small_disk(folder: Path) -> Iterator[bool]:
    """A file system that can be filled; False where none can be mounted."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SMALL_DISK},mode=711", "sanwu", str(folder)],
        capture_output=True,
        check=False,
    )
    try:
        yield mounted.returncode == 0
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def _watched(people: People, fault: Fault) -> list[Row]:
    """Do one thing to the city, look at the marks, take it back, wait until all is well."""
    people.sign_in()
    _say(f"{fault.name} …")
    seen: dict[str, list[str]] = {}
    with ExitStack() as stack:
        stack.enter_context(fault.begin(people.city))
        begin = time.monotonic()
        for mark in MARKS:
            if fault.lasts_s is not None and mark > fault.lasts_s:
                time.sleep(max(0.0, begin + fault.lasts_s - time.monotonic()))
                stack.close()
            time.sleep(max(0.0, begin + mark - time.monotonic()))
            for who, words in people.look().items():
                seen.setdefault(who, []).append(words)
                _say(f"  {mark:>3} s  {who}: {words}")
            if mark >= MARKS[1] and _all_is_well(seen):
                break
    well = _healed_after(people, begin)
    return [(f"{fault.name}; {well}" if n == 0 else "", who, words) for n, (who, words) in enumerate(seen.items())]


def _all_is_well(seen: dict[str, list[str]]) -> bool:
    return seen["villagers"][-1].startswith("200") and seen["`sanwu status`"][-1].startswith("status 0")


def _healed_after(people: People, begin: float) -> str:
    give_up = time.monotonic() + _HEALING_S
    while not people.is_well():
        if time.monotonic() > give_up:
            return f"**not well after {time.monotonic() - begin:.0f} s**"
        time.sleep(2)
    return f"all well again by {time.monotonic() - begin:.0f} s"


def _page(rows: list[Row], begun: str, loads: list[float], drafts: tuple[int, int], *, small: bool) -> str:
    machine = f"{os.cpu_count()} processors, {platform.system()}, Python {platform.python_version()}"
    lines = [
        "# Reliability",
        "",
        "Written by `tests/faults/drill`; do not edit. To run it again: `tests/faults/drill` in the project's folder, half an hour.",
        "",
        "A city of one township with its sample. Each fault is done to the running city under its supervisor, and what people see is asked at the gateway",
        "after 5, 30 and 120 seconds: a **villager** opens a village's page, an item, the front page and the village as JSON (the worst of the four",
        "stands here); a **clerk** saves a new draft; an **operator** runs `sanwu status`. “Refuses connections” (killed, while the supervisor is stopped) and “disk full” last 75 s, so the",
        "last column is after them; everything else heals by itself or not at all. “–”: all was well at 30 s already, and the next fault was begun.",
        "",
        f"Begun {begun}; {machine}; load average between {min(loads):.1f} and {max(loads):.1f}: on a machine with time, what depends on it is faster.",
        f"Of {drafts[0]} drafts that clerks were told are saved, {drafts[1]} were lost.",
        *([] if small else ["", "A full disk was not tried: this machine lets us mount no small file system."]),
        "",
        "| fault | who | 5 s | 30 s | 120 s |",
        "| --- | --- | --- | --- | --- |",
    ]
    for fault, who, words in rows:
        cells = [*words, *("–" for _ in range(len(MARKS) - len(words)))]
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in (fault, who, *cells)) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(run_line(app, sys.argv[1:], "tests/faults/drill"))
