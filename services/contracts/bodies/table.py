"""A table (表): columns that the author names, rows, stated totals, and sums that have to hold in every row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from services.contracts.base import Finding, Model
from services.contracts.bodies.base import MAX_LINES, Content, measured, off
from services.contracts.bodies.columns import (
    NUMBERS,
    SUMMED,
    Cell,
    Column,
    ColumnKey,
    ColumnType,
    adds_up,
    counts_people_of_schemes,
    in_wan,
    number,
    number_words,
    unit_of,
)
from services.contracts.bodies.rows import (
    UNKNOWN,
    Heap,
    ReadRow,
    RowKind,
    group_column,
    is_sum_label,
    read_rows,
    values,
)
from services.contracts.checks import Check as Comparison
from services.contracts.checks import count_check, money_check
from services.contracts.values import Fen, ShortText

MAX_COLUMNS: Final = 20
#: A stated total of a measured number, as written.
Total = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,4})?$")]


class Check(Model):
    """A sum that holds in every row: the `plus` columns less the `minus` columns make the column `equals`."""

    plus: tuple[ColumnKey, ...] = Field(min_length=1)
    minus: tuple[ColumnKey, ...] = ()
    equals: ColumnKey


@dataclass(frozen=True, slots=True)
class _Compared:
    """A number that the author states beside the one that the table makes; `sentence` is for a difference."""

    code: str
    at: str
    label: str
    sentence: str
    column: Column
    stated: int
    computed: int

    @property
    def check(self) -> Comparison:
        """Stated and computed side by side, in the column's unit, as people read them."""
        if self.column.type is ColumnType.AMOUNT:
            return money_check(self.code, self.at, self.label, self.stated, self.computed)
        said, made = (
            (measured(n) if self.column.type is ColumnType.QUANTITY else n) for n in (self.stated, self.computed)
        )
        return count_check(self.code, self.at, self.label, said, made, unit_of(self.column))


class Table(Content):
    """A table. Cells of amount and count columns are integers, all others texts; blank is null.

    Rows that only add others up (合计, 小计, 共计 …) are understood as such: they are checked, not counted again.
    """

    kind: Literal["table"] = "table"
    title: ShortText | None = None
    columns: tuple[Column, ...] = Field(min_length=1, max_length=MAX_COLUMNS)
    rows: tuple[tuple[Cell, ...], ...] = Field(max_length=MAX_LINES)
    totals: dict[ColumnKey, Fen] = Field(default_factory=dict, description="stated sums by column key")
    quantity_totals: dict[ColumnKey, Total] = Field(
        default_factory=dict, description="stated sums of quantity columns, as written"
    )
    group_by: ColumnKey | None = Field(
        default=None, description="the text column that tells unlike rows apart (债权、债务): subtotals, no grand total"
    )
    checks: tuple[Check, ...] = Field(default=(), max_length=10)

    @model_validator(mode="after")
    def _rows_fit_the_columns(self) -> Self:
        keys = [c.key for c in self.columns]
        if len(set(keys)) != len(keys):
            message = "同一列出现了两次"
            raise ValueError(message)
        summed = {c.key for c in self.columns if c.type in SUMMED}
        names = {c.key: c.name for c in self.columns}
        for key in (*self.totals, *(k for c in self.checks for k in (*c.plus, *c.minus, c.equals))):
            if key not in summed:
                message = f"合计和核对只能用金额或数量的列，“{names.get(key, '没有的列')}”不是"
                raise ValueError(message)
        self._check_new_keys()
        for n, row in enumerate(self.rows):
            self._check_row(n, row)
        return self

    def _check_new_keys(self) -> None:
        types = {c.key: c.type for c in self.columns}
        for key in self.quantity_totals:
            if types.get(key) is not ColumnType.QUANTITY:
                name = next((c.name for c in self.columns if c.key == key), "没有的列")
                message = f"带小数的合计只能用带小数的数量列，“{name}”不是"
                raise ValueError(message)
        if self.group_by is not None and types.get(self.group_by) is not ColumnType.TEXT:
            name = next((c.name for c in self.columns if c.key == self.group_by), "没有的列")
            message = f"只能按文字列分组，“{name}”不是"
            raise ValueError(message)

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
        """Cells and stated totals of quantity columns."""
        places = [m for m, c in enumerate(self.columns) if c.type is ColumnType.QUANTITY]
        cells = tuple(
            (f"rows[{n}][{m}]", cell)
            for n, row in enumerate(self.rows)
            for m in places
            if isinstance(cell := row[m], str)
        )
        return (*cells, *((f"quantity_totals.{key}", stated) for key, stated in self.quantity_totals.items()))

    # -- rows and columns as understood ---------------------------------------------------------------------------

    @property
    def group_place(self) -> int | None:
        """The column of groups: the one that was said, else the one that looks like it."""
        if self.group_by is not None:
            return self._place(self.group_by)
        return group_column(self.columns, self.rows)

    def read(self) -> tuple[ReadRow, ...]:
        """Every row as understood: data, headings, sums."""
        return read_rows(self.columns, self.rows, self.group_place)

    def adds_up(self, place: int) -> bool:
        """Tell whether adding up a column's cells means anything."""
        return adds_up(self.columns, self.rows, place)

    def _place(self, key: str) -> int:
        return next(n for n, c in enumerate(self.columns) if c.key == key)

    def settled(self) -> Self:
        """The table with everything said that a new one has to say of its columns: whether they may be summed."""
        columns = []
        for n, column in enumerate(self.columns):
            may = self.adds_up(n)
            if may and counts_people_of_schemes(self.columns, n):
                # Only who writes such a sum among the rows vouches that nobody is counted twice.
                may = any(r.is_sum and row[n] for r, row in zip(self.read(), self.rows, strict=True))
            is_open = column.type in NUMBERS and column.sum is None
            columns.append(column.model_copy(update={"sum": may}) if is_open else column)
        return self.model_copy(update={"columns": tuple(columns)})

    # -- sums -----------------------------------------------------------------------------------------------------

    def column_sum(self, key: str) -> int | None:
        """Sum of a column's data in fen, things or ten-thousandths; None where more than plain numbers stand."""
        return self._heaps(self.read(), whole=True)[""].makes()[self._place(key)]

    def _heaps(self, read: Sequence[ReadRow], *, whole: bool) -> dict[str, Heap]:
        """The data added up, by group or as a whole."""
        heaps = {"": Heap(len(self.columns))} if whole else {}
        for r, row in zip(read, self.rows, strict=True):
            if r.kind is RowKind.DATA:
                heaps.setdefault("" if whole else r.group, Heap(len(self.columns))).take(values(self.columns, row))
        return heaps

    def sums(self) -> tuple[tuple[str, tuple[int | None, ...]], ...]:
        """What may be added up, by group and column: one sum of all rows, or one of each group of unlike ones.

        None in columns that are not to be added up; nothing where some rows do not tell what they are.
        """
        shown = [self.adds_up(n) and self._is_no_double_count(n) for n in range(len(self.columns))]
        heaps = self._heaps(self.read(), whole=False)
        if UNKNOWN in heaps or not any(shown):
            return ()
        made = ((g, h.makes()) for g, h in heaps.items())
        return tuple((g, tuple(m if ok else None for m, ok in zip(cells, shown, strict=True))) for g, cells in made)

    def _is_no_double_count(self, place: int) -> bool:
        """People of several schemes are added up only where the author did so with a word of his own."""
        return self.columns[place].sum is True or not counts_people_of_schemes(self.columns, place)

    # -- findings -------------------------------------------------------------------------------------------------

    def findings(self, period: str) -> tuple[Finding, ...]:
        """Stated totals and sums among the rows that the rows do not make, and rows whose own sum does not hold."""
        told = [off(c.code, c.at, c.sentence) for c in self._compared() if c.stated != c.computed]
        return (*super().findings(period), *self._unit_findings(), *self._twice_findings(), *told)

    def compare(self, period: str) -> tuple[Comparison, ...]:
        """Every stated sum beside the one of the rows; of the rows' own sums those that do not hold."""
        return (*super().compare(period), *(c.check for c in self._compared()))

    def _compared(self) -> tuple[_Compared, ...]:
        read = self.read()
        in_rows = tuple(self._sum_rows(read))
        said = {(c.column.key, c.stated) for c in in_rows if c.stated != c.computed}
        below = tuple(c for c in self._stated_totals(read) if (c.column.key, c.stated) not in said)
        return (*below, *in_rows, *self._row_checks(read))

    def _unit_findings(self) -> tuple[Finding, ...]:
        return tuple(
            off(
                "table.unit",
                f"body.columns[{n}].unit",
                f"“{c.name}”的单位写的是{unit_of(c)}，数却是按元登记的，请打开核对后重新保存。",
            )
            for n, c in enumerate(self.columns)
            if c.sum is None and in_wan(c) and any(row[n] for row in self.rows)
        )

    def _twice_findings(self) -> tuple[Finding, ...]:
        """One person in two rows that are alike in everything."""
        people = [n for n, c in enumerate(self.columns) if c.type is ColumnType.NAME]
        first: dict[tuple[Cell, ...], int] = {}
        found = []
        for n, (read, row) in enumerate(zip(self.read(), self.rows, strict=True)):
            named = next((m for m in people if row[m]), None)
            if named is None or read.kind is not RowKind.DATA or (before := first.setdefault(row, n)) == n:
                continue
            message = (
                f"第 {n + 1} 行和第 {before + 1} 行完全一样，像是一个人写了两次。写重了请删去一行；没有写重请说明原因。"
            )
            found.append(off("table.twice", f"body.rows[{n}][{named}]", message))
        return tuple(found)

    def _stated_totals(self, read: Sequence[ReadRow]) -> Iterator[_Compared]:
        stated: dict[str, tuple[str, int | None]] = {key: ("totals", value) for key, value in self.totals.items()}
        for key, text in self.quantity_totals.items():
            stated[key] = ("quantity_totals", number(self.columns[self._place(key)], text))
        made = self._heaps(read, whole=True)[""].makes() if stated else ()
        for key, (field, said) in stated.items():
            place = self._place(key)
            column, computed = self.columns[place], made[place]
            is_checked = self.adds_up(place) or counts_people_of_schemes(self.columns, place)
            if said is None or computed is None or not is_checked:
                continue
            words = f"合计 {number_words(column, said)}与逐行相加 {number_words(column, computed)}不符，请核对。"
            label = f"写的“{column.name}”合计，和逐行相加"
            yield _Compared("table.total", f"body.{field}.{key}", label, words, column, said, computed)

    def _sum_rows(self, read: Sequence[ReadRow]) -> Iterator[_Compared]:
        summed = [(m, c) for m, c in enumerate(self.columns) if self.adds_up(m)]
        for n, r in enumerate(read):
            for m, column in summed if r.is_sum and r.makes else ():
                said, computed = number(column, self.rows[n][m]), r.makes[m]
                if said is None or computed is None:
                    continue
                words = (
                    f"第 {n + 1} 行“{r.label}”的“{column.name}”写的是 {number_words(column, said)}，"
                    f"上面各行相加是 {number_words(column, computed)}，请核对。"
                )
                # Whose sum it is may be a person's name, and a check is public.
                name = r.label if is_sum_label(r.label) else f"第{n + 1}行小计"
                label = f"{name}一行的“{column.name}”，和上面各行相加"
                yield _Compared("table.total", f"body.rows[{n}][{m}]", label, words, column, said, computed)

    def _row_checks(self, read: Sequence[ReadRow]) -> Iterator[_Compared]:
        sums = [c for c in self.checks if self._makes_sense(c)]
        place = {c.key: n for n, c in enumerate(self.columns)}
        for n, (r, row) in enumerate(zip(read, self.rows, strict=True)):
            for check in sums if r.kind in {RowKind.DATA, RowKind.APART} else ():
                at = place[check.equals]
                if not isinstance(stated := row[at], int):
                    continue
                made = sum(int(row[place[k]] or 0) for k in check.plus) - sum(
                    int(row[place[k]] or 0) for k in check.minus
                )
                if made != stated:
                    column = self.columns[at]
                    words = f"第 {n + 1} 行“{column.name}”写的是 {number_words(column, stated)}，算出来是 {number_words(column, made)}，请核对。"
                    label = f"第{n + 1}行的“{column.name}”，和同一行算出来的"
                    yield _Compared("table.row", f"body.rows[{n}][{at}]", label, words, column, stated, made)

    def _makes_sense(self, check: Check) -> bool:
        """A check left over from columns that are prices or years by now is none; bodies say so themselves today."""
        places = [self._place(key) for key in (*check.plus, *check.minus, check.equals)]
        return all(self.columns[n].sum is not None or self.adds_up(n) for n in places)


__all__ = ["SUMMED", "Cell", "Check", "Column", "ColumnKey", "ColumnType", "Table", "Total"]
