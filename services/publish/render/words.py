"""Words that villagers read for figures, periods, accounts and times."""

from datetime import datetime
from typing import Final

from services.contracts.catalogue import Affair
from services.contracts.days import SHANGHAI
from services.contracts.values import yuan
from services.contracts.words import AFFAIRS, METHODS

#: On what terms everything that is open may be used, as pages, files and feeds tell it.
LICENCE: Final = "https://creativecommons.org/licenses/by/4.0/deed.zh-hans"
TERMS: Final = (
    f"按知识共享署名 4.0 许可（{LICENCE}）：可以免费查看、转载、计算和再利用，请注明来源和日期。"
    "有人名的名单只供核对，不得收集、拼接，不得用来骚扰他人。"
)
_WAN: Final = 1_000_000
_YI: Final = 10_000 * _WAN


def amount(fen: int) -> str:
    """Fen as `51,200.00元`."""
    return f"{yuan(fen)}元"


def about(fen: int) -> str | None:
    """A big amount in words, `约5.1万元`; None below ten thousand yuan."""
    size = abs(fen)
    if size < _WAN:
        return None
    unit, word = (_YI, "亿元") if size >= _YI else (_WAN, "万元")
    tenths = (size * 10 + unit // 2) // unit
    text = f"{tenths // 10}" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}"
    exact = tenths * unit == size * 10
    return f"{'' if exact else '约'}{'负' if fen < 0 else ''}{text}{word}"


def day_words(moment: datetime) -> str:
    """The local day of a moment: `2026年11月16日`."""
    local = moment.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日"


def time_words(moment: datetime) -> str:
    """Local day and time: `2026年11月16日 08:30`."""
    return f"{day_words(moment)} {moment.astimezone(SHANGHAI):%H:%M}"


def method_words(method: str | None) -> str | None:
    """How something was paid, in words."""
    return METHODS[method] if method else None


def affair_words(affair: Affair, *, community: bool) -> str:
    """The affair's name; a community's own affairs are 居务."""
    return "居务公开" if community and affair is Affair.VILLAGE else AFFAIRS[affair]
