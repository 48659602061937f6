"""An accountant's own spreadsheets, counted in presses: forty lines to submitted, a township of one file."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import xlsxwriter

from tests.browser import steps
from tests.browser.conftest import People, Person
from tests.browser.steps import TOWNSHIP
from tests.running import RunningCity

#: A month that nobody else's story needs.
MONTH = (2023, 5)


@dataclass
class Presses:
    """A person whose presses are counted, choosing a file or an option among them."""

    person: Person
    count: int = 0
    told: list[str] = field(default_factory=list)

    async def press(self, name: str) -> None:
        self.count += 1
        self.told.append(name)
        await (
            self.person.page.get_by_role("button", name=name)
            .or_(self.person.page.get_by_role("link", name=name))
            .first.click()
        )

    async def choose_file(self, name: str, content: bytes) -> None:
        self.count += 2  # the field, and the file in the window that opens
        file: Any = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        await self.person.page.get_by_label("账表文件").set_input_files(file)


def journal(villages: Sequence[str], lines: int) -> bytes:
    """A bank journal as a program writes it, a sheet for each village: title, carried balance, lines, sums, signatures."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    dated = book.add_format({"num_format": "yyyy-mm-dd"})
    for village in villages:
        sheet = book.add_worksheet(village)
        sheet.merge_range(0, 0, 0, 6, f"{village}银行存款日记账")
        sheet.write_row(1, 0, [f"编制单位：{village}", "", "", "{}年{}月".format(*MONTH), "", "", "单位：元"])
        sheet.write_row(2, 0, ["日期", "凭证字号", "摘要", "收入", "支出", "余额", "经手人"])
        sheet.write_row(3, 0, ["", "", "上月结转", "", "", 10000])
        left = 10000.0
        for n in range(lines):
            left -= 12.5
            sheet.write_datetime(4 + n, 0, date(*MONTH, 1 + n % 28), dated)
            sheet.write_row(4 + n, 1, [f"记-{n + 1}", f"付第{n + 1}次电费", "", 12.5, left, "某经手"])
        end = 4 + lines
        sheet.write_row(end, 0, ["", "", "本月合计", 0, 12.5 * lines, left])
        sheet.write_row(end + 1, 0, ["会计：", "", "审核：", "", "", "负责人：", ""])
    book.close()
    return out.getvalue()


async def test_forty_lines_are_submitted_with_eight_presses(people: People) -> None:
    village = f"{TOWNSHIP}206"
    clerk = Presses(await steps.clerk_of(people, village))
    await clerk.person.open("/desk")
    await clerk.press("一键导入")
    await clerk.choose_file("五月.xlsx", journal(["西海村"], 40))
    await clerk.press("上传并核对")
    await clerk.person.sees("带入草稿（1 份，40 行）")
    await clerk.person.sees("相符")
    await clerk.person.shoot("60-workbook-phone")
    await clerk.press("带入草稿（1 份，40 行）")
    await clerk.person.sees("导入结果")
    await clerk.press("提交没有问题的 1 份")
    await clerk.person.sees("等待核对")
    await clerk.person.shoot("61-workbook-submitted")
    assert clerk.count <= 8, clerk.told


async def test_a_townships_villages_of_one_file_are_submitted_with_five_presses(
    people: People, small_city: RunningCity
) -> None:
    names = [
        v["name"].removesuffix("委会") for v in steps.get(small_city, f"/api/v1/villages?township={TOWNSHIP}")["items"]
    ]
    chosen = [n for n in names if n != "西海村"]
    accountant = Presses(await people())
    await accountant.person.page.set_viewport_size({"width": 1366, "height": 768})
    await accountant.person.sign_in(f"accountant-{TOWNSHIP}")
    await accountant.person.open("/desk/imports")
    await accountant.choose_file("全镇.xlsx", journal(chosen, 5))
    await accountant.press("上传并核对")
    await accountant.person.sees(f"带入草稿（{len(chosen)} 份，{5 * len(chosen)} 行）")
    await accountant.person.shoot("62-workbook-villages")
    await accountant.press("带入草稿")
    await accountant.press(f"提交没有问题的 {len(chosen)} 份")
    await accountant.person.sees("等待核对")
    await accountant.person.shoot("63-workbook-villages-submitted")
    assert await accountant.person.page.get_by_text("等待核对").count() == len(chosen)
    assert accountant.count == 5, accountant.told


async def test_what_is_asked_and_what_is_wrong_fit_on_a_phone(people: People) -> None:
    clerk = Presses(await steps.clerk_of(people, f"{TOWNSHIP}206"))
    await clerk.person.open("/desk/imports")
    text = "日期,摘要,收入,支出,余额\n,上期结转,,,100\n4月3日,付电费,,二十元,80\n4月31日,付水费,,5,75\n"
    await clerk.choose_file("四月.csv", text.encode("gb18030"))
    await clerk.press("上传并核对")
    await clerk.person.sees("文件里的日期没有年份，请选是哪一年")
    await clerk.person.shoot("64-workbook-asks")
    await clerk.person.page.get_by_label("文件里的日期没有年份，请选是哪一年").select_option("2024")
    await clerk.press("全部是库存现金")
    await clerk.person.sees("第 3 行 D 列“支出”：“二十元”不对")
    await clerk.person.sees("没有 4月31日 这一天")
    await clerk.person.shoot("65-workbook-faults")
    width = await clerk.person.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360
    await clerk.press("不导入了，删去这个文件")
    await clerk.person.sees("上传并核对")
