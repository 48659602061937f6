"""Where a page is: the village, its township, its city; and what the items are called."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.contracts.catalogue import Affair, Item, ItemRevision
from services.contracts.division import DivisionKind
from services.contracts.values import period_bounds, period_words


@dataclass(frozen=True, slots=True)
class Township:
    """A township of the city."""

    code: str
    name: str
    city: str


@dataclass(frozen=True, slots=True)
class Village:
    """A village or community; `kind` is the division's."""

    code: str
    name: str
    kind: DivisionKind
    township: Township

    @property
    def is_community(self) -> bool:
        """Communities call their own affairs 居务."""
        return self.kind is DivisionKind.COMMUNITY


Items = Mapping[str, Item]


def item_at(items: Items, code: str, period: str) -> ItemRevision | None:
    """An item as it stood at the end of a period; None when the catalogue lacks it."""
    item = items.get(code)
    return item.at(period_bounds(period)[1]) if item is not None else None


def plain_name(items: Items, code: str, period: str) -> str:
    """The villagers' name of an item; its code when the catalogue lacks it."""
    revision = item_at(items, code, period)
    return revision.plain_name if revision is not None else code


def official_name(items: Items, code: str, period: str) -> str:
    """The catalogue's name of an item; its code when the catalogue lacks it."""
    revision = item_at(items, code, period)
    return revision.name if revision is not None else code


def affair_of(items: Items, code: str, period: str) -> Affair:
    """Which of the three affairs an item belongs to; without a catalogue, by the code's letter."""
    revision = item_at(items, code, period)
    if revision is not None:
        return revision.affair
    return {"P": Affair.PARTY, "V": Affair.VILLAGE}.get(code[0], Affair.FINANCE)


def title(items: Items, code: str, period: str) -> str:
    """A disclosure's official title: `2026年10月财务收支明细（逐笔）`."""
    return period_words(period) + official_name(items, code, period)
