"""The suite's ground: one real PostgreSQL and one real Kafka a session, a database of its own per test module.

    async def test_something(service):                # a factory, one database and topic prefix per module
        ingest = await service("ingest")              # runtime with a FixedClock and the reference data of builders.py
        answer = await ingest.client.get("/ingest/v1/disclosures", headers=ingest.bearer("clerk-210881006206"))

`ingest.client` talks to the application in this process (ASGI, real database). Nothing of ours is replaced.
"""

import itertools
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import asyncpg
import httpx2
import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.local import migrate, topics
from deploy.local.home import free_port
from deploy.local.kafka import Kafka
from deploy.local.postgres import Postgres
from services.contracts.base import Event
from services.kit import reference
from services.kit.auth import issue_token
from services.kit.clock import FixedClock
from services.kit.consumer import Handling
from services.kit.process import open_runtime
from services.kit.runtime import Runtime
from services.kit.service import AnyService
from services.kit.settings import Settings
from tests import builders
from tests.running import RunningCity, start_city, stop_city

_numbers = itertools.count(1)
#: What runs outside this process; a test that asks for none of it is marked `pure`.
_OUTSIDE = frozenset({"parts", "small_city", "besieged", "city", "browser"})
#: How the groups of tests that begin a run are called, in order.
_FIRST = ("city", "tests/flows", "tests/deploy", "tests/attacks", "tests/kit", "tests/house")


def pytest_configure() -> None:
    """A run that is told to end (by `make`, by CI) ends as with Ctrl-C: what it started is stopped first."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests that need no city: `pytest -m pure` takes seconds."""
    if isinstance(item, pytest.Function) and not _OUTSIDE & set(item.fixturenames):
        item.add_marker("pure")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let each of several processes take whole files, and one of them, from the beginning, all that asks the running city.

    What takes long comes early, so that no process is left alone with it.
    """
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        in_city = isinstance(item, pytest.Function) and "small_city" in item.fixturenames
        item.add_marker(pytest.mark.xdist_group("city" if in_city else item.nodeid.partition("::")[0]))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    group = next(item.iter_markers("xdist_group")).args[0]
    return next((n for n, beginning in enumerate(_FIRST) if group.startswith(beginning)), len(_FIRST))


@dataclass(frozen=True, slots=True)
class Parts:
    """What runs for the whole session."""

    home: Path
    pg: Postgres
    kafka: Kafka

    def settings(self, kind: type[Settings], service: str, database: str, prefix: str, **changes: object) -> Settings:
        """A service's settings on a database of its own."""
        values: dict[str, object] = {
            "database_url": SecretStr(self.pg.dsn(service, database=database)),
            "kafka": self.kafka.bootstrap,
            "kafka_username": service,
            "kafka_password": self.kafka.broker(service).password,
            "http_port": 0,
            "home": self.home,
            "public_url": "http://127.0.0.1:8000",
            "topic_prefix": prefix,
            "pool_size": 5,
            **builders.ROOT_SETTINGS,
            **changes,
        }
        return kind.model_validate(values)


@pytest_asyncio.fixture(scope="session")
async def parts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Parts]:
    """PostgreSQL migrated and Kafka started, in a temporary home."""
    home = tmp_path_factory.mktemp("city")
    home.chmod(0o711)
    home.parent.chmod(0o711)
    async with Postgres(home) as pg, Kafka(home) as kafka:
        await migrate.migrate_all(pg)
        yield Parts(home, pg, kafka)


@dataclass(frozen=True, slots=True)
class Place:
    """A database and a topic prefix that nobody else uses."""

    parts: Parts
    database: str
    prefix: str

    async def apply_topics(self) -> None:
        """Create the prefixed topics on the broker (a second or two: only for tests that need Kafka)."""
        await topics.apply(self.parts.kafka.broker(), self.prefix)


@pytest_asyncio.fixture(scope="module")
async def place(parts: Parts) -> Place:
    """A module's own database and prefix."""
    number = next(_numbers)
    name = f"test_{number}"
    await parts.pg.copy_database(name)
    return Place(parts, name, f"t{number}.")


@dataclass(slots=True)
class Served:
    """One service in this process."""

    service: AnyService
    runtime: Runtime[Any, Any]
    clock: FixedClock
    client: httpx2.AsyncClient
    #: What tests made in it and go on with, by name.
    made: dict[str, Any] = field(default_factory=dict)

    def bearer(self, username: str) -> dict[str, str]:
        """Headers that sign a member of staff in."""
        token = issue_token(builders.SIGNING_KEY, builders.SIGNER_KID, builders.staff_id(username), self.clock.now())
        return {"authorization": f"Bearer {token}"}

    def handling(self, conn: object) -> Handling:
        """What a handler of this service gets."""
        return Handling.serving(conn, self.clock, self.runtime.reference, self.runtime.settings)  # type: ignore[arg-type] # asyncpg's own connection will do

    async def hear(self, *events: Event) -> None:
        """Let the service's handlers project and react to events, in one transaction each, as its consumer would."""
        for event in events:
            async with self.runtime.database.transaction() as conn:
                for handlers in (self.service.project, self.service.react):
                    handler = handlers.get(type(event))
                    if handler is not None:
                        await handler(self.handling(conn), event)

    async def said(self, event_type: str) -> list[str]:
        """Payloads (JSON text) of the events of a type that the service said, oldest first."""
        async with self.runtime.database.connection() as conn:
            rows = await conn.fetch(
                "SELECT payload::text AS p FROM event WHERE type = $1 ORDER BY occurred_at, event_id", event_type
            )
        return [r["p"] for r in rows]


ServiceFactory = Callable[..., Awaitable[Served]]


@pytest_asyncio.fixture(scope="module")
async def service(place: Place) -> AsyncIterator[ServiceFactory]:
    """Open services on the module's database, reference data filled in; a service opened twice is the same one."""
    opened: dict[str, Served] = {}

    async def open_service(name: str, **changes: object) -> Served:
        if name not in opened:
            opened[name] = await open_on(place, name, changes)
        return opened[name]

    yield open_service
    for served in opened.values():
        await served.client.aclose()
        await served.runtime.database.close()


async def open_on(place: Place, name: str, changes: dict[str, object]) -> Served:
    """Open one service on a place, its reference data filled in."""
    module: ModuleType = import_module(f"services.{name}.__main__")
    definition: AnyService = module.SERVICE
    clock = FixedClock(builders.NOW)
    settings = place.parts.settings(definition.settings, name, place.database, place.prefix, **changes)
    runtime = await open_runtime(definition, settings, clock)
    async with runtime.database.transaction() as conn:
        for event in builders.reference_events():
            await reference.project(conn, event)
    await runtime.reference.refresh()
    app = definition.create_app(runtime)
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1:8000")
    return Served(definition, runtime, clock, client)


@pytest_asyncio.fixture
async def admin(place: Place) -> AsyncIterator[asyncpg.Connection]:
    """The superuser's connection to the module's database, for looking from outside."""
    conn = await asyncpg.connect(place.parts.pg.dsn("sanwu_admin", database=place.database))
    yield conn
    await conn.close()


@pytest.fixture(scope="session")
def small_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCity]:
    """The pilot township with its sample, running for the whole session."""
    folder = tmp_path_factory.mktemp("small")
    folder.chmod(0o711)
    # People in stories need not wait half a minute for what they approve.
    city = start_city(
        folder / "home",
        free_port(avoid=set()),
        "small",
        SANWU_UNDO_SECONDS="5",
        SANWU_WORKERS_INGEST="2",
        SANWU_WORKERS_PUBLISH="2",
    )
    assert "not as planned" not in city.said()
    yield city
    stop_city(city)
