"""A code's life: asked for at the township, printed, hung by a clerk's telephone, scanned, replaced, and told to be revoked."""

import io
import re

import httpx2
from PIL import Image
from playwright.async_api import Browser

from tests.browser.conftest import People, Person
from tests.browser.steps import REVIEWER, TOWNSHIP
from tests.running import RunningCity

VILLAGE = f"{TOWNSHIP}209"
CLERK = f"clerk-{VILLAGE}"


def wall() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (640, 480), "tan").save(out, "JPEG")
    return out.getvalue()


async def test_a_code_is_issued_printed_hung_scanned_and_replaced(
    people: People, browser: Browser, small_city: RunningCity
) -> None:
    reviewer = await people()
    await reviewer.sign_in(REVIEWER)
    await reviewer.open("/posters")
    await reviewer.press("再发一个码")
    await reviewer.page.get_by_label("村 / 社区").select_option(VILLAGE)
    await reviewer.page.get_by_label("用途").select_option("gate")
    await reviewer.shoot("codes-new")
    await reviewer.press("发码")
    await reviewer.sees("“村口”的码要写明挂在哪里")
    await reviewer.page.get_by_label("挂在哪里").fill("村口牌坊东侧")
    await reviewer.press("发码")
    await reviewer.sees("村口 · 村口牌坊东侧")
    code = (await reviewer.page.locator("dl.facts code").first.text_content()) or ""
    assert re.fullmatch("[0-9A-Z]{8}", code)

    await _looks_at_the_print(reviewer)
    await _hangs(people, browser, small_city, code)

    villager = await people()
    await villager.open(f"/c/{code}")
    assert villager.page.url.endswith(f"/v/{VILLAGE}#s-{code}")
    await _replaces(reviewer, code)
    await villager.page.wait_for_timeout(2500)
    await villager.open(f"/c/{code}")
    await villager.sees("这个码已经作废")
    await villager.shoot("codes-revoked")
    await villager.page.get_by_role("link", name=re.compile("公开的内容")).click()
    assert villager.page.url.endswith(f"/v/{VILLAGE}")
    await villager.open("/c/00000000")
    await villager.sees("没有这个码，它不是阳光三务发的")
    await villager.shoot("codes-unknown")


async def _looks_at_the_print(reviewer: Person) -> None:
    await reviewer.open(f"/posters/print?division={VILLAGE}&size=gate")
    await reviewer.sees("共 1 个码，1 张纸")
    preview = reviewer.page.locator("img.photo")
    await preview.wait_for(state="visible")
    assert await preview.evaluate("image => image.complete && image.naturalWidth") == 1191
    await reviewer.shoot("codes-print")


async def _hangs(people: People, browser: Browser, small_city: RunningCity, code: str) -> None:
    context = await browser.new_context(
        viewport={"width": 360, "height": 740},
        permissions=["geolocation"],
        geolocation={"latitude": 40.40512, "longitude": 122.34871, "accuracy": 9},
    )
    people.contexts.append(context)
    clerk = Person(await context.new_page(), small_city)
    await clerk.sign_in(CLERK)
    await clerk.open(f"/posters/codes/{code}")
    await clerk.press("取当前位置")
    await clerk.sees("已定位，误差约 9 米")
    await clerk.page.get_by_label("码牌的照片").set_input_files(
        {"name": "wall.jpg", "mimeType": "image/jpeg", "buffer": wall()}
    )
    await clerk.press("登记：已挂出")
    await clerk.sees("北纬 40.40512，东经 122.34871（误差约 9 米）")
    assert await clerk.page.locator("img.photo").evaluate("image => image.naturalWidth") == 640
    await clerk.shoot("codes-hung")


async def _replaces(reviewer: Person, code: str) -> None:
    await reviewer.open(f"/posters?division={TOWNSHIP}")
    row = reviewer.page.locator("tr", has_text=code)
    await row.get_by_text("换新、作废").click()
    await row.get_by_role("button", name="换新").click()
    await reviewer.sees("等挂出")
    await reviewer.shoot("codes-list")
    await row.get_by_text("换新、作废").click()
    await row.get_by_label("作废的原因").fill("被撕掉了")
    await row.get_by_role("button", name="作废并换发下一号").click()
    await reviewer.sees("已作废")


async def test_a_file_of_places_is_taken_or_told_with_its_lines(people: People, small_city: RunningCity) -> None:
    reviewer = await people()
    await reviewer.sign_in(REVIEWER)
    await reviewer.open("/posters/import")
    head = "村,用途,位置,名称,事项,公开期,码号\n"

    async def hand_in(text: str) -> None:
        file = {"name": "places.csv", "mimeType": "text/csv", "buffer": text.encode("gb18030")}
        await reviewer.page.get_by_label("CSV 文件").set_input_files(file)  # type: ignore[arg-type] # a file as a dict
        await reviewer.press("导入")

    await hand_in(f"{head}{VILLAGE},树上,,,,,\n")
    await reviewer.sees("第 2 行“用途”列：“树上”不在可选值里")
    await reviewer.shoot("codes-places-faults")
    await hand_in(f"{head}{VILLAGE},村部大厅,一楼大厅,,,,\n{VILLAGE},入户卡,三组,,,,\n")
    await reviewer.sees("新发 2 个码")
    await reviewer.shoot("codes-places")
    headers = {"authorization": f"Bearer {small_city.token(REVIEWER)}"}
    cards = httpx2.get(
        f"{small_city.url}/qr/v1/posters?division={VILLAGE}&size=card&copies=2", headers=headers, timeout=30
    )
    assert cards.content.startswith(b"%PDF-")
