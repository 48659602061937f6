"""A table as people read it: rows as its author typed them, sums only of what may be added up, each kind by itself."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from services.contracts.bodies import Column, ColumnType, Table, measured
from services.contracts.bodies.columns import NUMBERS, WORDS, bare_name, in_wan, number, unit_of
from services.contracts.bodies.rows import UNLIKE, ReadRow, RowKind
from services.publish.render.aggregates import hidden_rows
from services.publish.render.shapes import BodyView, HeadView, TableView
from services.publish.render.words import amount

_FEN_OF_WAN: Final = 1_000_000
Cells = tuple[int | None, ...]


def table_view(full: Table, shown: Table, *, aggregate: bool) -> BodyView:
    """A table as its author made it; with `aggregate` without the rows of persons, whose sums stay."""
    if full.nil:
        return BodyView(empty="这段时间没有这件事。")
    hidden = hidden_rows(full) if aggregate else frozenset[int]()
    read = tuple(r for n, r in enumerate(full.read()) if n not in hidden)
    # Groups may be named after persons: the words come from what everybody may read.
    sums = _public_sums(full) if hidden else shown.sums()
    facts: tuple[tuple[str, str], ...] = ()
    if hidden:
        facts = (("一共", f"{len(hidden)}行"), *_sum_facts(full, sums))
    if not any(r.kind in {RowKind.DATA, RowKind.APART} for r in read):
        return BodyView(facts, empty="这一项按规定只公布合计。")
    empty = "涉及个人的行按规定只公布合计。" if hidden else None
    # A single row is its own sum, unless it is hidden.
    rows = Counter(r.group for r in shown.read() if r.kind is RowKind.DATA and not hidden)
    alone = frozenset(group for group, count in rows.items() if count == 1)
    return BodyView(facts, tables=(_view(full, shown, read, sums, alone),), empty=empty)


def _public_sums(full: Table) -> tuple[tuple[str, Cells], ...]:
    return tuple((group, cells) for group, cells in full.sums() if not group or group in UNLIKE)


def _sum_facts(full: Table, sums: Sequence[tuple[str, Cells]]) -> list[tuple[str, str]]:
    return [
        (f"{group}{bare_name(column.name)}", _sum_text(column, made))
        for group, cells in sums
        for column, made in zip(full.columns, cells, strict=True)
        if made is not None
    ]


def _view(
    full: Table, shown: Table, read: Sequence[ReadRow], sums: Sequence[tuple[str, Cells]], alone: frozenset[str]
) -> TableView:
    """`alone`: groups of a single row that can be read."""
    columns = shown.columns
    rows = tuple(tuple(_text(c, cell) for c, cell in zip(columns, row, strict=True)) for row in shown.rows)
    below = _stated(full)
    is_beside = bool(below)
    for group, cells in sums:
        is_own = is_beside and not group
        below += _computed(shown, read, group, cells, is_beside=is_own, is_alone=group in alone)
    strong = frozenset(n for n, r in enumerate(read) if r.is_sum or r.kind is RowKind.HEADING)
    heads = tuple(HeadView(_head(c), c.type in NUMBERS) for c in columns)
    return TableView(shown.title or "一行一行看", heads, rows, tuple(below), strong, tuple(_notes(shown)))


def _head(column: Column) -> str:
    """Cells of amounts carry their unit; a unit of its own such as 元/月 stays in the head."""
    unit = unit_of(column)
    if column.type is ColumnType.AMOUNT and unit in {"元", "万元", "万"}:
        return bare_name(column.name)
    return f"{column.name}（{column.unit}）" if column.unit else column.name


# -- sums below ---------------------------------------------------------------------------------------------------


def _stated(full: Table) -> list[tuple[str, ...]]:
    """Totals that the author stated and the rows do not make: they are shown, not replaced."""
    wrong = [c for c in full.compare("") if not c.ok and c.at.startswith(("body.totals.", "body.quantity_totals."))]
    keys = {c.at.rsplit(".", 1)[1] for c in wrong}
    if not keys:
        return []
    said: dict[str, int | str] = {**full.totals, **full.quantity_totals}
    values = [number(c, said[c.key]) if c.key in keys else None for c in full.columns]
    return [_line("合计（村里写的）", full.columns, values)]


def _computed(
    shown: Table, read: Sequence[ReadRow], group: str, cells: Cells, *, is_beside: bool, is_alone: bool
) -> list[tuple[str, ...]]:
    """The sum of a group, unless its author typed the same as a row of his own, or a single row says it already."""
    typed = _typed_sums(shown, read, group)
    missing = [None if made is None or made in typed[m] else made for m, made in enumerate(cells)]
    if all(made is None for made in missing):
        return []
    has_own = is_beside or any(typed)
    if has_own:
        # Beside a stated sum stands the computed one where it is another.
        differs = [made if typed[m] or is_beside else None for m, made in enumerate(missing)]
        is_wrong = any(d is not None for d in differs)
        missing, is_alone = differs if is_wrong else missing, is_alone and not is_wrong
    if is_alone:
        return []
    label = f"{group}合计（逐行相加）" if has_own else f"{group}合计"
    return [_line(label, shown.columns, missing)]


def _typed_sums(shown: Table, read: Sequence[ReadRow], group: str) -> list[set[int]]:
    """What rows of sums say of a group, by column."""
    typed: list[set[int]] = [set() for _ in shown.columns]
    for r, row in zip(read, shown.rows, strict=True):
        is_of_group = r.group == group if group else r.kind is RowKind.TOTAL
        if not r.is_sum or not r.makes or not is_of_group:
            continue
        for m, (column, cell) in enumerate(zip(shown.columns, row, strict=True)):
            value = number(column, cell) if column.type in NUMBERS else None
            typed[m] |= {value} if value is not None else set()
    return typed


def _line(label: str, columns: Sequence[Column], cells: Sequence[int | None]) -> tuple[str, ...]:
    texts = ["" if made is None else _sum_text(c, made) for c, made in zip(columns, cells, strict=True)]
    place = next((n for n, c in enumerate(columns) if c.type in WORDS and not texts[n]), None)
    if place is not None:
        texts[place] = label
    elif not texts[0]:
        texts[0] = label
    return tuple(texts)


# -- cells --------------------------------------------------------------------------------------------------------


def _wan(fen: int) -> str:
    return f"{(Decimal(fen) / _FEN_OF_WAN).normalize():,f}万元"


def _text(column: Column, cell: str | int | None) -> str:
    if cell is None:
        return ""
    if column.type is not ColumnType.AMOUNT or not isinstance(cell, int):
        return str(cell)
    # In bodies from before, the unit was a word that nobody converted by.
    is_typed_so = in_wan(column) and column.sum is not None
    return f"{amount(cell)}（填的是{_wan(cell)}）" if is_typed_so else amount(cell)


def _sum_text(column: Column, made: int) -> str:
    match column.type:
        case ColumnType.AMOUNT:
            return f"{amount(made)}（合{_wan(made)}）" if in_wan(column) and column.sum is not None else amount(made)
        case ColumnType.QUANTITY:
            return measured(made)
        case _:
            return str(made)


def _notes(shown: Table) -> list[str]:
    names = [bare_name(c.name) for c in shown.columns if in_wan(c) and c.sum is None]
    return [f"“{name}”录入时写的单位是万元，系统当时按元登记，以村里的原件为准。" for name in names]
