"""One disclosure as sheets: a ledger's lines, accounts and checks, or the facts and tables of its page; where it comes from."""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from services.contracts.account import account_words
from services.contracts.bodies import Direction, Ledger
from services.contracts.checks import Check
from services.publish.render.disclosure import DisclosurePage, Opened
from services.publish.render.export import Cell, Row, Sheet, yuan_cell
from services.publish.render.shapes import BodyView, HeadView, TableView
from services.publish.render.words import TERMS, method_words

_LINE_HEADS: Final = (
    "序号",
    "日期",
    "收支",
    "事由",
    "金额（元）",
    "账户",
    "转入账户",
    "收款人、交款人",
    "科目",
    "凭证字",
    "凭证号",
    "方式",
    "经手人",
    "证明人",
    "审批人",
)
_WAYS: Final = {Direction.IN: "收入", Direction.OUT: "支出", Direction.TRANSFER: "内部划转"}
#: A figure as pages write it: `1,200.00元`, `12.5亩`, `-3人`.
_FIGURE: Final = re.compile(r"(?P<minus>[-−]?)(?P<digits>[0-9][0-9,]*(\.[0-9]+)?)(?P<unit>元|人|票|亩|个)?", re.ASCII)


def content_sheets(page: DisclosurePage, content: Opened) -> list[Sheet]:
    """What a disclosure says: a ledger's lines where they are open, else the facts and tables of its page."""
    body = content.body
    return [Sheet("逐笔", _lines(body))] if isinstance(body, Ledger) and body.lines else list(_of_page(page))


def workbook(page: DisclosurePage, content: Opened, url: str) -> list[Sheet]:
    """All that a disclosure's page says as a workbook: its content, a ledger's accounts, the sums, where it comes from."""
    sheets = content_sheets(page, content)
    if isinstance(content.body, Ledger) and content.body.lines:
        sheets.append(Sheet("各个账户", _accounts(content.body)))
    if content.checks:
        sheets.append(Sheet("加起来对不对", _checks(content.checks)))
    return [*sheets, Sheet("说明", _about(page, url))]


def _lines(ledger: Ledger) -> list[Row]:
    return [
        _LINE_HEADS,
        *(
            (
                number,
                x.date,
                _WAYS[x.direction],
                x.summary,
                yuan_cell(x.amount_fen),
                account_words(x.account),
                account_words(x.to_account) if x.to_account else None,
                x.payee,
                x.category,
                x.voucher.word if x.voucher else None,
                x.voucher.no if x.voucher else None,
                method_words(x.method),
                x.handler,
                x.attestor,
                x.approver,
            )
            for number, x in enumerate(ledger.lines, 1)
        ),
    ]


def _accounts(ledger: Ledger) -> list[Row]:
    heads = ("账户", "期初（元）", "收入（元）", "支出（元）", "内部划转（元）", "期末（元）")
    return [
        heads,
        *(
            (
                account_words(a.account),
                *map(yuan_cell, (a.opening_fen, a.income_fen, a.expense_fen, a.transfer_fen, a.closing_fen)),
            )
            for a in ledger.sums.accounts
        ),
    ]


def _checks(checks: Iterable[Check]) -> list[Row]:
    heads = ("对什么", "村里写的", "算出来的", "单位", "怎么算", "一样吗", "村里说明")
    return [heads, *((c.label, *_compared(c), c.arithmetic, "一样" if c.ok else "不一样", c.reason) for c in checks)]


def _compared(c: Check) -> tuple[Cell, Cell, Cell]:
    if c.unit is None:
        return yuan_cell(c.stated_fen), yuan_cell(c.computed_fen), "元"
    return c.stated, c.computed, c.unit


def _about(page: DisclosurePage, url: str) -> list[Row]:
    told: list[tuple[str, Cell]] = [
        ("标题", f"{page.village.name}{page.title}"),
        ("在哪里", f"{page.village.township.city}{page.village.township.name}{page.village.name}"),
        ("公开期", page.period),
        ("公开单位", page.publisher),
        ("公开时间", page.published),
        ("第几版", page.edition),
        ("晚了几天", page.timing.late_days),
        ("更正说明", page.note),
        *(
            ("核对", f"{o.party} {o.names} {o.day}：{o.word}{f'。{o.reason}' if o.reason else ''}")
            for o in page.opinions
        ),
        ("审核", page.approved or page.filed),
        ("网址", url),
        ("使用许可", TERMS),
    ]
    return [("项目", "内容"), *((name, value) for name, value in told if value is not None)]


def _of_page(page: DisclosurePage) -> Iterable[Sheet]:
    """What the page shows of a body that is no list of lines."""
    if page.ledger is not None:
        heads = ("账户", "期初（元）", "期末（元）")
        yield Sheet(
            "各个账户", [heads, *((a.name, _figure(a.opening)[0], _figure(a.closing)[0]) for a in page.ledger.accounts)]
        )
    if page.body is not None:
        yield from _of_body(page.body)


def _of_body(body: BodyView) -> Iterable[Sheet]:
    facts = [*body.facts, *((title, "\n".join(lines)) for title, lines in body.words)]
    if facts:
        yield Sheet("内容", facts)
    for table in body.tables:
        yield Sheet(table.title, _with_numbers(table))


def _with_numbers(table: TableView) -> list[Row]:
    """A table of a page, figures as numbers; a unit that all of a column's have goes into its head."""
    rows = [*table.rows, *table.sums]
    columns = [_column(head, [row[place] for row in rows]) for place, head in enumerate(table.heads)]
    return [tuple(head for head, _ in columns), *zip(*(cells for _, cells in columns), strict=True)]


def _column(head: HeadView, cells: Sequence[str]) -> tuple[str, Sequence[Cell]]:
    if not head.number:
        return head.name, cells
    read = [_figure(cell) for cell in cells]
    units = {unit for value, unit in read if not isinstance(value, str)}
    if len(units) != 1:
        return head.name, cells
    (unit,) = units
    return f"{head.name}（{unit}）" if unit else head.name, [value for value, _ in read]


def _figure(cell: str) -> tuple[Cell, str]:
    """A figure as a number, and its unit; a text that is none as it stands."""
    found = _FIGURE.fullmatch(cell.strip())
    if found is None:
        return cell, ""
    sign = "-" if found["minus"] else ""
    return Decimal(sign + found["digits"].replace(",", "")), found["unit"] or ""
