"""From approval to the public page, polled from outside on the public address, at a constant rate of approvals."""

import asyncio
import json
import os
import time
from collections.abc import Sequence
from typing import Any

import asyncpg

from deploy.local.home import Home
from deploy.local.postgres import ADMIN, Postgres
from deploy.local.sample.ledgers import ledger
from deploy.local.sample.main_job import quantile
from tests.bench.load import LoadError
from tests.bench.pace import PACE_WORDS, Pace
from tests.bench.report import Figure, Section, table
from tests.bench.spent import milliseconds_each, spent
from tests.bench.wire import Wire
from tests.running import RunningCity

RATES = (25, 50)
COUNT = 1000
POLL_S = 0.1
SETTLE_S = 5.0
SETTLED_S = 900.0
#: Parts that take less are not named.
LEAST_MS = 0.1
QUANTILES = (0.5, 0.9, 0.99, 1.0)
PATH = "/ingest/v1/disclosures"
#: Months that the sample leaves free; every village of the township gets each.
YEARS = range(2012, 2022)
TOWNSHIPS = 10


class Desk:
    """People of some townships with their tokens, over the gateway."""

    def __init__(self, city: RunningCity, wire: Wire) -> None:
        self.city = city
        self.wire = wire
        self._tokens: dict[str, tuple[str, float]] = {}

    async def post(self, path: str, user: str, body: Any) -> Any:
        """A 2xx answer's JSON."""
        headers = f"Authorization: Bearer {await self.token(user)}\r\nContent-Type: application/json\r\n"
        status, answer = await self.wire.ask("POST", path, headers, json.dumps(body).encode())
        if status not in {200, 201}:
            raise LoadError(answer.decode())
        return json.loads(answer)

    async def token(self, user: str) -> str:
        """A fresh enough token."""
        token, until = self._tokens.get(user, ("", 0.0))
        if time.monotonic() > until:
            token = await asyncio.to_thread(self.city.token, user)
            self._tokens[user] = (token, time.monotonic() + 600)
        return token


async def measure(city: RunningCity) -> Section:
    """Prepare confirmed ledgers, then approve them at the rate and poll each page."""
    async with Wire(city.url, 64) as wire:
        desk = Desk(city, wire)
        waiting = await prepare(desk, YEARS, COUNT // len(YEARS))
        share = len(waiting) // len(RATES)
        rows, costs, figures = [], [], []
        for number, rate in enumerate(RATES):
            await settled(city)
            before, load = spent(city.home), os.getloadavg()[0]
            async with Pace() as pace:
                times, took = await at_rate(desk, waiting[number * share : (number + 1) * share], rate)
            # What is done of it where nobody waits for it counts too, and nothing that was left of before.
            await settled(city)
            each = milliseconds_each(before, spent(city.home), share)
            seconds = (f"{quantile(times, q):.3f} s" for q in QUANTILES)
            rows.append((f"{rate}/s", f"{share}", f"{took:.1f} s", *seconds, f"{load:.1f}"))
            figures += [
                Figure(f"approve → visible at {rate}/s, p50", quantile(times, 0.5), "at most 0.3 s", "s"),
                Figure(f"approve → visible at {rate}/s, p99", quantile(times, 0.99), "at most 1 s", "s"),
                Figure(f"processor time of an approval at {rate}/s", sum(each.values()), "at most 32 ms", "ms"),
                Figure(f"the same at {rate}/s, in paces of the machine", sum(each.values()) / pace.ms, "–"),
            ]
            parts = ", ".join(f"{part} {ms:.1f}" for part, ms in each.items() if ms >= LEAST_MS)
            costs.append(
                (f"{rate}/s", f"**{sum(each.values()):.1f}**", pace.words, f"{sum(each.values()) / pace.ms:.1f}", parts)
            )
    text = (
        f"Approvals at a constant rate, each page polled every {POLL_S * 1000:.0f} ms through the gateway "
        "from the moment the approval was answered, so nothing is seen before that; client, gateway, five services, Kafka and "
        "PostgreSQL share the two cores. Bars: p50 at most 0.3 s and p99 at most 1 s at 50/s; 32 ms of processor time each.\n\n"
        f"{table(('rate', 'approvals', 'done in', 'p50', 'p90', 'p99', 'worst', 'load before'), rows)}\n"
        "Processor time of an approval in all parts, until all pages that it changes were made. "
        f"{PACE_WORDS}\n\n{table(('rate', 'ms each', 'pace meanwhile', 'paces each', 'of it'), costs)}"
    )
    return Section("Approve → visible", text, figures)


async def settled(city: RunningCity) -> None:
    """Wait until every page is made, of the whole city too, and until what gathers has come."""
    conn = await asyncpg.connect(Postgres(Home(city.home)).dsn(ADMIN))
    try:
        async with asyncio.timeout(SETTLED_S):
            # Looked at twice: a city that has just started marks all its pages a moment later.
            left = 1
            while left:
                while await conn.fetchval("SELECT count(*) FROM publish.dirty"):  # noqa: ASYNC110 - another process's
                    await asyncio.sleep(1.0)
                await asyncio.sleep(SETTLE_S)
                left = await conn.fetchval("SELECT count(*) FROM publish.dirty")
    finally:
        await conn.close()


async def at_rate(desk: Desk, waiting: list[tuple[str, str]], rate: int) -> tuple[list[float], float]:
    """Approve at a rate; returns each page's seconds, and those of the whole."""
    started = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        running = []
        for number, (disclosure, reviewer) in enumerate(waiting):
            await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
            running.append(tasks.create_task(_approve(desk, disclosure, reviewer)))
    return [r.result() for r in running], time.monotonic() - started


async def prepare(desk: Desk, years: Sequence[int], villages_count: int) -> list[tuple[str, str]]:
    """Confirmed ledgers with their reviewers, one a village and year, entered by clerks through the public way."""
    _, answer = await desk.wire.ask("GET", "/api/v1/villages?limit=200")
    villages = [(v["code"], v["township"]["code"]) for v in json.loads(answer)["items"]][:villages_count]
    turn = asyncio.Semaphore(8)

    async def enter(village: str, township: str) -> list[tuple[str, str]]:
        made = []
        async with turn:
            for year in years:
                period = f"{year}-01"
                body = {"village": village, "item": "F01", "period": period, "body": ledger(village, period, period)}
                draft = await desk.post(PATH, f"clerk-{village}", body)
                step = {"version": draft["version"]}
                # Years that stand in the tables alone have other sums beside them.
                accept = [{"finding": finding, "reason": "按原账录入"} for finding in draft["findings"]]
                await desk.post(f"{PATH}/{draft['id']}/submit", f"clerk-{village}", {**step, "accept": accept})
                await desk.post(f"{PATH}/{draft['id']}/confirm", f"supervisor-{village}", step)
                made.append((draft["id"], f"reviewer-{township}"))
        return made

    groups = await asyncio.gather(*(enter(v, t) for v, t in villages))
    reviewers = {r for group in groups for _, r in group}
    await asyncio.gather(*(desk.token(r) for r in reviewers))
    # One ledger of each village after the other, as a deadline's evening brings them.
    return [group[n] for n in range(len(years)) for group in groups]


async def _approve(desk: Desk, disclosure: str, reviewer: str) -> float:
    await desk.post(f"{PATH}/{disclosure}/approve", reviewer, {"version": 1})
    answered = time.monotonic()
    await asyncio.sleep(POLL_S)
    while (await desk.wire.ask("GET", f"/d/{disclosure}", "Accept-Encoding: gzip\r\n"))[0] != 200:
        if time.monotonic() - answered > 60:
            message = f"{disclosure} is not public after 60 s"
            raise TimeoutError(message)
        await asyncio.sleep(POLL_S)
    return time.monotonic() - answered
