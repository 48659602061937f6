"""The hot public bodies by every way there is, against nginx serving the same bytes as files.

Four ways in turn, round by round: publish's inner port, the city's gateway, the front for a big city (deploy/nginx, of
the same nginx as the peer), and the peer. Processor time of every part stands beside, since it stays true while others
use the machine.
"""

import asyncio
import os
import re
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil

from deploy.local.home import free_port
from tests.bench.load import wrk
from tests.bench.report import Section, median, table
from tests.bench.spent import seconds_of, spent
from tests.deploy.front import Front
from tests.running import RunningCity

CONNECTIONS = 64
SECONDS = 3
ROUNDS = 7
VILLAGE = "210881006206"
PATHS = {"village page": f"/v/{VILLAGE}", "village JSON": f"/api/v1/villages/{VILLAGE}"}
GZIP = ("Accept-Encoding: gzip",)
PEER, DIRECT, GATEWAY, FRONT = "nginx", "publish", "through the local gateway", "through the big front"
#: At least so much of nginx's rate.
BARS = {DIRECT: 0.5, GATEWAY: 0.12, FRONT: 0.35}
PARTS = ("publish", "gateway", "front", "nginx")
#: The system's own, as on a server.
DEBIANS, MODULES = Path("/usr/sbin/nginx"), Path("/usr/lib/nginx/modules")
NEEDED = (DEBIANS, MODULES / "ngx_http_headers_more_filter_module.so")

_NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000000;
    open_file_cache max=100;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/www;
        default_type text/html;
        add_header Content-Encoding gzip;
        add_header Cache-Control "public, max-age=5, stale-while-revalidate=60, stale-if-error=86400";
    }}
}}
"""


@dataclass
class Way:
    """Rates of the rounds, and microseconds of each part for a request."""

    url: str
    rates: list[float] = field(default_factory=list)
    costs: dict[str, list[float]] = field(default_factory=lambda: {part: [] for part in PARTS})
    words: str = ""


async def measure(city: RunningCity) -> Section:
    """Every way to each body, alternating."""
    rows: list[tuple[str, ...]] = []
    raw = ""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with _peer(folder) as (peer, port), front_of(folder / "front", city) as front:
            pids = {"nginx": peer.pid, "front": front.process.pid}
            for title, path in PATHS.items():
                body = await _compressed(city.addresses()["publish"] + path)
                # A file of its own: the peer keeps what it opened.
                (folder / "www" / str(len(body))).write_bytes(body)
                ways = {
                    DIRECT: Way(city.addresses()["publish"] + path),
                    GATEWAY: Way(city.url + path),
                    FRONT: Way(front.url + path),
                    PEER: Way(f"http://127.0.0.1:{port}/{len(body)}"),
                }
                await asyncio.to_thread(_compare, city.home, pids, ways)
                rows += [_row(title, len(body), name, ways) for name in ways]
                raw += "".join(f"# {title}, {name}\n{way.words}" for name, way in ways.items())
    head = ("body", "gzip bytes", "way", "req/s (least–most)", "ratio (least–most)", "bar", *(f"{p} µs" for p in PARTS))
    text = (
        f"{CONNECTIONS} connections, {ROUNDS} alternating rounds of {SECONDS} s, the same gzip bytes; medians, the ratio of "
        f"pairs. Peer: {await asyncio.to_thread(_nginx_version)}, one worker, sendfile, open file cache. The right half is "
        f"processor time of each part for a request. Load of the machine: {', '.join(f'{n:.1f}' for n in os.getloadavg())}.\n\n"
        f"{table(head, rows)}\n<details><summary>Raw output of the last round</summary>\n\n```\n{raw}```\n\n</details>\n"
    )
    return Section("Hot public bodies", text)


def _nginx_version() -> str:
    return subprocess.run([DEBIANS, "-v"], capture_output=True, text=True, check=False).stderr.strip()


async def _compressed(url: str) -> bytes:
    """The gzip bytes as they travel."""
    async with httpx2.AsyncClient() as client, client.stream("GET", url, headers={"accept-encoding": "gzip"}) as answer:
        answer.raise_for_status()
        return b"".join([chunk async for chunk in answer.aiter_raw()])


@asynccontextmanager
async def _peer(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    port = free_port(avoid=set())
    conf, quiet = _prepared(folder, port), asyncio.subprocess.DEVNULL
    nginx = await asyncio.create_subprocess_exec(DEBIANS, "-c", conf, "-p", folder, stderr=quiet)
    try:
        yield nginx, port
    finally:
        nginx.terminate()
        await nginx.wait()


def _prepared(folder: Path, port: int) -> Path:
    """The peer's configuration, and a folder for the bytes that its workers, of another user, can read."""
    folder.chmod(0o755)
    (folder / "www").mkdir()
    conf = folder / "nginx.conf"
    conf.write_text(_NGINX.format(folder=folder, port=port))
    return conf


def front_of(folder: Path, city: RunningCity) -> Front:
    """The front as a server has it, with the system's own nginx and modules."""
    folder.mkdir()
    (folder / "modules").symlink_to(MODULES)
    upstreams = {name: url.removeprefix("http://") for name, url in city.addresses().items()}
    return Front(folder, upstreams, {"SANWU_NGINX_MODULES": "/etc/nginx/modules-enabled/*.conf"}, DEBIANS)


def _compare(home: Path, pids: dict[str, int], ways: dict[str, Way]) -> None:
    wrk(ways[DIRECT].url, connections=CONNECTIONS, seconds=1, headers=GZIP)
    for _ in range(ROUNDS):
        for way in ways.values():
            before = _spent(home, pids)
            rate, way.words = wrk(way.url, connections=CONNECTIONS, seconds=SECONDS, headers=GZIP)
            after = _spent(home, pids)
            way.rates.append(rate)
            for part in PARTS:
                way.costs[part].append(1e6 * (after[part] - before[part]) / _requests(way.words))


def _spent(home: Path, pids: dict[str, int]) -> dict[str, float]:
    own = {part: psutil.Process(pid) for part, pid in pids.items()}
    seconds = {part: sum(seconds_of(p) for p in (it, *it.children())) for part, it in own.items()}
    return {**spent(home), **seconds}


def _requests(words: str) -> int:
    """How many wrk made."""
    found = re.search(r"(\d+) requests in", words)
    assert found is not None, words
    return int(found[1])


def _row(title: str, size: int, name: str, ways: dict[str, Way]) -> tuple[str, ...]:
    rates = ways[name].rates
    ratios = [ours / peers for ours, peers in zip(rates, ways[PEER].rates, strict=True)]
    ratio = f"**{median(ratios):.2f}** ({min(ratios):.2f}–{max(ratios):.2f})" if name != PEER else "1"
    costs = [median(ways[name].costs[part]) for part in PARTS]
    return (
        title,
        str(size),
        name,
        f"{median(rates):,.0f} ({min(rates):,.0f}–{max(rates):,.0f})",
        ratio,
        f"{BARS[name]}" if name in BARS else "",
        *(f"{cost:.0f}" for cost in costs),
    )
