"""A text as a person reads it, one character for one, so that offsets stay true.

Digits of every script, full-width forms, circled digits and letters become ASCII. Chinese digits become ASCII only
where they stand in a row as long as a telephone number: 三组 stays 三组.
"""

import re
import unicodedata
from typing import Final

#: A text of a list is apart from the next: no number, no address goes over this.
APART: Final = "\x00"
#: A sign that nobody sees, between two others.
UNSEEN: Final = "\u200b"
_HAN: Final = "〇零○一二三四五六七八九壹贰叁肆伍陆柒捌玖幺"
_HAN_DIGITS: Final = str.maketrans(_HAN, "0001234567891234567891")
#: Most texts have no such row; this is quicker than to look for one.
_HAN_PAIR: Final = re.compile(rf"[{_HAN}](?:[^\w\x00]|_){{0,3}}[{_HAN}0-9]|[0-9](?:[^\w\x00]|_){{0,3}}[{_HAN}]")
_HAN_ROW: Final = re.compile(rf"[{_HAN}0-9](?:(?:[^\w\x00]|_){{0,3}}[{_HAN}0-9]){{6,}}")
_MOST_KNOWN: Final = 20_000
_PUNCTUATION: Final = (("（", "("), ("）", ")"), ("：", ":"), ("，", ","), ("；", ";"), ("\u3000", " "))
_RARE: Final = re.compile(r"[^\x00-\x7f\u2018-\u201d\u3001\u3002\u3007-\u3011\u4e00-\u9fff·—…]")


class _Plain(dict[int, int]):
    """Code points by what they are read as, worked out when first met."""

    def __missing__(self, code: int) -> int:
        plain = _plain(chr(code))
        if len(self) < _MOST_KNOWN:
            self[code] = plain
        return plain


def _plain(char: str) -> int:
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return ord("0") + digit
    number = unicodedata.numeric(char, None)
    if number is not None and unicodedata.category(char) == "No" and number in range(10):
        return ord("0") + int(number)
    category = unicodedata.category(char)
    if category[0] == "Z":
        return ord(" ")
    if category in {"Cf", "Mn", "Me"}:
        return ord(UNSEEN)
    same = unicodedata.normalize("NFKC", char)
    return ord(same) if len(same) == 1 else ord(char)


_PLAIN: Final = _Plain({ord("\n"): ord("\n"), 0: 0})


def read(text: str) -> str:
    """The text with its digits and letters as ASCII; as long as it was."""
    if text.isascii():
        return text
    for wide, plain in _PUNCTUATION:
        if wide in text:
            text = text.replace(wide, plain)
    return text.translate(_PLAIN) if _RARE.search(text) else text


def with_han_digits(plain: str) -> str:
    """The text with long rows of Chinese digits as ASCII; as long as it was."""
    return _HAN_ROW.sub(_row, plain) if _HAN_PAIR.search(plain) else plain


def _row(found: re.Match[str]) -> str:
    # A row without Chinese digits is as it was; one Chinese digit before a number (三 13800138000) is a word.
    return found[0].translate(_HAN_DIGITS)
