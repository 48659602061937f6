"""What may be somebody's own password, how long one for one time lasts, and a second factor set up by oneself."""

import base64
import re
import time
from typing import Any
from urllib.parse import unquote

import pyotp
import pytest
import pytest_asyncio

from services.registry.commands.passwords import LONGEST_PASSWORD, _withstands
from tests.conftest import Served, ServiceFactory
from tests.registry.accounts import HEAD, PASSWORD, SECRET, emptied, take
from tests.registry.browsing import Browser

VILLAGE, TOWNSHIP = "210881006206", "210881006"
ABOUT = ("clerk-210881006206", "王永勇", "西街村村民委员会", "西海街道", "盖州市")
COMMON = (
    *("password1234", "123456123456", "qwertyuiop12", "Gaizhou12345", "1q2w3e4r5t6y", "abcdefabcdef", "Password2026!"),
    *("Admin@123456", "woaini1314520", "gaizhou-gaizhou", "sanwu-sanwu-1", "wangyongyong1980", "Wangyongyong@2026"),
    *("西街村西街村西街村西街村", "王永勇王永勇一二三四五六", "爱爱爱爱爱爱爱爱爱爱爱爱爱爱", "clerk-clerk-12"),
)
STRONG = (
    "春天的风吹过稻田和水车旁的小路",
    "木瓜 台灯 河马 邮票 火车站",
    "tiger-lamp-coffee",
    "correct-horse-battery",
    "mugua taideng hema",
)


@pytest.mark.parametrize("password", COMMON)
def test_what_is_tried_first_does_not_withstand(password: str) -> None:
    assert not _withstands(password, ABOUT)


@pytest.mark.parametrize("password", STRONG)
def test_words_that_do_not_belong_together_do(password: str) -> None:
    assert _withstands(password, ABOUT)


def test_the_longest_and_oddest_password_is_judged_in_a_moment() -> None:
    began = time.process_time()
    for odd in ("4@8({[<369&#!|1$5+7%20", "a4@b8c({[<e3g69h&k#i!l|1o0s$5t+7x%z2", "a1", "19"):
        _withstands((odd * LONGEST_PASSWORD)[:LONGEST_PASSWORD], ABOUT)
    assert time.process_time() - began < 4


# -- at the registry


@pytest_asyncio.fixture
async def registry(service: ServiceFactory) -> Served:
    served = await emptied(await service("registry"))
    served.clock.advance(minutes=10)
    rows = f"anna,{PASSWORD},,clerk,{VILLAGE}\nines,{PASSWORD},{SECRET},inspector,{TOWNSHIP}\n"
    await take(served, HEAD + rows)
    return served


def code(served: Served, secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(int(served.clock.now().timestamp()) // 30 + steps)


async def reset(served: Served, username: str) -> dict[str, Any]:
    answer = await served.client.post(f"/registry/v1/staff/{username}/reset", headers=served.bearer("operator"))
    made: dict[str, Any] = answer.json()
    return made


async def ask(served: Served, username: str, password: str, **more: str) -> Any:
    body = {"username": username, "password": password, **more}
    return await served.client.post("/registry/v1/sign-in", json=body)


async def test_a_common_password_is_refused_with_what_to_do_instead(registry: Served) -> None:
    one_time = (await reset(registry, "anna"))["one_time_password"]
    refused = await ask(registry, "anna", one_time, new_password="password1234")
    assert (refused.status_code, refused.json()["errors"][0]["at"]) == (422, "new_password")
    assert "几个互不相干的词" in refused.json()["errors"][0]["message"]
    page = await Browser(registry).sign_in("anna", one_time, new_password="Gaizhou12345")
    assert (page.status_code, "几个互不相干的词" in page.text, "set-cookie" in page.headers) == (422, True, False)
    done = await ask(registry, "anna", one_time, new_password="春天的风吹过稻田和水车旁的小路")
    assert done.status_code == 200


async def test_a_common_password_is_refused_on_ones_own_account(registry: Served) -> None:
    token = (await ask(registry, "anna", PASSWORD)).json()["access_token"]
    body = {"password": PASSWORD, "new_password": "1q2w3e4r5t6y"}
    refused = await registry.client.post(
        "/registry/v1/account/password", json=body, headers={"authorization": f"Bearer {token}"}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")


@pytest.mark.parametrize(
    ("username", "asked"), [("anna", "请找镇街审核员"), ("ines", "请找平台管理员")], ids=["village", "above"]
)
async def test_a_password_for_one_time_is_over_after_seven_days(registry: Served, username: str, asked: str) -> None:
    secrets = await reset(registry, username)
    registry.clock.advance(days=7)

    def sent() -> dict[str, str]:
        secret = secrets["totp_secret"]
        return {"new_password": "tiger-lamp-coffee-9", **({"totp": code(registry, secret)} if secret else {})}

    over = await ask(registry, username, secrets["one_time_password"], **sent())
    assert (over.status_code, over.json()["code"]) == (403, "one_time_password_over")
    assert asked in over.json()["detail"]
    assert (await ask(registry, username, "wrong")).json()["code"] == "wrong_credentials"
    secrets = await reset(registry, username)
    registry.clock.advance(days=6, hours=23)
    assert (await ask(registry, username, secrets["one_time_password"], **sent())).status_code == 200


async def test_a_new_account_has_its_seven_days_from_when_it_was_opened(registry: Served) -> None:
    new = {"username": "ben", "role": "clerk", "scope": VILLAGE}
    made = await registry.client.post("/registry/v1/staff", json=new, headers=registry.bearer("operator"))
    await registry.runtime.reference.refresh()
    registry.clock.advance(days=8)
    one_time = made.json()["secrets"]["one_time_password"]
    assert (await ask(registry, "ben", one_time)).json()["code"] == "one_time_password_over"


async def test_a_password_of_ones_own_is_never_over(registry: Served) -> None:
    registry.clock.advance(days=400)
    assert (await ask(registry, "anna", PASSWORD)).status_code == 200


# -- a second factor set up by oneself


async def begun(browser: Browser, **more: str) -> Any:
    return await browser.send("POST", "/account/second-factor", data={"password": PASSWORD, **more})


def secret_on(page: str) -> str:
    return str(re.findall(r"密钥：<code>([A-Z2-7]{32})</code>", page)[0])


async def test_a_clerk_binds_a_second_factor_with_a_code_of_it(registry: Served) -> None:
    here, there = Browser(registry), Browser(registry, "198.51.100.1")
    await here.sign_in()
    await there.sign_in()
    page = await begun(here)
    secret = secret_on(page.text)
    picture = re.findall(r'<img src="(data:image/svg[^"]+)"', page.text)[0]
    assert (page.status_code, "<path" in unquote(picture)) == (200, True)
    # Nothing is changed until a code has come.
    assert (await ask(registry, "anna", PASSWORD)).status_code == 200
    wrong = await here.send("POST", "/account/second-factor/confirm", data={"secret": secret, "totp": "000000x"})
    assert (wrong.status_code, secret_on(wrong.text)) == (422, secret)
    # Who finds the browser signed in does not learn the secret by a wrong code, nor takes it into use by a right one.
    for guess in ("", "GEZDGNBVGY3TQOJQ"):
        found = await here.send("POST", "/account/second-factor/confirm", data={"secret": guess, "totp": "000000"})
        assert (found.status_code in {404, 422}, secret in found.text) == (True, False)
    registry.clock.advance(seconds=30)
    used = code(registry, secret)
    done = await here.send("POST", "/account/second-factor/confirm", data={"secret": secret, "totp": used})
    assert (done.status_code, done.headers["location"]) == (303, "/account")
    registry.clock.advance(seconds=1)
    assert (await here.renewed(), await here.opens()) == (True, True)
    assert (await there.renewed(), await there.opens()) == (False, False)
    assert (await ask(registry, "anna", PASSWORD)).json()["code"] == "totp_required"
    assert (await ask(registry, "anna", PASSWORD, totp=used)).status_code == 401
    registry.clock.advance(seconds=30)
    assert (await ask(registry, "anna", PASSWORD, totp=code(registry, secret))).status_code == 200


async def test_another_second_factor_needs_password_and_a_code_of_the_one_before(registry: Served) -> None:
    browser = Browser(registry)
    await browser.sign_in("ines", totp=code(registry, SECRET))
    used = code(registry, SECRET)
    registry.clock.advance(seconds=30)
    without = await begun(browser)
    replayed = await begun(browser, totp=used)
    wrong = await browser.send(
        "POST", "/account/second-factor", data={"password": "wrong", "totp": code(registry, SECRET)}
    )
    assert [a.status_code for a in (without, replayed, wrong)] == [422, 422, 422]
    new = secret_on((await begun(browser, totp=code(registry, SECRET))).text)
    registry.clock.advance(seconds=30)
    await browser.send("POST", "/account/second-factor/confirm", data={"secret": new, "totp": code(registry, new)})
    registry.clock.advance(seconds=30)
    assert (await ask(registry, "ines", PASSWORD, totp=code(registry, SECRET))).status_code == 401
    registry.clock.advance(seconds=30)
    assert (await ask(registry, "ines", PASSWORD, totp=code(registry, new))).status_code == 200


async def test_guesses_there_count_as_guesses_at_ones_own_password(registry: Served) -> None:
    browser = Browser(registry)
    await browser.sign_in("ines", totp=code(registry, SECRET))
    statuses = [(await begun(browser, totp=f"00000{n}x")).status_code for n in range(6)]
    assert statuses == [422, 422, 422, 422, 422, 429]


async def test_by_json_too_and_a_reset_takes_back_what_was_begun(registry: Served) -> None:
    token = {"authorization": f"Bearer {(await ask(registry, 'anna', PASSWORD)).json()['access_token']}"}
    path = "/registry/v1/account/second-factor"
    early = await registry.client.post(f"{path}/confirm", json={"totp_secret": "", "totp": "123456"}, headers=token)
    begun_ = await registry.client.post(path, json={"password": PASSWORD}, headers=token)
    secret = begun_.json()["totp_secret"]
    assert (early.status_code, begun_.headers["cache-control"]) == (404, "no-store")
    assert f"secret={secret}" in begun_.json()["totp_uri"]
    assert len(base64.b32decode(secret)) == 20
    await reset(registry, "anna")
    async with registry.runtime.database.connection() as conn:
        assert await conn.fetchval("SELECT totp_next FROM credential WHERE username = 'anna'") is None


async def test_the_page_of_a_reset_shows_the_second_factor_as_a_picture(registry: Served) -> None:
    headers = {**registry.bearer("operator"), "accept": "text/html"}
    page = (await registry.client.post("/admin/staff/ines/reset", headers=headers)).text
    assert page.count('<img src="data:image/svg') == 1
    assert "7 天内有效" in page
