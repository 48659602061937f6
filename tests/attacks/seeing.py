"""What others see meanwhile: pages of a villager, another clerk and an inspector, and what the processes take."""

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Final, Self

import httpx2
import psutil

from deploy.local.postgres import SERVICES
from tests.bench.spent import seconds_of

#: Between two pages of one reader.
PAUSE_S: Final = 0.1
_SAMPLE_S: Final = 0.25
_PATIENCE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Page:
    """A page that somebody else asks for again and again; the right answer is 200."""

    who: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """How a page came: milliseconds of each good answer, and how many were none."""

    page: Page
    milliseconds: list[float]
    failures: int

    def percentile(self, share: float) -> float:
        """The time within which this share of the answers came."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("inf")


def look(url: str, pages: list[Page], seconds: float) -> list[Seen]:
    """Ask for every page every tenth of a second, each reader over a connection of its own. Runs in a process of its own."""
    with ThreadPoolExecutor(len(pages)) as crowd:
        return list(crowd.map(lambda page: _one(url, page, seconds), pages))


def _one(url: str, page: Page, seconds: float) -> Seen:
    milliseconds: list[float] = []
    failures = 0
    end = time.monotonic() + seconds
    with httpx2.Client(base_url=url, timeout=_PATIENCE_S) as client:
        while (begin := time.monotonic()) < end:
            try:
                good = client.get(page.path, headers=dict(page.headers)).status_code == httpx2.codes.OK
            except httpx2.HTTPError:
                good = False
            took = time.monotonic() - begin
            # A failure counts with the time that somebody waited for it, so that no refusal looks like speed.
            milliseconds.append(took * 1000)
            failures += not good
            time.sleep(max(0.0, PAUSE_S - took))
    return Seen(page, milliseconds, failures)


@dataclass(slots=True)
class Weight:
    """Peaks of a service: bytes of its process, of its children together, and seconds of processor time."""

    own: int = 0
    children: int = 0
    cpu_s: float = 0.0


@dataclass(slots=True)
class Scale:
    """Weighs the services four times a second while it is entered."""

    home: Path
    weights: dict[str, Weight] = field(default_factory=lambda: {name: Weight() for name in SERVICES})
    _done: Event = field(default_factory=Event)
    _began: dict[str, float] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._weigh, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    _thread: Thread = field(init=False)

    def _weigh(self) -> None:
        while not self._done.is_set():
            for name, weight in self.weights.items():
                # A service that died is being started again.
                with suppress(psutil.NoSuchProcess, OSError, ValueError):
                    self._one(name, weight)
            self._done.wait(_SAMPLE_S)

    def _one(self, name: str, weight: Weight) -> None:
        process = psutil.Process(json.loads((self.home / "run" / f"{name}.json").read_text())["pid"])
        children = 0
        for child in process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                children += child.memory_info().rss
        spent = seconds_of(process)
        self._began.setdefault(name, spent)
        weight.own = max(weight.own, process.memory_info().rss)
        weight.children = max(weight.children, children)
        # One that was started anew begins at nothing.
        weight.cpu_s = max(weight.cpu_s, spent - self._began[name])
