"""Limits hold for all processes together: two of them let nobody in twice as often."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest_asyncio
from pydantic import SecretStr

from services.publish.store.allowances import Allowance, forget, use
from tests import builders
from tests.conftest import Place, Served, open_on

SEAL = SecretStr("a long random text that all processes of a city share")
ASKED = {"about": builders.VILLAGE, "text": "这笔水管修了两次，为什么付两次钱？"}


@pytest_asyncio.fixture
async def two(place: Place, tmp_path: Any) -> AsyncIterator[tuple[Served, Served]]:
    """Publish twice, on one database."""
    settings = {"home": tmp_path, "key_seal": SEAL, "household_key": SEAL, "questions_at_once": 3}
    one, other = [await open_on(place, "publish", settings) for _ in range(2)]
    async with one.runtime.database.transaction() as conn:
        await conn.execute("TRUNCATE question, question_word, question_join, allowance")
    yield one, other
    for served in (one, other):
        await served.client.aclose()
        await served.runtime.database.close()


async def test_whoever_asked_enough_at_one_process_is_refused_at_the_other(two: tuple[Served, Served]) -> None:
    for n in range(3):
        assert (await two[n % 2].client.post("/api/v1/questions", json=ASKED)).status_code == 201
    for served in two:
        answer = await served.client.post("/api/v1/questions", json=ASKED)
        assert (answer.status_code, answer.json()["code"]) == (429, "asked_too_often")
        assert 0 < int(answer.headers["retry-after"]) <= 181


async def test_a_household_that_looked_enough_at_one_process_is_refused_at_the_other(
    two: tuple[Served, Served], monkeypatch: Any
) -> None:
    monkeypatch.setattr("services.publish.household.ANSWER_S", 0.0)
    path = f"/api/v1/villages/{builders.VILLAGE}/household"
    told = {"name": "张德福", "card_tail": "7391"}
    for n in range(5):
        assert (await two[n % 2].client.post(path, json=told)).status_code == 200
    for served in two:
        answer = await served.client.post(path, json=told)
        assert (answer.status_code, answer.json()["code"]) == (429, "looked_for_too_often")


async def test_a_share_comes_back_bit_by_bit_and_what_is_over_is_forgotten(two: tuple[Served, Served]) -> None:
    allowance, now = Allowance("tried", 2, timedelta(seconds=60)), builders.NOW
    async with two[0].runtime.database.transaction() as conn:
        assert [await use(conn, allowance, b"a", now) for _ in range(4)] == [0, 0, 61, 61]
        assert await use(conn, allowance, b"b", now) == 0
        assert await use(conn, allowance, b"a", now + timedelta(seconds=60)) == 0
        assert await use(conn, allowance, b"a", now + timedelta(seconds=60)) == 61
        assert await forget(conn, now + timedelta(seconds=60), 100) == 1
        assert await forget(conn, now + timedelta(hours=1), 100) == 1
        assert await forget(conn, now + timedelta(hours=1), 100) == 0


async def test_what_is_rolled_back_costs_nobody_a_turn(two: tuple[Served, Served]) -> None:
    for _ in range(5):
        refused = await two[0].client.post(
            "/api/v1/questions", json={**ASKED, "about": f"{builders.VILLAGE}/F01/2099-13"}
        )
        assert refused.status_code == 422
    assert (await two[0].client.post("/api/v1/questions", json=ASKED)).status_code == 201
