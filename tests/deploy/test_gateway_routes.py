"""Every route of the five services, asked through the real gateway: each must come to the service that has it.

Behind the gateway stand listeners that say nothing but their name: where a request goes is decided by the
Caddyfile alone, and no answer of a service could hide that it was the wrong one.
"""

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from fastapi.routing import iter_route_contexts

from deploy.docs.openapi import OPENAPI, application
from deploy.local.faults import Fault
from deploy.local.gateway import Gateway
from deploy.local.home import free_port
from services.contracts.topics import SERVICES, ServiceName
from tests.deploy.listener import Listener

ROOT = Path(__file__).parents[2]
#: What the gateway keeps to itself: these are for the machines behind it.
INNER = {"/livez", "/readyz", "/metrics"}
#: Served by publish only while qr is away.
TAKEN_OVER = {("publish", "GET /c/{code}")}


@pytest.fixture(scope="module")
def listeners() -> Iterator[dict[str, str]]:
    """Addresses of listeners by service."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(Listener(name)).address for name in (*SERVICES, "standby")}


@pytest_asyncio.fixture(scope="module")
async def gateway(listeners: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """A real gateway in front of them."""
    async with Gateway(tmp_path_factory.mktemp("gateway"), free_port(avoid=set()), listeners) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def through(gateway: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of it."""
    async with httpx2.AsyncClient(base_url=gateway.url, timeout=20) as client:
        yield client


def documented(name: ServiceName) -> set[str]:
    """Routes of a service's OpenAPI document."""
    paths = json.loads((ROOT / OPENAPI / f"{name}.json").read_text())["paths"]
    return {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}


def mounted(name: ServiceName) -> set[str]:
    """Routes of a service's application: pages and static files too."""
    found: set[str] = set()
    for route in iter_route_contexts(application(name).routes):
        path = getattr(route, "path_format", None) or route.path
        found |= {f"{method} {path}" for method in getattr(route, "methods", None) or ("GET",)}
    return found


def example(path: str) -> str:
    """A route's path with something in its places."""
    return path.replace("{", "").replace("}", "")


async def asked(through: httpx2.AsyncClient, route: str) -> httpx2.Response:
    method, _, path = route.partition(" ")
    return await through.request(method, example(path))


@pytest.mark.parametrize("name", SERVICES)
async def test_every_route_comes_to_the_service_that_has_it(through: httpx2.AsyncClient, name: ServiceName) -> None:
    routes = {r for r in documented(name) | mounted(name) if r.partition(" ")[2] not in INNER}
    assert len(routes) > 3
    elsewhere = {}
    for route in sorted(routes):
        answer = await asked(through, route)
        by = answer.headers.get("x-answered-by", f"nobody ({answer.status_code})")
        if by != ("qr" if (name, route) in TAKEN_OVER else name):
            elsewhere[route] = by
    assert elsewhere == {}


async def test_the_name_localhost_leads_there_too(gateway: Gateway, through: httpx2.AsyncClient) -> None:
    answer = await through.get("/", headers={"host": f"localhost:{gateway.port}"})
    assert answer.headers.get("x-answered-by") == "publish"


async def test_documents_list_no_route_that_an_application_lacks() -> None:
    for name in SERVICES:
        assert documented(name) <= mounted(name)


@pytest.mark.parametrize("path", sorted(INNER))
async def test_what_is_for_machines_behind_the_gateway_stays_there(through: httpx2.AsyncClient, path: str) -> None:
    answer = await asked(through, f"GET {path}")
    assert (answer.status_code, answer.headers.get("x-answered-by")) == (404, None)


async def test_every_request_is_noted_without_what_was_searched_for_or_who_signed_in(
    gateway: Gateway, through: httpx2.AsyncClient
) -> None:
    secret = {
        "authorization": "Bearer not-for-logs",
        "cookie": "sanwu_token=not-for-logs",
        "referer": "/?q=not-for-logs",
    }
    answer = await through.get("/search/here?q=not-for-logs&name=%E5%BC%A0", headers=secret)
    assert answer.status_code == 200
    await through.get("/livez?noted=last")
    log = gateway.home.logs / "access.log"
    for _ in range(100):
        notes = [json.loads(line) for line in log.read_text().splitlines()]
        if notes and notes[-1]["request"]["uri"] == "/livez":
            break
        await asyncio.sleep(0.1)
    note, last = notes[-2:]
    asked = note["request"]
    assert (asked["method"], asked["uri"], asked["remote_ip"]) == ("GET", "/search/here", "127.0.0.1")
    assert (note["status"], last["status"]) == (200, 404)
    assert note["duration"] >= 0
    assert note["ts"].startswith("20")
    assert "not-for-logs" not in log.read_text()
    assert "headers" not in asked
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_the_access_log_is_kept_for_six_months_at_least(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway(tmp_path, 1, {})
    assert gateway.environment()["SANWU_ACCESS_LOG_DAYS"] == "184"
    monkeypatch.setenv("SANWU_ACCESS_LOG_DAYS", "400")
    assert gateway.environment()["SANWU_ACCESS_LOG_DAYS"] == "400"
    for wrong in ("183", "0", "-1", "half a year"):
        monkeypatch.setenv("SANWU_ACCESS_LOG_DAYS", wrong)
        with pytest.raises(Fault, match="184"):
            gateway.environment()
