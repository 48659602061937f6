"""A programmer follows what changes through restarts of publish: every change arrives once and in order, whatever ends in between.

.venv/bin/python -m tests.flows.following http://127.0.0.1:8000 .sanwu --minutes 60      # a city with a sample, as an operator would

Meanwhile a village publishes and withdraws, and all processes of publish are ended and come back, again and again. At the end what
was heard is laid beside `/api/v1/changes`.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx2

from deploy.local.home import Home
from deploy.local.rotate import restart_service
from tests.browser import steps
from tests.running import RunningCity

STREAM: Final = "/api/v1/changes/stream"
_VILLAGE: Final = f"{steps.TOWNSHIP}206"
#: An item of events: a day each, so that there are enough of them.
_ITEM: Final = "V18"
#: A listener that hears not even a comment for so long takes the connection for a dead one.
_SILENCE_S: Final = 40.0
_BACK_MOST_S: Final = 5.0


@dataclass(slots=True)
class Follower:
    """What a program heard, and how; `last` is all that it keeps from one connection to the next."""

    url: str
    last: str
    heard: list[dict[str, Any]] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    connections: int = 0
    refused: int = 0
    longest_gap_s: float = 0.0

    async def follow(self, stop: asyncio.Event) -> None:
        """Listen until told to stop; whoever ends the connection, the program comes again with the last id that it has."""
        timeout = httpx2.Timeout(10, read=_SILENCE_S)
        since = time.monotonic()
        while not stop.is_set():
            was = self.connections
            try:
                async with (
                    httpx2.AsyncClient(timeout=timeout) as client,
                    client.stream("GET", f"{self.url}{STREAM}", headers={"Last-Event-ID": self.last}) as answer,
                ):
                    answer.raise_for_status()
                    self.connections += 1
                    self.longest_gap_s = max(self.longest_gap_s, time.monotonic() - since)
                    await self._hear(answer, stop)
            except httpx2.HTTPError:
                self.refused += 1
            if self.connections > was:
                since = time.monotonic()
            if not stop.is_set():
                await asyncio.sleep(min(_BACK_MOST_S, 1.0))

    async def _hear(self, answer: httpx2.Response, stop: asyncio.Event) -> None:
        async for event in _events(answer):
            self.last = event["id"]
            change = json.loads(event["data"])
            self.heard.append(change)
            at = datetime.fromisoformat(change["changed_at"])
            self.delays.append((datetime.now(UTC) - at).total_seconds())
            if stop.is_set():
                return


async def _events(answer: httpx2.Response) -> AsyncIterator[dict[str, str]]:
    """Events as the HTML standard reads them; comments are passed over."""
    event: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if not line and "data" in event:
            yield event
            event = {}
        name, _, value = line.partition(": ")
        if name in {"id", "data"}:
            event[name] = value


def _publish_one(city: RunningCity, day: date, number: int) -> None:
    """A village opens something; every third is withdrawn again."""
    body = {"kind": "notice", "title": f"第{number}次公开", "paragraphs": ["公开机井维修情况。"]}
    draft = steps.drafted(city, _VILLAGE, day.isoformat(), body, _ITEM)
    steps.hand_in(city, _VILLAGE, draft)
    steps.let_out(city, _VILLAGE, draft)
    if number % 3 == 0:
        told = {"version": 1, "reason": "填错了日期，重新公开", "kind": "content"}
        steps.call(city, steps.REVIEWER, f"{steps.DESK}/{draft}/withdraw", told)


async def _change(city: RunningCity, first: date, every_s: float, stop: asyncio.Event) -> tuple[int, int]:
    """Publish again and again; how often it was done, and how often somebody was refused while publish was away."""
    done, failed, number = 0, 0, 0
    while not stop.is_set():
        number += 1
        try:
            await asyncio.to_thread(_publish_one, city, first - timedelta(days=number), number)
            done += 1
        except (httpx2.HTTPError, AssertionError) as error:
            failed += 1
            sys.stdout.write(f"  not published: {str(error)[:200]}\n")
        await _sleep(every_s, stop)
    return done, failed


async def _restart(home: Path, every_s: float, stop: asyncio.Event) -> list[float]:
    """End publish again and again; how long it took until it served again."""
    took: list[float] = []
    await _sleep(every_s, stop)
    while not stop.is_set():
        began = time.monotonic()
        await restart_service(Home(home), "publish")
        took.append(time.monotonic() - began)
        sys.stdout.write(f"  publish was ended and serves again after {took[-1]:.1f} s\n")
        await _sleep(every_s, stop)
    return took


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass


async def _all_behind(url: str, cursor: str) -> list[dict[str, Any]]:
    """What `/api/v1/changes` tells behind a place."""
    found: list[dict[str, Any]] = []
    async with httpx2.AsyncClient(timeout=30) as client:
        while True:
            answer = await client.get(f"{url}/api/v1/changes", params={"cursor": cursor, "limit": "200"})
            page = answer.raise_for_status().json()["items"]
            if not page:
                return found
            found += page
            cursor = page[-1]["cursor"]


async def follow(url: str, home: Path, minutes: float, *, change_s: float, restart_s: float) -> int:
    """Follow for so long; the exit status: 1 where anything was lost, came twice or in another order."""
    city = RunningCity(url, home, process=None)  # type: ignore[arg-type] # started by somebody else
    newest = (await asyncio.to_thread(steps.changes, city))[-1]["cursor"]
    follower, stop, no_more = Follower(url, newest), asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(follower.follow(stop))
        changing = tasks.create_task(_change(city, datetime.now(UTC).date(), change_s, no_more))
        restarting = tasks.create_task(_restart(home, restart_s, no_more))
        await asyncio.sleep(minutes * 60)
        no_more.set()
        await asyncio.wait([changing, restarting])
        # What was done last is on its way.
        await asyncio.sleep(10)
        stop.set()
        listening.cancel()
    return _told(follower, await _all_behind(url, newest), changing.result(), restarting.result())


def _told(follower: Follower, wanted: list[dict[str, Any]], changed: tuple[int, int], restarts: list[float]) -> int:
    heard, there = [c["cursor"] for c in follower.heard], [c["cursor"] for c in wanted]
    lost, twice = len(set(there) - set(heard)), len(heard) - len(set(heard))
    in_order = [c for c in there if c in set(heard)] == list(dict.fromkeys(heard))
    delays = sorted(follower.delays)
    for words in (
        f"{len(there)} changes, {len(heard)} heard: {lost} lost, {twice} twice, {'in order' if in_order else 'NOT IN ORDER'}",
        f"{changed[0]} times published, {changed[1]} refused",
        f"{len(restarts)} restarts of publish, longest {max(restarts, default=0):.1f} s until all served again",
        f"{follower.connections} connections, {follower.refused} refused or cut, longest without one {follower.longest_gap_s:.1f} s",
        f"heard after {delays[len(delays) // 2] if delays else 0:.1f} s in the middle, {max(delays, default=0):.1f} s at most",
    ):
        sys.stdout.write(f"{words}\n")
    return int(bool(lost or twice) or not in_order or not heard or not restarts)


def main() -> int:
    """Read the command line and follow."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("home", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--change-every", type=float, default=20.0, help="seconds between two publications")
    parser.add_argument("--restart-every", type=float, default=120.0, help="seconds between two restarts of publish")
    told = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr] # a terminal or a file
    return asyncio.run(
        follow(told.url, told.home, told.minutes, change_s=told.change_every, restart_s=told.restart_every)
    )


if __name__ == "__main__":
    sys.exit(main())
