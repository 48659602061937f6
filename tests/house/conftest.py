"""The five applications with things in them, for tests that walk all their routes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from deploy.local.gateway import Gateway
from deploy.local.home import free_port
from services.contracts.topics import SERVICES, ServiceName
from tests.conftest import Place, ServiceFactory
from tests.house.stage import Stage, staged


@pytest_asyncio.fixture(scope="module")
async def stages(
    service: ServiceFactory, place: Place, tmp_path_factory: Any
) -> AsyncIterator[dict[ServiceName, Stage]]:
    """All five, set up."""
    own = {"audit": {"duty_items": ["F01"]}, "publish": {"home": tmp_path_factory.mktemp("home")}}
    made = {name: await staged(await service(name, **own.get(name, {})), place) for name in SERVICES}
    yield made
    for stage in made.values():
        await stage.tables.conn.close()


@pytest_asyncio.fixture(scope="module")
async def gate(
    stages: dict[ServiceName, Stage], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a real gateway, behind which the five answer on ports as they do in a city."""
    ports: set[int] = set()
    for _ in (*SERVICES, "gateway"):
        ports.add(free_port(avoid=ports))
    own, *inner = sorted(ports)
    upstreams = {str(name): f"127.0.0.1:{port}" for name, port in zip(SERVICES, inner, strict=True)}
    served = [_listening(stages[name], port) for name, port in zip(SERVICES, inner, strict=True)]
    gateway = Gateway(tmp_path_factory.mktemp("gate"), own, {**upstreams, "standby": upstreams["publish"]})
    async with AsyncExitStack() as stack:
        for each in served:
            await stack.enter_async_context(each)
        await stack.enter_async_context(gateway)
        yield await stack.enter_async_context(httpx2.AsyncClient(base_url=gateway.url, timeout=30))


@asynccontextmanager
async def _listening(stage: Stage, port: int) -> AsyncIterator[None]:
    """The very application that the other tests call without a network."""
    app = stage.served.client._transport.app  # type: ignore[attr-defined] # the client was given this transport
    server = Server(
        app,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    )
    serving = asyncio.ensure_future(server.serve())
    try:
        yield
    finally:
        server.stop()  # type: ignore[no-untyped-call] # granian ships no types
        await serving
