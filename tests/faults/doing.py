"""The faults: each begins, lasts as long as it lasts, and is taken back at the end."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.running import RunningCity, process_of, standing_still

#: For what does not heal before we take it back: longer than a minute, after which consumers once died for ever.
AWAY_S = 75.0

Begin = Callable[[RunningCity], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done, in words, and for how many seconds; None: the city has to heal it."""

    name: str
    begin: Begin
    lasts_s: float | None = None


def killed(part: str) -> Fault:
    """As by a power cut: SIGKILL."""

    @contextmanager
    def begin(city: RunningCity) -> Iterator[None]:
        process_of(city, part).kill()
        yield

    return Fault(f"{part} killed", begin)


def frozen(part: str) -> Fault:
    """SIGSTOP for the part and all that it started, until somebody ends it."""

    def begin(city: RunningCity) -> AbstractContextManager[None]:
        return standing_still(city, part)

    return Fault(f"{part} frozen", begin)


def cut_off(part: str) -> Fault:
    """Killed, and its supervisor stopped, so that whoever connects is refused for as long as the fault lasts."""

    @contextmanager
    def begin(city: RunningCity) -> Iterator[None]:
        supervisor = psutil.Process(city.process.pid)
        supervisor.suspend()
        try:
            process_of(city, part).kill()
            yield
        finally:
            supervisor.resume()

    return Fault(f"{part} refuses connections", begin, AWAY_S)


def disk_full(folder: Path) -> Fault:
    """A file takes all that is left of the file system that the home is on, and what is freed meanwhile."""

    @contextmanager
    def begin(_city: RunningCity) -> Iterator[None]:
        filler = folder / "filler"
        with filler.open("wb", buffering=0) as file:
            _fill(file.fileno())
        try:
            yield
        finally:
            filler.unlink()

    return Fault("disk full", begin, AWAY_S)


def _fill(descriptor: int) -> None:
    for size in (1 << 20, 4096):
        with suppress(OSError):
            while True:
                os.write(descriptor, b"\0" * size)


#: Those that need nothing of the machine; a full disk comes last, where a small one can be had.
FAULTS = (
    killed("gateway"),
    frozen("gateway"),
    killed("publish"),
    frozen("publish"),
    frozen("publish-jobs"),
    killed("ingest"),
    frozen("ingest"),
    killed("kafka"),
    frozen("kafka"),
    cut_off("kafka"),
    killed("postgres"),
    frozen("postgres"),
    cut_off("postgres"),
)
