"""Workbooks that spreadsheets write: XLS, XLSX, XLSM, XLSB, ODS; what is hidden in them is told and not taken; pure."""

import codecs
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Final
from zlib import error as ZlibError  # noqa: N812 - an exception

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from services.ingest.workbooks.workbook import (
    MAX_COLUMNS,
    MAX_ROWS,
    UnreadableError,
    Value,
    Workbook,
    Worksheet,
    fitted,
    tidy,
)

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP: Final = b"PK\x03\x04"
#: What is packed may become so much; a book of 40,000 rows stays far below.
_MAX_UNPACKED: Final = 160 * 1024 * 1024
_MAX_SHEETS: Final = 60
#: Cells of a sheet with everything between its corners, before they are read one by one.
_MAX_AREA: Final = 6_000_000
# Names of a ZIP's parts are in this, which Python opens when it is first wanted: too late in a process that opens no file.
codecs.lookup("cp437")
BROKEN: Final = "文件不完整或已损坏，打不开。请用 Excel 或 WPS 打开，另存为 xlsx 后再上传。"
_LOCKED: Final = "文件设了打开密码，读不了。请在 Excel 或 WPS 里去掉密码，另存后再上传。"
_BOMB: Final = "文件展开后太大，不像账表，没有打开。请只留需要的表，另存后再上传。"


def read_packed(data: bytes) -> Workbook:
    """A spreadsheet's own file as a workbook."""
    looked = _look_into(data) if data.startswith(ZIP) else _Looked()
    if data.startswith(OLE) and "EncryptedPackage".encode("utf-16-le") in data:
        raise UnreadableError(_LOCKED)
    try:
        opened = CalamineWorkbook.from_filelike(io.BytesIO(data))
    except PasswordError as error:
        raise UnreadableError(_LOCKED) from error
    except (CalamineError, OSError, ValueError) as error:
        raise UnreadableError(_LOCKED if "password" in str(error).lower() else BROKEN) from error
    untold = list(looked.untold)
    sheets = []
    for about in opened.sheets_metadata[:_MAX_SHEETS]:
        if about.visible is not SheetVisibleEnum.Visible:
            untold.append(f"工作表“{tidy(about.name)[:30]}”是隐藏的，没有带入。")
        elif about.typ is SheetTypeEnum.WorkSheet:
            sheets.append(_sheet_of(opened, about.name, looked, untold))
    if len(opened.sheets_metadata) > _MAX_SHEETS:
        untold.append(f"工作表超过 {_MAX_SHEETS} 张，后面的没有带入。")
    opened.close()
    return Workbook("XLS" if data.startswith(OLE) else looked.format, [s for s in sheets if s.rows], untold)


def _sheet_of(opened: CalamineWorkbook, name: str, looked: "_Looked", untold: list[str]) -> Worksheet:
    try:
        sheet = opened.get_sheet_by_name(name)
        if sheet.height * sheet.width > _MAX_AREA:
            raise UnreadableError(_too_wide(sheet.width, sheet.height))
        merges = [(a[0], a[1], b[0], b[1]) for a, b in sheet.merged_cell_ranges or ()]
        top, left = sheet.start or (0, 0)
        rows = _numbered(sheet.iter_rows(), top, left)
        hidden = looked.hidden.get(name, _Hidden())
        found = Worksheet(tidy(name)[:60], fitted(_without(hidden, rows)), merges)
    except (CalamineError, OSError, ValueError) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError(BROKEN) from error
    if hidden.rows:
        untold.append(f"工作表“{found.name}”有 {len(hidden.rows)} 行是隐藏的，没有带入。")
    if hidden.columns:
        untold.append(f"工作表“{found.name}”有 {len(hidden.columns)} 列是隐藏的，没有带入。")
    return found


def _too_wide(width: int, height: int) -> str:
    if width > MAX_COLUMNS:
        return f"表格有 {width} 列，最多 {MAX_COLUMNS} 列。请只留需要的列，另存后再上传。"
    return f"表格有 {height} 行，最多 {MAX_ROWS} 行。请按月或按村分成几个文件再上传。"


def _numbered(rows: Iterable[Sequence[object]], top: int, left: int) -> Iterator[list[Value]]:
    """Rows from the sheet's first one on, whatever the corner is in which its cells begin."""
    for _ in range(min(top, MAX_ROWS)):
        yield []
    before: list[Value] = [None] * left
    for row in rows:
        yield [*before, *(_value(cell) for cell in row)]


def _value(cell: object) -> Value:
    match cell:
        case str():
            return tidy(cell) or None
        case bool():
            return "是" if cell else "否"
        case datetime():
            return cell.date()
        case date() | int() | float():
            return cell
    return cell.isoformat() if isinstance(cell, time) else None


def _without(hidden: "_Hidden", rows: Iterator[list[Value]]) -> Iterator[Sequence[Value]]:
    for n, row in enumerate(rows):
        if n in hidden.rows:
            yield []
        elif hidden.columns:
            yield [None if m in hidden.columns else value for m, value in enumerate(row)]
        else:
            yield row


# -- what a ZIP of XML holds beside its cells ---------------------------------------------------------------------


class _Hidden:
    """Rows and columns of one sheet that do not show."""

    def __init__(self) -> None:
        self.rows: set[int] = set()
        self.columns: set[int] = set()


class _Looked:
    """What was seen in the file beside its cells."""

    def __init__(self) -> None:
        self.format = "XLSX"
        self.hidden: dict[str, _Hidden] = {}
        self.untold: list[str] = []


_ROW: Final = re.compile(rb"<(?:\w+:)?row\b[^>]*?>")
_COLUMN: Final = re.compile(rb"<(?:\w+:)?col\b[^>]*?>")
_SHEET: Final = re.compile(rb"<(?:\w+:)?sheet\b[^>]*?>")
_RELATION: Final = re.compile(rb"<Relationship\b[^>]*?>")
_HIDDEN: Final = re.compile(rb"""\bhidden\s*=\s*["'](?:1|true)["']""")


def _attribute(name: bytes, element: bytes) -> str:
    found = re.search(rb"\b" + name + rb"\s*=\s*[\"']([^\"']*)[\"']", element)
    return found[1].decode("utf-8", "replace") if found else ""


def _look_into(data: bytes) -> _Looked:
    """Refuse what unpacks to too much or is locked; note what is hidden, commented or named."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            infos = packed.infolist()
            if any(i.flag_bits & 1 for i in infos):
                raise UnreadableError(_LOCKED)
            if sum(i.file_size for i in infos) > _MAX_UNPACKED or len(infos) > 5000:  # noqa: PLR2004 - files of a book
                raise UnreadableError(_BOMB)
            return _notes_of(packed, {i.filename for i in infos})
    except (zipfile.BadZipFile, ZlibError, EOFError, OSError, KeyError, NotImplementedError, RuntimeError) as error:
        raise UnreadableError(BROKEN) from error


def _notes_of(packed: zipfile.ZipFile, names: set[str]) -> _Looked:
    looked = _Looked()
    if "content.xml" in names:
        looked.format = "ODS"
        return looked
    if "xl/workbook.bin" in names:
        looked.format = "XLSB"
        return looked
    if "xl/workbook.xml" not in names:
        message = "这个压缩文件里没有表格。请解压后，把里面的表格文件一个一个上传。"
        raise UnreadableError(message)
    looked.format = "XLSM" if "xl/vbaProject.bin" in names else "XLSX"
    if looked.format == "XLSM":
        looked.untold.append("文件里的宏没有运行，也没有带入。")
    book = packed.read("xl/workbook.xml")
    comments = sum(
        len(re.findall(rb"<(?:\w+:)?comment\b", packed.read(n)))
        for n in names
        if re.search(r"(^|/)comments\d*\.xml$", n)
    )
    if comments:
        looked.untold.append(f"{comments} 条批注没有带入。")
    defined = len(re.findall(rb"<(?:\w+:)?definedName\b(?![^>]*_xlnm)", book))
    if defined:
        looked.untold.append(f"{defined} 个自定义名称没有带入。")
    relations = packed.read("xl/_rels/workbook.xml.rels") if "xl/_rels/workbook.xml.rels" in names else b""
    targets = {_attribute(b"Id", r): _attribute(b"Target", r) for r in _RELATION.findall(relations)}
    for element in _SHEET.findall(book):
        path = targets.get(_attribute(rb"r:id", element), "").removeprefix("/xl/").removeprefix("xl/")
        if f"xl/{path}" in names:
            name = _attribute(b"name", element)
            for sign, plain in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
                name = name.replace(sign, plain)
            xml = packed.read(f"xl/{path}")
            _refuse_vast(xml)
            looked.hidden[name] = _hidden_in(xml)
    return looked


_DIMENSION: Final = re.compile(rb"<(?:\w+:)?dimension\b[^>]*?ref\s*=\s*[\"'](?:[A-Z]+\d+:)?([A-Z]{1,3})(\d{1,7})[\"']")
_FILLED: Final = re.compile(rb"<(?:\w+:)?c\b[^>]*?\br=\"([A-Z]{1,3})(\d{1,7})\"[^>/]*>")


def _refuse_vast(xml: bytes) -> None:
    """Refuse a sheet whose filled cells lie so far apart that what is between them would fill the memory.

    What a sheet says of its size is looked at first: formatting alone makes it vast.
    """
    said = _DIMENSION.search(xml[: 64 * 1024])
    if said is None or _number(said[1]) * int(said[2]) <= _MAX_AREA:
        return
    width = height = 0
    for column, row in _FILLED.findall(xml):
        width, height = max(width, _number(column)), max(height, int(row))
    if width * height > _MAX_AREA:
        raise UnreadableError(_too_wide(width, height))


def _number(column: bytes) -> int:
    """A column's number by its letters: `A` is 1, `XFD` 16,384."""
    number = 0
    for letter in column:
        number = number * 26 + letter - ord("A") + 1
    return number


def _hidden_in(xml: bytes) -> _Hidden:
    hidden = _Hidden()
    for element in _COLUMN.findall(xml[: 256 * 1024]):
        first, last = _attribute(b"min", element), _attribute(b"max", element)
        if _HIDDEN.search(element) and first.isdecimal() and last.isdecimal():
            hidden.columns |= set(range(int(first) - 1, min(int(last), MAX_COLUMNS)))
    if b"hidden" in xml:
        for element in _ROW.findall(xml):
            number = _attribute(b"r", element)
            if _HIDDEN.search(element) and number.isdecimal():
                hidden.rows.add(int(number) - 1)
    return hidden
