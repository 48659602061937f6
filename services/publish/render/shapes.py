"""The few shapes in which bodies of every kind stand on a page."""

from dataclasses import dataclass

Fact = tuple[str, str]


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


@dataclass(frozen=True, slots=True)
class BodyView:
    """A body for the page. `empty`: a sentence instead of rows."""

    facts: tuple[Fact, ...] = ()
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()
    tables: tuple[TableView, ...] = ()
    empty: str | None = None
