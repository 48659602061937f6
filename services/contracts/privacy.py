"""The detector of personal numbers in text: identity cards, bank cards, telephones. Pure.

Text comes in, places come out, never the numbers themselves: findings and masked text can be logged and shown.
Numbers are found through full-width digits, and through spaces, hyphens or brackets between their digits. Ingest's
gate, publish's questions and the logs use it; domain.md section 6 tells why these numbers and not names.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, Final, Literal, NamedTuple

from stdnum import luhn
from stdnum.cn import ric, uscc

from services.contracts.base import Finding

Kind = Literal["id_card", "bank_card", "phone"]

_WORDS: Final[dict[Kind, str]] = {"id_card": "身份证号", "bank_card": "银行卡号", "phone": "电话号码"}


class Hit(NamedTuple):
    """One number found; `start` and `end` are offsets into the text as it was given, end not included."""

    kind: Kind
    start: int
    end: int


class _Group(NamedTuple):
    """Digits that stand together, as in `138` of `138 0013 8000`."""

    digits: str
    start: int
    end: int


#: One character for one, so that offsets stay true: full-width forms, and all separators as one kind of blank.
_PLAIN: Final = str.maketrans(
    {chr(0xFF10 + n): str(n) for n in range(10)}
    | {"\uff38": "X", "\uff58": "X", "x": "X", "\uff0e": "."}
    | dict.fromkeys("\t\u00a0\u2002\u2003\u2007\u2009\u200b\u200c\u200d\u2060\u3000\ufeff", " ")
    | dict.fromkeys("-\u2010\u2011\u2012\u2013\u2014\u2212\uff0d()（）", " "),
)
#: Groups with at most three blanks between them. Each step must take a digit, so the scan is linear.
_RUN: Final = re.compile(r"[0-9](?: {0,3}[0-9])*(?: {0,3}X(?![0-9A-Za-z]))?")
_GROUP: Final = re.compile(r"[0-9]+|X")
#: Ids and digests are full of digits and mean nobody.
_OPAQUE: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-f]{8} (?:[0-9a-f]{4} ){3}[0-9a-f]{12}|[0-9a-f]{32,})(?![0-9A-Za-z])"
)
#: What follows the whole part of an amount: `1380013800.00`.
_DECIMALS: Final = re.compile(r"\.[0-9]{1,6}(?![0-9.])")

#: Provinces of GB/T 2260, and 81–83 for residents from Hong Kong, Macao and Taiwan.
_PROVINCES: Final = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
_OLDEST_BIRTH: Final = 1880
_LATEST_BIRTH: Final = 2099

_MOBILE: Final = re.compile(r"(?:00)?(?:86)?1[3-9][0-9]{9}")
#: Area codes 010, 02x (eight digits follow) and 0[3-9]xx (seven or eight); no subscriber's number begins with 0 or 1.
_LANDLINE: Final = re.compile(r"0(?:10|2[0-9])[2-9][0-9]{7}|0[3-9][0-9]{2}[2-9][0-9]{6,7}")
_MOBILE_SHAPES: Final = {(11,), (3, 4, 4), (4, 3, 4), (3, 8), (7, 4), (5, 6), (6, 5)}
_LANDLINE_SHAPES: Final = {(11,), (12,), (4, 7), (4, 8), (3, 8), (4, 3, 4), (4, 4, 4), (3, 4, 4)}
_OLD_ID_SHAPES: Final = {(15,), (6, 6, 3), (6, 9)}
#: Numbers of credit cards begin with 3–6, old local debit cards with 9.
_BANK: Final = re.compile(r"[34569][0-9]{15,18}")
#: Organisations' credit codes can be all digits and then pass Luhn's check one time in ten (GB 32100-2015).
_CREDIT_CODE_PREFIXES: Final = ("51", "52", "53", "54", "55", "91", "92", "93")
_LONGEST: Final = 19
#: Mobile and landline numbers: most text has no row of digits this long, and costs next to nothing.
_SHORTEST: Final = 11
#: Room for `at` of a finding (ShortText).
_LONGEST_PATH: Final = 200


def _is_date(year: int, text: str) -> bool:
    try:
        date(year, int(text[:2]), int(text[2:]))
    except ValueError:
        return False
    return True


def _is_id_card(number: str, shape: tuple[int, ...]) -> bool:
    if len(number) == 18:  # noqa: PLR2004 - GB 11643-1999
        if not _PROVINCES.match(number) or ric.calc_check_digit(number) != number[-1]:
            return False
        year = int(number[6:10])
        return _OLDEST_BIRTH <= year <= _LATEST_BIRTH and _is_date(year, number[10:14])
    # GB 11643-1989 has no check digit: only the way it is written and the date tell.
    if len(number) != 15 or not _written_as(shape, _OLD_ID_SHAPES):  # noqa: PLR2004
        return False
    return bool(_PROVINCES.match(number)) and _is_date(1900 + int(number[6:8]), number[8:12])


def _is_phone(number: str, shape: tuple[int, ...]) -> bool:
    if _LANDLINE.fullmatch(number):
        return _written_as(shape, _LANDLINE_SHAPES)
    if not _MOBILE.fullmatch(number):
        return False
    country = len(number) - 11
    if country and shape[0] == country:
        shape = shape[1:]
    elif country:
        shape = (shape[0] - country, *shape[1:])
    return _written_as(shape, _MOBILE_SHAPES)


def _is_bank_card(number: str, shape: tuple[int, ...]) -> bool:
    if not _BANK.fullmatch(number) or not luhn.is_valid(number):
        return False
    if number.startswith(_CREDIT_CODE_PREFIXES) and uscc.is_valid(number):
        return False
    in_fours = all(n == 4 for n in shape[:-1]) and shape[-1] <= 4  # noqa: PLR2004 - as embossed on the card
    return len(shape) == 1 or in_fours or _written_as(shape, {(6, len(number) - 6)})


def _written_as(shape: tuple[int, ...], shapes: set[tuple[int, ...]]) -> bool:
    """Tell whether digits are grouped in a way people write; digit by digit always counts."""
    return shape in shapes or all(n == 1 for n in shape)


_TESTS: Final[tuple[tuple[Kind, Callable[[str, tuple[int, ...]], bool]], ...]] = (
    ("id_card", _is_id_card),
    ("phone", _is_phone),
    ("bank_card", _is_bank_card),
)


def _groups(run: str, offset: int) -> list[_Group]:
    return [_Group(m[0], offset + m.start(), offset + m.end()) for m in _GROUP.finditer(run)]


def _windows(groups: list[_Group]) -> Iterator[list[_Group]]:
    """Neighbouring groups of up to 19 digits, longest first; digit-by-digit rows only as a whole."""
    for first in range(len(groups)):
        total = 0
        wide = []
        for last in range(first, len(groups)):
            total += len(groups[last].digits)
            if total > _LONGEST:
                break
            wide.append(groups[first : last + 1])
        yield from (w for w in reversed(wide) if not _cuts_a_row(groups, first, first + len(w)))


def _cuts_a_row(groups: list[_Group], first: int, end: int) -> bool:
    """Tell whether a window of single digits is a part of a longer row of single digits (a row of counts, no number)."""
    if end - first == 1 or any(len(g.digits) > 1 for g in groups[first:end]):
        return False
    around = [*groups[max(first - 1, 0) : first], *groups[end : end + 1]]
    return any(len(g.digits) == 1 for g in around)


def _kind_of(window: list[_Group]) -> Kind | None:
    number = "".join(g.digits for g in window)
    if "X" in number[:-1]:
        return None
    shape = tuple(len(g.digits) for g in window)
    return next((kind for kind, test in _TESTS if test(number, shape)), None)


def _hits_in_run(groups: list[_Group], text: str) -> Iterator[Hit]:
    taken = 0
    for window in _windows(groups):
        start, end = window[0].start, window[-1].end
        if start < taken or _DECIMALS.match(text, end):
            continue
        kind = _kind_of(window)
        if kind is not None:
            taken = end
            yield Hit(kind, start, end)


def detect(text: str) -> tuple[Hit, ...]:
    """Find personal numbers; hits do not overlap and come in order. Never raises, linear in the text's length.

    `id_card`: 18 digits with a valid check digit and birth date (python-stdnum), or 15 with a valid date.
    `bank_card`: 16–19 digits that pass Luhn's check. `phone`: mobile and, with area code, landline.
    """
    if len(text) < _SHORTEST:
        return ()
    plain = _OPAQUE.sub(lambda m: "_" * len(m[0]), text.translate(_PLAIN))
    runs = (run for run in _RUN.finditer(plain) if len(run[0]) >= _SHORTEST)
    return tuple(hit for run in runs for hit in _hits_in_run(_groups(run[0], run.start()), plain))


def mask(text: str) -> str:
    """Replace every number found by its kind, such as `[身份证号]`: for logs and for showing text to others."""
    end = 0
    parts = []
    for hit in detect(text):
        parts += [text[end : hit.start], f"[{_WORDS[hit.kind]}]"]
        end = hit.end
    return "".join([*parts, text[end:]])


def _inside(key: object, value: Any, at: str) -> tuple[str, Any]:
    # A key can be a villager's own words (a table's heading): it must not carry a number or grow without end.
    path = f"{at}[{key}]" if isinstance(key, int) else f"{at}.{mask(str(key))}"
    return (path if len(path) <= _LONGEST_PATH else at), value


def _children(value: Any, at: str) -> list[tuple[str, Any]]:
    match value:
        case dict():
            return [(at, str(key)) for key in value] + [_inside(str(key), inner, at) for key, inner in value.items()]
        case list() | tuple():
            return [_inside(n, inner, at) for n, inner in enumerate(value)]
        case _:
            return []


def findings(value: Any, at: str) -> Iterator[Finding]:
    """Walk a JSON-like value and yield a finding for each kind of number in each text (values and keys), in order.

    `at` names the value, such as `body`; paths below it read `body.lines[3].summary`. Numbers (JSON) are amounts and
    are not looked at. A message never repeats the digits. Codes: `privacy.id_card`, `privacy.bank_card`,
    `privacy.phone`.
    """
    waiting = [(at, value)]
    while waiting:
        path, inner = waiting.pop()
        if isinstance(inner, str):
            for kind in dict.fromkeys(hit.kind for hit in detect(inner)):
                message = f"这里好像写了{_WORDS[kind]}。公开后人人可见，请删去或遮盖。"
                yield Finding(code=f"privacy.{kind}", at=path, message=message)
        waiting.extend(reversed(_children(inner, path)))
