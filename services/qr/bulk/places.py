"""The file of what hangs where: CSV in, wanted codes and places out, every fault with its line and column.

A row without 码号 wants a new code; one with it tells where a code hangs that was issued before.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from services.contracts.catalogue import Item
from services.contracts.code import CodeKind, read_code
from services.contracts.division import Division
from services.contracts.values import hidden_sign, hidden_words
from services.contracts.words import CODE_KINDS
from services.qr.bulk.targets import Target, faults_of, read_month

COLUMNS: Final = ("村", "用途", "位置", "名称", "事项", "公开期", "码号")
_NEEDED: Final = ("村", "用途")
MAX_ROWS: Final = 2000
MAX_BYTES: Final = 900_000
_MOST_FAULTS: Final = 200
_LONGEST: Final = 200
_SCIENTIFIC: Final = re.compile(r"\d(\.\d+)?E\+?\d+", re.IGNORECASE)
_KINDS: Final = {**{word: kind for kind, word in CODE_KINDS.items()}, **{kind.value: kind for kind in CodeKind}}
_COLUMN_OF: Final = {"place": "位置", "subject": "名称", "item": "事项", "period": "公开期"}


@dataclass(frozen=True, slots=True)
class PlaceFault:
    """One thing wrong; `line` counts from 1 with the head, `column` is empty where the whole line is meant."""

    line: int
    column: str
    problem: str

    def sentence(self) -> str:
        """The fault with its place."""
        column = f"“{self.column}”列" if self.column else ""
        return f"第 {self.line} 行{column}：{self.problem}。"


class PlaceFaultsError(ValueError):
    """The file cannot be taken; `faults` says where and why."""

    def __init__(self, faults: Sequence[PlaceFault]) -> None:
        """Keep the first of them, by line."""
        self.faults = sorted(faults, key=_line)[:_MOST_FAULTS]
        super().__init__("\n".join(f.sentence() for f in self.faults))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row: a village, what for, and the code that hangs there when it was issued before."""

    line: int
    village: str
    target: Target
    code: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """What a file is read against: the villages within the sender's reach and the catalogue of a day."""

    villages: Sequence[Division]
    items: Mapping[str, Item]
    today: date

    def find(self, text: str) -> list[Division]:
        """Villages of a code or a name."""
        return [v for v in self.villages if text in {v.code, v.now.name}]


@dataclass(slots=True)
class _Row:
    line: int
    cells: Mapping[str, str]
    faults: list[PlaceFault] = field(default_factory=list)

    def refuse(self, column: str, problem: str) -> None:
        self.faults.append(PlaceFault(self.line, column, problem))

    def cell(self, column: str) -> str | None:
        return self.cells.get(column) or None


def read_places(data: bytes, known: Known) -> list[Wanted]:
    """Read a file whole; PlaceFaultsError with all its faults."""
    rows = _rows(data)
    wanted = [_wanted(row, known) for row in rows]
    _note_twins(rows, wanted)
    if faults := [f for row in rows for f in row.faults]:
        raise PlaceFaultsError(faults)
    return [w for w in wanted if w is not None]


def _line(fault: PlaceFault) -> int:
    return fault.line


def _refuse(line: int, column: str, problem: str) -> PlaceFaultsError:
    return PlaceFaultsError([PlaceFault(line, column, problem)])


def _text(data: bytes) -> str:
    """As UTF-8, or as the spreadsheet programs here write CSV."""
    if len(data) > MAX_BYTES:
        raise _refuse(1, "", f"文件太大，最多 {MAX_BYTES // 1000} KB，请分成几个文件")
    if data.startswith(b"PK"):
        raise _refuse(1, "", "这是 Excel 工作簿，请用“另存为”存成“CSV UTF-8（逗号分隔）”再导入")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _refuse(1, "", "看不懂文件的文字，请用表格软件另存为“CSV UTF-8（逗号分隔）”再导入")


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, [cell.strip() for cell in cells]
            begins = reader.line_num + 1
    except csv.Error as error:
        raise _refuse(begins, "", "引号不成对，请用表格软件打开后重新另存为 CSV") from error


def _head_faults(line: int, head: Sequence[str]) -> Iterator[PlaceFault]:
    for column in (c for c in _NEEDED if c not in head):
        yield PlaceFault(line, column, "表头缺少这一列，请补上")
    for column in (c for c in dict.fromkeys(head) if c not in COLUMNS):
        yield PlaceFault(line, column, f"表头多出这一列，请删去；可以有的列是 {','.join(COLUMNS)}")
    for column in (c for c in COLUMNS if head.count(c) > 1):
        yield PlaceFault(line, column, "表头里这一列出现了两次，请删去一列")


def _frame_faults(head: Sequence[str], rest: Sequence[tuple[int, list[str]]]) -> Iterator[PlaceFault]:
    if len(rest) > MAX_ROWS:
        yield PlaceFault(rest[MAX_ROWS][0], "", f"一个文件最多 {MAX_ROWS} 行，请分成几个文件")
    for line, cells in rest:
        if len(cells) != len(head):
            yield PlaceFault(line, "", f"有 {len(cells)} 列，应为 {len(head)} 列，请检查逗号和引号")


def _rows(data: bytes) -> list[_Row]:
    lines = list(_lines(_text(data)))
    if not lines:
        raise _refuse(1, "", f"文件是空的，第一行应为：{','.join(COLUMNS)}")
    (head_line, head), *rest = lines
    faults = [*_head_faults(head_line, head), *_frame_faults(head, rest)]
    if not faults and not rest:
        raise _refuse(head_line + 1, "", "只有表头，没有数据，请从这一行起填写")
    if faults:
        raise PlaceFaultsError(faults)
    return [_Row(line, dict(zip(head, cells, strict=True))) for line, cells in rest]


def _check_cells(row: _Row) -> None:
    for column, cell in row.cells.items():
        if sign := hidden_sign(cell, lines=False):
            row.refuse(column, hidden_words(sign))
        elif len(cell) > _LONGEST:
            row.refuse(column, f"有 {len(cell)} 个字，最多 {_LONGEST} 个，请缩短")


def _wanted(row: _Row, known: Known) -> Wanted | None:
    _check_cells(row)
    village, kind, code = _village(row, known), _kind(row), _code(row)
    if kind is None or village is None or row.faults:
        return None
    month = row.cell("公开期")
    target = Target(kind, row.cell("位置"), row.cell("事项"), read_month(month) if month else None, row.cell("名称"))
    if code is not None and target.place is None:
        row.refuse("位置", "这一行有码号，请写明它挂在哪里")
    # What a code is for was looked at when it was issued; the file tells where it hangs.
    for name, problem in faults_of(target, known.items, known.today):
        if code is None or name == "place":
            row.refuse(_COLUMN_OF[name], problem)
    return Wanted(row.line, village, target, code)


def _village(row: _Row, known: Known) -> str | None:
    text = row.cell("村")
    if text is None:
        row.refuse("村", "不能为空，请填村名或12位代码")
        return None
    found = known.find(text)
    if len(found) > 1:
        row.refuse("村", f"有 {len(found)} 个村叫“{text}”，请改填12位代码")
    elif not found and _SCIENTIFIC.fullmatch(text):
        row.refuse("村", f"“{text}”是表格软件把代码改成了科学记数，请把该列设为文本后重填")
    elif not found:
        row.refuse("村", f"您管辖的范围里没有“{text}”，请核对村名或12位代码")
    else:
        return found[0].code
    return None


def _kind(row: _Row) -> CodeKind | None:
    text = row.cell("用途")
    if text in _KINDS:
        return _KINDS[text]
    row.refuse("用途", f"“{text or ''}”不在可选值里，请改成 {'、'.join(CODE_KINDS.values())} 之一")
    return None


def _code(row: _Row) -> str | None:
    text = row.cell("码号")
    if text is None:
        return None
    code = read_code(text)
    if code is None:
        row.refuse("码号", f"“{text}”不是码号，码号是8位数字和字母；要发新码请留空")
    return code


def _note_twins(rows: Sequence[_Row], wanted: Sequence[Wanted | None]) -> None:
    first: dict[object, int] = {}
    for row, each in zip(rows, wanted, strict=True):
        if each is None:
            continue
        same: object = each.code or (each.village, each.target)
        if same in first:
            row.refuse("", f"与第 {first[same]} 行相同，请删去一行")
        first.setdefault(same, row.line)
