"""The supervisor: starts the parts in order, keeps them alive, stops them in reverse.

    postgres → roles → migrations → seed ┐
    kafka → topics                       ┴→ services' processes, gateway → sample → ready

A part that dies, or hangs (`watch`), is started again, with a pause that grows to ten seconds, for
ever. One city per home. What an earlier, killed supervisor left running is ended first, by pid and start time.
"""

import asyncio
import time
import traceback
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import psutil
from rich.console import Console
from rich.markup import escape

from deploy.local import migrate, origin, sample, supervisor, topics, watch
from deploy.local.faults import Fault, told
from deploy.local.gateway import Gateway
from deploy.local.home import Home, is_free, write_json
from deploy.local.info import PORTS, planned
from deploy.local.kafka import Kafka
from deploy.local.part import Part, end_orphans
from deploy.local.postgres import SERVICES, Postgres
from deploy.local.service import Service, Standby, answers, process_names, service_of

#: Stands in a home while a backup is unpacked into it.
UNFINISHED: Final = "restore.unfinished"
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 10.0
_STEADY_SECONDS: Final = 30.0


class City:
    """All parts of one home. `async with home lock` is the caller's."""

    def __init__(self, home: Home, port: int, console: Console) -> None:
        self.home = home
        self.console = console
        self.postgres = Postgres(home)
        self.kafka = Kafka(home)
        self.url = f"http://127.0.0.1:{port}"
        self.info = planned(home, self.url)
        processes = [Service(home, name, partial(self._settings, name)) for name in process_names()]
        self.services = [part for part in processes if part.name in SERVICES]
        self.copies = [part for part in processes if part.name not in SERVICES]
        files = {"SANWU_HOME": str(home.path), "SANWU_HTTP_PORT": str(home.port(Standby.name))}
        self.standby = Standby(home, lambda: files)
        upstreams: dict[str, list[str]] = {}
        for part in (*(p for p in processes if answers(p.name)), self.standby):
            upstreams.setdefault(service_of(part.name), []).append(part.address)
        self.gateway = Gateway(home, port, {name: " ".join(places) for name, places in upstreams.items()})
        self._begun = origin.Origin(origin.DEFAULT)
        self._started: list[Part] = []
        self._keepers: list[asyncio.Task[None]] = []

    def _settings(self, name: str) -> Mapping[str, str]:
        return planned(self.home, self.url).settings[name]

    async def start(self, wanted: str | None) -> None:
        """Start everything; returns when the city is ready and its main job is done, or could not be done."""
        write_json(self.home.path / PORTS, dict(self.info.addresses))
        # Kafka takes the longest to start; what needs PostgreSQL alone is done meanwhile.
        await together(self._fill_postgres(wanted), self._start_kafka())
        await together(*(self._start(part) for part in (*self.services, *self.copies, self.standby, self.gateway)))
        if not self._begun.loaded:
            await self._load()

    async def count(self) -> None:
        """Say what became of a sample that was loaded at an earlier start: nobody waits for that."""
        if self._begun.loaded:
            await self._load()

    async def _fill_postgres(self, wanted: str | None) -> None:
        await self._start_postgres()
        self._begun = begun = await origin.settle(self.home, self.postgres, wanted)
        if wanted not in {None, begun.sample}:
            self._say_at_length(
                f"This home was begun with SANWU_SAMPLE={begun.sample} and stays so: {wanted} needs a SANWU_HOME of its own."
            )
        begin = time.monotonic()
        await self._seed(begun)
        self._begun = origin.note(self.home, replace(begun, seeded=True))
        self._say("seed", begin)

    async def _seed(self, begun: origin.Origin) -> None:
        """Fill the registry; one that is in use only learns new calendars, and serves on without them."""
        try:
            await sample.seed(self.info, begun.sample, known=begun.seeded)
        except Fault as fault:
            if not begun.seeded:
                raise
            self._say_at_length(f"New calendars could not be read; the city starts with those it has. {fault}")

    async def _load(self) -> None:
        """Do the city's main job; whatever stops it, the city serves on."""
        begun = self._begun
        try:
            await sample.run(self.info, begun.sample, known=begun.loaded)
        except Exception as error:  # noqa: BLE001 - whatever it is: people use this city, and the next start tries again
            self._say_at_length(f"The sample is not as planned; the city serves on. {told(error)}")
            if not isinstance(error, Fault):
                log = self.home.logs / "sample.log"
                log.write_text("".join(traceback.format_exception(error)))
                self._say_at_length(f"Where it happened stands in {log}.")
        else:
            origin.note(self.home, replace(begun, loaded=True))

    async def stop(self) -> None:
        """Stop what was started, the last first; the services side by side."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for part in (self.gateway, [*self.services, *self.copies, self.standby], self.kafka, self.postgres):
            parts = part if isinstance(part, list) else [part]
            await asyncio.gather(*(each.stop() for each in parts if each in self._started))

    async def _start_postgres(self) -> None:
        await self._start(self.postgres)
        begin = time.monotonic()
        await migrate.migrate_all(self.postgres)
        self._say("migrations", begin)

    async def _start_kafka(self) -> None:
        await self._start(self.kafka)
        begin = time.monotonic()
        await topics.apply(self.kafka.broker())
        # For `sanwu status`, which has no time to read the contracts.
        write_json(self.home.run / "topics.json", topics.read_by(SERVICES))
        self._say("topics", begin)

    async def _start(self, part: Part) -> None:
        begin = time.monotonic()
        await part.start()
        self._started.append(part)
        self._keepers.append(asyncio.create_task(self._keep(part), name=f"keep {part.name}"))
        self._say(part.name, begin)

    async def _keep(self, part: Part) -> None:
        pause = _FIRST_PAUSE
        since = time.monotonic()
        while True:
            what = await _gone(part)
            if time.monotonic() - since > _STEADY_SECONDS:
                pause = _FIRST_PAUSE
            self._print(f"[yellow]{part.name}[/] {what}, again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            since = time.monotonic()
            try:
                await part.start()
            except Exception as error:  # noqa: BLE001 - whatever it is: a keeper that ends leaves its part to nobody
                self._print(f"[yellow]{part.name}[/] {escape(told(error))}")
            else:
                self._say(part.name, since)

    def _say_at_length(self, sentence: str) -> None:
        self._print(f"[yellow]![/] {escape(sentence)}")

    def _say(self, name: str, begin: float) -> None:
        seconds = time.monotonic() - begin
        self._print(f"  [green]✓[/] {name:<12} {seconds:6.1f} s")

    def _print(self, words: str) -> None:
        """Say something to whoever looks; where nobody can take it (a file on a full disk) the city goes on."""
        with suppress(OSError):
            self.console.print(words, highlight=False, soft_wrap=True)


async def run(home: Home, port: int, wanted: str | None, console: Console) -> None:
    """Start a city in this home and keep it until the task is cancelled. `wanted`: the sample that the setting names, if any."""
    with home.lock():
        if (home.path / UNFINISHED).exists():
            raise Fault(f"{home.path} holds half a restoration: delete the folder and restore again.")
        for name in end_orphans(home):
            console.print(f"  ended {name} of an earlier run", highlight=False)
        home.forget_taken_ports()
        if not is_free(port):
            message = f"Port {port} is in use: set SANWU_PORT to a free port, or stop what listens there."
            raise Fault(message)
        note = supervisor.note(home.run)
        city = City(home, port, console)
        try:
            await city.start(wanted)
            _say_ready(city)
            await city.count()
            await asyncio.Event().wait()
        finally:
            console.print("  stopping …")
            await city.stop()
            note.unlink(missing_ok=True)


async def down(home: Home) -> bool:
    """Stop the city of this home, if one runs; True if it did."""
    if (keeper := supervisor.supervisor_of(home.path)) is not None:
        with suppress(psutil.NoSuchProcess):
            keeper.terminate()
            await asyncio.to_thread(keeper.wait)
        return True
    return bool(end_orphans(home))


async def together(*steps: Coroutine[Any, Any, None]) -> None:
    """Run steps side by side; the first failure ends the others and is raised as itself."""
    tasks = [asyncio.create_task(step) for step in steps]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _gone(part: Part) -> str:
    """Wait until a part is gone, one that hangs by our hand; returns what happened."""
    ended, hangs = asyncio.ensure_future(part.wait()), asyncio.ensure_future(watch.hung(part))
    try:
        await asyncio.wait((ended, hangs), return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            return f"ended ({ended.result()})"
        await part.kill()
        return f"{hangs.result()} and was ended"
    finally:
        for task in (ended, hangs):
            task.cancel()


def _say_ready(city: City) -> None:
    say = city.console.print
    say(f"\n[bold green]ready:[/] {city.url}", highlight=False)
    for path, what in _LINKS:
        say(f"  {city.url}{path:<12} {what}", highlight=False)
    files = (("staff.csv", "user names and passwords"), ("ports.json", "inner addresses"), ("logs", "logs"))
    for name, what in files:
        file: Path = city.home.path / name
        if file.exists():
            say(f"  {file}  {what}", highlight=False, soft_wrap=True)


_LINKS: Final = (
    ("/", "villagers' pages"),
    ("/sign-in", "staff"),
    ("/desk", "clerks and reviewers"),
    ("/inspect", "inspectors"),
    ("/posters", "codes and posters"),
)
