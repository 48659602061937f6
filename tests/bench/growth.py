"""What years cost: a city with a month behind it, and the same city with ten years: `python -m tests.bench growth`.

Each figure is taken twice, of the same pages, people and villages. CPU: of every part that works for it, from `/proc`.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg
import httpx2
import psutil

from deploy.local import ask
from deploy.local.home import Home, free_port
from deploy.local.info import known
from deploy.local.postgres import ADMIN, SERVICES, Postgres
from services.kit.clock import SystemClock
from services.kit.process import open_runtime
from services.publish.__main__ import SERVICE as PUBLISH
from tests.bench import visible
from tests.bench.inflate import YEARS, inflate_city
from tests.bench.report import Section, median, table
from tests.bench.spent import milliseconds_each, spent
from tests.bench.visible import Desk
from tests.bench.wire import Wire
from tests.builders import CITY, TOWNSHIP, VILLAGE
from tests.running import RunningCity, start_city, stop_city

#: A page is asked for until so much time is over, at least so often.
_SECONDS: Final = 1.0
_LEAST: Final = 5
_APPROVALS: Final = 100
_RATE: Final = 10
#: Villages of a nation's prefecture beside those of the city.
WIDER: Final = 56
_MIB: Final = 2**20
_TABLES: Final = ("audit.fact", "audit.outcome", "audit.passed", "publish_read.publication")
#: Records that a rebuild reads of one disclosure: its key, handed in, confirmed, approved.
_RECORDS: Final = 4


class Page(NamedTuple):
    """Something that a person waits for; `who` None is everybody."""

    title: str
    service: str
    who: str | None
    path: str
    bar_ms: int | None = None
    #: Whether it tells of every village of the city.
    wide: bool = False


PAGES: Final = (
    Page("village page, as it was rendered", "publish", None, f"/v/{VILLAGE}"),
    Page("item page F01", "publish", None, f"/v/{VILLAGE}/F01", 10),
    Page("duties of a month", "publish", None, f"/api/v1/villages/{VILLAGE}/duties?period=2026-10", 8),
    Page("duties, all", "publish", None, f"/api/v1/villages/{VILLAGE}/duties?limit=200"),
    Page("disclosures of a village", "publish", None, f"/api/v1/villages/{VILLAGE}/disclosures?limit=50"),
    Page("changes", "publish", None, "/api/v1/changes?limit=200"),
    Page("search", "publish", None, "/search?q=%E6%9D%91"),
    Page("desk of a clerk", "ingest", f"clerk-{VILLAGE}", "/desk", 150),
    Page("desk of an accountant", "ingest", f"accountant-{TOWNSHIP}", "/desk", 150),
    Page("desk of a reviewer", "ingest", f"reviewer-{TOWNSHIP}", "/desk", 150),
    Page("township's table at the desk", "ingest", f"reviewer-{TOWNSHIP}", "/desk/grid", 150),
    Page("grid", "audit", f"inspector-{CITY}", "/inspect/grid", 200, wide=True),
    Page("coverage of a month", "audit", f"inspector-{CITY}", "/audit/v1/coverage?period=2026-10", 200, wide=True),
    Page(
        "coverage of a year",
        "audit",
        f"inspector-{CITY}",
        f"/audit/v1/coverage?division={CITY}&period=2026",
        200,
        wide=True,
    ),
    Page("alerts, page", "audit", f"inspector-{CITY}", "/inspect", 150),
    Page("alerts, open", "audit", f"inspector-{CITY}", "/audit/v1/alerts?state=open&limit=200", 150),
    Page(
        "alerts, all of a village", "audit", f"inspector-{CITY}", f"/audit/v1/alerts?village={VILLAGE}&limit=200", 150
    ),
)


class Figure(NamedTuple):
    """What was measured: the number that grows, in its unit, and what is told beside it."""

    number: float
    unit: str = "ms"
    beside: str = ""

    @property
    def words(self) -> str:
        """As it stands in the table."""
        number = f"{self.number:.1f}" if self.number < 100 else f"{self.number:,.0f}"
        return f"{number} {self.unit}{f' ({self.beside})' if self.beside else ''}"


Figures = dict[str, Figure]


async def look(city: RunningCity, year: int) -> Figures:
    """Every figure of a city as it is; `year`: one in which no village has opened a ledger yet."""
    found: Figures = {}
    for page in PAGES:
        await _ask(city, page, found)
    await _render(city, found)
    await _approve(city, year, found)
    await _midnight(city, found)
    _replay(city, found)
    await _size(city, found)
    return found


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
    found[page.title] = Figure(median(walls), beside=f"{sum(each[p] for p in parts):.1f} ms of CPU")


async def _render(city: RunningCity, found: Figures) -> None:
    """Reading and rendering a village's page and those of its items, in this process."""
    given = known(city.home).settings["publish"]
    values = {name.removeprefix("SANWU_").lower(): value for name, value in given.items()}
    lists = {name: json.loads(value) for name, value in values.items() if value.startswith(("[", "{"))}
    settings = PUBLISH.settings.model_validate({**values, **lists})
    runtime = await open_runtime(PUBLISH, settings, SystemClock())
    bodies = runtime.own.bodies
    try:
        for kind in ("village", "items"):
            subject, loads, renders = (kind, VILLAGE), [], []
            for _ in range(_LEAST + 1):
                started = time.perf_counter()
                async with runtime.database.connection() as conn:
                    loaded = await bodies.load(conn, [subject])
                loads.append((time.perf_counter() - started) * 1e3)
                started = time.process_time()
                bodies.render(loaded, subject)
                renders.append((time.process_time() - started) * 1e3)
            load, render = median(loads[1:]), median(renders[1:])
            found[f"load and render: {kind}"] = Figure(load + render, beside=f"{load:.1f} and {render:.1f} ms")
    finally:
        await runtime.database.close()


async def _approve(city: RunningCity, year: int, found: Figures) -> None:
    """What an approval costs in all parts."""
    async with Wire(city.url, 16) as wire:
        desk = Desk(city, wire)
        waiting = await visible.prepare(desk, [year], _APPROVALS)
        await asyncio.sleep(visible.SETTLE_S)
        before = spent(city.home)
        times, _ = await visible.at_rate(desk, waiting, _RATE)
        await asyncio.sleep(visible.SETTLE_S)
        each = milliseconds_each(before, spent(city.home), len(waiting))
    dearest = ", ".join(f"{part} {ms:.1f}" for part, ms in list(each.items())[:4])
    found[f"approval at {_RATE}/s, all parts"] = Figure(sum(each.values()), "ms of CPU", dearest)
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
    took = spent(city.home)["publish"] - before["publish"]
    await conn.close()
    found["midnight in publish"] = Figure(took * 1e3, "ms of CPU", f"worst lag of its loop {worst * 1e3:.0f} ms")


def _replay(city: RunningCity, found: Figures) -> None:
    """A replay of all that audit heard, as a process of its own."""
    command = [sys.executable, "-m", "services.audit", "replay"]
    started = time.perf_counter()
    process = subprocess.Popen(command, env=known(city.home).environment("audit"), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = process.stdout.read().splitlines()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    beside = f"{used.ru_utime + used.ru_stime:.1f} s of CPU, {said[-1]}"
    found["replay"] = Figure(time.perf_counter() - started, "s", beside)
    found["replay, memory at its most"] = Figure(used.ru_maxrss / 1024, "MB")


async def _size(city: RunningCity, found: Figures) -> None:
    """What rests in tables and in memory."""
    conn = await asyncpg.connect(Postgres(Home(city.home)).dsn(ADMIN))
    found["database"] = Figure(await conn.fetchval("SELECT pg_database_size(current_database())") / _MIB, "MB")
    for table_name in _TABLES:
        if await conn.fetchval("SELECT to_regclass($1)", table_name) is not None:
            size = await conn.fetchval("SELECT pg_total_relation_size($1::regclass)", table_name)
            rows = await conn.fetchval(f"SELECT count(*) FROM {table_name}")
            found[table_name] = Figure(size / _MIB, "MB", f"{rows:,} rows")
    await conn.close()
    for service, pid in sorted(city.service_pids().items()):
        found[f"memory of {service}"] = Figure(psutil.Process(pid).memory_info().rss / _MIB, "MB")


async def _rebuild(city: RunningCity, found: Figures) -> float:
    """The read model anew; returns seconds of each record."""
    told = await ask.ask(known(city.home), "publish", "rebuild", "--check", "--json")
    found["rebuild"] = Figure(told["seconds"], "s", f"{told['records']:,} records")
    return float(told["seconds"] / told["records"])


@contextmanager
def _started(home: Path, port: int) -> Iterator[tuple[RunningCity, Figure]]:
    began = time.perf_counter()
    city = start_city(home, port, "full", patience_s=1500)
    try:
        yield city, Figure(time.perf_counter() - began, "s")
    finally:
        stop_city(city)


def report(month: Figures, decade: Figures) -> str:
    """The table; what stands behind ≈ is worked out, not measured."""
    rows = []
    for name in month | decade:
        before, after = month.get(name), decade.get(name)
        grown = f"{after.number / before.number:.1f}" if before and after and before.number else ""
        wide = _widened(name, before)
        rows.append((name, _words(before), _words(after), grown, wide, _BARS.get(name, "")))
    return table(
        ("what", "one month", f"{YEARS} years", "times", f"{WIDER} times the villages, one month", "bar"), rows
    )


def _words(of: Figure | None) -> str:
    return of.words if of is not None else ""


def _widened(name: str, one: Figure | None) -> str:
    """What it would be with so many villages: what is of one village stays, what is of all of them grows with them."""
    if one is None or name.startswith("memory of"):
        return ""
    times = WIDER if name in _OF_ALL else 1
    return f"≈ {Figure(one.number * times, one.unit).words}"


_OF_ALL: Final = frozenset(
    {p.title for p in PAGES if p.wide} | {"midnight in publish", "replay", "rebuild", "database", *_TABLES}
)
_BARS: Final[Mapping[str, str]] = {
    **{p.title: f"{p.bar_ms} ms" for p in PAGES if p.bar_ms is not None},
    "load and render: village": "6 ms",
    "replay, memory at its most": "600 MB",
    f"approval at {_RATE}/s, all parts": "1.2 times",
    **{f"memory of {service}": "200 MB" for service in SERVICES},
}


def measure(home: Path, port: int) -> Section:
    """A city with its sample; measured, inflated, measured again. Between that it is started again, twice."""
    found: list[Figures] = []
    with _started(home, port) as (city, took):
        found.append({"first start, the sample loaded": took} | asyncio.run(look(city, 2001)))
        each = asyncio.run(_rebuild(city, found[0]))
    with _started(home, port) as (city, took):
        found[0]["start"] = took
        began = time.perf_counter()
        made = asyncio.run(inflate_city(home))
        inflating = time.perf_counter() - began
    with _started(home, port) as (city, took):
        found.append({"start": took} | asyncio.run(look(city, 2002)))
    month, decade = found
    decade["rebuild"] = Figure(each * made * _RECORDS, "s", "≈, by the records")
    text = (
        f"{made:,} disclosures of {YEARS} years in every village were written into the tables of a city that has its sample of a "
        f"month ({inflating:.0f} s). As much is missing in both. Pages: median of the answers that come in {_SECONDS:.0f} s, one after "
        "the other, at the service's own port; CPU: of the service and of PostgreSQL. What stands behind ≈ is worked out from what "
        f"one month measured.\n\n{report(month, decade)}"
    )
    return Section("Growth", text)


def main() -> int:
    """Measure and tell."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        section = measure(Path(folder) / "home", free_port(avoid=set()))
    sys.stdout.write(f"## {section.title}\n\n{section.text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
