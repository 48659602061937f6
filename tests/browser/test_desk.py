"""Desk pages in Chromium: fit on a phone and on a laptop, pass axe-core with contrast 7:1, and help while typing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped] # ships no types
from granian.constants import Interfaces
from granian.server.embed import Server
from playwright.async_api import Browser, Page

from deploy.local.gateway import Gateway
from deploy.local.home import free_port
from services.contracts.topics import SERVICES
from tests import builders
from tests.conftest import Served, ServiceFactory
from tests.ingest.test_pages import CLERK, LEDGER, REVIEWER, SUPERVISOR, confirmed, drafted, emptied, send

FORM: Final = f"/desk/form?village={builders.VILLAGE}"
RULES: Final = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]},
    "rules": {"color-contrast-enhanced": {"enabled": True}},
    "resultTypes": ["violations"],
}
PAGES: Final = [
    ("/desk", CLERK),
    ("/desk/new", CLERK),
    (f"{FORM}&item=F01&period=2026-08", CLERK),
    (f"{FORM}&item=V09&period=2026Q2", CLERK),
    (f"{FORM}&item=V08&period=2026-10-08", CLERK),
    (f"{FORM}&item=V07&period=2026-10-08", CLERK),
    (f"{FORM}&item=F02&period=2026Q3", CLERK),
    (f"{FORM}&item=V01&period=2026-10-08", CLERK),
    (f"{FORM}&item=P04&period=2026Q3", CLERK),
    (f"/desk/waivers/new?village={builders.VILLAGE}&item=V09&period=2026Q2", CLERK),
    (f"/desk/quarters/{builders.VILLAGE}/2026Q3", CLERK),
    ("/desk/imports", CLERK),
    ("/desk/imports/words", CLERK),
    ("{workbook}", CLERK),
    ("{asking}", CLERK),
    ("/desk", SUPERVISOR),
    ("{draft}", SUPERVISOR),
    ("{draft}/sheet", SUPERVISOR),
    ("/desk", REVIEWER),
    ("{confirmed}", REVIEWER),
    ("/desk/grid", REVIEWER),
    ("/desk/urge", REVIEWER),
    ("/desk/waivers", REVIEWER),
    ("/desk/quarters", REVIEWER),
    ("/desk/list", REVIEWER),
]


@dataclass(frozen=True, slots=True)
class DeskSite:
    """The desk on a port of its own, with something on every list."""

    url: str
    served: Served
    paths: dict[str, str]


@pytest_asyncio.fixture
async def site(service: ServiceFactory) -> AsyncIterator[DeskSite]:
    ingest = await emptied(service)
    port = free_port(avoid=set())
    server: Any = Server(
        ingest.service.create_app(ingest.runtime), address="127.0.0.1", port=port, interface=Interfaces.ASGINL
    )
    task = asyncio.create_task(server.serve())
    ready = await confirmed(ingest)
    await send(ingest, "/desk/waivers", {**LEDGER, "item": "V09", "period": "2026Q3", "reason": "涉及诉讼"})
    changes = {"period": "2026-09", "lines.0.date": "2026-09-03", "accounts.0.closing_fen": "900"}
    draft = await drafted(ingest, **changes)
    reason = {"version": "1", "reason|ledger.closing|body.accounts[0]": "盘点差错"}
    # The month after opens with more than this one leaves.
    reason["reason|ledger.next_opening|body.accounts[0].closing_fen"] = "盘点差错"
    assert (await send(ingest, f"{draft}/submit", reason)).status_code == 303
    yield DeskSite(f"http://127.0.0.1:{port}", ingest, {"draft": draft, "confirmed": ready, **await workbooks(ingest)})
    server.stop()
    await asyncio.wait_for(task, 10)


async def workbooks(ingest: Served) -> dict[str, str]:
    """A spreadsheet that can be taken in, and one that asks and has a wrong cell."""
    whole = "日期,凭证号,摘要,收入,支出,余额\n,,上期结转,,,100\n2026-04-03,记-1,付电费,,20,80\n,,本月合计,0,20,80\n"
    wrong = "日期,摘要,收入,支出\n4月3日,付电费,,二十元\n"
    found = {}
    for name, text in (("workbook", whole), ("asking", wrong)):
        headers = {**ingest.bearer(CLERK), "accept": "text/html"}
        files = {"file": ("现金日记账.csv", text.encode())}
        answer = await ingest.client.post("/desk/imports", files=files, headers=headers)
        assert answer.status_code == 303, answer.text
        found[name] = str(answer.headers["location"])
    await ingest.client.post(found["workbook"], data={"account": "cash"}, headers=headers)
    return found


async def opened(browser: Browser, site: DeskSite, path: str, user: str, *, width: int, script: bool = True) -> Page:
    context = await browser.new_context(
        viewport={"width": width, "height": 740 if width < 1000 else 800},
        java_script_enabled=script,
        extra_http_headers=site.served.bearer(user),
    )
    page = await context.new_page()
    await page.goto(site.url + path.format(**site.paths))
    return page


@pytest.mark.parametrize("width", [360, 1280])
async def test_every_desk_page_fits_and_is_accessible(browser: Browser, site: DeskSite, width: int) -> None:
    faults = []
    for path, user in PAGES:
        page = await opened(browser, site, path, user, width=width)
        found = await Axe().run(page, options=RULES)
        faults += [f"{path}: {v['id']} {v['nodes'][0]['html'][:120]}" for v in found.response["violations"]]
        if await page.evaluate("document.documentElement.scrollWidth") > width:
            faults.append(f"{path}: wider than {width}")
        await page.context.close()
    assert faults == []


async def test_sums_follow_the_typing_and_arrows_go_from_row_to_row(browser: Browser, site: DeskSite) -> None:
    page = await opened(browser, site, f"{FORM}&item=F01&period=2026-08", CLERK, width=1280)
    await page.get_by_label("账户余额（元）第1行上期结余").fill("１，０００")  # noqa: RUF001 - full-width, as typed
    await page.get_by_label("账户余额（元）第1行本期结余").fill("1200")
    await page.get_by_label("逐笔收支第1行金额").fill("0.035万")
    await page.get_by_label("逐笔收支第1行收支").select_option("in")
    await page.get_by_label("逐笔收支第2行金额").fill("200.00")
    sums = page.locator("[data-sums]")
    assert (await sums.inner_text()).split() == [
        *("上期结余", "1,000.00", "收入", "1", "笔", "350.00", "支出", "1", "笔", "200.00"),
        *("应结余", "1,150.00，与所填相差", "-50.00"),
    ]
    await page.get_by_label("账户余额（元）第1行本期结余").fill("1150")
    assert "1,150.00 ✓" in await sums.inner_text()
    await page.get_by_label("逐笔收支第1行金额").focus()
    await page.keyboard.press("ArrowDown")
    assert await page.evaluate("document.activeElement.name") == "lines.1.amount_fen"


async def test_a_table_pasted_into_a_cell_lands_in_the_paste_field(browser: Browser, site: DeskSite) -> None:
    page = await opened(browser, site, f"{FORM}&item=F01&period=2026-08", CLERK, width=1280)
    await page.get_by_label("逐笔收支第1行摘要").evaluate(
        """cell => {
            const data = new DataTransfer();
            data.setData("text/plain", "日期\\t摘要\\t支出\\n8-3\\t电费\\t88");
            cell.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
        }"""
    )
    assert await page.locator("#paste-lines").input_value() == "日期\t摘要\t支出\n8-3\t电费\t88"
    assert await page.evaluate("document.activeElement.value") == "paste:lines"


@pytest_asyncio.fixture
async def gated(site: DeskSite, tmp_path: Path) -> AsyncIterator[DeskSite]:
    """The same desk behind a real gateway."""
    here = site.url.removeprefix("http://")
    upstreams = dict.fromkeys((*SERVICES, "standby"), here)
    async with Gateway(tmp_path, free_port(avoid={int(here.rpartition(":")[2])}), upstreams) as gateway:
        yield DeskSite(gateway.url, site.served, site.paths)


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("megabytes", [20, 45])
async def test_a_file_that_is_too_large_is_told_in_plain_words_and_what_was_typed_is_kept(
    browser: Browser, gated: DeskSite, tmp_path: Path, megabytes: int, *, script: bool
) -> None:
    large = tmp_path / "large.pdf"
    with large.open("wb") as file:
        file.write(b"%PDF-1.4\n")
        file.truncate(megabytes * 1_000_000)
    page = await opened(browser, gated, f"{FORM}&item=F01&period=2026-08", CLERK, width=360, script=script)
    typed = page.get_by_label("逐笔收支第1行摘要")
    await typed.fill("修了半天的水管")
    chooser = page.get_by_label("票据、合同等的照片或 PDF")
    await chooser.set_input_files(large)
    if script:
        assert "最大 10 MB" in await chooser.evaluate("field => field.validationMessage")
        await page.get_by_role("button", name="上传附件").click()
        # Nothing was sent: the page is the same one.
        assert page.url.endswith("period=2026-08")
    else:
        await page.get_by_role("button", name="上传附件").click()
        told = "文件太大，最多 10 MiB" if megabytes == 20 else "内容太大，没有提交"
        await page.get_by_text(told).first.wait_for(state="visible", timeout=30_000)
        assert "{" not in await page.locator("body").inner_text()
    # Without script a file beyond what the gateway lets in ends there, and Chromium keeps no form of a page with `no-store`.
    if script or megabytes == 20:
        assert await typed.input_value() == "修了半天的水管"
    await page.context.close()
