"""How soon a scan is answered, beside a bare redirect of Caddy: by hand, against a city that runs.

.venv/bin/python -m tests.bench.landing .sanwu

qr's own port answers every scan as from another network (a phone each), for one network may scan ten times a second;
through the gateway all scans are this machine's, so they are paced below that, and only the time of each is told.
"""

import asyncio
import re
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import asyncpg
import httpx2
import psutil

from deploy.local.home import free_port
from deploy.local.info import known
from tests.bench.load import wrk

CONNECTIONS: Final = 8
SECONDS: Final = 3
ROUNDS: Final = 5
_P99: Final = re.compile(r"99%\s+([\d.]+)(us|ms|s)")
_UNITS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0}
#: wrk's own language: each request from another network.
_PHONES: Final = """
local n = 0
request = function()
  n = n + 1
  wrk.headers["X-Forwarded-For"] = string.format("%d.%d.%d.7", 11 + n % 180, (n / 180) % 250, (n / 45000) % 250)
  return wrk.format("GET", nil)
end
"""


def _listens_on(address: str) -> psutil.Process:
    """Who answers at an address of this machine."""
    port = int(address.rpartition(":")[2])
    found = next(c.pid for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr[1:] == (port,))
    return psutil.Process(found)


def _spent_s(process: psutil.Process) -> float:
    """Processor time of a process so far: it holds on a machine that others use."""
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def bare_redirect(folder: Path) -> Iterator[str]:
    """Caddy with one redirect and nothing else."""
    port, config = free_port(avoid=set()), folder / "Caddyfile"
    config.write_text(f"{{\n admin off\n auto_https off\n}}\nhttp://:{port} {{\n redir /c/* /v/210881006206 302\n}}\n")
    caddy = shutil.which("caddy", path=sysconfig.get_path("scripts")) or "caddy"
    command = [caddy, "run", "--config", str(config), "--adapter", "caddyfile"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


async def _a_code(home: Path) -> str:
    """A valid code of the city."""
    conn = await asyncpg.connect(known(home).settings["qr"]["SANWU_DATABASE_URL"])
    try:
        code: str = await conn.fetchval("SELECT code FROM code WHERE state = 'valid' ORDER BY code LIMIT 1")
    finally:
        await conn.close()
    return code


def _p99(words: str) -> float:
    found = _P99.search(words)
    assert found is not None, words
    return float(found[1]) * _UNITS[found[2]]


def _paced(url: str, times: int) -> list[float]:
    """Milliseconds of each scan through the gateway, slower than one network may."""
    taken = []
    with httpx2.Client() as client:
        for _ in range(times):
            started = time.perf_counter()
            assert client.get(url).status_code == 302
            taken.append(1000 * (time.perf_counter() - started))
            time.sleep(0.11)
    return taken


def main(home: Path) -> int:
    """Measure and tell; 1 when a bar is missed."""
    info = known(home)
    code = asyncio.run(_a_code(home))
    rates: dict[str, list[float]] = {"caddy": [], "qr": []}
    late: dict[str, list[float]] = {"caddy": [], "qr": []}
    spent: dict[str, list[float]] = {"caddy": [], "qr": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (phones := folder / "phones.lua").write_text(_PHONES)
        with bare_redirect(folder) as bare:
            for _ in range(ROUNDS):
                for who, url in (("caddy", bare), ("qr", info.addresses["qr"])):
                    address = url if url.startswith("http") else f"http://{url}"
                    process = _listens_on(address)
                    before = _spent_s(process)
                    rate, words = wrk(f"{address}/c/{code}", connections=CONNECTIONS, seconds=SECONDS, script=phones)
                    rates[who].append(rate)
                    late[who].append(_p99(words))
                    spent[who].append(1e6 * (_spent_s(process) - before) / (rate * SECONDS))
    share = statistics.median(q / c for q, c in zip(rates["qr"], rates["caddy"], strict=True))
    for who, of in rates.items():
        sys.stdout.write(
            f"{who}: {statistics.median(of):.0f}/s, p99 {statistics.median(late[who]):.1f} ms, "
            f"{statistics.median(spent[who]):.0f} µs of a processor each\n"
        )
    paced = sorted(_paced(f"{info.url}/c/{code}", 200))
    p99 = paced[int(len(paced) * 0.99) - 1]
    sys.stdout.write(
        f"qr/caddy {share:.2f} (bar 0.3); through the gateway p50 {paced[100]:.1f}, p99 {p99:.1f} ms (bar 20)\n"
    )
    return int(share < 0.3 or p99 > 20)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
