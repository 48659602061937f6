"""A page in English, made of the page in Chinese: frame, labels, states and sums by one table of words, content as it is.

What the table does not know stays Chinese and is marked as Chinese, so nothing is lost and nothing is made up. There is one
template of each page, and one place where a word's English stands: `english.tsv`.
"""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from services.publish.render.english import day_in_english, in_english

#: A part of a text, and whether it is still Chinese.
Part = tuple[str, bool]
_CHINESE: Final = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]")
_HOLE: Final = re.compile(r"\{([a-z]+)(?::([^}|]*)(?:\|([^}]*))?)?\}")
#: What a hole holds, by the first letter of its name; others hold anything.
_HOLDS: Final = {
    **dict.fromkeys("nmk", r"[\d,]+"),
    "d": r"\d{4}年(?:\d{1,2}月(?:\d{1,2}日(?: \d\d:\d\d)?)?|第[一二三四]季度|[上下]半年)?(?!\d)",
    "a": r"约?负?[\d,.]+(?:万元|亿元|元)",
    "v": r"[^，。；：、！？\s]{1,12}",
}
#: Longer texts are somebody's own words.
_LONGEST: Final = 160
_QUARTERS: Final = "一二三四"
#: Between parts that may be told one by one; no sentence of somebody's own is taken apart.
_BETWEEN: Final = re.compile(r"([，。；：、（）　/])")
_DOT: Final = " · "
_SIGNS: Final = {
    "，": ", ",
    "。": ". ",
    "；": "; ",
    "：": ": ",
    "、": ", ",
    "（": " (",
    "）": ")",
    "　": "  ",
    "/": " / ",
}
_YUAN: Final = re.compile(r"(约?)(负?)([\d,]+(?:\.\d+)?)(万元|亿元|元)")
_SIZES: Final = {"万元": 10_000, "亿元": 100_000_000}
_DAY: Final = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日( \d\d:\d\d)?")
_SHORT_DAY: Final = re.compile(r"(\d{1,2})月(\d{1,2})日")
_PERIOD: Final = re.compile(r"(\d{4})年(?:(\d{1,2})月|第([一二三四])季度|([上下])半年)?")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def is_chinese(text: str) -> bool:
    """Tell whether a text has Chinese signs."""
    return _CHINESE.search(text) is not None


# -- words --------------------------------------------------------------------------------------------------------


class Words:
    """The table: a line has the Chinese, a tab, the English; `{n}` stands for a number, `{d}` for a day or a period, `{a}` for an amount, `{v}` for a name, `{x}` for anything, `{n:day}` for `1 day`, `2 days`."""

    def __init__(self, text: str) -> None:
        """Read a table; ValueError names a line that is none."""
        self._exact: dict[str, str] = {}
        self._patterns: list[tuple[str, re.Pattern[str], str]] = []
        for number, line in enumerate(text.splitlines(), 1):
            if line and not line.startswith("#"):
                self._take(number, line)

    def _take(self, number: int, line: str) -> None:
        chinese, tab, english = line.partition("\t")
        if not tab or not chinese or not english or is_chinese(_HOLE.sub("", english)):
            message = f"line {number} of the words: Chinese, a tab, English"
            raise ValueError(message)
        if "{" not in chinese:
            self._exact[chinese] = english
            return
        pattern, at, fixed = "", 0, ""
        for hole in _HOLE.finditer(chinese):
            before = chinese[at : hole.start()]
            fixed = max(fixed, before, key=len)
            pattern += f"{re.escape(before)}(?P<{hole[1]}>{_HOLDS.get(hole[1][0], '.+?')})"
            at = hole.end()
        fixed = max(fixed, chinese[at:], key=len)
        self._patterns.append((fixed, re.compile(pattern + re.escape(chinese[at:])), english))

    def parts(self, text: str) -> list[Part]:
        """A text in English as far as the table goes; what it does not know is a part that is still Chinese."""
        found = self._known(text)
        return found if found is not None else [(text, True)]

    def text(self, text: str) -> str | None:
        """A text in English, with names that stand in it as they are; None when the table knows nothing of it."""
        found = self._known(text)
        return "".join(part for part, _ in found) if found is not None else None

    def _known(self, text: str) -> list[Part] | None:
        if not is_chinese(text):
            return [(text, False)]
        if len(text) > _LONGEST:
            return None
        told = self._exact.get(text) or _figure(text)
        if told is not None:
            return [(told, False)]
        for fixed, pattern, english in self._patterns:
            if fixed in text and (match := pattern.fullmatch(text)) is not None:
                return list(self._filled(english, match.groupdict()))
        return self._apart(text)

    def _filled(self, english: str, holes: Mapping[str, str]) -> Iterator[Part]:
        at = 0
        for hole in _HOLE.finditer(english):
            yield english[at : hole.start()], False
            value, one, many = holes[hole[1]], hole[2], hole[3]
            if one is not None:
                yield f"{value} {one if value == '1' else many or f'{one}s'}", False
            else:
                yield from self.parts(value)
            at = hole.end()
        yield english[at:], False

    def _apart(self, text: str) -> list[Part] | None:
        """A text between whose commas every part is known; what a dot in the middle parts is told one by one."""
        if _DOT in text:
            known = [self._known(piece) for piece in text.split(_DOT)]
            if not any(known):
                return None
            told = [k or [(piece, True)] for k, piece in zip(known, text.split(_DOT), strict=True)]
            return [part for n, k in enumerate(told) for part in ([(_DOT, False)] if n else []) + k]
        pieces = _BETWEEN.split(text)
        if len(pieces) == 1:
            return None
        parts: list[Part] = []
        for piece, sign in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
            told_piece = self._known(piece.strip()) if piece.strip() else []
            if told_piece is None:
                return None
            parts += [*told_piece, (_SIGNS.get(sign, sign), False)]
        return parts if any(part.strip(" ,.;:()/") for part, _ in parts) else None


def _figure(text: str) -> str | None:
    """An amount, a day or a period; None for anything else."""
    if (found := _YUAN.fullmatch(text)) is not None:
        about, below, number, unit = found.groups()
        value = number if unit == "元" else f"{round(float(number.replace(',', '')) * _SIZES[unit]):,}"
        return f"{'about ' if about else ''}{'−' if below else ''}¥{value}"
    try:
        if (found := _DAY.fullmatch(text)) is not None:
            return day_in_english(date(int(found[1]), int(found[2]), int(found[3]))) + (found[4] or "")
        if (found := _SHORT_DAY.fullmatch(text)) is not None:
            return f"{int(found[2])} {_MONTHS[int(found[1]) - 1]}"
        if (found := _PERIOD.fullmatch(text)) is not None:
            return in_english(_period(*found.groups()))
    except (ValueError, IndexError):
        return None
    return None


def _period(year: str, month: str | None, quarter: str | None, half: str | None) -> str:
    if month is not None:
        return f"{year}-{int(month):02}"
    if quarter is not None:
        return f"{year}Q{_QUARTERS.index(quarter) + 1}"
    return year if half is None else f"{year}H{'上下'.index(half) + 1}"


WORDS: Final = Words((Path(__file__).parent / "english.tsv").read_text("utf-8"))


# -- pages --------------------------------------------------------------------------------------------------------

#: Below this path the same pages stand in English.
PREFIX: Final = "/en"
#: What is a page: no file, no picture, no feed.
_PAGE: Final = re.compile(r"(/(?:[tvdqf]/[^.?#]*|ask|search)?)((?:[?#].*)?)", re.DOTALL)
_TOLD: Final = frozenset({"aria-label", "title", "alt", "placeholder", "data-t", "content"})
#: Where no element may stand, or what was typed must come back as it was.
_TEXT_ALONE: Final = frozenset({"title", "option", "textarea", "script", "style", "text"})
_INLINE: Final = frozenset({"a", "b", "strong", "span"})
_UNTOUCHED: Final = frozenset({"textarea", "script", "style"})
_NOTE: Final = (
    '<p class="note" role="note">This page in English is made from the page in Chinese, which is the one that counts. '
    "What people wrote stays as they wrote it.</p>"
)


def in_english_path(path: str) -> str | None:
    """Where the same page stands in English; None for what is no page."""
    found = _PAGE.fullmatch(path)
    if found is None or found[1].startswith(PREFIX + "/"):
        return None
    return f"{PREFIX}{found[1]}{found[2]}"


def _marked(part: str, *, chinese: bool) -> str:
    text = html.escape(part, quote=False)
    return f'<span lang="zh-CN">{text}</span>' if chinese else text


class _Page(HTMLParser):
    """Reads our own pages token by token and writes them in English."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._within: list[str] = []
        self._back = False
        #: Whether the last thing written was English that the next word must not join.
        self._joins = False

    def handle_decl(self, decl: str) -> None:
        self.out.append(f"<!{decl}>")

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag in _TEXT_ALONE or self._within:
            self._within.append(tag)
        self._tag(tag, dict(attrs), "")

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self._tag(tag, dict(attrs), "/")

    def handle_endtag(self, tag: str) -> None:
        if self._within and tag in self._within:
            while self._within.pop() != tag:
                pass
        self._back = self._joins = False
        if tag == "main":
            self.out.append(_NOTE)
        self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        here = self._within[-1] if self._within else ""
        if here in {"script", "style"}:
            self.out.append(data)
        elif here in _UNTOUCHED or not is_chinese(data):
            self.out.append(html.escape("中文" if self._back else data, quote=False))
        else:
            self._told(data, alone=bool(self._within))

    def _told(self, data: str, *, alone: bool) -> None:
        data = data.replace("\u3000", " ")
        core = data.strip()
        at = data.index(core)
        parts = [(part, chinese) for part, chinese in WORDS.parts(" ".join(core.split())) if part]
        marked = "".join(_marked(part, chinese=chinese and not alone) for part, chinese in parts)
        # As one: the room between two of them would be lost in a button.
        text = f"<span>{marked}</span>" if not alone and len(parts) > 1 and any(c for _, c in parts) else marked
        self.out += [data[:at], text, data[at + len(core) :]]
        self._joins = data.endswith(core) and not parts[-1][1]

    def _tag(self, tag: str, attrs: dict[str, str | None], end: str) -> None:
        if self._joins and tag in _INLINE:
            # Chinese has no room between words.
            self.out.append(" ")
        self._joins = False
        if tag == "html":
            attrs["lang"] = "en"
        target = "action" if tag == "form" else "href"
        if tag in {"a", "form"} and (path := attrs.get(target)) is not None:
            self._lead(attrs, target, path)
        for name in _TOLD & attrs.keys():
            attrs[name] = WORDS.text(attrs[name] or "") or attrs[name]
        told = "".join(f" {n}" if v is None else f' {n}="{html.escape(v)}"' for n, v in attrs.items())
        self.out.append(f"<{tag}{told}{end}>")

    def _lead(self, attrs: dict[str, str | None], target: str, path: str) -> None:
        """Stay in English from page to page, but for the one link that leads back."""
        if attrs.get("class") == "lang":
            attrs.update({target: path.removeprefix(PREFIX) or "/", "lang": "zh-CN", "hreflang": "zh-CN"})
            self._back = True
        else:
            attrs[target] = in_english_path(path) or path


def translated(page: str) -> str:
    """One of our pages in English."""
    reader = _Page()
    reader.feed(page)
    reader.close()
    return "".join(reader.out)
