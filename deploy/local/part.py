"""One process of the city: started, awaited until ready, watched, stopped, killed.

    async with Postgres(Path("home")) as pg:   # prepare, spawn, wait until ready
        pg.process.pid                         # the asyncio subprocess
        await pg.kill()                        # SIGKILL and wait
        await pg.start()                       # again, on the same port and the same data
    # stopped cleanly, with SIGKILL after a deadline

Each part has its own process group (Ctrl-C reaches the supervisor alone), dies with its parent
where the system offers that, and leaves a note (pid and start time) by which a later start ends
it if it survived. A part never ends a process whose start time differs from its note.
"""

import asyncio
import os
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import psutil

from deploy.local import logs, privileges, watch
from deploy.local.faults import Fault
from deploy.local.home import Home, read_json, write_json

_READY_PAUSE = 0.1
_ORPHAN_PATIENCE = 20.0
#: Other files among the parts' notes.
_NO_PARTS = frozenset({"inner-ports", "topics"})


class Part:
    """A supervised process; subclasses say how it is prepared, started and known to be ready."""

    name: str
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_seconds: ClassVar[float] = 15.0
    #: It may be asked to listen below port 1024.
    binds: ClassVar[bool] = False
    #: How far it stands back for the others where processors are scarce (nice(2)).
    yields: int = 0
    #: Probes in a row without an answer after which it counts as hung. Four are 10 to 15 s: longer than the longest
    #: pause of a loaded machine, short enough for whoever waits at a phone. What others lean on has more (see there).
    patience: int = 4

    def __init__(self, home: Home | Path) -> None:
        self.home = home if isinstance(home, Home) else Home(home)
        self._process: Process | None = None
        self._output: logs.Log | None = None

    # What a subclass says.

    async def prepare(self) -> None:
        """Make files and folders before the process starts; safe to repeat."""

    def command(self) -> list[str]:
        """Return the program and its arguments."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """Return its whole environment."""
        return os.environ

    async def is_ready(self) -> bool:
        """Tell whether it serves; asked again and again while it lives."""
        raise NotImplementedError

    async def settle(self) -> None:
        """Do what is due once it is ready, before others use it; safe to repeat."""

    async def trouble(self) -> str | None:
        """Tell what keeps a part that was ready from answering, or None; asked under a deadline (`watch`)."""
        return None if await self.is_ready() else watch.SILENT

    # What the supervisor and the tests call.

    @property
    def process(self) -> Process:
        """The newest process, also after its end."""
        if self._process is None:
            message = f"{self.name} was not started."
            raise RuntimeError(message)
        return self._process

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.home.logs / f"{self.name}.log"

    async def start(self) -> None:
        """Start the process and return when it is ready; a fault if it dies before."""
        end_orphan(self.home, self.name)
        await self.prepare()
        await self._spawn()
        try:
            await self._await_ready()
            await self.settle()
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> int:
        """Wait until the process is gone and return its exit code."""
        return await self.process.wait()

    async def stop(self) -> None:
        """End the process cleanly, or by SIGKILL after its deadline."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(self.stop_signal)
        try:
            async with asyncio.timeout(self.stop_seconds):
                await self._process.wait()
        except TimeoutError:
            await self.kill()
        self._note.unlink(missing_ok=True)

    async def kill(self) -> None:
        """Kill the process and all that it started, as a power cut would."""
        process = self.process
        if process.returncode is None:
            # PostgreSQL's processes have groups of their own; frozen ones would outlive it and hold its memory.
            offspring = _offspring(process.pid)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            for child in offspring:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            # Whoever starts it anew must not find them still on their way out.
            await asyncio.to_thread(psutil.wait_procs, offspring, _ORPHAN_PATIENCE)
        await process.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def _note(self) -> Path:
        return self.home.run / f"{self.name}.json"

    async def _spawn(self) -> None:
        self._output = self._output or logs.Log(self.log)
        user = privileges.owner_of(self.home.path)
        if user is not None:
            # What was prepared by root.
            self.home.tighten()
        reading, writing = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.command(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                env=self.environment(),
                process_group=0,
                preexec_fn=privileges.preparation(
                    fate=self.stop_signal,
                    user=user,
                    keep=privileges.kept_for(user, self.home.path),
                    binds=self.binds,
                    yields=self.yields,
                ),
            )
        finally:
            os.close(writing)
            self._output.follow(reading)
        pid = self._process.pid
        with suppress(psutil.NoSuchProcess):
            write_json(self._note, {"pid": pid, "started": psutil.Process(pid).create_time()})

    async def _await_ready(self) -> None:
        # No deadline while it lives: recovery after a power cut takes the time it takes.
        while not await self.is_ready():
            if self.process.returncode is not None:
                message = f"{self.name} ended before it was ready: {self.last_words()} (see {self.log})"
                raise Fault(message)
            await asyncio.sleep(_READY_PAUSE)

    def last_words(self) -> str:
        """Return the last line of the log that says something."""
        if self._output is not None:
            self._output.finish()
        lines = self.log.read_text(errors="replace").splitlines()[-40:] if self.log.exists() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "no message")


def _offspring(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def end_orphan(home: Home, name: str) -> bool:
    """End the part that an earlier, killed parent left; True if there was one."""
    note = home.run / f"{name}.json"
    known = read_json(note)
    if not known:
        return False
    orphan = _same_process(home, known)
    if orphan is not None:
        _end_group(orphan)
    note.unlink(missing_ok=True)
    return orphan is not None


def end_orphans(home: Home) -> list[str]:
    """End every part that an earlier, killed parent left; return their names."""
    names = [note.stem for note in sorted(home.run.glob("*.json")) if note.stem not in _NO_PARTS]
    return [name for name in names if end_orphan(home, name)]


def process_of(home: Home, name: str) -> psutil.Process | None:
    """The process that a part's note names, if it lives."""
    return _same_process(home, read_json(home.run / f"{name}.json"))


def _same_process(home: Home, known: dict[str, object]) -> psutil.Process | None:
    try:
        process = psutil.Process(int(str(known["pid"])))
        # Pids are used again; the start time is what makes it the same process. The home's owner wrote the note: root, who
        # may be here, ends nobody else's process by it.
        same = abs(process.create_time() - float(str(known["started"]))) < 1.0
        same = same and process.uids().real == home.path.stat().st_uid
    except (psutil.Error, KeyError, ValueError):
        return None
    return process if same and process.status() != psutil.STATUS_ZOMBIE else None


def _end_group(orphan: psutil.Process) -> None:
    members = [orphan, *orphan.children(recursive=True)]
    # SIGINT is PostgreSQL's fast shutdown; the other parts end on it as well.
    for moment in (signal.SIGINT, signal.SIGKILL):
        with suppress(psutil.NoSuchProcess):
            orphan.send_signal(moment)
        _, members = psutil.wait_procs(members, timeout=_ORPHAN_PATIENCE)
        if not members:
            return
        for member in members:
            with suppress(psutil.NoSuchProcess):
                member.kill()
    time.sleep(0.1)
