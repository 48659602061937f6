"""One person is no second pair of eyes: two accounts of one name in a village, and whoever reset an account."""

from typing import Any

import pytest
import pytest_asyncio

from services.registry.commands.namesakes import plain_name
from tests.conftest import Served, ServiceFactory
from tests.registry.accounts import HEAD, OTHER_SECRET, PASSWORD, emptied, take
from tests.registry.test_staff_api import ANNA, OLGA, VILLAGE, call, sign_in

RITA = f"rita,{PASSWORD},{OTHER_SECRET},reviewer,210881006\n"
NEIGHBOUR = "210881006208"
WIDE = "username,password,totp_secret,role,scope,name,namesake\n"


@pytest_asyncio.fixture
async def registry(service: ServiceFactory) -> Served:
    served = await emptied(await service("registry"))
    served.clock.advance(minutes=1)
    await take(served, HEAD + ANNA + RITA + OLGA)
    return served


async def opened(served: Served, username: str, name: str, role: str, scope: str = VILLAGE, **more: str) -> Any:
    return await call(
        served, "POST", "", json={"username": username, "name": name, "role": role, "scope": scope, **more}
    )


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        ("clerk", "supervisor", "田野甲"),
        ("supervisor", "clerk", "田野甲"),
        ("supervisor", "supervisor", "田野甲"),
        ("clerk", "supervisor", " 田 野　甲"),
    ],
)
async def test_one_name_neither_enters_and_supervises_nor_supervises_twice(
    registry: Served, first: str, second: str, name: str
) -> None:
    assert (await opened(registry, "tian-1", "田野甲", first)).status_code == 201
    refused = await opened(registry, "tian-2", name, second)
    assert (refused.status_code, refused.json()["code"]) == (409, "same_person_twice")
    assert "tian-1" in refused.json()["errors"][0]["message"]
    assert (await call(registry, "GET", "?search=tian-2")).json()["items"] == []


async def test_neither_a_new_name_nor_a_new_post_makes_one_of_two(registry: Served) -> None:
    await opened(registry, "tian-1", "田野甲", "clerk")
    await opened(registry, "tian-2", "田野乙", "supervisor")
    await opened(registry, "tian-3", "田野甲", "supervisor", NEIGHBOUR)
    renamed = {"name": "田野甲", "role": "supervisor", "scope": VILLAGE}
    assert (await call(registry, "PUT", "/tian-2", json=renamed)).status_code == 409
    assert (await call(registry, "PUT", "/tian-3", json=renamed)).status_code == 409


async def test_true_namesakes_are_let_through_with_a_reason_that_the_trail_keeps(registry: Served) -> None:
    await opened(registry, "tian-1", "田野甲", "clerk")
    made = await opened(registry, "tian-2", "田野甲", "supervisor", namesake="已核对两人身份证，为叔侄")
    assert made.status_code == 201, made.text
    assert made.json()["warnings"] == ["与报账员账号 tian-1（210881006206）同名，请核对是不是同一个人"]
    async with registry.runtime.database.connection() as conn:
        told = await conn.fetchval("SELECT object FROM action WHERE action = 'staff namesake'")
    assert told.endswith("已核对两人身份证，为叔侄")


@pytest.mark.parametrize(
    ("role", "scope"),
    [("principal", VILLAGE), ("clerk", VILLAGE), ("reviewer", "210881006"), ("accountant", "210881006")],
)
async def test_other_pairs_of_one_name_are_told_not_refused(registry: Served, role: str, scope: str) -> None:
    await opened(registry, "tian-1", "田野甲", "clerk")
    made = await opened(registry, "tian-2", "田野甲", role, scope)
    assert (made.status_code, len(made.json()["warnings"])) == (201, 1)
    assert (await opened(registry, "tian-3", "田野丙", role, scope)).json()["warnings"] == []


async def test_an_ended_account_and_another_village_are_no_obstacle(registry: Served) -> None:
    await opened(registry, "tian-1", "田野甲", "clerk")
    assert (await opened(registry, "tian-2", "田野甲", "supervisor", NEIGHBOUR)).json()["warnings"] == []
    await call(registry, "POST", "/tian-1/end")
    assert (await opened(registry, "tian-3", "田野甲", "supervisor")).status_code == 201


@pytest.mark.parametrize(("reason", "status"), [("", 422), ("两人不同生日", 200)])
async def test_a_file_is_held_to_the_same_rule_within_itself(registry: Served, reason: str, status: int) -> None:
    rows = f"tian-1,,,clerk,{VILLAGE},田野甲,\ntian-2,,,supervisor,{VILLAGE},田野甲,{reason}\ntian-3,,,principal,{VILLAGE},田野甲,\n"
    answer = await call(registry, "POST", "/imports?apply=true", content=(WIDE + rows).encode())
    assert answer.status_code in {status, 422}
    if status == 422:
        assert any("第 3 行" in e["message"] and "tian-1" in e["message"] for e in answer.json()["errors"])
        assert (await call(registry, "GET", "?search=tian")).json()["items"] == []
    else:
        # The clerk's own row needs the word too: either of the two may be the wrong one.
        assert any("第 2 行" in e["message"] for e in answer.json()["errors"])


async def test_the_page_tells_and_takes_the_reason(registry: Served) -> None:
    await opened(registry, "tian-1", "田野甲", "clerk")
    form = {"username": "tian-2", "name": "田野甲", "role": "supervisor", "scope": VILLAGE}
    headers = {**registry.bearer("operator"), "accept": "text/html"}
    refused = await registry.client.post("/admin/staff", data=form, headers=headers)
    assert (refused.status_code, "同名不同人" in refused.text) == (409, True)
    made = await registry.client.post("/admin/staff", data={**form, "namesake": "两人不同生日"}, headers=headers)
    assert (made.status_code, "请核对是不是同一个人" in made.text) == (200, True), made.text


# -- resets -------------------------------------------------------------------------------------------------------


async def test_who_was_reset_reads_at_the_next_sign_in_by_whom_and_when(registry: Served) -> None:
    first = (await call(registry, "POST", "/anna/reset", "rita")).json()["one_time_password"]
    registry.clock.advance(hours=1)
    second = (await call(registry, "POST", "/anna/reset", "operator")).json()["one_time_password"]
    assert await sign_in(registry, "anna", first) == (401, "wrong_credentials")
    answer = await registry.client.post("/registry/v1/sign-in", json={"username": "anna", "password": second})
    assert answer.json()["code"] == "new_password_required"
    detail = answer.json()["detail"]
    assert "由rita、" in detail
    assert "由operator重置过" in detail
    body = {"username": "anna", "password": second, "new_password": "my-own-long-password"}
    token = (await registry.client.post("/registry/v1/sign-in", json=body)).json()["access_token"]
    own = await registry.client.get("/registry/v1/account", headers={"authorization": f"Bearer {token}"})
    assert [r["by"] for r in own.json()["resets"]] == ["rita", "operator"]
    page = await registry.client.get("/account", headers={"authorization": f"Bearer {token}", "accept": "text/html"})
    assert "由rita重置过" in page.text


async def test_resets_travel_with_the_account_for_thirty_days(registry: Served) -> None:
    await call(registry, "POST", "/anna/reset", "rita")
    anna = next(s for s in registry.runtime.reference.staff.values() if s.username == "anna" and s.resets)
    rita = next(s for s in registry.runtime.reference.staff.values() if s.username == "rita")
    assert [(r.by, r.at) for r in anna.resets] == [(rita.staff_id, registry.clock.now())]
    registry.clock.advance(days=31)
    await call(registry, "POST", "/anna/reset", "operator")
    anna = registry.runtime.reference.staff[anna.staff_id]
    assert len(anna.resets) == 1


@pytest.mark.parametrize(("role", "scope"), [("reviewer", "210881006"), ("accountant", "210881006")])
async def test_who_approves_or_keeps_the_books_needs_a_second_factor(registry: Served, role: str, scope: str) -> None:
    await take(registry, HEAD + f"zoe,{PASSWORD},,{role},{scope}\n")
    assert await sign_in(registry, "zoe", PASSWORD) == (403, "totp_not_set")
    secrets = (await call(registry, "POST", "/zoe/reset")).json()
    assert secrets["totp_secret"] is not None
    assert await sign_in(registry, "zoe", secrets["one_time_password"]) == (401, "totp_required")


@pytest.mark.parametrize(
    "name",
    # A sign without width, a joiner, a variant's mark, a filler of Hangul that counts as a letter, a blank of braille.
    [*(f"张{sign}三" for sign in "\u200b\u2060\ufe00\u3164\u2800\u00b7\ufff9"), "张三\U000e0100"],
)
def test_what_nobody_sees_makes_no_other_name(name: str) -> None:
    assert plain_name(name) == plain_name("张三") == "张三"


async def test_nobody_is_opened_under_a_name_with_a_sign_without_width(registry: Served) -> None:
    assert (await opened(registry, "tian-1", "田野甲", "clerk")).status_code == 201
    refused = await opened(registry, "tian-2", "田野\u200b甲", "supervisor")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")
    # Emoji are not joined by it, but a variant of a glyph may be chosen: that is the same name.
    same = await opened(registry, "tian-2", "田野\ufe00甲", "supervisor")
    assert (same.status_code, same.json()["code"]) == (409, "same_person_twice")
