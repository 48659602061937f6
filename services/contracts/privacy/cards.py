"""Identity cards within a row of digits, also with a wrong digit, glued to others, split, or of fifteen digits. Pure."""

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from stdnum.cn import ric, uscc

from services.contracts.privacy.rows import FEW_GROUPS, Part, Row

# -- what a number can be --------------------------------------------------------------------------------------------

#: Provinces of GB/T 2260, and 81–83 for residents from Hong Kong, Macao and Taiwan.
_PROVINCE: Final = "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
_CENTURY: Final = "(?:18|19|20[0-3])"
_DAY: Final = "(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
ID18: Final = re.compile(rf"(?={_PROVINCE}[0-9]{{4}}(?:1[89][0-9]{{2}}|20[0-3][0-9]){_DAY}[0-9]{{3}}[0-9X])")
_ID15: Final = re.compile(rf"{_PROVINCE}[0-9]{{6}}{_DAY}[0-9]{{3}}")
_PARTS: Final = (
    re.compile(_PROVINCE),
    re.compile(rf"[0-9]{{6}}{_CENTURY}"),
    re.compile(r"[0-9]{10}(?:0[1-9]|1[0-2])"),
    re.compile(r"[0-9]{12}(?:0[1-9]|[12][0-9]|3[01])"),
)
#: One wrong digit spoils at most one of province, century, month and day.
_FIELD_ENDS: Final = {2, 4, 6, 10, 12, 14, 15, 16, 17, 18}
_ENOUGH_PARTS: Final = 3
_ID_SHAPES: Final = {
    (18,),
    (6, 8, 4),
    (6, 12),
    (14, 4),
    (6, 8, 3, 1),
    (17, 1),
    (4, 4, 4, 4, 2),
    (6, 4, 4, 4),
    (3, 15),
    (10, 8),
}
_OLD_ID_SHAPES: Final = {(15,), (6, 6, 3), (6, 9), (12, 3)}
#: Organisations' credit codes can be all digits and then pass the check of a card (GB 32100-2015).
CREDIT_CODES: Final = ("51", "52", "53", "54", "55", "91", "92", "93")
_DOCUMENTS_SINCE: Final = "2016"
_ID_LENGTH, _OLD_ID_LENGTH = 18, 15


def is_id(row: Row, start: int, end: int) -> bool:
    """Tell whether an aligned part is an identity card beyond doubt: date and check digit."""
    return end - start == _ID_LENGTH and ID18.match(row.digits, start) is not None and checks(row, start)


def is_place(digits: str) -> bool:
    """Tell whether digits begin like the code of a division: 210881006206."""
    return _PARTS[0].match(digits) is not None


def checks(row: Row, start: int) -> bool:
    """Tell whether the check digit is right (GB 11643-1999)."""
    number = row.digits[start : start + _ID_LENGTH]
    return bool(ric.calc_check_digit(number) == number[-1])


def cards(row: Row, _found: list[Part]) -> Iterator[Part]:
    """Every card of a row."""
    found = {m.start(): _ID_LENGTH for m in ID18.finditer(row.digits) if _fits_id(row, m.start())}
    if row.context not in {"paper", "account"}:
        for start in row.heads:
            if start in found:
                continue
            if start + _ID_LENGTH in row.edges and _nearly_id(row, start):
                found[start] = _ID_LENGTH
            elif start + _OLD_ID_LENGTH in row.edges and _is_old_id(row, start):
                found[start] = _OLD_ID_LENGTH
    # Of two that overlap, the one with the right check digit is meant.
    best: list[tuple[int, int]] = []
    for start in sorted(found):
        if best and start < best[-1][0] + best[-1][1]:
            if _checks_safely(row, *best[-1]) or not _checks_safely(row, start, found[start]):
                continue
            best.pop()
        best.append((start, found[start]))
    for start, length in best:
        yield Part("id_card", start, start + length)


def _checks_safely(row: Row, start: int, length: int) -> bool:
    return length == _ID_LENGTH and checks(row, start)


def _fits_id(row: Row, start: int) -> bool:
    """Tell whether 18 signs with a birth date stand as people write them."""
    end = start + _ID_LENGTH
    shape = row.shape(start, end)
    is_right = checks(row, start)
    if row.is_measure(end) and not is_right:
        return False
    # Documents are numbered by place and day as well: 项目编号210881202610030012.
    if row.context == "paper" and (not is_right or row.digits[start + 6 : start + 10] >= _DOCUMENTS_SINCE):
        return False
    if not (is_right or start in row.edges or end in row.edges):
        return False
    return len(shape) <= FEW_GROUPS or is_right or row.singly(start, end, shape) or _cut_at_fields(shape)


def _cut_at_fields(shape: tuple[int, ...]) -> bool:
    """Tell whether a number is split where place, year, month and day end."""
    return bool(shape) and {*accumulate(shape)} <= _FIELD_ENDS


def _nearly_id(row: Row, start: int) -> bool:
    """Tell whether 18 signs are a card with one wrong digit in the place or the date."""
    number, shape = row.digits[start : start + _ID_LENGTH], row.shape(start, start + _ID_LENGTH)
    if "X" in number[:-1] or not (shape in _ID_SHAPES or row.singly(start, start + _ID_LENGTH, shape)):
        return False
    if number.startswith(CREDIT_CODES) and uscc.is_valid(number):
        return False
    return sum(part.match(number) is not None for part in _PARTS) >= _ENOUGH_PARTS and not row.is_measure(
        start + _ID_LENGTH
    )


def _is_old_id(row: Row, start: int) -> bool:
    """GB 11643-1989 has no check digit: only the way it is written and the date tell."""
    end = start + _OLD_ID_LENGTH
    shape = row.shape(start, end)
    is_written_so = shape in _OLD_ID_SHAPES or row.singly(start, end, shape)
    return is_written_so and _ID15.fullmatch(row.digits, start, end) is not None and not row.is_measure(end)
