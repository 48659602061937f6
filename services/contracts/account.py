"""The Chinese words of accounts; apart from the other closed sets because bodies themselves speak of accounts."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ACCOUNTS: Final[Mapping[str, str]] = MappingProxyType({"cash": "库存现金", "bank": "银行存款", "imprest": "备用金"})


def account_words(account: str) -> str:
    """`bank:信用社` -> `银行存款（信用社）`."""
    kind, _, name = account.partition(":")
    word = ACCOUNTS.get(kind, kind)
    return f"{word}（{name}）" if name else word
