"""A file to a workbook, by what it holds and not by its name; what the limited process runs."""

import json
from typing import Final

from services.ingest.workbooks.markup import is_spreadsheet_xml, read_html, read_spreadsheet_xml
from services.ingest.workbooks.packed import BROKEN, OLE, ZIP, read_packed
from services.ingest.workbooks.texts import NO_TABLE, read_text
from services.ingest.workbooks.workbook import UnreadableError, Workbook, dumped

_OTHERS: Final = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x1f\x8b",
    b"{\\rtf",
    b"RIFF",
    b"BM",
)
_PANICS: Final = "pyo3_runtime"
_HEAD: Final = 16 * 1024


def read_workbook(data: bytes) -> Workbook:
    """Read a file; UnreadableError says in one sentence what it is and what to do."""
    if not data.strip():
        message = "文件是空的，请重新选择。"
        raise UnreadableError(message)
    if data.startswith((OLE, ZIP)):
        book = read_packed(data)
    elif data.startswith(_OTHERS):
        raise UnreadableError(NO_TABLE)
    elif is_spreadsheet_xml(data):
        book = read_spreadsheet_xml(data)
    elif _is_html(data):
        book = read_html(data)
    else:
        book = read_text(data)
    if not any(s.rows for s in book.sheets):
        message = "文件里没有内容，或内容都是隐藏的。请打开核对后再上传。"
        raise UnreadableError(message)
    return book


def _is_html(data: bytes) -> bool:
    head = data[:_HEAD].replace(b"\0", b"").lower().lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return head.startswith(b"<") and any(word in head for word in (b"<table", b"<html", b"<td", b"<style", b"<body"))


def answer(data: bytes) -> bytes:
    """A workbook as JSON, or why there is none; what `kit.confined` calls."""
    try:
        return dumped(read_workbook(data))
    except UnreadableError as error:
        return json.dumps({"unreadable": str(error)}).encode()
    except RecursionError:
        return json.dumps({"unreadable": "文件嵌套太深，不像账表，没有打开。"}).encode()
    except BaseException as error:
        # What the library in Rust did not expect (a panic) is no Exception to Python; the file is broken all the same.
        if type(error).__module__ != _PANICS:
            raise
        return json.dumps({"unreadable": BROKEN}).encode()


def require_readable(written: bytes) -> None:
    """Look at what `answer` gave; UnreadableError says why there is no workbook."""
    if written.startswith(b'{"unreadable"'):
        raise UnreadableError(json.loads(written)["unreadable"])
