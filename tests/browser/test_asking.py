"""A villager of 65 asks about a line on a phone without script, reads the answer, asks again; the township answers."""

import re

from tests.browser import steps
from tests.browser.conftest import People
from tests.browser.steps import TOWNSHIP, clerk_of, reads, reviewer_of
from tests.running import RunningCity

VILLAGE = f"{TOWNSHIP}206"
TEXT = "这一笔钱付给谁了，事情办完了没有？"
ANSWER = "已经办完了，票据附在这条公开内容后面。"
AGAIN = "镇里看过票据和现场，情况属实，已经办完。"


async def test_a_villager_asks_about_a_line_and_reads_the_answers(people: People, small_city: RunningCity) -> None:
    month = steps.months_ago(1)
    (ledger,) = steps.get(small_city, f"/api/v1/villages/{VILLAGE}/disclosures?item=F01&period={month}")["items"]
    villager = await people()
    page = villager.page
    await villager.open(ledger["url"])
    await page.get_by_text("更多", exact=True).first.click()
    await villager.press("我要问这一笔")
    # Which number the first line has depends on where the transfers stand.
    await villager.sees("笔：")
    await villager.shoot("ask-1-form")
    await page.get_by_label("您想问什么").fill(f"{TEXT}我的电话是13812345678。")
    await page.get_by_label("公开我的提问").check()
    await page.get_by_label("怎么联系您").fill("村东头小卖部")
    # Nobody fills it faster.
    await page.wait_for_timeout(3_200)
    await villager.press("提交")
    await villager.sees("还没有提交")
    await villager.shoot("ask-2-covered")
    assert "13812345678" not in await page.content()
    assert await page.get_by_label("怎么联系您").input_value() == "村东头小卖部"
    await page.get_by_label("您想问什么").fill(TEXT)
    await page.wait_for_timeout(3_200)
    await villager.press("提交")
    await villager.sees("您的编号")
    await villager.shoot("ask-3-asked")
    ref = re.sub(r"[^0-9A-Z]", "", page.url.rpartition("/")[2])

    clerk = await clerk_of(people, VILLAGE)
    await reads(clerk, "/desk/questions", TEXT)
    await clerk.shoot("ask-4-desk")
    await clerk.press(TEXT)
    assert await clerk.page.get_by_text("村东头小卖部").count() == 0
    await clerk.page.get_by_label("答复（公开，人人可见，按单位署名）").fill(ANSWER)
    await clerk.shoot("ask-5-desk-one")
    await clerk.press("公开答复")
    await clerk.sees("已答复")

    await reads(villager, f"/q/{ref}", ANSWER)
    await villager.shoot("ask-6-answered")
    await page.get_by_label("哪里没说清（可以不写）").fill("没有说付给谁了。")
    await villager.press("还没说清，请镇街答复")
    await villager.sees("等镇街答复")

    reviewer = await reviewer_of(people)
    await reads(reviewer, f"/desk/questions/{ref}", "没有说付给谁了。")
    await reviewer.sees("村东头小卖部")
    await reviewer.page.get_by_label("答复（公开，人人可见，按单位署名）").fill(AGAIN)
    await reviewer.press("公开答复")
    await reviewer.sees("已答复")
    await reads(villager, f"/q/{ref}", AGAIN)
    await villager.shoot("ask-7-township")
    # What everybody reads names nobody, and the disclosure leads to it.
    await reads(villager, ledger["url"], TEXT)
    await villager.open(f"/v/{VILLAGE}")
    await villager.shoot("ask-8-village")
    assert "小卖部" not in await page.content()


async def test_a_neighbour_asks_it_too_and_the_desk_sees_how_often(people: People, small_city: RunningCity) -> None:
    asker = await people()
    await asker.open(f"/v/{VILLAGE}/big")
    await asker.press("我要问")
    await asker.page.get_by_label("您想问什么").fill("村部门口的路灯坏了，什么时候修好？")
    await asker.page.get_by_label("公开我的提问").check()
    size = await asker.page.evaluate("parseFloat(getComputedStyle(document.querySelector('textarea')).fontSize)")
    assert size >= 30
    await asker.shoot("join-1-large-form")
    await asker.page.wait_for_timeout(3_200)
    await asker.press("提交")
    await asker.sees("您的编号")
    ref = re.sub(r"[^0-9A-Z]", "", asker.page.url.rpartition("/")[2].partition("?")[0])
    question = steps.get(small_city, f"/api/v1/questions/{ref}")["id"]

    neighbour = await people()
    await neighbour.open(f"/q/{question}")
    await neighbour.press("我也想问")
    await neighbour.shoot("join-2-what-it-means")
    await neighbour.page.wait_for_timeout(3_200)
    await neighbour.press("我也想问这件事")
    await neighbour.sees("记上了")
    await neighbour.press("回到这个提问")
    await neighbour.sees("1人次也想问")
    await neighbour.shoot("join-3-counted")

    clerk = await clerk_of(people, VILLAGE)
    await reads(clerk, "/desk/questions", "1人次也想问")
    await clerk.shoot("join-4-desk")


async def test_somebody_asks_in_english_and_goes_on_in_english(people: People) -> None:
    reader = await people()
    page = reader.page
    await page.goto(f"{reader.city.url}/v/{VILLAGE}")
    await reader.press("English")
    await reader.sees("Sample data")
    await reader.shoot("english-1-village")
    await reader.press("Ask a question")
    await page.get_by_label("What you want to ask").fill("路灯什么时候修好，几月几号？")
    await reader.press("Send")
    await reader.sees("That was too fast")
    await page.wait_for_timeout(3_200)
    await reader.press("Send")
    await reader.sees("Your number")
    await reader.shoot("english-2-receipt")
    await reader.press("中文")
    await reader.sees("您的编号")
