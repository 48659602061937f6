"""Made-up content for every item of the catalogue but the monthly ledger: worded and sized as villages really do.

Deterministic by seed, item, village and period. Every body adds up; faults are planted elsewhere.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from services.contracts.values import period_bounds

from deploy.local.sample.ledgers import SEED

_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙马朱胡林郭何高罗"
_GIVEN: Final = "国建志文德永春福海玉秀英兰芳军勇"
_GROUPS: Final = ("一组", "二组", "三组", "四组")
Body = dict[str, Any]


def body_of(item: str, village: str, period: str) -> Body:
    """Content of an item that adds up."""
    dice = random.Random(f"{SEED}:{item}:{village}:{period}")  # noqa: S311 - made-up figures
    return _BUILDERS[item](dice, period)


def _name(dice: random.Random) -> str:
    return dice.choice(_SURNAMES) + "".join(dice.sample(_GIVEN, 2))


def _day(dice: random.Random, period: str) -> date:
    first, last = period_bounds(period)
    return first + timedelta(days=dice.randint(0, (last - first).days))


def _quarter_words(period: str) -> str:
    first, last = period_bounds(period)
    return (
        f"{first.year}年{first.month}月至{last.month}月"
        if first != last
        else f"{first.year}年{first.month}月{first.day}日"
    )


# -- rosters ------------------------------------------------------------------------------------------------------


def _roster(entries: list[dict[str, Any]], standard: str, *, people: bool = False) -> Body:
    totals: dict[str, int] = {"entries": len(entries)}
    if any("amount_fen" in e for e in entries):
        totals["amount_fen"] = sum(e.get("amount_fen", 0) for e in entries)
    if people:
        totals["people"] = sum(e["household_size"] for e in entries)
    return {"kind": "roster", "standard": standard, "entries": entries, "totals": totals}


def _households(dice: random.Random, count: int, fen_each: int, standard: str) -> Body:
    entries = []
    for _ in range(count):
        size = dice.randint(1, 4)
        entry = {
            "name": _name(dice),
            "group": dice.choice(_GROUPS),
            "household_size": size,
            "amount_fen": size * fen_each,
        }
        entries.append(entry)
    return _roster(entries, standard, people=True)


def _labour(dice: random.Random, _period: str) -> Body:
    entries = []
    for _ in range(dice.randint(4, 14)):
        halves, rate = dice.randint(1, 16), dice.choice((10_000, 12_000, 15_000))
        entries.append(
            {
                "name": _name(dice),
                "group": dice.choice(_GROUPS),
                "category": dice.choice(("清扫", "清淤", "扫雪", "修路", "绿化")),
                "days": f"{halves // 2}.5" if halves % 2 else str(halves // 2),
                "rate_fen": rate,
                "amount_fen": halves * rate // 2,
            }
        )
    return _roster(entries, "零工每工 100 至 150 元，按实际出工计算")


def _pay(dice: random.Random, _period: str) -> Body:
    posts = (
        ("村党支部书记、村委会主任", 1_050_000),
        ("副主任", 720_000),
        ("会计（报账员）", 690_000),
        ("妇联主席", 600_000),
    )
    entries = [{"name": _name(dice), "category": post, "amount_fen": fen} for post, fen in posts]
    return _roster(entries, "按镇街核定的报酬标准，三个月合计")


def _members(dice: random.Random, _period: str) -> Body:
    entries = [{"name": _name(dice), "category": "拟接收为预备党员"} for _ in range(dice.randint(1, 3))]
    return _roster(entries, "公示期内如有意见，请向镇街党（工）委反映")


def _subsidy(dice: random.Random, _period: str) -> Body:
    return _households(dice, dice.randint(8, 20), 4_560, "耕地地力保护补贴，每亩 45.60 元，按承包面积计算")


def _relief(dice: random.Random, _period: str) -> Body:
    entries = [
        {
            "name": _name(dice),
            "group": dice.choice(_GROUPS),
            "goods": dice.choice(("大米 1 袋", "棉被 1 床", "煤 0.5 吨")),
        }
        for _ in range(dice.randint(4, 9))
    ]
    return _roster(entries, "按受灾程度，由村民代表评议")


def _aid(dice: random.Random, _period: str) -> Body:
    return _households(dice, dice.randint(3, 9), 66_000, "农村低保，按月补差发放，三个月合计")


def _applications(dice: random.Random, _period: str) -> Body:
    entries = [
        {
            "name": _name(dice),
            "group": dice.choice(_GROUPS),
            "household_size": dice.randint(1, 4),
            "category": "低保申请",
        }
        for _ in range(dice.randint(1, 3))
    ]
    return _roster(entries, "公示 7 天，有意见请向镇街民政所反映", people=True)


def _election(dice: random.Random, _period: str) -> Body:
    votes = sorted((dice.randint(200, 600) for _ in range(5)), reverse=True)
    entries = [
        {
            "name": _name(dice),
            "category": "村委会委员候选人",
            "votes": count,
            "standing": "elected" if n < 3 else "candidate",  # noqa: PLR2004 - three seats
        }
        for n, count in enumerate(votes)
    ]
    return _roster(entries, "登记参加选举的村民过半数投票，候选人得票由高到低，前 3 名当选")


def _dividend(dice: random.Random, _period: str) -> Body:
    return _households(dice, dice.randint(12, 24), 20_000, "经成员大会通过，每人 200 元")


# -- notices ------------------------------------------------------------------------------------------------------


def _notice(title: str, *paragraphs: str, table: Body | None = None) -> Callable[[random.Random, str], Body]:
    def build(dice: random.Random, period: str) -> Body:
        body: Body = {
            "kind": "notice",
            "title": f"关于{_quarter_words(period)}{title}的公开",
            "paragraphs": [p.format(n=dice.randint(2, 9), m=dice.randint(10, 60)) for p in paragraphs],
            "signed_by": "村民委员会",
        }
        return body if table is None else {**body, "table": table}

    return build


# -- decisions, contracts, projects -------------------------------------------------------------------------------


def _decision(title: str, resolution: str, *, deliberated: bool) -> Callable[[random.Random, str], Body]:
    def build(dice: random.Random, period: str) -> Body:
        held = date.fromisoformat(period)
        entitled = dice.randint(30, 45)
        present = dice.randint(entitled * 3 // 4, entitled)
        against, abstained = dice.randint(0, 2), dice.randint(0, 2)
        body: Body = {
            "kind": "decision",
            "title": title,
            "meeting": "representatives",
            "held_on": period,
            "votes": {
                "entitled": entitled,
                "present": present,
                "in_favour": present - against - abstained,
                "against": against,
                "abstained": abstained,
            },
            "resolution": resolution,
            "implementation": "已按决议开始实施，村务监督委员会全程监督。",
        }
        if deliberated:
            names = ("村党组织提议", "村“两委”会商议", "党员大会审议", "村民代表会议决议")
            body["steps"] = [
                {"name": name, "date": (held - timedelta(days=9 - 3 * n)).isoformat()} for n, name in enumerate(names)
            ]
        return body

    return build


def _contract(title: str, kind: str, subject: str) -> Callable[[random.Random, str], Body]:
    def build(dice: random.Random, period: str) -> Body:
        begins = date.fromisoformat(period)
        years, annual = dice.choice((3, 5)), dice.randrange(200_000, 2_000_000, 10_000)
        return {
            "kind": "contract",
            "title": title,
            "type": kind,
            "party": _name(dice),
            "subject": subject,
            "area_mu": str(dice.randint(5, 40)),
            "signed_on": period,
            "begins": period,
            "ends": date(begins.year + years, begins.month, min(begins.day, 28)).isoformat(),
            "annual_fen": annual,
            "total_fen": annual * years,
            "instalments": [
                {"due": date(begins.year + n, begins.month, min(begins.day, 28)).isoformat(), "amount_fen": annual}
                for n in range(years)
            ],
            "method": "公开协商",
        }

    return build


def _project(dice: random.Random, period: str) -> Body:
    accepted = date.fromisoformat(period)
    price = dice.randrange(8_000_000, 25_000_000, 100_000)
    firms = ("盖州通达建筑工程有限公司", "营口兴业市政工程有限公司", "盖州诚信建筑工程有限公司")
    bids = [{"bidder": f, "amount_fen": price + n * 350_000, "won": n == 0} for n, f in enumerate(firms)]
    return {
        "kind": "project",
        "title": "村内道路硬化工程",
        "scope": "硬化村内道路 800 米，宽 3.5 米，厚 18 厘米",
        "tender": "quotes",
        "contractor": firms[0],
        "budget_fen": price + 500_000,
        "contract_fen": price,
        "settled_fen": price,
        "funds": [
            {"source": "上级补助资金", "amount_fen": price},
            {"source": "村集体自筹", "amount_fen": 500_000},
        ],
        "bids": bids,
        "payments": [
            {"date": (accepted - timedelta(days=20)).isoformat(), "amount_fen": price // 2, "note": "开工预付"},
            {"date": period, "amount_fen": price - price // 2 - price // 20, "note": "验收后付，留 5% 质保金"},
        ],
        "tendered_on": (accepted - timedelta(days=60)).isoformat(),
        "started_on": (accepted - timedelta(days=40)).isoformat(),
        "finished_on": (accepted - timedelta(days=3)).isoformat(),
        "accepted_on": period,
        "acceptance": "验收合格，村民代表 6 人签字。",
    }


# -- tables -------------------------------------------------------------------------------------------------------


def _column(key: str, name: str, kind: str = "text", unit: str | None = None) -> Body:
    return {"key": key, "name": name, "type": kind, **({"unit": unit} if unit else {})}


def _sums(columns: list[Body], rows: Sequence[list[Any]]) -> dict[str, int]:
    summed = [(n, c["key"]) for n, c in enumerate(columns) if c["type"] in {"amount", "count"}]
    return {key: sum(row[n] or 0 for row in rows) for n, key in summed}


def _table(title: str, columns: list[Body], rows: Sequence[list[Any]], checks: list[Body] | None = None) -> Body:
    made = {"kind": "table", "title": title, "columns": columns, "rows": list(rows), "totals": _sums(columns, rows)}
    return {**made, "checks": checks} if checks else made


def _homesteads(dice: random.Random, period: str) -> Body:
    columns = [
        _column("name", "申请人", "name"),
        _column("reason", "事由"),
        _column("area", "面积（平方米）", "quantity"),
    ]
    columns += [_column("day", "申请日期"), _column("result", "审核情况")]
    rows = [
        [
            _name(dice),
            dice.choice(("翻建", "新建")),
            str(dice.choice((120, 150, 180))),
            _day(dice, period).isoformat(),
            "镇街审核中",
        ]
        for _ in range(dice.randint(1, 4))
    ]
    return _table("宅基地申请", columns, rows)


def _insured(dice: random.Random, _period: str) -> Body:
    columns = [_column("kind", "项目"), _column("people", "人数", "count", "人"), _column("amount", "金额", "amount")]
    kinds = (
        ("城乡居民医保参保", 40_000),
        ("城乡居民养老金发放", 13_800),
        ("残疾人两项补贴", 11_000),
        ("困境儿童保障", 120_000),
    )
    rows = []
    for name, each in kinds:
        people = dice.randint(2, 300)
        rows.append([name, people, people * each])
    return _table("保障人数和金额", columns, rows)


def _debts(dice: random.Random, _period: str) -> Body:
    columns = [_column("kind", "债权或债务"), _column("name", "对方", "name"), _column("reason", "事由")]
    columns += [_column("opening", "期初", "amount"), _column("plus", "本期增加", "amount")]
    columns += [_column("minus", "本期减少", "amount"), _column("closing", "期末", "amount")]
    rows = []
    for _ in range(dice.randint(2, 5)):
        opening, plus = dice.randrange(0, 5_000_000, 1_000), dice.randrange(0, 500_000, 1_000)
        minus = dice.randrange(0, opening + plus + 1, 1_000)
        kind, reason = dice.choice((("债权", "欠交承包费"), ("债务", "工程尾款"), ("债权", "借支未还")))
        rows.append([kind, _name(dice), reason, opening, plus, minus, opening + plus - minus])
    checks = [{"plus": ["opening", "plus"], "minus": ["minus"], "equals": "closing"}]
    return _table("债权债务明细", columns, rows, checks)


def _budget(dice: random.Random, _period: str) -> Body:
    columns = [_column("name", "项目"), _column("planned", "本年预算", "amount"), _column("last", "上年决算", "amount")]
    names = ("经营收入", "补助收入", "其他收入", "管理费用", "公益支出", "经营支出")
    rows = [
        [name, dice.randrange(1_000_000, 30_000_000, 10_000), dice.randrange(1_000_000, 30_000_000, 10_000)]
        for name in names
    ]
    return _table("年度预算与决算", columns, rows)


def _assets(dice: random.Random, _period: str) -> Body:
    columns = [_column("name", "资产、资源"), _column("place", "坐落"), _column("amount", "数量", "quantity")]
    columns += [_column("unit", "单位"), _column("value", "账面值", "amount"), _column("use", "使用情况")]
    rows: list[list[Any]] = [
        ["村部办公房", "村部", "260", "平方米", dice.randrange(10_000_000, 40_000_000, 100_000), "自用"],
        ["机动地", "村东", str(dice.randint(20, 90)), "亩", None, "发包"],
        ["机井", "村南", str(dice.randint(2, 6)), "眼", dice.randrange(2_000_000, 8_000_000, 100_000), "自用"],
        ["光伏电站", "村部屋顶", "1", "座", dice.randrange(20_000_000, 40_000_000, 100_000), "收益归集体"],
    ]
    return _table("资产、资源台账", columns, rows)


def _rents(dice: random.Random, _period: str) -> Body:
    columns = [_column("name", "承包人、承租人", "name"), _column("subject", "标的"), _column("due", "应交", "amount")]
    columns += [_column("paid", "已交", "amount"), _column("owed", "欠交", "amount")]
    rows = []
    for _ in range(dice.randint(3, 8)):
        due = dice.randrange(50_000, 1_500_000, 5_000)
        paid = dice.choice((due, due, due // 2))
        rows.append([_name(dice), dice.choice(("机动地", "果园", "门市房", "水塘")), due, paid, due - paid])
    return _table("承包费、租金收缴", columns, rows, [{"plus": ["due"], "minus": ["paid"], "equals": "owed"}])


# -- ledgers of single purposes -----------------------------------------------------------------------------------


def _purpose(*wordings: tuple[str, str, str]) -> Callable[[random.Random, str], Body]:
    """A small ledger on one bank account: `in`/`out`, summary, category."""

    def build(dice: random.Random, period: str) -> Body:
        opening = dice.randrange(1_000_000, 9_000_000, 100)
        lines, balance = [], opening
        for number, (direction, summary, category) in enumerate(wordings, start=1):
            fen = dice.randrange(20_000, 180_000, 100)
            balance += fen if direction == "in" else -fen
            lines.append(
                {
                    "date": _day(dice, period).isoformat(),
                    "summary": summary,
                    "direction": direction,
                    "amount_fen": fen,
                    "account": "bank",
                    "category": category,
                    "voucher": {"word": "记", "no": number},
                }
            )
        accounts = [{"account": "bank", "opening_fen": opening, "closing_fen": balance}]
        return {"kind": "ledger", "accounts": accounts, "lines": lines}

    return build


_BUILDERS: Final[Mapping[str, Callable[[random.Random, str], Body]]] = {
    "P01": _notice(
        "村党组织设置和班子分工", "村党支部设书记 1 名、委员 2 名。", "书记主持全面工作，委员分管组织、宣传和纪律检查。"
    ),
    "P02": _members,
    "P03": _purpose(
        ("in", "收缴党费", "党费收入"), ("out", "订阅学习资料", "党费支出"), ("out", "上缴党费", "党费支出")
    ),
    "P04": _notice(
        "三会一课和主题党日情况",
        "召开支部委员会 {n} 次、党员大会 1 次，上党课 1 次。",
        "主题党日组织党员 {m} 人次清理河道。",
    ),
    "P05": _notice("承诺事项进展", "年初承诺的 {n} 件事，已办成 2 件，其余正在办。"),
    "P06": _notice("民主评议党员结果", "参加评议党员 {m} 名，优秀 {n} 名，其余合格，没有不合格。"),
    "P07": _notice("村干部述职评议结果", "村干部 {n} 人述职，村民代表 {m} 人参加评议，均为称职以上。"),
    "P08": _notice(
        "联系服务群众和监督举报方式", "村部每天有人值班。", "有意见可以找村务监督委员会，也可以拨打 12388。"
    ),
    "V01": _decision("环境整治和垃圾清运", "同意每户每年交 60 元清运费，不足部分由村集体承担。", deliberated=False),
    "V02": _decision("村内道路硬化", "同意硬化村内道路，资金由上级补助和村集体自筹解决。", deliberated=True),
    "V03": _aid,
    "V04": _subsidy,
    "V05": _relief,
    "V06": _homesteads,
    "V07": _contract("机动地流转合同", "transfer", "村东机动地，用于种植玉米"),
    "V08": _project,
    "V09": _pay,
    "V10": _contract("村集体门市房租赁合同", "lease", "村部东侧门市房两间"),
    "V11": _notice("工作计划和村委会工作报告", "去年办了 {n} 件实事，硬化道路 {m}0 米。", "今年计划修边沟、换路灯。"),
    "V12": _applications,
    "V13": _notice("村规民约", "红白事从简，不大操大办。", "门前三包，垃圾入箱。"),
    "V14": _notice("村务监督委员会报告", "村务监督委员会审核账目 {n} 次，列席村委会会议 {m} 次。"),
    "V15": _election,
    "V16": _notice(
        "协助政府工作情况", "协助办理城乡居民医保参保 {m} 人，走访独居老人 {n} 户。", "计划生育政策落实情况：无违规。"
    ),
    "V17": _insured,
    "V18": _notice(
        "村民联名要求公开的事项", "村民 {m} 人联名要求公开路灯维修费用，现公开如下：共 {n} 盏，由原施工方免费保修。"
    ),
    "F02": _debts,
    "F03": _budget,
    "F04": _purpose(
        ("in", "收村级公益事业补助", "补助收入"), ("out", "付边沟工程款", "公益支出"), ("out", "付监理费", "公益支出")
    ),
    "F05": _assets,
    "F06": _dividend,
    "F07": _purpose(("in", "收一事一议筹资", "一事一议筹资"), ("out", "付路灯安装费", "公益支出")),
    "F08": _notice("审计结果", "镇街农经站审计了上一年账目，发现问题 {n} 个，已全部整改。"),
    "F09": _labour,
    "F10": _rents,
    "F11": _purpose(("in", "收征地补偿费", "土地补偿费"), ("out", "付农户青苗补偿", "土地补偿费")),
}
