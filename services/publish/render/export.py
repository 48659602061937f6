"""What is open as tables for spreadsheets, CSV (RFC 4180) and XLSX: the same content as the pages, nothing hidden in cells.

Numbers are numbers in both. Texts are texts: what a spreadsheet would take for a formula is none (CWE-1236).
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

#: Excel takes a file without it for one of the local code page.
BYTE_ORDER_MARK: Final = "\ufeff"
#: A cell that begins with one of these, or with its full-width form, is a formula to a spreadsheet, whoever wrote it.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER: Final = re.compile(r"[-+][0-9,]+(\.[0-9]+)?", re.ASCII)
#: What Excel lets no sheet be called, and how long a name may be.
_NOT_IN_NAMES: Final = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_LONGEST_NAME: Final = 31
_NAME_OF_EXCELS_OWN: Final = "history"
_LATIN: Final = 0xFF
#: In characters of a Latin letter's width; a Chinese one has two.
_NARROWEST, _WIDEST = 8, 48
#: The exponent of yuan with two decimals.
_CENTS: Final = -2
#: What one cell of XLSX holds.
_LONGEST_CELL: Final = 32_767

Cell = str | int | Decimal | date | None
Row = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with its heads as the first row."""

    name: str
    rows: Sequence[Row]


def yuan_cell(fen: int | None) -> Decimal | None:
    """Fen as yuan, exact to the fen."""
    return Decimal(fen).scaleb(_CENTS) if fen is not None else None


def csv_of(sheets: Iterable[Sheet]) -> bytes:
    """Tables one below the other, an empty line between."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    for number, sheet in enumerate(sheets):
        if number:
            writer.writerow([])
        writer.writerows([_plain(cell) for cell in row] for row in sheet.rows)
    return (BYTE_ORDER_MARK + text.getvalue()).encode()


def _plain(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return harmless(cell)
        case date():
            return cell.isoformat()
        case _:
            return str(cell)


def harmless(cell: str) -> str:
    """A text that no spreadsheet takes for a formula; a negative number stays one."""
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell


def xlsx_of(sheets: Sequence[Sheet]) -> bytes:
    """A workbook of some sheets; the same sheets give the same bytes. Slow for many rows: run it in a thread."""
    file = io.BytesIO()
    with Workbook(file, {"in_memory": True}) as book:
        # Not the moment at which it was made: who has it already need not fetch it again.
        book.set_properties({"created": datetime(1980, 1, 1, tzinfo=UTC)})
        looks = _Looks(
            head=book.add_format({"bold": True, "text_wrap": True, "valign": "top"}),
            text=book.add_format({"text_wrap": True, "valign": "top"}),
            # A spreadsheet then shows the text and, when the cell is edited, still makes no formula of it.
            quoted=book.add_format({"text_wrap": True, "valign": "top", "quote_prefix": True}),
            money=book.add_format({"num_format": "#,##0.00", "valign": "top"}),
            number=book.add_format({"valign": "top"}),
            day=book.add_format({"num_format": "yyyy-mm-dd", "valign": "top"}),
        )
        for name, sheet in zip(_names(sheets), sheets, strict=True):
            _fill(book.add_worksheet(name), sheet.rows, looks)
    return file.getvalue()


def _names(sheets: Iterable[Sheet]) -> list[str]:
    """Names that Excel takes, each once."""
    found: list[str] = []
    for number, sheet in enumerate(sheets, 1):
        name = _NOT_IN_NAMES.sub(" ", sheet.name).strip("' ")[:_LONGEST_NAME].strip("' ")
        if not name or name.lower() == _NAME_OF_EXCELS_OWN or name.lower() in {n.lower() for n in found}:
            name = f"{name[: _LONGEST_NAME - 4]} {number}".strip()
        found.append(name)
    return found


@dataclass(frozen=True, slots=True)
class _Looks:
    head: Format
    text: Format
    quoted: Format
    money: Format
    number: Format
    day: Format


def _fill(sheet: Worksheet, rows: Sequence[Row], looks: _Looks) -> None:
    widths: dict[int, int] = {}
    for at, row in enumerate(rows):
        for place, cell in enumerate(row):
            _write(sheet, (at, place), cell, looks)
            widths[place] = max(widths.get(place, _NARROWEST), _width(cell))
    for place, width in widths.items():
        sheet.set_column(place, place, min(width + 1, _WIDEST))
    sheet.freeze_panes(1, 0)


def _width(cell: Cell) -> int:
    text = "" if cell is None else str(cell)
    return len(text) + sum(ord(sign) > _LATIN for sign in text)


def _write(sheet: Worksheet, at: tuple[int, int], cell: Cell, looks: _Looks) -> None:
    match cell:
        case None:
            return
        case str():
            look = looks.head if at[0] == 0 else looks.quoted if cell.startswith(_FORMULA) else looks.text
            sheet.write_string(*at, cell[:_LONGEST_CELL], look)
        case date():
            sheet.write_datetime(*at, cell, looks.day)
        case Decimal():
            sheet.write_number(*at, cell, looks.money if cell.as_tuple().exponent == _CENTS else looks.number)
        case int():
            sheet.write_number(*at, cell, looks.number)
