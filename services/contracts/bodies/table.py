"""A table (表): columns that the author names, rows, stated totals, and sums that have to hold in every row."""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from services.contracts.base import Finding, Model
from services.contracts.bodies.base import MAX_LINES, Content, off
from services.contracts.values import Fen, ShortText, yuan

MAX_COLUMNS: Final = 20
ColumnKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")]


class ColumnType(StrEnum):
    """What stands in a column: words, a person's name (masked on the web), fen, a number of things, a measured number."""

    TEXT = "text"
    NAME = "name"
    AMOUNT = "amount"
    COUNT = "count"
    QUANTITY = "quantity"


class Column(Model):
    """A column. `total`: its sum is stated below the rows; only amounts and counts can be summed."""

    key: ColumnKey
    name: ShortText
    type: ColumnType = ColumnType.TEXT
    unit: ShortText | None = None


class Check(Model):
    """A sum that holds in every row: the `plus` columns less the `minus` columns make the column `equals`."""

    plus: tuple[ColumnKey, ...] = Field(min_length=1)
    minus: tuple[ColumnKey, ...] = ()
    equals: ColumnKey


def _cell(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """Refuse a cell once and at its own place: pydantic would add the name of every type that it is not."""
    try:
        cell = read(value)
    except ValidationError as error:
        message = "应为整数（金额以分为单位）、最多 500 个字的文字，或留空"
        raise ValueError(message) from error
    if isinstance(cell, str) and "\x00" in cell:
        message = "不能含有空字符（NUL）"
        raise ValueError(message)
    return cell


#: A cell: text, fen or a count, or nothing. A quantity is text.
Cell = Annotated[
    Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] | Fen | None, WrapValidator(_cell)
]
#: Columns whose cells are numbers.
SUMMED: Final = frozenset({ColumnType.AMOUNT, ColumnType.COUNT})


class Table(Content):
    """A table. Cells of amount and count columns are integers, all others text; blank is null."""

    kind: Literal["table"] = "table"
    title: ShortText | None = None
    columns: tuple[Column, ...] = Field(min_length=1, max_length=MAX_COLUMNS)
    rows: tuple[tuple[Cell, ...], ...] = Field(max_length=MAX_LINES)
    totals: dict[ColumnKey, Fen] = Field(default_factory=dict, description="stated sums by column key")
    checks: tuple[Check, ...] = Field(default=(), max_length=10)

    @model_validator(mode="after")
    def _rows_fit_the_columns(self) -> Self:
        keys = [c.key for c in self.columns]
        if len(set(keys)) != len(keys):
            message = "同一列出现了两次"
            raise ValueError(message)
        summed = {c.key for c in self.columns if c.type in SUMMED}
        for key in (*self.totals, *(k for c in self.checks for k in (*c.plus, *c.minus, c.equals))):
            if key not in summed:
                message = f"合计和核对只能用金额或数量列，{key} 不是"
                raise ValueError(message)
        for n, row in enumerate(self.rows):
            self._check_row(n, row)
        return self

    def _check_row(self, n: int, row: tuple[Cell, ...]) -> None:
        if len(row) != len(self.columns):
            message = f"第 {n + 1} 行有 {len(row)} 格，应有 {len(self.columns)} 格"
            raise ValueError(message)
        for column, cell in zip(self.columns, row, strict=True):
            is_number = isinstance(cell, int)
            if cell is not None and is_number != (column.type in SUMMED):
                message = f"第 {n + 1} 行“{column.name}”应为{'整数' if column.type in SUMMED else '文字'}"
                raise ValueError(message)

    @property
    def nil(self) -> bool:
        """Tell whether there is nothing to list."""
        return not self.rows

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def measured(self) -> tuple[tuple[str, str], ...]:
        """Cells of quantity columns."""
        places = [m for m, c in enumerate(self.columns) if c.type is ColumnType.QUANTITY]
        return tuple(
            (f"rows[{n}][{m}]", cell)
            for n, row in enumerate(self.rows)
            for m in places
            if isinstance(cell := row[m], str)
        )

    def column_sum(self, key: str) -> int:
        """Sum of an amount or count column; blanks count nothing."""
        place = next(n for n, c in enumerate(self.columns) if c.key == key)
        return sum(cell for row in self.rows if isinstance(cell := row[place], int))

    def findings(self, period: str) -> tuple[Finding, ...]:
        """Stated totals that the rows do not make, and rows whose sum does not hold."""
        return (*super().findings(period), *self._total_findings(), *self._check_findings())

    def _words(self, key: str, number: int) -> str:
        column = next(c for c in self.columns if c.key == key)
        return f"{yuan(number)} 元" if column.type is ColumnType.AMOUNT else f"{number} {column.unit or ''}".strip()

    def _total_findings(self) -> tuple[Finding, ...]:
        return tuple(
            off(
                "table.total",
                f"body.totals.{key}",
                f"合计 {self._words(key, stated)}与逐行相加 {self._words(key, summed)}不符，请核对。",
            )
            for key, stated in self.totals.items()
            if stated != (summed := self.column_sum(key))
        )

    def _check_findings(self) -> tuple[Finding, ...]:
        place = {c.key: n for n, c in enumerate(self.columns)}
        found = []
        for n, row in enumerate(self.rows):
            for check in self.checks:
                if not isinstance(stated := row[place[check.equals]], int):
                    continue
                made = sum(int(row[place[k]] or 0) for k in check.plus) - sum(
                    int(row[place[k]] or 0) for k in check.minus
                )
                if made != stated:
                    name = next(c.name for c in self.columns if c.key == check.equals)
                    message = f"第 {n + 1} 行“{name}”写的是 {self._words(check.equals, stated)}，算出来是 {self._words(check.equals, made)}，请核对。"
                    found.append(off("table.row", f"body.rows[{n}][{place[check.equals]}]", message))
        return tuple(found)
