"""Lists of the API as sheets: the same rows, the words of closed sets beside their codes, money in yuan."""

from collections.abc import Iterable
from typing import Final

from services.contracts.words import AFFAIRS, CELL_STATES, DIVISIONS, FREQUENCIES, HOLDERS
from services.publish.render.export import Row, Sheet, yuan_cell
from services.publish.schemas import CatalogueItemOut, DisclosureOut, DivisionOut, DutyOut, LateByOut, VillageOut

_STATES: Final = {"published": "已公开", "corrected": "已更正", "withdrawn": "已撤回"}
_CELLS: Final = {state.value: words for state, words in CELL_STATES.items()}
_AFFAIRS: Final = {affair.value: words for affair, words in AFFAIRS.items()}
_FREQUENCIES: Final = {frequency.value: words for frequency, words in FREQUENCIES.items()}
_DIVISIONS: Final = {kind.value: words for kind, words in DIVISIONS.items()}
_YES: Final = {True: "是", False: "否"}


#: Late days by who had it; empty where nobody knows any more.
_HANDS: Final = ("代理会计晚了几天", "报账员晚了几天", "村里核对晚了几天", "镇街晚了几天", "部门晚了几天")


def _hands(of: LateByOut | None) -> Row:
    if of is None:
        return (None,) * len(_HANDS)
    return (of.agency, of.clerk, of.supervisors, of.township, of.department)


def disclosures_sheet(rows: Iterable[tuple[DisclosureOut, str]]) -> Sheet:
    """Disclosures, each with its village's name."""
    heads = (
        "公开编号",
        "村代码",
        "村（社区）",
        "事项",
        "标题",
        "公开期",
        "状态",
        "第几版",
        "公开时间",
        "晚了几天",
        "上线前的",
        "没有发生",
        "期初（元）",
        "收入（元）",
        "支出（元）",
        "期末（元）",
        "金额（元）",
        "网址",
        *_HANDS,
    )
    cells: list[Row] = [
        (
            d.id,
            d.village,
            village,
            d.item,
            d.title,
            d.period,
            _STATES[d.state],
            d.version,
            d.published_at,
            d.late_days,
            _YES[d.history],
            _YES[d.nil],
            yuan_cell(d.opening_fen),
            yuan_cell(d.income_fen),
            yuan_cell(d.expense_fen),
            yuan_cell(d.closing_fen),
            yuan_cell(d.amount_fen),
            d.url,
            *_hands(d.late_by),
        )
        for d, village in rows
    ]
    return Sheet("公开内容", [heads, *cells])


def duties_sheet(rows: Iterable[DutyOut]) -> Sheet:
    """What a village owes, and how each cell stands."""
    heads = (
        "事项",
        "公开期",
        "期限",
        "期限怎么算的",
        "参考期限",
        "状态",
        "由谁办",
        "从何时起",
        "晚了几天",
        "上线前的",
        "公开编号",
        "不公开的理由",
        *_HANDS,
    )
    cells: list[Row] = [
        (
            d.item,
            d.period,
            d.due,
            d.how_due,
            _YES[d.reference],
            _CELLS[d.state],
            HOLDERS[d.held_by] if d.held_by is not None else None,
            d.since,
            d.late_days,
            _YES[d.history],
            d.disclosure_id,
            d.waiver,
            *_hands(d.late_by),
        )
        for d in rows
    ]
    return Sheet("应当公开的", [heads, *cells])


def catalogue_sheet(rows: Iterable[CatalogueItemOut]) -> Sheet:
    """Items of the catalogue as they stand."""
    heads = (
        "事项",
        "名称",
        "通俗名称",
        "类别",
        "内容形式",
        "多久一次",
        "期限规则",
        "姓名怎么显示",
        "谁核对",
        "适用",
        "公开单位",
        "名单公开几个月",
        "依据",
        "已停用",
    )
    cells: list[Row] = [
        (
            i.code,
            i.name,
            i.plain_name,
            _AFFAIRS[i.affair],
            i.kind,
            _FREQUENCIES[i.frequency],
            i.due,
            i.masking,
            "、".join(i.confirmations),
            i.applies,
            i.publisher,
            i.keep_months,
            i.basis,
            _YES[i.retired],
        )
        for i in rows
    ]
    return Sheet("公开目录", [heads, *cells])


def villages_sheet(rows: Iterable[VillageOut]) -> Sheet:
    """Villages and communities with their townships."""
    heads = ("村代码", "村（社区）", "种类", "镇街代码", "镇街")
    cells: list[Row] = [(v.code, v.name, _DIVISIONS[v.kind], v.township.code, v.township.name) for v in rows]
    return Sheet("各村", [heads, *cells])


def divisions_sheet(rows: Iterable[DivisionOut]) -> Sheet:
    """Divisions with what is above each."""
    heads = ("代码", "名称", "种类", "上级代码")
    cells: list[Row] = [(d.code, d.name, _DIVISIONS[d.kind], d.parent) for d in rows]
    return Sheet("行政区划", [heads, *cells])
