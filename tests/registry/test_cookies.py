"""The cookies of a city over HTTPS: names that nobody else can set, old names for as long as old sessions live."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.kit.auth import issue_token
from services.registry.settings import RegistrySettings
from tests import builders
from tests.conftest import Parts, Place, Served, open_on
from tests.registry.accounts import HEAD, PASSWORD, emptied, take
from tests.registry.browsing import Browser

VILLAGE = "210881006206"


@pytest_asyncio.fixture
async def registry(place: Place) -> AsyncIterator[Served]:
    served = await emptied(await open_on(place, "registry", {"public_url": "https://sanwu.example"}))
    await take(served, f"{HEAD}anna,{PASSWORD},,clerk,{VILLAGE}\n")
    yield served
    await served.client.aclose()
    await served.runtime.database.close()


@pytest.mark.parametrize(
    ("url", "said", "secure"),
    [
        ("https://sanwu.example", None, True),
        ("http://127.0.0.1:8000", None, False),
        ("http://127.0.0.1:8000", True, True),
        ("https://sanwu.example", False, False),
    ],
)
def test_the_site_s_address_tells_whether_cookies_are_for_https_alone(
    parts: Parts, url: str, *, said: bool | None, secure: bool
) -> None:
    settings = parts.settings(RegistrySettings, "registry", "x", "", public_url=url, secure_cookies=said)
    assert settings.cookies_are_secure is secure


async def test_cookies_over_https_bear_the_prefixes_and_every_mark(registry: Served) -> None:
    browser = Browser(registry)
    answer = await browser.sign_in()
    lines = {line.partition("=")[0]: line for line in answer.headers.get_list("set-cookie")}
    assert set(lines) == {"__Host-sanwu_token", "__Secure-sanwu_refresh", "__Secure-sanwu_device"}
    assert all("; HttpOnly" in line and "; Secure" in line and "; SameSite=lax" in line for line in lines.values())
    assert "; Path=/;" in lines["__Host-sanwu_token"]
    assert not any("domain" in line.lower() for line in lines.values())
    assert (await browser.opens(), await browser.renewed()) == (True, True)
    await browser.send("POST", "/sign-out")
    await browser.send("POST", "/registry/sign-out")
    assert set(browser.cookies) == {"__Secure-sanwu_device"}


async def test_a_cookie_under_the_old_name_opens_a_session_of_before_and_gets_the_new_name(registry: Served) -> None:
    new = Browser(registry)
    await new.sign_in()
    old = Browser(registry, cookies={"sanwu_refresh": new.cookies["__Secure-sanwu_refresh"]})
    # Somebody on a neighbouring host put it there: since the upgrade nothing has this name.
    assert not await old.renewed()
    async with registry.runtime.database.transaction() as conn:
        await conn.execute("UPDATE session SET browser = NULL")
    assert await old.renewed()
    assert old.cookies["__Secure-sanwu_refresh"] == new.cookies["__Secure-sanwu_refresh"]
    assert await old.opens()


async def test_a_token_under_the_old_name_opens_only_when_it_is_as_old(registry: Served) -> None:
    browser = Browser(registry)
    await browser.sign_in()
    planted = Browser(registry, cookies={"sanwu_token": browser.cookies["__Host-sanwu_token"]})
    assert not await planted.opens()
    anna = next(s.staff_id for s in registry.runtime.reference.staff.values() if s.username == "anna")
    old = issue_token(builders.SIGNING_KEY, builders.SIGNER_KID, anna, registry.clock.now())
    assert await Browser(registry, cookies={"sanwu_token": old}).opens()
