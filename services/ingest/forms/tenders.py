"""The notice of a tender, lots, and works of a project: what stands in the forms of contracts and projects; pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from services.contracts.catalogue import ItemKind, ItemRevision
from services.ingest.forms.fields import Cell, Grid, Options, Spec
from services.ingest.forms.values import DAY, FLAG, LONG, MONEY, QUANTITY

#: Until the page knows which notices a village has.
NO_NOTICE: Final[Options] = (("", "没有公告，或公告不在这里"),)
_TENDERED: Final = frozenset({ItemKind.CONTRACT, ItemKind.PROJECT})


def lots_grid(price: str) -> Grid:
    """Things that are offered or let, a row each."""
    return Grid(
        "lots",
        "标的（有几块地、几间房的，一行一个）",
        (
            Cell("title", "标的", size=16),
            Cell("quantity", "面积、数量", QUANTITY, size=7),
            Cell("unit", "单位", size=4),
            Cell("about", "约数", FLAG),
            Cell("price_fen", price, MONEY, size=9),
            Cell("price_per", "怎么算（每亩每年、一共）", size=9),
            Cell("term", "年限", size=5),
            Cell("total_fen", "金额（元）", MONEY, size=10),
            Cell("remark", "备注", size=14),
        ),
        limit=200,
        hint="面积不是量出来的，勾“约数”：网上写“约”，不参加合计。",
        pasted=True,
    )


PARTS: Final = Grid(
    "parts",
    "子项工程（分成几项做的，一行一项）",
    (
        Cell("title", "子项", size=20),
        Cell("quantity", "数量", QUANTITY, size=7),
        Cell("unit", "单位", size=5),
        Cell("about", "约数", FLAG),
        Cell("budget_fen", "预算（元）", MONEY, size=12),
        Cell("settled_fen", "结算（元）", MONEY, size=12),
        Cell("remark", "备注", size=16),
    ),
    limit=100,
    pasted=True,
)
TENDER: Final = Spec(
    ItemKind.NOTICE,
    (
        Cell("title", "标题", required=True, size=40),
        Cell("tender.method", "方式（公开招标、公开竞价、公开协商）", size=20),
        Cell("tender.registers_from", "报名开始", DAY),
        Cell("tender.registers_until", "报名截止", DAY),
        Cell("tender.opens_on", "开标、竞价日期", DAY),
        Cell("tender.deposit_fen", "保证金（元，会退的）", MONEY, size=12),
        Cell("tender.step", "加价幅度", size=20),
        Cell("tender.bidders", "报名条件（谁可以报名）", LONG),
    ),
    (
        lots_grid("底价（元）"),
        Grid("paragraphs", "正文", (Cell("", "一段", LONG),), start=4, more=4, limit=200),
    ),
    (
        Cell("posted_from", "公示开始", DAY),
        Cell("posted_until", "公示结束", DAY),
        Cell("signed_by", "落款单位", size=24),
        Cell("signed_on", "落款日期", DAY),
    ),
    is_tender=True,
)


def may_tender(item: ItemRevision) -> bool:
    """Tell whether an item may begin with a notice, before anybody has won."""
    return item.kind in _TENDERED


def is_tender(item: ItemRevision, kind: object) -> bool:
    """Tell whether a content of some kind is such a notice and not the item's own kind."""
    return may_tender(item) and kind == ItemKind.NOTICE.value


def with_notices(spec: Spec, notices: Mapping[str, str], chosen: str) -> Spec:
    """A form that lets its author choose which notice it is the result of; what was chosen before stays."""
    known: dict[str, str] = {**notices, **({chosen: notices.get(chosen, "已选的公告")} if chosen else {})}
    head = tuple(replace(c, options=(*NO_NOTICE, *known.items())) if c.path == "follows" else c for c in spec.head)
    return replace(spec, head=head)
