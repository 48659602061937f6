"""Sessions: how long one rests, what ends it and its token, and where one is signed in."""

import asyncio
import time
from datetime import timedelta

import asyncpg
import pyotp
import pytest
import pytest_asyncio

from services.kit.auth import issue_token, read_token
from services.registry.commands.browsers import words_of
from services.registry.commands.staff import end_tokens
from tests import builders
from tests.conftest import Served, ServiceFactory
from tests.registry.accounts import HEAD, OTHER_SECRET, PASSWORD, SECRET, emptied, take
from tests.registry.browsing import EDGE, Browser, number_of

VILLAGE, TOWNSHIP = "210881006206", "210881006"
NEW = "tiger-lamp-coffee-9"


@pytest_asyncio.fixture
async def registry(service: ServiceFactory) -> Served:
    served = await emptied(await service("registry"))
    served.clock.advance(minutes=10)
    rows = f"anna,{PASSWORD},,clerk,{VILLAGE}\nines,{PASSWORD},{SECRET},inspector,{TOWNSHIP}\n"
    await take(served, HEAD + rows + f"rosa,{PASSWORD},{OTHER_SECRET},reviewer,{TOWNSHIP}\n")
    return served


def code(served: Served, secret: str = SECRET, steps: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(int(served.clock.now().timestamp()) // 30 + steps)


async def signed_in(served: Served, username: str = "anna", address: str = "203.0.113.7", **more: str) -> Browser:
    browser = Browser(served, address)
    answer = await browser.sign_in(username, **more)
    assert answer.status_code == 303, answer.text
    return browser


# -- resting


@pytest.mark.parametrize(("minutes", "open_"), [(29, True), (30, False)])
@pytest.mark.parametrize(("username", "secret"), [("ines", SECRET), ("rosa", OTHER_SECRET)])
async def test_an_overseers_session_rests_for_half_an_hour(
    registry: Served, username: str, secret: str, minutes: int, *, open_: bool
) -> None:
    browser = await signed_in(registry, username, totp=code(registry, secret))
    registry.clock.advance(minutes=minutes)
    assert await browser.renewed() is open_


async def test_a_clerks_rests_for_eight_hours_and_use_is_what_counts(registry: Served) -> None:
    clerk, other = await signed_in(registry), await signed_in(registry, address="198.51.100.1")
    inspector = await signed_in(registry, "ines", totp=code(registry))
    for _ in range(4):
        registry.clock.advance(minutes=25)
        assert await inspector.renewed()
    registry.clock.advance(hours=5)
    assert await clerk.renewed()
    registry.clock.advance(hours=2)
    assert (await clerk.renewed(), await other.renewed()) == (True, False)


async def test_no_use_keeps_a_session_beyond_its_day(registry: Served) -> None:
    browser = await signed_in(registry)
    for _ in range(3):
        registry.clock.advance(hours=4)
        held = await browser.renewed()
    assert not held


# -- ending


async def test_signing_out_ends_the_token_too_and_no_other_session(registry: Served) -> None:
    here, there = await signed_in(registry), await signed_in(registry, address="198.51.100.1")
    token = here.cookies["sanwu_token"]
    await here.send("POST", "/sign-out")
    await here.send("POST", "/registry/sign-out")
    assert set(here.cookies) == {"sanwu_device"}
    answer = await registry.client.get("/registry/v1/account", headers={"authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["detail"]) == (401, "您已退出，请重新登录。")
    assert await there.opens()


async def test_every_service_hears_of_it_by_the_account_and_only_for_as_long_as_tokens_live(registry: Served) -> None:
    for _ in range(2):
        browser = await signed_in(registry)
        await browser.send("POST", "/registry/sign-out")
        registry.clock.advance(minutes=21)
    last = (await registry.said("staff.set.v1"))[-1]
    assert last.count('"session_id"') == 1


async def test_who_signs_out_without_end_leaves_no_list_that_grows(registry: Served) -> None:
    anna = next(s for s in registry.runtime.reference.staff.values() if s.username == "anna")
    now = registry.clock.now()
    async with registry.runtime.database.transaction() as conn:
        for n in range(51):
            await end_tokens(conn, anna.staff_id, f"session-{n}", now)
    await registry.runtime.reference.refresh()
    after = registry.runtime.reference.staff[anna.staff_id]
    assert (len(after.ended_sessions), after.sessions_not_before) == (0, now)


async def test_a_password_changed_at_sign_in_ends_all_others(registry: Served) -> None:
    before = await signed_in(registry)
    registry.clock.advance(seconds=5)
    after = await signed_in(registry, address="198.51.100.1", new_password=NEW)
    assert (await before.opens(), await before.renewed()) == (False, False)
    assert (await after.opens(), await after.renewed()) == (True, True)


async def test_a_program_keeps_no_session(registry: Served) -> None:
    body = {"username": "anna", "password": PASSWORD}
    token = (await registry.client.post("/registry/v1/sign-in", json=body)).json()["access_token"]
    me = await registry.client.get("/registry/v1/account", headers={"authorization": f"Bearer {token}"})
    assert me.json()["sessions"] == []


async def test_a_programs_own_token_can_be_ended_by_its_number(registry: Served) -> None:
    body = {"username": "anna", "password": PASSWORD}
    token = (await registry.client.post("/registry/v1/sign-in", json=body)).json()["access_token"]
    bearer = {"authorization": f"Bearer {token}"}
    sid = read_token(token, registry.runtime.reference, registry.clock.now()).session_id
    assert (await registry.client.delete(f"/registry/v1/account/sessions/{sid}", headers=bearer)).status_code == 204
    await registry.runtime.reference.refresh()
    assert (await registry.client.get("/registry/v1/account", headers=bearer)).status_code == 401


@pytest.mark.parametrize("way", ["sign-out", "end"])
async def test_signing_out_while_ones_account_is_changed_waits_for_it_and_holds_nothing_meanwhile(
    registry: Served, admin: asyncpg.Connection, way: str
) -> None:
    """Else each waits for the other, and one of them is thrown out."""
    here = await signed_in(registry)
    bearer = {"authorization": f"Bearer {here.cookies['sanwu_token']}"}
    (mine,) = (await registry.client.get("/registry/v1/account", headers=bearer)).json()["sessions"]
    async with admin.transaction():
        await admin.execute("SELECT pg_advisory_xact_lock(hashtext('registry'))")
        path = "/registry/sign-out" if way == "sign-out" else f"/account/sessions/{mine['id']}/end"
        leaving = asyncio.ensure_future(here.send("POST", path, data={}))
        began = time.monotonic()
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while not await admin.fetchval(waiting) and time.monotonic() < began + 20:  # noqa: ASYNC110 - another process's
            await asyncio.sleep(0.05)
        await admin.execute("SET LOCAL lock_timeout = '2s'")
        # As the change of a password does.
        await admin.execute("DELETE FROM registry.session")
    assert (await leaving).status_code in {303, 404}


async def _trail_of(registry: Served, action: str) -> list[tuple[str | None, str | None]]:
    """Who did it and to what, by every row of an action."""
    async with registry.runtime.database.connection() as conn:
        rows = await conn.fetch("SELECT actor_id, object FROM action WHERE action = $1 ORDER BY id", action)
    return [(r["actor_id"], r["object"]) for r in rows]


async def test_ending_a_session_tells_the_trail_whose(registry: Served) -> None:
    here, there = await signed_in(registry), await signed_in(registry, address="198.51.100.9")
    bearer = {"authorization": f"Bearer {here.cookies['sanwu_token']}"}
    sessions = (await registry.client.get("/registry/v1/account", headers=bearer)).json()["sessions"]
    (other,) = [s["id"] for s in sessions if not s["current"]]
    (mine,) = [s["id"] for s in sessions if s["current"]]
    await registry.client.delete(f"/registry/v1/account/sessions/{other}", headers=bearer)
    await here.send("POST", f"/account/sessions/{mine}/end", data={})
    anna = next(s.staff_id for s in registry.runtime.reference.staff.values() if s.username == "anna")
    by_api = await _trail_of(registry, "DELETE /registry/v1/account/sessions/{session_id}")
    by_page = await _trail_of(registry, "POST /account/sessions/{session_id}/end")
    assert (by_api[-1], by_page[-1]) == ((anna, f"staff/{anna}"), (anna, f"staff/{anna}"))
    assert there.cookies


async def test_own_passwords_and_codes_that_were_wrong_stand_in_the_trail(registry: Served) -> None:
    ines = await signed_in(registry, "ines", totp=code(registry))
    me = next(s.staff_id for s in registry.runtime.reference.staff.values() if s.username == "ines")
    failed, begun = len(await _trail_of(registry, "own password failed")), "second factor begun"
    await ines.send("POST", "/account/password", data={"password": "wrong", "new_password": NEW})
    assert (await _trail_of(registry, "own password failed"))[failed:] == [(me, f"staff/{me}")]
    registry.clock.advance(seconds=60)
    await ines.send("POST", "/account/second-factor", data={"password": PASSWORD, "totp": "000000"})
    assert (await _trail_of(registry, "own code failed"))[-1] == (me, f"staff/{me}")
    before = len(await _trail_of(registry, begun))
    await ines.send("POST", "/account/second-factor", data={"password": PASSWORD, "totp": code(registry)})
    assert (await _trail_of(registry, begun))[before:] == [(me, f"staff/{me}")]


@pytest.mark.parametrize(("minutes", "status"), [(50, 204), (61, 404)])
async def test_a_second_factor_that_was_begun_waits_for_its_code_for_an_hour(
    registry: Served, minutes: int, status: int
) -> None:
    anna = await signed_in(registry)
    bearer = {"authorization": f"Bearer {anna.cookies['sanwu_token']}"}
    path = "/registry/v1/account/second-factor"
    secret = (await registry.client.post(path, json={"password": PASSWORD}, headers=bearer)).json()["totp_secret"]
    registry.clock.advance(minutes=minutes)
    assert await anna.renewed()
    bearer = {"authorization": f"Bearer {anna.cookies['sanwu_token']}"}
    body = {"totp_secret": secret, "totp": code(registry, secret)}
    assert (await registry.client.post(f"{path}/confirm", json=body, headers=bearer)).status_code == status


async def test_a_changed_password_ends_a_second_factor_that_was_begun(registry: Served) -> None:
    anna = await signed_in(registry)
    await anna.send("POST", "/account/second-factor", data={"password": PASSWORD})
    await anna.send("POST", "/account/password", data={"password": PASSWORD, "new_password": NEW})
    async with registry.runtime.database.connection() as conn:
        assert await conn.fetchval("SELECT totp_next FROM credential WHERE username = 'anna'") is None


# -- where one is signed in


async def test_ones_sessions_are_told_in_words_and_each_can_be_ended(registry: Served) -> None:
    here, there = await signed_in(registry), await signed_in(registry, address="198.51.100.9")
    page = (await here.send("GET", "/account")).text
    assert page.count("退出这个登录") == 2
    assert page.count("Windows 电脑上的 Edge") == 2
    assert page.count("（就是这里）") == 1
    assert "198.51.100.9" in page
    assert "Mozilla" not in page
    bearer = {"authorization": f"Bearer {here.cookies['sanwu_token']}"}
    sessions = (await registry.client.get("/registry/v1/account", headers=bearer)).json()["sessions"]
    (other,) = [s for s in sessions if not s["current"]]
    assert (other["address"], other["browser"]) == ("198.51.100.9", "Windows 电脑上的 Edge")
    path = f"/registry/v1/account/sessions/{other['id']}"
    statuses = [(await registry.client.delete(path, headers=bearer)).status_code for _ in range(2)]
    await registry.runtime.reference.refresh()
    assert statuses == [204, 404]
    assert (await there.opens(), await there.renewed(), await here.opens()) == (False, False, True)
    (mine,) = [s["id"] for s in sessions if s["current"]]
    await here.send("POST", f"/account/sessions/{mine}/end", data={})
    assert (await here.opens(), await here.renewed()) == (False, False)


async def test_nobody_ends_somebody_elses_session(registry: Served) -> None:
    anna = await signed_in(registry)
    bearer = {"authorization": f"Bearer {anna.cookies['sanwu_token']}"}
    (mine,) = (await registry.client.get("/registry/v1/account", headers=bearer)).json()["sessions"]
    path = f"/registry/v1/account/sessions/{mine['id']}"
    assert (await registry.client.delete(path, headers=registry.bearer("operator"))).status_code == 404
    assert await anna.opens()


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (EDGE, "Windows 电脑上的 Edge"),
        (
            "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130 Mobile MicroMessenger/8.0",
            "安卓手机上的 微信",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit Version/18.0 Safari/604.1", "iPhone上的 Safari"),
        ("curl/8.5", "不认识的浏览器"),
        ("", "不认识的浏览器"),
    ],
)
def test_a_browser_is_called_as_people_call_it(agent: str, words: str) -> None:
    assert words_of(agent) == words


# -- pressed twice


async def test_pressed_twice_is_one_sign_in_and_no_failure(registry: Served) -> None:
    browser = Browser(registry)
    form = number_of((await browser.send("GET", "/sign-in")).text)
    used = code(registry)
    first = await browser.sign_in("ines", totp=used, form=form)
    # The browser drops the first answer: the second press comes with what it had before.
    browser.cookies = {}
    second = await browser.sign_in("ines", totp=used, form=form)
    assert (first.status_code, second.status_code) == (303, 303)
    assert await browser.opens()
    assert (await browser.send("GET", "/account")).text.count("退出这个登录") == 1
    async with registry.runtime.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM sign_in_failure") == 0


async def test_both_presses_at_once_are_let_in(registry: Served) -> None:
    used = code(registry)
    both = [Browser(registry).sign_in("ines", totp=used, form="the-same-form") for _ in range(2)]
    assert [a.status_code for a in await asyncio.gather(*both)] == [303, 303]


async def test_a_code_sent_at_once_from_a_known_browser_and_by_strangers_opens_once(registry: Served) -> None:
    own = await signed_in(registry, "ines", totp=code(registry))
    registry.clock.advance(seconds=30)
    used = code(registry)
    sent = [
        own.sign_in("ines", totp=used),
        *(Browser(registry, f"192.0.{n}.1").sign_in("ines", totp=used) for n in range(4)),
    ]
    statuses = [a.status_code for a in await asyncio.gather(*sent)]
    assert sorted(statuses) == [303, 401, 401, 401, 401]


@pytest.mark.parametrize(
    ("form", "seconds"), [("another", 0), ("", 0), ("the-form", 11)], ids=["other form", "no form", "later"]
)
async def test_a_used_code_opens_to_nobody_else(registry: Served, form: str, seconds: int) -> None:
    used = code(registry)
    await signed_in(registry, "ines", totp=used, form="the-form")
    registry.clock.advance(seconds=seconds)
    thief = await Browser(registry, "192.0.2.1").sign_in("ines", totp=used, form=form)
    assert thief.status_code == 401


async def test_the_forms_number_opens_nothing_without_password_and_code(registry: Served) -> None:
    used = code(registry)
    await signed_in(registry, "ines", totp=used, form="the-form")
    wrong = await Browser(registry).sign_in("ines", "wrong", totp=used, form="the-form")
    older = await Browser(registry).sign_in("ines", totp=code(registry, steps=-1), form="the-form")
    assert (wrong.status_code, older.status_code) == (401, 401)


# -- a foreign page


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "http://127.0.0.1:9000", "sec-fetch-site": "same-site"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "none"},
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/registry/sign-out"])
async def test_a_foreign_page_signs_nobody_in_or_out(registry: Served, path: str, headers: dict[str, str]) -> None:
    own = await signed_in(registry)
    form = {"username": "anna", "password": PASSWORD}
    answer = await own.send("POST", path, data=form, headers=headers)
    assert (answer.status_code, answer.headers.get_list("set-cookie")) == (403, [])
    assert (await own.opens(), await own.renewed()) == (True, True)


# -- what was there before the upgrade


async def test_a_session_from_before_goes_on(registry: Served) -> None:
    browser = await signed_in(registry)
    async with registry.runtime.database.transaction() as conn:
        # As the code before left it, and the migration made it.
        await conn.execute("UPDATE session SET address = NULL, browser = NULL, form_digest = NULL")
    assert await browser.renewed()
    page = (await browser.send("GET", "/account")).text
    assert "升级以前的登录" in page


async def test_a_token_without_a_session_opens_until_it_is_over(registry: Served) -> None:
    anna = next(s.staff_id for s in registry.runtime.reference.staff.values() if s.username == "anna")
    async with registry.runtime.database.transaction() as conn:
        await end_tokens(conn, anna, "another", registry.clock.now())
    await registry.runtime.reference.refresh()
    now = registry.clock.now()
    token = issue_token(builders.SIGNING_KEY, builders.SIGNER_KID, anna, now)
    assert read_token(token, registry.runtime.reference, now + timedelta(minutes=14)).session_id is None
