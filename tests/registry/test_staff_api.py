"""Accounts by API: who may manage whom, what is told once, and that a file is taken whole or not at all."""

from typing import Any

import pytest
import pytest_asyncio

from services.kit.auth import issue_token
from tests import builders
from tests.conftest import Served, ServiceFactory
from tests.registry.accounts import HEAD, OWN_PAGE, PASSWORD, emptied, take

ANNA = f"anna,{PASSWORD},,clerk,210881006206\n"
FRED = f"fred,{PASSWORD},,clerk,210881102200\n"
RITA = f"rita,{PASSWORD},,reviewer,210881006\n"
OLGA = f"olga,{PASSWORD},GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ,operator,210881006\n"
VILLAGE = "210881006206"


@pytest_asyncio.fixture
async def registry(service: ServiceFactory) -> Served:
    served = await emptied(await service("registry"))
    served.clock.advance(minutes=1)
    await take(served, HEAD + ANNA + FRED + RITA + OLGA)
    return served


async def call(served: Served, method: str, path: str, who: str = "operator", **rest: Any) -> Any:
    answer = await served.client.request(method, f"/registry/v1/staff{path}", headers=bearer(served, who), **rest)
    await served.runtime.reference.refresh()
    return answer


def bearer(served: Served, who: str) -> dict[str, str]:
    """Somebody of builders.py, or of the file above."""
    known = [s.staff_id for s in served.runtime.reference.staff.values() if s.username == who]
    if who in {"anna", "fred", "rita", "olga"}:
        token = issue_token(builders.SIGNING_KEY, builders.SIGNER_KID, known[-1], served.clock.now())
        return {"authorization": f"Bearer {token}"}
    return served.bearer(who)


async def sign_in(served: Served, username: str, password: str, **more: str) -> tuple[int, str]:
    body = {"username": username, "password": password, **more}
    answer = await served.client.post("/registry/v1/sign-in", json=body)
    return answer.status_code, answer.json().get("code", "in")


NEW = {"username": "ben", "name": "王本", "role": "supervisor", "scope": VILLAGE}


async def test_a_new_account_gets_a_password_for_one_time(registry: Served) -> None:
    made = await call(registry, "POST", "", json=NEW)
    assert made.status_code == 201, made.text
    staff, secrets = made.json()["staff"], made.json()["secrets"]
    assert (staff["username"], staff["name"], staff["role"], staff["scope"]) == ("ben", "王本", "supervisor", VILLAGE)
    assert (secrets["totp_secret"], len(secrets["one_time_password"])) == (None, 16)
    first = secrets["one_time_password"]
    assert await sign_in(registry, "ben", first) == (403, "new_password_required")
    assert await sign_in(registry, "ben", first, new_password=first) == (422, "invalid_input")
    assert await sign_in(registry, "ben", first, new_password="short") == (422, "invalid_input")
    assert await sign_in(registry, "ben", "wrong", new_password="my-own-long-password") == (401, "wrong_credentials")
    assert await sign_in(registry, "ben", first, new_password="my-own-long-password") == (200, "in")
    assert await sign_in(registry, "ben", first) == (401, "wrong_credentials")
    assert await sign_in(registry, "ben", "my-own-long-password") == (200, "in")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"username": "anna"}, 409),
        ({"username": "Ben"}, 422),
        ({"username": "b"}, 422),
        ({"username": "ben\n"}, 422),
        ({"username": "x" * 64}, 422),
        ({"role": "mayor"}, 422),
        ({"role": "system"}, 422),
        ({"role": "clerk", "scope": "210881006"}, 422),
        ({"role": "reviewer"}, 422),
        ({"role": "accountant", "scope": "210881"}, 422),
        ({"scope": "210881006999"}, 422),
        ({"scope": "2108"}, 422),
        ({"affairs": ["money"]}, 422),
        ({"name": "a\u0000b"}, 422),
        ({"password": "chosen-by-operator"}, 422),
        ({"name": "长" * 201}, 422),
    ],
)
async def test_a_wrong_account_is_refused(registry: Served, change: dict[str, Any], status: int) -> None:
    assert (await call(registry, "POST", "", json={**NEW, "username": "bea", **change})).status_code == status


@pytest.mark.parametrize("who", ["clerk-210881006206", "reviewer-210881006", "inspector-210881", "rita"])
async def test_nobody_but_an_operator_manages_accounts(registry: Served, who: str) -> None:
    post = {"role": "clerk", "scope": VILLAGE}
    delegation = {"scope": VILLAGE, "document": "西街发〔2026〕3号"}
    answers = [
        await call(registry, "POST", "", who, json={**NEW, "username": "bob"}),
        await call(registry, "PUT", "/anna", who, json=post),
        await call(registry, "POST", "/anna/end", who),
        await call(registry, "POST", "/anna/revoke", who),
        await call(registry, "POST", "/anna/delegations", who, json=delegation),
        await call(registry, "POST", "/imports?apply=true", who, content=HEAD + ANNA),
    ]
    assert [a.status_code for a in answers] == [403] * 6


async def test_an_operator_of_a_township_stays_within_it(registry: Served) -> None:
    far = {"role": "clerk", "scope": "210881102200"}
    answers = [
        await call(registry, "POST", "", "olga", json={**NEW, "username": "bob", **far}),
        await call(registry, "PUT", "/anna", "olga", json=far),
        await call(registry, "PUT", "/fred", "olga", json={"role": "clerk", "scope": VILLAGE}),
        await call(registry, "POST", "/fred/end", "olga"),
        await call(registry, "POST", "/fred/reset", "olga"),
        await call(registry, "POST", "/fred/revoke", "olga"),
        await call(
            registry, "POST", "", "olga", json={**NEW, "username": "bob", "role": "operator", "scope": "210881"}
        ),
        await call(registry, "POST", "/anna/delegations", "olga", json={"scope": "210881", "document": "x"}),
        await call(registry, "POST", "/imports", "olga", content=HEAD + FRED),
    ]
    assert [a.status_code for a in answers] == [403, 403, 403, 403, 403, 403, 403, 403, 422]
    listed = await call(registry, "GET", "?search=r", "olga")
    assert "fred" not in [s["username"] for s in listed.json()["items"]]


async def test_a_change_ends_the_old_post_and_keeps_it_in_the_history(registry: Served) -> None:
    post = {"name": "李安", "role": "supervisor", "scope": VILLAGE, "affairs": ["finance"]}
    changed = (await call(registry, "PUT", "/anna", json=post)).json()["staff"]
    assert (changed["role"], changed["name"], changed["affairs"]) == ("supervisor", "李安", ["finance"])
    said = (await registry.said("staff.set.v1"))[-1]
    assert '"clerk"' in said
    again = len(await registry.said("staff.set.v1"))
    await call(registry, "PUT", "/anna", json=post)
    assert len(await registry.said("staff.set.v1")) == again


async def test_whoever_becomes_an_inspector_gets_a_second_factor_at_once(registry: Served) -> None:
    secrets = (await call(registry, "PUT", "/anna", json={"role": "inspector", "scope": "210881006"})).json()["secrets"]
    assert (secrets["one_time_password"], len(secrets["totp_secret"])) == (None, 32)
    assert secrets["totp_uri"].startswith("otpauth://totp/")
    assert await sign_in(registry, "anna", PASSWORD) == (401, "totp_required")


async def test_an_ended_account_is_out_and_can_be_taken_up_again(registry: Served) -> None:
    assert await sign_in(registry, "anna", PASSWORD) == (200, "in")
    token = bearer(registry, "anna")
    registry.clock.advance(seconds=1)
    ended = await call(registry, "POST", "/anna/end")
    assert (ended.status_code, ended.json()["role"], ended.json()["ended"]) == (200, None, "2026-11-24")
    assert (await registry.client.get("/registry/v1/divisions", headers=token)).status_code == 401
    assert await sign_in(registry, "anna", PASSWORD) == (401, "wrong_credentials")
    assert (await call(registry, "POST", "/anna/end")).status_code == 200
    await call(registry, "PUT", "/anna", json={"role": "clerk", "scope": VILLAGE})
    assert await sign_in(registry, "anna", PASSWORD) == (200, "in")


async def test_nobody_puts_themselves_out_or_up(registry: Served) -> None:
    answers = [
        await call(registry, "POST", "/olga/end", "olga"),
        await call(registry, "POST", "/olga/reset", "olga"),
        await call(registry, "PUT", "/olga", "olga", json={"role": "clerk", "scope": VILLAGE}),
        await call(registry, "POST", "/olga/delegations", "olga", json={"scope": VILLAGE, "document": "x"}),
        await call(registry, "POST", "/imports", "olga", content=HEAD + OLGA.replace("operator", "inspector")),
    ]
    assert [a.status_code for a in answers] == [409, 409, 409, 409, 422]


async def test_a_reset_tells_a_new_password_once_and_voids_the_rest(registry: Served) -> None:
    token = bearer(registry, "anna")
    registry.clock.advance(seconds=1)
    secrets = (await call(registry, "POST", "/anna/reset")).json()
    assert (await registry.client.get("/registry/v1/divisions", headers=token)).status_code == 401
    assert await sign_in(registry, "anna", PASSWORD) == (401, "wrong_credentials")
    assert await sign_in(registry, "anna", secrets["one_time_password"]) == (403, "new_password_required")
    assert not [e for e in await registry.said("staff.set.v1") if secrets["one_time_password"] in e]


async def test_a_reset_gives_a_new_second_factor_where_one_is_needed(registry: Served) -> None:
    secrets = (await call(registry, "POST", "/olga/reset")).json()
    assert len(secrets["totp_secret"]) == 32
    assert secrets["totp_secret"] != "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize(
    ("username", "status"), [("anna", 200), ("fred", 403), ("olga", 403), ("rita", 409), ("nobody", 404)]
)
async def test_a_reviewer_resets_those_below_alone(registry: Served, username: str, status: int) -> None:
    assert (await call(registry, "POST", f"/{username}/reset", "rita")).status_code == status


async def test_a_clerk_resets_nobody(registry: Served) -> None:
    assert (await call(registry, "POST", "/fred/reset", "clerk-210881006206")).status_code == 403
    assert (await call(registry, "GET", "", "clerk-210881006206")).status_code == 403


async def test_a_delegation_is_on_record_until_it_ends(registry: Served) -> None:
    delegation = {"scope": VILLAGE, "document": "西街发〔2026〕3号"}
    held = (await call(registry, "POST", "/anna/delegations", json=delegation)).json()["delegations"]
    assert held == [{**delegation, "since": "2026-11-24", "until": None}]
    anna = next(s.staff_id for s in registry.runtime.reference.staff.values() if s.username == "anna" and s.delegations)
    day = registry.clock.now().date()
    assert registry.runtime.reference.delegation(anna, VILLAGE, day) == "西街发〔2026〕3号"
    assert registry.runtime.reference.delegation(anna, "210881006208", day) is None
    end = {"document": delegation["document"]}
    assert (await call(registry, "POST", "/anna/delegations/end", json=end)).status_code == 200
    assert registry.runtime.reference.delegation(anna, VILLAGE, day) is None
    assert (await call(registry, "POST", "/anna/delegations/end", json=end)).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"scope": VILLAGE}, 422),
        ({"scope": "210881006999", "document": "x"}, 404),
        ({"scope": VILLAGE, "document": " "}, 422),
        ({"scope": VILLAGE, "document": "x", "since": "2026-12-01", "until": "2026-12-01"}, 422),
        ({"scope": VILLAGE, "document": "x", "since": "soon"}, 422),
    ],
)
async def test_a_wrong_delegation_is_refused(registry: Served, body: dict[str, Any], status: int) -> None:
    assert (await call(registry, "POST", "/anna/delegations", json=body)).status_code == status


async def test_the_list_is_searched_and_paged(registry: Served) -> None:
    found = await call(registry, "GET", "?search=ann")
    assert [s["username"] for s in found.json()["items"]] == ["anna"]
    inspectors = await call(registry, "GET", "?role=inspector&scope=210881006")
    assert [s["username"] for s in inspectors.json()["items"]] == ["inspector-210881006"]
    page = await call(registry, "GET", "?limit=1&search=f")
    assert page.json()["next"] is not None
    for wrong in ("?role=mayor", "?scope=1", "?limit=500", "?search="):
        assert (await call(registry, "GET", wrong)).status_code == 422


WIDE = "username,password,totp_secret,role,scope,name,affairs,delegation\n"


async def test_a_file_is_shown_first_and_then_taken_whole(registry: Served) -> None:
    text = WIDE + "gina,,,clerk,210881006208,高琴,,\n" + f"anna,{PASSWORD},,clerk,210881006206,李安,finance,西街发3号\n"
    shown = (await call(registry, "POST", "/imports", content=text)).json()
    assert (shown["applied"], shown["new"], shown["changed"], shown["secrets"]) == (False, ["gina"], ["anna"], [])
    assert (await call(registry, "GET", "?search=gina")).json()["items"] == []
    taken = (await call(registry, "POST", "/imports?apply=true", content=text)).json()
    (secrets,) = taken["secrets"]
    assert (secrets["username"], len(secrets["one_time_password"])) == ("gina", 16)
    assert await sign_in(registry, "gina", secrets["one_time_password"]) == (403, "new_password_required")
    (anna,) = (await call(registry, "GET", "?search=anna")).json()["items"]
    assert (anna["name"], anna["affairs"], anna["delegations"][0]["document"]) == ("李安", ["finance"], "西街发3号")
    again = (await call(registry, "POST", "/imports?apply=true", content=text)).json()
    assert (again["new"], again["changed"], again["unchanged"], again["secrets"]) == ([], [], 2, [])


@pytest.mark.parametrize(
    ("row", "at"),
    [
        ("hans,,,mayor,210881006206", "line 3, role"),
        ("hans,,,clerk,210881006999", "line 3, scope"),
        ("hans,,,clerk,210881006", "line 3, scope"),
        ("hans,short,,clerk,210881006206", "line 3, password"),
        ("hans,,NOTBASE32!,inspector,210881", "line 3, totp_secret"),
        ("gerd,,,clerk,210881006206", "line 3, username"),
        ("hans,,,clerk", "line 3"),
    ],
)
async def test_one_faulty_line_and_nothing_of_the_file_is_taken(registry: Served, row: str, at: str) -> None:
    text = HEAD + "gerd,,,clerk,210881006206\n" + row + "\n"
    refused = await call(registry, "POST", "/imports?apply=true", content=text)
    assert (refused.status_code, [e["at"] for e in refused.json()["errors"]]) == (422, [at])
    assert (await call(registry, "GET", "?search=gerd")).json()["items"] == []


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", "姓名\n".encode("gb18030"), b"PK\x03\x04", b"a,b\n1,2\n"])
async def test_what_is_no_staff_file_is_refused(registry: Served, data: bytes) -> None:
    assert (await call(registry, "POST", "/imports?apply=true", content=data)).status_code == 422


async def test_changes_are_in_the_trail_under_the_accounts_id(registry: Served) -> None:
    await call(registry, "POST", "/anna/reset", "rita")
    seen = await registry.client.get("/registry/v1/actions?limit=1", headers=registry.bearer("operator"))
    (row,) = seen.json()["items"]
    assert row["action"] == "POST /registry/v1/staff/{username}/reset"
    assert row["object"].startswith("staff/")
    assert (row["role"], row["scope"]) == ("reviewer", "210881006")


async def test_own_password_and_own_sessions(registry: Served) -> None:
    form = {"username": "anna", "password": PASSWORD}
    await registry.client.post("/sign-in", data=form, headers=OWN_PAGE)
    registry.client.cookies.clear()
    me = (await registry.client.get("/registry/v1/account", headers=bearer(registry, "anna"))).json()
    assert (me["username"], me["role"], len(me["sessions"])) == ("anna", "clerk", 1)
    path, anna = "/registry/v1/account/password", bearer(registry, "anna")
    outcomes = []
    for old, new in (
        ("wrong", "my-own-long-password"),
        (PASSWORD, "short"),
        (PASSWORD, "a" * 20),
        (PASSWORD, "x-anna-x-12345"),
    ):
        answer = await registry.client.post(path, json={"password": old, "new_password": new}, headers=anna)
        outcomes.append(answer.json()["code"])
    assert outcomes == ["wrong_password", "invalid_input", "invalid_input", "invalid_input"]
    registry.clock.advance(seconds=1)
    done = await registry.client.post(
        path, json={"password": PASSWORD, "new_password": "my-own-long-password"}, headers=anna
    )
    await registry.runtime.reference.refresh()
    assert done.status_code == 204
    assert (await registry.client.get("/registry/v1/account", headers=anna)).status_code == 401
    assert await sign_in(registry, "anna", "my-own-long-password") == (200, "in")
