"""Tables in a sheet: where their heads are, what stands above, and which rows are none of them; pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from services.ingest.bulk.cells import plain
from services.ingest.workbooks.words import bare, is_known, is_part
from services.ingest.workbooks.workbook import Value, Worksheet, letters, text_of

_MAX_HEAD: Final = 5
_ENOUGH: Final = 2
#: Longer than names of columns are.
_LONG_NAME: Final = 20
_MARKS: Final = re.compile(
    r"[NCDTncdt]|数值|文本|字符|日期型|[甲乙丙丁戊己庚辛]|[（(]?\d{1,2}[）)]?|[A-Z]{1,2}|[A-Z]{1,3}\d?=.*"
)
_NUMBER: Final = re.compile(r"[-+¥￥(（]?\d[\d,，.]*%?[)）]?(元|万元|万)?")
_NOTE: Final = re.compile(r"^(备注|说明|注|附注|填表说明|编制说明)\s*[:：\d、]|^注[:：]?")
_SIGNED: Final = re.compile(
    r"(制表|填表|制单|审核|复核|主管|会计|出纳|记账|负责人|监督|书记|主任|经办|公章|盖章|签字|监制|打印|单位负责人|理财小组|村民代表)[^，。]{0,12}[:：]"
)
#: Boards have several sections on one sheet, each with a number.
_SECTION: Final = re.compile(r"^[一二三四五六七八九十]{1,3}[、.\uff0e]\s*\S{2,20}$")
_NUMBERED: Final = re.compile(r"^[一二三四五六七八九十]{1,3}、\S{2,20}$")
#: `项目名称：三组路` says something, and names no column.
_SAID: Final = re.compile(r"[:：].")
_PAGE: Final = re.compile(r"^第?\s*\d+\s*页|^共\s*\d+\s*页|^[—-]\s*\d+\s*[—-]$|^打印(时间|日期)")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its place in the sheet (counted from 0) and a cell for each of the table's columns."""

    at: int
    cells: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: where it stands in the sheet (counted from 0) and its whole name, from the top down."""

    at: int
    name: str


@dataclass(slots=True)
class Table:
    """A table as found. `above`: texts between the table before and this one's head; `aside`: rows that are none of it."""

    sheet: str
    columns: list[Column]
    head: int
    above: list[str]
    rows: list[Row] = field(default_factory=list)
    aside: list[tuple[int, str, str]] = field(default_factory=list)

    def place(self, row: int, column: int | None = None) -> str:
        """Where a cell stands, as people find it: `“十月”第 7 行 C 列“金额”`."""
        sheet = f"“{self.sheet}”" if self.sheet else ""
        if column is None:
            return f"{sheet}第 {row + 1} 行"
        of = self.columns[column]
        return f"{sheet}第 {row + 1} 行 {letters(of.at)} 列“{of.name}”"


def find_tables(sheet: Worksheet, learned: Mapping[str, str]) -> list[Table]:
    """Every table of a sheet, halves that stand side by side as one below the other."""
    grid = _Grid(sheet)
    heads = [(top, bottom, _columns(grid, top, bottom)) for top, bottom in _heads(grid, learned)]
    found: list[Table] = []
    before = 0
    for n, (top, bottom, columns) in enumerate(heads):
        end = next((t for t, _, others in heads[n + 1 :] if _meet(columns, others, learned)), len(sheet.rows))
        if found and columns == found[-1].columns:
            # The head again, as printed on the next page.
            table = found[-1]
            table.aside.append((top, "每页重复的表头", ""))
        else:
            above = [text for row in sheet.rows[before:top] for value in row if (text := text_of(value))]
            table = Table(sheet.name, columns, top, above)
            found.append(table)
        _fill(table, grid, bottom + 1, end)
        before = end
    return [half for table in found for half in _halves(table)]


def _meet(columns: Sequence[Column], others: Sequence[Column], learned: Mapping[str, str]) -> bool:
    """Tell whether a head stands below another; on boards the next section's may stand beside its rows."""
    known = [{c.at for c in of if is_known(c.name, learned)} or {c.at for c in of} for of in (columns, others)]
    return bool(known[0] & known[1])


class _Grid:
    """Cells of a sheet with what merges spread over their places."""

    def __init__(self, sheet: Worksheet) -> None:
        self.rows = sheet.rows
        self.spread: dict[tuple[int, int], Value] = {}
        self.starts: dict[int, list[tuple[int, int, int, int]]] = {}
        for top, left, bottom, right in sheet.merges:
            self.starts.setdefault(top, []).append((top, left, bottom, right))
            value = self.own(top, left)
            if value is None or bottom - top > 400 or (bottom - top + 1) * (right - left + 1) > 20_000:  # noqa: PLR2004 - a merge of people
                continue
            for row in range(top, bottom + 1):
                for column in range(left, right + 1):
                    self.spread[row, column] = value

    def own(self, row: int, column: int) -> Value:
        """What stands in a cell itself."""
        cells = self.rows[row] if row < len(self.rows) else []
        value = cells[column] if column < len(cells) else None
        return None if value == "" else value

    def at(self, row: int, column: int) -> Value:
        """What a cell shows, its own or what is merged over it."""
        value = self.own(row, column)
        return value if value is not None else self.spread.get((row, column))


def _is_words(value: Value) -> bool:
    return isinstance(value, str) and not _NUMBER.fullmatch(plain(value))


def _heads(grid: _Grid, learned: Mapping[str, str]) -> list[tuple[int, int]]:
    """First and last rows of every head."""
    found: list[tuple[int, int]] = []
    n = 0
    while n < len(grid.rows):
        if _begins_head(grid.rows[n], learned):
            bottom = _head_end(grid, n, learned)
            found.append((n, bottom))
            n = bottom + 1
        else:
            n += 1
    if found:
        return found
    for n, row in enumerate(grid.rows[:30]):
        filled = [v for v in row if v not in {None, ""}]
        if (
            len(filled) >= _ENOUGH
            and all(_is_words(v) and not _SAID.search(str(v)) for v in filled)
            and _has_rows(grid, n, len(filled))
        ):
            return [(n, _head_end(grid, n, learned))]
    return []


def _has_rows(grid: _Grid, n: int, width: int) -> bool:
    """Tell whether what stands below a row fills as many columns."""
    below = [sum(v not in {None, ""} for v in row) for row in grid.rows[n + 1 : n + 8]]
    return any(count * 2 >= width and count >= _ENOUGH for count in below)


def _begins_head(row: Sequence[Value], learned: Mapping[str, str]) -> bool:
    filled = [v for v in row if v not in {None, ""}]
    if len(filled) < _ENOUGH:
        return False
    # Most rows are lines: what is cheap to tell comes first.
    if sum(isinstance(v, str) for v in filled) * 10 < len(filled) * 9:
        return False
    words = [str(v) for v in filled if _is_words(v) and len(bare(str(v))) <= 24]  # noqa: PLR2004 - longer is no name
    if len(words) * 10 < len(filled) * 9:
        return False
    known = {bare(w) for w in words if is_known(w, learned)}
    return len(known) >= 3 or (len(known) >= _ENOUGH and len(known) * 5 >= len(filled) * 2)  # noqa: PLR2004 - three are no accident


def _head_end(grid: _Grid, top: int, learned: Mapping[str, str]) -> int:
    """The last row of a head: as far as its merges go, and rows of parts below what spans several columns."""
    bottom = top
    row = top
    while row <= bottom and row < top + _MAX_HEAD:
        spans = [m for m in grid.starts.get(row, ()) if m[1] < len(grid.rows[top]) or row > top]
        ends = [m[2] for m in spans if m[2] < top + _MAX_HEAD and _all_words(grid, top, m[2])]
        bottom = max([bottom, *ends])
        row += 1
    while bottom + 1 < min(len(grid.rows), top + _MAX_HEAD) and _goes_on(grid, top, bottom, learned):
        bottom += 1
    return min(bottom, len(grid.rows) - 1)


def _all_words(grid: _Grid, top: int, bottom: int) -> bool:
    """Tell whether rows of a head hold names alone."""
    return all(_is_words(v) for row in grid.rows[top : bottom + 1] for v in row if v not in {None, ""})


def _goes_on(grid: _Grid, top: int, bottom: int, learned: Mapping[str, str]) -> bool:
    below = grid.rows[bottom + 1]
    filled = [(n, v) for n, v in enumerate(below) if v not in {None, ""}]
    if not filled or not all(_is_words(v) for _, v in filled):
        return False
    names = [str(v) for _, v in filled]
    spans_above = any(grid.own(bottom, n) is None or bare(text_of(grid.own(bottom, n))) == "其中" for n, _ in filled)
    is_wider = any(m[3] > m[1] for row in range(top, bottom + 1) for m in grid.starts.get(row, ()))
    same_as_top = [text_of(v) for v in below] == [text_of(v) for v in grid.rows[top]]
    if same_as_top or not spans_above:
        return False
    parts = sum(is_part(name) or is_known(name, learned) for name in names)
    return parts == len(names) or (
        is_wider and parts * 2 >= len(names) and len(names) > 1 and not _looks_like_data(grid, top, below)
    )


def _looks_like_data(grid: _Grid, top: int, row: Sequence[Value]) -> bool:
    wide = sum(v not in {None, ""} for v in row) * 2 > sum(v not in {None, ""} for v in grid.rows[top]) + 4
    return wide or any(isinstance(v, str) and len(v) > _LONG_NAME for v in row)


def _columns(grid: _Grid, top: int, bottom: int) -> list[Column]:
    width = max(len(grid.rows[row]) for row in range(top, bottom + 1))
    found: list[Column] = []
    for column in range(width):
        parts: list[str] = []
        for row in range(top, bottom + 1):
            text = text_of(grid.at(row, column)).replace("\n", "")
            if not text and row < bottom and any(grid.own(r, column) is not None for r in range(row + 1, bottom + 1)):
                text = _to_the_left(grid, row, column)
            text = re.sub(r"\s+", "", text)
            if text and (not parts or parts[-1] != text):
                parts.append(text)
        name = "/".join(parts)[:80]
        # What is merged to the right is one column.
        is_same = bool(found) and found[-1].name == name and grid.own(bottom, column) is None
        if parts and not is_same and not _SECTION.match(name):
            found.append(Column(column, name))
    return found


def _to_the_left(grid: _Grid, row: int, column: int) -> str:
    """What spans over a column without being merged."""
    for left in range(column - 1, max(column - 12, -1), -1):
        if (value := grid.at(row, left)) is not None:
            return text_of(value)
    return ""


# -- rows ---------------------------------------------------------------------------------------------------------


def _fill(table: Table, grid: _Grid, first: int, end: int) -> None:
    ats = [c.at for c in table.columns]
    is_first = not table.rows
    for n in range(first, end):
        row = grid.rows[n]
        cells = tuple(_of_row(grid, n, at) for at in ats)
        filled = [v for v in cells if v not in {None, ""}]
        said = [text_of(v) for v in row if v not in {None, ""}]
        if not said:
            continue
        if table.rows and any(isinstance(v, str) and _NUMBERED.match(v) for v in filled):
            # The next section of a board begins here.
            break
        if is_first and _is_marks(filled):
            table.aside.append((n, "表头下的编号、类型行", "、".join(said[:4])))
        elif reason := _is_aside(said):
            table.aside.append((n, reason, "、".join(said)[:60]))
        elif filled:
            table.rows.append(Row(n, cells))
            is_first = False


def _of_row(grid: _Grid, row: int, column: int) -> Value:
    """A cell of a row; one that is merged downwards stands in each of its rows, one that is merged sideways in the first."""
    value = grid.own(row, column)
    if value is not None or (row, column) not in grid.spread:
        return value
    above = grid.spread[row, column]
    return above if column == 0 or grid.at(row, column - 1) != above else None


def _is_marks(filled: Sequence[Value]) -> bool:
    texts = [plain(text_of(v)) for v in filled]
    if len(texts) < _ENOUGH or not all(_MARKS.fullmatch(t) for t in texts):
        return False
    numbers = [int(t.strip("()")) for t in texts if t.strip("()").isdecimal()]
    return len(numbers) < _ENOUGH or all(b - a == 1 for a, b in pairwise(numbers))


def _is_aside(said: Sequence[str]) -> str:
    """Why a row is none of the table: notes, signatures, numbers of pages; nothing when it may be one."""
    whole = " ".join(said)
    if len(said) <= _ENOUGH and _NOTE.search(said[0].strip()):
        return "说明"
    if _PAGE.search(said[0].strip()) and len(said) <= 3:  # noqa: PLR2004 - as 第1页 共3页 has two
        return "页码"
    if _SIGNED.search(whole) and not any(isinstance(_number(t), float) for t in said):
        return "签字栏"
    return ""


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def _halves(table: Table) -> list[Table]:
    """A table whose names come twice from left to right is two, read one after the other."""
    names = [c.name for c in table.columns]
    for width in range(2, len(names) // 2 + 1):
        if names[width : 2 * width] == names[:width]:
            break
    else:
        return [table]
    parts = [
        range(n, n + width) for n in range(0, len(names) - width + 1, width) if names[n : n + width] == names[:width]
    ]
    found = Table(table.sheet, table.columns[:width], table.head, table.above, aside=list(table.aside))
    others = (Table(table.sheet, [table.columns[n] for n in part], table.head, table.above) for part in parts[1:])
    halves = [found, *others]
    for half, part in zip(halves, parts, strict=True):
        for row in table.rows:
            cells = tuple(row.cells[n] for n in part)
            if any(v not in {None, ""} for v in cells):
                half.rows.append(Row(row.at, cells))
    return halves
