"""The grid in Chromium: typed, pasted and changed as in a spreadsheet; nothing that was typed is lost."""

import asyncio
import re
from typing import Any, Final

import pytest
from playwright.async_api import Browser, Page

from tests import builders
from tests.browser.conftest import SHOTS
from tests.browser.test_desk import DeskSite, opened, site
from tests.ingest.test_pages import CLERK, REVIEWER, look
from tests.running import ROOT

__all__ = ["site"]
FORM: Final = f"/desk/form?village={builders.VILLAGE}&item=F01&period=2026-08"


async def grid(browser: Browser, site: DeskSite, *, width: int = 1280, path: str = FORM, user: str = CLERK) -> Page:
    return await opened(browser, site, path, user, width=width)


async def values(page: Page, row: int) -> dict[str, str]:
    """What stands in a line, blanks left out."""
    found: dict[str, str] = await page.evaluate(
        """row => Object.fromEntries([...document.querySelectorAll(`[name^="lines.${row}."]`)]
            .filter(e => e.value).map(e => [e.name.split('.').slice(2).join('.'), e.value]))""",
        row,
    )
    return found


async def put(page: Page, name: str, text: str) -> None:
    await page.locator(f'[name="{name}"]').fill(text)


async def paste(page: Page, name: str, text: str) -> None:
    """Ctrl+V of this text into a cell."""
    await page.locator(f'[name="{name}"]').evaluate(
        """(cell, text) => {
            cell.focus();
            const data = new DataTransfer();
            data.setData("text/plain", text);
            cell.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
        }""",
        text,
    )


async def here(page: Page) -> str:
    return str(await page.evaluate("document.activeElement.name"))


async def test_a_line_is_typed_with_tab_and_enter_and_the_next_one_begins_where_it_did(
    browser: Browser, site: DeskSite
) -> None:
    page = await grid(browser, site)
    await put(page, "accounts.0.account", "银行存款")
    await page.locator('[name="lines.0.date"]').focus()
    await page.keyboard.type("5")
    await page.keyboard.press("Tab")
    assert (await values(page, 0))["date"] == "2026-08-05"
    await page.keyboard.insert_text("购水泥")
    await page.keyboard.press("Tab")
    await page.keyboard.press("2")
    await page.keyboard.press("Tab")
    await page.keyboard.type("120.5")
    await put(page, "lines.0.voucher.no", "7")
    await page.locator('[name="lines.0.voucher.no"]').press("Enter")
    assert await here(page) == "lines.1.date"
    told = await values(page, 0)
    assert (told["direction"], told["amount_fen"], told["account"]) == ("in", "120.5", "银行存款")
    for name, grey in (("date", "2026-08-05"), ("account", "银行存款"), ("voucher.no", "8")):
        assert await page.locator(f'[name="lines.1.{name}"]').get_attribute("placeholder") == grey
    await page.keyboard.press("ArrowRight")
    assert (await values(page, 1))["date"] == "2026-08-05"
    await page.locator('[name="lines.1.voucher.no"]').press("Escape")
    assert await page.locator('[name="lines.1.voucher.no"]').get_attribute("placeholder") is None
    await page.screenshot(path=SHOTS / "grid.png", full_page=True)


def test_the_script_stays_small() -> None:
    assert (ROOT / "services/ingest/static/grid.js").stat().st_size <= 25 * 1024


async def test_enter_never_sends_the_form(browser: Browser, site: DeskSite) -> None:
    page = await grid(browser, site)
    url = page.url
    await page.locator('[name="lines.0.summary"]').press("Enter")
    await page.locator('[name="totals.income_fen"]').press("Enter")
    await page.wait_for_timeout(300)
    assert (page.url, await here(page)) == (url, "totals.expense_fen")


async def test_a_block_without_names_of_columns_goes_in_where_it_is_pasted_and_comes_out_again(
    browser: Browser, site: DeskSite
) -> None:
    page = await grid(browser, site)
    await put(page, "lines.1.amount_fen", "9")
    rows = [f"电费{n}\t{'收入' if n == 1 else '支'}\t{n}.5\t现金" for n in range(1, 13)]
    await paste(page, "lines.1.summary", "\n".join(rows))
    assert (await values(page, 1)) == {
        "summary": "电费1",
        "direction": "in",
        "amount_fen": "1.5",
        "account": "现金",
    }
    assert (await values(page, 12))["amount_fen"] == "12.5"
    assert await page.locator('[name="lines.~count"]').input_value() == "13"
    assert "已粘贴 12 行" in await page.locator("[data-told]").first.inner_text()
    await put(page, "lines.3.summary", "我改过的")
    await page.locator('[name="lines.1.summary"]').press("Control+z")
    assert await values(page, 1) == {"direction": "out", "amount_fen": "9"}
    assert (await values(page, 3))["summary"] == "我改过的"


async def test_cells_with_line_breaks_and_quotes_stay_one_cell(browser: Browser, site: DeskSite) -> None:
    page = await grid(browser, site)
    await paste(page, "lines.0.summary", '"修""三组""路"\t支\t12\n\t\t3\n')
    assert (await values(page, 0))["summary"] == '修"三组"路'
    assert (await values(page, 1))["amount_fen"] == "3"


async def test_rows_are_inserted_copied_moved_and_deleted_by_keys_and_brought_back(
    browser: Browser, site: DeskSite
) -> None:
    page = await grid(browser, site)
    for n, words in enumerate(("甲", "乙", "丙")):
        await put(page, f"lines.{n}.summary", words)
    await put(page, "lines.1.voucher.no", "4")

    async def order() -> list[str]:
        return [(await values(page, n)).get("summary", "") for n in range(5)]

    await page.locator('[name="lines.1.summary"]').press("Control+-")
    assert (await order())[:3] == ["甲", "丙", ""]
    await page.keyboard.press("Control+z")
    assert (await order())[:3] == ["甲", "乙", "丙"]
    await page.locator('[name="lines.0.summary"]').press("Alt+ArrowDown")
    assert ((await order())[:3], await here(page)) == (["乙", "甲", "丙"], "lines.1.summary")
    await page.keyboard.press("Control+=")
    assert (await order())[:4] == ["乙", "", "甲", "丙"]
    await page.keyboard.press("Control+d")
    assert await values(page, 1) == {"summary": "乙", "direction": "out", "voucher.no": "5"}
    labels = await page.evaluate(
        "[...document.querySelectorAll('[name$=\".summary\"]')].slice(0, 4).map(e => [e.id, e.ariaLabel])"
    )
    assert labels == [[f"c-lines.{n}.summary", f"逐笔收支第{n + 1}行摘要"] for n in range(4)]
    await page.get_by_role("button", name="撤销", exact=True).first.click()
    assert (await order())[:4] == ["乙", "", "甲", "丙"]


async def test_what_earlier_months_say_is_found_by_first_letters_and_proposes_the_rest(
    browser: Browser, site: DeskSite
) -> None:
    site.served.clock.at = builders.NOW.replace(month=12)
    path = f"/desk/form?village={builders.VILLAGE}&item=F01&period=2026-11"
    page = await grid(browser, site, path=path)
    await page.locator('[name="lines.0.summary"]').focus()
    await page.keyboard.type("xcb")
    offers = page.locator("#suggest li")
    assert await offers.all_inner_texts() == ["修村部水管（2 次）"]
    await page.keyboard.press("Enter")
    assert (await values(page, 0))["summary"] == "修村部水管"
    assert await here(page) == "lines.0.amount_fen"
    assert await page.locator('[name="lines.0.account"]').get_attribute("placeholder") == "库存现金"
    await page.keyboard.type("18")
    await page.keyboard.press("Enter")
    assert (await values(page, 0))["account"] == "库存现金"
    # Nothing is put in the place of words that are new.
    await page.locator('[name="lines.1.summary"]').fill("修村")
    await page.keyboard.press("Enter")
    assert (await values(page, 1))["summary"] == "修村"


async def test_the_closing_is_proposed_from_the_sums_and_taken_with_an_arrow(browser: Browser, site: DeskSite) -> None:
    page = await grid(browser, site)
    await put(page, "accounts.0.account", "现金")
    await put(page, "accounts.0.opening_fen", "1000")
    await put(page, "lines.0.amount_fen", "200.5")
    closing = page.locator('[name="accounts.0.closing_fen"]')
    assert (await closing.get_attribute("placeholder"), await closing.input_value()) == ("799.50", "")
    await closing.press("ArrowRight")
    assert await closing.input_value() == "799.50"
    assert "799.50 ✓" in await page.locator("[data-sums]").inner_text()


@pytest.mark.parametrize("width", [1280, 1366])
async def test_sums_head_and_numbers_of_rows_are_in_sight_wherever_one_is(
    browser: Browser, site: DeskSite, width: int
) -> None:
    page = await grid(browser, site, width=width)
    rows = "\n".join(f"8-{1 + n % 28}\t电费{n}\t支\t{n + 1}" for n in range(40))
    await paste(page, "lines.0.date", rows)
    await page.locator('[name="lines.39.voucher.no"]').focus()
    seen = """selector => { const e = document.querySelector(selector), b = e.getBoundingClientRect();
        const top = document.elementFromPoint(b.left + b.width / 2, b.top + b.height / 2); return e === top || e.contains(top) }"""
    await page.screenshot(path=SHOTS / f"grid-40-{width}.png")
    for selector in ("[data-sums]", 'th[data-path="voucher.no"]', "tr.now th[scope=row]"):
        assert await page.evaluate(seen, selector), selector


# -- kept ---------------------------------------------------------------------------------------------------------


async def kept(page: Page, words: str) -> None:
    await page.get_by_text(words).first.wait_for(state="visible", timeout=20_000)


async def test_a_form_keeps_itself_and_survives_a_crash(browser: Browser, site: DeskSite) -> None:
    page = await grid(browser, site)
    await put(page, "lines.0.summary", "修到一半的水渠")
    await kept(page, "✓ 刚才自动保存")
    context = page.context
    await page.close()
    again = await context.new_page()
    await again.goto(site.url + FORM)
    assert await again.locator('[name="lines.0.summary"]').input_value() == "修到一半的水渠"
    text = (await look(site.served, "/desk")).text
    assert "填到一半的" in text


async def test_without_a_network_it_is_kept_here_and_sent_when_there_is_one(browser: Browser, site: DeskSite) -> None:
    page = await grid(browser, site)
    await page.context.set_offline(offline=True)
    await put(page, "lines.0.summary", "断网时写的")
    await kept(page, "网络不通，内容先存在这台电脑上")
    await page.locator('.foot button[value="save"]').click()
    await kept(page, "现在没有网络")
    stored = "Object.keys(localStorage).filter(n => n.startsWith('sanwu.typed|')).length"
    assert await page.evaluate(stored) == 1
    await page.context.set_offline(offline=False)
    await kept(page, "✓ 刚才自动保存")
    assert await page.evaluate(stored) == 0


async def test_what_never_got_through_is_offered_when_the_form_is_opened_again(
    browser: Browser, site: DeskSite
) -> None:
    page = await grid(browser, site)
    await page.route("**/desk/typed", lambda route: route.abort())
    await put(page, "lines.0.summary", "没送到的")
    await page.wait_for_timeout(1500)
    await page.close(run_before_unload=False)
    again = await page.context.new_page()
    await again.goto(site.url + FORM)
    await kept(again, "没有送到的内容")
    assert await again.locator('[name="lines.0.summary"]').input_value() == ""
    await again.get_by_role("button", name="恢复那些内容").click()
    await again.wait_for_url("**/desk/form")
    assert await again.locator('[name="lines.0.summary"]').input_value() == "没送到的"


async def test_leaving_warns_as_long_as_anything_is_unsent_also_after_a_page_that_came_back(
    browser: Browser, site: DeskSite
) -> None:
    page = await grid(browser, site)
    await page.route("**/desk/typed", lambda route: route.abort())
    asked: list[str] = []

    async def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        await dialog.accept()

    page.on("dialog", stay)
    await put(page, "lines.0.summary", "还没存")
    await page.get_by_text("从电子表格粘贴").first.click()
    await page.get_by_role("button", name="带入表格").first.click()
    await page.wait_for_load_state()
    assert asked == []
    await page.get_by_role("link", name="待办").click()
    await page.wait_for_url("**/desk")
    assert asked == ["beforeunload"]


async def test_pressing_save_while_it_saves_itself_is_no_conflict(browser: Browser, site: DeskSite) -> None:
    page = await grid(browser, site)

    async def slow(route: Any) -> None:
        await asyncio.sleep(1.5)
        await route.continue_()

    await page.route("**/desk/typed", slow)
    await put(page, "accounts.0.account", "现金")
    await put(page, "accounts.0.opening_fen", "1000")
    await put(page, "accounts.0.closing_fen", "900")
    await put(page, "lines.0.date", "8")
    await put(page, "lines.0.summary", "扫帚")
    await put(page, "lines.0.amount_fen", "100")
    async with page.expect_request("**/desk/typed", timeout=20_000):
        pass
    await page.locator('.foot button[value="save"]').click()
    await page.wait_for_url(re.compile("/desk/disclosures/"))
    assert await page.get_by_text("第 1 稿").first.is_visible()
    assert await page.evaluate("Object.keys(localStorage).length") == 0


async def test_two_who_type_in_one_form_are_told_and_can_compare(browser: Browser, site: DeskSite) -> None:
    first, second = await grid(browser, site), await grid(browser, site, user=REVIEWER)
    await put(first, "lines.0.summary", "甲写的")
    await kept(first, "✓ 刚才自动保存")
    await put(second, "lines.0.summary", "乙写的")
    await kept(second, "也填了这一份，您填的还没有保存")
    await second.locator('.foot button[value="save"]').click()
    await kept(second, "用我填的，存为新的一版")
    assert "甲写的" in await second.locator("main").inner_text()


async def test_signing_out_leaves_nothing_in_the_browser(browser: Browser, site: DeskSite) -> None:
    page = await grid(browser, site)
    await page.route("**/desk/typed", lambda route: route.abort())
    await page.route("**/sign-out", lambda route: route.fulfill(body="out"))
    page.on("dialog", lambda dialog: dialog.accept())
    await put(page, "lines.0.summary", "别人不该看到")
    await page.wait_for_timeout(1500)
    assert await page.evaluate("Object.keys(localStorage).length") == 1
    await page.get_by_role("button", name="退出").click()
    await page.wait_for_url("**/sign-out")
    assert await page.evaluate("Object.keys(localStorage).length") == 0


# -- on a phone ---------------------------------------------------------------------------------------------------


async def test_on_a_phone_one_line_is_shown_at_a_time(browser: Browser, site: DeskSite) -> None:
    page = await grid(browser, site, width=360)
    lines = page.locator('table[data-grid="lines"] tbody tr')
    shown = [await row.is_visible() for row in await lines.all()]
    assert shown == [True] + [False] * 9
    await put(page, "lines.0.summary", "扫帚")
    turn = page.locator('.turn[data-of="lines"]')
    await turn.get_by_role("button", name="下一行").click()
    assert await page.locator('[name="lines.1.date"]').is_visible()
    assert await turn.inner_text() == "上一行\n第 2 行，共 10 行，填了 1 行\n下一行"
    await page.screenshot(path=SHOTS / "grid-phone.png", full_page=True)


async def test_a_fault_leads_to_its_cell_also_on_a_phone(browser: Browser, site: DeskSite) -> None:
    page = await grid(browser, site, width=360)
    await put(page, "lines.0.summary", "扫帚")
    await page.locator('.turn[data-of="lines"]').get_by_role("button", name="下一行").click()
    await put(page, "lines.1.amount_fen", "一百")
    await page.locator('.foot button[value="save"]').click()
    await page.get_by_role("link", name="逐笔收支第 2 行“金额（元）”").click()
    assert await here(page) == "lines.1.amount_fen"
    assert await page.locator('[name="lines.1.amount_fen"]').is_visible()
    await page.screenshot(path=SHOTS / "grid-faults-phone.png", full_page=True)


async def test_without_script_every_line_and_button_is_there(browser: Browser, site: DeskSite) -> None:
    page = await opened(browser, site, FORM, CLERK, width=1280, script=False)
    assert await page.locator('[name="lines.9.person_days"]').is_visible()
    assert not await page.get_by_role("button", name="插入一行").first.is_visible()
    await page.locator('[name="lines.0.summary"]').fill("扫帚")
    await page.locator('.foot button[value="save"]').click()
    assert "已经存下，不会丢" in await page.locator("[role=alert]").inner_text()
