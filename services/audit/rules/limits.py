"""Limits that law, province, city and township set, each with its dates and the paper it rests on; read from TOML.

A layer is one file, named after the division that it speaks for: `cn.toml` the nation, `21.toml` a province, `210881.toml`
a city or county, `210881006.toml` a township. The nearest layer that names a limit on a day wins. A limit that no layer
names is no limit: the rule that needs it says that it cannot see.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

NATION: Final = "cn"
_LAYER: Final = re.compile(r"cn|[0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}")
_OWN: Final = frozenset({"from", "to", "source"})


@dataclass(frozen=True, slots=True)
class Limit:
    """A value that a rule takes from the layers: what people call it, and which way a layer below may move it.

    `stricter`: `lower` when a nearer layer may only lower it, `higher` only raise it; None when it is free to choose.
    """

    name: str
    zh: str
    stricter: Literal["lower", "higher"] | None = None
    least: int = 1


@dataclass(frozen=True, slots=True)
class Block:
    """Limits of one rule in one layer from a day on; `to` is the first day on which they no longer hold."""

    layer: str
    rule: str
    since: date
    to: date | None
    source: str
    values: Mapping[str, int]
    line: int

    def holds(self, day: date) -> bool:
        """Tell whether these limits hold on a day."""
        return self.since <= day and (self.to is None or day < self.to)


class LimitsError(ValueError):
    """A file of limits that cannot be used: which one, the line, and what to do."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The limits of a rule for a subject, with their sources; `missing`: what no layer names, or names in two ways."""

    values: Mapping[str, int]
    sources: tuple[str, ...] = ()
    missing: str = ""


class Limits:
    """The limits of all layers together."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        """Take blocks that were checked."""
        self._blocks: dict[tuple[str, str], list[Block]] = {}
        for block in blocks:
            self._blocks.setdefault((block.layer, block.rule), []).append(block)

    def choose(self, rule: str, wanted: Sequence[Limit], village: str, first: date, last: date) -> Chosen:
        """The limits of a rule for a village; one that changed between two days of the same period is not chosen."""
        values, sources = dict[str, int](), list[str]()
        for limit in wanted:
            found = self._at(rule, limit.name, village, first)
            if found is None or found != self._at(rule, limit.name, village, last):
                why = "本地没有填写" if found is None else "这一期内改过"
                return Chosen(values, missing=f"看不见：{why}{limit.zh}")
            values[limit.name], source = found
            sources += [source] if source not in sources else []
        return Chosen(values, tuple(sources))

    def _at(self, rule: str, name: str, village: str, day: date) -> tuple[int, str] | None:
        for layer in layers_of(village):
            for block in self._blocks.get((layer, rule), ()):
                if block.holds(day) and name in block.values:
                    return block.values[name], block.source
        return None


#: Where no layer was read.
NO_LIMITS: Final = Limits(())


def layers_of(village: str) -> tuple[str, ...]:
    """Layers that speak for a village, the nearest first."""
    return village[:9], village[:6], village[:4], village[:2], NATION


# -- reading ------------------------------------------------------------------------------------------------------


def read_limits(files: Mapping[str, str], wanted: Mapping[str, Sequence[Limit]]) -> Limits:
    """Read all layers by file name; LimitsError names file, line and what to do. `wanted`: the limits that each rule takes."""
    blocks = [b for name, text in sorted(files.items()) for b in _read_file(name, text, wanted)]
    _refuse_overlaps(blocks)
    _refuse_looser(blocks, wanted)
    return Limits(blocks)


def _fail(layer: str, line: int, what: str) -> LimitsError:
    return LimitsError(f"{layer}.toml 第 {line} 行：{what}")


def _read_file(name: str, text: str, wanted: Mapping[str, Sequence[Limit]]) -> Iterator[Block]:
    layer = name.removesuffix(".toml")
    if not _LAYER.fullmatch(layer):
        raise _fail(layer, 1, "文件名应为 cn，或省、市、县、镇街的区划代码（2、4、6、9 位数字）。")
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise _fail(layer, int(line[1]) if line else len(text.splitlines()), f"不是正确的 TOML：{error}") from error
    for rule, blocks in said.items():
        if rule not in wanted:
            known = "、".join(sorted(wanted))
            raise _fail(layer, _line_of(text, rule, 0), f"没有需要标准的规则 {rule}，应为 {known} 之一。")
        if not isinstance(blocks, list) or not all(isinstance(b, dict) for b in blocks):
            raise _fail(layer, _line_of(text, rule, 0), f"规则 {rule} 要写成 [[{rule}]]，一段一个起止时间。")
        for n, block in enumerate(blocks):
            yield _read_block(layer, rule, block, wanted[rule], _line_of(text, rule, n))


def _line_of(text: str, rule: str, number: int) -> int:
    """The line on which a rule's block begins."""
    heads = [n for n, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*\[*\s*{re.escape(rule)}\b", line)]
    return heads[number] if number < len(heads) else 1


def _read_block(layer: str, rule: str, block: Mapping[str, Any], wanted: Sequence[Limit], line: int) -> Block:
    values = {name: value for name, value in block.items() if name not in _OWN}
    for name, value in values.items():
        if what := _wrong_with(rule, name, value, wanted):
            raise _fail(layer, line, what)
    since, to, source = block.get("from"), block.get("to"), block.get("source")
    if type(since) is not date or type(to) not in {date, type(None)}:
        raise _fail(layer, line, "要写 from = 2026-01-01 这样的起始日；to 可以不写，写了也应为日期。")
    if to is not None and to <= since:
        raise _fail(layer, line, f"to {to} 应晚于 from {since}。")
    if not isinstance(source, str) or not source.strip():
        raise _fail(layer, line, "要写 source：依据的法律条文或文件。")
    return Block(layer, rule, since, to, source.strip(), values, line)


def _wrong_with(rule: str, name: str, value: object, wanted: Sequence[Limit]) -> str:
    """What is wrong with one value of a block; empty when nothing is."""
    limit = next((x for x in wanted if x.name == name), None)
    if limit is None:
        return f"规则 {rule} 没有 {name} 这一项，应为 {'、'.join(x.name for x in wanted)}。"
    if not isinstance(value, int) or isinstance(value, bool) or value < limit.least:
        return f"{name} 应为不小于 {limit.least} 的整数（钱以分计），写的是 {value!r}。"
    return ""


def _refuse_overlaps(blocks: Sequence[Block]) -> None:
    for n, a in enumerate(blocks):
        for b in blocks[:n]:
            if (a.layer, a.rule) == (b.layer, b.rule) and _meet(a, b) and a.values.keys() & b.values.keys():
                raise _fail(a.layer, a.line, f"与第 {b.line} 行的起止时间重叠，请写明前一段的 to。")


def _refuse_looser(blocks: Sequence[Block], wanted: Mapping[str, Sequence[Limit]]) -> None:
    """A layer may be stricter than the nation's, never looser."""
    for law in blocks:
        for block in blocks:
            if law.layer == NATION != block.layer and law.rule == block.rule and _meet(law, block):
                _compare(law, block, wanted[law.rule])


def _compare(law: Block, block: Block, wanted: Sequence[Limit]) -> None:
    for limit in wanted:
        own, allowed = block.values.get(limit.name), law.values.get(limit.name)
        if own is None or allowed is None or limit.stricter is None:
            continue
        if own > allowed if limit.stricter == "lower" else own < allowed:
            what = f"{limit.zh} {own} 比法律规定的 {allowed}（{law.source}）还宽，只能更严。"
            raise _fail(block.layer, block.line, what)


def _meet(a: Block, b: Block) -> bool:
    return (a.to is None or b.since < a.to) and (b.to is None or a.since < b.to)
