"""The whole tree of a city killed with -9 while it loads, again and again: the next start completes, nothing twice."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import asyncpg
import httpx2
import psutil
import pytest

from deploy.local.home import free_port
from tests.running import CITY_PATIENCE_S, ROOT, RunningCity, start_city, stop_city

#: Kill when so many disclosures of the 159 have reached the table; the first kill comes while the registry is being filled.
MOMENTS = (0, 5, 60, 120, 153)


def kill_tree(process: subprocess.Popen[str]) -> None:
    """SIGKILL for the supervisor and everything below it, at the same moment; nothing where it has ended by itself."""
    if process.poll() is not None:
        return
    tree = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    # What ends by itself meanwhile, such as a command of the set-up, needs no killing.
    for one in tree:
        with suppress(psutil.NoSuchProcess):
            one.suspend()
    for one in tree:
        with suppress(ProcessLookupError):
            os.kill(one.pid, signal.SIGKILL)
    process.wait(10)


async def count_entered(home: Path) -> int:
    """How many disclosures the city has taken in so far; -1 while it cannot be asked."""
    try:
        password = json.loads((home / "secrets.json").read_text())["sanwu_admin"]
        address = json.loads((home / "ports.json").read_text())["postgres"]
        conn = await asyncpg.connect(f"postgresql://sanwu_admin:{password}@{address}/sanwu", timeout=2)
    except (OSError, ValueError, KeyError, asyncpg.PostgresError, TimeoutError):
        return -1
    try:
        return int(await conn.fetchval("SELECT count(*) FROM ingest.disclosure"))
    except asyncpg.PostgresError:
        return -1
    finally:
        await conn.close(timeout=2)


async def run_until(home: Path, port: int, moment: int) -> None:
    """Start the city and kill all of it, supervisor first or last, at the moment."""
    environment = {**os.environ, "SANWU_HOME": str(home), "SANWU_PORT": str(port), "SANWU_SAMPLE": "small"}
    command = [sys.executable, "-m", "deploy.local", "run"]
    with (home.parent / "killed.log").open("a") as log:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log, text=True)  # noqa: ASYNC220 - killed as a whole tree, below
        give_up = time.monotonic() + CITY_PATIENCE_S
        try:
            while (entered := await count_entered(home)) < moment:
                said = (home.parent / "killed.log").read_text()[-2000:]
                assert process.poll() is None, said
                assert time.monotonic() < give_up, f"{entered} of {moment} entered: {said}"
                await asyncio.sleep(0.05)
        finally:
            kill_tree(process)


@pytest.mark.timeout(6 * CITY_PATIENCE_S)
async def test_a_load_killed_five_times_completes_with_the_same_counts(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("killed")
    folder.chmod(0o711)
    home, port = folder / "home", free_port(avoid=set())
    for moment in MOMENTS:
        await run_until(home, port, moment)
    city = await asyncio.to_thread(start_city, home, port, "small")
    try:
        # That the alerts equal the manifest is checked by the loader itself.
        assert "not as planned" not in city.said()
        assert "left out" not in city.said()
        await check_counts(city)
    finally:
        await asyncio.to_thread(stop_city, city)


async def check_counts(city: RunningCity) -> None:
    token = await asyncio.to_thread(city.token, "operator")
    async with httpx2.AsyncClient(base_url=city.url, headers={"authorization": f"Bearer {token}"}) as http:
        entered = (await http.get("/ingest/v1/disclosures?limit=200")).json()["items"]
        changes = (await http.get("/api/v1/changes?limit=200")).json()["items"]
        codes = (await http.get("/qr/v1/codes?limit=200")).json()["items"]
        alerts = (await http.get("/audit/v1/alerts?state=open&limit=200")).json()["items"]
    aside = {"withdrawn": 1, "draft": 1, "submitted": 1, "confirmed": 1, "returned": 1}
    assert Counter(d["state"] for d in entered) == {"published": 154, **aside}
    assert len({(d["village"], d["item"], d["period"]) for d in entered}) == 159
    # Two of them were corrected, one more was public and is withdrawn.
    assert len(changes) == 158
    assert len({c["village"] for c in codes}) == len(codes) == 9
    assert len(alerts) == 11
