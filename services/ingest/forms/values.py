"""Sorts of cells: how each reads what people type, and how it shows what a body holds; pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.ingest.bulk.cells import (
    account_words,
    to_account,
    to_day,
    to_fen,
    to_fen_of_wan,
    to_measured,
    to_quantity,
    to_wan,
    to_whole,
    to_yuan,
)


def _to_text(text: str) -> str:
    return text.replace("\r\n", "\n")


def _to_flag(text: str) -> bool:
    return text == "yes"


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of cell: how it reads what was typed, and how it shows what is held."""

    name: str
    read: Callable[[str, str], object]
    show: Callable[[object], str]
    #: Whether a cell can show something that a body holds; what it cannot stays beside the form as it is.
    holds: Callable[[object], bool] = lambda _: True


def _kind(name: str, read: Callable[[str], object], show: Callable[[object], str] = str) -> Kind:
    return Kind(name, lambda text, _: read(text), show)


def _show_fen(value: object) -> str:
    return to_yuan(value) if isinstance(value, int) else str(value)


def _show_wan(value: object) -> str:
    return to_wan(value) if isinstance(value, int) else str(value)


TEXT: Final = _kind("text", _to_text)
LONG: Final = _kind("long", _to_text)
MONEY: Final = _kind("money", to_fen, _show_fen)
#: Money in a column whose unit is 万元.
WAN: Final = _kind("wan", to_fen_of_wan, _show_wan)
#: The same in a body from before the unit was converted by: the form says 元, so that nobody reads ten thousand times as much.
WAN_BEFORE: Final = _kind("wan", to_fen_of_wan, lambda value: f"{_show_fen(value)}元")
WHOLE: Final = _kind("whole", to_whole)
QUANTITY: Final = _kind("quantity", to_quantity)
#: A cell of a table, in which an approximate number may stand as it was typed.
MEASURED: Final = _kind("quantity", to_measured)
DAY: Final = Kind("day", to_day, str)
ACCOUNT: Final = _kind("account", to_account, lambda value: account_words(str(value)))
CHOICE: Final = _kind("choice", _to_text)
FLAG: Final = _kind("flag", _to_flag, lambda value: "yes" if value else "")
HIDDEN: Final = _kind("hidden", _to_text)
