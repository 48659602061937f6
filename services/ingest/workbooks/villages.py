"""Villages as files name them: by code, by name, or by both, which must agree; look-alikes are offered, never taken; pure."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.ingest.bulk.cells import plain
from services.ingest.workbooks.workbook import is_scientific

_TAIL: Final = re.compile(
    r"(村民委员会|村委会|居民委员会|居委会|股份经济合作(联)?社|经济(合作|联合)社|村级账户|行政村|社区居委会)$"
)
_CODE: Final = re.compile(r"\d{12}")
_SHORTENED: Final = (
    "村代码成了“{}”：电子表格把 12 位代码缩短了，后几位已经没有了。请把这一列设成“文本”格式重新填写，或加一列村名"
)
_MOST: Final = 5
_ALIKE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """A village that somebody may enter for, with its township's name."""

    code: str
    name: str
    township: str

    @property
    def words(self) -> str:
        """As somebody chooses it among others."""
        return f"{self.township} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class Settled:
    """What a village's words come to: its code, or why there is none, with those that it may mean."""

    code: str = ""
    fault: str = ""
    offered: tuple[Place, ...] = ()


@dataclass(slots=True)
class Directory:
    """The villages that somebody may enter for. `chosen`: what they said for words of this file."""

    places: Sequence[Place]
    chosen: Mapping[str, str] = field(default_factory=dict)
    _seen: dict[tuple[str, str], Settled] = field(default_factory=dict)

    def settle(self, code: str, name: str) -> Settled:
        """The village that a code, a name or both mean."""
        known = self._seen.get((code, name))
        if known is None:
            known = self._seen[code, name] = self._settle(plain(code), plain(name))
        return known

    def _settle(self, code: str, name: str) -> Settled:
        said = self.chosen.get(words_of(code, name))
        if said and any(p.code == said for p in self.places):
            return Settled(said)
        by_name = [p for p in self.places if _same(p, name)] if name else []
        if code and not is_scientific(code):
            return self._by_code(code, name, by_name)
        if len(by_name) == 1:
            return Settled(by_name[0].code)
        if code:
            return Settled(fault=_SHORTENED.format(code), offered=self.alike(name))
        if by_name:
            return Settled(fault=f"叫“{name[:20]}”的村不止一个，请选是哪一个", offered=tuple(by_name[:_MOST]))
        return Settled(fault=f"没有叫“{name[:20]}”的村，请选是哪一个", offered=self.alike(name))

    def _by_code(self, code: str, name: str, by_name: Sequence[Place]) -> Settled:
        if not _CODE.fullmatch(code):
            return Settled(fault=f"村代码“{code[:20]}”不对，应是 12 位数字", offered=self.alike(name))
        place = next((p for p in self.places if p.code == code), None)
        if place is None:
            return Settled(fault=f"您管的村里没有代码 {code}，请核对", offered=tuple(by_name[:1]) or self.alike(name))
        if name and place not in by_name:
            words = f"代码 {code} 是{place.name}，村名却写的是“{name[:20]}”，请选是哪一个"
            return Settled(fault=words, offered=(place, *by_name[:_MOST]))
        return Settled(code)

    def alike(self, name: str) -> tuple[Place, ...]:
        """Villages whose names look like one."""
        if not name:
            return ()
        wanted = _short(name)
        scored = [(difflib.SequenceMatcher(None, wanted, _short(p.name)).ratio(), p) for p in self.places]
        return tuple(p for score, p in sorted(scored, key=lambda s: -s[0])[:_MOST] if score >= _ALIKE)

    def named_in(self, text: str) -> Place | None:
        """The one village that a title names; None when it names none, or several."""
        text = re.sub(r"\s", "", text)
        found = [
            p
            for p in self.places
            if _full(p.name) in text or (len(_short(p.name)) > 1 and f"{_short(p.name)}村" in text)
        ]
        longest = [p for p in found if not any(p.name != q.name and _short(p.name) in _short(q.name) for q in found)]
        return longest[0] if len(longest) == 1 else None


def words_of(code: str, name: str) -> str:
    """A village's words as a form's field names them."""
    return f"{code}|{name}".strip("|")


def _full(name: str) -> str:
    return re.sub(r"\s", "", name)


def _short(name: str) -> str:
    return re.sub(r"(社区|村)$", "", _TAIL.sub("", _full(name)))


def _same(place: Place, name: str) -> bool:
    text = _full(name)
    for prefix in (place.township, re.sub(r"(街道|镇|乡)$", "", place.township)):
        if prefix and text.startswith(prefix) and len(text) > len(prefix) + 1:
            text = text[len(prefix) :].removeprefix("办事处")
            break
    return _full(place.name) in {text, _full(name)} or (
        _short(text) == _short(place.name) and not _differ(text, place.name)
    )


def _differ(text: str, name: str) -> bool:
    """Tell a community from a village of the same name, where both are said."""
    kinds = ["社区" if "社区" in t or "居委会" in t else "村" if "村" in t else "" for t in (text, name)]
    return "" not in kinds and kinds[0] != kinds[1]
