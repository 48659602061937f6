"""CSV text into rows, with every fault told in a sentence that names its line and column.

Comes in: text, or bytes as uploaded. Goes out: rows with their line numbers. A file in another encoding than UTF-8,
with a wrong header or torn lines is refused with what to do about it, never half read.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

from services.contracts.values import hidden_sign, hidden_words

_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_WHOLE: Final = re.compile(r"[0-9]{1,6}")
#: Enough to mend a file by; a wrong file altogether would otherwise answer with thousands of sentences.
MAX_FAULTS: Final = 200

AnyChoice = TypeVar("AnyChoice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong; `line` counts from 1 and includes the header, `column` is empty when the whole line is meant.

    `message` is a whole sentence for the operator (Chinese).
    """

    line: int
    column: str
    message: str


class FileFaultsError(ValueError):
    """The file cannot be taken; `faults` says where and why, in the order of lines."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Keep the first 200 faults, at least one."""
        self.faults: list[Fault] = sorted(faults, key=lambda f: f.line)[:MAX_FAULTS]
        super().__init__("\n".join(f.message for f in self.faults))


def fault(line: int, column: str, problem: str) -> Fault:
    """Make a fault whose sentence names its place."""
    place = f"第 {line} 行“{column}”列" if column else f"第 {line} 行"
    return Fault(line, column, f"{place}：{problem}。")


@dataclass(slots=True)
class Row:
    """One line's cells by column, trimmed; readers note a fault and give None, so that all faults are found."""

    line: int
    cells: Mapping[str, str]
    faults: list[Fault] = field(default_factory=list)

    def refuse(self, column: str, problem: str) -> None:
        """Note that a cell is wrong."""
        self.faults.append(fault(self.line, column, problem))

    def text(self, column: str, limit: int = 200) -> str | None:
        """Read text that must be there."""
        value = self.cells[column]
        if not value:
            self.refuse(column, "不能为空，请填写")
        elif len(value) > limit:
            self.refuse(column, f"有 {len(value)} 个字，最多 {limit} 个，请缩短")
        else:
            return value
        return None

    def optional_text(self, column: str) -> str | None:
        """Read text that may be blank."""
        return self.text(column) if self.cells[column] else None

    def matching(self, column: str, shape: re.Pattern[str], wanted: str) -> str | None:
        """Read a code; `wanted` describes its form."""
        value = self.text(column)
        if value is None or shape.fullmatch(value):
            return value
        self.refuse(column, f"“{value}”不对，应为{wanted}")
        return None

    def choice(self, column: str, choices: type[AnyChoice]) -> AnyChoice | None:
        """Read one of a closed list."""
        value = self.text(column)
        if value is None:
            return None
        if value in {c.value for c in choices}:
            return choices(value)
        self.refuse(column, f"“{value}”不在可选值里，请改成 {'、'.join(c.value for c in choices)} 之一")
        return None

    def whole(self, column: str, low: int, high: int) -> int | None:
        """Read a whole number within limits."""
        value = self.text(column)
        if value is None:
            return None
        if _WHOLE.fullmatch(value) and low <= int(value) <= high:
            return int(value)
        self.refuse(column, f"“{value}”不对，应为 {low} 到 {high} 的整数")
        return None


def decoded(data: str | bytes) -> str:
    """Read UTF-8, with or without a byte order mark; FileFaultsError names the encoding it looks like otherwise."""
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    if data.startswith(_UTF16_MARKS):
        raise FileFaultsError(
            [fault(1, "", "文件是 UTF-16 编码（“Unicode 文本”），请另存为“CSV UTF-8（逗号分隔）”再导入")]
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        guess = "像是 GB18030（Excel 默认的“CSV（逗号分隔）”）" if _reads_as_gb18030(data) else "编码无法辨认"
        problem = f"文件不是 UTF-8 编码，{guess}，请另存为“CSV UTF-8（逗号分隔）”再导入"
        raise FileFaultsError([fault(line, "", problem)]) from error


def _reads_as_gb18030(data: bytes) -> bool:
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Split CSV into lines with the number of the line on which each begins; blank lines are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, [cell.strip() for cell in cells]
            begins = reader.line_num + 1
    except csv.Error as error:
        raise FileFaultsError(
            [fault(begins, "", "引号不成对或内容过长，请用表格软件打开后重新另存为 CSV UTF-8")]
        ) from error


def _checked_header(line: int, header: list[str], columns: Sequence[str], optional: Sequence[str]) -> None:
    missing = [c for c in columns if c not in header]
    strange = [c for c in dict.fromkeys(header) if c not in {*columns, *optional}]
    twice = [c for c in (*columns, *optional) if header.count(c) > 1]
    faults = [fault(line, c, "表头缺少这一列，请补上") for c in missing]
    faults += [fault(line, c, f"表头多出这一列，请删去；应有的列是 {','.join((*columns, *optional))}") for c in strange]
    faults += [fault(line, c, "表头里这一列出现了两次，请删去一列") for c in twice]
    if faults:
        raise FileFaultsError(faults)


def _hidden_signs(header: Sequence[str], rest: Sequence[tuple[int, list[str]]]) -> Iterator[Fault]:
    """A fault for each cell with a sign that nobody sees."""
    for line, cells in rest:
        for column, cell in zip(header, cells, strict=True):
            if sign := hidden_sign(cell, lines=True):
                yield fault(line, column, hidden_words(sign))


def read_rows(data: str | bytes, columns: Sequence[str], optional: Sequence[str] = ()) -> list[Row]:
    """Read a file with exactly these columns, in any order; FileFaultsError when its frame is wrong or it is empty.

    `optional` columns may be missing and then read as blank.
    """
    lines = list(_lines(decoded(data)))
    if not lines:
        raise FileFaultsError([fault(1, "", f"文件是空的，第一行应为表头：{','.join(columns)}")])
    (head_line, header), *rest = lines
    _checked_header(head_line, header, columns, optional)
    if not rest:
        raise FileFaultsError([fault(head_line + 1, "", "只有表头，没有数据，请从这一行起填写")])
    torn = [
        fault(line, "", f"有 {len(cells)} 列，应为 {len(header)} 列，请检查逗号和引号")
        for line, cells in rest
        if len(cells) != len(header)
    ]
    if torn:
        raise FileFaultsError(torn)
    if hidden := list(_hidden_signs(header, rest)):
        raise FileFaultsError(hidden)
    blank = dict.fromkeys(optional, "")
    return [Row(line, {**blank, **dict(zip(header, cells, strict=True))}) for line, cells in rest]


def refuse_faulty(rows: Sequence[Row]) -> None:
    """Raise FileFaultsError with the faults of all rows, if there are any."""
    faults = [f for row in rows for f in row.faults]
    if faults:
        raise FileFaultsError(faults)


def note_twins(rows: Sequence[Row], column: str) -> None:
    """Note a fault at every row whose code stood on an earlier line."""
    first: dict[str, int] = {}
    for row in rows:
        value = row.cells[column]
        if value and value in first:
            row.refuse(column, f"“{value}”与第 {first[value]} 行重复，请删去一行或改正代码")
        first.setdefault(value, row.line)
