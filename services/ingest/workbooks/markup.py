"""Tables written as markup: HTML that is named .xls, and the XML that spreadsheets wrote in 2003; pure."""

import re
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from typing import Final
from xml.parsers import expat

from services.ingest.workbooks.texts import decoded
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

_CHARSET: Final = re.compile(rb"charset\s*=\s*[\"']?([\w-]{3,20})", re.IGNORECASE)
_ENCODING: Final = re.compile(rb"encoding\s*=\s*[\"']([\w-]{3,20})[\"']")
_ENCODINGS: Final = {
    **dict.fromkeys(("gb2312", "gbk", "gb18030", "x-gbk", "cp936"), "gb18030"),
    **dict.fromkeys(("utf-8", "utf8"), "utf-8"),
    "big5": "big5",
}
_MAX_SPAN: Final = 200
_HIDDEN: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.IGNORECASE)
_TOO_MUCH: Final = "表格太大，请按月或按村分成几个文件再上传。"


def read_html(data: bytes) -> Workbook:
    """Every table of an HTML page as a sheet."""
    named = _CHARSET.search(data[:4096])
    reader = _Tables()
    reader.feed(_text_of(data, named))
    reader.close()
    reader.end_table()
    sheets = [Worksheet("", fitted(iter(rows)), merges) for rows, merges in reader.tables]
    sheets = [s for s in sheets if s.rows]
    if not sheets:
        message = "网页里没有表格。请打开原来的文件，另存为 xlsx 后再上传。"
        raise UnreadableError(message)
    untold = [f"{reader.hidden} 行是隐藏的，没有带入。"] if reader.hidden else []
    if len(sheets) > 1:
        for n, sheet in enumerate(sheets):
            sheet.name = f"表{n + 1}"
    return Workbook("网页表格（HTML）", sheets, untold)


def _text_of(data: bytes, named: re.Match[bytes] | None) -> str:
    """A page's text in the encoding that it names, where that is one of those that pages of ours have."""
    encoding = _ENCODINGS.get(named[1].decode().lower(), "") if named is not None else ""
    if encoding and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            pass
    return decoded(data)


class _Tables(HTMLParser):
    """Gathers the cells of every table, spans as merges; what stands in a table within a table is its cell's text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[tuple[list[list[Value]], list[tuple[int, int, int, int]]]] = []
        self.hidden = 0
        self._depth = 0
        self._rows: list[list[Value]] = []
        self._merges: list[tuple[int, int, int, int]] = []
        self._taken: dict[tuple[int, int], bool] = {}
        self._cell: list[str] | None = None
        self._span = (1, 1)
        self._is_hidden = False
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in {"style", "script", "title"}:
            self._skipped += 1
        elif tag == "table":
            self._depth += 1
        elif tag == "tr" and self._depth == 1:
            self._end_cell()
            self._is_hidden = _HIDDEN.search(given.get("style", "")) is not None
            self.hidden += self._is_hidden
            if not self._is_hidden:
                if len(self._rows) >= MAX_ROWS:
                    raise UnreadableError(_TOO_MUCH)
                self._rows.append([])
        elif tag in {"td", "th"} and self._depth == 1:
            self._end_cell()
            self._cell = []
            self._span = (_whole(given.get("rowspan")), _whole(given.get("colspan")))
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"style", "script", "title"}:
            self._skipped = max(0, self._skipped - 1)
        elif tag in {"td", "th", "tr"} and self._depth == 1:
            self._end_cell()
        elif tag == "table" and self._depth:
            self._depth -= 1
            if not self._depth:
                self.end_table()

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._skipped:
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is None:
            return
        text, self._cell = tidy(re.sub(r"[ \t\r\n]+", " ", "".join(self._cell))), None
        if self._is_hidden or not self._rows:
            return
        top, row = len(self._rows) - 1, self._rows[-1]
        left = len(row)
        while self._taken.pop((top, left), False):
            row.append(None)
            left += 1
        down, across = self._span
        if left + across > MAX_COLUMNS * 2:
            message = f"表格超过 {MAX_COLUMNS} 列。请只留需要的列，另存后再上传。"
            raise UnreadableError(message)
        row.append(text)
        row += [None] * (across - 1)
        if (down, across) != (1, 1):
            self._merges.append((top, left, top + down - 1, left + across - 1))
        for n in range(1, down):
            self._taken |= dict.fromkeys(((top + n, left + m) for m in range(across)), True)

    def end_table(self) -> None:
        """Keep the table that was being read, if there is one."""
        self._end_cell()
        if self._rows:
            self.tables.append((self._rows, self._merges))
        self._rows, self._merges, self._taken, self._depth = [], [], {}, 0


def _whole(text: str | None) -> int:
    return min(max(int(text), 1), _MAX_SPAN) if text and text.strip().isdecimal() and len(text) < 6 else 1  # noqa: PLR2004 - digits


# -- SpreadsheetML 2003 -------------------------------------------------------------------------------------------

_NAMESPACE: Final = "urn:schemas-microsoft-com:office:spreadsheet"


def is_spreadsheet_xml(data: bytes) -> bool:
    """Tell the XML that spreadsheets wrote in 2003."""
    head = data[:4096]
    return _NAMESPACE.encode() in head or _NAMESPACE.encode("utf-16-le") in head


def read_spreadsheet_xml(data: bytes) -> Workbook:
    """A workbook written as XML; one that declares anything of its own is refused unread."""
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        message = "文件里有不该有的声明，不能打开。请用 Excel 或 WPS 打开，另存为 xlsx 后再上传。"
        raise UnreadableError(message)
    found = _Xml()
    named = _ENCODING.search(data[:200])
    is_chinese = named is not None and named[1].lower() in {b"gb2312", b"gbk", b"gb18030"}
    parser = expat.ParserCreate("utf-8" if is_chinese else None, " ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = found.start, found.end
    parser.CharacterDataHandler = found.text
    try:
        parser.Parse(data.decode("gb18030").encode() if is_chinese else data, True)  # noqa: FBT003 - pyexpat takes no keywords
    except (expat.ExpatError, UnicodeDecodeError) as error:
        message = "文件不完整或已损坏。请用 Excel 或 WPS 打开，另存为 xlsx 后再上传。"
        raise UnreadableError(message) from error
    untold = [f"{found.hidden} 处隐藏的行、列或工作表没有带入。"] if found.hidden else []
    if found.comments:
        untold.append(f"{found.comments} 条批注没有带入。")
    sheets = [Worksheet(name, fitted(iter(rows)), merges) for name, rows, merges in found.sheets]
    return Workbook("XML 表格 2003", sheets, untold)


class _Xml:
    """Gathers sheets while the XML goes by."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, list[list[Value]], list[tuple[int, int, int, int]]]] = []
        self.hidden = 0
        self.comments = 0
        self._hidden_columns: set[int] = set()
        self._kind = ""
        self._data: list[str] | None = None
        self._in_comment = 0
        self._column = 0
        self._next_column = 0
        self._is_hidden = False

    def start(self, name: str, given: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        attributes = {key.rpartition(" ")[2]: value for key, value in given.items()}
        match tag:
            case "Worksheet":
                self.sheets.append((tidy(attributes.get("Name", "")), [], []))
                self._hidden_columns, self._next_column = set(), 0
            case "Column":
                self._next_column = _index(attributes, self._next_column) + 1
                if attributes.get("Hidden") == "1":
                    self.hidden += 1
                    self._hidden_columns.add(self._next_column - 1)
            case "Row" if self.sheets:
                rows = self.sheets[-1][1]
                at = _index(attributes, len(rows))
                if at >= MAX_ROWS:
                    raise UnreadableError(_TOO_MUCH)
                rows += [[] for _ in range(at + 1 - len(rows))]
                self._is_hidden = attributes.get("Hidden") == "1"
                self.hidden += self._is_hidden
                self._column = 0
            case "Cell" if self.sheets:
                self._start_cell(attributes)
            case "Comment":
                self.comments += 1
                self._in_comment += 1
            case "Data" if not self._in_comment:
                self._kind, self._data = attributes.get("Type", "String"), []

    def _start_cell(self, attributes: dict[str, str]) -> None:
        _, rows, merges = self.sheets[-1]
        self._column = _index(attributes, self._column)
        if self._column > MAX_COLUMNS * 2 or not rows:
            message = f"表格超过 {MAX_COLUMNS} 列。请只留需要的列，另存后再上传。"
            raise UnreadableError(message)
        across, down = (
            min(int(attributes.get(k, "0") or 0), _MAX_SPAN) if attributes.get(k, "0").isdecimal() else 0
            for k in ("MergeAcross", "MergeDown")
        )
        if across or down:
            merges.append((len(rows) - 1, self._column, len(rows) - 1 + down, self._column + across))
        row = rows[-1]
        row += [None] * (self._column + 1 + across - len(row))

    def text(self, text: str) -> None:
        if self._data is not None:
            self._data.append(text)

    def end(self, name: str) -> None:
        match name.rpartition(" ")[2]:
            case "Data" if self._data is not None and not self._in_comment:
                if not self._is_hidden and self._column not in self._hidden_columns and self.sheets[-1][1]:
                    self.sheets[-1][1][-1][self._column] = _typed(self._kind, "".join(self._data))
                self._data = None
            case "Comment":
                self._in_comment -= 1
            case "Cell" if self.sheets and self.sheets[-1][1]:
                self._column = max(self._column + 1, len(self.sheets[-1][1][-1]))


def _index(attributes: dict[str, str], otherwise: int) -> int:
    text = attributes.get("Index", "")
    return max(int(text) - 1, otherwise) if text.isdecimal() and len(text) < 8 else otherwise  # noqa: PLR2004 - digits


def _typed(kind: str, text: str) -> Value:
    try:
        if kind == "Number":
            return float(text)
        if kind == "DateTime":
            return date.fromisoformat(text[:10])
    except ValueError:
        pass
    return tidy(text)


def texts_between(tag: str, xml: bytes) -> Iterator[str]:
    """Texts of an element in XML that is looked through, not parsed."""
    for found in re.finditer(rf"<(?:\w+:)?{tag}[^>]*>([^<]*)<".encode(), xml):
        yield found[1].decode("utf-8", "replace")
