"""Rows of digits in a text, with the word before each and how each is split. Pure; linear in the length of the text.

Digits are taken together through anything that stands between them except letters and words: a number that is split
by blanks, strokes, commas, invisible characters or line breaks is the same number.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

from services.contracts.privacy.hits import Kind

#: Digits with at most six other signs between them. Each step must take a digit, so the scan is linear.
_CHAIN: Final = re.compile(r"[0-9](?:(?:[^\w\x00]|_){0,6}(?:[0-9]|[Xx](?![A-Za-z])))*")
_GROUP: Final = re.compile(r"[0-9Xx]+")
#: Ids and digests are full of digits and mean nobody.
_OPAQUE: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?=[0-9]*[a-f])[0-9a-f]{32,}"
    r"|[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})(?![0-9A-Za-z])"
)
_HEX: Final = frozenset("abcdef")
_AROUND: Final = 40
#: What follows the whole part of an amount, or says that it was a measure: `1380013800.00`, `13800138000立方米`.
_MEASURE: Final = re.compile(
    r"\.[0-9]{1,6}(?![0-9.])|\s?(?:元(?![旦月宵])|万元|亿元|角|分钱|立方|平方|亩|吨|公斤|千克|公里|米|千瓦|度电|kg|m2|m3|KW)"
)
_ONLY_DATES: Final = re.compile(
    r"(?:(?:19|20)[0-9]{2}([-./])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12][0-9]|3[01])[\s\-至~—,;、]*)+(?![0-9])"
)
#: Amounts in groups of three: 13,800,138,000.
_THOUSANDS: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])")

#: So many digits are an account or a card wherever a word before says so; after them a comma ends the number.
LONG: Final = 12
FEW_GROUPS: Final = 4
_CENTS: Final = re.compile(r"[0-9]\.[0-9]{1,2}(?![0-9])")
_ENDS: Final = re.compile(r"[,，、;；。\n/]")
_SHORTEST: Final = 7
#: Without a word before it no shorter row means anything.
_SHORTEST_ALONE: Final = 11

# -- the word before ------------------------------------------------------------------------------------------------

_BEFORE: Final = 18
_CONTEXT: Final = re.compile(
    r"(?P<id_card>(?:身份证|身份證|残疾人?证|残证|证件|户口本?|护照|军官证|驾驶证|驾照|通行证|居住证|低保证|身份号)"
    r"(?:件|复印件)?(?:的)?(?:编?号码?)?|公民身份号码)"
    r"|(?P<phone>电\s{0,2}话(?!费|补|亭|线|机)|手\s{0,2}机(?!费|补)|座机|固话|传真|热线|联系方式|联系号码|致电|拨打|来电|TEL|Tel|tel|号码是)"
    r"|(?P<bank_card>(?:银行|借记|储蓄|信用|工资|农商行?|社员)?卡\s{0,2}(?:的)?号码?|银行卡)"
    r"|(?P<account>[账帐]\s{0,2}[号户]|社保|社会保障|医保|医疗保险|养老保险|存折|折号|公积金|一卡通|惠农卡|对公|结算户|基本户)"
    r"|(?P<bank>开户行?|汇款|汇至|汇入|转入|转账|转至|收款|打款|打入|农商行|信用社|[农工建中]行|银行|邮储)"
    r"|(?P<paper>编号|编码|单号|号码|代码|凭证号?|发票|票号|票据|流水号?|订单号?|文号|批号|批次|注册号|登记号|证书号|许可证号?"
    r"|备案号|合同号?|协议号?|项目号?|标段|信用代码|税号|识别号|表号|户号|机号|条码|序列号|字第|区划|业务号|受理号|宗地号?|图号|台账)"
)
_CLAUSE: Final = re.compile(r"[\x00。;；!！?？]")
_CLOSE: Final = re.compile(r"[\W_]*(?:[为是系:][\W_]*)?(?:[A-Za-z]{0,6}[\W_]{0,3})?")
#: How far a word may stand before its number, in characters.
_REACH: Final[dict[str, int]] = {"id_card": 10, "phone": 4, "bank_card": 12, "account": 14, "bank": 14, "paper": 0}


def _context(plain: str, start: int) -> str | None:
    """What the words right before a number say that it is; the nearest word counts."""
    before = _CLAUSE.split(plain[max(start - _BEFORE, 0) : start])[-1]
    found = None
    for word in _CONTEXT.finditer(before):
        between = before[word.end() :]
        if _CLOSE.fullmatch(between) or len(between) <= _REACH[word.lastgroup or ""]:
            found = word.lastgroup
    return found


@dataclass(frozen=True)
class Row:
    """Digits that stand together, with where each of them and each group of them stands."""

    plain: str
    start: int
    digits: str
    places: list[int]
    groups: list[int]
    context: str | None

    @cached_property
    def edges(self) -> frozenset[int]:
        """Offsets into the digits at which a group begins or the row ends."""
        return frozenset((*self.groups, len(self.digits)))

    @cached_property
    def heads(self) -> list[int]:
        """Offsets at which a number that is split can begin: not within a row of counts, not at two lone digits."""
        if len(self.groups) <= FEW_GROUPS + 2:
            return self.groups
        sizes = [b - a for a, b in zip(self.groups, (*self.groups[1:], len(self.digits)), strict=True)]
        return [
            start
            for start, size, before in zip(self.groups, sizes, (0, *sizes), strict=False)
            if size > 2 or (size == 1 and before != 1)  # noqa: PLR2004 - of eleven digits in four groups one has three
        ]

    def shape(self, start: int, end: int) -> tuple[int, ...]:
        """How long the groups are of which a part of the row is made; () for more than twenty."""
        first, last = bisect_right(self.groups, start), bisect_right(self.groups, end - 1)
        if last - first > 20:  # noqa: PLR2004 - longer than any number
            return ()
        cuts = [start, *self.groups[first:last], end]
        return tuple(b - a for a, b in pairwise(cuts))

    def singly(self, start: int, end: int, shape: tuple[int, ...]) -> bool:
        """Tell whether a part is written digit by digit and is no part of a longer such row (a row of counts)."""
        if any(n != 1 for n in shape):
            return False
        return not (self._single(start - 1) or self._single(end))

    def _single(self, at: int) -> bool:
        return 0 <= at < len(self.digits) and at in self.edges and at + 1 in self.edges

    def is_measure(self, end: int) -> bool:
        """Tell whether a unit or decimals follow."""
        return _MEASURE.match(self.plain, self.places[end - 1] + 1) is not None

    def has_amounts(self, end: int) -> bool:
        """Tell whether the first digits are amounts one after the other: 10000.00,9800.00."""
        return _CENTS.search(self.plain, self.places[0], self.places[end - 1] + 1) is not None

    def is_list(self, start: int, end: int) -> bool:
        """Tell whether a part looks like several numbers: commas between them, or one sign here and another there."""
        gaps = {g for g in _GROUP.split(self.plain[self.places[start] : self.places[end - 1] + 1])[1:-1] if g}
        return len(gaps) > 1 or any(_ENDS.search(g) for g in gaps)


@dataclass(frozen=True)
class Part:
    """What a part of a row is; offsets into its digits."""

    kind: Kind
    start: int
    end: int


def rows_of(plain: str) -> Iterator[Row]:
    """Every row of digits that can be a number of a person."""
    for chain in _CHAIN.finditer(plain):
        start, end = chain.span()
        if end - start >= _SHORTEST and (row := _row(plain, start, end)) is not None:
            yield row


def _is_opaque(plain: str, start: int, end: int) -> bool:
    """Tell whether a row lies within an id or a digest."""
    if plain[start - 1 : start] not in _HEX and plain[end : end + 1] not in _HEX:
        return False
    begin = max(start - _AROUND, 0)
    return any(
        found.start() + begin <= start and end <= found.end() + begin
        for found in _OPAQUE.finditer(plain[begin : end + _AROUND])
    )


def _row(plain: str, start: int, end: int) -> Row | None:
    if _is_opaque(plain, start, end):
        return None
    groups = [found.span() for found in _GROUP.finditer(plain, start, end)]
    count = sum(b - a for a, b in groups)
    if count < _SHORTEST or _ONLY_DATES.fullmatch(plain, start, end):
        return None
    context = _context(plain, start)
    if (context is None and count < _SHORTEST_ALONE) or _THOUSANDS.fullmatch(plain, start, end):
        return None
    places = [n for a, b in groups for n in range(a, b)]
    firsts, at = [], 0
    for a, b in groups:
        firsts.append(at)
        at += b - a
    digits = "".join([plain[a:b] for a, b in groups]).upper()
    return Row(plain, start, digits, places, firsts, context)


def first_length(row: Row, most: int) -> int:
    """Digits of the first number of a row: short ones go on through anything, long ones end at a comma or a new line."""
    end = 0
    for n, first in enumerate(row.groups):
        if first >= LONG and (first > most or _ENDS.search(row.plain, row.places[first - 1], row.places[first])):
            break
        end = row.groups[n + 1] if n + 1 < len(row.groups) else len(row.digits)
    return end
