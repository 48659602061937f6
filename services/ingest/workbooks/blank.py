"""Blank spreadsheets to be filled in and brought back: columns that the reader knows, text where digits must stay; pure."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import xlsxwriter

from services.contracts.account import ACCOUNTS
from services.contracts.bodies import ColumnType
from services.contracts.catalogue import ItemKind
from services.ingest.forms.columns import starter

_LAST_ROW: Final = 2000


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a blank spreadsheet. `note`: what its head says when somebody points at it; `choices`: a list to choose from."""

    name: str
    note: str = ""
    text: bool = False
    choices: tuple[str, ...] = ()
    width: int = 14


_VILLAGE: Final = (
    _Column("村代码", "12 位数字；只填自己一个村的可以空着", text=True, width=16),
    _Column("村名", "只填自己一个村的可以空着", width=16),
)
_ROSTER: Final = (
    _Column("姓名"),
    _Column("村民小组"),
    _Column("人口"),
    _Column("类别"),
    _Column("数量", "工数、面积等"),
    _Column("标准", "每个工、每亩多少元"),
    _Column("金额（元）"),
    _Column("物品"),
    _Column("备注", width=24),
)
_LEDGER: Final = (
    _Column("日期", "2026-10-03 这样写", text=True),
    _Column("凭证字", choices=("记", "收", "付", "转")),
    _Column("凭证号", text=True, width=10),
    _Column("摘要", "第一行写“上期结转”，余额填在“余额”列", width=36),
    _Column("收入"),
    _Column("支出"),
    _Column("余额", "只有“上期结转”那一行必须填"),
    _Column("账户", choices=tuple(ACCOUNTS.values())),
    _Column("对方科目", width=18),
    _Column("收款人", width=18),
    _Column("经手人"),
    _Column("证明人"),
    _Column("审批人"),
)
_COLUMNS: Final[Mapping[ItemKind, tuple[_Column, ...]]] = MappingProxyType(
    {ItemKind.LEDGER: _LEDGER, ItemKind.ROSTER: _ROSTER}
)


def heads_of(kind: ItemKind, item: str) -> list[str]:
    """The names of a blank spreadsheet's columns, from left to right."""
    return [c.name for c in _columns(kind, item)]


def _columns(kind: ItemKind, item: str) -> tuple[_Column, ...]:
    if kind is not ItemKind.TABLE:
        return (*_VILLAGE, *_COLUMNS[kind])
    named = {ColumnType.TEXT, ColumnType.NAME}
    own = (_Column(f"{c.name}（{c.unit}）" if c.unit else c.name, text=c.type in named) for c in starter(item).columns)
    return (*_VILLAGE, *own)


def make_blank(kind: ItemKind, item: str, name: str, rows: Sequence[Sequence[str | float | None]] = ()) -> bytes:
    """A spreadsheet of an item to fill in, or filled with some rows."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False})
    bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
    text = book.add_format({"num_format": "@"})
    sheet = book.add_worksheet("".join(c for c in name if c not in r"[]:*?/\\'")[:28])
    for n, column in enumerate(_columns(kind, item)):
        sheet.set_column(n, n, column.width, text if column.text else None)
        sheet.write_string(0, n, column.name, bold)
        told = {"input_title": column.name[:32], "input_message": column.note} if column.note else {}
        if column.choices:
            sheet.data_validation(1, n, _LAST_ROW, n, {"validate": "list", "source": list(column.choices), **told})
        elif told:
            sheet.data_validation(1, n, _LAST_ROW, n, {"validate": "any", **told})
    sheet.freeze_panes(1, 0)
    for n, row in enumerate(rows, 1):
        for m, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(n, m, value)
            elif value is not None:
                sheet.write_number(n, m, value)
    book.close()
    return out.getvalue()
