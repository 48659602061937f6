"""A month's other turns in a real browser: nothing spent, a correction, a waiver, one person for two, two for one."""

import secrets

import httpx2
import pyotp

from services.contracts.values import yuan
from tests.browser import steps
from tests.browser.conftest import People, Person
from tests.browser.steps import DESK, REVIEWER, TOWNSHIP, call, months_ago
from tests.running import RunningCity

QUIET, CORRECTED, WAIVED, ALONE, SHARED = (TOWNSHIP + end for end in ("200", "201", "212", "209", "211"))


async def test_a_month_in_which_nobody_spent_anything_is_one_tap(people: People, small_city: RunningCity) -> None:
    month = months_ago(2)
    left = yuan(steps.left_over(small_city, QUIET, months_ago(3)))
    clerk = await steps.clerk_of(people, QUIET)
    task = clerk.page.get_by_role("row").filter(has_text="财务收支明细（逐笔）").filter(has_text=month)
    await task.get_by_role("button", name="本月无收支").click()
    await clerk.sees("本期无发生")
    # The month after is public already and opens with other balances: the form names it and asks why.
    await clerk.sees(f"{months_ago(1)[:4]}年")
    for box in await clerk.page.get_by_label("如果确实如此，请写明原因").all():
        await box.fill("下一个月开账时重新盘点过，差额正在查。")
    await clerk.shoot("11-nil-draft")
    await clerk.press("提交")
    await clerk.sees("等待核对")
    disclosure = clerk.page.url.rsplit("/", 1)[-1]
    await steps.confirm(people, QUIET, disclosure)
    await steps.approve(await steps.reviewer_of(people), disclosure)
    villager = await people()
    await steps.reads(villager, f"/d/{disclosure}", "这个月没有收支")
    for name in ("期初还有", "期末还剩"):
        row = villager.page.locator("dl.sums div").filter(has_text=name)
        assert left in await row.inner_text()
    await villager.shoot("12-nil-read")


async def correct_the_amount(clerk: Person, disclosure: str) -> None:
    """The clerk puts a wage right from 1,200 to 1,180 yuan, and is asked why."""
    page = clerk.page
    await clerk.open(f"/desk/disclosures/{disclosure}/edit")
    await page.get_by_label("逐笔收支第1行金额").fill("1,180.00")
    bank = page.locator('[data-grid="accounts"] tbody tr').filter(has=page.locator('input[value="银行存款"]'))
    closing = bank.locator('input[name$="closing_fen"]')
    assert await closing.input_value() == "18800.00"
    await closing.fill("18,820.00")
    await clerk.press("保存草稿")
    await clerk.sees("数字和已公开的一版不同，请写更正说明：改了什么、为什么改。")
    await clerk.shoot("14-correction-without-a-note")
    await clerk.press("提交")
    await clerk.sees("有没有说明的问题")
    await clerk.press("修改")
    await page.get_by_label("更正说明（随新的一版公开）").fill("人工费多记了20元，按收据改为1180元。")
    await clerk.press("保存草稿")
    await clerk.sees("更正说明：人工费多记了20元，按收据改为1180元。")
    assert await page.get_by_text("请写更正说明").count() == 0
    await clerk.press("提交")
    await clerk.sees("等待核对")


async def test_a_correction_says_what_changed_and_the_old_edition_stays(
    people: People, small_city: RunningCity
) -> None:
    wage = steps.paid("2026-03-12", "修水渠人工费", 120_000)
    disclosure = steps.drafted(small_city, CORRECTED, "2026-03", wage)
    steps.hand_in(small_city, CORRECTED, disclosure)
    steps.let_out(small_city, CORRECTED, disclosure)
    await correct_the_amount(await steps.clerk_of(people, CORRECTED), disclosure)
    villager = await people()
    await villager.open(f"/d/{disclosure}")
    assert await villager.page.get_by_text("1,180.00").count() == 0
    await steps.confirm(people, CORRECTED, disclosure)
    await steps.approve(await steps.reviewer_of(people), disclosure)
    await steps.reads(villager, f"/d/{disclosure}", "人工费多记了20元，按收据改为1180元。")
    changes = villager.page.locator("section").filter(has=villager.page.locator("#changes"))
    said = await changes.inner_text()
    assert "1,200.00" in said
    assert "1,180.00" in said
    await villager.shoot("15-corrected")
    await villager.open(f"/d/{disclosure}/1")
    await villager.sees("这是第1版，后来更正过。")
    await villager.sees("1,200.00")
    assert await villager.page.get_by_text("1,180.00").count() == 0
    await villager.shoot("16-first-edition")


async def test_a_waiver_is_read_with_its_reason_and_ends(people: People, small_city: RunningCity) -> None:
    reason = "误工补贴正在按镇里的新标准重新核算，核算完再公开。"
    clerk = await steps.clerk_of(people, WAIVED)
    task = clerk.page.get_by_role("row").filter(has_text="用工（误工、零工）明细").filter(has_text=months_ago(2))
    await task.get_by_role("link", name="申请不公开备案").click()
    await clerk.page.get_by_label("理由（公开）").fill(reason)
    await clerk.shoot("17-waiver-asked")
    await clerk.press("申请不公开备案")
    await clerk.sees("等待镇街决定")
    reviewer = await steps.reviewer_of(people)
    await reviewer.press("有 1 份申请等您决定")
    await reviewer.shoot("18-waiver-to-decide")
    asked = reviewer.page.get_by_role("row").filter(has_text=reason)
    await asked.get_by_role("button", name="同意备案").click()
    villager = await people()
    await steps.reads(villager, f"/v/{WAIVED}/F09", "不公开的（已备案，看理由）")
    await villager.sees(f"理由：{reason}")
    await villager.shoot("19-waiver-read")
    await steps.reads(villager, f"/v/{WAIVED}", f"理由：{reason}")
    await clerk.open("/desk")
    assert await task.count() == 0
    await asked.get_by_text("结束备案").first.click()
    await asked.get_by_label("原因").fill("新标准已经核定")
    await asked.get_by_role("button", name="结束备案").click()
    await reviewer.sees("已结束")
    await clerk.open("/desk")
    await task.get_by_role("link", name="录入").wait_for(timeout=5_000)
    steps.until(lambda: reason not in httpx2.get(f"{small_city.url}/v/{WAIVED}").text)


async def enter_alone(person: Person) -> str:
    """The only clerk of the township enters for a village and hands in."""
    await person.open(f"/desk/form?village={ALONE}&item=F09&period=2026-03")
    await person.page.get_by_label("名单第1行姓名").fill("王建国")
    await person.page.get_by_label("名单第1行金额").fill("300")
    await person.press("保存草稿")
    await person.press("提交")
    await person.sees("等待核对")
    return person.page.url.rsplit("/", 1)[-1]


async def test_who_works_alone_approves_by_the_paper_on_file_and_the_inspector_sees_it(
    people: People, small_city: RunningCity
) -> None:
    person = await steps.reviewer_of(people)
    disclosure = await enter_alone(person)
    await steps.confirm(people, ALONE, disclosure)
    await steps.approve(person, disclosure)
    await steps.reads(await people(), f"/d/{disclosure}", "王")
    inspector = await people()
    await inspector.sign_in(f"inspector-{TOWNSHIP}")
    row = inspector.page.get_by_role("row").filter(has_text="红旗村委会").filter(has_text="2026-03")
    for _ in range(40):
        await inspector.open("/inspect?rule=D10")
        if await row.count():
            break
    assert "提醒" in await row.inner_text()
    await inspector.shoot("20-one-person-alert")
    await row.get_by_role("link").first.click()
    await inspector.sees("委托文件：西海街道〔2026〕12号")
    await inspector.shoot("21-one-person-evidence")


def newcomer(city: RunningCity) -> dict[str, str]:
    """A second reviewer of the township, without any paper: the headers that sign them in."""
    name = f"{REVIEWER}-{secrets.token_hex(3)}"
    post = {"username": name, "name": "赵新来", "role": "reviewer", "scope": TOWNSHIP}
    told = call(city, "operator", "/registry/v1/staff", post, 201)["secrets"]
    own = {"username": name, "password": told["one_time_password"], "new_password": secrets.token_urlsafe(12)}
    own["totp"] = pyotp.TOTP(told["totp_secret"]).now()
    answer = httpx2.post(f"{city.url}/registry/v1/sign-in", json=own).raise_for_status()
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


async def test_a_reviewer_without_the_paper_is_told_that_another_has_to_approve(small_city: RunningCity) -> None:
    headers = newcomer(small_city)
    cell = {"village": ALONE, "item": "F09", "period": "2026-05"}
    url = f"{small_city.url}{DESK}"
    steps.until(lambda: httpx2.get(url, headers=headers).status_code == 200)
    made = httpx2.post(f"{url}/nil", json=cell, headers=headers).raise_for_status().json()
    httpx2.post(f"{url}/{made['id']}/submit", json={"version": 1, "accept": []}, headers=headers).raise_for_status()
    call(small_city, f"supervisor-{ALONE}", f"{DESK}/{made['id']}/confirm", {"version": 1})
    refused = httpx2.post(f"{url}/{made['id']}/approve", json={"version": 1}, headers=headers)
    assert refused.status_code == 403
    assert refused.json()["code"] == "same_person"
    assert refused.json()["detail"] == "同一个人不能既提交又核对或审核同一份内容。"
    call(small_city, REVIEWER, f"{DESK}/{made['id']}/approve", {"version": 1})


async def test_two_people_on_one_draft_see_the_difference_and_choose(people: People, small_city: RunningCity) -> None:
    body = steps.paid("2026-02-10", "买办公用纸", 8_000)
    draft = steps.drafted(small_city, SHARED, "2026-02", body)
    clerk, accountant = await steps.clerk_of(people, SHARED), await people()
    await accountant.sign_in(f"accountant-{TOWNSHIP}")
    for person in (clerk, accountant):
        await person.open(f"/desk/disclosures/{draft}/edit")
    await clerk.page.get_by_label("逐笔收支第1行摘要").fill("买办公用纸两箱")
    await clerk.press("保存草稿")
    await accountant.page.get_by_label("逐笔收支第1行摘要").fill("买打印纸")
    await accountant.press("保存草稿")
    await accountant.sees("已经保存了这一份的第 2 稿，您填的还没有保存。")
    difference = await accountant.page.get_by_role("row").filter(has_text="逐笔收支第 1 行").inner_text()
    assert "买办公用纸两箱" in difference
    assert "买打印纸" in difference
    await accountant.shoot("22-two-people")
    await accountant.press("用我填的，存为新的一版")
    await accountant.sees("第 3 稿")
    await accountant.sees("买打印纸")
    await clerk.page.reload()
    await clerk.sees("买打印纸")
    await steps.give_up(clerk, draft)
