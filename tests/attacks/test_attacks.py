"""Each attack alone, through the gateway: refused or harmless, and nobody else waits for it.

All at once, for a minute and with figures: `python -m tests.attacks`.
"""

import asyncio
import time

import httpx2
import pytest

from tests.attacks.doing import ADDRESS, ATTACKS, CLERK, Attack, Field, client_from
from tests.running import RunningCity

#: Nobody else waits longer, on a machine that other tests use as well. Unmended, each of these took 5 to 60 s.
LONGEST_S = 4.0
OTHER = "clerk-210881006206"


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
    small_city: RunningCity, attack: Attack
) -> None:
    await asyncio.to_thread(small_city.token, CLERK)
    await asyncio.to_thread(small_city.token, OTHER)
    done = asyncio.Event()
    waiting = asyncio.create_task(longest_wait(small_city, done))
    async with client_from(ADDRESS, small_city.url, 120) as client:
        try:
            statuses = await attack.run(Field(small_city, 4.0, client))
        finally:
            done.set()
    longest = await waiting
    assert set(statuses) <= attack.held, statuses
    assert longest < LONGEST_S
