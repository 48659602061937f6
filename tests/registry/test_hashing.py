"""A hash takes 20 ms, those of a file seconds: no transaction and no lock waits for them, and no look for a lock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from services.contracts.base import Role
from services.kit.auth import actor_of
from services.kit.db import Connection
from services.registry.commands import imports, passwords
from services.registry.commands import staff as accounts
from services.registry.commands.staff import Post
from services.registry.store import references
from services.registry.visit import Changing
from tests import builders
from tests.conftest import Served, ServiceFactory
from tests.registry.accounts import HEAD, PASSWORD, emptied, take

ANNA = f"anna,{PASSWORD},,clerk,210881006206\n"
FILE = HEAD + "gina,,,clerk,210881006206\nhugo,,,clerk,210881006208\n"
NEW = {"username": "ben", "role": "clerk", "scope": "210881006206"}
#: Transactions of this database that are open and do nothing, and advisory locks that somebody holds.
HELD = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%')
    + (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


@pytest_asyncio.fixture
async def registry(service: ServiceFactory) -> Served:
    served = await emptied(await service("registry"))
    await take(served, HEAD + ANNA)
    return served


@asynccontextmanager
async def crowd() -> AsyncIterator[None]:
    """So many passwords that wait to be hashed that whoever comes now waits until the block ends."""
    waiting = [asyncio.ensure_future(passwords.hash_password("x")) for _ in range(1000)]
    await asyncio.sleep(0)
    try:
        yield
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.wait(waiting)


@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        ("/registry/v1/staff", {"json": NEW}, 201),
        ("/registry/v1/staff/anna/reset", {}, 200),
        ("/registry/v1/staff/imports?apply=true", {"content": FILE}, 200),
        ("/admin/staff", {"data": NEW}, 200),
        ("/admin/staff/anna/reset", {}, 200),
        ("/admin/import/apply", {"data": {"text": FILE}}, 200),
    ],
)
async def test_no_transaction_and_no_lock_is_held_while_passwords_are_hashed(
    registry: Served, admin: asyncpg.Connection, path: str, sent: dict[str, Any], status: int
) -> None:
    async with crowd():
        asked = asyncio.ensure_future(registry.client.post(path, headers=registry.bearer("operator"), **sent))
        for _ in range(20):
            await asyncio.sleep(0.025)
            assert await admin.fetchval(HELD) == 0
        assert not asked.done()
    assert (await asked).status_code == status


@pytest.mark.parametrize("path", ["/registry/v1/staff", "/registry/v1/staff/anna/reset", "/admin/staff/anna/reset"])
async def test_who_may_not_is_told_so_before_anything_is_hashed(registry: Served, path: str) -> None:
    async with crowd(), asyncio.timeout(5):
        refused = await registry.client.post(path, headers=registry.bearer("clerk-210881006206"))
    assert refused.status_code == 403


def desk(served: Served, conn: Connection) -> Changing:
    now = served.clock.now()
    actor = actor_of(builders.staff_id("operator"), served.runtime.reference, now)
    assert actor is not None
    return Changing(served.runtime, now, conn, actor)


async def test_an_account_that_was_opened_while_a_file_was_hashed_keeps_its_password(registry: Served) -> None:
    database = registry.runtime.database
    async with database.connection() as conn:
        plan = await imports.plan_staff(desk(registry, conn), imports.read_staff_file(FILE.encode()))
    made, one_time = await imports.make_accounts(plan), await passwords.make_one_time()
    async with database.transaction() as conn:
        await accounts.create(desk(registry, conn), "gina", Post(None, Role.PRINCIPAL, "210881006206"), one_time)
    async with database.transaction() as conn:
        done, told = await imports.apply_staff(desk(registry, conn), plan, made)
    assert (plan.new, done.new, done.changed) == (["gina", "hugo"], ["hugo"], ["gina"])
    assert [secrets.username for secrets in told] == ["hugo"]
    for username, password in (("gina", one_time.password), ("hugo", told[0].one_time_password)):
        body = {"username": username, "password": password}
        first = await registry.client.post("/registry/v1/sign-in", json=body)
        assert first.json()["code"] == "new_password_required"


async def test_a_look_at_an_account_waits_for_no_change_of_others(registry: Served, admin: asyncpg.Connection) -> None:
    async with admin.transaction():
        await admin.execute(references.LOCK_REGISTRY)
        for who in ("operator", "reviewer-210881006"):
            seen = await registry.client.get("/admin/staff/anna", headers=registry.bearer(who))
            assert (seen.status_code, "anna" in seen.text) == (200, True)
