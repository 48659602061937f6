"""Fields of a form to a body and back; pure.

A single cell's field is named by its path in the body, a row's by grid, number and path (`lines.0.voucher.no`). What
a body holds and no cell shows rides along as JSON in hidden fields (`~keep`), so that saving loses nothing.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.contracts.catalogue import ItemKind, ItemRevision
from services.ingest.bulk.cells import CellError
from services.ingest.pages.forms.columns import next_key, starter_body
from services.ingest.pages.forms.ledger import complete_lines
from services.ingest.pages.forms.spec import Cell, Grid, Spec, spec_for
from services.ingest.pages.forms.values import CHOICE, FLAG, HIDDEN

_COUNT: Final = re.compile(r"\d{1,4}", re.ASCII)
_NO_CONTENT: Final = (CHOICE, FLAG, HIDDEN)


@dataclass(slots=True)
class Form:
    """What stands in the fields of one disclosure's form; `faults` by field name, `homeless` those without a cell."""

    item: str
    village: str
    period: str
    spec: Spec
    values: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    homeless: list[str] = field(default_factory=list)

    def value(self, name: str) -> str:
        """What was typed in a field."""
        return self.values.get(name, "")

    def used(self, grid: Grid) -> list[int]:
        """Numbers of the rows in which anything but a chosen option stands."""
        typed = [c for c in grid.cells if (c.path == grid.named_by if grid.named_by else c.kind not in _NO_CONTENT)]
        rows = range(self.counts[grid.path])
        return [n for n in rows if any(self.value(row_field(grid, n, c)).strip() for c in typed)]

    def grid(self, path: str) -> Grid:
        """One of its grids."""
        return next(g for g in self.spec.grids if g.path == path)

    def wants_folded(self, grid: Grid) -> bool:
        """Tell whether anything stands, or is wrong, in the folded table of a grid."""
        names = [row_field(grid, n, c) for n in range(self.counts[grid.path]) for c in grid.folded]
        return any(self.value(name).strip() or name in self.faults for name in names)


def row_field(grid: Grid, n: int, cell: Cell) -> str:
    """The field of a cell in row `n`."""
    return f"{grid.path}.{n}.{cell.path}" if cell.path else f"{grid.path}.{n}"


def keep_field(grid: Grid, n: int) -> str:
    """The hidden field with what row `n` holds besides its cells."""
    return f"{grid.path}.{n}.~keep"


# -- a body's fields ----------------------------------------------------------------------------------------------


def form_of(item: str, revision: ItemRevision, cell: tuple[str, str], body: Mapping[str, Any]) -> Form:
    """The form that shows a body (JSON form, without nulls) of a village and period."""
    rest = json.loads(json.dumps(body))
    rest.pop("kind", None)
    columns = [{"unit": "", "type": "text", **c} for c in rest.get("columns", ())]
    form = Form(item, *cell, spec_for(revision, columns))
    for single in form.spec.cells:
        _show(form, single.path, single, _take(rest, single.path))
    for grid in form.spec.grids:
        _show_rows(form, grid, rest.pop(grid.path, []))
    form.values["~keep"] = _kept(rest)
    return form


def _show(form: Form, name: str, cell: Cell, value: object) -> None:
    if value is not None:
        form.values[name] = cell.kind.show(value)


def _show_rows(form: Form, grid: Grid, rows: Sequence[Any]) -> None:
    form.counts[grid.path] = max(len(rows) + (grid.more if rows else 0), grid.start)
    for n, row in enumerate(rows):
        if grid.listed:
            for cell, value in zip(grid.cells, row, strict=True):
                _show(form, row_field(grid, n, cell), cell, value)
        elif isinstance(row, str):
            form.values[row_field(grid, n, grid.cells[0])] = row
        else:
            for cell in grid.cells:
                _show(form, row_field(grid, n, cell), cell, _take(row, cell.path))
            form.values[keep_field(grid, n)] = _kept(row)


def _take(holder: dict[str, Any], path: str) -> object:
    """Take a value out by its path; what was its object stays, possibly empty."""
    *above, last = path.split(".")
    for name in above:
        inner = holder.get(name)
        if not isinstance(inner, dict):
            return None
        holder = inner
    value: object = holder.pop(last, None)
    return value


def _kept(rest: Mapping[str, Any]) -> str:
    """What no cell shows, as JSON; nothing for nothing."""
    left = {name: value for name, value in rest.items() if value not in ([], {}, None)}
    return json.dumps(left, ensure_ascii=False) if left else ""


# -- fields as they came in ---------------------------------------------------------------------------------------


def read_form(item: str, revision: ItemRevision, fields: Mapping[str, str]) -> Form:
    """Take over the fields as they are; a form without rows yet gets the ones it begins with."""
    where = (fields.get("village", "").strip(), fields.get("period", "").strip())
    form = Form(item, *where, spec_for(revision, _columns(item, fields)))
    begun = revision.kind is ItemKind.TABLE and "columns.~count" not in fields
    values = {**form_of(item, revision, where, starter_body(item)).values, **fields} if begun else dict(fields)
    form.values = {name: value for name, value in values.items() if name == "~keep" or value.strip()}
    for grid in form.spec.grids:
        typed = fields.get(f"{grid.path}.~count", "")
        count = int(typed) if _COUNT.fullmatch(typed) else grid.start
        form.counts[grid.path] = min(count, grid.limit)
    if begun:
        form.counts["columns"] = len(_columns(item, fields))
    return form


def _columns(item: str, fields: Mapping[str, str]) -> list[dict[str, str]]:
    """A table's columns as typed; a new one gets a key."""
    typed = fields.get("columns.~count", "")
    if not _COUNT.fullmatch(typed):
        return [{"unit": "", "type": "text", **c} for c in starter_body(item)["columns"]]
    found: list[dict[str, str]] = []
    taken = [fields.get(f"columns.{n}.key", "") for n in range(int(typed))]
    for n in range(min(int(typed), 50)):
        column = {name: fields.get(f"columns.{n}.{name}", "").strip() for name in ("key", "name", "type", "unit")}
        if column["name"]:
            column["key"] = column["key"] or next_key(taken)
            taken.append(column["key"])
            found.append({**column, "type": column["type"] or "text"})
    return found


def add_rows(form: Form, path: str) -> None:
    """Make room for more rows in a grid."""
    grid = form.grid(path)
    form.counts[path] = min(form.counts[path] + max(grid.more, 1), grid.limit)


# -- the body in a form -------------------------------------------------------------------------------------------


def to_body(form: Form) -> dict[str, Any] | None:
    """The body in the form, or None with `faults` filled in."""
    body: dict[str, Any] = _unkept(form, "~keep")
    body["kind"] = form.spec.kind.value
    for cell in form.spec.cells:
        _read_cell(form, cell.path, cell, body)
    for grid in form.spec.grids:
        rows = [_read_row(form, grid, n) for n in form.used(grid)]
        if rows or grid.path in _ALWAYS:
            body[grid.path] = rows
    if form.spec.kind is ItemKind.LEDGER:
        complete_lines(body, form.used(form.grid("lines")), form.faults)
    if form.spec.kind is ItemKind.TABLE:
        _fit_columns(form, body)
    return None if form.faults or form.homeless else body


_ALWAYS: Final = frozenset({"accounts", "lines", "entries", "paragraphs", "columns", "rows"})


def _fit_columns(form: Form, body: dict[str, Any]) -> None:
    """Columns take their keys from the form's spec; sums over a column that is gone are dropped with it."""
    cells = form.grid("rows").cells
    for column, cell in zip(body["columns"], cells, strict=False):
        column["key"] = cell.path
    summed = {c["key"] for c in body["columns"] if c.get("type") in {"amount", "count"}}
    if "totals" in body:
        body["totals"] = {k: v for k, v in body["totals"].items() if k in summed}
    if "checks" in body and isinstance(body["checks"], list):
        body["checks"] = [c for c in body["checks"] if isinstance(c, dict) and _check_keys(c) <= summed]


def _check_keys(check: Mapping[str, Any]) -> set[Any]:
    keys = [*_texts(check.get("plus")), *_texts(check.get("minus")), str(check.get("equals"))]
    return set(keys)


def _texts(value: object) -> Iterable[str]:
    return [str(v) for v in value] if isinstance(value, list) else []


def _unkept(form: Form, name: str) -> dict[str, Any]:
    text = form.value(name)
    if not text:
        return {}
    try:
        kept = json.loads(text)
    except (ValueError, RecursionError):
        kept = None
    if not isinstance(kept, dict):
        form.homeless.append("页面上随附的内容损坏了，请从办事台重新打开这一份再填。")
        return {}
    return kept


def _read_cell(form: Form, name: str, cell: Cell, holder: dict[str, Any]) -> None:
    """Put a cell's value into its holder; blank is absent, a required blank a fault."""
    text = form.value(name)
    if not text.strip():
        if cell.required:
            form.faults.setdefault(name, f"请填写{cell.label}")
        return
    try:
        value = cell.kind.read(text, form.period)
    except CellError as error:
        form.faults.setdefault(name, str(error))
        return
    *above, last = cell.path.split(".")
    for part in above:
        inner = holder.setdefault(part, {})
        if not isinstance(inner, dict):
            return
        holder = inner
    holder[last] = value


def _read_row(form: Form, grid: Grid, n: int) -> Any:
    if grid.listed:
        return [_listed_value(form, grid, n, cell) for cell in grid.cells]
    if not grid.cells[0].path:
        return form.value(row_field(grid, n, grid.cells[0])).replace("\r\n", "\n")
    row = _unkept(form, keep_field(grid, n))
    for cell in grid.cells:
        _read_cell(form, row_field(grid, n, cell), cell, row)
    return row


def _listed_value(form: Form, grid: Grid, n: int, cell: Cell) -> object:
    holder: dict[str, Any] = {}
    _read_cell(form, row_field(grid, n, cell), cell, holder)
    return holder.get(cell.path)


# -- faults of the body at their cells ----------------------------------------------------------------------------

_ROW_PLACE: Final = re.compile(r"body\.(\w+)\[(\d+)\](?:\[(\d+)\]|\.([\w.]+))?")


def note_faults(form: Form, faults: Iterable[tuple[str, str]]) -> None:
    """Put faults of the body at the cells they come from; those that have no cell are kept apart."""
    for at, message in faults:
        name = field_of(form, at)
        if name is None:
            form.homeless.append(message)
        else:
            form.faults.setdefault(name, message)


def field_of(form: Form, at: str) -> str | None:
    """The field of a place in the body such as `body.lines[3].voucher.no`; None when nothing shows it."""
    if at in {"village", "period"}:
        return at
    match = _ROW_PLACE.match(at)
    if match is None:
        path = at.removeprefix("body.")
        return next((c.path for c in form.spec.cells if path == c.path), None)
    grid = next((g for g in form.spec.grids if g.path == match[1]), None)
    rows = form.used(grid) if grid is not None else []
    if grid is None or int(match[2]) >= len(rows):
        return None
    n = rows[int(match[2])]
    if match[3] is not None and int(match[3]) < len(grid.cells):
        return row_field(grid, n, grid.cells[int(match[3])])
    cell = next((c for c in grid.cells if c.path and c.path == match[4]), grid.cells[0])
    return row_field(grid, n, cell)
