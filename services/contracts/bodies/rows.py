"""Rows of a table: which are data, which head a group, and which only add others up (合计, 小计, 共计 …)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from services.contracts.bodies.columns import NUMBERS, WORDS, Cell, Column, ColumnType, Row, bare_name, number


class RowKind(StrEnum):
    """`apart` rows are neither data nor a sum of it: a balance left over (结余), a part told again (其中)."""

    DATA = "data"
    HEADING = "heading"
    SUBTOTAL = "subtotal"
    TOTAL = "total"
    APART = "apart"


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row as understood. `group`: of which kind of thing it is; `makes`: what the rows that it sums make, by column.

    `makes` is empty where it is not known which rows a sum is of, and None in a column with more than plain numbers.
    """

    kind: RowKind
    group: str = ""
    label: str = ""
    makes: tuple[int | None, ...] = ()

    @property
    def is_sum(self) -> bool:
        """Tell whether the row repeats what others say."""
        return self.kind in {RowKind.SUBTOTAL, RowKind.TOTAL}


# -- words --------------------------------------------------------------------------------------------------------

_SUM: Final = re.compile(
    r"(?P<what>.*?)(?P<word>总合计|总计|共计|合计|小计|累计|总和|总额|总数)(数|金额|人数|户数|面积)?"
)
_ALL: Final = re.compile(
    r"|[全总共]|全(村|镇|乡|县|市|街道|部|体|年)|本(村|页|表|次|批|期|季度?|月|年度?)|以上|上述|各[项组村户镇]"
    r"|[二两三四五六七八九十0-9]+[项类组户村镇个人]+"
)
#: A sum of more than the table holds: 本年累计.
_MORE_THAN_SHOWN: Final = re.compile(r"年|月|季|期|初|历")
_BALANCE: Final = re.compile(r"(收支)?(结余|盈余|差额|净额|收支差|余额)(数|金额)?")
_PART: Final = re.compile(r"其中")
_NUMBERED: Final = re.compile(r"[一二三四五六七八九十]+[、.\uff0e]|[（(][一二三四五六七八九十\d]+[）)]|以下[为是]")
_CHAPTER: Final = re.compile(r"[一二三四五六七八九十]+[、.\uff0e]")
#: Words at the end of a label that tell the kind of thing, where no column does.
_KINDS: Final = (
    ("收入", re.compile(r"收入$")),
    ("支出", re.compile(r"(支出|费用|开支)$")),
    ("债权", re.compile(r"债权$")),
    ("债务", re.compile(r"债务$")),
    ("资产", re.compile(r"资产$")),
    ("负债", re.compile(r"负债$")),
)
#: Words that may stand in a column of groups: unlike things that nobody adds up.
UNLIKE: Final = frozenset(
    {
        "债权",
        "债务",
        "收入",
        "支出",
        "收",
        "支",
        "收方",
        "支方",
        "应收",
        "应付",
        "应收款",
        "应付款",
        "资产",
        "负债",
        "资源",
    }
    | {"借入", "借出", "来源", "使用", "资金来源", "资金使用", "增加", "减少"}
)
_GROUP_NAMES: Final = re.compile(
    r"债权(或|/|、|与|和)?债务|收入(或|/|、|与|和)?支出|收支(类别|方向|项目|类型)?|资金(来源|性质|类别)|分组|组别"
)


def plain_words(cell: Cell) -> str:
    """A cell's words without white space, brackets around or behind, and the colon at the end."""
    text = re.sub(r"\s", "", cell) if isinstance(cell, str) else ""
    text = text.strip(":：")
    while len(text) > 2 and text[0] in "（([【" and text[-1] in "）)]】":  # noqa: PLR2004 - brackets around something
        text = text[1:-1]
    return re.sub(r"(?<=.)[（(\[【][^）)\]】]*[）)\]】]$", "", text).strip(":：")


def sum_words(texts: Sequence[Cell]) -> tuple[str, str] | None:
    """What a row says it adds up, and the word for it, from the first cell that is such a word: `债权合计` -> 债权, 合计."""
    for text in texts:
        # Most cells are read no further: tables have tens of thousands of them.
        if not isinstance(text, str) or not any(sign in text for sign in "计总"):
            continue
        match = _SUM.fullmatch(plain_words(text))
        if match is not None:
            return match["what"], match["word"]
    return None


def is_sum_label(text: str) -> bool:
    """Tell whether words only name a sum of whatever stands above (合计, 全村共计): nobody is called so."""
    found = sum_words([text])
    return found is not None and (_ALL.fullmatch(found[0]) is not None or found[0] in UNLIKE)


# -- groups -------------------------------------------------------------------------------------------------------


def group_column(columns: Sequence[Column], rows: Sequence[Row]) -> int | None:
    """The column whose words tell unlike things apart, by its name or by what stands in it."""
    for n, column in enumerate(columns):
        if column.type is ColumnType.TEXT and _tells_groups(column, [row[n] for row in rows]):
            return n
    return None


def _tells_groups(column: Column, cells: Sequence[Cell]) -> bool:
    is_named = _GROUP_NAMES.fullmatch(bare_name(column.name)) is not None
    kinds: set[str] = set()
    count = 0
    for cell in cells:
        said = plain_words(cell)
        if not said or _SUM.fullmatch(said):
            continue
        if not is_named and said not in UNLIKE:
            return False
        kinds.add(said)
        count += 1
    return (is_named and len(kinds) < count) or (len(kinds) > 1 and kinds <= UNLIKE)


def _heading(columns: Sequence[Column], row: Row) -> str | None:
    """The words of a row that only heads the ones below: 一、收入."""
    filled = [cell for cell in row if cell not in (None, "")]
    if len(filled) != 1 or not isinstance(filled[0], str) or not any(c.type in NUMBERS for c in columns):
        return None
    words = plain_words(filled[0])
    if words in UNLIKE or _NUMBERED.match(filled[0].strip()):
        return _NUMBERED.sub("", words, count=1) or words
    return None


def _kind_of_label(label: str) -> str:
    return next((group for group, ends in _KINDS if ends.search(label)), "")


# -- reading ------------------------------------------------------------------------------------------------------


def read_rows(columns: Sequence[Column], rows: Sequence[Row], group_at: int | None) -> tuple[ReadRow, ...]:
    """Understand every row, in order."""
    found = _Reading(columns, rows, group_at).read()
    if group_at is None and not any(r.group for r in found if r.kind is RowKind.DATA):
        return _grouped_by_label(columns, found)
    return found


def _grouped_by_label(columns: Sequence[Column], found: tuple[ReadRow, ...]) -> tuple[ReadRow, ...]:
    """Rows 经营收入, 管理费用 … tell by their own names that they are unlike; `?` is what tells nothing among these."""
    if not any(c.type is ColumnType.AMOUNT for c in columns):
        return found
    kinds = {_kind_of_label(r.label) for r in found if r.kind is RowKind.DATA} - {""}
    if len(kinds) < 2:  # noqa: PLR2004 - one kind is no difference
        return found
    return tuple(replace(r, group=_kind_of_label(r.label) or UNKNOWN) if r.kind is RowKind.DATA else r for r in found)


#: The group of a row that does not tell its own among rows that do: then nothing is added up.
UNKNOWN: Final = "?"


class Heap:
    """Rows added up column by column as they come, so that many sums in one table cost no more than one."""

    def __init__(self, width: int) -> None:
        """Begin with no row; `width` is the number of columns."""
        self.rows = 0
        self._sums = [0] * width
        self._spoilt = [False] * width

    def take(self, values: Sequence[tuple[int, int | None]]) -> None:
        """Add a row's numbers by place; None is a cell that should be a number and is none (约50): it spoils its column."""
        self.rows += 1
        for n, value in values:
            if value is None:
                self._spoilt[n] = True
            else:
                self._sums[n] += value

    def makes(self) -> tuple[int | None, ...]:
        """What the rows so far make, column by column; None for a spoilt one."""
        return tuple(None if bad else made for made, bad in zip(self._sums, self._spoilt, strict=True))


def values(columns: Sequence[Column], row: Row) -> list[tuple[int, int | None]]:
    """The cells of a row's number columns that are not blank, by place."""
    return [
        (n, number(column, cell))
        for n, (column, cell) in enumerate(zip(columns, row, strict=True))
        if column.type in NUMBERS and cell not in (None, "")
    ]


class _Reading:
    """One pass over the rows: `block` are data rows since the last sum or heading, `data` all of them."""

    def __init__(self, columns: Sequence[Column], rows: Sequence[Row], group_at: int | None) -> None:
        self._columns, self._rows, self._group_at = columns, rows, group_at
        self._words = [n for n, c in enumerate(columns) if c.type in WORDS]
        self._data, self._block = self._heap(), self._heap()
        self._groups: dict[str, Heap] = {}
        self._block_words: list[str] = []
        self._section = self._said = ""
        sums = [s for row in rows if (s := self._sum_words(row))]
        self._has_other_total = any(word not in {"小计", "累计"} for _, word in sums)

    def read(self) -> tuple[ReadRow, ...]:
        """Every row in turn, with its kind and its group."""
        return tuple(self._leading_sum(n) or self._read(row) for n, row in enumerate(self._rows))

    def _leading_sum(self, n: int) -> ReadRow | None:
        """A row 一、收入 with a figure above the rows that make it."""
        row = self._rows[n]
        named = next((str(row[m]).strip() for m in self._words if row[m]), "")
        if not _CHAPTER.match(named) or not values(self._columns, row):
            return None
        below = self._heap()
        for other in self._rows[n + 1 :]:
            label = next((str(other[m]).strip() for m in self._words if other[m]), "")
            if _CHAPTER.match(label) or self._sum_words(other) is not None:
                break
            below.take(values(self._columns, other))
        if not below.rows or not self._matches(row, below):
            return None
        label = plain_words(named)
        said = sum_words([_CHAPTER.sub("", label, count=1)])
        self._section = said[0] if said else _CHAPTER.sub("", label, count=1)
        self._new_block()
        return ReadRow(RowKind.SUBTOTAL, self._section, label, below.makes())

    def _heap(self) -> Heap:
        return Heap(len(self._columns))

    def _sum_words(self, row: Row) -> tuple[str, str] | None:
        return sum_words([row[n] for n in self._words])

    def _label(self, row: Row) -> str:
        texts = (plain_words(row[n]) for n in self._words if n != self._group_at)
        return next((text for text in texts if text), "")

    def _own_group(self, row: Row) -> str:
        """What the row itself says of its group."""
        said = plain_words(row[self._group_at]) if self._group_at is not None else ""
        return "" if _SUM.fullmatch(said) else said

    def _read(self, row: Row) -> ReadRow:
        heading, label = _heading(self._columns, row), self._label(row)
        if heading is not None:
            self._section = heading
            self._new_block()
            return ReadRow(RowKind.HEADING, heading, label)
        words = self._sum_words(row)
        if words is not None and (read := self._sum_row(row, *words)) is not None:
            self._new_block()
            return read
        # A cell merged over several rows is blank in all but the first.
        self._said = self._own_group(row) or self._said
        group = self._said or self._section
        if _BALANCE.fullmatch(label) or _PART.match(label):
            return ReadRow(RowKind.APART, group, label)
        found = values(self._columns, row)
        for heap in (self._data, self._block, self._groups.setdefault(group, self._heap())):
            heap.take(found)
        self._block_words += [cell for n in self._words if isinstance(cell := row[n], str)]
        return ReadRow(RowKind.DATA, group, label)

    def _new_block(self) -> None:
        self._block, self._block_words = self._heap(), []

    def _sum_row(self, row: Row, what: str, word: str) -> ReadRow | None:
        """A sum; None when a row that sounds like one is data: 养老保险合计 may be a kind of its own."""
        group, label = self._own_group(row), f"{what}{word}"
        of_all = _ALL.fullmatch(what) is not None
        own = self._groups.get(what) if not of_all else None
        if word == "累计" and (self._has_other_total or _MORE_THAN_SHOWN.search(what)):
            return ReadRow(RowKind.TOTAL, group, label)
        if not of_all and own is None and not self._is_of_block(row, what):
            return None
        if word == "小计" or not of_all:
            known = own or self._groups.get(group or self._said)
            return ReadRow(RowKind.SUBTOTAL, group or what, label, self._best(row, known, self._block))
        all_of_it = self._groups.get(group) if group else self._data
        return ReadRow(RowKind.TOTAL, group, label, self._best(row, all_of_it, self._block))

    def _is_of_block(self, row: Row, what: str) -> bool:
        if self._block.rows > 1 and self._matches(row, self._block) > 0:
            return True
        # Joined once and kept so: a table in which every row asks is still read in one go.
        self._block_words = ["\n".join(self._block_words)]
        return what in self._block_words[0]

    def _best(self, row: Row, *options: Heap | None) -> tuple[int | None, ...]:
        """Of several sets of rows that a sum may be of, the one that it agrees with most; of equals the first."""
        usable = [o for o in options if o is not None and o.rows]
        return max(usable, key=lambda o: self._matches(row, o)).makes() if usable else ()

    def _matches(self, row: Row, heap: Heap) -> int:
        made = heap.makes()
        return sum(1 for n, said in values(self._columns, row) if said and said == made[n])
