"""Cells for names: which part is a person, and what stands beside it. When it cannot be told, it is a person."""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final, NamedTuple

from services.contracts.names import lexicon
from services.contracts.names.segment import (
    LONGEST_SURNAME,
    Piece,
    Token,
    Words,
    common_words,
    cut,
    is_han,
    surname_ends,
)
from services.contracts.names.surnames import COMMON, COMPOUND, SURNAMES

HIDDEN: Final = "某某"


class Span(NamedTuple):
    """A person's name in a text: `[start, end)`; what may be shown of it ends at `shown`."""

    start: int
    end: int
    shown: int


#: Words that a cell for names has beside names or instead of them.
WORDS: Final = (
    lexicon.DESIGNATIONS
    | lexicon.OFFICES
    | lexicon.HEADMEN
    | lexicon.KIN
    | lexicon.MONEY
    | lexicon.GROUPS
    | lexicon.HOLDINGS
    | lexicon.FIRMS
    | lexicon.TRADES
    | {w for w in lexicon.PERSONAL | lexicon.VERBS | lexicon.WORKS if len(w) > 1}
)
_LISTED: Final = Words(WORDS)
#: In a cell a word has to be a usual one to be believed: 128 in 60 million, as a power of two.
_USUAL: Final = 7
_TITLES: Final = Words((lexicon.DESIGNATIONS | lexicon.OFFICES | lexicon.HEADMEN | lexicon.KIN) - {"户", "家", "人员"})
_FIRMS: Final = Words(lexicon.FIRMS)
_TRADES: Final = Words(lexicon.TRADES)
_MONEY: Final = Words(lexicon.MONEY)
#: Who begins a cell so is a person, whatever he owns.
_PERSONS_FIRST: Final = Words(lexicon.DESIGNATIONS - {"户", "农家", "个体", "大户", "民兵"})
_JOINS: Final = frozenset("和与及暨跟同转代")
_FUNCTION: Final = _JOINS | frozenset("的之老小大阿由为按每各等最得所被向从对以已未不后前原新旧")
#: Of a name these are rather what follows it: 李强等5户, 王五家, 王五和李四.
_NOT_GIVEN: Final = dict.fromkeys("户家及和与的之代同", 0.6) | {"等": 3.0, "转": 3.0}
_NOT_LAST: Final = {"家": 1.1, "户": 1.4}
_HAN_DIGITS: Final = frozenset("一二三四五六七八九十百千两")
_NUMBER: Final = "\u3007零一二三四五六七八九十百千两"
_COUNTED: Final = re.compile(
    f"第?(?:[0-9]+|[{_NUMBER}]+)(?:余|多|来)?(?:村民小组|村民组|居民组|小组|组|队|户|人|号|村|屯|社|名|位|家|个|栋|楼|单元|室|标段|标|次|期|批|年|月|日|亩|元|万元|笔|天|工|块|只|头)(?:人|户)?"
    f"|等(?:[0-9{_NUMBER}]*(?:余|多|几|数)?[0-9{_NUMBER}]*)?(?:户村民|名村民|位村民|户农户|村民|农户|群众|户|人|名|位|家|同志|人员|党员|干部|学生|老人)*"
)
#: 李家沟, 张家口: the family of a place.
_FAMILY_PLACE: Final = re.compile(
    "(家(?:[沟屯村庄营堡岭山河桥塘湾坝镇洼坨甸崴岗坎坡峪庙寺泡渡集寨坪坳冲台园店铺口院井疃隈]|窝棚|窝堡|杖子|堡子|房子|油坊|粉房|大院|岗子|甸子|沟子|洼子|屯子))(?:村|屯|组)?"
)
_PLACE_WORDS: Final = Words({"村", "屯", "社区", "街道", "镇", "乡"})
#: 王岗路维修: a road or a bridge to work on, where 王岗路 alone may be a man.
_ROAD: Final = re.compile(
    f"[\u4e00-\u9fff]{{1,2}}?(?:路|街|巷|桥|河|沟|渠|塘|水库|大道)(?={'|'.join(sorted(lexicon.WORKS, key=len, reverse=True))})"
)
_RECORD_SHOP: Final = re.compile("[\u4e00-\u9fff]{1,2}[记氏]")
_STATE: Final = re.compile("中国|国网|国家[电能税级]|中央|中石|中铁|中建")

_WORD, _COUNT, _COMMON, _PLAIN = "word", "count", "common", "plain"
_UNKNOWN, _PARTICLE, _NAME, _SHORT = "unknown", "particle", "name", "short"
#: A word of one character that is a surname too: behind a name it is the word (王五家), elsewhere rather not (家建国).
_BEHIND = "behind"


@cache
def _usual_words() -> Words:
    """Made when the first cell is looked at, for most processes never look at one."""
    return Words(w for w, band in common_words().items() if band >= _USUAL)


def _names(text: str, start: int) -> Iterator[Token]:
    for end in surname_ends(text, start):
        compound = end - start > 1
        cost = 2.8 if compound else 3.0 if text[start] in COMMON else 3.3
        # 柳树林误工: who stands first is whom the cell is for.
        cost -= 0.0 if start else 0.5
        for size in (2, 1):
            if _is_given(given := text[end : end + size], size):
                yield Token(end + size, _NAME, cost + _odd(given), end)
        # 张李文静: both parents' surnames.
        if not compound and text[end : end + 1] in COMMON and _is_given(given := text[end + 1 : end + 3], 2):
            yield Token(end + 3, _NAME, cost + 2.0 + _odd(given), end)
        if compound or _TITLES.after(text, end) or text[end : end + 1] in {"家", "氏", "记", "姓", "某"}:
            yield Token(end, _SHORT, 3.4)
    if text[start] in "老小大阿" and text[start + 1 : start + 2] in SURNAMES:
        yield Token(start + 2, _SHORT, 2.5)


def _is_given(text: str, size: int) -> bool:
    return len(text) == size and all(map(is_han, text))


def _odd(given: str) -> float:
    odd = sum(_NOT_GIVEN.get(c, 2.0 if c in lexicon.NEVER_GIVEN else 0.0) for c in given)
    return odd + (_NOT_LAST.get(given[-1], 0.0) if len(given) > 1 else 0.0)


def _places(text: str, start: int) -> Iterator[Token]:
    for end in surname_ends(text, start):
        if family := _FAMILY_PLACE.match(text, end):
            yield Token(family.end(), _WORD, 2.0)
            yield Token(family.end(1), _WORD, 2.0)
        if road := _ROAD.match(text, end):
            yield Token(road.end(), _WORD, 2.3)
    for end in range(start + 2, min(start + 8, len(text) + 1)):
        if _PLACE_WORDS.before(text, end):
            yield Token(end, _WORD, 4.2 if text[start] in SURNAMES else 2.5)


def _tokens(text: str, start: int) -> Iterator[Token]:
    """Everything that may begin here, with its cost: the cheapest way to cut the whole cell is what it says.

    Costs are weights, held by measurement alone: whoever changes one runs `tests/privacy`,
    `tests/contracts/test_cells.py`, `test_names.py`.
    """
    if not is_han(text[start]):
        yield Token(start + 1, _PLAIN, 0.5)
    for word in _LISTED.at(text, start):
        if len(word) > 1:
            yield Token(start + len(word), _WORD, 1.0)
        elif word in _NOT_LAST:
            yield Token(start + 1, _BEHIND, 1.0)
        else:
            yield Token(start + 1, _BEHIND if word in SURNAMES else _WORD, 1.5)
    if counted := _COUNTED.match(text, start):
        # 等3户 follows a name; 五户 behind 王小 is rather the end of 王小五 and a word.
        yield Token(counted.end(), _COUNT if text[start] in _HAN_DIGITS else _WORD, 0.8)
    if not is_han(text[start]):
        return
    yield from _names(text, start)
    yield from _places(text, start)
    for word in _usual_words().at(text, start):
        yield Token(start + len(word), _COMMON, 3.5 + (1.5 if text[start] in SURNAMES else 0))
    if text[start] in _FUNCTION:
        yield Token(start + 1, _BEHIND if text[start] in SURNAMES else _PARTICLE, 1.0 if text[start] in _JOINS else 1.5)
        # 代丁某: for whom somebody came.
        if text[start] == "代" and text[start + 1 : start + 2] in COMMON and not _TITLES.after(text, start + 2):
            yield Token(start + 1, _WORD, 0.2)
    else:
        yield Token(start + 1, _UNKNOWN, 4.0)


def _change(before: str, after: str) -> float:
    if after in {_NAME, _SHORT}:
        return {_NAME: 3.0, _SHORT: 5.0, _UNKNOWN: 3.0, _COMMON: 2.0}.get(before, 0.0)
    if after == _BEHIND:
        return 0.0 if before in {_NAME, _SHORT} else 2.5
    if before == _NAME:
        return {_COMMON: 2.0, _UNKNOWN: 1.0, _COUNT: 2.0}.get(after, 0.0)
    return {_UNKNOWN: 9.0, _COMMON: 9.0, _COUNT: 2.0}.get(after, 0.0) if before == _SHORT else 0.0


#: A given name has no more characters.
_GIVEN_MOST: Final = 2


def _is_firm(text: str) -> bool:
    """Tell whether a whole cell is a shop, a firm or an office."""
    if _PERSONS_FIRST.after(text, 0):
        return text in lexicon.FIRMS
    if text in lexicon.FIRMS or _STATE.match(text):
        return True
    if tail := _FIRMS.before(text, len(text)):
        # 欧阳修理厂: nobody is given three characters.
        return len(tail) > _GIVEN_MOST or not _is_somebody(text[: -len(tail)])
    if tail := _TRADES.before(text, len(text)):
        return len(text) > len(tail) + 1 and not _is_somebody(text[: -len(tail)])
    return bool(_RECORD_SHOP.match(text)) and len(text) > 3 and text[0] in SURNAMES and text[1] in "记氏"  # noqa: PLR2004 - 李记 and what it sells


def _is_somebody(head: str) -> bool:
    """Tell whether a surname, alone or behind words that go before one, stands here: what follows is a given name."""
    sizes = range(min(len(head), LONGEST_SURNAME), 0, -1)
    return any(head[-n:] in (COMPOUND if n > 1 else SURNAMES) and _is_known(head[:-n]) for n in sizes)


def _is_person(text: str) -> bool:
    """Tell whether a part is a person and known words beside it, nothing else."""
    kinds = [p.token.kind for p in cut(0, len(text), lambda n: _tokens(text, n), _change)]
    return kinds.count(_NAME) == 1 and not {_UNKNOWN, _COMMON, _SHORT, _BEHIND}.intersection(kinds)


def _is_known(text: str) -> bool:
    joined = text[-1:] in _JOINS
    text = text[:-1] if joined else text
    kinds = [p.token.kind for p in cut(0, len(text), lambda n: _tokens(text, n), _change)]
    return (kinds[-1:] != [_NAME] or joined) and not {_UNKNOWN, _COMMON, _SHORT}.intersection(kinds)


def _firm_end(text: str) -> int:
    """Where a firm at the start of a cell ends; 0 when there is none."""
    bare = text
    while word := _MONEY.before(bare, len(bare)):
        if bare == word or bare in lexicon.FIRMS:
            break
        bare = bare[: -len(word)]
    if _is_firm(bare):
        return len(text)
    # 供电公司李强, 村委会李桂兰: somebody of a firm.
    for end in range(len(bare) - 1, 2, -1):
        tail = _FIRMS.before(bare, end)
        if len(tail) > 1 and _is_firm(bare[:end]) and bare[end] in SURNAMES:
            return end
    return 0


def _hidden(pieces: tuple[Piece, ...]) -> list[Span]:
    """Names, and what nobody knows beside a name."""
    spans: list[Span] = []
    for n, (start, token) in enumerate(pieces):
        if token.kind != _NAME:
            continue
        end = token.end
        for after in pieces[n + 1 :]:
            if after.token.kind not in {_UNKNOWN, _COMMON}:
                break
            end = after.token.end
        spans.append(Span(start, end, token.surname))
    return spans


def _persons(text: str, offset: int) -> Iterator[Span]:
    """Persons in a piece of a cell without separators and brackets."""
    if not text or not any(map(str.isalpha, text)):
        return
    firm = _firm_end(text)
    if firm == len(text):
        return
    text, offset = text[firm:], offset + firm
    if not any(map(is_han, text)):
        yield Span(offset, offset + len(text), offset + 1)
        return
    for n, char in enumerate(text):
        if char in "和与及" and _is_person(text[:n]) and _is_person(text[n + 1 :]):
            yield from _persons(text[:n], offset)
            yield from _persons(text[n + 1 :], offset + n + 1)
            return
    pieces = cut(0, len(text), lambda start: _tokens(text, start), _change)
    found = _hidden(pieces)
    if not found and _is_nobody_known(pieces, text):
        size = next(surname_ends(text, 0), 1)
        found = [Span(0, len(text), min(size, max(len(text) - 1, 1)))]
    yield from (Span(offset + s.start, offset + s.end, offset + s.shown) for s in found)


def _is_nobody_known(pieces: tuple[Piece, ...], text: str) -> bool:
    """Tell whether so little of a text is words that it may well be a name nobody listed: 热合曼."""
    unknown = sum(1 for p in pieces if p.token.kind == _UNKNOWN)
    han = sum(map(is_han, text))
    if len(pieces) == 1 and pieces[0].token.kind == _COMMON and text[0] in SURNAMES:
        return True
    return unknown * 2 > han or (unknown > 0 and len(pieces) == unknown)


_DOT: Final = "·•・‧∙\uff0e."
_DOTTED: Final = re.compile(f"[\u4e00-\u9fff]+(?: ?[{_DOT}] ?[\u4e00-\u9fff]+)+")
#: What names of other peoples are written with in Chinese: Uighurs, Kazakhs, Tibetans, Mongols, Yi.
_SOUNDS: Final = (
    "买提艾力古丽阿依努尔兰哈克吐逊卡德木拉江热合曼米斯肉孜麦赛巴亚库坎班别塔叶格达吾列吉拜沙帕海莎慕罕默卜杜伊布音玉素甫扎西次仁卓玛才让多杰旦增央金罗桑洛平措尼瓦边姆顿珠仓旺堆白"
    "迪迭代娜妮热孜万凯丝特都里萨比夏帝克胡赛因乌买衣苏莱迈特萨迪克居马霍加加木阿瓦汗坎吐拉洪牙生买尔旦祖农艾山托合提铁赛迪那扎尔叶斯肯波纳比叶勒塞哲乃格日勒朝鲁图雅其巴特苏和宝音满"
    "沙玛吉克惹子莫果呷曲比史解什色尔伍牛诺尼且约友曲各日云琴花德海仁胜"
)
#: A name with its dots, wherever it stands; a word before or behind it has other characters.
DOTTED_NAME: Final = re.compile(f"[{_SOUNDS}]{{2,7}}(?: ?[·•・‧∙] ?[{_SOUNDS}]{{2,7}}){{1,3}}")
_BREAK: Final = re.compile(r"[、，,；;/\uff0f|\\&\uff06+\n\r\t（）()\[\]【】〔〕{}《》<>“”\"':：。!！?？~—…-]+")
_BLANK: Final = re.compile(r"\s+")
#: Full-width signs that mean what they are: brackets and separators.
_KEPT: Final = frozenset("（），；：！？\uff0e\uff0f")
_INVISIBLE: Final = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff\u180e")


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    for sign in _BREAK.finditer(text, start, end):
        yield at, sign.start()
        at = sign.end()
    yield at, end


def _words_of(text: str, start: int, end: int) -> Iterator[list[int]]:
    """The places of the characters of each word between blanks; a name written 张 三 or 李 桂 兰 is one."""
    waiting: list[int] = []
    at = start
    for blank in [*_BLANK.finditer(text, start, end), None]:
        stop = blank.start() if blank is not None else end
        word = list(range(at, stop))
        joined = waiting + word
        if waiting and not _is_spaced_name("".join(text[i] for i in joined)):
            yield waiting
            joined = word
        if len(word) == 1 or (waiting and joined is not word):
            waiting = joined
        else:
            waiting = []
            yield joined
        at = blank.end() if blank is not None else end
    if waiting:
        yield waiting


def _is_spaced_name(text: str) -> bool:
    if not all(map(is_han, text)):
        return False
    return any(len(text) - size in {1, 2} for size in surname_ends(text, 0))


@lru_cache(maxsize=8192)
def find_in_cell(text: str) -> tuple[Span, ...]:
    """Find the persons that a cell for names names."""
    plain = _plain(text)
    found: list[Span] = []
    taken = 0
    for dotted in _DOTTED.finditer(plain):
        start, end = _without_words(plain, *dotted.span())
        found += _find(plain, taken, start)
        found.append(Span(start, end, start + 1))
        taken = end
    found += _find(plain, taken, len(plain))
    return tuple(found)


def _without_words(plain: str, start: int, end: int) -> tuple[int, int]:
    """Where a name with dots stands without who it is before it and what follows: 村民努尔兰·哈力克等3户."""
    while word := _PERSONS_FIRST.after(plain, start):
        start += len(word)
    last = max(plain.rfind(dot, start, end) for dot in _DOT)
    for n in range(last + 3, end):
        if _COUNTED.match(plain, n) or _TITLES.after(plain, n) or _MONEY.after(plain, n):
            return start, n
    return start, end


def _find(plain: str, start: int, end: int) -> Iterator[Span]:
    for left, right in _pieces(plain, start, end):
        if plain[left:right].isascii():
            if span := _latin(plain, left, right):
                yield span
            continue
        for places in _words_of(plain, left, right):
            seen = [i for i in places if plain[i] not in _INVISIBLE]
            for s in _persons("".join(plain[i] for i in seen), 0):
                yield Span(seen[s.start], seen[s.end - 1] + 1, seen[s.shown - 1] + 1)


def _latin(plain: str, start: int, end: int) -> Span | None:
    """A name in Latin letters, `Li Lei`; no code and no number."""
    word = plain[start:end].strip()
    if not re.fullmatch(r"[A-Za-z][A-Za-z.' ]+", word):
        return None
    at = plain.index(word, start)
    return Span(at, at + len(word), at + 1)


def _plain(text: str) -> str:
    """Full-width letters and digits as the usual ones, one for one."""
    return "".join(chr(ord(c) - 0xFEE0) if "\uff01" <= c <= "\uff5e" and c not in _KEPT else c for c in text)


def is_firm(text: str) -> bool:
    """Tell whether a cell is a shop, a firm or an office by its name and nobody else; what is a word (待定, 各组) is none."""
    return not find_in_cell(text) and _is_firm("".join(_plain(text).split()))


def is_usual_name(text: str) -> bool:
    """Tell whether a text reads as one person's name with a surname that most people have: 王强; not 惠民, not the word 牛奶."""
    starts = text[:1] in COMMON or any(text.startswith(name) for name in COMPOUND)
    is_word = len(text) == 1 or text in _usual_words().all
    return starts and not is_word and [(s.start, s.end) for s in find_in_cell(text)] == [(0, len(text))]


def mask_cell(text: str) -> str:
    """A cell for names as the web may show it: persons by surname, firms, offices, groups and words in full."""
    return masked(text, find_in_cell(text))


def masked(text: str, spans: tuple[Span, ...]) -> str:
    """A text with the names at these places by surname."""
    parts, at = [], 0
    for s in spans:
        parts += [text[at : s.shown], HIDDEN]
        at = s.end
    return "".join([*parts, text[at:]])
