"""Delimited text (CSV, TSV) in whatever encoding, delimiter and line end; pure."""

import csv
import io
import re
from collections import Counter
from typing import Final

from services.ingest.workbooks.workbook import MAX_CELLS, UnreadableError, Value, Workbook, Worksheet, fitted, tidy

_DELIMITERS: Final = ",\t;|，"
_SAMPLE_LINES: Final = 30
#: What Chinese text holds; what GB18030 makes of other encodings lies mostly elsewhere.
_COMMON: Final = re.compile(r"[\u4e00-\u9fff]")
_STRANGE: Final = re.compile(r"[\ue000-\uf8ff\u3400-\u4dbf\u0400-\u04ff\u2500-\u257f]")
_LATIN: Final = re.compile(rb"[A-Za-z][\xc0-\xff]{1,2}[A-Za-z]|\s[\xc0-\xff][A-Za-z]|[A-Za-z][\xc0-\xff][\s,;\"]")
_UTF16_SHARE: Final = 0.2


def decoded(data: bytes) -> str:
    """Bytes as text: marks first, then UTF-16 by its zeros, UTF-8, GB18030, and what western machines write."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return _decode(data, (encoding,))
    head = data[:4000]
    zeros = head.count(0)
    if zeros > len(head) * _UTF16_SHARE:
        return _decode(
            data, ("utf-16-le",) if head[1:2] == b"\0" or head[1::2].count(0) > head[::2].count(0) else ("utf-16-be",)
        )
    if zeros:
        raise UnreadableError(NO_TABLE)
    return _decode(
        data, ("utf-8", "cp1252", "latin-1") if _is_latin(data) else ("utf-8", "gb18030", "cp1252", "latin-1")
    )


NO_TABLE: Final = "这不是表格文件。请上传 Excel（xls、xlsx）、WPS 表格或 CSV 文件；照片和 PDF 请作为附件上传。"


def _is_latin(data: bytes) -> bool:
    """Tell letters with accents among ASCII ones from pairs of bytes that are Chinese."""
    high = sum(b >= 0x80 for b in data[:65536])  # noqa: PLR2004 - beyond ASCII
    return high > 0 and len(_LATIN.findall(data[:65536])) * 2 > high // 2


def _decode(data: bytes, encodings: tuple[str, ...]) -> str:
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    message = "看不懂文件的编码。请用 Excel 或 WPS 打开，另存为 xlsx 后再上传。"
    raise UnreadableError(message)


def read_text(data: bytes) -> Workbook:
    """A file of delimited text as a workbook of one sheet."""
    text = decoded(data).replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    delimiter = _delimiter_of(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = fitted([tidy(cell) for cell in row] for row in reader)
    except csv.Error as error:
        message = f"第 {reader.line_num} 行读不下去，请检查这一行的引号是否成对。"
        raise UnreadableError(message) from error
    typed: list[list[Value]] = [list(row) for row in rows]
    if not typed:
        message = "文件是空的，请重新选择。"
        raise UnreadableError(message)
    if len(text) > MAX_CELLS * 20:
        message = "文件太大，请按月或按村分成几个文件再上传。"
        raise UnreadableError(message)
    return Workbook("CSV", [Worksheet("", typed)])


def _delimiter_of(text: str) -> str:
    """The sign that splits most lines into equally many cells."""
    lines = [line for line in text.split("\n", _SAMPLE_LINES * 3)[: _SAMPLE_LINES * 3] if line.strip()][:_SAMPLE_LINES]
    best, delimiter = 0, ","
    for sign in _DELIMITERS:
        counts = Counter(n for line in lines if (n := len(re.sub(r'"[^"]*"', "", line).split(sign)) - 1))
        score = max((count * min(n, 6) for n, count in counts.items()), default=0)
        if score > best:
            best, delimiter = score, sign
    return delimiter
