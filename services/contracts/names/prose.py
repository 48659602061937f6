"""Names in running text: summaries, remarks, notices, reasons. A name is believed where what stands beside it speaks for it.

What is looked at: a word before (村民, 付, 慰问), a word behind (住院, 工资, 等5人), a list of names, how common the surname
is and whether given names are made of such characters; against it, every common word that the characters could be.
Officials in their office stay named (domain of text items): 村主任王某 who signed is no secret.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Final

from services.contracts.names import lexicon
from services.contracts.names.cells import DOTTED_NAME, WORDS, Span, masked
from services.contracts.names.segment import Piece, Token, Words, common_words, cut, is_han, surname_ends
from services.contracts.names.surnames import COMMON, words

_TWO: Final = 2
_OTHER, _NAME, _KNOWN = "other", "name", "known"
#: Less than any word: it is no word here, unless a longer one has it inside (黄河 in 黄河路).
_KNOWN_COST: Final = 6.0
#: What a word costs by the power of two of its frequency, and one of ours.
_WORD_COST: Final = 18.0
_BAND: Final = 0.693
_OURS: Final = 9.0
_WHO: Final = Words(
    (lexicon.DESIGNATIONS | lexicon.HEADMEN | lexicon.KIN)
    - words("户 家 人员 群众 组民 岗 干部 代表 某 某某 的 之 他们 妻 夫 母 父 子 家庭 大户 散户 法人 社长")
)
_OFFICES: Final = Words(lexicon.OFFICES)
_VERBS: Final = Words(lexicon.VERBS)
_PERSONAL: Final = Words(lexicon.PERSONAL | {w for w in lexicon.MONEY if len(w) > _TWO and w[-1] in "费款"})
_INTIMATE: Final = Words(lexicon.INTIMATE)
_PLACE_TAILS: Final = Words(lexicon.PLACE_TAILS)
_WORKS: Final = Words(lexicon.WORKS)
_FIRMS: Final = Words(lexicon.FIRMS | lexicon.TRADES)
_COLONS: Final = frozenset(":：")
_FORMER: Final = frozenset("老原前")
_AND_OTHERS: Final = re.compile(
    r"等\s*(?:[0-9\uff10-\uff19一二三四五六七八九十百]+\s*余?(?:户|人|名|位)|人|户|村民|群众)"
)
#: 李桂兰（三组）, 李桂兰（低保户）.
_GROUP_BEHIND: Final = re.compile(
    f"[（(](?:第?[0-9一二三四五六七八九十]+(?:组|队)|{'|'.join(sorted(lexicon.DESIGNATIONS))})"
)
#: 三组李桂兰, 西海村李桂兰.
_GROUPS_BEFORE: Final = frozenset("组队村屯")
#: What people do, are or have, right behind the name.
_DOES: Final = frozenset("的之因患被家户修拉运挖搬送干装卸帮到去领")
_SEPARATORS: Final = frozenset("、，,；;/\uff0f和与及 \u3000")
_FUNCTION: Final = frozenset("的了在和与及等因为被把从向对由给于是有至到按将每各其该这那就也都已未不")
_PLACE_ENDS: Final = frozenset("路街巷沟屯村庄营堡桥塘湖湾坝渠镇乡市县区洼坨甸坎坡峪庙寺泡渡寨坪坳口井店铺")
#: These end given names as well: 王大山.
_MAYBE_PLACE_ENDS: Final = frozenset("山岭河江岗台园集冲海洲")
#: Surnames that are far more often another word; a name needs the word who it is before it.
_RATHER_WORDS: Final = frozenset("植付和向从由与来代相有同那都应能时但是过后前生第行位未要查")

#: What speaks for a name, on its left and on its right.
_SAID: Final = 7.0
_PERSON_ONLY: Final = 5.0
_LIST: Final = 3.5
_LIKELY: Final = 3.0
_EDGE: Final = 1.5
#: What a name costs with nothing for or against it, by the length of the given name.
_BASE: Final = {1: 18.0, 2: 21.5}
_RARE: Final = 3.0
_ODD: Final = 2.5
_BEGINS_AS_A_WORD: Final = 6.0


def _may_be_given(text: str) -> bool:
    return all(is_han(c) and c not in lexicon.NEVER_GIVEN for c in text)


@cache
def _costs() -> Mapping[str, float]:
    """What each word costs; made when the first text is looked through, for most processes never look through one."""
    return {w: _WORD_COST - _BAND * band for w, band in common_words().items()} | {
        w: _OURS for w in WORDS | lexicon.VERBS | lexicon.WORKS if len(w) > 1
    }


@cache
def _all_words() -> Words:
    return Words(_costs())


def _odd(given: str) -> int:
    return sum(c not in lexicon.GIVEN for c in given)


def _looks_like_a_name(text: str) -> bool:
    """Tell whether a member of a list, by itself, could be a person."""
    if text in _costs():
        return False
    for end in surname_ends(text, 0):
        given = text[end:]
        usual = end > 1 or text[0] in COMMON
        odd = _odd(given)
        if len(given) in {1, 2} and _may_be_given(given) and (odd < len(given) if usual else not odd):
            return True
    return False


class _Reader:
    """One text, read for what stands beside each place; `known` are people whom the same body names elsewhere."""

    def __init__(self, text: str, known: Words | None) -> None:
        self._text = text
        self._known = known

    def left(self, start: int) -> float:
        """What speaks for a name that begins here."""
        text = self._text
        if start == 0:
            return _EDGE
        said = start - (text[start - 1] in _COLONS)
        who, verb = _WHO.before(text, said), _VERBS.before(text, said)
        if who and len(who) >= len(verb):
            return _SAID
        if text[start - 1] in _SEPARATORS and self._name_before(start - 1):
            return _LIST
        if verb or (said < start and len(_PERSONAL.before(text, said)) >= _TWO):
            return _LIKELY
        if text[start - 1] in _GROUPS_BEFORE:
            return _LIKELY
        return 0.0 if is_han(text[start - 1]) else _EDGE

    def _name_before(self, end: int) -> bool:
        return any(end >= size and _looks_like_a_name(self._text[end - size : end]) for size in (3, 2, 4))

    def right(self, end: int) -> float:
        """What speaks for a name that ends here."""
        text = self._text
        if end == len(text):
            return _EDGE
        if _AND_OTHERS.match(text, end) or _INTIMATE.after(text, end):
            return _PERSON_ONLY
        if len(_PERSONAL.after(text, end)) >= _TWO:
            return _LIKELY
        if text[end] in _SEPARATORS and self._name_after(end + 1):
            return _LIST
        if _GROUP_BEHIND.match(text, end):
            return _LIKELY
        return 0.0 if is_han(text[end]) and text[end] not in _DOES else _EDGE

    def _name_after(self, start: int) -> bool:
        return any(
            _looks_like_a_name(self._text[start : start + size]) and self._ends(start + size) for size in (3, 2, 4)
        )

    def _ends(self, at: int) -> bool:
        text = self._text
        if at >= len(text) or not is_han(text[at]) or text[at] in _SEPARATORS:
            return True
        return bool(_AND_OTHERS.match(text, at) or _PERSONAL.after(text, at))

    def is_place(self, start: int, end: int) -> bool:
        """Tell whether what could be a name is rather a road or a village: 王岗路维修, 李家沟."""
        text, last = self._text, self._text[end - 1]
        if self.right(end) == _PERSON_ONLY:
            return False
        if self.heads_a_place(end) or last in _PLACE_ENDS:
            return True
        works = len(_WORKS.after(text, end)) >= _TWO and len(_PERSONAL.after(text, end)) < _TWO
        # 付欧阳德海打井款.
        told = last == "海" and text[end - 2] in lexicon.TELLING and self.left(start) >= _LIKELY
        if last in _MAYBE_PLACE_ENDS and not told and (works or (end == len(text) and self.left(start) < _LIKELY)):
            return True
        return text[start + 1] in "家记氏" and (end == start + _TWO or _PLACE_TAILS.after(text, start + _TWO) != "")

    def heads_a_place(self, end: int) -> bool:
        """Tell whether a shop's or a place's word follows: 王记饭店, 张三丰小卖部."""
        text = self._text
        personal = len(_PERSONAL.after(text, end))
        if len(_FIRMS.after(text, end)) > personal:
            return True
        return len(_PLACE_TAILS.after(text, end)) > 0 and personal < _TWO

    def is_official(self, start: int, end: int) -> bool:
        """Tell whether somebody is named in office: 村主任王某, 王某书记; a former one is a villager."""
        text = self._text
        said = start - (text[start - 1 : start] in _COLONS)
        office = _OFFICES.before(text, said)
        at = said - len(office)
        former = (at and text[at - 1] in _FORMER) or len(_WHO.before(text, said)) > len(office)
        return (office != "" and not former) or _OFFICES.after(text, end) != ""

    def names_at(self, start: int) -> Iterator[Token]:
        """Every name that may begin here, with its cost."""
        text = self._text
        for name in self._known.at(text, start) if self._known is not None else ():
            end = start + len(name)
            if self.right(end) == _PERSON_ONLY or not self.heads_a_place(end):
                yield Token(end, _KNOWN, _KNOWN_COST, start + next(iter(surname_ends(name, 0)), 1))
        for surname in surname_ends(text, start):
            for size in (2, 1):
                given = text[surname : surname + size]
                if len(given) < size or not _may_be_given(given):
                    continue
                left = self.left(start)
                if left < _SAID and text[start] in _RATHER_WORDS:
                    break
                if left < _SAID and self.is_place(start, surname + size):
                    if self.heads_a_place(surname + size):
                        break
                    continue
                yield from self._believed(start, surname, given, left)

    def _believed(self, start: int, surname: int, given: str, left: float) -> Iterator[Token]:
        """A name with its cost, where what stands on its left and right is enough to believe it.

        It wins in `cut` where it costs less than the words that it would be cut into; what stands beside it is taken off
        its cost. Costs are weights on the scale of `_costs`, held by measurement alone: whoever changes one runs
        `tests/privacy` (recall, false alarms) and `tests/contracts/test_names.py`.
        """
        text, end, size = self._text, surname + len(given), len(given)
        right, odd = self.right(end), _odd(given)
        usual = surname - start > 1 or text[start] in COMMON
        word = surname - start == 1 and text[start : start + _TWO] in _costs()
        if word and size == 1 and not _is_believed_of_a_word(usual and not odd, left, right):
            return
        telling = sum(c in lexicon.TELLING for c in given) if size == _TWO else 0
        if _is_believed(usual=usual, odd=odd, size=size, left=left, right=right) or (
            not odd and not word and _is_told_by_itself(telling, left, right, usual=usual)
        ):
            cost = _BASE[size] - left - right + (0.0 if usual else _RARE) + _ODD * odd
            if word and right < _PERSON_ONLY:
                cost += _BEGINS_AS_A_WORD / _TWO if usual and not odd else _BEGINS_AS_A_WORD
            yield Token(end, _NAME, cost, surname)

    def words_at(self, start: int) -> Iterator[Token]:
        """Every word that begins here, and the character by itself."""
        text, costs = self._text, _costs()
        for word in _all_words().at(text, start):
            yield Token(start + len(word), _OTHER, costs[word])
        yield Token(start + 1, _OTHER, 7.0 if text[start] in _FUNCTION else 10.5)


def _is_believed_of_a_word(plain: bool, left: float, right: float) -> bool:  # noqa: FBT001 - three things that are known
    """Tell whether 高峰 is a man here: 村民高峰, 付高峰工资; not 学生时代, 农户水田补贴."""
    return plain and ((left >= _SAID and right in {_PERSON_ONLY, _EDGE}) or (left >= _LIKELY and right == _PERSON_ONLY))


def _is_believed(*, usual: bool, odd: int, size: int, left: float, right: float) -> bool:
    """Tell whether what stands beside it is enough for a name that is this usual."""
    plain = usual and odd == 0
    if left >= _SAID:
        return True
    if right >= _PERSON_ONLY:
        return (usual or odd == 0) if left else plain
    if _LIST in {left, right}:
        return odd < size if usual else odd == 0
    if left == _LIKELY and right:
        return odd < size if usual else (odd == 0 and size == _TWO)
    if right == _LIKELY and left:
        return usual and odd < size
    # Nothing but the ends of the text, or one word: 张桂兰 as a remark, 付李强拉沙子.
    return plain and size == _TWO and (bool(left and right) or _LIKELY in {left, right})


def _is_told_by_itself(telling: int, left: float, right: float, *, usual: bool) -> bool:
    """Tell whether a name is one whatever follows: 孟祥林交…, and anywhere where both characters tell: 王秀英."""
    if usual:
        return telling == _TWO or (telling > 0 and left > 0)
    return left > 0 and (telling == _TWO or (telling > 0 and (right > 0 or left >= _LIKELY)))


def _change(before: str, after: str) -> float:
    return 4.0 if before == after == _NAME else 0.0


#: What is cut at a time: characters without signs between them, the dot of 阿卜杜拉·买买提 taken along.
_RUN: Final = re.compile("[\u3400-\u9fff\u3007·•・‧∙\U00020000-\U0003ffff]+")
#: Longer texts are read anew each time: the cache is for summaries that stand in every month.
_REMEMBERED: Final = 100


def find_in_text(text: str, known: Words | None = None, *, officials: bool = False) -> tuple[Span, ...]:
    """Find persons' names in running text, with `officials` also of those in their office. Never raises; linear.

    `known`: names that the same body has in its cells; these are found wherever they stand.
    """
    # Whoever stands in the body's cells and not in this text changes nothing of how it is read.
    if len(text) <= _REMEMBERED and (known is None or not known.stand_in(text)):
        found = _remembered(text)
    else:
        found = tuple(_find(text, known))
    return tuple(span for span, in_office in found if officials or not in_office)


@lru_cache(maxsize=8192)
def _remembered(text: str) -> tuple[tuple[Span, bool], ...]:
    return tuple(_find(text, None))


def _find(text: str, known: Words | None) -> Iterator[tuple[Span, bool]]:
    """Each name, and whether it is that of an official in office."""
    reader = _Reader(text, known)
    official, end = False, 0
    for start, token in (found for run in _RUN.finditer(text) for found in _names_of(reader, text, run)):
        # 委员：张某、李某: the office before the first is everyone's.
        listed = official and start == end + 1 and text[end] in _SEPARATORS
        official = listed or reader.is_official(start, token.end)
        end = token.end
        yield Span(start, end, token.surname), official and token.kind != _KNOWN


def _names_of(reader: _Reader, text: str, run: re.Match[str]) -> Iterator[Piece]:
    at = run.start()
    for name in DOTTED_NAME.finditer(text, *run.span()):
        yield from _names_in(reader, at, name.start())
        yield Piece(name.start(), Token(name.end(), _NAME, 0.0, name.start() + 1))
        at = name.end()
    yield from _names_in(reader, at, run.end())


def _names_in(reader: _Reader, start: int, end: int) -> Iterator[Piece]:
    names = {n: found for n in range(start, end) if (found := [*reader.names_at(n)])}
    if names:
        cut_here = cut(start, end, lambda n: (*names.get(n, ()), *reader.words_at(n)), _change)
        yield from (piece for piece in cut_here if piece.token.kind != _OTHER)


def mask_text(text: str, known: Words | None = None) -> str:
    """Running text with every name found by surname."""
    return masked(text, find_in_text(text, known))
