"""How long the desk takes with three and with ten years of a city behind it: `python -m tests.bench.desk`.

One process of ingest answers, in this process, over a PostgreSQL of its own; nothing else runs. Each page is asked for
once to warm up, then in rounds. Told are medians: wall time of the request, CPU of this process, and the longest stretch
for which the loop answered nobody else. It writes `docs/benchmarks-desk.md`.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg
import httpx2
from pydantic import SecretStr

from deploy.local import migrate
from deploy.local.postgres import ADMIN, Postgres
from services.ingest.__main__ import SERVICE
from services.kit import reference
from services.kit.auth import issue_token
from services.kit.clock import FixedClock
from services.kit.process import open_runtime
from tests import builders
from tests.bench import decade
from tests.bench.__main__ import machine
from tests.bench.decade import CITY, TOWNSHIP, VILLAGE
from tests.bench.report import median, table
from tests.running import ROOT

REPORT: Final = ROOT / "docs" / "benchmarks-desk.md"
HEAD: Final = """# The desk after years

Written by `python -m tests.bench.desk`; run it again to measure again (a few minutes, nothing else needs to run). 299
villages and 37 items, every period of three and of ten years in the tables (118,000 and 398,000 disclosures); as much is
open in both, so a page that costs the same reads what it shows and not what was done. One process of ingest answers one
request at a time. Wall: from the request to the answer. CPU: of the process, without PostgreSQL. Longest stretch: for how
long nobody else was answered, the test's own client included. Bar: 150 ms.
"""
ROUNDS: Final = 9
YEARS: Final = (3, 10)
LISTS: Final = "/ingest/v1/disclosures"
DUTIES: Final = "/ingest/v1/duties"
#: Who asks for what.
PAGES: Final = (
    (f"clerk-{VILLAGE}", "/desk"),
    (f"accountant-{TOWNSHIP}", "/desk"),
    (f"accountant-{TOWNSHIP}", f"/desk?village={VILLAGE}"),
    (f"accountant-{CITY}", "/desk"),
    (f"supervisor-{VILLAGE}", "/desk"),
    (f"principal-{VILLAGE}", "/desk"),
    (f"reviewer-{TOWNSHIP}", "/desk"),
    (f"reviewer-{TOWNSHIP}", "/desk/grid"),
    (f"reviewer-{TOWNSHIP}", "/desk/grid?month=2024-03"),
    (f"reviewer-{TOWNSHIP}", f"/desk/grid?township={VILLAGE}"),
    (f"department-{CITY}", "/desk/grid"),
    (f"department-{CITY}", f"/desk/grid?township={CITY}"),
    (f"reviewer-{TOWNSHIP}", "/desk/urge"),
    (f"inspector-{CITY}", f"/desk/urge?township={CITY}"),
    (f"reviewer-{TOWNSHIP}", "/desk/list"),
    (f"department-{CITY}", "/desk/list"),
    (f"clerk-{VILLAGE}", "/desk/list?item=F01"),
    (f"reviewer-{TOWNSHIP}", "/desk/quarters"),
    (f"department-{CITY}", "/desk/quarters"),
    (f"clerk-{VILLAGE}", f"{DUTIES}"),
    (f"clerk-{VILLAGE}", f"{DUTIES}?period=2026-10"),
    (f"reviewer-{TOWNSHIP}", f"{DUTIES}?limit=200"),
    (f"reviewer-{TOWNSHIP}", f"{DUTIES}?period=2026-10&limit=200"),
    (f"department-{CITY}", f"{DUTIES}?limit=200"),
    (f"department-{CITY}", f"{DUTIES}?period=2026-10&limit=200"),
    (f"department-{CITY}", f"{DUTIES}?state=not_opened&limit=200"),
    (f"department-{CITY}", f"{DUTIES}?state=waived&limit=200"),
    (f"department-{CITY}", f"{DUTIES}?period=2026-10&state=questioned&limit=200"),
    (f"clerk-{VILLAGE}", LISTS),
    (f"clerk-{VILLAGE}", f"{LISTS}?item=F01&limit=200"),
    (f"clerk-{VILLAGE}", f"{LISTS}?period=2025-10&limit=200"),
    (f"reviewer-{TOWNSHIP}", f"{LISTS}?limit=200"),
    (f"reviewer-{TOWNSHIP}", f"{LISTS}?item=P06&limit=200"),
    (f"reviewer-{TOWNSHIP}", f"{LISTS}?state=returned"),
    (f"department-{CITY}", f"{LISTS}?limit=200"),
    (f"department-{CITY}", f"{LISTS}?item=F01&period=2024-03&limit=200"),
    (f"department-{CITY}", f"{LISTS}?period=2024-03&limit=200"),
    (f"department-{CITY}", f"{LISTS}?item=P06&limit=200"),
    (f"department-{CITY}", f"{LISTS}?item=P06&state=returned&limit=200"),
    (f"department-{CITY}", f"{LISTS}?item=P09&limit=200"),
    (f"department-{CITY}", f"{LISTS}?state=submitted&limit=200"),
    (f"department-{CITY}", f"{LISTS}?state=withdrawn&limit=200"),
)


class Cost(NamedTuple):
    """What one request took, in milliseconds."""

    wall: float
    cpu: float
    stretch: float


class _Pulse:
    """Notes the longest time between two turns of the loop."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = time.perf_counter()

    async def beat(self) -> None:
        while True:
            self._last = time.perf_counter()
            await asyncio.sleep(0)
            self.longest = max(self.longest, time.perf_counter() - self._last)


async def _ask(client: httpx2.AsyncClient, path: str, headers: dict[str, str]) -> Cost:
    """Ask twice: the pulse takes time of its own."""
    pulse = _Pulse()
    task = asyncio.create_task(pulse.beat())
    await asyncio.sleep(0)
    (await client.get(path, headers=headers)).raise_for_status()
    task.cancel()
    wall, cpu = time.perf_counter(), time.process_time()
    await client.get(path, headers=headers)
    return Cost((time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3, pulse.longest * 1e3)


async def measure(dsn: str, years: int, only: str = "") -> dict[tuple[str, str], Cost]:
    """The medians of every page, on a database that holds so many years."""
    values = {"database_url": SecretStr(dsn), "http_port": 0, "home": Path(tempfile.gettempdir())}
    values |= {"kafka": "", "kafka_username": "ingest", "kafka_password": "none", **builders.ROOT_SETTINGS}
    runtime = await open_runtime(SERVICE, SERVICE.settings.model_validate(values), FixedClock(builders.NOW))
    of = decade.span(years)
    async with runtime.database.transaction() as conn:
        for event in decade.reference_events(of):
            await reference.project(conn, event)
    await runtime.reference.refresh()
    transport = httpx2.ASGITransport(app=SERVICE.create_app(runtime))
    found: dict[tuple[str, str], list[Cost]] = {}
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        for n in range(ROUNDS + 1):
            for who, path in PAGES:
                if only not in path:
                    continue
                token = issue_token(builders.SIGNING_KEY, builders.SIGNER_KID, builders.staff_id(who), builders.NOW)
                cost = await _ask(client, path, {"authorization": f"Bearer {token}", "accept": "text/html"})
                if n:
                    found.setdefault((who, path), []).append(cost)
    await runtime.database.close()
    return {page: Cost(*(median(column) for column in zip(*costs, strict=True))) for page, costs in found.items()}


async def _filled(pg: Postgres, years: int) -> str:
    """A database of so many years, brought from the first tables to the newest as a running city is."""
    name = f"years_{years}"
    await pg.copy_database(name)
    await decade.fill(pg.dsn(ADMIN, name), decade.span(years))
    conn = await asyncpg.connect(pg.dsn(ADMIN, name))
    await conn.execute("VACUUM ANALYZE")
    await conn.close()
    return pg.dsn("ingest", name)


_REACH: Final = {12: "village", 9: "township", 6: "city"}


def report(costs: Sequence[dict[tuple[str, str], Cost]]) -> str:
    """The table: a row a page, for each number of years wall, CPU and longest stretch."""
    head = ["who", "page", *(f"{y} years: wall, CPU, longest stretch" for y in YEARS)]
    rows = []
    for who, path in costs[0]:
        role, code = who.split("-", 1)
        told = (f"{c.wall:.1f}, {c.cpu:.1f}, {c.stretch:.1f} ms" for c in (of[who, path] for of in costs))
        rows.append((f"{role} ({_REACH[len(code)]})", f"`{path}`", *told))
    return table(head, rows)


async def _measure_all(home: Path) -> list[dict[tuple[str, str], Cost]]:
    async with Postgres(home) as pg:
        await migrate.migrate_all(pg)
        return [await measure(await _filled(pg, years), years) for years in YEARS]


def main() -> int:
    """Make the years, measure, print."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        costs = asyncio.run(_measure_all(Path(folder)))
    REPORT.write_text(f"{HEAD}\n{machine()}\n{report(costs)}", encoding="utf-8")
    sys.stdout.write(REPORT.read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
