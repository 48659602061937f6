"""Processor time of every part of a city: what stays true while others use the machine."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from deploy.local.home import read_json


def spent(home: Path) -> dict[str, float]:
    """Seconds, user and system, of each part with its children since it was started."""
    found = {}
    for note in sorted((home / "run").glob("*.json")):
        with suppress(psutil.NoSuchProcess, KeyError, ValueError):
            process = psutil.Process(int(str(read_json(note)["pid"])))
            found[note.stem] = sum(_of(p) for p in (process, *process.children(recursive=True)))
    return found


def _of(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    # Those that ended are counted by their parent; what lives is asked itself.
    return float(times.user + times.system + times.children_user + times.children_system)


def milliseconds_each(before: Mapping[str, float], after: Mapping[str, float], count: int) -> dict[str, float]:
    """What each part spent between two moments on each of so many operations, the dearest first."""
    each = {part: 1000 * (after[part] - before.get(part, 0.0)) / count for part in after}
    return dict(sorted(each.items(), key=lambda item: -item[1]))
