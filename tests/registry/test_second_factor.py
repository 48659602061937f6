"""The second factor: who needs it, how often a code opens, and what a wrong one tells."""

from typing import Any

import pyotp
import pytest
import pytest_asyncio

from tests.conftest import Served, ServiceFactory
from tests.registry.accounts import HEAD, OTHER_SECRET, OWN_PAGE, PASSWORD, SECRET, emptied, take

INES = f"ines,{PASSWORD},{SECRET},inspector,210881006\n"
OTTO = f"otto,{PASSWORD},,operator,210881\n"
CLEO = f"cleo,{PASSWORD},,clerk,210881006206\n"
CARL = f"carl,{PASSWORD},{OTHER_SECRET},clerk,210881006206\n"


@pytest_asyncio.fixture
async def registry(service: ServiceFactory) -> Served:
    served = await emptied(await service("registry"))
    # Every test has a half minute of its own.
    served.clock.advance(minutes=10)
    await take(served, HEAD + INES + OTTO + CLEO + CARL)
    return served


def code(served: Served, secret: str = SECRET, steps: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(int(served.clock.now().timestamp()) // 30 + steps)


async def sign_in(served: Served, username: str, totp: str | None = None, password: str = PASSWORD) -> tuple[int, str]:
    body = {"username": username, "password": password, **({} if totp is None else {"totp": totp})}
    answer = await served.client.post("/registry/v1/sign-in", json=body)
    return answer.status_code, answer.json().get("code", "in")


async def test_password_and_code_open(registry: Served) -> None:
    assert await sign_in(registry, "ines", code(registry)) == (200, "in")


async def test_the_code_is_asked_for_only_when_the_password_is_right(registry: Served) -> None:
    assert await sign_in(registry, "ines") == (401, "totp_required")
    assert await sign_in(registry, "ines", "") == (401, "totp_required")
    assert await sign_in(registry, "ines", None, "wrong") == (401, "wrong_credentials")
    assert await sign_in(registry, "ines", code(registry), "wrong") == (401, "wrong_credentials")
    assert await sign_in(registry, "nobody", code(registry)) == (401, "wrong_credentials")


async def test_whose_role_needs_a_code_and_has_none_cannot_sign_in(registry: Served) -> None:
    assert await sign_in(registry, "otto") == (403, "totp_not_set")
    assert await sign_in(registry, "otto", "123456") == (403, "totp_not_set")
    assert await sign_in(registry, "otto", None, "wrong") == (401, "wrong_credentials")


async def test_whoever_bound_one_freely_needs_it_too_and_others_do_not(registry: Served) -> None:
    assert await sign_in(registry, "cleo") == (200, "in")
    assert await sign_in(registry, "carl") == (401, "totp_required")
    assert await sign_in(registry, "carl", code(registry, OTHER_SECRET)) == (200, "in")


async def test_a_code_opens_once(registry: Served) -> None:
    used = code(registry)
    assert await sign_in(registry, "ines", used) == (200, "in")
    assert await sign_in(registry, "ines", used) == (401, "wrong_credentials")
    registry.clock.advance(seconds=30)
    assert await sign_in(registry, "ines", used) == (401, "wrong_credentials")
    assert await sign_in(registry, "ines", code(registry)) == (200, "in")


async def test_an_older_code_opens_no_more_after_a_younger_one(registry: Served) -> None:
    assert await sign_in(registry, "ines", code(registry, steps=1)) == (200, "in")
    assert await sign_in(registry, "ines", code(registry)) == (401, "wrong_credentials")


@pytest.mark.parametrize(("steps", "outcome"), [(-2, 401), (-1, 200), (1, 200), (2, 401)])
async def test_clocks_may_differ_by_one_step(registry: Served, steps: int, outcome: int) -> None:
    assert (await sign_in(registry, "ines", code(registry, steps=steps)))[0] == outcome


@pytest.mark.parametrize(
    "typed",
    ["000000x", "12345", "1234567", "\uff11\uff12\uff13\uff14\uff15\uff16", "-12345", "abcdef", "1e5555"],
)
async def test_what_is_no_code_is_a_failure(registry: Served, typed: str) -> None:
    assert await sign_in(registry, "ines", typed) == (401, "wrong_credentials")


async def test_a_code_may_be_typed_in_two_groups(registry: Served) -> None:
    typed = code(registry)
    assert await sign_in(registry, "ines", f"{typed[:3]} {typed[3:]}") == (200, "in")


async def test_too_long_a_code_or_one_of_hidden_signs_is_refused_as_input(registry: Served) -> None:
    assert await sign_in(registry, "ines", "\u0000" * 6) == (422, "invalid_input")
    assert await sign_in(registry, "ines", "1" * 21) == (422, "invalid_input")


async def test_wrong_codes_count_and_a_right_password_alone_does_not_clear_the_count(registry: Served) -> None:
    right = code(registry)
    wrong = str((int(right) + 500_000) % 1_000_000).zfill(6)
    for n in range(5):
        assert await sign_in(registry, "ines", wrong) == (401, "wrong_credentials")
        if n < 4:
            assert await sign_in(registry, "ines") == (401, "totp_required")
    assert await sign_in(registry, "ines", right) == (429, "too_many_failures")
    registry.clock.advance(minutes=1)
    assert await sign_in(registry, "ines", code(registry)) == (200, "in")
    assert await sign_in(registry, "ines", wrong) == (401, "wrong_credentials")


async def test_a_secret_of_another_account_does_not_fit(registry: Served) -> None:
    assert await sign_in(registry, "carl", code(registry)) == (401, "wrong_credentials")


async def test_a_file_gives_a_secret_to_whom_has_none_and_never_changes_one(registry: Served) -> None:
    await take(registry, HEAD + OTTO.replace(",,", f",{OTHER_SECRET},") + INES.replace(SECRET, OTHER_SECRET))
    assert await sign_in(registry, "otto", code(registry, OTHER_SECRET)) == (200, "in")
    assert await sign_in(registry, "ines", code(registry, OTHER_SECRET)) == (401, "wrong_credentials")
    assert await sign_in(registry, "ines", code(registry)) == (200, "in")


async def _form(served: Served, **fields: str) -> Any:
    return await served.client.post("/sign-in", data={"next": "/inspect", **fields}, headers=OWN_PAGE)


async def test_the_form_asks_for_the_code_and_takes_it(registry: Served) -> None:
    asked = await _form(registry, username="ines", password=PASSWORD)
    assert asked.status_code == 401
    assert "动态口令" in asked.text
    assert 'name="totp"' in asked.text
    assert 'value="ines"' in asked.text
    assert PASSWORD not in asked.text
    entered = await _form(registry, username="ines", password=PASSWORD, totp=code(registry))
    assert (entered.status_code, entered.headers["location"]) == (303, "/inspect")
    wrong = await _form(registry, username="ines", password=PASSWORD, totp="000000x")
    assert (wrong.status_code, "用户名或密码不对" in wrong.text) == (401, True)


@pytest.mark.parametrize(
    "fields", [{"username": "ines"}, {"password": PASSWORD}, {}, {"username": "i" * 300, "password": "x"}]
)
async def test_a_torn_form_is_refused(registry: Served, fields: dict[str, str]) -> None:
    assert (await _form(registry, **fields)).status_code == 422


async def test_secret_and_code_stand_in_no_event_and_in_no_row_of_the_trail(registry: Served) -> None:
    await sign_in(registry, "ines", code(registry))
    assert not [e for e in await registry.said("staff.set.v1") if SECRET in e]
    async with registry.runtime.database.connection() as conn:
        rows = await conn.fetch("SELECT action::text AS text FROM action")
    assert rows
    assert not [r for r in rows if SECRET in r["text"]]


async def _trail(served: Served) -> list[tuple[str, bool]]:
    async with served.runtime.database.connection() as conn:
        rows = await conn.fetch("SELECT action, actor_id IS NOT NULL AS known FROM action ORDER BY id")
    return [(r["action"], r["known"]) for r in rows]


async def test_signing_in_and_failing_are_in_the_trail_without_what_was_typed(registry: Served) -> None:
    before = len(await _trail(registry))
    await sign_in(registry, "ines", code(registry))
    await sign_in(registry, "ines", "000000x")
    await sign_in(registry, "my-secret-typed-as-name")
    await sign_in(registry, "ines")
    assert (await _trail(registry))[before:] == [("sign-in", True), ("sign-in failed", True)]
