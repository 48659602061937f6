"""Processor time of every part of a city: what stays true while others use the machine."""

from collections.abc import Mapping
from pathlib import Path

import psutil

from deploy.local.home import Home
from deploy.local.part import process_of


def spent(home: Path) -> dict[str, float]:
    """Seconds of each part that runs, with its children, since it was started."""
    city, found = Home(home), {}
    for note in sorted(city.run.glob("*.json")):
        process = process_of(city, note.stem)
        if process is not None:
            found[note.stem] = sum(seconds_of(p) for p in (process, *process.children(recursive=True)))
    return found


def seconds_of(process: psutil.Process) -> float:
    """Seconds, user and system, of a process and those of its children that ended; 0 when it ended itself."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def milliseconds_each(before: Mapping[str, float], after: Mapping[str, float], count: int) -> dict[str, float]:
    """What each part spent between two moments on each of so many operations, the dearest first."""
    each = {part: 1000 * (after[part] - before.get(part, 0.0)) / count for part in after}
    return dict(sorted(each.items(), key=lambda item: -item[1]))
