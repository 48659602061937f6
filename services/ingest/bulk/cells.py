"""Single cells: what people type to what a body holds, and back; pure. What is not plain is refused, never guessed."""

import re
from datetime import date
from decimal import Decimal
from typing import Final

from services.contracts.account import ACCOUNTS
from services.contracts.values import FEN_LIMIT, period_bounds

_ACCOUNT_CODES: Final = {word: code for code, word in ACCOUNTS.items()} | {
    "现金": "cash",
    "银行": "bank",
    "存款": "bank",
    **{code: code for code in ACCOUNTS},
}
#: Full-width forms that Chinese input methods type, and the signs that stand for a minus or a space.
_PLAIN: Final = {
    **{0xFF01 + n: chr(0x21 + n) for n in range(94)},
    0x3000: " ",
    0x2212: "-",
    0x2013: "-",
    0x2014: "-",
    0x3007: "0",
    0xA0: " ",
    0x200B: None,
    0xFEFF: None,
    0xA5: "",
    0xFFE5: "",
}
_MONEY: Final = re.compile(
    r"(?P<minus>-)?(?P<whole>\d{1,16}|\d{1,3}(?:,\d{3}){1,5})(?:\.(?P<part>\d{1,8}))?(?P<wan>万)?元?", re.ASCII
)
_WHOLE: Final = re.compile(r"-?\d{1,16}", re.ASCII)
_QUANTITY: Final = re.compile(r"(0|[1-9]\d{0,8}|[1-9]\d{0,2}(?:,\d{3}){1,2})(\.\d{1,4})?", re.ASCII)
_FULL_DAY: Final = re.compile(r"(20\d\d)[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.ASCII)
_SHORT_DAY: Final = re.compile(r"(\d{1,2})[-/.月](\d{1,2})日?", re.ASCII)
_DIGIT_DAY: Final = re.compile(r"(20\d\d)(\d\d)(\d\d)", re.ASCII)
_WAN_DIGITS: Final = 6
_FEN_DIGITS: Final = 2


class CellError(ValueError):
    """A cell's text is not what it should be; the message tells the person what to write."""


def plain(text: str) -> str:
    """Full-width digits and signs as ASCII, without the white space around."""
    return text.translate(_PLAIN).strip()


def to_fen(text: str) -> int:
    """Yuan as typed to fen: `1,234.5` -> 123450, `2.3万` -> 2300000, `(5)` -> -500."""
    typed = plain(text).replace(" ", "")
    if typed.startswith("(") and typed.endswith(")"):
        typed = f"-{typed[1:-1]}"
    match = _MONEY.fullmatch(typed)
    if match is None:
        message = "金额应写成 1234.50 这样的数字，单位是元；也可以写 2.3万"
        raise CellError(message)
    digits = _WAN_DIGITS if match["wan"] else _FEN_DIGITS
    part = (match["part"] or "").rstrip("0")
    if len(part) > digits:
        message = "金额的单位是元，最多到分，小数点后不超过两位；按万元算的请写成 35.7226万"
        raise CellError(message)
    fen = int(match["whole"].replace(",", "") + part.ljust(digits, "0"))
    if fen > FEN_LIMIT:
        message = "金额太大，请核对有没有多打了数字"
        raise CellError(message)
    return -fen if match["minus"] else fen


def to_fen_of_wan(text: str) -> int:
    """What was typed in a column whose unit is 万元, to fen: `482.87` -> 482870000; a unit typed beside it goes first."""
    typed = plain(text).replace(" ", "")
    if typed.startswith("(") and typed.endswith(")"):
        typed = f"-{typed[1:-1]}"
    try:
        return to_fen(typed if typed.endswith(("万", "元")) else f"{typed}万")
    except CellError as error:
        message = "这一列的单位是万元：请写成 482.87 这样的数字，小数点后不超过六位（到分）；按元写的请加上“元”字"
        raise CellError(message) from error


def to_wan(fen: int) -> str:
    """Fen as a form shows it in a column of 万元: 482870000 -> `482.87`."""
    return f"{(Decimal(fen) / 1_000_000).normalize():f}"


def to_yuan(fen: int) -> str:
    """Fen as the form shows it: 123450 -> `1234.50`."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02}"


def to_whole(text: str) -> int:
    """A whole number of things."""
    typed = plain(text).replace(",", "")
    if not _WHOLE.fullmatch(typed):
        message = "应写成 12 这样的整数"
        raise CellError(message)
    return int(typed)


def to_quantity(text: str) -> str:
    """A measured number, at most four decimals, as text."""
    typed = plain(text)
    if not _QUANTITY.fullmatch(typed):
        message = "应写成 12 或 2.5 这样的数字，最多四位小数"
        raise CellError(message)
    return typed.replace(",", "")


_ABOUT: Final = re.compile(r"(?:约|大约|近)\s*(?P<before>[\d.,]+)|(?P<behind>[\d.,]+)\s*(?:多|余|左右)", re.ASCII)


def to_measured(text: str) -> str:
    """The same, or one that nobody measured, as it was typed: `约50.17`, `16.6多`. Nobody adds that up."""
    typed = plain(text)
    about = _ABOUT.fullmatch(typed)
    if about is not None:
        to_quantity(about["before"] or about["behind"])
        return typed
    return to_quantity(text)


def to_day(text: str, period: str) -> str:
    """A day as typed; one without a year must lie in the period, whose year it then takes."""
    typed = plain(text).replace(" ", "")
    full = _FULL_DAY.fullmatch(typed) or _DIGIT_DAY.fullmatch(typed)
    short = _SHORT_DAY.fullmatch(typed)
    try:
        if full is not None:
            return date(int(full[1]), int(full[2]), int(full[3])).isoformat()
        if short is not None:
            return date(_year(period), int(short[1]), int(short[2])).isoformat()
    except ValueError as error:
        message = f"没有 {typed} 这一天，请核对"
        raise CellError(message) from error
    message = "日期应写作 2026-10-03，或 10月3日"
    raise CellError(message)


def _year(period: str) -> int:
    """Every period lies within one year."""
    return period_bounds(period)[0].year


def to_account(text: str) -> str:
    """`银行存款:信用社` -> `bank:信用社`; the short words 现金 and 银行 are understood."""
    kind, _, name = re.sub(r"[:：\s]", "\n", text.strip(), count=1).partition("\n")
    code = _ACCOUNT_CODES.get(kind.strip())
    if code is None:
        message = "账户应写 库存现金、银行存款 或 备用金；有几个同类账户的写作 银行存款:信用社"
        raise CellError(message)
    return f"{code}:{name.strip()}" if name.strip() else code


def account_words(account: str) -> str:
    """`bank:信用社` -> `银行存款:信用社`."""
    kind, colon, name = account.partition(":")
    return f"{ACCOUNTS.get(kind, kind)}{colon}{name}"
