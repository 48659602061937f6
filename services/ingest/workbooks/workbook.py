"""A workbook as read from whatever file it came in: sheets of typed cells, and what was seen but not taken."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from services.contracts.values import hidden_sign

Value = str | int | float | date | None
#: A body, or a part of one, before the contracts have checked it.
JsonObject = dict[str, Any]
JsonView = Mapping[str, Any]
#: Beyond these no book of a village goes, and a file that does is no book.
MAX_ROWS: Final = 40_000
MAX_COLUMNS: Final = 400
MAX_CELLS: Final = 1_200_000
#: What of a cell is read: more is no cell of a ledger.
MAX_TEXT: Final = 2000
_DECIMALS: Final = 6
#: Whole numbers up to this are exact as spreadsheets keep them.
_EXACT: Final = 10**15


class UnreadableError(ValueError):
    """The file is no workbook that can be read; the message says what to do."""


@dataclass(slots=True)
class Worksheet:
    """Cells of one sheet, rows and columns counted from 0. `merges`: (top, left, bottom, right), both ends inside."""

    name: str
    rows: list[list[Value]]
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)


@dataclass(slots=True)
class Workbook:
    """Sheets that show, with sentences on what was not taken. `format` tells what kind of file it was."""

    format: str
    sheets: list[Worksheet]
    untold: list[str] = field(default_factory=list)


def text_of(value: Value) -> str:
    """A cell as people read it."""
    match value:
        case None:
            return ""
        case str():
            return value
        case date():
            return value.isoformat()
        case float():
            if value != value or abs(value) >= _EXACT:  # noqa: PLR0124 - what is not itself is no number
                return f"{value:.6g}"
            rounded = round(value, _DECIMALS)
            return str(int(rounded)) if rounded == int(rounded) else repr(rounded)
    return str(value)


def tidy(text: str) -> str:
    """Text of a cell without signs that nobody sees, blanks at its ends and more than is read."""
    if hidden_sign(text, lines=True):
        text = "".join(c for c in text if not hidden_sign(c, lines=True))
    return text.replace("\xa0", " ").strip(" \t\r\n\u3000")[:MAX_TEXT]


def fitted(rows: Iterator[Sequence[Value]]) -> list[list[Value]]:
    """Rows without the blank cells and rows at their ends; UnreadableError when there is too much."""
    kept: list[list[Value]] = []
    cells = 0
    blank = 0
    for row in rows:
        last = max((n + 1 for n, value in enumerate(row) if value not in {None, ""}), default=0)
        if not last:
            blank += 1
            if len(kept) + blank > MAX_ROWS * 2:
                break
            continue
        if last > MAX_COLUMNS:
            message = f"表格有 {last} 列，最多 {MAX_COLUMNS} 列。请只留需要的列，另存后再上传。"
            raise UnreadableError(message)
        kept += [[] for _ in range(blank)]
        blank = 0
        kept.append(list(row[:last]))
        cells += last
        if len(kept) > MAX_ROWS or cells > MAX_CELLS:
            message = f"表格超过 {MAX_ROWS} 行，或格子太多。请按月或按村分成几个文件再上传。"
            raise UnreadableError(message)
    return kept


_SCIENTIFIC: Final = re.compile(r"\d(\.\d+)?[eE]\+?\d{1,3}")


def is_scientific(text: str) -> bool:
    """Tell whether a spreadsheet shortened a long number: `2.10881E+11` has lost its last digits."""
    return _SCIENTIFIC.fullmatch(text.strip()) is not None


def letters(column: int) -> str:
    """A column as spreadsheets name it: 0 -> `A`, 27 -> `AB`."""
    name = ""
    column += 1
    while column:
        column, left = divmod(column - 1, 26)
        name = chr(ord("A") + left) + name
    return name


# -- as bytes -----------------------------------------------------------------------------------------------------


def _to_json(value: Value) -> Value | dict[str, str]:
    return {"d": value.isoformat()} if isinstance(value, date) else value


def _from_json(value: Value | dict[str, str]) -> Value:
    return date.fromisoformat(value["d"]) if isinstance(value, dict) else value


def dumped(book: Workbook) -> bytes:
    """A workbook as JSON, to travel between processes and to rest."""
    return json.dumps(
        {
            "format": book.format,
            "untold": book.untold,
            "sheets": [
                {"name": s.name, "merges": s.merges, "rows": [[_to_json(v) for v in row] for row in s.rows]}
                for s in book.sheets
            ],
        },
        ensure_ascii=False,
    ).encode()


def loaded(data: bytes) -> Workbook:
    """The other end of `dumped`."""
    read = json.loads(data)
    sheets = [
        Worksheet(
            s["name"],
            [[_from_json(v) for v in row] for row in s["rows"]],
            [(m[0], m[1], m[2], m[3]) for m in s["merges"]],
        )
        for s in read["sheets"]
    ]
    return Workbook(read["format"], sheets, read["untold"])
