"""Who keeps the city of a home: the process of `make run`, by its note of pid and start time."""

import os
from pathlib import Path
from typing import Final

import psutil

from deploy.local.faults import Fault

_NOTE: Final = "city.pid"


def note(run: Path) -> Path:
    """Note this process as the supervisor, in the home's folder `run`; gives the note, which is removed at the end."""
    file = run / _NOTE
    file.write_text(f"{os.getpid()} {psutil.Process().create_time()}\n")
    return file


def supervisor_of(home: Path) -> psutil.Process | None:
    """The process that keeps this home's city, if there is one.

    Pids are used again: the start time must agree. The home's owner wrote the note: nobody else's process is believed.
    """
    try:
        pid, started = (home / "run" / _NOTE).read_text().split()
        process = psutil.Process(int(pid))
        same = abs(process.create_time() - float(started)) < 1.0 and process.uids().real == home.stat().st_uid
    except (OSError, ValueError, psutil.Error):
        return None
    return process if same else None


def stopped(home: Path) -> str:
    """Say that nobody keeps it."""
    return f"The city in {home} is stopped: `make run` starts it."


def require(home: Path) -> None:
    """A fault where nobody keeps the city: at once, instead of waiting for parts that do not run."""
    if supervisor_of(home) is None:
        raise Fault(stopped(home))
