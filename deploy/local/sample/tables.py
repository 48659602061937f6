"""Made-up tables: homesteads, insurance, debts, budget, assets, rents. Rows of unlike things are grouped, not added up."""

import random
from collections.abc import Sequence
from typing import Any, Final

from deploy.local.sample.people import day_in, person

Body = dict[str, Any]
#: The tenant of the village's shop rooms and the rent, as contract and ledger tell it.
TENANT: Final = "诚信超市"
RENT_FEN: Final = 1_200_000


def _column(key: str, name: str, kind: str = "text", unit: str | None = None) -> Body:
    return {"key": key, "name": name, "type": kind, **({"unit": unit} if unit else {})}


def _sums(columns: list[Body], rows: Sequence[list[Any]]) -> dict[str, int]:
    summed = [(n, c["key"]) for n, c in enumerate(columns) if c["type"] in {"amount", "count"}]
    return {key: sum(row[n] or 0 for row in rows) for n, key in summed}


def _table(
    title: str,
    columns: list[Body],
    rows: Sequence[list[Any]],
    checks: list[Body] | None = None,
    group_by: str | None = None,
) -> Body:
    made: Body = {"kind": "table", "title": title, "columns": columns, "rows": list(rows)}
    # Unlike rows have subtotals, and nothing is stated of all of them together.
    made |= {"group_by": group_by} if group_by else {"totals": _sums(columns, rows)}
    return {**made, "checks": checks} if checks else made


def homesteads(dice: random.Random, period: str) -> Body:
    """Applications for house plots."""
    columns = [
        _column("name", "申请人", "name"),
        _column("reason", "事由"),
        _column("area", "面积（平方米）", "quantity"),
    ]
    columns += [_column("day", "申请日期"), _column("result", "审核情况")]
    rows = [
        [
            person(dice),
            dice.choice(("翻建", "新建")),
            str(dice.choice((120, 150, 180))),
            day_in(dice, period).isoformat(),
            "镇街审核中",
        ]
        for _ in range(dice.randint(1, 4))
    ]
    return _table("宅基地申请", columns, rows)


def insured(dice: random.Random, _period: str) -> Body:
    """Who is insured and who got what, by kind: never added up over kinds."""
    columns = [_column("kind", "项目"), _column("people", "人数", "count", "人"), _column("amount", "金额", "amount")]
    # Fen a head: the year's contribution, three months' pension, three months of each allowance.
    kinds = (
        ("城乡居民医保参保", 40_000, 480, 560),
        ("城乡居民养老金发放", 48_000, 180, 240),
        ("残疾人两项补贴发放", 33_000, 18, 30),
        ("困境儿童保障发放", 360_000, 1, 3),
    )
    rows: list[list[object]] = []
    for name, each, fewest, most in kinds:
        people = dice.randint(fewest, most)
        rows.append([name, people, people * each])
    made = _table("参保、补助的人数和金额", columns, rows)
    # People of one scheme are counted again in another: no total is stated over kinds.
    del made["totals"]
    return made


def debts(dice: random.Random, _period: str) -> Body:
    """What is owed to the village and by it."""
    columns = [_column("kind", "债权或债务"), _column("name", "对方", "name"), _column("reason", "事由")]
    columns += [_column("opening", "期初", "amount"), _column("plus", "本期增加", "amount")]
    columns += [_column("minus", "本期减少", "amount"), _column("closing", "期末", "amount")]
    rows = []
    for _ in range(dice.randint(2, 5)):
        opening, plus = dice.randrange(0, 5_000_000, 1_000), dice.randrange(0, 500_000, 1_000)
        minus = dice.randrange(0, opening + plus + 1, 1_000)
        kind, reason = dice.choice((("债权", "欠交承包费"), ("债务", "工程尾款"), ("债权", "借支未还")))
        rows.append([kind, person(dice), reason, opening, plus, minus, opening + plus - minus])
    checks = [{"plus": ["opening", "plus"], "minus": ["minus"], "equals": "closing"}]
    return _table("债权债务明细", columns, sorted(rows, key=lambda r: str(r[0])), checks, group_by="kind")


def budget(dice: random.Random, _period: str) -> Body:
    """The year's budget beside last year's account."""
    columns = [_column("way", "收入或支出"), _column("name", "项目")]
    columns += [_column("planned", "本年预算", "amount"), _column("last", "上年决算", "amount")]
    names = (
        *(("收入", n) for n in ("经营收入", "补助收入", "投资收益")),
        *(("支出", n) for n in ("管理费用", "公益支出", "经营支出")),
    )
    rows: list[list[object]] = []
    for way, name in names:
        last = dice.randrange(4_000_000, 24_000_000, 10_000)
        rows.append([way, name, last * dice.randint(95, 112) // 100 // 10_000 * 10_000, last])
    return _table("年度预算与上年决算", columns, rows, group_by="way")


def assets(dice: random.Random, _period: str) -> Body:
    """What the village owns."""
    columns = [_column("name", "资产、资源"), _column("place", "坐落"), _column("amount", "数量", "quantity")]
    columns += [_column("unit", "单位"), _column("value", "账面值", "amount"), _column("use", "使用情况")]
    rows: list[list[Any]] = [
        ["村部办公房", "村部", "260", "平方米", dice.randrange(10_000_000, 40_000_000, 100_000), "自用"],
        ["机动地", "村东", str(dice.randint(20, 90)), "亩", None, "发包"],
        ["机井", "村南", str(dice.randint(2, 6)), "眼", dice.randrange(2_000_000, 8_000_000, 100_000), "自用"],
        ["光伏电站", "村部屋顶", "1", "座", dice.randrange(20_000_000, 40_000_000, 100_000), "收益归集体"],
    ]
    return _table("资产、资源台账", columns, rows)


def rents(dice: random.Random, _period: str) -> Body:
    """Rents due, paid and owed."""
    columns = [_column("name", "承包人、承租人", "name"), _column("subject", "标的"), _column("due", "应交", "amount")]
    columns += [_column("paid", "已交", "amount"), _column("owed", "欠交", "amount")]
    rows = []
    for _ in range(dice.randint(3, 8)):
        due = dice.randrange(50_000, 1_500_000, 5_000)
        paid = dice.choice((due, due, due // 2))
        rows.append([person(dice), dice.choice(("机动地", "果园", "水塘")), due, paid, due - paid])
    rows.append([TENANT, "村部东侧门市房", RENT_FEN, RENT_FEN, 0])
    return _table("承包费、租金收缴", columns, rows, [{"plus": ["due"], "minus": ["paid"], "equals": "owed"}])
