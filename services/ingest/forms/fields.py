"""Cells, grids and forms as values: what a page asks for. A cell's path is its place in the body."""

from dataclasses import dataclass
from typing import Final

from services.contracts.catalogue import ItemKind
from services.ingest.forms.values import TEXT, Kind

#: A form with more rows would not be a page any more; a file is the way (一键导入).
MAX_FORM_ROWS: Final = 400
Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One field. `path` within the body, or within its row; `more`: stands in the grid's second, folded table."""

    path: str
    label: str
    kind: Kind = TEXT
    required: bool = False
    size: int = 10
    options: Options = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of a list. A grid whose only cell has an empty path holds texts; `listed`: rows are lists, not objects.

    `named_by`: the cell without which a row is none; else anything typed makes a row.
    """

    path: str
    label: str
    cells: tuple[Cell, ...]
    start: int = 3
    more: int = 5
    limit: int = MAX_FORM_ROWS
    hint: str = ""
    listed: bool = False
    pasted: bool = False
    named_by: str | None = None

    @property
    def main(self) -> tuple[Cell, ...]:
        """Cells of the first table."""
        return tuple(c for c in self.cells if not c.more)

    @property
    def folded(self) -> tuple[Cell, ...]:
        """Cells of the second table."""
        return tuple(c for c in self.cells if c.more)


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole form: cells on top, then grids, then cells below."""

    kind: ItemKind
    head: tuple[Cell, ...]
    grids: tuple[Grid, ...]
    foot: tuple[Cell, ...] = ()
    hints: tuple[str, ...] = ()
    #: A notice of an item whose own content, a contract or a project, comes later.
    is_tender: bool = False

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells outside of grids, in their order on the page."""
        return (*self.head, *self.foot)
