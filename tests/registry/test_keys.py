"""The key that signs tokens is changed while people work: old tokens live to their end, a leaked key's do not."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.kit.auth import issue_token
from services.kit.cli import read_line
from services.kit.keypair import key_bytes
from services.registry.__main__ import COMMANDS
from services.registry.commands import states
from services.registry.jobs import forget
from services.registry.settings import RegistrySettings
from tests import builders
from tests.conftest import Served, ServiceFactory
from tests.registry.accounts import HEAD, PASSWORD, emptied, take


@pytest_asyncio.fixture
async def registry(service: ServiceFactory) -> Served:
    served = await emptied(await service("registry"))
    await take(served, HEAD + f"anna,{PASSWORD},,clerk,210881006206\n")
    return served


async def sign_in(served: Served) -> Any:
    answer = await served.client.post("/registry/v1/sign-in", json={"username": "anna", "password": PASSWORD})
    return answer.raise_for_status().json()["access_token"]


async def rotate(served: Served, *, at_once: bool = False) -> str:
    async with served.runtime.database.transaction() as conn:
        kid, _ = await states.rotate_signer(conn, served.clock.now(), at_once=at_once)
    await served.runtime.reference.refresh()
    return kid


async def read(served: Served, token: str) -> int:
    answer = await served.client.get("/registry/v1/divisions", headers={"authorization": f"Bearer {token}"})
    return int(answer.status_code)


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


async def test_a_new_key_signs_a_minute_later_and_the_old_one_counts_as_long_as_its_last_token(
    registry: Served,
) -> None:
    old = await sign_in(registry)
    new = await rotate(registry)
    # The others have to hear of it first.
    still_old = await sign_in(registry)
    assert kid_of(old) == kid_of(still_old) != new
    registry.clock.advance(seconds=60)
    of_new = await sign_in(registry)
    assert kid_of(of_new) == new
    registry.clock.advance(minutes=13)
    assert [await read(registry, token) for token in (old, still_old, of_new)] == [200, 200, 200]
    registry.clock.advance(minutes=2)
    assert registry.runtime.reference.signers[kid_of(old)].not_after == registry.clock.now()
    await forget(registry.runtime)
    async with registry.runtime.database.connection() as conn:
        rows = await conn.fetch("SELECT kid FROM signing_key")
    assert [r["kid"] for r in rows] == [new]
    assert kid_of(await sign_in(registry)) == new


async def test_a_leaked_key_counts_no_more_at_once(registry: Served) -> None:
    old = await sign_in(registry)
    new = await rotate(registry, at_once=True)
    assert await read(registry, old) == 401
    token = await sign_in(registry)
    assert kid_of(token) == new
    assert await read(registry, token) == 200


async def test_a_new_key_signed_nothing_before_its_time(registry: Served) -> None:
    new = await rotate(registry)
    async with registry.runtime.database.connection() as conn:
        private = await conn.fetchval("SELECT private_key FROM signing_key WHERE kid = $1", new)
    early = issue_token(
        Ed25519PrivateKey.from_private_bytes(private),
        new,
        (await _anna(registry)),
        registry.clock.now() - timedelta(seconds=30),
    )
    assert await read(registry, early) == 401


async def _anna(registry: Served) -> str:
    return next(s.staff_id for s in registry.runtime.reference.staff.values() if s.username == "anna")


def test_a_root_key_is_made_and_believed(capsys: pytest.CaptureFixture[str]) -> None:
    assert read_line(COMMANDS, ["keys", "new-root"], "registry") == 0
    private, public = (line.split()[1] for line in capsys.readouterr().out.splitlines())
    assert len(key_bytes(private)) == len(key_bytes(public)) == 32
    common = {
        "database_url": "postgresql://nobody@localhost/none",
        "kafka": "localhost:9092",
        "kafka_username": "registry",
        "kafka_password": "none",
        "http_port": 0,
        "home": ".",
        "registry_root_key": private,
    }
    assert RegistrySettings.model_validate({**common, "registry_root": (public,)}).root is not None
    with pytest.raises(ValueError, match="does not name"):
        RegistrySettings.model_validate({**common, "registry_root": builders.ROOT_SETTINGS["registry_root"]})
    with pytest.raises(ValueError, match="32 bytes in base64url"):
        RegistrySettings.model_validate({**common, "registry_root": (public[:-2],)})
