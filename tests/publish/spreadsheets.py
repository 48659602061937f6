"""Reads XLSX as ECMA-376 (ISO/IEC 29500) says, so that a test sees what a spreadsheet would: texts, numbers, formulas."""

import io
import zipfile
from dataclasses import dataclass
from xml.etree import ElementTree as ET

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@dataclass(frozen=True, slots=True)
class Book:
    """Sheets by name, each a list of rows of texts and numbers; whatever is a formula anywhere in it."""

    sheets: dict[str, list[list[str | float | None]]]
    formulas: list[str]


def read(content: bytes) -> Book:
    """A workbook as it stands in its file."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.testzip() is None
        parts = {name: ET.fromstring(file.read(name)) for name in file.namelist() if name.endswith(".xml")}  # noqa: S314 - our own answer
    shared = ["".join(t.text or "" for t in s.iter(f"{_MAIN}t")) for s in _all(parts.get("xl/sharedStrings.xml"), "si")]
    names = [s.get("name", "") for s in _all(parts["xl/workbook.xml"], "sheet")]
    sheets, formulas = {}, []
    for number, name in enumerate(names, 1):
        sheet = parts[f"xl/worksheets/sheet{number}.xml"]
        formulas += [f.text or "" for f in _all(sheet, "f")]
        sheets[name] = [_row(row, shared) for row in _all(sheet, "row")]
    return Book(sheets, formulas)


def _row(row: ET.Element, shared: list[str]) -> list[str | float | None]:
    """Cells by their letters: what is empty is not written."""
    found = {ord(cell.get("r", "A")[0]) - ord("A"): _value(cell, shared) for cell in _all(row, "c")}
    return [found.get(place) for place in range(max(found, default=-1) + 1)]


def _all(part: ET.Element | None, name: str) -> list[ET.Element]:
    return list(part.iter(f"{_MAIN}{name}")) if part is not None else []


def _value(cell: ET.Element, shared: list[str]) -> str | float | None:
    value = cell.findtext(f"{_MAIN}v")
    if value is None:
        return None
    return shared[int(value)] if cell.get("t") == "s" else float(value)
