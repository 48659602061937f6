"""Identity cards, telephones, bank cards and accounts in the rows of digits of a text. Pure; linear.

What a row means is told by the word before it (账号, 电话, 编号), by its length, by its birth date and check digit, and by
how it is split.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from stdnum import luhn
from stdnum.cn import uscc

from services.contracts.privacy.cards import CREDIT_CODES, ID18, cards, is_id, is_place
from services.contracts.privacy.hits import Hit
from services.contracts.privacy.rows import FEW_GROUPS, LONG, Part, Row, first_length, rows_of

_MOBILE: Final = re.compile(r"(?=1[3-9][0-9]{9})")
_MOBILE_SHAPES: Final = {
    (11,),
    (3, 4, 4),
    (4, 3, 4),
    (3, 8),
    (7, 4),
    (5, 6),
    (6, 5),
    (4, 4, 3),
    (3, 3, 5),
    (4, 7),
    (8, 3),
}
#: Area codes 010, 02x (eight digits follow) and 0[3-9]xx (seven or eight); no subscriber's number begins with 0 or 1.
_LANDLINE: Final = re.compile(r"0(?:10|2[0-9])[2-9][0-9]{7}|0[3-9][0-9]{2}[2-9][0-9]{6,7}")
_LOCAL: Final = re.compile(r"[2-8][0-9]{6,7}")
#: Numbers of credit cards begin with 3–6, old local debit cards with 9.
_BANK: Final = re.compile(r"[34569][0-9]{15,18}")
#: Groups of a number that is cut once, anywhere.
_CUT_ONCE: Final = 2
_LOCAL_LENGTHS: Final = (7, 8)
_MOBILE_LENGTH: Final = 11


def number_hits(plain: str) -> Iterator[Hit]:
    """Find personal numbers in a text that was made plain."""
    for row in rows_of(plain):
        for part in _parts(row):
            yield Hit(part.kind, row.places[part.start], row.places[part.end - 1] + 1)


def _parts(row: Row) -> list[Part]:
    found: list[Part] = []
    for search in (_labelled, cards, _banks, _mobiles, _landlines, _accounts):
        taken = [(p.start, p.end) for p in found]
        found += _apart(search(row, found), taken)
    return sorted(found, key=lambda p: p.start)


def _apart(new: Iterator[Part], taken: list[tuple[int, int]]) -> list[Part]:
    """New parts that neither overlap what is taken nor each other; both come in order."""
    taken = sorted(taken)
    starts = [a for a, _ in taken]
    kept: list[Part] = []
    for part in new:
        n = bisect_right(starts, part.start) - 1
        is_free = (n < 0 or taken[n][1] <= part.start) and (n + 1 >= len(taken) or part.end <= taken[n + 1][0])
        if is_free and (not kept or kept[-1].end <= part.start):
            kept.append(part)
    return kept


def _labelled(row: Row, _found: list[Part]) -> Iterator[Part]:
    """Numbers whose label alone tells the kind, however many digits are wrong or missing."""
    if row.context == "id_card":
        length = first_length(row, 20)
        if LONG <= length <= 24 and not ID18.match(row.digits):  # noqa: PLR2004 - a card with a suffix
            yield Part("id_card", 0, length)
    elif row.context == "phone" and not _is_public_line(row.digits):
        yield from _local_phones(row)
    elif row.context in {"account", "bank_card", "bank"}:
        yield from _labelled_account(row)


def _is_public_line(digits: str) -> bool:
    return digits.startswith(("400", "800")) and len(digits) == 10  # noqa: PLR2004 - as in 400-820-8820


def _local_phones(row: Row) -> Iterator[Part]:
    """Numbers without an area code, one after the other: 电话7836123、7836124."""
    start = 0
    while (end := next((e for n in _LOCAL_LENGTHS if _is_local(row, start, e := start + n)), None)) is not None:
        yield Part("phone", start, end)
        start = end


def _is_local(row: Row, start: int, end: int) -> bool:
    if end not in row.edges or not _LOCAL.fullmatch(row.digits, start, end) or row.is_measure(end):
        return False
    shape = row.shape(start, end)
    is_amount = "." in row.plain[row.places[start] : row.places[end - 1]] and shape[-1] <= 2  # noqa: PLR2004 - cents
    return not is_amount and (len(shape) <= 3 or row.singly(start, end, shape))  # noqa: PLR2004 - as in 783-61-23


def _labelled_account(row: Row) -> Iterator[Part]:
    length = first_length(row, 32)
    if is_id(row, 0, length):
        return
    if row.context != "account":
        for card in (19, 18, 17, 16):
            if card in row.edges and _BANK.fullmatch(row.digits, 0, card) and luhn.is_valid(row.digits[:card]):
                yield Part("bank_card", 0, card)
                return
    if row.context == "bank" and length == LONG and is_place(row.digits):
        return
    if length >= LONG and not row.is_measure(length) and not row.has_amounts(length):
        yield Part("account", 0, length)


# -- telephones ------------------------------------------------------------------------------------------------------


def _mobiles(row: Row, found: list[Part]) -> Iterator[Part]:
    if row.context == "paper":
        return
    # Numbers written one after the other without a sign: one may end where the next begins. So from the right it is
    # found out where a chain of them can end, then from the left which of them begin where something else has ended.
    starts = [m.start() for m in _MOBILE.finditer(row.digits)]
    ends = {p.start for p in found} | row.edges
    closed = set()
    for start in reversed(starts):
        if start + _MOBILE_LENGTH in ends or start + _MOBILE_LENGTH in closed:
            closed.add(start)
    begins = {p.end for p in found} | row.edges
    for start in starts:
        end = start + _MOBILE_LENGTH
        country = _country(row, start)
        is_begun = start in begins or country
        is_ended = end in ends or end in closed or (row.context == "phone" and start == 0)
        if is_begun and is_ended and _written_as_mobile(row, start, end):
            begins.add(end)
            yield Part("phone", start - country, end)


def _country(row: Row, start: int) -> int:
    """How many digits before a number are China's code."""
    codes = ("0086", "86")
    return next((len(c) for c in codes if row.digits.endswith(c, 0, start) and start - len(c) in row.edges), 0)


def _written_as_mobile(row: Row, start: int, end: int) -> bool:
    shape = row.shape(start, end)
    if row.is_measure(end) and row.context != "phone":
        return False
    is_whole = len(shape) <= FEW_GROUPS and len(row.digits) == _MOBILE_LENGTH and not row.is_list(start, end)
    return (
        shape in _MOBILE_SHAPES
        or is_whole
        or len(shape) <= _CUT_ONCE
        or row.singly(start, end, shape)
        or row.context == "phone"
    )


def _landlines(row: Row, _found: list[Part]) -> Iterator[Part]:
    if row.context == "paper":
        return
    for start in row.heads:
        if row.digits[start] != "0":
            continue
        for length in (12, 11):
            end = start + length
            if end not in row.edges or not _LANDLINE.fullmatch(row.digits, start, end) or row.is_measure(end):
                continue
            shape = row.shape(start, end)
            is_written_so = len(shape) <= 2 or (len(shape) <= FEW_GROUPS and shape[0] in {3, 4})  # noqa: PLR2004 - code
            if (is_written_so and not row.is_list(start, end)) or row.singly(start, end, shape):
                yield Part("phone", start, end)
                break


# -- bank cards and accounts -----------------------------------------------------------------------------------------


def _banks(row: Row, _found: list[Part]) -> Iterator[Part]:
    if row.context == "paper":
        return
    for start in row.heads:
        for length in (19, 18, 17, 16):
            end = start + length
            if end in row.edges and _BANK.fullmatch(row.digits, start, end) and _is_bank(row, start, end):
                yield Part("bank_card", start, end)
                break


def _is_bank(row: Row, start: int, end: int) -> bool:
    number, shape = row.digits[start:end], row.shape(start, end)
    in_fours = all(n == 4 for n in shape[:-1]) and shape[-1] <= 4  # noqa: PLR2004 - as embossed on the card
    is_written_so = len(shape) <= 2 or in_fours or row.singly(start, end, shape)  # noqa: PLR2004 - as in 622202 0000000000000
    if not is_written_so or row.is_measure(end):
        return False
    if number.startswith(CREDIT_CODES) and uscc.is_valid(number):
        return False
    return bool(luhn.is_valid(number)) or (number.startswith("62") and len(number) in {16, 19} and len(shape) == 1)


def _accounts(row: Row, _found: list[Part]) -> Iterator[Part]:
    """A long number that is followed by a word for an account: 82010000001234567（基本户）."""
    length = first_length(row, 32)
    after = row.plain[row.places[length - 1] + 1 :][:8] if length >= LONG else ""
    if after and row.context != "paper" and _ACCOUNT_AFTER.match(after):
        yield Part("account", 0, length)


_ACCOUNT_AFTER: Final = re.compile(
    r"[\s(（、,，]*(?:单位|本村|村|个人)?(?:[账帐][号户]|基本户|存折|社保卡|农商行|信用社|银行卡)"
)
