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
from services.ingest.forms.columns import next_key, starter_body
from services.ingest.forms.ledger import complete_lines
from services.ingest.forms.spec import Cell, Grid, Spec, spec_for
from services.ingest.forms.tables import TableForm, for_form, from_form, table_spec
from services.ingest.forms.tenders import is_tender
from services.ingest.forms.values import CHOICE, HIDDEN

_COUNT: Final = re.compile(r"\d{1,4}", re.ASCII)
#: A chosen option stands in every row; a tick says something.
_NO_CONTENT: Final = (CHOICE, HIDDEN)


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
    table: TableForm | None = None
    #: Of a table: the key in the body of each column of the form, once a body was made.
    renamed: Mapping[str, str] = field(default_factory=dict)

    def value(self, name: str) -> str:
        """What was typed in a field."""
        return self.values.get(name, "")

    def used(self, grid: Grid) -> list[int]:
        """Numbers of the rows in which anything but a chosen option stands."""
        typed = [c for c in grid.cells if (c.path == grid.named_by if grid.named_by else c.kind not in _NO_CONTENT)]
        # A form begins with the names of the usual accounts; those without figures are none of the village's.
        typed = [c for c in typed if (grid.path, c.path) != ("accounts", "account")]
        rows = range(self.counts[grid.path])
        return [n for n in rows if any(self.value(row_field(grid, n, c)).strip() for c in typed)]

    def grid(self, path: str) -> Grid:
        """The grid of a path; StopIteration for a path that the form does not have."""
        return next(g for g in self.spec.grids if g.path == path)


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
    table = None
    if revision.kind is ItemKind.TABLE:
        rest = for_form(rest)
        stated = {*rest.get("totals", ()), *rest.get("quantity_totals", ())}
        table = TableForm([dict(c) for c in rest["columns"]], rest.get("checks", ()), stated)
        for column in rest["columns"]:
            del column["before"]
    shape = table_spec(table) if table is not None else None
    spec = spec_for(item, revision, shape, is_tender=is_tender(revision, body.get("kind")))
    form = Form(item, *cell, spec, table=table)
    for single in form.spec.cells:
        value = _take(rest, single.path)
        if value is not None and not single.kind.holds(value):
            rest[single.path] = value
        else:
            _show(form, single.path, single, value)
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
    begun = revision.kind is ItemKind.TABLE and not _COUNT.fullmatch(fields.get("columns.~count", ""))
    if begun:
        fields = {**form_of(item, revision, where, starter_body(item)).values, **fields}
        fields["columns.~count"] = str(len(starter_body(item)["columns"]))
    table = _table(fields) if revision.kind is ItemKind.TABLE else None
    shape = table_spec(table) if table is not None else None
    spec = spec_for(item, revision, shape, is_tender=is_tender(revision, fields.get("as")))
    form = Form(item, *where, spec, table=table)
    form.values = {name: value for name, value in fields.items() if name == "~keep" or value.strip()}
    for grid in form.spec.grids:
        typed = fields.get(f"{grid.path}.~count", "")
        count = int(typed) if _COUNT.fullmatch(typed) else grid.start
        form.counts[grid.path] = min(count, grid.limit)
    return form


#: What a form posts that is no content: where it stands, what was pressed, what is not read yet.
_NOT_TYPED: Final = frozenset({"id", "version", "typed", "action", "upload-title", "note"})


def fields_of(form: Form, note: str) -> dict[str, str]:
    """Everything that was typed into a form, to be read again by `read_form`; with the note of a correction."""
    typed = {n: v for n, v in form.values.items() if n not in _NOT_TYPED and not n.endswith(".~paste")}
    counts = {f"{path}.~count": str(count) for path, count in form.counts.items()}
    where = {"village": form.village, "item": form.item, "period": form.period}
    return {**typed, **counts, **where, **({"note": note} if note.strip() else {})}


def _table(fields: Mapping[str, str]) -> TableForm:
    """A table's columns as typed; a new one gets a key."""
    count = min(int(fields["columns.~count"]), _MOST_COLUMNS)
    found: list[dict[str, str]] = []
    taken = [fields.get(f"columns.{n}.key", "") for n in range(count)]
    for n in range(count):
        column = {name: fields.get(f"columns.{n}.{name}", "").strip() for name in _COLUMN_FIELDS}
        if column["name"]:
            column["key"] = column["key"] or next_key(taken)
            taken.append(column["key"])
            found.append({**column, "type": column["type"] or "text"})
    totals = [name.partition(".") for name, value in fields.items() if value.strip()]
    stated = {key for field, _, key in totals if field in {"totals", "quantity_totals"}}
    checks = (_json(fields.get("~keep", "")) or {}).get("checks")
    return TableForm(found, [c for c in checks if isinstance(c, dict)] if isinstance(checks, list) else (), stated)


_COLUMN_FIELDS: Final = ("key", "name", "type", "unit", "sum", "was")
#: More than a body takes, so that what is too many is told.
_MOST_COLUMNS: Final = 50


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
    if form.spec.is_tender:
        body.setdefault("tender", {})
    if form.spec.kind is ItemKind.LEDGER:
        complete_lines(body, form.used(form.grid("lines")), form.faults)
    if form.table is not None:
        form.renamed = from_form(form.table.columns, body)
    return None if form.faults or form.homeless else body


_ALWAYS: Final = frozenset({"accounts", "lines", "entries", "paragraphs", "columns", "rows"})


def _json(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _unkept(form: Form, name: str) -> dict[str, Any]:
    if not form.value(name):
        return {}
    kept = _json(form.value(name))
    if kept is None:
        form.homeless.append("页面上随附的内容损坏了，请从办事台重新打开这一份再填。")
    return kept or {}


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


def places_of(form: Form) -> list[tuple[str, str, str]]:
    """Every fault with its field and the field's name in words, in the order of the form."""
    words = {c.path: c.label for c in form.spec.cells}
    for grid in form.spec.grids:
        words[grid.path] = grid.label
        for n in range(form.counts[grid.path]):
            words |= {row_field(grid, n, c): f"{grid.label}第 {n + 1} 行“{c.label}”" for c in grid.cells}
    order = {name: n for n, name in enumerate(words)}
    found = sorted(form.faults, key=lambda name: order.get(name, len(order)))
    return [(name, words.get(name, ""), form.faults[name]) for name in found]


# -- faults of the body at their cells ----------------------------------------------------------------------------

_ROW_PLACE: Final = re.compile(r"body\.(\w+)\[(\d+)\](?:\[(\d+)\]|\.([\w.]+))?")


def note_faults(form: Form, faults: Iterable[tuple[str, str]]) -> None:
    """Put faults of the body at the cells they come from; those that have no cell are kept apart."""
    used: UsedRows = {}
    for at, message in faults:
        name = field_of(form, at, used)
        if name is None:
            form.homeless.append(message)
        else:
            form.faults.setdefault(name, message)


#: Numbers of the rows of each grid of one form, by its path.
UsedRows = dict[str, list[int]]


def field_of(form: Form, at: str, used: UsedRows) -> str | None:
    """The field of a place in the body such as `body.lines[3].voucher.no`; None when nothing shows it.

    `used` begins empty and is kept from one place of a form to the next: its rows are counted once.
    """
    if at in {"village", "period"}:
        return at
    match = _ROW_PLACE.match(at)
    if match is None:
        above, dot, last = at.removeprefix("body.").rpartition(".")
        keys = {new: old for old, new in form.renamed.items()} if above.endswith("totals") else {}
        path = f"{above}{dot}{keys.get(last, last)}"
        return next((c.path for c in form.spec.cells if path == c.path or path.startswith(f"{c.path}.")), None)
    grid = next((g for g in form.spec.grids if g.path == match[1]), None)
    if grid is not None and grid.path not in used:
        used[grid.path] = form.used(grid)
    rows = used[grid.path] if grid is not None else []
    if grid is None or int(match[2]) >= len(rows):
        return None
    n = rows[int(match[2])]
    if match[3] is not None and int(match[3]) < len(grid.cells):
        return row_field(grid, n, grid.cells[int(match[3])])
    cell = next((c for c in grid.cells if c.path and c.path == match[4]), grid.cells[0])
    return row_field(grid, n, cell)
