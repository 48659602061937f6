"""The front for a big city says what the gateway says: a real nginx beside a real Caddy, before the same services."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx2
import pytest
import pytest_asyncio

from deploy.local.gateway import Gateway
from deploy.local.home import Home, free_port
from deploy.local.service import Standby
from deploy.nginx import FOLDER, FrontError, filled
from services.contracts.topics import SERVICES, ServiceName
from services.publish.hot.answers import HTML, JSON, Body, body_of_nothing, pack
from services.publish.hot.files import file_of, write_all
from tests.deploy.front import Front
from tests.deploy.listener import Listener
from tests.deploy.test_gateway_routes import documented, example, mounted
from tests.kit.test_tls import certificate

ROOT = Path(__file__).parents[2]
VILLAGE = "210881006206"
PAGE = "<!doctype html><html><head></head><body>\n<h1>东海村</h1></body></html>"
#: Of every answer of either; the rest is HTTP's own, or differs with the moment.
COMPARED = (
    *("content-type", "content-security-policy", "cache-control", "x-content-type-options", "x-frame-options"),
    *("referrer-policy", "access-control-allow-origin", "retry-after", "x-answered-by", "server", "via"),
    *("strict-transport-security", "cache-status", "x-robots-tag"),
)


@dataclass(frozen=True)
class Both:
    """A client of the gateway and one of the front; publish, audit (away) and the rest are the same behind both."""

    publish: Listener
    gateway: httpx2.AsyncClient
    front: httpx2.AsyncClient
    rendered: Path
    log: Path

    def write(self, path: str, body: Body) -> None:
        """Have a body on the disk, for the standby."""
        target = file_of(self.rendered / "release", path)
        assert target is not None
        write_all(self.rendered, [(target, pack(body))])


@pytest_asyncio.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Both]:
    """Both, before listeners and a real standby."""
    folder = tmp_path_factory.mktemp("front")
    home = Home(folder / "home")
    files = {"SANWU_HOME": str(home.path), "SANWU_HTTP_PORT": str(home.port("standby"))}
    async with AsyncExitStack() as stack:
        standby = await stack.enter_async_context(Standby(home, lambda: files))
        listeners = {str(n): stack.enter_context(Listener(n)) for n in SERVICES if n != "audit"}
        upstreams = {name: each.address for name, each in listeners.items()}
        upstreams |= {"audit": f"127.0.0.1:{free_port(avoid=set())}", "standby": standby.address}
        caddy = await stack.enter_async_context(Gateway(home, free_port(avoid=set()), upstreams))
        nginx = await stack.enter_async_context(Front(folder / "nginx", upstreams))
        gateway, front = [
            await stack.enter_async_context(httpx2.AsyncClient(base_url=each.url, timeout=20))
            for each in (caddy, nginx)
        ]
        yield Both(listeners["publish"], gateway, front, home.path / "publish", nginx.folder / "access.log")


@pytest_asyncio.fixture
async def both(running: Both) -> AsyncIterator[Both]:
    """The same, with no file on the disk, and with a publish that is asked first."""
    shutil.rmtree(running.rendered, ignore_errors=True)
    for client in (running.gateway, running.front):
        for _ in range(100):
            if (await client.get("/")).headers.get("x-answered-by") == "publish":
                break
            await asyncio.sleep(0.2)
    yield running
    running.publish.pause_s = 0.0


def said(answer: httpx2.Response) -> dict[str, str | int | None]:
    """Status and headers; that everybody may read a document counts only where there is one."""
    headers = {name: answer.headers.get(name) for name in COMPARED}
    if answer.status_code >= 400:
        del headers["access-control-allow-origin"]
    return {"status": answer.status_code, **headers}


LARGE = b"x" * 2_000_000
ASKED = {
    "page": ("GET", f"/v/{VILLAGE}", {}, b""),
    "first page": ("GET", "/", {}, b""),
    "page's head": ("HEAD", f"/v/{VILLAGE}", {}, b""),
    "page with a query": ("GET", f"/v/{VILLAGE}?x=1", {}, b""),
    "change of a page": ("POST", f"/v/{VILLAGE}", {}, b"a=b"),
    "JSON": ("GET", f"/api/v1/villages/{VILLAGE}", {}, b""),
    "list": ("GET", f"/api/v1/villages/{VILLAGE}/duties", {}, b""),
    "style": ("GET", "/assets/page-0123456789ab.css", {}, b""),
    "desk": ("GET", "/desk", {}, b""),
    "sign-in": ("POST", "/sign-in", {}, b"a=b"),
    "registry's": ("GET", "/registry/v1/divisions", {}, b""),
    "code": ("GET", "/c/T0ZVQHQF", {}, b""),
    "posters": ("GET", "/posters", {}, b""),
    "inner page": ("GET", "/livez", {}, b""),
    "inner page, loud": ("GET", "/METRICS", {}, b""),
    "docs": ("GET", "/docs/", {}, b""),
    "described": ("GET", "/docs/openapi/publish.json", {}, b""),
    "script": ("GET", "/docs/page.js", {}, b""),
    "viewer": ("GET", "/docs/swagger-ui.css", {}, b""),
    "no such document": ("GET", "/docs/openapi/none.json", {}, b""),
    "up and away": ("GET", "/docs/openapi/%2e%2e/%2e%2e/README.md", {}, b""),
    "no contact": ("GET", "/.well-known/security.txt", {}, b""),
    "large form": ("POST", "/desk/form", {}, LARGE),
    "large request": ("POST", "/ingest/v1/disclosures", {}, LARGE),
    "large page": ("GET", "/", {}, LARGE),
    "file": ("POST", "/ingest/v1/attachments", {}, LARGE),
    "file of the desk": ("POST", "/desk/sheets", {}, b"x" * 20_000_000),
    "page of a service that is away": ("GET", "/inspect", {}, b""),
    "api of a service that is away": ("GET", "/audit/v1/alerts", {}, b""),
    "form for a service that is away": ("POST", "/inspect/x", {}, b"a=b"),
    "change by a service that is away": ("PUT", "/audit/v1/x", {}, b"{}"),
    "foreign name": ("GET", "/", {"host": "evil.example"}, b""),
    "foreign name, api": ("GET", "/api/v1/villages/1", {"host": "evil.example"}, b""),
    "foreign name, inner": ("GET", "/metrics", {"host": "evil.example"}, b""),
}


@pytest.mark.parametrize("name", ASKED)
async def test_the_front_answers_as_the_gateway_does(both: Both, name: str) -> None:
    method, path, headers, content = ASKED[name]
    gateway, front = [
        await client.request(method, path, headers=headers, content=content) for client in (both.gateway, both.front)
    ]
    assert said(front) == said(gateway)
    assert front.content == gateway.content


@pytest.mark.parametrize("name", SERVICES)
async def test_every_route_comes_to_the_same_service(both: Both, name: ServiceName) -> None:
    wrong = {}
    for route in sorted(documented(name) | mounted(name)):
        method, _, path = route.partition(" ")
        gateway, front = [await client.request(method, example(path)) for client in (both.gateway, both.front)]
        if said(front) != said(gateway):
            wrong[route] = (said(front), said(gateway))
    assert wrong == {}


@pytest.mark.parametrize(("path", "size"), [("/ingest/v1/imports", 14_000_000), ("/desk/sheets", 40_000_000)])
async def test_a_file_beyond_every_limit_is_refused(both: Both, path: str, size: int) -> None:
    answer = await both.front.post(path, content=b"x" * size)
    assert (answer.status_code, "x-answered-by" in answer.headers) == (413, False)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"/v/{VILLAGE}", Body(PAGE.encode(), HTML)),
        (f"/api/v1/villages/{VILLAGE}", Body(b'{"code":"210881006206"}', JSON)),
        ("/d/01a2198b-9dcd-728c-af79-1e54b8f34bae", body_of_nothing("<body>已撤回".encode(), HTML)),
    ],
)
async def test_a_publish_that_hangs_is_stood_in_for_and_nobody_waits_long(both: Both, path: str, body: Body) -> None:
    both.write(path, body)
    both.publish.pause_s = 15.0
    began = time.monotonic()
    gateway = await both.gateway.get(path)
    front = await asyncio.gather(*(both.front.get(path) for _ in range(20)))
    assert time.monotonic() - began < 8
    assert gateway.headers["cache-status" if gateway.status_code == 200 else "cache-control"]
    for answer in front:
        assert said(answer) == said(gateway)
        assert answer.text == gateway.text
    assert front[0].headers["cache-control"] == "no-store"


async def test_what_has_no_file_is_waited_for(both: Both) -> None:
    both.publish.pause_s = 2.0
    for path in (f"/v/{VILLAGE}", "/changes"):
        answer = await both.front.get(path)
        assert (answer.status_code, answer.headers["x-answered-by"]) == (200, "publish"), path


async def test_what_is_said_of_who_asks_is_the_fronts_own_word(tmp_path: Path) -> None:
    async with Echo() as echo:
        upstreams = {**{str(n): echo.address for n in SERVICES}, "standby": echo.address}
        claimed = {"x-forwarded-for": "198.51.100.1", "x-real-ip": "198.51.100.1", "forwarded": "for=198.51.100.1"}
        async with Front(tmp_path / "front", upstreams) as front, httpx2.AsyncClient(base_url=front.url) as client:
            for path in ("/", "/desk", "/registry/v1/x", "/c/x", "/changes"):
                told = (await client.get(path, headers=claimed)).text.lower()
                assert "198.51.100.1" not in told, path
                assert "x-forwarded-for: 127.0.0.1\r\n" in told, path
                assert f"host: 127.0.0.1:{front.port}\r\n" in told, path


async def test_a_body_that_hides_its_length_is_cut_where_a_service_would_read_on(tmp_path: Path) -> None:
    async def dripping(size: int) -> AsyncIterator[bytes]:
        for _ in range(size // 100_000):
            yield b"x" * 100_000

    async with Echo() as echo:
        upstreams = {**{str(n): echo.address for n in SERVICES}, "standby": echo.address}
        async with Front(tmp_path / "front", upstreams) as front, httpx2.AsyncClient(base_url=front.url) as client:
            for path, size in (("/ingest/v1/x", 900_000), ("/ingest/v1/imports", 2_000_000)):
                assert (await client.post(path, content=dripping(size))).status_code == 200
            for path, size in (("/ingest/v1/x", 1_500_000), ("/ingest/v1/imports", 14_000_000)):
                answer = await client.post(path, content=dripping(size))
                assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


class Echo:
    """A service that reads all and answers with the head of what it was asked, for everybody and for five seconds, or for one only."""

    def __init__(self) -> None:
        self.asked = 0
        self.policy = "private, max-age=5"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        if b"transfer-encoding: chunked" in head.lower():
            end = b""
            while not end.endswith(b"\r\n0\r\n\r\n"):
                if not (part := await reader.read(100_000)):
                    writer.close()
                    return
                end = end[-10:] + part
        about = f'Cache-Control: {self.policy}\r\nETag: "a"\r\nVary: Accept-Encoding\r\nConnection: close\r\n'
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(head)}\r\n{about}\r\n".encode() + head)
        await writer.drain()
        writer.close()


async def test_a_body_for_everybody_is_kept_for_a_moment_and_one_of_persons_is_not(tmp_path: Path) -> None:
    async with Echo() as echo:
        upstreams = {**{str(n): echo.address for n in SERVICES}, "standby": echo.address}
        async with Front(tmp_path / "front", upstreams) as front, httpx2.AsyncClient(base_url=front.url) as client:
            for path in ("/", "/", "/changes"):
                await client.get(path)
            assert echo.asked == 3
            echo.policy = "public, max-age=5, stale-while-revalidate=60, stale-if-error=86400"
            asked = [await client.get(f"/v/{VILLAGE}") for _ in range(50)]
            assert echo.asked < 3 + 10
            assert asked[-1].headers["cache-control"] == echo.policy
            same = await client.get(f"/v/{VILLAGE}", headers={"if-none-match": asked[-1].headers["etag"]})
            assert (same.status_code, same.content, same.headers["cache-control"]) == (304, b"", echo.policy)
            # Whoever takes no gzip is given no gzip.
            plain = (await client.get(f"/v/{VILLAGE}", headers={"accept-encoding": "gzip;q=0, br;q=0.0"})).text
            assert "accept-encoding" not in plain.lower()
            # Withdrawn is gone: what is kept is two seconds old at most, whatever publish allows others.
            await asyncio.sleep(2.1)
            before = echo.asked
            await client.get(f"/v/{VILLAGE}")
            assert echo.asked == before + 1


async def test_requests_are_noted_without_what_was_searched_for(both: Both) -> None:
    secret = {"authorization": "Bearer not-for-logs", "referer": "/?q=not-for-logs", "cookie": "a=not-for-logs"}
    await both.front.get("/search/here?q=not-for-logs", headers=secret)
    for _ in range(100):
        notes = [json.loads(line) for line in both.log.read_text().splitlines()]
        found = [n for n in notes if n["request"]["uri"] == "/search/here"]
        if found:
            break
        await asyncio.sleep(0.1)
    assert (found[0]["request"]["method"], found[0]["request"]["remote_ip"], found[0]["status"]) == (
        *("GET", "127.0.0.1"),
        200,
    )
    assert "not-for-logs" not in both.log.read_text()


UPSTREAMS = dict.fromkeys((f"SANWU_UPSTREAM_{n.upper()}" for n in (*SERVICES, "standby")), "10.0.0.1:80")
FOLDERS = {"SANWU_CACHE": "/c", "SANWU_DOCS": "/d", "SANWU_VIEWER": "/v", "SANWU_WELL_KNOWN": "/w"}
NAMED = {"SANWU_LISTEN": "443 ssl http2", "SANWU_NAMES": "sanwu.test", "SANWU_ACCESS_LOG": "/a"}
SETTINGS = {**UPSTREAMS, **FOLDERS, **NAMED}


def test_a_setting_that_is_missing_or_would_change_the_configuration_is_named() -> None:
    assert "listen 443 ssl http2;" in filled(SETTINGS)
    assert "{$" not in re.sub("^#.*$", "", filled(SETTINGS), flags=re.MULTILINE)
    for name in SETTINGS:
        with pytest.raises(FrontError, match=f"{name} is not set"):
            filled({n: v for n, v in SETTINGS.items() if n != name})
        for wrong in ("", "a; return 200", "a}", "a{b", "$host", 'a"b', "a\nb", "a  b", "a'b", "a\\b", "a#b"):
            with pytest.raises(FrontError, match=f"{name} is "):
                filled({**SETTINGS, name: wrong})


def test_the_command_prints_it_or_says_in_one_sentence_why_not() -> None:
    run = [sys.executable, "-m", "deploy.nginx"]
    environment = {"PATH": os.environ["PATH"], **SETTINGS}
    done = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == filled(environment)
    del environment["SANWU_LISTEN"]
    failed = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr == f"SANWU_LISTEN is not set: {FOLDER}/front.conf says what it is.\n"


async def test_over_https_browsers_are_bound_to_it_and_plain_requests_are_sent_there(tmp_path: Path) -> None:
    own = certificate(tmp_path, "front")
    plain = free_port(avoid=set())
    with Listener("any") as listener:
        upstreams = {**{str(n): listener.address for n in SERVICES}, "standby": listener.address}
        secure = free_port(avoid={plain})
        settings = {
            "SANWU_LISTEN": f"127.0.0.1:{secure} ssl",
            "SANWU_LISTEN_CLEAR": f"127.0.0.1:{plain}",
            "SANWU_NAMES": "sanwu.test",
            "SANWU_CERTIFICATE": str(own.ca),
            "SANWU_CERTIFICATE_KEY": str(own.both),
        }
        front = Front(tmp_path / "front", upstreams, settings)
        front.port = secure
        async with front, httpx2.AsyncClient(verify=False, timeout=20) as client:
            sni = {"sni_hostname": "sanwu.test"}
            for path in ("/", "/livez", "/docs/", "/desk"):
                url = f"https://127.0.0.1:{secure}{path}"
                answer = await client.get(url, headers={"host": "sanwu.test"}, extensions=sni)
                assert answer.headers["strict-transport-security"] == "max-age=31536000", path
            moved = await client.get(f"http://127.0.0.1:{plain}/v/1?a=b", headers={"host": "sanwu.test"})
            assert (moved.status_code, moved.headers["location"]) == (308, "https://sanwu.test/v/1?a=b")
            for url in (f"http://127.0.0.1:{plain}/", f"https://127.0.0.1:{secure}/"):
                foreign = await client.get(url, headers={"host": "evil.example"})
                assert foreign.status_code == 421


def test_both_files_say_the_same_of_paths_that_have_files() -> None:
    caddy = (ROOT / "deploy/caddy/Caddyfile").read_text()
    nginx = (FOLDER / "front.conf").read_text()
    rendered = re.findall(r"path_regexp (\S+)", caddy)
    assert [f'location ~ "{each}" {{' in nginx for each in rendered] == [True]
    for name in ("110s", "700ms", "500ms", "10s", "60s"):
        assert f"{name}" in caddy
        assert f"_timeout {name};" in nginx
