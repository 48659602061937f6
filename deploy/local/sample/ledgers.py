"""Made-up ledgers that look like real ones: wording, density and size of amounts as villages really have them.

Deterministic by seed, village and period. Each month opens with what the month before left. Amounts of spending lie
between 20 and 5,000 yuan with a mean of about 1,600; a month has 15 to 50 lines.
"""

import calendar
import random
from datetime import date
from functools import lru_cache
from typing import Any, Final, NamedTuple

from deploy.local.sample.people import SEED, person

FEWEST_LINES: Final = 15
MOST_LINES: Final = 50
SMALLEST: Final = 20
LARGEST: Final = 5000
#: Exponent of the amounts' distribution: 20 + 4,980·r^2.15 has a mean of 1,601 yuan.
_SKEW: Final = 2.15
_CASH_LIMIT: Final = 1000
#: Of the smaller payments.
_IN_CASH: Final = 0.7


#: Some person of the village.
PERSON: Final = ("",)


class Wording(NamedTuple):
    """How a line of a size is told: summary, category, and who is paid: one of these, or some person of the village."""

    summary: str
    category: str
    payees: tuple[str, ...] = PERSON


_POWER: Final = ("国网盖州市供电分公司",)
_WATER: Final = ("盖州市自来水公司",)
_PAPER: Final = ("大众文具店",)
_TOOLS: Final = ("惠民五金店",)
_GOODS: Final = ("诚信超市",)
_STONE: Final = ("兴旺建材商店",)
_PUMPS: Final = ("利民水泵修理部",)
_WORKS: Final = ("通达工程队",)
_DIGGER: Final = ("顺达机械租赁站",)
_CLEAN: Final = ("洁美保洁服务队",)
_OFFICE: Final = ("镇街财政所",)
_SMALL: Final = (
    Wording("购红纸、墨汁", "管理费用", _PAPER),
    Wording("购打印纸、稿纸", "管理费用", _PAPER),
    Wording("付村部水费", "管理费用", _WATER),
    Wording("购拖把、水桶", "管理费用", _GOODS),
    Wording("付办公室电话费", "管理费用", ("中国联通盖州营业厅",)),
    Wording("购灯泡、插排", "管理费用", _TOOLS),
    Wording("付值班误餐补助", "管理费用"),
    Wording("购公益岗手套、扫帚", "公益支出", _GOODS),
)
_MIDDLE: Final = (
    Wording("付村部电费", "管理费用", _POWER),
    Wording("修村部水管", "管理费用", _TOOLS),
    Wording("付路灯电费", "公益支出", _POWER),
    Wording("付垃圾清运费", "公益支出", _CLEAN),
    Wording("购路灯配件", "公益支出", _TOOLS),
    Wording("付自来水泵维修费", "经营支出", _PUMPS),
    Wording("购防火宣传条幅", "管理费用", ("彩虹广告部",)),
    Wording("付报刊费", "管理费用", ("盖州市邮政支局",)),
)
_LARGE: Final = (
    Wording("付保洁服务费", "公益支出", _CLEAN),
    Wording("修村内道路零星工程", "公益支出", _WORKS),
    Wording("购水泥、砂石", "公益支出", _STONE),
    Wording("付清淤挖掘机台班费", "公益支出", _DIGGER),
    Wording("修花坛、边沟", "公益支出", _WORKS),
    Wording("付机井维修费", "经营支出", _PUMPS),
    Wording("付护林员补助", "公益支出"),
)
_INCOME: Final = (
    Wording("收机动地承包费", "经营收入"),
    Wording("收果园承包费", "经营收入"),
    Wording("收光伏发电收益", "投资收益", _POWER),
    Wording("收上级转移支付补助", "补助收入", _OFFICE),
    Wording("收村级运转经费", "补助收入", _OFFICE),
)
_DRAWN: Final = Wording("从银行提取备用现金", "内部划转", ())
#: From this amount on a line needs the approval of the village's head.
_APPROVED_FROM: Final = 100_000


def months_before(period: str, count: int) -> str:
    """The month `count` months before: ("2026-01", 1) -> "2025-12"."""
    year, month = map(int, period.split("-"))
    place = year * 12 + month - 1 - count
    return f"{place // 12}-{place % 12 + 1:02}"


class Extra(NamedTuple):
    """A line that another disclosure of the village speaks of: a project's payment, a rent, the labour roster's sum."""

    month: str
    direction: str
    amount_fen: int
    summary: str
    category: str
    payee: str | None = None
    resolution: str | None = None


Extras = tuple[Extra, ...]


@lru_cache(maxsize=1024)
def _balances(village: str, period: str, first: str, extras: Extras) -> tuple[tuple[str, int], ...]:
    """What the accounts hold when a month ends; each month is made once, however long the chain is."""
    accounts = ledger(village, period, first, extras)["accounts"]
    return tuple((a["account"], a["closing_fen"]) for a in accounts)


def ledger(village: str, period: str, first: str, extras: Extras = ()) -> dict[str, Any]:
    """A village's ledger of a month that adds up; `first` is the month in which its chain begins."""
    if period == first:
        random_one = random.Random(f"{SEED}:{village}:opening")  # noqa: S311 - made-up figures
        opening = {"cash": random_one.randrange(20_000, 300_000), "bank": random_one.randrange(30_000_000, 80_000_000)}
    else:
        opening = dict(_balances(village, months_before(period, 1), first, extras))
    own = [x for x in extras if x.month == period]
    lines = _lines(random.Random(f"{SEED}:{village}:{period}"), village, period, opening, own)  # noqa: S311 - made-up figures
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


def _lines(
    dice: random.Random, village: str, period: str, opening: dict[str, int], extras: list[Extra]
) -> list[dict[str, Any]]:
    count = dice.randint(FEWEST_LINES, MOST_LINES - len(extras))
    incomes = dice.randint(2, 4)
    # What comes in keeps step with what goes out over the years, so that a village neither starves nor hoards.
    spending = [_spending(dice) for _ in range(count - incomes - 1)]
    spent = sum(x["amount_fen"] for x in spending)
    lines = [_income(dice, spent // incomes) for _ in range(incomes)] + spending + [_extra(x) for x in extras]
    cash_needed = sum(x["amount_fen"] for x in spending if x["account"] == "cash")
    # Cash is drawn from the bank in whole hundreds of yuan, so that the till never runs dry.
    drawn = max(-(-(cash_needed - opening["cash"] + 50_000) // 10_000) * 10_000, 10_000)
    lines.append(_line("transfer", drawn, "bank", _DRAWN, to_account="cash"))
    year, month = map(int, period.split("-"))
    days = sorted(dice.randint(1, calendar.monthrange(year, month)[1]) for _ in lines)
    # The withdrawal comes first, then the others as they fell.
    ordered = [lines[-1], *dice.sample(lines[:-1], len(lines) - 1)]
    for number, (day, line) in enumerate(zip(days, ordered, strict=True), start=1):
        line["date"] = date(year, month, day).isoformat()
        line["voucher"] = {"word": "记", "no": number}
        _name_people(dice, village, line)
    return ordered


def _extra(x: Extra) -> dict[str, Any]:
    line = _line(x.direction, x.amount_fen, "bank", Wording(x.summary, x.category, (x.payee,) if x.payee else ()))
    if x.resolution is not None:
        line["resolution_id"] = x.resolution
    return line


def _spending(dice: random.Random) -> dict[str, Any]:
    yuan = SMALLEST + (LARGEST - SMALLEST) * dice.random() ** _SKEW
    fen = dice.choice((round(yuan) * 100, round(yuan * 2) * 50, round(yuan * 100)))
    wording = dice.choice(_SMALL if yuan < 300 else _MIDDLE if yuan < 1500 else _LARGE)  # noqa: PLR2004 - bands of wording
    return _line("out", fen, "cash" if yuan < _CASH_LIMIT and dice.random() < _IN_CASH else "bank", wording)


def _income(dice: random.Random, about_fen: int) -> dict[str, Any]:
    fen = max(about_fen * dice.randint(60, 145) // 100 // 100 * 100, 50_000)
    return _line("in", fen, "bank", dice.choice(_INCOME))


def _line(direction: str, fen: int, account: str, wording: Wording, **more: object) -> dict[str, Any]:
    line = {
        "summary": wording.summary,
        "direction": direction,
        "amount_fen": fen,
        "account": account,
        "category": wording.category,
        "payee": wording.payees,
        **more,
    }
    if direction == "out":
        line["method"] = "cash" if account == "cash" else "transfer"
    return line


def _name_people(dice: random.Random, village: str, line: dict[str, Any]) -> None:
    """Say who was paid, who handled it, and from a thousand yuan on who approved it."""
    payees: tuple[str, ...] = line.pop("payee")
    if payees:
        line["payee"] = dice.choice(payees) or person(dice)
    if line["direction"] == "transfer":
        return
    line["handler"] = person(random.Random(f"{SEED}:{village}:handler"))  # noqa: S311 - a made-up name
    if line["direction"] == "out" and line["amount_fen"] >= _APPROVED_FROM:
        line["approver"] = person(random.Random(f"{SEED}:{village}:head"))  # noqa: S311 - a made-up name
        line["approver_role"] = "村委会主任"
