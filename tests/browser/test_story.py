"""One ledger, from the clerk's desk to the villager's phone and the inspector's console, in a real browser."""

import json
import re

import httpx2
import pypdfium2
import zxingcpp

from tests.browser.conftest import People, Person
from tests.browser.steps import is_out
from tests.running import RunningCity

VILLAGE = "210881006208"


def month_before_last(city: RunningCity) -> str:
    """The month that this village never opened, as the manifest tells."""
    faults = json.loads((city.home / "fault-manifest.json").read_text())["faults"]
    never = ("D01", VILLAGE, "F01")
    return next(str(f["period"]) for f in faults if (f["rule"], f["village"], f["item"]) == never)


def scanned(poster: bytes) -> str:
    """What a phone's camera reads from the first page of a printed poster."""
    return read_code(pypdfium2.PdfDocument(poster)[0])


def read_code(page: pypdfium2.PdfPage) -> str:
    found = zxingcpp.read_barcode(page.render(scale=2).to_numpy())
    assert found is not None
    return str(found.text)


async def fill_line(clerk: Person, row: int, day: str, summary: str, amount: str, *, income: bool = False) -> None:
    page = clerk.page
    await page.get_by_label(f"逐笔收支第{row}行记账日期").fill(day)
    await page.get_by_label(f"逐笔收支第{row}行摘要").fill(summary)
    await page.get_by_label(f"逐笔收支第{row}行金额").fill(amount)
    await page.get_by_label(f"逐笔收支第{row}行账户").fill("银行")
    if income:
        await page.get_by_label(f"逐笔收支第{row}行收支").select_option("in")


async def enter(clerk: Person, period: str) -> str:
    """The clerk enters a month whose bank account opens at a figure that the month before did not leave."""
    await clerk.sign_in(f"clerk-{VILLAGE}")
    await clerk.sees("等您录入")
    await clerk.shoot("1-clerk-desk")
    await clerk.page.locator(f'a[href*="item=F01&period={period}"]').first.click()
    await clerk.page.get_by_label("账户余额（元）第1行账户").fill("银行存款")
    await clerk.page.get_by_label("账户余额（元）第1行上期结余").fill("1,000.00")
    await clerk.page.get_by_label("账户余额（元）第1行本期结余").fill("1150")
    await clear_other_accounts(clerk)
    await fill_line(clerk, 1, f"{period}-08", "收果园承包费", "350", income=True)
    await fill_line(clerk, 2, f"{period}-15", "修村部水管", "二百元")
    await clerk.press("保存草稿")
    await clerk.sees("金额应写成 1234.50 这样的数字")
    await clerk.shoot("2-clerk-mistyped")
    await clerk.page.get_by_label("逐笔收支第2行金额").fill("200.00")
    await clerk.press("保存草稿")
    await clerk.sees("的期末是")
    # The month after is public already, and a cash account was left out: each place asks for its reason.
    await clerk.sees("的期初是")
    await clerk.sees("这里没有列出这个账户")
    for reason in await clerk.page.get_by_label("如果确实如此，请写明原因").all():
        await reason.fill("银行对账差错，正在查找")
    await clerk.shoot("3-clerk-finding")
    await clerk.press("提交")
    await clerk.sees("等待核对")
    return clerk.page.url.rsplit("/", 1)[-1]


async def clear_other_accounts(clerk: Person) -> None:
    """Accounts that last month left in the form and that this story does without."""
    boxes = clerk.page.locator('[data-grid="accounts"] tbody tr:not(:first-child) input')
    for box in await boxes.all():
        await box.fill("")


async def test_a_ledger_goes_all_the_way_and_the_wrong_opening_is_seen(people: People, small_city: RunningCity) -> None:
    period = month_before_last(small_city)
    disclosure = await enter(await people(), period)

    supervisor = await people()
    await supervisor.sign_in(f"supervisor-{VILLAGE}")
    await supervisor.open(f"/desk/disclosures/{disclosure}")
    await supervisor.press("核对无误")
    await supervisor.sees("等待镇街审核")

    reviewer = await people()
    await reviewer.sign_in("reviewer-210881006")
    await reviewer.sees("处要看")
    await reviewer.shoot("4-reviewer-desk")
    await reviewer.open(f"/desk/disclosures/{disclosure}")
    await reviewer.sees("银行对账差错，正在查找")
    await reviewer.press("审核通过并发布")
    await reviewer.sees("撤销（5秒内）")
    await is_out(reviewer)
    await reviewer.shoot("5-reviewer-approved")

    villager = await people()
    headers = {"authorization": f"Bearer {small_city.token('reviewer-210881006')}"}
    poster = httpx2.get(f"{small_city.url}/qr/v1/posters?division={VILLAGE}&size=a4", headers=headers)
    code = scanned(poster.content)
    assert code.startswith(f"{small_city.url}/c/")
    await villager.open(code)
    assert f"/v/{VILLAGE}#s-" in villager.page.url
    await villager.sees("下店村")
    await villager.shoot("6-villager-scanned")
    await villager.open(f"/d/{disclosure}")
    await villager.sees("收果园承包费")
    await villager.sees("修村部水管")
    await villager.sees("账算得上 ✓")
    await villager.sees("上个月公开的期末是")
    await villager.sees("村里说明：银行对账差错，正在查找")
    await villager.shoot("7-villager-reads")

    inspector = await people()
    await inspector.sign_in("inspector-210881006")
    await inspector.open("/inspect?rule=A02")
    alert = inspector.page.get_by_role("row").filter(has_text="下店村委会").filter(has_text=period)
    alert_link = alert.get_by_role("link", name=re.compile("本期期初与上期期末相差"))
    await alert_link.wait_for(timeout=15_000)
    await inspector.shoot("8-inspector-console")
    await alert_link.click()
    await inspector.sees("银行存款")
    await inspector.shoot("9-inspector-evidence")


async def test_wrong_password_and_foreign_village_are_told_plainly(people: People, small_city: RunningCity) -> None:
    stranger = await people()
    await stranger.open("/sign-in")
    await stranger.page.get_by_label("用户名").fill(f"clerk-{VILLAGE}")
    await stranger.page.get_by_label("密码").fill("not the password")
    await stranger.press("登录")
    await stranger.sees("用户名或密码不对")
    await stranger.shoot("10-wrong-password")
    clerk = await people()
    await clerk.sign_in("clerk-210881006210")
    await clerk.open("/inspect")
    await clerk.sees("没有成功")


async def test_the_printed_poster_is_a_page_that_people_can_read(small_city: RunningCity) -> None:
    headers = {"authorization": f"Bearer {small_city.token('operator')}"}
    answer = httpx2.get(f"{small_city.url}/qr/v1/posters?division=210881006&size=a4", headers=headers, timeout=30)
    document = pypdfium2.PdfDocument(answer.content)
    # Other stories may have issued codes beside those of the nine boards.
    listed = httpx2.get(f"{small_city.url}/qr/v1/codes?division=210881006", headers=headers, timeout=30).json()["items"]
    valid = {c["url"] for c in listed if c["state"] == "valid"}
    boards = {c["url"] for c in listed if c["state"] == "valid" and c["kind"] == "board"}
    codes = {read_code(page) for page in document}
    assert len(codes) == len(document) >= 9
    # Of cards, labels and stickers there are forms of their own.
    assert boards <= codes <= valid
    assert "示例数据" in document[0].get_textpage().get_text_range()
