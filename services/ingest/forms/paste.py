"""A block copied from a spreadsheet into the rows of a grid; pure.

The first row names the columns. Sums and carried balances are no lines and are left out, which is told. What does not
fit stays in its cell as it was, and the form's own check says so there.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from services.contracts.bodies.rows import is_sum_label
from services.contracts.words import DIRECTIONS
from services.ingest.bulk.cells import CellError, plain, to_fen
from services.ingest.forms.codec import Form, row_field
from services.ingest.forms.spec import Grid
from services.ingest.forms.values import CHOICE, MONEY, TEXT, WAN

#: Column names of accounting programs and of villages' own sheets, by the cell they fill.
_LEDGER_HEADS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "日期": "date",
        "记账日期": "date",
        "凭证日期": "date",
        "业务日期": "date",
        "摘要": "summary",
        "事由": "summary",
        "用途": "summary",
        "收支": "direction",
        "收支方向": "direction",
        "类型": "direction",
        "金额": "amount_fen",
        "发生额": "amount_fen",
        "收入": "+in",
        "收入金额": "+in",
        "借方": "+in",
        "借方金额": "+in",
        "支出": "+out",
        "支出金额": "+out",
        "贷方": "+out",
        "贷方金额": "+out",
        "月": "+month",
        "日": "+day",
        "号": "voucher.no",
        "字": "voucher.word",
        "凭证编号": "voucher.no",
        "账户": "account",
        "资金账户": "account",
        "科目": "category",
        "科目名称": "category",
        "总账科目": "category",
        "对方科目": "category",
        "收款人": "payee",
        "收款单位": "payee",
        "往来单位": "payee",
        "经手人": "handler",
        "证明人": "attestor",
        "审批人": "approver",
    }
)
_ROSTER_HEADS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "姓名": "name",
        "户主": "name",
        "户名": "name",
        "出工人员": "name",
        "组": "group",
        "小组": "group",
        "人口": "household_size",
        "人数": "household_size",
        "职务": "category",
        "类别": "category",
        "档次": "category",
        "天数": "days",
        "元/日": "rate_fen",
        "单价": "rate_fen",
        "金额": "amount_fen",
        "用工费": "amount_fen",
        "补贴金额": "amount_fen",
        "补贴资金": "amount_fen",
        "补助金额": "amount_fen",
        "补助资金": "amount_fen",
        "发放金额": "amount_fen",
        "面积": "quantity",
        "补贴面积": "quantity",
        "种植面积": "quantity",
        "亩数": "quantity",
        "数量": "quantity",
        "标准": "unit_rate",
        "补贴标准": "unit_rate",
        "补助标准": "unit_rate",
        "村民小组": "group",
        "家庭人口": "household_size",
    }
)
_HEADS: Final = MappingProxyType({"lines": _LEDGER_HEADS, "entries": _ROSTER_HEADS})
#: Columns that a ledger does not need: they follow from the lines.
_PASSED_OVER: Final = frozenset({"余额", "结存", "方向", "行次", "序号", "编号", ""})
_NO_LINE: Final = re.compile(
    r"(上[期月年]|期初|本[期月日年]|累计|过次|承前)?(结转|合计|小计|累计|总计|共计|余额|页)$|^承前页|^过次页"
)
#: Rows that only a page of a printed book has.
_PAGE: Final = re.compile(r"^(承前页|过次页)$")
_DIRECTION_WORDS: Final = MappingProxyType(
    {word: str(code) for code, word in DIRECTIONS.items()} | {"支": "out", "付": "out", "收": "in", "划转": "transfer"}
)
_BLANKS: Final = frozenset({"", "-", "—", "/"})


def paste(form: Form, path: str, text: str) -> list[str]:
    """Put a copied block behind the rows that are used; returns sentences on what was left out."""
    grid = form.grid(path)
    rows = _rows(text)
    if not rows:
        return ["没有读到内容：请在电子表格里选中带表头的区域，复制后粘贴到这里。"]
    heads, unknown = _heads(grid, rows[0])
    units = _units(grid, heads, rows[0])
    if not any(h for h in heads if h):
        return [f"没有认出表头。第一行应是列名，例如：{'、'.join(c.label for c in grid.main[:5])}。"]
    notes = [f"“{name}”这一列没有对应的栏目，没有带入。" for name in unknown]
    skipped = 0
    at = max(form.used(grid), default=-1) + 1
    for row in rows[1:]:
        cells = {h: c for h, c in zip(heads, row, strict=False) if h and plain(c) not in _BLANKS}
        cells = {h: f"{c.strip()}{units.get(h, '')}" for h, c in cells.items()}
        if not cells:
            continue
        if _is_sum(grid, cells, row):
            skipped += 1
            notes += _put_stated_total(form, grid, cells)
            continue
        if at >= grid.limit:
            notes.append(f"页面上最多 {grid.limit} 行，后面的没有带入；更多的请用一键导入，或拆分成几份。")
            break
        _put(form, grid, at, _line(cells) if path == "lines" else cells)
        at += 1
    form.counts[path] = min(max(form.counts[path], at + 1), grid.limit)
    return [*notes, *([f"{skipped} 行合计、结转没有带入，它们不是逐笔。"] if skipped else [])]


def heads_of(grid: Grid) -> tuple[str, ...]:
    """Names of columns by which a pasted block is known to have a header."""
    return tuple(dict.fromkeys([*(_bare(c.label) for c in grid.cells if c.label), *_HEADS.get(grid.path, {})]))


def _rows(text: str) -> list[list[str]]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip("\n")
    delimiter = "\t" if "\t" in lines.partition("\n")[0] else ","
    try:
        read = list(csv.reader(io.StringIO(lines), delimiter=delimiter))
    except csv.Error:
        read = [line.split(delimiter) for line in lines.split("\n")]
    return [row for row in read if any(cell.strip() for cell in row)]


def _heads(grid: Grid, row: Sequence[str]) -> tuple[list[str | None], list[str]]:
    """The cell of each column, and the names of those that have none."""
    known = dict(_HEADS.get(grid.path, {})) | {_bare(c.label): c.path for c in grid.cells}
    names = [_bare(name) for name in row]
    heads = [known.get(name) for name in names]
    # A name that stands twice (two halves side by side) would mix two rows into one.
    seen: set[str] = set()
    for n, head in enumerate(heads):
        if head in seen:
            heads[n] = None
        elif head is not None:
            seen.add(head)
    unknown = [name for name, head in zip(names, heads, strict=True) if head is None and name not in _PASSED_OVER]
    return heads, unknown


def _bare(name: str) -> str:
    return re.sub(r"[（(].*?[）)]|\s", "", plain(name))


def _units(grid: Grid, heads: Sequence[str | None], names: Sequence[str]) -> dict[str, str]:
    """What stands behind the figures of a column whose pasted head names another unit than the form's."""
    kinds = {c.path: c.kind for c in grid.cells}
    found = {}
    for head, name in zip(heads, names, strict=True):
        unit = re.search(r"[（(]\s*(万?元|万)\s*[）)]", plain(name))
        if head is None or unit is None:
            continue
        if kinds.get(head) is MONEY and unit[1].startswith("万"):
            found[head] = "万"
        elif kinds.get(head) is WAN and unit[1] == "元":
            found[head] = "元"
    return found


def _is_sum(grid: Grid, cells: Mapping[str, str], row: Sequence[str]) -> bool:
    """Sums and carried balances are no lines; a table keeps its sums as rows, where they are checked."""
    words = [cells[c.path] for c in grid.cells if c.kind is TEXT and c.path in cells]
    if grid.listed:
        return any(_PAGE.search(re.sub(r"\s", "", text)) for text in words)
    named = next((cells[p] for p in ("summary", "name") if p in cells), "")
    # 合计 often stands below 序号, which no form has.
    return _NO_LINE.search(re.sub(r"\s", "", named)) is not None or any(
        is_sum_label(text) for text in (*words, *(row if not named else ()))
    )


def _put_stated_total(form: Form, grid: Grid, cells: Mapping[str, str]) -> list[str]:
    """Put the total of a pasted list into the form's field for the stated total, so that it is checked; returns what to tell."""
    amount, words = cells.get("amount_fen", ""), "".join(cells.values())
    if grid.path != "entries" or not amount or "小计" in words or form.value("totals.amount_fen"):
        return []
    form.values["totals.amount_fen"] = amount
    return ["合计行的金额填到了“金额合计”，请核对。"]


def _line(cells: Mapping[str, str]) -> dict[str, str]:
    """A ledger's line: the side on which the amount stands tells its direction; month and day make the date."""
    line = {path: text for path, text in cells.items() if not path.startswith("+")}
    for side in ("in", "out"):
        if f"+{side}" in cells and not _is_zero(cells[f"+{side}"]):
            line["amount_fen"], line["direction"] = cells[f"+{side}"], side
    if "+month" in cells and "+day" in cells and "date" not in line:
        line["date"] = f"{cells['+month'].strip()}月{cells['+day'].strip()}日"
    match = re.fullmatch(r"(\D{1,4}?)[-字 ]*(\d{1,5})号?", plain(line.get("voucher.no", "")))
    if match is not None:
        line.setdefault("voucher.word", match[1])
        line["voucher.no"] = match[2]
    return line


def _is_zero(text: str) -> bool:
    try:
        return to_fen(text) == 0
    except CellError:
        return False


def _put(form: Form, grid: Grid, n: int, cells: Mapping[str, str]) -> None:
    for cell in grid.cells:
        text = cells.get(cell.path, "").strip()
        if cell.kind is CHOICE and text:
            words = {word: code for code, word in cell.options} | dict(_DIRECTION_WORDS)
            text = words.get(text, text)
        if text:
            form.values[row_field(grid, n, cell)] = text
