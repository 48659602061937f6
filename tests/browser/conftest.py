"""A phone without script: Chromium, 360×740."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from deploy.local.browser import find
from tests.running import RunningCity

#: Screenshots of the last run, to be looked at by people.
SHOTS = Path(__file__).parents[2] / ".pytest_cache" / "screenshots"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The machine's own Chromium."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=find(), args=ARGUMENTS)
        yield chromium
        await chromium.close()


class Person:
    """Somebody with a phone of their own: cookies are not shared."""

    def __init__(self, page: Page, city: RunningCity) -> None:
        self.page = page
        self.city = city

    async def open(self, path: str) -> None:
        """Go to an address of the city; every page of a sample says so."""
        target = path if path.startswith("http") else self.city.url + path
        await self.page.goto(target)
        await self.sees("示例数据")

    async def sees(self, text: str) -> None:
        """The text stands on the page, visible."""
        await self.page.get_by_text(text).first.wait_for(state="visible", timeout=15_000)

    async def press(self, name: str) -> None:
        """Press a button or link by its words."""
        page = self.page
        await (
            page.get_by_role("button", name=name, exact=True)
            .or_(page.get_by_role("link", name=name, exact=True))
            .first.click()
        )

    async def sign_in(self, username: str) -> None:
        """Sign in with the password from the staff file."""
        await self.open("/sign-in")
        await self.page.get_by_label("用户名").fill(username)
        await self.page.get_by_label("密码").fill(self.city.password(username))
        code = await asyncio.to_thread(self.city.code, username)
        if code is not None:
            await self.page.get_by_label("动态口令").fill(code)
        await self.press("登录")
        # Whoever opens another page before the answer has come breaks the signing in off.
        await self.page.wait_for_url(lambda url: "/sign-in" not in url)

    async def shoot(self, name: str) -> None:
        """Keep a picture of the whole page."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


@pytest_asyncio.fixture
async def people(browser: Browser, small_city: RunningCity) -> AsyncIterator["People"]:
    """Hands out phones."""
    made = People(browser, small_city)
    yield made
    for context in made.contexts:
        await context.close()


class People:
    """Makes a person with a phone; `script` switches JavaScript on."""

    def __init__(self, browser: Browser, city: RunningCity) -> None:
        self._browser = browser
        self._city = city
        self.contexts: list[BrowserContext] = []

    async def __call__(self, *, script: bool = False) -> Person:
        context = await self._browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=script)
        self.contexts.append(context)
        return Person(await context.new_page(), self._city)
