"""Entering and submitting one ledger of 20 lines, against a plain FastAPI application and pgbench on the same rows and SQL."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import psutil

from deploy.local import migrate
from deploy.local.home import Home, free_port
from deploy.local.info import known
from deploy.local.postgres import ADMIN, Postgres
from deploy.local.sample.ledgers import ledger
from tests.bench import pgbench
from tests.bench.load import LoadError, wrk
from tests.bench.pace import PACE_WORDS, pace_ms, paces_words
from tests.bench.report import Figure, Section, median, spread, table
from tests.bench.spent import milliseconds_each, seconds_of, spent
from tests.running import RunningCity, paused
from tests.trails import lay_trail

CLIENTS = 8
SECONDS = 6
ROUNDS = 5
TOWNSHIP = "210881006"
#: Ledgers that one wrk asks for; more than a round can eat.
CELLS = 3000
PEER = "bench"
READY_S = 30.0


def body_of_20_lines() -> dict[str, Any]:
    """A ledger with exactly 20 lines that adds up."""
    for year in range(2016, 2026):
        for month in range(1, 13):
            period = f"{year}-{month:02}"
            body = ledger("210881006206", period, period)
            if len(body["lines"]) == 20:
                for line in body["lines"]:
                    line["date"] = "2000-01-01"
                return body
    message = "no month of the sample has 20 lines"
    raise LookupError(message)


_LUA = """
local cells = {cells}
local n = 0
local ready = {{}}
local head = {{ ["Authorization"] = "Bearer {token}", ["Content-Type"] = "application/json" }}
local keyed = {{ ["Authorization"] = "Bearer {token}", ["Content-Type"] = "application/json" }}
local tail = [[{tail}]]
request = function()
  local id = table.remove(ready)
  if id ~= nil then
    return wrk.format("POST", "/ingest/v1/disclosures/" .. id .. "/submit", head, [[{submit}]])
  end
  n = n + 1
  keyed["Idempotency-Key"] = "bench-{year}-" .. n
  return wrk.format("POST", "/ingest/v1/disclosures", keyed, cells[n] .. tail)
end
response = function(status, headers, body)
  if status == 201 then
    table.insert(ready, string.match(body, '"id":"([^"]+)"'))
  end
end
"""


class Side(NamedTuple):
    """Somebody who takes ledgers: where, and where they are counted."""

    urls: Sequence[str]
    dsn: str


@dataclass(slots=True)
class Rates:
    """Ledgers a second of each round, and processor time of each ledger."""

    ours: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    pgbench: list[float] = field(default_factory=list)
    costs: list[dict[str, float]] = field(default_factory=list)
    plain_ms: list[float] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)
    paces: list[float] = field(default_factory=list)

    def row(self, name: str, rates: list[float], bar: str = "") -> tuple[str, ...]:
        """Somebody's figures, and how ours compare round by round."""
        pairs = [ours / theirs for ours, theirs in zip(self.ours, rates, strict=True)]
        ratio = f"**{median(pairs):.2f}** ({spread(pairs, '.2f')})" if bar else ""
        return (name, f"{median(rates):,.0f}", spread(rates, ",.0f"), ratio, bar)

    def parts(self) -> dict[str, float]:
        """Milliseconds of each part, medians of the rounds, the dearest first."""
        each = {part: median([cost.get(part, 0.0) for cost in self.costs]) for part in self.costs[0]}
        return dict(sorted(each.items(), key=lambda item: -item[1]))


async def measure(city: RunningCity) -> Section:
    """Alternate ingest, the plain application and pgbench on the same server."""
    await _make_peer(city)
    rates = Rates()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ingest, scripts = await prepare(city, folder, ROUNDS)
        urls = ingest.urls
        with paused(city, "registry", "publish", "audit", "qr"):
            async with _plain(city, len(urls)) as (plain, processes):
                for n in range(ROUNDS):
                    of_round = scripts[n * len(urls) : (n + 1) * len(urls)]
                    rates.loads.append(os.getloadavg()[0])
                    rates.paces.append(pace_ms())
                    await _round(city, rates, ingest, of_round)
                    await _plain_round(rates, plain, of_round, processes)
                    peer = asyncio.to_thread(pgbench.ledgers_a_second, folder, plain.dsn, CLIENTS, SECONDS)
                    rates.pgbench.append(await peer)
    return Section("Submit one ledger of 20 lines", _text(rates, len(urls)), _figures(rates))


async def prepare(city: RunningCity, folder: Path, rounds: int) -> tuple[Side, Sequence[Path]]:
    """Ingest, and a script for each of its processes and rounds; tokens are got before anything is paused."""
    urls = [url for name, url in city.addresses().items() if name.partition("-")[0] == "ingest"]
    ingest = Side(urls, _dsn(city))
    villages = await _villages(ingest)
    return ingest, await asyncio.to_thread(_write, folder, city, villages, rounds * len(urls))


def _figures(rates: Rates) -> list[Figure]:
    ratios = {"pgbench": (rates.pgbench, "0.2"), "plain FastAPI": (rates.plain, "0.8")}
    found = [
        Figure(f"submit to {who}", median([a / b for a, b in zip(rates.ours, of, strict=True)]), f"at least {bar}")
        for who, (of, bar) in ratios.items()
    ]
    return [*found, Figure("processor time of ingest for a ledger", _of_ingest(rates.parts()), "at most 4.2 ms", "ms")]


def _of_ingest(cost: dict[str, float]) -> float:
    return sum(ms for part, ms in cost.items() if part.partition("-")[0] == "ingest")


def _text(rates: Rates, processes: int) -> str:
    cost = rates.parts()
    ingest = _of_ingest(cost)
    rows = [
        rates.row("ingest", rates.ours),
        rates.row("plain FastAPI", rates.plain, "0.8"),
        rates.row("pgbench", rates.pgbench, "0.2"),
    ]
    head = ("who", "ledgers/s (median)", "spread", "ingest's ratio to it (median of pairs)", "bar")
    named = ", ".join(f"{part} {ms:.2f}" for part, ms in cost.items() if ms >= 0.05)
    loads = ", ".join(f"{load:.1f}" for load in rates.loads)
    return (
        "One ledger = a request that makes the draft and one that submits it: sign-in token checked, gate, findings, sealed "
        f"content, outbox. {CLIENTS} connections, {ROUNDS} alternating rounds of {SECONDS} s; ingest has {processes} processes, "
        "and so has the plain FastAPI application: the same rows of disclosure, edition, key, answer and trail by the same "
        "statements, the same models, the same server in front; nobody signs in, nothing is looked for in the content, no "
        f"event is said. pgbench: {CLIENTS} clients, prepared statements, all of ingest's statements with the outbox. The other "
        "four services are paused meanwhile; ingest's relay and Kafka work.\n\n"
        f"{table(head, rows)}\n"
        f"Processor time of a ledger: ingest **{ingest:.2f} ms** (bar: 4.2), plain FastAPI {median(rates.plain_ms):.2f} ms. "
        f"Of each part: {named}. Load of the machine before each round: {loads}. {PACE_WORDS} Before the rounds "
        f"{paces_words(rates.paces)}: ingest {ingest / median(rates.paces):.2f} paces.\n"
    )


async def _make_peer(city: RunningCity) -> None:
    """A database with ingest's own tables, migrated as ingest's are, that no relay looks into."""
    server = Postgres(Home(city.home))
    admin = await asyncpg.connect(server.dsn(ADMIN))
    try:
        await admin.execute(f"CREATE DATABASE {PEER}")
    finally:
        await admin.close()
    admin = await asyncpg.connect(server.dsn(ADMIN, PEER))
    try:
        await admin.execute("CREATE SCHEMA ingest AUTHORIZATION ingest")
        await lay_trail(admin)
    finally:
        await admin.close()
    await migrate.migrate("ingest", server.dsn("ingest", PEER))


def _dsn(city: RunningCity, database: str = "sanwu") -> str:
    """How ingest itself reaches the server, or another database there."""
    return known(city.home).settings["ingest"]["SANWU_DATABASE_URL"].replace("/sanwu", f"/{database}", 1)


@asynccontextmanager
async def _plain(city: RunningCity, count: int) -> AsyncIterator[tuple[Side, list[psutil.Process]]]:
    """So many processes of the plain application."""
    ports = [free_port(set()) for _ in range(count)]
    side = Side([f"http://127.0.0.1:{port}" for port in ports], _dsn(city, PEER))
    environment = {**known(city.home).environment("ingest"), "SANWU_DATABASE_URL": side.dsn}
    started = [_start_plain(port, environment) for port in ports]
    try:
        for port in ports:
            await asyncio.to_thread(_await_port, port)
        yield side, [psutil.Process(p.pid) for p in started]
    finally:
        for process in started:
            process.terminate()
            process.wait(20)


def _start_plain(port: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.bench.plain", str(port)], env=environment)


def _await_port(port: int) -> None:
    give_up = time.monotonic() + READY_S
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.1)


async def _villages(ingest: Side) -> list[str]:
    conn = await asyncpg.connect(ingest.dsn)
    try:
        rows = await conn.fetch("SELECT key FROM reference WHERE kind = 'division' AND key LIKE $1", f"{TOWNSHIP}___")
        return [r["key"] for r in rows]
    finally:
        await conn.close()


def _write(folder: Path, city: RunningCity, villages: list[str], count: int) -> list[Path]:
    """So many scripts for wrk, and the one of pgbench."""
    body = body_of_20_lines()
    pgbench.write(folder, body)
    return [_script(folder, city, villages, body, n) for n in range(count)]


def _script(folder: Path, city: RunningCity, villages: list[str], body: dict[str, Any], n: int) -> Path:
    """What one wrk asks for: cells that no other asks for, on-event periods, a day each."""
    year, heads = 2010 + n, []
    for cell in range(CELLS):
        day = cell // len(villages)
        period = f"{year}-{day // 28 % 12 + 1:02}-{day % 28 + 1:02}"
        head = {"village": villages[cell % len(villages)], "item": "F07", "period": period}
        heads.append(f"[[{json.dumps(head)[:-1]}, ]]")
    script = folder / f"year-{year}.lua"
    script.write_text(
        _LUA.format(
            cells="{" + ",\n".join(heads) + "}",
            token=city.token(f"reviewer-{TOWNSHIP}"),
            tail=f'"body": {json.dumps(body, ensure_ascii=False)}}}',
            submit='{"version": 1, "accept": []}',
            year=year,
        )
    )
    return script


async def _round(city: RunningCity, rates: Rates, ingest: Side, scripts: Sequence[Path]) -> None:
    before = spent(city.home)
    count = await load(ingest, scripts)
    # What is relayed afterwards counts too.
    await asyncio.sleep(1)
    rates.ours.append(count / SECONDS)
    rates.costs.append(milliseconds_each(before, spent(city.home), count))


async def _plain_round(rates: Rates, plain: Side, scripts: Sequence[Path], processes: Sequence[psutil.Process]) -> None:
    before = sum(map(seconds_of, processes))
    count = await load(plain, scripts)
    rates.plain.append(count / SECONDS)
    rates.plain_ms.append(1000 * (sum(map(seconds_of, processes)) - before) / count)


async def load(side: Side, scripts: Sequence[Path]) -> int:
    """How many ledgers are handed in meanwhile, counted in the table, not by wrk."""
    conn = await asyncpg.connect(side.dsn)
    try:
        count = "SELECT count(*) FROM disclosure WHERE state <> 'draft' AND saved_by <> 'pgbench'"
        before = await conn.fetchval(count)
        await asyncio.to_thread(_all_wrk, side.urls, scripts)
        handed_in = int(await conn.fetchval(count)) - int(before)
    finally:
        await conn.close()
    if handed_in == 0:
        message = "no ledger was handed in"
        raise LoadError(message)
    return handed_in


def _all_wrk(urls: Sequence[str], scripts: Sequence[Path]) -> None:
    """A wrk for each process, side by side."""
    share = CLIENTS // len(urls)
    with ThreadPoolExecutor(len(urls)) as threads:
        running = [
            threads.submit(wrk, url, connections=share, seconds=SECONDS, script=script)
            for url, script in zip(urls, scripts, strict=True)
        ]
        for each in running:
            each.result()
