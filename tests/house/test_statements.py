"""No route runs more statements for two hundred of what it lists or takes than for ten; one that looks keeps nobody waiting."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Final, cast

import asyncpg
import pytest
import pytest_asyncio

from services.audit.store.facts import LOCK_VILLAGE
from services.contracts.base import Role
from services.contracts.topics import SERVICES, ServiceName
from services.ingest.store.disclosures import LOCK_DISCLOSURE, SELECT_EDITIONS, UPDATE_SAVED
from services.ingest.store.imports import LOCK_IMPORT_DRAFTS
from services.kit.db import Connection, Database
from services.kit.park import LOCK_PARKED_AGGREGATES
from tests.conftest import Parts, Place, open_on
from tests.house.crowds import crowded
from tests.house.lists import MANY, ONE, Many
from tests.house.rights import RIGHTS, Row
from tests.house.stage import INSIDE, Stage, filled
from tests.house.test_rights import EXPORTED, INNER, routes_of
from tests.registry.accounts import OWN_PAGE

FEW: Final = 10
LOTS: Final = 200
#: What others may wait for. An insert is not among it: publish notes which page it did not find rendered.
LOCKING: Final = re.compile(
    r"\bFOR (NO KEY )?UPDATE\b|\bFOR (KEY )?SHARE\b|\bpg_(try_)?advisory|\bLOCK TABLE\b"
    r"|\b(UPDATE|DELETE FROM|MERGE INTO) \w|^BEGIN\b"
)
HANDED_OUT: Final = {(name, route) for name, route, _, _ in EXPORTED}
Pair = tuple[Stage, Stage]


class Counted(Database):
    """Every statement that went to the server."""

    said: ClassVar[list[str]] = []

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection that is listened to."""
        async with super().connection() as conn:
            with cast("asyncpg.Connection", conn).query_logger(lambda record: self.said.append(record.query)):
                yield conn


Pairs = Callable[[ServiceName], Awaitable[Pair]]


@pytest_asyncio.fixture(scope="module")
async def pairs(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pairs]:
    """Opens a service twice: with few of everything, and with lots."""
    made: dict[ServiceName, Pair] = {}

    async def open_pair(name: ServiceName) -> Pair:
        if name not in made:
            few, lots = [await _opened(parts, name, n, tmp_path_factory) for n in (FEW, LOTS)]
            made[name] = (few, lots)
        return made[name]

    yield open_pair
    for stage in (s for pair in made.values() for s in pair):
        await stage.tables.conn.close()
        await stage.served.client.aclose()
        await stage.served.runtime.database.close()


async def _opened(parts: Parts, name: ServiceName, n: int, folders: pytest.TempPathFactory) -> Stage:
    database = f"statements_{name}_{n}"
    await parts.pg.copy_database(database)
    place = Place(parts, database, f"{database}.")
    own: dict[str, dict[str, object]] = {"audit": {"duty_items": ["F01"]}, "publish": {"home": folders.mktemp("home")}}
    served = await open_on(place, name, own.get(name, {}))
    stage = await crowded(served, place, n)
    # The application has its pool already; from now on that one is listened to.
    served.runtime.database.__class__ = Counted
    return stage


@dataclass(frozen=True, slots=True)
class Case:
    """One request to be made in both worlds."""

    service: ServiceName
    row: Row
    many: Many | None

    @property
    def name(self) -> str:
        """For people."""
        return (
            f"{self.service} {self.row.route} {' '.join(self.row.at.values())} ({self.many.of if self.many else 'one'})"
        )


def _cases() -> Iterator[Case]:
    for service in SERVICES:
        for route in (*MANY[service], *sorted(ONE[service])):
            rows = [row for row in RIGHTS[service] if row.route == route]
            told = MANY[service].get(route)
            for many in told if isinstance(told, tuple) else (told,):
                if many is None or (many.sent is None and not many.at):
                    yield from (Case(service, row, many) for row in rows)
                else:
                    yield Case(service, _example(rows[0], many), many)


def _example(row: Row, many: Many) -> Row:
    at = MappingProxyType(dict(zip(row.at, many.at.split(), strict=True))) if many.at else row.at
    return replace(row, at=at, sent=MappingProxyType(dict(many.sent)) if many.sent is not None else row.sent)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request came to."""

    status: int
    length: int
    said: tuple[str, ...]


async def ask(stage: Stage, row: Row, who: str | None) -> Asked:
    """Ask once and count; what was changed is put back."""
    method, _, path = row.route.partition(" ")
    for place, value in row.at.items():
        path = path.replace(f"{{{place}}}", str(filled(stage, value)))
    sent: dict[str, Any] = {name: filled(stage, value) for name, value in row.sent.items()}
    headers = {**OWN_PAGE, **(stage.served.bearer(who) if who is not None else {})}
    Counted.said.clear()
    answer = await stage.served.client.request(method, path, headers=headers, **sent)
    said = tuple(Counted.said)
    assert answer.status_code < 500, answer.text
    if (scans := getattr(stage.served.runtime.own, "counted", None)) is not None:
        # Scans are written some seconds later: in the middle of what is asked then.
        await scans.write()
    if method not in {"GET", "HEAD"} and answer.status_code < 400:
        await stage.tables.put_back()
    return Asked(answer.status_code, len(answer.content), said)


@pytest.mark.parametrize("name", SERVICES)
def test_every_route_tells_what_it_has_many_of_or_changes_one_thing(name: ServiceName) -> None:
    routes = {r for r in routes_of(name) if not r.startswith("MOUNT ")} - INNER
    assert set(MANY[name]) | ONE[name] == routes
    assert set(MANY[name]).isdisjoint(ONE[name])


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in _cases()])
async def test_two_hundred_cost_no_more_statements_than_ten(pairs: Pairs, case: Case) -> None:
    few, lots = await pairs(case.service)
    worked, longer, more = False, False, []
    staff: list[str | None] = [name for role, name in INSIDE.items() if role in case.row.who]
    for who in staff or [None]:
        one, other = await ask(few, case.row, who), await ask(lots, case.row, who)
        assert one.status == other.status, who
        works = one.status < 400
        worked, longer = worked or works, longer or (works and other.length > one.length)
        if len(other.said) > len(one.said):
            more.append((who, len(one.said), len(other.said), _repeated(other.said)))
        # Putting back takes its time: of those who change something one is enough.
        if works and not case.row.route.startswith("GET "):
            break
    assert more == []
    assert worked is case.row.works
    assert longer or case.many is None or not case.many.shown


def _repeated(said: tuple[str, ...]) -> str:
    """The statement that was run most often, for whoever has to mend it."""
    return " ".join(max(said, key=said.count).split())[:200]


def locking(said: tuple[str, ...]) -> list[str]:
    """Those of some statements that lock rows or begin a transaction, each on one line."""
    return [s for s in (" ".join(s.split()) for s in said) if LOCKING.search(s)]


LOOKING: Final = [
    pytest.param(case, id=case.name)
    for case in _cases()
    if case.row.route.startswith(("GET ", "HEAD ")) and (case.service, case.row.route) not in HANDED_OUT
]


@pytest.mark.parametrize("case", LOOKING)
async def test_who_looks_keeps_nobody_waiting(pairs: Pairs, case: Case) -> None:
    few, _ = await pairs(case.service)
    staff: list[str | None] = [name for role, name in INSIDE.items() if role in case.row.who]
    assert [s for who in staff or [None] for s in locking((await ask(few, case.row, who)).said)] == []


async def test_a_route_that_locks_is_seen(pairs: Pairs) -> None:
    few, _ = await pairs("ingest")
    row = next(r for r in RIGHTS["ingest"] if r.route == "POST /ingest/v1/disclosures/{disclosure_id}/confirm")
    assert LOCK_DISCLOSURE in locking((await ask(few, row, INSIDE[Role.SUPERVISOR])).said)


@pytest.mark.parametrize(
    ("statement", "seen"),
    [
        (LOCK_DISCLOSURE, True),
        (LOCK_IMPORT_DRAFTS, True),
        (LOCK_PARKED_AGGREGATES, True),
        (LOCK_VILLAGE, True),
        ("SELECT 1 FROM disclosure\nFOR\nNO KEY UPDATE SKIP LOCKED", True),
        ("SELECT pg_try_advisory_lock(1)", True),
        ("LOCK TABLE disclosure", True),
        (UPDATE_SAVED, True),
        ("WITH gone AS (DELETE FROM edition RETURNING *) SELECT * FROM gone", True),
        ("BEGIN;", True),
        (SELECT_EDITIONS, False),
    ],
)
def test_what_locks_is_known_by_its_words(statement: str, *, seen: bool) -> None:
    assert bool(locking((statement,))) is seen
