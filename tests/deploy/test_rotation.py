"""Secrets of a running city are changed while it runs: what was good before is refused, and nothing stops."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import asyncpg
import httpx2
import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError

from deploy.local.home import Home
from deploy.local.info import known
from deploy.local.kafka import secret_of
from deploy.local.postgres import Postgres
from services.kit.broker import Broker
from tests.running import RunningCity

Sanwu = Callable[..., Any]


async def get_in(broker: Broker) -> None:
    client = AIOKafkaClient(**broker.options(), request_timeout_ms=5_000)
    try:
        await client.bootstrap()
    finally:
        await client.close()


def secrets_of(city: RunningCity) -> dict[str, str]:
    return dict(json.loads((city.home / "secrets.json").read_text()))


def test_a_service_gets_new_passwords_and_the_old_ones_open_nothing(sanwu: Sanwu, small_city: RunningCity) -> None:
    before = secrets_of(small_city)
    for command in ("rotate-kafka", "rotate-postgres"):
        assert sanwu("keys", command, "qr").code == 0
    after = secrets_of(small_city)
    assert {name for name in after if before.get(name) != after[name]} == {"qr", secret_of("qr")}
    info = known(small_city.home)
    new = replace(info.broker, username="qr", password=after[secret_of("qr")])
    asyncio.run(get_in(new))
    with pytest.raises(KafkaConnectionError):
        asyncio.run(get_in(replace(new, password=before[secret_of("qr")])))
    postgres = Postgres(Home(small_city.home))
    old_dsn = postgres.dsn("qr").replace(after["qr"], before["qr"])
    with pytest.raises(asyncpg.InvalidPasswordError):
        asyncio.run(asyncpg.connect(old_dsn))
    assert httpx2.get(f"{small_city.addresses()['qr']}/readyz").status_code == 200
    assert (small_city.home / "secrets.json").stat().st_mode & 0o077 == 0


def test_the_root_key_is_changed_in_two_steps_and_nobody_is_refused(sanwu: Sanwu, small_city: RunningCity) -> None:
    token = small_city.token("inspector-210881")
    before = secrets_of(small_city)
    assert sanwu("keys", "rotate-root", "--json").code == 0
    assert secrets_of(small_city)["registry-root"] != before["registry-root"]
    assert sanwu("keys", "rotate-root").code == 1
    # What is said under the new key counts everywhere.
    headers = {"authorization": f"Bearer {token}"}
    assert sanwu("keys", "rotate-signing", "--at-once").code == 0
    url = f"{small_city.addresses()['audit']}/audit/v1/alerts"
    deadline = 60
    while httpx2.get(url, headers=headers).status_code != 401 and deadline:
        deadline -= 1
        asyncio.run(asyncio.sleep(0.5))
    small_city.tokens.clear()
    headers = {"authorization": f"Bearer {small_city.token('inspector-210881')}"}
    while httpx2.get(url, headers=headers).status_code != 200 and deadline:
        deadline -= 1
        asyncio.run(asyncio.sleep(0.5))
    assert deadline
    assert sanwu("keys", "rotate-root", "--finish").code == 0
    assert sanwu("keys", "rotate-root", "--finish").sentence() == "No change of the root key is under way."
    told = json.loads(sanwu("status", "--json").out)
    assert {state["refused_signatures"] for state in told["services"].values()} == {0}
    assert httpx2.get(url, headers=headers).status_code == 200
