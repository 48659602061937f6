"""What differs between two forms of one item: single cells, and rows that came, went or changed; pure."""

from itertools import zip_longest
from typing import Final, NamedTuple

from services.contracts.alignment import Aligner
from services.contracts.values import yuan
from services.ingest.bulk.cells import CellError, to_fen, to_fen_of_wan
from services.ingest.forms import Form, Grid, row_field
from services.ingest.forms.values import FLAG, MONEY, WAN, Kind

_MOST: Final = 200


class Change(NamedTuple):
    """One difference in words: where, what stood before, what stands after; blank where there was nothing."""

    where: str
    before: str
    after: str


def shown(kind: Kind, text: str, options: tuple[tuple[str, str], ...] = ()) -> str:
    """A cell as people read it: money with separators, choices in words."""
    if kind is MONEY and text:
        try:
            fen = to_fen(text)
        except CellError:
            return text
        return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02}"
    if kind.name == WAN.name and text:
        try:
            return f"{yuan(to_fen_of_wan(text))}元（填的是{text}{'' if text.endswith(('万', '元')) else '万元'}）"
        except CellError:
            return text
    if kind is FLAG:
        return "是" if text else ""
    return dict(options).get(text, text)


def changes(before: Form, after: Form) -> list[Change]:
    """Everything that differs, in the order of the form."""
    found = []
    for cell in after.spec.cells:
        old, new = (shown(cell.kind, f.value(cell.path), cell.options) for f in (before, after))
        if old != new:
            found.append(Change(cell.label, old, new))
    known = {g.path: g for g in before.spec.grids}
    for grid in after.spec.grids:
        if grid.path in known:
            found += _row_changes(before, known[grid.path], after, grid)
    return found[:_MOST]


def row_words(form: Form, grid: Grid, n: int) -> tuple[tuple[str, str], ...]:
    """A row as label and text of each cell that is filled."""
    cells = ((c.label, shown(c.kind, form.value(row_field(grid, n, c)), c.options)) for c in grid.cells)
    return tuple((label, text) for label, text in cells if text and label not in {"编号", "列的代号", "原来的列名"})


def _row_changes(before: Form, old_grid: Grid, after: Form, grid: Grid) -> list[Change]:
    old = [row_words(before, old_grid, n) for n in before.used(old_grid)]
    new = [row_words(after, grid, n) for n in after.used(grid)]
    found = []
    for a, b, c, d in Aligner().changed(old, new):
        for n, (left, right) in enumerate(zip_longest(old[a:b], new[c:d], fillvalue=())):
            # Alike by place, in a list that was too long to be aligned well.
            if left != right:
                found.append(Change(f"{grid.label}第 {(c if d > c else a) + n + 1} 行", *_differing(left, right)))
    return found


def _differing(left: tuple[tuple[str, str], ...], right: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """Two rows in words; where both stand, only what differs and the first cells that name the row."""
    if not left or not right:
        return _words(left), _words(right)
    same = set(left) & set(right)
    named = {pair for pair in left[:2] if pair in same}
    kept = same - named
    return _words(tuple(p for p in left if p not in kept)), _words(tuple(p for p in right if p not in kept))


def _words(row: tuple[tuple[str, str], ...]) -> str:
    return "，".join(f"{label} {text}" for label, text in row)
