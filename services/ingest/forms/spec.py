"""What a form of each kind asks: single cells and grids of rows, as data. A cell's path is its place in the body."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from services.contracts.bodies import ELECTIONS
from services.contracts.catalogue import ItemKind, ItemRevision, Masking
from services.contracts.words import CONTRACT_TYPES, DIRECTIONS, MEETINGS, METHODS, PARTIES, STANDINGS, TENDERS
from services.ingest.forms.blocks import BLOCK
from services.ingest.forms.fields import MAX_FORM_ROWS, Cell, Grid, Options, Spec
from services.ingest.forms.items import by_item
from services.ingest.forms.tenders import NO_NOTICE, PARTS, TENDER, lots_grid
from services.ingest.forms.values import (
    ACCOUNT,
    CHOICE,
    DAY,
    FLAG,
    HIDDEN,
    LONG,
    MONEY,
    QUANTITY,
    WHOLE,
)


def _options(words: Mapping[Any, str]) -> Options:
    return tuple((str(code), word) for code, word in words.items())


METHODS_OR_NONE: Final[Options] = (("", "未填"), *_options(METHODS))
STANDING_OR_NONE: Final[Options] = (("", "不是候选人"), *_options(STANDINGS))
ATTACHMENTS: Final = Grid(
    "attachments",
    "附件",
    (Cell("title", "附件名称", size=30), Cell("digest", "编号", HIDDEN)),
    start=0,
    more=0,
    limit=50,
    hint="删去名称就是去掉这个附件。",
    named_by="title",
)
_LEDGER: Final = Spec(
    ItemKind.LEDGER,
    (),
    (
        Grid(
            "accounts",
            "账户余额（元）",
            (
                Cell("account", "账户", ACCOUNT, required=True, size=14),
                Cell("opening_fen", "上期结余", MONEY, required=True, size=12),
                Cell("closing_fen", "本期结余", MONEY, required=True, size=12),
            ),
            start=3,
            more=1,
            limit=20,
            hint="没有的账户空着。有几个银行账户的，写作 银行存款:信用社。",
        ),
        Grid(
            "lines",
            "逐笔收支",
            (
                Cell("date", "记账日期", DAY, required=True, size=10),
                Cell("summary", "摘要", required=True, size=22),
                Cell("direction", "收支", CHOICE, required=True, options=_options(DIRECTIONS)),
                Cell("amount_fen", "金额（元）", MONEY, required=True, size=10),
                Cell("account", "账户", ACCOUNT, required=True, size=9),
                Cell("to_account", "转入账户", ACCOUNT, size=9),
                Cell("category", "科目", size=9),
                Cell("payee", "收款人", size=9),
                Cell("voucher.word", "凭证字", size=3),
                Cell("voucher.no", "凭证号", WHOLE, size=4),
                Cell("occurred_on", "发生日期", DAY, more=True),
                Cell("method", "付款方式", CHOICE, options=METHODS_OR_NONE, more=True),
                Cell("handler", "经手人", size=8, more=True),
                Cell("attestor", "证明人", size=8, more=True),
                Cell("approver", "审批人", size=8, more=True),
                Cell("approver_role", "审批人职务", size=9, more=True),
                Cell("invoice.code", "发票代码", more=True),
                Cell("invoice.no", "发票号码", more=True),
                Cell("invoice.seller", "开票单位", more=True),
                Cell("resolution_id", "会议决议编号", more=True),
                Cell("contract_no", "合同编号", more=True),
                Cell("person_days", "用工（人天）", WHOLE, size=5, more=True),
            ),
            start=10,
            more=10,
            hint="空着的行不用管。从银行取现金选“内部划转”：账户写转出的一方，转入账户写另一方。",
            pasted=True,
        ),
        ATTACHMENTS,
    ),
    (
        Cell("totals.income_fen", "账上的本期收入合计", MONEY, size=14),
        Cell("totals.expense_fen", "账上的本期支出合计", MONEY, size=14),
    ),
)
_ROSTER: Final = Spec(
    ItemKind.ROSTER,
    (
        Cell("title", "标题", size=40),
        Cell("standard", "依据和标准", LONG),
        Cell("quantity_unit", "面积或数量的单位", size=6),
    ),
    (
        Grid(
            "entries",
            "名单",
            (
                Cell("name", "姓名或户主", required=True, size=9),
                Cell("group", "村民小组", size=8),
                Cell("household_size", "家庭人口", WHOLE, size=4),
                Cell("category", "职务或类别", size=10),
                Cell("days", "工数", QUANTITY, size=5),
                Cell("rate_fen", "每工（元）", MONEY, size=8),
                Cell("amount_fen", "金额（元）", MONEY, size=10),
                Cell("quantity", "面积或数量", QUANTITY, size=7, more=True),
                Cell("unit_rate", "标准（元）", QUANTITY, size=7, more=True),
                Cell("goods", "实物", more=True),
                Cell("votes", "得票", WHOLE, size=5, more=True),
                Cell("standing", "选举", CHOICE, options=STANDING_OR_NONE, more=True),
                Cell("remark", "备注", size=20, more=True),
                Cell("card_tail", "卡号后四位", size=5, more=True),
            ),
            start=10,
            more=10,
            hint="空着的行不用管。本市开通了“家里的一行”的，可以填一卡通卡号的后四位：卡号不保存，只用来让这家人查到自己的一行。",
            pasted=True,
        ),
        ATTACHMENTS,
    ),
    (
        Cell("totals.entries", "户数或人次合计", WHOLE, size=8),
        Cell("totals.people", "人数合计", WHOLE, size=8),
        Cell("totals.quantity", "面积或数量合计", QUANTITY, size=10),
        Cell("totals.amount_fen", "金额合计（元）", MONEY, size=14),
    ),
)
_NOTICE: Final = Spec(
    ItemKind.NOTICE,
    (Cell("title", "标题", required=True, size=40),),
    (Grid("paragraphs", "正文", (Cell("", "一段", LONG),), start=4, more=4, limit=200), ATTACHMENTS),
    (
        Cell("table", "表格（在电子表格里连列名一起复制，粘贴到这里；金额的列名写上“（元）”）", BLOCK),
        Cell("posted_from", "公示开始", DAY),
        Cell("posted_until", "公示结束", DAY),
        Cell("signed_by", "落款单位", size=24),
        Cell("signed_on", "落款日期", DAY),
    ),
)
_DECISION: Final = Spec(
    ItemKind.DECISION,
    (
        Cell("title", "标题", required=True, size=40),
        Cell("meeting", "由谁决定", CHOICE, required=True, options=_options(MEETINGS)),
        Cell("held_on", "会议日期", DAY, required=True),
        Cell("resolution_id", "会议决议编号", size=20),
        Cell("votes.entitled", "应到人数", WHOLE, size=6),
        Cell("votes.present", "实到人数", WHOLE, size=6),
        Cell("votes.in_favour", "同意", WHOLE, size=6),
        Cell("votes.against", "不同意", WHOLE, size=6),
        Cell("votes.abstained", "弃权", WHOLE, size=6),
        Cell("resolution", "决定内容", LONG, required=True),
    ),
    (
        Grid(
            "steps",
            "议事步骤",
            (
                Cell("name", "步骤（提议、商议、审议、决议）", size=14),
                Cell("date", "日期", DAY),
                Cell("note", "说明", size=24),
            ),
            start=4,
            limit=10,
        ),
        ATTACHMENTS,
    ),
    (Cell("implementation", "实施情况", LONG),),
)
_CONTRACT: Final = Spec(
    ItemKind.CONTRACT,
    (
        Cell("title", "合同名称", required=True, size=40),
        Cell("type", "种类", CHOICE, required=True, options=_options(CONTRACT_TYPES)),
        Cell("party", "承包方、承租方或受让方", required=True, size=24),
        Cell("outsider", "对方不是本集体经济组织成员", FLAG),
        Cell("subject", "标的（哪块地、哪间房）", LONG, required=True),
        Cell("area_mu", "面积（亩）", QUANTITY, size=8),
        Cell("area_about", "面积是约数", FLAG),
        Cell("signed_on", "签订日期", DAY, required=True),
        Cell("begins", "起始日期", DAY, required=True),
        Cell("ends", "到期日期", DAY),
        Cell("total_fen", "总金额（元）", MONEY, size=14),
        Cell("annual_fen", "每年（元）", MONEY, size=14),
        Cell("rises.every_years", "租金几年一涨（不涨的空着）", WHOLE, size=4),
        Cell("rises.percent", "每次涨百分之几", QUANTITY, size=6),
        Cell("rises.amount_fen", "或者每次涨多少元", MONEY, size=10),
        Cell("deposit_fen", "押金、履约保证金（元）", MONEY, size=12),
        Cell("follows", "接着哪一份招标、招租公告", CHOICE, options=NO_NOTICE),
        Cell("method", "发包方式", size=20),
        Cell("contract_no", "合同编号", size=20),
        Cell("resolution_id", "会议决议编号", size=20),
    ),
    (
        lots_grid("单价（元）"),
        Grid(
            "instalments",
            "约定的付款",
            (Cell("due", "应付日期", DAY), Cell("amount_fen", "金额（元）", MONEY)),
            limit=200,
            pasted=True,
        ),
        ATTACHMENTS,
    ),
    (Cell("remark", "备注", LONG),),
)
_PROJECT: Final = Spec(
    ItemKind.PROJECT,
    (
        Cell("title", "项目名称", required=True, size=40),
        Cell("scope", "建设内容", LONG, required=True),
        Cell("tender", "怎样确定施工方", CHOICE, required=True, options=_options(TENDERS)),
        Cell("contractor", "施工方", size=24),
        Cell("budget_fen", "预算（元）", MONEY, size=14),
        Cell("contract_fen", "合同价（元）", MONEY, size=14),
        Cell("settled_fen", "结算（审定）金额（元）", MONEY, size=14),
        Cell("tendered_on", "招标日期", DAY),
        Cell("started_on", "开工日期", DAY),
        Cell("finished_on", "完工日期", DAY),
        Cell("accepted_on", "验收日期", DAY),
        Cell("resolution_id", "会议决议编号", size=20),
        Cell("sources", "资金来源（不知道各多少钱的写这里）", size=30),
        Cell("follows", "接着哪一份招标公告", CHOICE, options=NO_NOTICE),
    ),
    (
        PARTS,
        Grid("funds", "资金来源", (Cell("source", "来源", size=20), Cell("amount_fen", "金额（元）", MONEY)), limit=50),
        Grid(
            "bids",
            "投标和报价",
            (
                Cell("bidder", "单位", size=20),
                Cell("amount_fen", "报价（元）", MONEY),
                Cell("won", "中标", FLAG),
            ),
            limit=50,
        ),
        Grid(
            "payments",
            "付款",
            (Cell("date", "日期", DAY), Cell("amount_fen", "金额（元）", MONEY), Cell("note", "说明", size=20)),
            limit=200,
            pasted=True,
        ),
        ATTACHMENTS,
    ),
    (Cell("acceptance", "验收意见", LONG),),
)
_SPECS: Final[Mapping[ItemKind, Spec]] = MappingProxyType(
    {s.kind: s for s in (_LEDGER, _ROSTER, _NOTICE, _DECISION, _CONTRACT, _PROJECT)}
)


def spec_for(code: str, item: ItemRevision, table: Spec | None = None, *, is_tender: bool = False) -> Spec:
    """The form of an item (of a table the one of its columns), with what its catalogue row wants the author to know.

    `is_tender`: the notice before anybody has won, of an item whose contract or project comes later.
    """
    spec = (
        replace(TENDER, grids=(*TENDER.grids, ATTACHMENTS)) if is_tender else by_item(code, table or _SPECS[item.kind])
    )
    first = [_TENDER_HINT] if is_tender else []
    return replace(spec, hints=(*first, *_hints(code, item)))


_TENDER_HINT: Final = "这是招标、招租公告，还没有确定给谁。有了结果再录合同或工程，并在那里选上这份公告。"


_MASKING: Final = {
    "full": "网上不显示姓名。",
    "surname": "姓名请如实填写：网上只显示姓，公开栏按规定打印。",
    "aggregate": "网上只公布人数和金额的合计，不显示姓名。",
    "none": "",
}


def _masking_hint(code: str, item: ItemRevision) -> str:
    if item.masking is not Masking.AGGREGATE:
        return _MASKING[item.masking]
    if code in ELECTIONS:
        return "候选人、得票和当选的人网上照实公布；选民名单只公布人数。"
    if item.kind is ItemKind.TABLE:
        return "按项目、类别写的行网上照实公布；写到个人的行不显示，只公布合计。"
    return _MASKING[item.masking]


def _hints(code: str, item: ItemRevision) -> list[str]:
    names = "、".join(PARTIES[c] for c in item.confirmations)
    return [
        text
        for text in (
            _masking_hint(code, item),
            f"提交后由{names}核对。" if names else "",
            "公开前要做保密审查，并写明审查人姓名。" if item.secrecy else "",
            f"公示期不少于 {item.notice_days} 天。" if item.notice_days else "",
            "身份证号、银行卡号、电话号码和家庭住址不要填写。",
        )
        if text
    ]


__all__ = [
    "ATTACHMENTS",
    "MAX_FORM_ROWS",
    "METHODS_OR_NONE",
    "STANDING_OR_NONE",
    "Cell",
    "Grid",
    "Options",
    "Spec",
    "spec_for",
]
