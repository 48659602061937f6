"""The hot public bodies on publish's inner port, one worker, against nginx serving the same bytes."""

import asyncio
import subprocess
import tempfile
from pathlib import Path

import httpx2

from deploy.local.home import free_port
from tests.bench.load import wrk
from tests.bench.report import Section, median, table
from tests.running import RunningCity

CONNECTIONS = 64
SECONDS = 4
ROUNDS = 5
VILLAGE = "210881006206"
PATHS = {"village page": f"/v/{VILLAGE}", "village JSON": f"/api/v1/villages/{VILLAGE}"}
GZIP = ("Accept-Encoding: gzip",)

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


async def measure(city: RunningCity) -> Section:
    """Alternate ours and nginx on each body; the gateway's figure stands beside."""
    inner = city.addresses()["publish"]
    rows, raw = [], ""
    with tempfile.TemporaryDirectory() as folder:
        for title, path in PATHS.items():
            body = await _compressed(inner + path)
            row, words = await asyncio.to_thread(_compare, Path(folder), title, inner, path, body, city.url)
            rows.append(row)
            raw += words
    head = ("body", "gzip bytes", "publish req/s", "nginx req/s", "ratio (median of pairs)", "gateway req/s")
    version = await asyncio.to_thread(_nginx_version)
    text = (
        f"One worker each, {CONNECTIONS} connections, {ROUNDS} alternating rounds of {SECONDS} s, the same gzip bytes. "
        f"Peer: {version}, one worker, sendfile, open file cache. Bar: ratio at least 0.5.\n\n"
        f"{table(head, rows)}\n<details><summary>Raw output of the last round</summary>\n\n```\n{raw}```\n\n</details>\n"
    )
    return Section("Hot public bodies", text)


def _nginx_version() -> str:
    return subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=False).stderr.strip()


async def _compressed(url: str) -> bytes:
    """The gzip bytes as they travel."""
    async with httpx2.AsyncClient() as client, client.stream("GET", url, headers={"accept-encoding": "gzip"}) as answer:
        answer.raise_for_status()
        return b"".join([chunk async for chunk in answer.aiter_raw()])


def _compare(folder: Path, title: str, inner: str, path: str, body: bytes, gateway: str) -> tuple[tuple[str, ...], str]:
    port = free_port(avoid=set())
    folder.chmod(0o755)
    www = folder / "www"
    www.mkdir(exist_ok=True)
    (www / "body").write_bytes(body)
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port))
    nginx = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)], stderr=subprocess.DEVNULL)
    try:
        ours, theirs, words = [], [], ("", "")
        wrk(inner + path, connections=CONNECTIONS, seconds=1, headers=GZIP)
        for _ in range(ROUNDS):
            rate, our_words = wrk(inner + path, connections=CONNECTIONS, seconds=SECONDS, headers=GZIP)
            peer, peer_words = wrk(
                f"http://127.0.0.1:{port}/body", connections=CONNECTIONS, seconds=SECONDS, headers=GZIP
            )
            ours.append(rate)
            theirs.append(peer)
            words = (our_words, peer_words)
        through, _ = wrk(gateway + path, connections=CONNECTIONS, seconds=SECONDS, headers=GZIP)
    finally:
        nginx.terminate()
        nginx.wait(10)
    ratio = median([o / t for o, t in zip(ours, theirs, strict=True)])
    row = (
        title,
        str(len(body)),
        f"{median(ours):,.0f}",
        f"{median(theirs):,.0f}",
        f"**{ratio:.2f}**",
        f"{through:,.0f}",
    )
    return row, f"# publish {title}\n{words[0]}# nginx {title}\n{words[1]}"
