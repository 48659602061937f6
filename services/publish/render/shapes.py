"""The few shapes in which bodies of every kind stand on a page."""

from dataclasses import dataclass
from typing import Final

Fact = tuple[str, str]
_SERIALS: Final = frozenset({"序号", "编号", "行次", "次序", "号"})


@dataclass(frozen=True, slots=True)
class HeadView:
    """A column's head; `number` columns stand to the right."""

    name: str
    number: bool


@dataclass(frozen=True, slots=True)
class TableView:
    """Rows under heads, sums below. `strong`: rows that add others up or head them; `notes`: what one has to know."""

    title: str
    heads: tuple[HeadView, ...]
    rows: tuple[tuple[str, ...], ...]
    sums: tuple[tuple[str, ...], ...] = ()
    strong: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()

    @property
    def naming(self) -> int:
        """Which column names a row where rows are cards: the first that does more than count."""
        return next((n for n, head in enumerate(self.heads) if head.name not in _SERIALS), 0)


@dataclass(frozen=True, slots=True)
class BodyView:
    """A body for the page. `empty`: a sentence instead of rows."""

    facts: tuple[Fact, ...] = ()
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()
    tables: tuple[TableView, ...] = ()
    empty: str | None = None
