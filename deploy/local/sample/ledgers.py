"""Made-up ledgers that look like real ones: wording, density and size of amounts as villages really have them.

Deterministic by seed, village and period. Each month opens with what the month before left. Amounts of spending lie
between 20 and 5,000 yuan with a mean of about 1,600; a month has 15 to 50 lines.
"""

import calendar
import random
from datetime import date
from typing import Any, Final, NamedTuple

SEED: Final = "gaizhou-1"
FEWEST_LINES: Final = 15
MOST_LINES: Final = 50
SMALLEST: Final = 20
LARGEST: Final = 5000
#: Exponent of the amounts' distribution: 20 + 4,980·r^2.15 has a mean of 1,601 yuan.
_SKEW: Final = 2.15
_CASH_LIMIT: Final = 1000


class Wording(NamedTuple):
    """How a line of a size is told: summary, category, kind of payee."""

    summary: str
    category: str
    payee: str


_SMALL: Final = (
    Wording("购红纸、墨汁", "管理费用", "shop"),
    Wording("购打印纸、稿纸", "管理费用", "shop"),
    Wording("付村部水费", "管理费用", "firm"),
    Wording("购拖把、水桶", "管理费用", "shop"),
    Wording("付办公室电话费", "管理费用", "firm"),
    Wording("购灯泡、插排", "管理费用", "shop"),
    Wording("付值班误餐补助", "管理费用", "person"),
    Wording("购公益岗手套、扫帚", "公益支出", "shop"),
)
_MIDDLE: Final = (
    Wording("付村部电费", "管理费用", "firm"),
    Wording("修村部水管", "管理费用", "shop"),
    Wording("付路灯电费", "公益支出", "firm"),
    Wording("付清运垃圾工时费", "公益支出", "person"),
    Wording("购路灯配件", "公益支出", "shop"),
    Wording("付扫雪误工补贴", "公益支出", "person"),
    Wording("付自来水泵维修费", "经营支出", "shop"),
    Wording("购防火宣传条幅", "管理费用", "shop"),
    Wording("付报刊费", "管理费用", "firm"),
)
_LARGE: Final = (
    Wording("付保洁员工资", "公益支出", "person"),
    Wording("修村内道路零星工程", "公益支出", "firm"),
    Wording("购水泥、砂石", "公益支出", "shop"),
    Wording("付清淤挖掘机台班费", "公益支出", "firm"),
    Wording("修花坛、边沟", "公益支出", "firm"),
    Wording("付机井维修费", "经营支出", "firm"),
    Wording("付护林员补助", "公益支出", "person"),
)
_INCOME: Final = (
    Wording("收机动地承包费", "经营收入", "person"),
    Wording("收果园承包费", "经营收入", "person"),
    Wording("收门市房租金", "经营收入", "firm"),
    Wording("收光伏发电收益", "投资收益", "firm"),
    Wording("收上级转移支付补助", "补助收入", "office"),
    Wording("收村级运转经费", "补助收入", "office"),
)
_SHOPS: Final = ("惠民五金店", "兴旺建材商店", "诚信超市", "大众文具店", "利民农资商店")
_FIRMS: Final = ("供电所", "自来水公司", "通达工程队", "通信营业厅", "顺达机械租赁站")
_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙马朱胡林郭何高罗"
_MALE_CHARS: Final = "国建志文德永春福海玉"


def months_before(period: str, count: int) -> str:
    """The month `count` months before: ("2026-01", 1) -> "2025-12"."""
    year, month = map(int, period.split("-"))
    place = year * 12 + month - 1 - count
    return f"{place // 12}-{place % 12 + 1:02}"


def ledger(village: str, period: str, first: str) -> dict[str, Any]:
    """A village's ledger of a month that adds up; `first` is the month in which its chain begins."""
    if period == first:
        random_one = random.Random(f"{SEED}:{village}:opening")  # noqa: S311 - made-up figures
        opening = {"cash": random_one.randrange(20_000, 300_000), "bank": random_one.randrange(30_000_000, 80_000_000)}
    else:
        before = ledger(village, months_before(period, 1), first)
        opening = {a["account"]: a["closing_fen"] for a in before["accounts"]}
    lines = _lines(random.Random(f"{SEED}:{village}:{period}"), period, opening)  # noqa: S311 - made-up figures
    closing = dict(opening)
    for line in lines:
        sign = 1 if line["direction"] == "in" else -1
        closing[line["account"]] += sign * line["amount_fen"]
        if "to_account" in line:
            closing[line["to_account"]] += line["amount_fen"]
    return {
        "kind": "ledger",
        "accounts": [{"account": a, "opening_fen": opening[a], "closing_fen": closing[a]} for a in opening],
        "lines": lines,
        "totals": {
            "income_fen": sum(x["amount_fen"] for x in lines if x["direction"] == "in"),
            "expense_fen": sum(x["amount_fen"] for x in lines if x["direction"] == "out"),
        },
    }


def _lines(dice: random.Random, period: str, opening: dict[str, int]) -> list[dict[str, Any]]:
    count = dice.randint(FEWEST_LINES, MOST_LINES)
    incomes = dice.randint(2, 4)
    spending = [_spending(dice) for _ in range(count - incomes - 1)]
    lines = [_income(dice) for _ in range(incomes)] + spending
    cash_needed = sum(x["amount_fen"] for x in spending if x["account"] == "cash")
    # Cash is drawn from the bank in whole hundreds of yuan, so that the till never runs dry.
    drawn = max(-(-(cash_needed - opening["cash"] + 50_000) // 10_000) * 10_000, 10_000)
    lines.append(_line("transfer", drawn, "bank", Wording("从银行提取备用现金", "内部划转", ""), to_account="cash"))
    year, month = map(int, period.split("-"))
    days = sorted(dice.randint(1, calendar.monthrange(year, month)[1]) for _ in lines)
    # The withdrawal comes first, then the others as they fell.
    ordered = [lines[-1], *dice.sample(lines[:-1], len(lines) - 1)]
    for number, (day, line) in enumerate(zip(days, ordered, strict=True), start=1):
        line["date"] = date(year, month, day).isoformat()
        line["voucher"] = {"word": "记", "no": number}
        _name_payee(dice, line)
    return ordered


def _spending(dice: random.Random) -> dict[str, Any]:
    yuan = SMALLEST + (LARGEST - SMALLEST) * dice.random() ** _SKEW
    fen = dice.choice((round(yuan) * 100, round(yuan * 2) * 50, round(yuan * 100)))
    wording = dice.choice(_SMALL if yuan < 300 else _MIDDLE if yuan < 1500 else _LARGE)  # noqa: PLR2004 - bands of wording
    return _line("out", fen, "cash" if yuan < _CASH_LIMIT and dice.random() < 0.7 else "bank", wording)  # noqa: PLR2004


def _income(dice: random.Random) -> dict[str, Any]:
    return _line("in", dice.randrange(500, 20_000) * 100, "bank", dice.choice(_INCOME))


def _line(direction: str, fen: int, account: str, wording: Wording, **more: Any) -> dict[str, Any]:
    line = {
        "summary": wording.summary,
        "direction": direction,
        "amount_fen": fen,
        "account": account,
        "category": wording.category,
        "payee": wording.payee,
        **more,
    }
    if direction == "out":
        line["method"] = "cash" if account == "cash" else "transfer"
    return line


def _name_payee(dice: random.Random, line: dict[str, Any]) -> None:
    match line["payee"]:
        case "shop":
            line["payee"] = dice.choice(_SHOPS)
        case "firm":
            line["payee"] = dice.choice(_FIRMS)
        case "person":
            line["payee"] = dice.choice(_SURNAMES) + "".join(dice.sample(_MALE_CHARS, 2))
        case "office":
            line["payee"] = "镇街财政所"
        case _:
            del line["payee"]
