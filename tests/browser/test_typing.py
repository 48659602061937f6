"""A clerk's month of 40 lines, typed by keyboard alone: how many keys it takes, and how long a person needs by KLM.

Every key that goes into the browser is pressed there and counted. Chinese cannot be typed without an input method: what is
new is put in whole and counted as the pinyin that is typed for it and one key to choose, for each of its phrases.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from playwright.async_api import Browser, Page
from pypinyin import lazy_pinyin

from tests import builders
from tests.browser.conftest import SHOTS
from tests.browser.test_desk import DeskSite, opened, site
from tests.ingest.test_pages import CLERK, PATH

__all__ = ["site"]
#: Card, Moran and Newell's keystroke-level model: a key of somebody who types neither well nor badly, and making up one's
#: mind before a piece of input. Nobody takes the mouse; machine time is what the run takes itself and nobody waits for.
KEY_S: Final = 0.28
MIND_S: Final = 1.35
#: What a village's clerk should need at most.
MOST_KEYS: Final = 2_000
MOST_MINUTES: Final = 6.0

FORM: Final = f"/desk/form?village={builders.VILLAGE}&item=F01&period=2026-08"
#: The months before: summary, direction, category, payee. Most of a month is what comes every month.
USUAL: Final = (
    ("付村部电费", "out", "管理费用", "县供电公司"),
    ("付路灯电费", "out", "公益支出", "县供电公司"),
    ("付保洁服务费", "out", "公益支出", "洁美保洁队"),
    ("付垃圾清运费", "out", "公益支出", "洁美保洁队"),
    ("付护林员补助", "out", "公益支出", None),
    ("付通信费", "out", "管理费用", "通信营业厅"),
    ("付报刊费", "out", "管理费用", "邮政支局"),
    ("购办公用品", "out", "管理费用", "惠民文具店"),
    ("购水泥、砂石", "out", "公益支出", "兴旺建材商店"),
    ("修村部水管", "out", "管理费用", "惠民五金店"),
    ("购路灯配件", "out", "公益支出", "惠民五金店"),
    ("付机井维修费", "out", "经营支出", "农机水泵修理部"),
    ("付自来水泵维修费", "out", "经营支出", "农机水泵修理部"),
    ("收机动地承包费", "in", "经营收入", None),
    ("收果园承包费", "in", "经营收入", None),
    ("收光伏发电收益", "in", "投资收益", "县供电公司"),
    ("收村级运转经费", "in", "补助收入", "镇财政所"),
    ("修花坛、边沟", "out", "公益支出", "顺达工程队"),
)


class Line(NamedTuple):
    """A line as it lies before the clerk. `sound`: what is typed of a usual summary; new ones have category and payee."""

    day: int
    summary: str
    amount: str
    sound: str = ""
    phrases: Sequence[str] = ()
    payee: Sequence[str] = ()
    category: str = ""


def new(day: int, phrases: str, amount: str, category: str, payee: str) -> Line:
    """A line that no month had before; its phrases as an input method takes them."""
    words = phrases.split()
    return Line(day, "".join(words), amount, phrases=words, payee=payee.split(), category=category)


MONTH: Final = (
    Line(3, "付村部电费", "412.6", "cbd"),
    Line(3, "付路灯电费", "1280.35", "ldd"),
    Line(3, "付通信费", "189", "ftx"),
    Line(3, "付报刊费", "96.5", "bk"),
    Line(5, "付保洁服务费", "3200", "bjf"),
    Line(5, "付垃圾清运费", "1850", "ljq"),
    Line(5, "收村级运转经费", "12000", "cjy"),
    new(6, "购 灭火器", "640", "glfy", "安泰 消防 器材店"),
    Line(6, "购办公用品", "238.4", "bgy"),
    Line(7, "修村部水管", "215", "xcb"),
    Line(7, "购路灯配件", "356.8", "gld"),
    Line(7, "付机井维修费", "980", "fjj"),
    Line(10, "购水泥、砂石", "4208.15", "gsn"),
    Line(10, "付护林员补助", "1500", "hly"),
    Line(10, "付护林员补助", "1500", "hly"),
    Line(10, "付护林员补助", "1500", "hly"),
    new(11, "修 文化 广场 座椅", "870", "gyzc", "顺达 工程队"),
    Line(11, "收机动地承包费", "2400", "jdd"),
    Line(11, "收机动地承包费", "1800", "jdd"),
    Line(12, "收果园承包费", "6500", "sgy"),
    Line(12, "付自来水泵维修费", "460", "zls"),
    Line(12, "购路灯配件", "128", "gld"),
    Line(14, "修花坛、边沟", "2150", "xht"),
    Line(14, "购水泥、砂石", "1320.5", "gsn"),
    new(14, "付 防汛 沙袋 款", "1150", "gyzc", "兴旺 建材 商店"),
    Line(17, "付保洁服务费", "800", "bjf"),
    Line(17, "付垃圾清运费", "450", "ljq"),
    Line(17, "修村部水管", "88", "xcb"),
    Line(19, "收光伏发电收益", "3268.77", "gff"),
    new(19, "购 会议室 投影仪", "2699", "glfy", "惠民 文具店"),
    Line(20, "购办公用品", "67.3", "bgy"),
    Line(20, "付机井维修费", "320", "fjj"),
    Line(21, "收果园承包费", "4200", "sgy"),
    Line(21, "付护林员补助", "1500", "hly"),
    new(24, "付 重阳节 慰问品", "1980", "gyzc", "惠民 超市"),
    Line(24, "购路灯配件", "75", "gld"),
    Line(26, "付村部电费", "36.2", "cbd"),
    Line(26, "修花坛、边沟", "640", "xht"),
    new(28, "付 账本 印刷 费", "260", "glfy", "彩虹 广告部"),
    Line(28, "付通信费", "50", "ftx"),
)


class Typist:
    """Somebody at a keyboard; counts the keys, and how often the mind is made up."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.keys = 0
        self.minds = 0

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)
        self.keys += len(keys)

    async def type(self, text: str) -> None:
        """Something that is read from the paper first."""
        await self.page.keyboard.type(text)
        self.keys += len(text)
        self.minds += 1

    async def write(self, phrases: Sequence[str]) -> None:
        """Chinese by an input method: the pinyin of each phrase and a key to choose it."""
        for phrase in phrases:
            await self.page.keyboard.insert_text(phrase)
            self.keys += len("".join(lazy_pinyin(phrase))) + 1
        self.minds += 1

    @property
    def minutes(self) -> float:
        """What a person needs, by KLM."""
        return (self.keys * KEY_S + self.minds * MIND_S) / 60


async def type_line(typist: Typist, line: Line, before: int) -> None:
    """From the cell of the day to the Enter behind it."""
    if line.day != before:
        await typist.type(str(line.day))
    await typist.press("Tab")
    if line.sound:
        await typist.type(line.sound)
        await typist.press("Enter")
        await typist.type(line.amount)
        if not before:
            # The month's first voucher; those behind it follow.
            await typist.press(*["Tab"] * 6)
            await typist.type("1")
    else:
        await typist.write(line.phrases)
        await typist.press("Tab", "Tab")
        await typist.type(line.amount)
        # Past the accounts, which are proposed.
        await typist.press("Tab", "Tab", "Tab")
        await typist.type(line.category)
        await typist.press("Enter")
        await typist.write(line.payee)
    await typist.press("Enter")


async def test_forty_lines_take_six_minutes_and_two_thousand_keys_at_most(browser: Browser, site: DeskSite) -> None:
    await earlier_month(site)
    page = await opened(browser, site, FORM, CLERK, width=1366)
    typist = Typist(page)
    # The last Tab out of the accounts of the month before leads into the first line.
    await page.locator('[name="lines.0.date"]').focus()
    before = 0
    for line in MONTH:
        await type_line(typist, line, before)
        before = line.day
    await page.screenshot(path=SHOTS / "typed-month.png")
    await page.locator('[name="accounts.0.closing_fen"]').focus()
    await typist.press("ArrowRight", "Enter", "ArrowRight")
    await page.locator('.foot button[value="save"]').focus()
    await typist.press("Enter")
    await page.get_by_text("第 1 稿").first.wait_for(state="visible", timeout=20_000)
    told = f"{typist.keys} keys, {typist.minds} decisions, {typist.minutes:.1f} minutes\n"
    (SHOTS / "typed-month.txt").write_text(told, "utf-8")
    assert typist.keys <= MOST_KEYS
    assert typist.minutes <= MOST_MINUTES
    await as_on_paper(site, page.url)


async def earlier_month(site: DeskSite) -> None:
    """What the village entered for July."""
    lines: list[dict[str, Any]] = [
        {
            "date": "2026-07-08",
            "summary": summary,
            "direction": direction,
            "amount_fen": 100_00,
            "account": "bank",
            "category": category,
            **({"payee": payee} if payee else {}),
            "voucher": {"word": "记", "no": n + 1},
        }
        for n, (summary, direction, category, payee) in enumerate(USUAL)
    ]
    gone = sum(x["amount_fen"] if x["direction"] == "in" else -x["amount_fen"] for x in lines)
    accounts = [
        {"account": "cash", "opening_fen": 0, "closing_fen": 0},
        {"account": "bank", "opening_fen": 5_000_000, "closing_fen": 5_000_000 + gone},
    ]
    body = {"kind": "ledger", "accounts": accounts, "lines": lines}
    told = builders.disclosure(period="2026-07", body=body)
    made = await site.served.client.post(PATH, json=told, headers=site.served.bearer(CLERK))
    assert made.status_code == 201, made.text


async def as_on_paper(site: DeskSite, url: str) -> None:
    """Every line was kept as it lay before the clerk, with what was proposed beside it."""
    answer = await site.served.client.get(f"{PATH}/{url.rsplit('/', 1)[-1]}", headers=site.served.bearer(CLERK))
    body: dict[str, Any] = answer.json()["body"]
    usual: dict[str, tuple[str, str, str | None]] = {
        summary: (direction, category, payee) for summary, direction, category, payee in USUAL
    }
    assert len(body["lines"]) == len(MONTH)
    assert [x["voucher"] for x in body["lines"]] == [{"word": "记", "no": n + 1} for n in range(len(MONTH))]
    for line, on_paper in zip(body["lines"], MONTH, strict=True):
        direction, category, payee = usual.get(on_paper.summary, ("out", None, "".join(on_paper.payee)))
        assert (line["date"], line["summary"]) == (f"2026-08-{on_paper.day:02}", on_paper.summary)
        assert line["amount_fen"] == round(float(on_paper.amount) * 100)
        assert (line["direction"], line.get("payee"), line["account"]) == (direction, payee, "bank")
        assert category is None or line["category"] == category
    opening = {a["account"]: a["opening_fen"] for a in body["accounts"]}
    moved = sum(x["amount_fen"] if x["direction"] == "in" else -x["amount_fen"] for x in body["lines"])
    assert {a["account"]: a["closing_fen"] for a in body["accounts"]} == {
        "cash": opening["cash"],
        "bank": opening["bank"] + moved,
    }
