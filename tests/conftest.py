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
from _pytest.nodeid import NodeId
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
from tests.running import CITY_PATIENCE_S, RunningCity, start_city, stop_city

_numbers = itertools.count(1)
#: Small cities that run.
_cities: list[RunningCity] = []
#: What runs outside this process; a test that asks for none of it is marked `pure`.
_OUTSIDE = frozenset({"parts", "small_city", "besieged", "city", "browser"})
#: How the groups of tests that begin a run are called, in order.
_FIRST = (
    "city of ",
    # Half minutes that have to pass, beside the start of those cities.
    "tests/kit/test_incoming",
    # Cities that are started again and again, killed and besieged.
    *("tests/deploy/test_stack", "tests/deploy/test_origin", "tests/flows/test_killed", "tests/attacks"),
    "tests/kit/test_broker_away",
    *("tests/browser", "tests/flows", "tests/deploy", "tests/house", "tests/kit"),
)


def pytest_configure() -> None:
    """A run that is told to end (by `make`, by CI) ends as with Ctrl-C: what it started is stopped first."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests that need no city: `pytest -m pure` takes seconds. Those that do may have to wait for its start."""
    if not isinstance(item, pytest.Function):
        return
    if not _OUTSIDE & set(item.fixturenames):
        item.add_marker("pure")
    if {"small_city", "besieged"} & set(item.fixturenames) and item.get_closest_marker("timeout") is None:
        item.add_marker(pytest.mark.timeout(CITY_PATIENCE_S + 300))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let each of several processes take whole files, and one, from the beginning, all of a folder that asks the running city.

    What takes long comes early, so that no process is left alone with it. Two cities, one for people with a browser and
    one for operators, pass sooner than one for both.
    """
    if getattr(config, "workerinput", {"workercount": 1})["workercount"] < 2:
        return
    for item in items:
        file = item.nodeid.partition("::")[0]
        in_city = isinstance(item, pytest.Function) and "small_city" in item.fixturenames
        group = f"city of {file.rpartition('/')[0]}" if in_city else file
        item.add_marker(pytest.mark.xdist_group(group))
        # xdist 3.8 writes the group where pytest 9.2 reads no name any more: every test would be a group of its own.
        item._id = NodeId.parse(f"{item.nodeid}@{group}")
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    group = _group(item)
    return next((n for n, beginning in enumerate(_FIRST) if group.startswith(beginning)), len(_FIRST))


def _group(item: pytest.Item) -> str:
    """The group of tests that one process takes as a whole; none where there is one process."""
    return str(next((mark.args[0] for mark in item.iter_markers("xdist_group")), ""))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Stop the city of a group behind its last test: its processor time is wanted by others."""
    yield
    if _group(item).startswith("city of ") and (nextitem is None or _group(nextitem) != _group(item)):
        while _cities:
            stop_city(_cities.pop())


class ForgetfulPostgres(Postgres):
    """A server whose files nobody needs when the machine itself has died: nothing waits for the disk.

    Whatever a process's own death would leave, this one leaves too.
    """

    def command(self) -> list[str]:
        """As the city starts it, with settings of its own; nobody looks after each test's database meanwhile."""
        own = ("fsync=off", "full_page_writes=off", "autovacuum_naptime=1h")
        return [*super().command(), *(word for setting in own for word in ("-c", setting))]


class FirstAskedKafka(Kafka):
    """A broker that is started by the first who needs it."""

    is_started = False

    async def start(self) -> None:
        """Start it, and remember."""
        self.is_started = True
        await super().start()


@dataclass(frozen=True, slots=True)
class Parts:
    """What runs for the whole session."""

    home: Path
    pg: Postgres
    kafka: FirstAskedKafka

    async def start_kafka(self) -> None:
        """Let Kafka be there, for tests that send or hear something: most need its address alone."""
        if not self.kafka.is_started:
            await self.kafka.start()

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
    """PostgreSQL migrated, and Kafka that starts when somebody asks for it, in a temporary home."""
    home = tmp_path_factory.mktemp("city")
    home.chmod(0o711)
    home.parent.chmod(0o711)
    kafka = FirstAskedKafka(home)
    async with ForgetfulPostgres(home) as pg:
        await migrate.migrate_all(pg)
        yield Parts(home, pg, kafka)
        await kafka.stop()


@dataclass(frozen=True, slots=True)
class Place:
    """A database and a topic prefix that nobody else uses."""

    parts: Parts
    database: str
    prefix: str

    async def apply_topics(self) -> None:
        """Create the prefixed topics on the broker (some seconds: only for tests that need Kafka)."""
        await self.parts.start_kafka()
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
    _cities.append(city)
    yield city
    # In one of several processes it is stopped already.
    while _cities:
        stop_city(_cities.pop())
