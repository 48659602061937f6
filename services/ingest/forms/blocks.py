"""A small table as a block of text: what a spreadsheet copies, to the table of a notice and back; pure.

The first line names the columns. What stands in them tells what they are; a table that a block cannot tell whole
(checks, groups, stated totals, files) is none, and stays as it is beside the form.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from services.contracts.bodies import ColumnType, Table
from services.contracts.bodies.table import MAX_COLUMNS
from services.ingest.bulk.cells import CellError, to_fen, to_fen_of_wan, to_quantity, to_wan, to_yuan
from services.ingest.forms.fields import MAX_FORM_ROWS
from services.ingest.forms.values import Kind

_NAMES: Final = re.compile(r"姓名|户主|户名")
_WAN: Final = re.compile(r"[（(]\s*万元?\s*[）)]")
_YUAN: Final = re.compile(r"[（(]\s*元\s*[）)]|金额$|资金$|价款$|费用$")
#: Numbers that tell one row from another are words.
_LABELS: Final = re.compile(r"序号|编号|行次|号码|年份|年度|电话|日期")
#: What a block tells of a column.
_TOLD: Final = frozenset({"key", "name", "type", "sum", "unit"})


#: A table or a column as a body holds it.
Json = Mapping[str, Any]


def to_block(text: str) -> Json:
    """A pasted block as the table of a body; CellError says which line is wrong."""
    rows = _rows(text)
    if not rows:
        message = "没有读到表格：请在电子表格里连列名一起选中、复制，再粘贴到这里"
        raise CellError(message)
    heads, *data = rows
    while heads and not heads[-1]:
        heads = heads[:-1]
    _require_shape(heads, data)
    columns, cells = [], []
    for n, head in enumerate(heads):
        column = [row[n] if n < len(row) else "" for row in data]
        kind, unit, read = _kind(head, column)
        columns.append({"key": f"c{n + 1}", "name": head, "type": kind.value, **({"unit": unit} if unit else {})})
        cells.append([read(cell) if cell else None for cell in column])
    return {"columns": columns, "rows": [list(row) for row in zip(*cells, strict=True)]}


def _rows(text: str) -> list[list[str]]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    try:
        read = list(csv.reader(io.StringIO(lines), delimiter="\t" if "\t" in lines else ","))
    except csv.Error as error:
        message = "表格里有读不懂的地方（引号没有成对），请重新复制"
        raise CellError(message) from error
    return [[cell.strip() for cell in row] for row in read if any(cell.strip() for cell in row)]


def _require_shape(heads: Sequence[str], data: Sequence[Sequence[str]]) -> None:
    message = None
    if not all(heads):
        message = f"表格第一行要写列名，第 {list(heads).index('') + 1} 列没有列名"
    elif len(heads) > MAX_COLUMNS or len(data) > MAX_FORM_ROWS:
        message = f"表格太大，最多 {MAX_COLUMNS} 列、{MAX_FORM_ROWS} 行"
    for n, row in enumerate(data):
        if message is None and any(row[len(heads) :]):
            message = f"表格第 {n + 2} 行有 {len(row)} 格，列名只有 {len(heads)} 个"
    if message is not None:
        raise CellError(message)


def _kind(head: str, column: Sequence[str]) -> tuple[ColumnType, str | None, Callable[[str], object]]:
    """What stands in a column: money where the head says so, a number where all are numbers, else words."""
    filled = [cell for cell in column if cell]
    if _NAMES.search(head):
        return ColumnType.NAME, None, str
    if filled and not _LABELS.search(head):
        if _WAN.search(head) and _all(to_fen_of_wan, filled):
            return ColumnType.AMOUNT, "万元", to_fen_of_wan
        if _YUAN.search(head) and _all(to_fen, filled):
            return ColumnType.AMOUNT, "元", to_fen
        if _all(to_quantity, filled):
            return ColumnType.QUANTITY, None, to_quantity
    return ColumnType.TEXT, None, str


def _all(read: Callable[[str], object], cells: Sequence[str]) -> bool:
    try:
        for cell in cells:
            read(cell)
    except CellError:
        return False
    return True


def block_of(table: object) -> str:
    """A table as a block, as a form shows it."""
    assert isinstance(table, Mapping)  # noqa: S101 - what a body holds
    columns: Sequence[Json] = table["columns"]
    lines = [[c["name"] for c in columns]]
    lines += [[_cell(c, cell) for c, cell in zip(columns, row, strict=True)] for row in table["rows"]]
    out = io.StringIO()
    csv.writer(out, delimiter="\t", lineterminator="\n").writerows(lines)
    return out.getvalue().rstrip("\n")


def _cell(column: Json, cell: object) -> str:
    if cell is None or not isinstance(cell, int) or column.get("type") != ColumnType.AMOUNT.value:
        return "" if cell is None else str(cell)
    return to_wan(cell) if column.get("unit") == "万元" else to_yuan(cell)


def tells_whole(table: object) -> bool:
    """Tell whether a block of a table, read again, is the very table."""
    if not isinstance(table, Mapping):
        return False
    try:
        again = Table.model_validate(to_block(block_of(table))).settled()
    except ValueError:
        return False
    said = again.model_dump(mode="json", exclude_none=True)
    mine = Table.model_validate(dict(table)).settled().model_dump(mode="json", exclude_none=True)
    return said == mine and all(set(c) <= _TOLD for c in table["columns"])


#: A whole table in one field.
BLOCK: Final = Kind("long", lambda text, _: to_block(text), block_of, tells_whole)
