"""Audit's service on an emptied database, and what its tests ask of it again and again."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest_asyncio

from services.audit.jobs import Watch
from services.audit.memory import Tallies
from services.audit.visit import Own
from tests.conftest import Served, ServiceFactory
from tests.emptying import empty

OWN = tuple(
    f"audit.{table}"
    for table in (
        *(
            "fact",
            "staff_reset",
            "outcome",
            "verdict",
            "alert",
            "episode",
            "evidence",
            "deadline",
            "replay_alert",
            "lead",
        ),
        *("shred_key", "event", "outbox", "aggregate"),
    )
)


async def emptied(served: Served, admin: asyncpg.Connection) -> Served:
    """Take away all that audit heard, and what it remembers of it."""
    await empty(admin, *OWN)
    served.runtime.own = Own(Tallies())
    return served


@pytest_asyncio.fixture
async def audit(service: ServiceFactory, admin: asyncpg.Connection) -> Served:
    """Audit with no facts, at the tests' present."""
    from tests import builders  # noqa: PLC0415 - read beside its use

    # Stories are told of ledgers; test_grid.py looks at the whole catalogue.
    served = await emptied(await service("audit", duty_items=["F01"]), admin)
    served.clock.at = builders.NOW
    return served


Alerts = Callable[..., Awaitable[list[dict[str, Any]]]]


@pytest_asyncio.fixture
async def alerts(audit: Served) -> Alerts:
    """Ask for alerts as the city's inspector."""

    async def ask(**query: str | int) -> list[dict[str, Any]]:
        answer = await audit.client.get(
            "/audit/v1/alerts", params={"limit": 200, **query}, headers=audit.bearer("inspector-210881")
        )
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    return ask


@pytest_asyncio.fixture
async def tick(audit: Served) -> Callable[[], Awaitable[None]]:
    """One look of the clock, which plans first as a process does that has just started."""

    async def look() -> None:
        await Watch().run(audit.runtime)

    return look
