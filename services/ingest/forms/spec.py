"""What a form of each kind asks: single cells and grids of rows, as data. A cell's path is its place in the body."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from services.contracts.bodies import ELECTIONS
from services.contracts.catalogue import ItemKind, ItemRevision, Masking
from services.contracts.words import CONTRACT_TYPES, DIRECTIONS, MEETINGS, METHODS, PARTIES, STANDINGS, TENDERS
from services.ingest.forms.values import (
    ACCOUNT,
    CHOICE,
    DAY,
    FLAG,
    HIDDEN,
    LONG,
    MONEY,
    QUANTITY,
    TEXT,
    WHOLE,
    Kind,
)

#: A form with more rows would not be a page any more; a file is the way (一键导入).
MAX_FORM_ROWS: Final = 400
Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One field. `path` within the body, or within its row; `more`: stands in the grid's second, folded table."""

    path: str
    label: str
    kind: Kind = TEXT
    required: bool = False
    size: int = 10
    options: Options = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of a list. A grid whose only cell has an empty path holds texts; `listed`: rows are lists, not objects.

    `named_by`: the cell without which a row is none; else anything typed makes a row.
    """

    path: str
    label: str
    cells: tuple[Cell, ...]
    start: int = 3
    more: int = 5
    limit: int = MAX_FORM_ROWS
    hint: str = ""
    listed: bool = False
    pasted: bool = False
    named_by: str | None = None

    @property
    def main(self) -> tuple[Cell, ...]:
        """Cells of the first table."""
        return tuple(c for c in self.cells if not c.more)

    @property
    def folded(self) -> tuple[Cell, ...]:
        """Cells of the second table."""
        return tuple(c for c in self.cells if c.more)


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole form: cells on top, then grids, then cells below."""

    kind: ItemKind
    head: tuple[Cell, ...]
    grids: tuple[Grid, ...]
    foot: tuple[Cell, ...] = ()
    hints: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells outside of grids, in their order on the page."""
        return (*self.head, *self.foot)


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
    (Cell("title", "标题", size=40), Cell("standard", "依据和标准", LONG)),
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
        Cell("totals.amount_fen", "金额合计（元）", MONEY, size=14),
    ),
)
_NOTICE: Final = Spec(
    ItemKind.NOTICE,
    (Cell("title", "标题", required=True, size=40),),
    (Grid("paragraphs", "正文", (Cell("", "一段", LONG),), start=4, more=4, limit=200), ATTACHMENTS),
    (
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
        Cell("signed_on", "签订日期", DAY, required=True),
        Cell("begins", "起始日期", DAY, required=True),
        Cell("ends", "到期日期", DAY),
        Cell("total_fen", "总金额（元）", MONEY, size=14),
        Cell("annual_fen", "每年（元）", MONEY, size=14),
        Cell("method", "发包方式", size=20),
        Cell("contract_no", "合同编号", size=20),
        Cell("resolution_id", "会议决议编号", size=20),
    ),
    (
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
    ),
    (
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


def spec_for(code: str, item: ItemRevision, table: Spec | None = None) -> Spec:
    """The form of an item (of a table the one of its columns), with what its catalogue row wants the author to know."""
    spec = table or _SPECS[item.kind]
    if code in ELECTIONS and spec.kind is ItemKind.ROSTER:
        spec = _election(spec)
    return replace(spec, hints=tuple(_hints(code, item)))


#: What an election's list asks first; the rest of a list of people is folded away.
_STOOD: Final = ("name", "category", "votes", "standing")


def _election(spec: Spec) -> Spec:
    entries, *others = spec.grids
    cells = sorted(entries.cells, key=lambda c: _STOOD.index(c.path) if c.path in _STOOD else len(_STOOD))
    cells = [replace(c, more=c.path not in _STOOD) for c in cells]
    hint = "候选人写明职位、得票，当选的选“当选”：网上照实公布。选民名单的“选举”一格空着，网上不显示。"
    return replace(spec, grids=(replace(entries, cells=tuple(cells), hint=hint), *others))


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
