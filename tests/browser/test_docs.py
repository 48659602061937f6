"""The page under /docs as Chromium shows it: Swagger UI reads the five documents, and nothing comes from elsewhere."""

import json
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from deploy.docs import ROOT
from deploy.local.gateway import Gateway
from deploy.local.home import free_port
from services.contracts.topics import SERVICES, ServiceName
from tests.browser.conftest import SHOTS
from tests.deploy.listener import Listener

_ROUTES: Final = """all => all.map(e =>
    e.querySelector('.opblock-summary-method').textContent + ' ' + e.querySelector('[data-path]').dataset.path)"""


@pytest_asyncio.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """A real gateway; what stands behind it says nothing but its name."""
    with ExitStack() as stack:
        behind = {name: stack.enter_context(Listener(name)).address for name in (*SERVICES, "standby")}
        async with Gateway(tmp_path_factory.mktemp("gateway"), free_port(avoid=set()), behind) as running:
            yield running


class Reader:
    """Somebody who reads /docs, and what their browser asked for and complained of."""

    def __init__(self, page: Page, gateway: Gateway) -> None:
        self.page = page
        self.gateway = gateway
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", lambda request: self.complaints.append(request.url))
        page.on("request", lambda request: self.asked.append(request.url))

    async def open(self, query: str) -> None:
        """Go there and wait for the first route."""
        await self.page.goto(f"{self.gateway.url}/docs/{query}")
        await self.page.locator(".opblock").first.wait_for(timeout=60_000)

    async def routes(self) -> set[str]:
        """The routes that are listed, as `GET /path`."""
        return set(await self.page.locator(".opblock-summary").evaluate_all(_ROUTES))

    async def shoot(self, name: str) -> None:
        """Keep a picture of what is in sight."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=SHOTS / f"{name}.png")


@pytest_asyncio.fixture
async def reader(browser: Browser, gateway: Gateway) -> AsyncIterator[Reader]:
    """A reader at a laptop."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    yield Reader(await context.new_page(), gateway)
    await context.close()


def written(name: ServiceName) -> dict[str, Any]:
    """A service's document as it is checked in."""
    document: dict[str, Any] = json.loads((ROOT / f"docs/openapi/{name}.json").read_text("utf-8"))
    return document


@pytest.mark.parametrize("name", SERVICES)
async def test_every_document_opens_without_a_complaint_and_without_a_foreign_host(
    reader: Reader, name: ServiceName
) -> None:
    await reader.open(f"?service={name}")
    paths = written(name)["paths"]
    assert await reader.routes() == {f"{m.upper()} {path}" for path, methods in paths.items() for m in methods}
    here = f"{reader.gateway.url}/docs/"
    assert [url for url in reader.asked if not url.startswith((here, "data:"))] == []
    assert f"{here}openapi/{name}.json" in reader.asked
    assert reader.complaints == []
    await reader.shoot(f"docs-{name}")


async def test_one_language_at_a_time_and_the_service_stays_when_it_changes(reader: Reader) -> None:
    await reader.open("?service=audit")
    assert await reader.page.locator("header h1:visible").all_inner_texts() == ["阳光三务 接口文档"]
    await reader.page.get_by_role("link", name="English").click()
    await reader.page.get_by_text("阳光三务 audit").wait_for()
    assert await reader.page.locator("header h1:visible").all_inner_texts() == ["Sunshine Sanwu API"]
    assert await reader.page.title() == "audit – Sunshine Sanwu API"
    await reader.page.get_by_role("link", name="qr", exact=True).click()
    await reader.page.get_by_text("阳光三务 qr").wait_for()
    assert await reader.page.locator("[aria-current]:visible").all_inner_texts() == ["qr"]
    assert await reader.page.locator("header h1:visible").all_inner_texts() == ["Sunshine Sanwu API"]


async def test_the_first_page_shows_what_everybody_may_ask(reader: Reader) -> None:
    for query in ("", "?service=nobody"):
        await reader.open(query)
        assert "GET /api/v1/villages" in await reader.routes()


async def test_searching_leaves_the_routes_whose_path_or_words_fit(reader: Reader) -> None:
    await reader.open("?service=ingest")
    box = reader.page.get_by_label("搜索：地址、方法或说明")
    await box.fill("/WAIVERS")
    await reader.page.locator(".opblock").nth(3).wait_for(state="detached")
    assert await reader.routes() == {
        "GET /ingest/v1/waivers",
        "POST /ingest/v1/waivers",
        "POST /ingest/v1/waivers/{waiver_id}/{decision}",
    }
    await box.fill("备案")
    await reader.page.locator(".opblock").nth(1).wait_for(state="detached")
    assert await reader.routes() == {"POST /ingest/v1/disclosures/{disclosure_id}/file"}


async def test_a_route_has_an_address_of_its_own_and_shows_its_request_and_answers(reader: Reader) -> None:
    await reader.open("?service=ingest#/disclosures/create")
    shown = reader.page.locator(".opblock.is-open")
    # The made-up ledger of the example, what the answer finds wrong, a code of a refusal, who may.
    for words in ("付保洁员三季度工资", "合计 3,000.00 元", "unexplained_findings", "报账员"):
        await shown.get_by_text(words).first.wait_for(timeout=60_000)
    assert await shown.locator("[data-path]").get_attribute("data-path") == "/ingest/v1/disclosures"
    assert await reader.page.get_by_role("button", name="Try it out").count() == 0
    assert await reader.page.locator(".scheme-container:visible, .authorization__btn:visible").count() == 0


@pytest.mark.parametrize("query", ["?service=registry", "?service=ingest&lang=en#/disclosures/create"])
async def test_a_phone_shows_it_without_scrolling_sideways(reader: Reader, query: str) -> None:
    await reader.page.set_viewport_size({"width": 360, "height": 740})
    await reader.open(query)
    if "#" in query:
        await reader.page.locator(".opblock .responses-table").wait_for(timeout=60_000)
    assert await reader.page.evaluate("document.documentElement.scrollWidth") == 360
    assert reader.complaints == []
    await reader.shoot("docs-phone" + ("-open" if "#" in query else ""))


async def test_a_script_of_the_page_has_nobodys_cookie_and_reads_no_service(reader: Reader) -> None:
    cookie = {"name": "sanwu_token", "value": "somebody", "url": reader.gateway.url}
    await reader.page.context.add_cookies([cookie])  # type: ignore[list-item] # a plain dict is taken
    await reader.open("")
    assert await reader.page.evaluate("self.origin") == "null"
    for script in ("document.cookie", "localStorage.length"):
        assert "sandboxed" in await reader.page.evaluate(
            f"(() => {{ try {{ return {script} }} catch (e) {{ return e.message }} }})()"
        )
    ask = "fetch('/registry/v1/account', {credentials: 'include'}).then(() => 'read', () => 'refused')"
    assert await reader.page.evaluate(ask) == "refused"
    # The same from an ordinary page of the city, so that the refusal above means something.
    await reader.page.goto(f"{reader.gateway.url}/account")
    assert await reader.page.evaluate(ask) == "read"
