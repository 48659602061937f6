"""Private keys and second factors rest closed: the database's files and log open no account and sign no token."""

import base64
import json
from pathlib import Path

import asyncpg
import pyotp
import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.local.home import Home
from deploy.local.info import planned
from services.kit import shred
from services.kit.auth import issue_token
from services.kit.db import Connection
from services.registry.commands import states
from services.registry.jobs import Sealer
from services.registry.store import credentials, sealed
from tests import builders
from tests.conftest import Place, Served, ServiceFactory, open_on
from tests.registry.accounts import HEAD, PASSWORD, emptied, take

SEAL = SecretStr("x" * 32)
FILES = """
SELECT pg_read_binary_file('base/' || oid || '/' || f) AS bytes
FROM pg_database, pg_ls_dir('base/' || oid) AS f WHERE datname = current_database() AND f ~ '^[0-9]'
"""
LOG = "SELECT pg_read_binary_file('pg_wal/' || name) AS bytes FROM pg_ls_waldir()"
ROWS = "SELECT c::text AS t FROM registry.credential c UNION ALL SELECT k::text FROM registry.signing_key k"


@pytest_asyncio.fixture
async def registry(service: ServiceFactory) -> Served:
    served = await emptied(await service("registry", key_seal=SEAL))
    shred.use_key_seal(SEAL)
    async with served.runtime.database.transaction() as conn:
        await conn.execute("DELETE FROM signing_key")
    served.clock.advance(minutes=10)
    return served


async def found(admin: asyncpg.Connection, secrets: list[bytes], *, log: bool = False) -> list[bytes]:
    """Which of some secrets stand in the database's files, or in the write-ahead log."""
    await admin.execute("CHECKPOINT")
    files = [bytes(r["bytes"]) for r in await admin.fetch(LOG if log else FILES)]
    # What is read is really there; of the log one file may be all, for none is kept for another use.
    assert sum(map(len, files)) > 1_000_000
    return [s for s in secrets if any(s in file for file in files)]


async def kept(served: Served) -> tuple[str, str, bytes]:
    """Second factor, the one that waits, and private key, as the service reads them."""
    async with served.runtime.database.connection() as conn:
        credential = await credentials.select_credential(conn, "ines")
        key = await sealed.select_signing_key(conn, served.clock.now())
    assert credential is not None
    assert key is not None
    return credential.totp_secret or "", credential.totp_next or "", key.private_key


async def sign_in(served: Served, secret: str) -> int:
    served.clock.advance(minutes=1)
    body = {"username": "ines", "password": PASSWORD, "totp": pyotp.TOTP(secret).at(served.clock.now())}
    return (await served.client.post("/registry/v1/sign-in", json=body)).status_code


async def new_factor(served: Served, secret: str) -> str:
    """Begin a second factor and do not confirm it."""
    served.clock.advance(minutes=1)
    body = {"password": PASSWORD, "totp": pyotp.TOTP(secret).at(served.clock.now())}
    ines = next(s.staff_id for s in served.runtime.reference.staff.values() if s.username == "ines")
    token = issue_token(builders.SIGNING_KEY, builders.SIGNER_KID, ines, served.clock.now())
    headers = {"authorization": f"Bearer {token}"}
    answer = await served.client.post("/registry/v1/account/second-factor", json=body, headers=headers)
    return str(answer.raise_for_status().json()["totp_secret"])


async def test_no_file_of_the_database_and_no_log_holds_a_secret(registry: Served, admin: asyncpg.Connection) -> None:
    given = pyotp.random_base32()
    await take(registry, HEAD + f"ines,{PASSWORD},{given},inspector,210881006\n")
    begun = await new_factor(registry, given)
    async with registry.runtime.database.transaction() as conn:
        await states.rotate_signer(conn, registry.clock.now(), at_once=True)
    totp, waiting, private = await kept(registry)
    assert (totp, waiting, len(private)) == (given, begun, 32)
    assert await sign_in(registry, given) == 200
    secrets = [given.encode(), begun.encode(), private, base64.b64encode(private)]
    assert await found(admin, secrets) == []
    assert await found(admin, secrets, log=True) == []
    text = str(await admin.fetch(ROWS))
    assert [s for s in (given, begun, private.hex()) if s in text] == []


async def test_secrets_of_before_open_meanwhile_and_are_closed_and_wiped(
    registry: Served, admin: asyncpg.Connection
) -> None:
    given = pyotp.random_base32()
    # As a registry without a seal wrote them.
    shred.use_key_seal(None)
    await take(registry, HEAD + f"ines,{PASSWORD},{given},inspector,210881006\nida,{PASSWORD},,clerk,210881006206\n")
    begun = await new_factor(registry, given)
    _, _, private = await kept(registry)
    shred.use_key_seal(SEAL)
    assert await kept(registry) == (given, begun, private)
    assert await sign_in(registry, given) == 200
    secrets = [given.encode(), begun.encode(), private]
    assert await found(admin, secrets) == secrets
    await Sealer().run(registry.runtime)
    assert await found(admin, secrets) == []
    assert await kept(registry) == (given, begun, private)
    assert await sign_in(registry, given) == 200
    async with registry.runtime.database.transaction() as conn:
        assert await sealed.close_some(conn, 10) == 0


async def test_an_import_gives_and_a_reset_replaces_a_closed_factor(registry: Served) -> None:
    await take(registry, HEAD + f"ines,{PASSWORD},,inspector,210881006\n")
    given = pyotp.random_base32()
    await take(registry, HEAD + f"ines,{PASSWORD},{given},inspector,210881006\n")
    assert await sign_in(registry, given) == 200
    # Whoever has one keeps it.
    await take(registry, HEAD + f"ines,{PASSWORD},{pyotp.random_base32()},inspector,210881006\n")
    assert await sign_in(registry, given) == 200
    answer = await registry.client.post("/registry/v1/staff/ines/reset", headers=registry.bearer("operator"))
    assert (await kept(registry))[0] == answer.raise_for_status().json()["totp_secret"] != given


async def test_a_closed_secret_opens_in_its_own_row_and_column_alone(registry: Served) -> None:
    one, two = pyotp.random_base32(), pyotp.random_base32()
    await take(
        registry,
        HEAD + f"ines,{PASSWORD},{one},inspector,210881006\nivan,{PASSWORD},{two},inspector,210881006\n",
    )
    moves = (
        "UPDATE credential SET totp_secret = (SELECT totp_secret FROM credential WHERE username = 'ivan') WHERE username = 'ines'",
        "UPDATE credential SET totp_next = totp_secret WHERE username = 'ines'",
    )
    for move in moves:
        async with registry.runtime.database.connection() as conn:
            await conn.execute(move)
            with pytest.raises(shred.KeySealError, match="does not open credential"):
                await credentials.select_credential(conn, "ines")
            await conn.execute("UPDATE credential SET totp_next = NULL WHERE username = 'ines'")
            await _put(conn, one)


async def _put(conn: Connection, secret: str) -> None:
    known = (await credentials.select_accounts(conn, ["ines"]))["ines"][0]
    await conn.execute("UPDATE credential SET totp_secret = NULL WHERE staff_id = $1", known)
    await credentials.enrol(conn, {"ines": secret}, builders.NOW)


@pytest.mark.parametrize("seal", [SecretStr("y" * 32), None], ids=["another", "none"])
@pytest.mark.parametrize("what", ["keys", "factors"])
async def test_with_another_seal_or_none_the_registry_does_not_start(
    registry: Served, place: Place, seal: SecretStr | None, what: str
) -> None:
    await take(registry, HEAD + f"ines,{PASSWORD},{pyotp.random_base32()},inspector,210881006\n")
    async with registry.runtime.database.transaction() as conn:
        await conn.execute("TRUNCATE credential" if what == "keys" else "DELETE FROM signing_key")
    with pytest.raises(shred.KeySealError, match="SANWU_KEY_SEAL does not open"):
        await open_on(place, "registry", {} if seal is None else {"key_seal": seal})
    shred.use_key_seal(SEAL)


def test_a_home_gives_registry_a_seal_that_nobody_else_has(tmp_path: Path) -> None:
    home = Home(tmp_path)
    settings = planned(home, "http://127.0.0.1:8000").settings
    seals = {name: of.get("SANWU_KEY_SEAL") for name, of in settings.items()}
    kept_in = json.loads((home.path / "secrets.json").read_text())
    assert seals["ingest"] == seals["publish"] == seals["audit"] == kept_in["key_seal"]
    assert seals["registry"] == kept_in["registry_seal"] != kept_in["key_seal"]
    assert seals["qr"] is None
