"""Made-up content for every item of the catalogue but the monthly ledger: worded and sized as villages really do.

Deterministic by seed, item, village and period. Every body adds up; faults are planted elsewhere.
"""

import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from services.contracts.values import period_bounds

from deploy.local.sample import tables
from deploy.local.sample.people import SEED, day_in
from deploy.local.sample.people import person as _name
from deploy.local.sample.tables import RENT_FEN, TENANT

_GROUPS: Final = ("一组", "二组", "三组", "四组")
Body = dict[str, Any]
#: What several disclosures of the showcase speak of: the decision, the road and its money, the shop's tenant and rent.
RESOLUTION: Final = "村代会决议第4号"
ROAD_FEN: Final = 18_600_000
ROAD_GRANT_FEN: Final = 15_000_000
ROAD_FIRST_FEN: Final = ROAD_FEN // 2
ROAD_SECOND_FEN: Final = ROAD_FEN - ROAD_FEN // 2 - ROAD_FEN // 20
ROAD_DAYS: Final = 70
CONTRACTOR: Final = "盖州通达建筑工程有限公司"
#: Of six candidates, how many were elected.
ELECTED: Final = 3


def body_of(item: str, village: str, period: str) -> Body:
    """Content of an item that adds up."""
    dice = random.Random(f"{SEED}:{item}:{village}:{period}")  # noqa: S311 - made-up figures
    return _BUILDERS[item](dice, period)


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
    entries = []
    for _ in range(dice.randint(8, 20)):
        area = dice.randint(3, 18)
        entry = {"name": _name(dice), "group": dice.choice(_GROUPS), "category": f"{area} 亩"}
        entries.append({**entry, "amount_fen": area * 4_560})
    return _roster(entries, "耕地地力保护补贴，每亩 45.60 元，按承包面积计算")


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
    votes = sorted((dice.randint(260, 620) for _ in range(6)), reverse=True)
    posts = ("村委会主任", "村委会委员", "村委会委员", "村委会委员", "村委会委员", "村委会委员")
    entries = [
        {
            "name": _name(dice),
            "category": post,
            "votes": count,
            "standing": "elected" if place < ELECTED else "candidate",
        }
        for place, (post, count) in enumerate(zip(posts, votes, strict=True))
    ]
    return _roster(entries, "全村选民 812 人，参加投票 741 人；得票过半数且票数多的当选")


def _dividend(dice: random.Random, _period: str) -> Body:
    return _households(dice, dice.randint(12, 24), 20_000, "经成员大会通过，每人 200 元")


# -- notices ------------------------------------------------------------------------------------------------------


def _notice(title: str, *paragraphs: str, by: str = "村民委员会") -> Callable[[random.Random, str], Body]:
    def build(dice: random.Random, period: str) -> Body:
        return {
            "kind": "notice",
            "title": f"关于{_quarter_words(period)}{title}的公开",
            "paragraphs": [p.format(n=dice.randint(2, 9), m=dice.randint(10, 60)) for p in paragraphs],
            "signed_by": by,
        }

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
            "implementation": "已按决议实施，村务监督委员会全程监督。",
        }
        if deliberated:
            names = ("村党组织提议", "村“两委”会商议", "党员大会审议", "村民代表会议决议")
            body["steps"] = [
                {"name": name, "date": (held - timedelta(days=9 - 3 * n)).isoformat()} for n, name in enumerate(names)
            ]
        return body

    return build


def _later(day: date, years: int) -> str:
    return date(day.year + years, day.month, min(day.day, 28)).isoformat()


def _transfer(dice: random.Random, period: str) -> Body:
    """Land let for some years at so much an acre and year, agreed in the open."""
    begins, area, rate = date.fromisoformat(period), dice.randint(12, 40), dice.randrange(40_000, 70_000, 5_000)
    return _contract("村东机动地流转合同", "transfer", begins, _name(dice), area * rate) | {
        "subject": "村东机动地，用于种植玉米",
        "area_mu": str(area),
        "remark": f"每亩每年 {rate // 100} 元",
    }


def _lease(_dice: random.Random, period: str) -> Body:
    """The two shop rooms beside the village hall; ledger and rent table tell the same tenant and rent."""
    begins = date.fromisoformat(period)
    return _contract("村集体门市房租赁合同", "lease", begins, TENANT, RENT_FEN) | {
        "subject": "村部东侧门市房两间，共 86 平方米",
        "resolution_id": RESOLUTION,
    }


def _contract(title: str, kind: str, begins: date, party: str, annual_fen: int, years: int = 3) -> Body:
    return {
        "kind": "contract",
        "title": title,
        "type": kind,
        "party": party,
        "signed_on": begins.isoformat(),
        "begins": begins.isoformat(),
        "ends": (date.fromisoformat(_later(begins, years)) - timedelta(days=1)).isoformat(),
        "annual_fen": annual_fen,
        "total_fen": annual_fen * years,
        "instalments": [{"due": _later(begins, n), "amount_fen": annual_fen} for n in range(years)],
        "method": "公开协商",
    }


def _project(_dice: random.Random, period: str) -> Body:
    """The road of the showcase: decided, tendered, built and accepted in this order, paid as the ledger says."""
    accepted = date.fromisoformat(period)
    firms = (CONTRACTOR, "营口兴业市政工程有限公司", "盖州诚信建筑工程有限公司")
    bids = [{"bidder": f, "amount_fen": ROAD_FEN + n * 350_000, "won": n == 0} for n, f in enumerate(firms)]
    started = accepted - timedelta(days=ROAD_DAYS)
    return {
        "kind": "project",
        "title": "村内道路硬化工程",
        "scope": "硬化村内道路 800 米，宽 3.5 米，厚 18 厘米",
        "tender": "quotes",
        "contractor": firms[0],
        "budget_fen": ROAD_FEN + 500_000,
        "contract_fen": ROAD_FEN,
        "settled_fen": ROAD_FEN,
        "funds": [
            {"source": "上级补助资金", "amount_fen": ROAD_GRANT_FEN},
            {"source": "村集体自筹", "amount_fen": ROAD_FEN + 500_000 - ROAD_GRANT_FEN},
        ],
        "bids": bids,
        "payments": [
            {"date": started.isoformat(), "amount_fen": ROAD_FIRST_FEN, "note": "开工预付一半"},
            {"date": period, "amount_fen": ROAD_SECOND_FEN, "note": "验收后付，留 5% 质保金"},
        ],
        "tendered_on": (started - timedelta(days=20)).isoformat(),
        "started_on": started.isoformat(),
        "finished_on": (accepted - timedelta(days=3)).isoformat(),
        "accepted_on": period,
        "acceptance": "验收合格，村民代表 6 人签字。",
        "resolution_id": RESOLUTION,
    }


# -- ledgers of single purposes -----------------------------------------------------------------------------------


def _purpose(*wordings: tuple[str, str, str, int]) -> Callable[[random.Random, str], Body]:
    """A small ledger on one bank account: `in`/`out`, summary, category, about how many yuan."""

    def build(dice: random.Random, period: str) -> Body:
        opening = dice.randrange(6_000_000, 9_000_000, 100)
        lines, balance = [], opening
        days = sorted(day_in(dice, period) for _ in wordings)
        for number, ((direction, summary, category, about), day) in enumerate(
            zip(wordings, days, strict=True), start=1
        ):
            fen = about * dice.randint(96, 104)
            balance += fen if direction == "in" else -fen
            lines.append(
                {
                    "date": day.isoformat(),
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
        "村党组织设置和班子分工",
        "村党支部设书记 1 名、委员 2 名。",
        "书记主持全面工作，委员分管组织、宣传和纪律检查。",
        by="村党支部",
    ),
    "P02": _members,
    "P03": _purpose(
        ("in", "收缴党费", "党费收入", 2_400),
        ("out", "订阅学习资料", "党费支出", 380),
        ("out", "上缴党费", "党费支出", 1_900),
    ),
    "P04": _notice(
        "三会一课和主题党日情况",
        "召开支部委员会 {n} 次、党员大会 1 次，上党课 1 次。",
        "主题党日组织党员 {m} 人次清理河道。",
        by="村党支部",
    ),
    "P05": _notice("承诺事项进展", "年初承诺的 {n} 件事，已办成 2 件，其余正在办。", by="村党支部"),
    "P06": _notice("民主评议党员结果", "参加评议党员 {m} 名，优秀 {n} 名，其余合格，没有不合格。", by="村党支部"),
    "P07": _notice("村干部述职评议结果", "村干部 {n} 人述职，村民代表 {m} 人参加评议，均为称职以上。", by="村党支部"),
    "P08": _notice(
        "联系服务群众和监督举报方式",
        "村部每天有人值班。",
        "有意见可以找村务监督委员会，也可以拨打 12388。",
        by="村党支部",
    ),
    "V01": _decision("环境整治和垃圾清运", "同意每户每年交 60 元清运费，不足部分由村集体承担。", deliberated=False),
    "V02": _decision(
        "村内道路硬化",
        f"{RESOLUTION}：同意硬化村内道路 800 米，预算 19.1 万元，上级补助 15 万元，其余村集体自筹；同意续租村部东侧门市房。",
        deliberated=True,
    ),
    "V03": _aid,
    "V04": _subsidy,
    "V05": _relief,
    "V06": tables.homesteads,
    "V07": _transfer,
    "V08": _project,
    "V09": _pay,
    "V10": _lease,
    "V11": _notice("工作计划和村委会工作报告", "去年办了 {n} 件实事，硬化道路 {m}0 米。", "今年计划修边沟、换路灯。"),
    "V12": _applications,
    "V13": _notice("村规民约", "红白事从简，不大操大办。", "门前三包，垃圾入箱。"),
    "V14": _notice("村务监督委员会报告", "村务监督委员会审核账目 {n} 次，列席村委会会议 {m} 次。", by="村务监督委员会"),
    "V15": _election,
    "V16": _notice(
        "协助政府工作情况", "协助办理城乡居民医保参保 {m} 人，走访独居老人 {n} 户。", "计划生育政策落实情况：无违规。"
    ),
    "V17": tables.insured,
    "V18": _notice(
        "村民联名要求公开的事项", "村民 {m} 人联名要求公开路灯维修费用，现公开如下：共 {n} 盏，由原施工方免费保修。"
    ),
    "F02": tables.debts,
    "F03": tables.budget,
    "F04": _purpose(
        ("in", "收村级公益事业补助", "补助收入", 60_000),
        ("out", "付边沟工程款", "公益支出", 52_000),
        ("out", "付边沟工程监理费", "公益支出", 1_500),
    ),
    "F05": tables.assets,
    "F06": _dividend,
    "F07": _purpose(("in", "收一事一议筹资", "一事一议筹资", 21_000), ("out", "付路灯安装费", "公益支出", 18_500)),
    "F08": _notice(
        "审计结果", "镇街农经站审计了上一年账目，发现问题 {n} 个，已全部整改。", by="镇街农村经济经营管理站"
    ),
    "F09": _labour,
    "F10": tables.rents,
    "F11": _purpose(
        ("in", "收征地补偿费", "土地补偿费", 420_000), ("out", "付农户青苗补偿（名单另行公示）", "土地补偿费", 86_000)
    ),
}
