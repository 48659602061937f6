"""Accounts from a staff file, signing in with them, and being thrown out again."""

import asyncio
from collections import Counter
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from services.registry.bulk.rows import FileFaultsError
from services.registry.bulk.staff import read_staff
from services.registry.commands import passwords
from services.registry.store import credentials, references
from tests.conftest import Served, ServiceFactory
from tests.registry.accounts import HEAD, OWN_PAGE, SECRET, emptied, take

#: Who waits for a name's lock.
WAITING = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
ANNA = "anna,correct-horse-battery,,clerk,210881006206\n"


@pytest_asyncio.fixture
async def registry(service: ServiceFactory) -> Served:
    served = await emptied(await service("registry"))
    await take(served, HEAD + ANNA)
    return served


async def sign_in(served: Served, password: str, username: str = "anna", **more: str) -> Any:
    body = {"username": username, "password": password, **more}
    return await served.client.post("/registry/v1/sign-in", json=body)


async def read(served: Served, token: str) -> int:
    answer = await served.client.get("/registry/v1/divisions", headers={"authorization": f"Bearer {token}"})
    return int(answer.status_code)


async def test_the_right_password_opens_the_door_for_fifteen_minutes(registry: Served) -> None:
    answer = await sign_in(registry, "correct-horse-battery")
    assert (answer.status_code, answer.json()["expires_in"]) == (200, 900)
    token = answer.json()["access_token"]
    assert await read(registry, token) == 200
    registry.clock.advance(minutes=16)
    assert await read(registry, token) == 401


async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(registry: Served) -> None:
    wrong, unknown = await sign_in(registry, "wrong"), await sign_in(registry, "wrong", "nobody")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_credentials")
    assert (unknown.status_code, unknown.json()) == (401, wrong.json())


async def test_after_five_failures_even_the_right_password_waits(registry: Served) -> None:
    for _ in range(5):
        assert (await sign_in(registry, "wrong")).status_code == 401
    blocked = await sign_in(registry, "correct-horse-battery")
    assert (blocked.status_code, blocked.json()["code"]) == (429, "too_many_failures")
    registry.clock.advance(seconds=blocked.json()["retry_after_s"] + 1)
    assert (await sign_in(registry, "correct-horse-battery")).status_code == 200


async def wait_for_locks(admin: asyncpg.Connection, asked: list[asyncio.Future[Any]]) -> None:
    """Until each of some requests waits for a lock, or has its answer."""
    while await admin.fetchval(WAITING) + sum(answer.done() for answer in asked) < len(asked):  # noqa: ASYNC110 - PostgreSQL tells who waits only to who asks
        await asyncio.sleep(0.01)


async def together(admin: asyncpg.Connection, under: str, guesses: list[Any]) -> list[int]:
    """The answers to requests that had all begun before the first of them was judged."""
    async with admin.transaction():
        await admin.execute(credentials.LOCK_NAME, under)
        asked = [asyncio.ensure_future(guess) for guess in guesses]
        await wait_for_locks(admin, asked)
    return sorted([(await answer).status_code for answer in asked])


async def new_password(served: Served, headers: dict[str, str], old: str) -> Any:
    body = {"password": old, "new_password": "my-own-long-password"}
    return await served.client.post("/registry/v1/account/password", json=body, headers=headers)


async def headers_of_anna(served: Served) -> dict[str, str]:
    token = (await sign_in(served, "correct-horse-battery")).json()["access_token"]
    return {"authorization": f"Bearer {token}"}


async def test_many_guesses_together_count_one_after_the_other(registry: Served, admin: asyncpg.Connection) -> None:
    for _ in range(4):
        assert (await sign_in(registry, "wrong")).status_code == 401
    assert await together(admin, "anna", [sign_in(registry, f"wrong {n}") for n in range(3)]) == [401, 429, 429]


async def test_many_guesses_at_the_old_password_together_count_one_after_the_other(
    registry: Served, admin: asyncpg.Connection
) -> None:
    anna = await headers_of_anna(registry)
    for n in range(4):
        assert (await new_password(registry, anna, f"wrong {n}")).status_code == 422
    assert await together(admin, "own/anna", [new_password(registry, anna, f"wrong {n}") for n in range(3)]) == [
        422,
        429,
        429,
    ]


async def test_of_many_guesses_at_once_five_are_judged_wherever_they_are_made(registry: Served) -> None:
    anna = await headers_of_anna(registry)
    own = await asyncio.gather(*(new_password(registry, anna, f"wrong {n}") for n in range(40)))
    assert Counter(answer.status_code for answer in own) == {422: 5, 429: 35}
    signing_in = await asyncio.gather(*(sign_in(registry, f"wrong {n}") for n in range(30)))
    assert Counter(answer.status_code for answer in signing_in) == {401: 5, 429: 25}


async def test_a_reset_while_the_old_password_is_checked_wins(registry: Served, admin: asyncpg.Connection) -> None:
    anna = await headers_of_anna(registry)
    async with admin.transaction():
        await admin.execute(credentials.LOCK_NAME, "own/anna")
        asked = asyncio.ensure_future(new_password(registry, anna, "correct-horse-battery"))
        await wait_for_locks(admin, [asked])
        reset = await registry.client.post("/registry/v1/staff/anna/reset", headers=registry.bearer("operator"))
    assert ((await asked).status_code, (await asked).json()["code"]) == (422, "wrong_password")
    assert (await sign_in(registry, "my-own-long-password")).status_code == 401
    first = await sign_in(registry, reset.json()["one_time_password"])
    assert (first.status_code, first.json()["code"]) == (403, "new_password_required")


@pytest.mark.parametrize("where", ["own account", "sign-in"])
async def test_a_reset_that_is_about_to_end_wins(registry: Served, admin: asyncpg.Connection, where: str) -> None:
    anna = await headers_of_anna(registry)
    one_time = await passwords.make_one_time()
    await admin.execute("SET search_path TO registry")
    async with admin.transaction():
        # As a reset does, step by step.
        await admin.execute(references.LOCK_REGISTRY)
        changes = {
            "own account": new_password(registry, anna, "correct-horse-battery"),
            "sign-in": sign_in(registry, "correct-horse-battery", new_password="my-own-long-password"),
        }
        asked = asyncio.ensure_future(changes.pop(where))
        next(iter(changes.values())).close()
        await wait_for_locks(admin, [asked])
        anew = "UPDATE credential SET password_hash = $1, must_change = true WHERE username = 'anna'"
        await admin.execute(anew, one_time.hash)
    assert (await asked).status_code == {"own account": 422, "sign-in": 401}[where]
    assert (await sign_in(registry, one_time.password)).json()["code"] == "new_password_required"


async def test_a_revoked_person_is_out_at_once_and_may_sign_in_again(registry: Served) -> None:
    token = (await sign_in(registry, "correct-horse-battery")).json()["access_token"]
    registry.clock.advance(seconds=5)
    operator = registry.bearer("operator")
    revoked = await registry.client.post("/registry/v1/staff/anna/revoke", headers=operator)
    await registry.runtime.reference.refresh()
    assert (revoked.status_code, await read(registry, token)) == (204, 401)
    registry.clock.advance(seconds=5)
    assert await read(registry, (await sign_in(registry, "correct-horse-battery")).json()["access_token"]) == 200


async def test_only_an_operator_revokes_and_only_whom_there_is(registry: Served) -> None:
    path = "/registry/v1/staff/{}/revoke"
    clerk = await registry.client.post(path.format("anna"), headers=registry.bearer("clerk-210881006206"))
    nobody = await registry.client.post(path.format("nobody"), headers=registry.bearer("operator"))
    assert (clerk.status_code, nobody.status_code) == (403, 404)


async def test_the_same_file_again_changes_nothing_and_another_password_in_it_neither(registry: Served) -> None:
    assert await take(registry, HEAD + ANNA) == 0
    assert await take(registry, HEAD + ANNA.replace("correct-horse", "another-horse")) == 0
    assert (await sign_in(registry, "another-horse-battery")).status_code == 401
    assert (await sign_in(registry, "correct-horse-battery")).status_code == 200


async def test_another_role_in_the_file_is_one_change(registry: Served) -> None:
    await take(registry, HEAD + "ben,correct-horse-battery,,clerk,210881006206\n")
    assert await take(registry, HEAD + "ben,correct-horse-battery,,supervisor,210881006206\n") == 1
    listed = await registry.client.get("/registry/v1/staff", headers=registry.bearer("operator"))
    assert [s["role"] for s in listed.json()["items"] if s["username"] == "ben"] == ["supervisor"]


async def test_a_browser_keeps_its_session_until_it_signs_out(registry: Served) -> None:
    form = {"username": "anna", "password": "correct-horse-battery", "next": "/desk"}
    signed_in = await registry.client.post("/sign-in", data=form, headers=OWN_PAGE)
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/desk")
    session = {"cookie": f"sanwu_refresh={signed_in.cookies['sanwu_refresh']}"}
    registry.client.cookies.clear()
    renewed = await registry.client.get("/registry/renew?next=/desk", headers=session)
    assert (renewed.headers["location"], "sanwu_token" in renewed.cookies) == ("/desk", True)
    left = await registry.client.post("/registry/sign-out", headers={**session, **OWN_PAGE})
    # What the desk keeps in a browser until it is sent is its owner's, and the machine is everybody's.
    assert left.headers["clear-site-data"] == '"storage"'
    over = await registry.client.get("/registry/renew?next=/desk", headers=session)
    assert over.headers["location"] == "/sign-in?next=%2Fdesk"


@pytest.mark.parametrize(
    ("row", "column", "part"),
    [
        ("anna,correct-horse-battery,JBSWY3DPEHPK3PXP,clerk,210881006206", "totp_secret", "至少 26 位的 Base32"),
        (f"anna,correct-horse-battery,{SECRET[:-1]}1,clerk,210881006206", "totp_secret", "Base32"),
        (f"anna,correct-horse-battery,{SECRET[:27]},clerk,210881006206", "totp_secret", "Base32"),
        (f"anna,correct-horse-battery,{'A' * 136},clerk,210881006206", "totp_secret", "Base32"),
        ("anna,short,,clerk,210881006206", "password", "密码至少 12 个字符"),
        ("anna,correct-horse-battery,,system,210881", "role", "system 不是人的角色"),
        ("anna,correct-horse-battery,,mayor,210881", "role", "不在可选值里"),
        ("anna,correct-horse-battery,,clerk,2108", "scope", "6、9 或 12 位"),
        ("Anna,correct-horse-battery,,clerk,210881", "username", "小写字母"),
    ],
)
def test_wrong_cell_of_the_staff_file(row: str, column: str, part: str) -> None:
    with pytest.raises(FileFaultsError) as refused:
        read_staff(f"{HEAD}{row}\n")
    assert [(f.line, f.column, part in f.message) for f in refused.value.faults] == [(2, column, True)]
