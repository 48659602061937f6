"""Each attack alone, through the gateway: refused or harmless, and nobody else waits for it.

All at once, for a minute and with figures: `python -m tests.attacks`.
"""

import asyncio
import time
from collections.abc import Iterator

import httpx2
import pytest

from deploy.local.home import free_port
from tests.attacks.doing import ADDRESS, ATTACKS, CLERK, Attack, Field, client_from
from tests.running import RunningCity, start_city, stop_city

#: Nobody else waits longer, on a machine that other tests use as well. Unmended, each of these took 5 to 60 s.
LONGEST_S = 4.0
OTHER = "clerk-210881006206"


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCity]:
    """A city of its own: what is entered, locked and limited here is nobody else's."""
    folder = tmp_path_factory.mktemp("besieged")
    city = start_city(folder / "home", free_port(avoid=set()), "small")
    yield city
    stop_city(city)


async def longest_wait(city: RunningCity, done: asyncio.Event) -> float:
    """How long another clerk waits at most for the own list, and a villager for a page."""
    longest = 0.0
    headers = {"authorization": f"Bearer {city.token(OTHER)}"}
    async with httpx2.AsyncClient(base_url=city.url, timeout=120, headers=headers) as client:
        while not done.is_set():
            for path in ("/ingest/v1/disclosures", "/registry/v1/account", "/v/210881006206"):
                begin = time.monotonic()
                answer = await client.get(path)
                longest = max(longest, time.monotonic() - begin)
                assert answer.status_code == 200, (path, answer.text)
            await asyncio.sleep(0.1)
    return longest


@pytest.mark.parametrize("attack", [pytest.param(a, id=a.name) for a in ATTACKS])
async def test_an_attack_is_refused_or_harmless_and_nobody_else_waits_for_it(
    besieged: RunningCity, attack: Attack
) -> None:
    await asyncio.to_thread(besieged.token, CLERK)
    await asyncio.to_thread(besieged.token, OTHER)
    done = asyncio.Event()
    waiting = asyncio.create_task(longest_wait(besieged, done))
    async with client_from(ADDRESS, besieged.url, 120) as client:
        try:
            statuses = await attack.run(Field(besieged, 4.0, client))
        finally:
            done.set()
    longest = await waiting
    assert set(statuses) <= attack.held, statuses
    assert longest < LONGEST_S
