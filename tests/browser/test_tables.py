"""A real table goes all the way: typed in ten thousands of yuan with a total that is wrong, read by villagers as it is."""

from tests.browser import steps
from tests.browser.conftest import People, Person
from tests.browser.steps import TOWNSHIP
from tests.disclosures import sheet
from tests.running import RunningCity

VILLAGE = TOWNSHIP + "210"
FORM = f"/desk/form?village={VILLAGE}&item=V17&period=2025Q4"
COLUMNS = (("年度", "text", ""), ("重建", "count", "户"), ("修缮", "count", "户"), ("补助", "amount", "万元"))


async def name_the_columns(clerk: Person) -> None:
    """The clerk makes the form's columns those of the table."""
    page = clerk.page
    await page.get_by_text("改动表格的列").click()
    for n, (name, kind, unit) in enumerate(COLUMNS, start=1):
        await page.get_by_label(f"列第{n}行列名").fill(name)
        await page.get_by_label(f"列第{n}行填什么").select_option(kind)
        await page.get_by_label(f"列第{n}行单位").fill(unit)
    await clerk.press("按新的列显示")


async def type_the_rows(clerk: Person) -> None:
    labels = [f"{name}（{unit}）" if unit else name for name, _, unit in COLUMNS]
    for n, row in enumerate(sheet("text-jifei")[1:], start=1):
        for label, text in zip(labels, row, strict=True):
            await clerk.page.get_by_label(f"内容第{n}行{label}", exact=True).fill(text)


async def test_428_households_and_ten_thousands_of_yuan_are_read_as_the_village_wrote_them(
    people: People, small_city: RunningCity
) -> None:
    clerk = await steps.clerk_of(people, VILLAGE)
    await clerk.open(FORM)
    await name_the_columns(clerk)
    await type_the_rows(clerk)
    await clerk.shoot("60-table-typed")
    await clerk.press("保存草稿")
    await clerk.sees("第 5 行“合计”的“重建”写的是 428 户，上面各行相加是 550 户，请核对。")
    assert await clerk.page.get_by_text("请核对。").count() == 2  # in the list, and at its row
    await clerk.page.get_by_label("如果确实如此，请写明原因").fill("原件如此，已去函询问")
    await clerk.press("提交")
    await clerk.sees("等待核对")
    disclosure = clerk.page.url.rsplit("/", 1)[-1]
    await steps.confirm(people, VILLAGE, disclosure)
    await steps.approve(await steps.reviewer_of(people), disclosure)
    villager = await people()
    await steps.reads(villager, f"/d/{disclosure}", "4,828,700.00元（填的是482.87万元）")
    for words in ("428", "550", "原件如此，已去函询问", "2,429,100.00元（填的是242.91万元）"):
        await villager.sees(words)
    await villager.shoot("61-table-read")
    answer = steps.get(small_city, f"/api/v1/disclosures/{disclosure}")
    (wrong,) = [c for c in answer["checks"] if not c["ok"]]
    assert (wrong["code"], wrong["stated"], wrong["computed"], wrong["unit"]) == ("table.total", 428, 550, "户")
    assert wrong["reason"] == "原件如此，已去函询问"
    assert answer["body"]["rows"][4] == ["合计(原文)", 428, 50, 482_870_000]
