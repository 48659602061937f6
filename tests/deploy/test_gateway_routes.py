"""Every route of the five services, asked through the real gateway: each must come to the service that has it.

Behind the gateway stand five listeners that say nothing but their name: where a request goes is decided by the
Caddyfile alone, and no answer of a service could hide that it was the wrong one.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx2
import pytest
import pytest_asyncio
from fastapi.routing import iter_route_contexts

from deploy.docs.openapi import OPENAPI, application
from deploy.local.gateway import Gateway
from deploy.local.home import free_port
from services.contracts.topics import SERVICES, ServiceName

ROOT = Path(__file__).parents[2]
#: What the gateway keeps to itself: these are for the machines behind it.
INNER = {"/livez", "/readyz", "/metrics"}
#: Served by publish only while qr is away.
TAKEN_OVER = {("publish", "GET /c/{code}")}


class _Named(BaseHTTPRequestHandler):
    """Answers whatever it is asked with its name."""

    def __init__(self, name: str, *rest: object) -> None:
        self.name = name
        super().__init__(*rest)  # type: ignore[arg-type] # the server's own arguments, passed on

    def _say(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", "0")))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.send_header("x-answered-by", self.name)
        self.end_headers()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _say  # noqa: N815 - named by the standard library

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the standard library
        """Say nothing."""


@pytest.fixture(scope="module")
def listeners() -> Iterator[dict[str, str]]:
    """Addresses of five listeners by service."""
    servers = {name: ThreadingHTTPServer(("127.0.0.1", 0), partial(_Named, name)) for name in SERVICES}
    for server in servers.values():
        Thread(target=server.serve_forever, daemon=True).start()
    yield {name: f"127.0.0.1:{server.server_port}" for name, server in servers.items()}
    for server in servers.values():
        server.shutdown()
        server.server_close()


@pytest_asyncio.fixture(scope="module")
async def through(
    listeners: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a real gateway in front of them."""
    async with AsyncExitStack() as stack:
        gateway = Gateway(tmp_path_factory.mktemp("gateway"), free_port(avoid=set()), listeners)
        await stack.enter_async_context(gateway)
        yield await stack.enter_async_context(httpx2.AsyncClient(base_url=gateway.url, timeout=20))


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


async def test_documents_list_no_route_that_an_application_lacks() -> None:
    for name in SERVICES:
        assert documented(name) <= mounted(name)


@pytest.mark.parametrize("path", sorted(INNER))
async def test_what_is_for_machines_behind_the_gateway_stays_there(through: httpx2.AsyncClient, path: str) -> None:
    answer = await asked(through, f"GET {path}")
    assert (answer.status_code, answer.headers.get("x-answered-by")) == (404, None)
