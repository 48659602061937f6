"""What years cost: a city with a month behind it, and the same city with ten years: `python -m tests.bench growth [HOME]`.

Each figure is taken twice, of the same pages, people and villages. CPU: of every part that works for it, from `/proc`. What
is found is kept beside the home at once (`growth_notes`): a run that was ended goes on where it was.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import asyncpg
import httpx2
import psutil

from deploy.local import ask
from deploy.local.home import Home, free_port
from deploy.local.info import known
from deploy.local.postgres import ADMIN, Postgres
from deploy.local.service import service_of
from services.kit.clock import SystemClock
from services.kit.process import open_runtime
from services.publish.__main__ import SERVICE as PUBLISH
from tests.bench import visible
from tests.bench.growth_notes import (
    CPU,
    PAGES,
    RATE,
    TABLES,
    TITLE,
    WIDER,
    Figure,
    Figures,
    Notes,
    Page,
    barred,
    report,
)
from tests.bench.inflate import YEARS, inflate_city
from tests.bench.pace import PACE_WORDS, Pace
from tests.bench.report import Section, median
from tests.bench.spent import milliseconds_each, seconds_of, spent
from tests.bench.visible import Desk
from tests.bench.wire import Wire
from tests.builders import VILLAGE
from tests.running import RunningCity, start_city, stop_city

#: A page is asked for until so much time is over, at least so often.
_SECONDS: Final = 1.0
_LEAST: Final = 20
_RENDERS: Final = 30
_APPROVALS: Final = 100
_MIB: Final = 2**20
#: Records that a rebuild reads of one disclosure: its key, handed in, confirmed, approved.
_RECORDS: Final = 4
_EACH: Final = "rebuild, each record"
#: A machine that has other work too.
_PATIENCE_S: Final = 7200


async def look(city: RunningCity, year: int, found: Figures) -> None:
    """Every figure of a city as it is that is not known yet; `year`: one in which no village has opened a ledger yet."""
    # What a start leaves to be done is none of a page's.
    await visible.settled(city)
    for page in PAGES:
        if page.title not in found:
            await _ask(city, page, found)
    steps: dict[str, Callable[[RunningCity, Figures], Awaitable[None]]] = {
        "load and render: items": render,
        "approve → visible, p50": partial(_approve, year),
        "memory of registry": _size,
        "midnight in publish": _midnight,
        # Last, for it takes the longest.
        "replay, memory at its most": _replay,
    }
    for last, step in steps.items():
        if last not in found:
            await step(city, found)


async def _ask(city: RunningCity, page: Page, found: Figures) -> None:
    """Wall time of a page, and the processor time of its service and of PostgreSQL."""
    url, parts = city.addresses()[page.service], (page.service, "postgres")
    headers = {"accept": "text/html"} if "/v1/" not in page.path else {}
    if page.who is not None:
        headers["authorization"] = f"Bearer {await asyncio.to_thread(city.token, page.who)}"
    async with httpx2.AsyncClient(base_url=url, timeout=60) as client:
        answer = await client.get(page.path, headers=headers)
        if not answer.is_success:
            return
        before, until = spent(city.home), time.perf_counter() + _SECONDS
        walls: list[float] = []
        while time.perf_counter() < until or len(walls) < _LEAST:
            started = time.perf_counter()
            (await client.get(page.path, headers=headers)).raise_for_status()
            walls.append((time.perf_counter() - started) * 1e3)
        each = milliseconds_each(before, spent(city.home), len(walls))
    # What stays true while others use the machine comes first.
    found[page.title] = Figure(sum(each[p] for p in parts), CPU, f"answered in {median(walls):.0f} ms")


async def render(
    city: RunningCity, found: Figures, times: int = _RENDERS, kinds: Sequence[str] = ("village", "items")
) -> None:
    """Reading and rendering a village's page and those of its items, in this process, so many times each."""
    given = known(city.home).settings["publish"]
    values = {name.removeprefix("SANWU_").lower(): value for name, value in given.items()}
    lists = {name: json.loads(value) for name, value in values.items() if value.startswith(("[", "{"))}
    settings = PUBLISH.settings.model_validate({**values, **lists})
    runtime = await open_runtime(PUBLISH, settings, SystemClock())
    bodies = runtime.own.bodies
    try:
        for kind in kinds:
            subject, ours, renders = (kind, VILLAGE), 0.0, 0.0
            before = spent(city.home)
            for _ in range(times):
                started = time.process_time()
                async with runtime.database.connection() as conn:
                    loaded = await bodies.load(conn, [subject])
                ours += time.process_time() - started
                started = time.process_time()
                bodies.render(loaded, subject)
                renders += time.process_time() - started
            theirs = milliseconds_each(before, spent(city.home), times)["postgres"]
            load, render = ours / times * 1e3 + theirs, renders / times * 1e3
            found[f"load and render: {kind}"] = Figure(load + render, CPU, f"{load:.1f} and {render:.1f} ms")
    finally:
        await runtime.database.close()


async def _approve(year: int, city: RunningCity, found: Figures) -> None:
    """What an approval costs in all parts."""
    async with Wire(city.url, 16) as wire:
        desk = Desk(city, wire)
        waiting = await visible.prepare(desk, [year], _APPROVALS)
        await visible.settled(city)
        before = spent(city.home)
        async with Pace() as pace:
            times, _ = await visible.at_rate(desk, waiting, RATE)
            await visible.settled(city)
        each = milliseconds_each(before, spent(city.home), len(waiting))
    dearest = ", ".join(f"{part} {ms:.1f}" for part, ms in list(each.items())[:4])
    found[f"approval at {RATE}/s, all parts"] = Figure(sum(each.values()), CPU, dearest, pace.ms)
    found["approve → visible, p50"] = Figure(median(times) * 1e3)


async def _midnight(city: RunningCity, found: Figures) -> None:
    """Every village's page anew, as when a day begins, and the longest time for which publish answered nobody."""
    conn = await asyncpg.connect(Postgres(Home(city.home)).dsn(ADMIN))
    before, worst = spent(city.home), 0.0
    await conn.execute("DELETE FROM publish.marked_day")
    async with httpx2.AsyncClient(base_url=city.addresses()["publish"], timeout=60) as client:
        left: int | None = None
        while left != 0:
            await asyncio.sleep(1)
            told = (await client.get("/livez")).json()
            worst = max(worst, told["event_loop"]["worst_lag_seconds"])
            marked = await conn.fetchval("SELECT count(*) FROM publish.marked_day")
            left = await conn.fetchval("SELECT count(*) FROM publish.dirty WHERE kind = 'village'") if marked else None
    after = spent(city.home)
    took = sum(after[part] - before[part] for part in after if service_of(part) == "publish")
    await conn.close()
    found["midnight in publish"] = Figure(
        took * 1e3, "ms of CPU", f"worst lag of its readers' loop {worst * 1e3:.0f} ms"
    )


async def _replay(city: RunningCity, found: Figures) -> None:
    """A replay of all that audit heard."""
    await asyncio.to_thread(_replay_now, city, found)


def _replay_now(city: RunningCity, found: Figures) -> None:
    """As a process of its own, for whose end this one waits: so its memory at the most is told."""
    command = [sys.executable, "-m", "services.audit", "replay"]
    started = time.perf_counter()
    process = subprocess.Popen(command, env=known(city.home).environment("audit"), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = process.stdout.read().splitlines()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    beside = f"in {time.perf_counter() - started:.0f} s, {', '.join(said[-2:])}"
    found["replay"] = Figure(used.ru_utime + used.ru_stime, "s of CPU", beside)
    found["replay, memory at its most"] = Figure(used.ru_maxrss / 1024, "MB")


async def _size(city: RunningCity, found: Figures) -> None:
    """What rests in tables and in memory."""
    conn = await asyncpg.connect(Postgres(Home(city.home)).dsn(ADMIN))
    found["database"] = Figure(await conn.fetchval("SELECT pg_database_size(current_database())") / _MIB, "MB")
    for table_name in TABLES:
        if await conn.fetchval("SELECT to_regclass($1)", table_name) is not None:
            size = await conn.fetchval("SELECT pg_total_relation_size($1::regclass)", table_name)
            rows = await conn.fetchval(f"SELECT count(*) FROM {table_name}")
            found[table_name] = Figure(size / _MIB, "MB", f"{rows:,} rows")
    await conn.close()
    for service, pid in sorted(city.service_pids().items()):
        found[f"memory of {service}"] = Figure(psutil.Process(pid).memory_info().rss / _MIB, "MB")


async def _rebuild(city: RunningCity, found: Figures) -> None:
    """The read model anew."""
    told = await ask.ask(known(city.home), "publish", "rebuild", "--check", "--json")
    found["rebuild"] = Figure(told["seconds"], "s", f"{told['records']:,} records")
    found[_EACH] = Figure(told["seconds"] / told["records"] * 1e3, "ms")


@contextmanager
def _started(home: Path, port: int, found: Figures, called: str) -> Iterator[RunningCity]:
    before, began = sum(seconds_of(p) for p in _mine()), time.perf_counter()
    city = start_city(home, port, "full", patience_s=_PATIENCE_S)
    try:
        if called not in found:
            took = time.perf_counter() - began
            cpu = sum(spent(home).values()) + sum(seconds_of(p) for p in _mine()) - before
            found[called] = Figure(cpu, "s of CPU", f"in {took:.0f} s, load {os.getloadavg()[0]:.1f}")
        yield city
    finally:
        stop_city(city)


def _mine() -> list[psutil.Process]:
    """The supervisor that this process started, if it did; its parts are counted by their notes."""
    return [p for p in psutil.Process().children() if "deploy.local" in p.cmdline()]


def measure(home: Path, port: int) -> Section:
    """A city with its sample; measured, inflated, measured again. Between that it is started again, twice."""
    notes = Notes(home.with_name(f"{home.name}.growth.json"))
    month, decade = notes.stage("one month"), notes.stage("ten years")
    if not notes.made:
        with _started(home, port, month, "first start, the sample loaded") as city:
            asyncio.run(look(city, notes.year(), month))
            if _EACH not in month:
                asyncio.run(_rebuild(city, month))
        with _started(home, port, month, "start") as city:
            began = time.perf_counter()
            made = asyncio.run(inflate_city(home))
            notes.inflated(made, time.perf_counter() - began)
    with _started(home, port, decade, "start") as city:
        asyncio.run(look(city, notes.year(), decade))
    return told(notes)


def told(notes: Notes) -> Section:
    """The section of what was found so far."""
    month, decade = notes.stage("one month"), notes.stage("ten years")
    if notes.made:
        decade["rebuild"] = Figure(month[_EACH].number * notes.made * _RECORDS / 1e3, "s", "≈, by the records")
        began = (
            f"{notes.made:,} disclosures of {YEARS} years in every village were written into the tables of a city that has its sample of "
            f"a month ({notes.inflating_s:.0f} s). As much is missing in both. What a replay then gains are openings of the sample's months "
            "beside the closings of written ones, which the stream was never told of. "
        )
    else:
        began = f"**{YEARS} years were not measured yet**, only a city that has its sample of a month. "
    text = (
        f"{began}Pages: asked for one after the other, for {_SECONDS:.0f} s and {_LEAST} times at the least, at the service's own port; CPU: of "
        "the service and of PostgreSQL, and it is what the bars are held against, for it stays true while others use the machine. Load of the machine while one month was measured: "
        f"{notes.loads('one month')}; ten years: {notes.loads('ten years')}; a pace {notes.paces('one month')} ms and {notes.paces('ten years')} ms (0: not noted). {PACE_WORDS} Times are at the pace. What stands behind ≈ was not measured: it is worked out from "
        f"what one month of 299 villages measured, for {WIDER} times as many; what is of one village stays, what is of all of them grows "
        f"with their number.\n\n{report(month, decade)}"
    )
    return Section(TITLE, text, barred(month, decade))


def run(home: Path | None = None) -> Section:
    """Measure in a home that is kept, or in one that is not."""
    if home is not None:
        return measure(home.absolute(), free_port(avoid=set()))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        return measure(Path(folder) / "home", free_port(avoid=set()))
