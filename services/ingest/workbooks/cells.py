"""Cells of a table by what their columns mean, and faults at their places; pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from services.contracts.values import FEN_LIMIT
from services.ingest.bulk.cells import CellError, plain, to_fen, to_fen_of_wan
from services.ingest.workbooks.tables import Row, Table
from services.ingest.workbooks.words import role_of, unit_of
from services.ingest.workbooks.workbook import Value, text_of

BLANKS: Final = frozenset({"", "-", "—", "--", "——", "/", "\\", "无", "#N/A", "#VALUE!", "#REF!"})
#: What stands for the cell above.
_SAME: Final = frozenset({"〃", "同上", "″", '"', "”"})
_FEN: Final = 2
#: Below this a float holds fen with room to spare; what is left beyond them is how it is kept, not what was meant.
_PLAIN_YUAN: Final = 1e8
_NOISE: Final = 1e-5


@dataclass(frozen=True, slots=True)
class CellFault:
    """Something of a file that cannot be taken as it is: where, what is wrong, what to do."""

    place: str
    message: str

    @property
    def words(self) -> str:
        """Place and message as one sentence."""
        return f"{self.place}：{self.message}"


@dataclass(slots=True)
class Reading:
    """A table being read by the meaning of its columns. `roles`: column number of each meaning."""

    table: Table
    roles: dict[str, int]
    unit: str = ""
    #: The village and the period that the sheet's title names, for all of its rows.
    village: str = ""
    period: str = ""
    year: str = ""
    faults: list[CellFault] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def has(self, *roles: str) -> bool:
        """Tell whether the table has every one of some columns."""
        return all(role in self.roles for role in roles)

    def value(self, row: Row, role: str) -> Value:
        """What stands in a row's cell; None where there is no such column."""
        at = self.roles.get(role)
        return row.cells[at] if at is not None else None

    def text(self, row: Row, role: str) -> str:
        """The same as people read it, nothing for signs that stand for nothing."""
        at = self.roles.get(role)
        value = row.cells[at] if at is not None else None
        if not value:
            return "0" if value == 0 and value != "" else ""
        text = text_of(value).strip()
        return "" if text in BLANKS else text

    def fen(self, row: Row, role: str, *, quiet: bool = False) -> int | None:
        """An amount in fen, None for an empty cell; what is no amount is a fault at its cell."""
        value = self.value(row, role)
        if not isinstance(value, int | float) and (value is None or plain(text_of(value)) in BLANKS):
            return None
        try:
            return fen_of(value, self.unit_of(role))
        except CellError as error:
            if not quiet:
                self.refuse(row, role, f"“{text_of(value)[:30]}”不对，{error}")
            return None

    def unit_of(self, role: str) -> str:
        """The unit of a column of amounts: as its name says, else as the sheet says above the table."""
        at = self.roles.get(role)
        return (unit_of(self.table.columns[at].name) if at is not None else "") or self.unit

    def refuse(self, row: Row, role: str | None, message: str) -> None:
        """Note a fault at a row's cell, or at the row."""
        column = self.roles.get(role) if role is not None else None
        self.faults.append(CellFault(self.table.place(row.at, column), message))

    def leave_out(self, row: Row, reason: str) -> None:
        """Note a row that is not taken, and why."""
        said = "、".join(t for v in row.cells if (t := text_of(v)))
        self.left_out.append((reason, f"{self.table.place(row.at)}：{said[:60]}"))


def reading_of(table: Table, learned: Mapping[str, str], chosen: Mapping[str, str]) -> Reading:
    """A table with what its columns mean: as somebody said for this file, as the agency calls them, as everybody does."""
    roles: dict[str, int] = {}
    for n, column in enumerate(table.columns):
        role = chosen.get(column_key(table, n)) or role_of(column.name, learned)
        if role is not None:
            roles.setdefault(role, n)
    return Reading(table, roles, _unit_above(table.above))


def column_key(table: Table, n: int) -> str:
    """A column by sheet, head and place, as a form's field names it."""
    return f"{table.sheet}|{table.head}|{table.columns[n].at}"


def _unit_above(texts: Iterable[str]) -> str:
    found = re.search(r"单位\s*[:：]\s*(?:人民币)?\s*(万元|元)", " ".join(texts))
    return found[1] if found else ""


def fen_of(value: Value, unit: str = "") -> int:
    """A cell as fen; CellError tells what to write."""
    if isinstance(value, int | float):
        if unit != "万元" and isinstance(value, float) and abs(value) < _PLAIN_YUAN:
            fen_whole = round(value * 100)
            if abs(value * 100 - fen_whole) < _NOISE:
                return fen_whole
        yuan = Decimal(repr(round(value, 6))) * (10_000 if unit == "万元" else 1)
        fen = yuan.scaleb(_FEN)
        if fen != fen.to_integral_value():
            message = f"金额最多到分：{yuan:f} 元小数点后超过两位，请在表里四舍五入后再上传"
            raise CellError(message)
        if abs(fen) > FEN_LIMIT:
            message = "金额太大，请核对有没有多打了数字"
            raise CellError(message)
        return int(fen)
    text = text_of(value)
    if text.strip() in _SAME:
        message = "写的是“同上”，请写出金额"
        raise CellError(message)
    return to_fen_of_wan(text) if unit == "万元" else to_fen(re.sub(r"^(人民币|RMB|CNY)", "", text.strip()))
