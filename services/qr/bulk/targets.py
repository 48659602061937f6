"""Whether what somebody wants a code for can be: each fault with its field and what to do."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.contracts.catalogue import Item, ItemKind
from services.contracts.code import CodeKind
from services.contracts.privacy import WORDS, detect
from services.contracts.values import Frequency, period_frequency
from services.contracts.words import CODE_KINDS


@dataclass(frozen=True, slots=True)
class Target:
    """What a code is for: on what it hangs, where, and of which item, month or thing it tells."""

    kind: CodeKind
    place: str | None = None
    item: str | None = None
    period: str | None = None
    subject: str | None = None


#: What hangs at a place has to say at which; a village's first board and a card for every house need not.
_PLACED: Final = frozenset({CodeKind.BOARD, CodeKind.HALL, CodeKind.GATE})
_OF_THINGS: Final = frozenset({CodeKind.ASSET, CodeKind.PROJECT, CodeKind.CONTRACT})
#: Of which shape the item may be whose page a code of a thing leads to; an asset stands in many.
_SHAPES: Final[Mapping[CodeKind, frozenset[ItemKind]]] = {
    CodeKind.ASSET: frozenset(ItemKind),
    CodeKind.PROJECT: frozenset({ItemKind.PROJECT}),
    CodeKind.CONTRACT: frozenset({ItemKind.CONTRACT}),
    CodeKind.BULLETIN: frozenset({ItemKind.LEDGER}),
}
_MONTH: Final = re.compile(r"(20\d\d)\s*[-./年]?\s*(0?[1-9]|1[0-2])\s*月?", re.ASCII)

Faults = Iterator[tuple[str, str]]


def read_month(text: str) -> str:
    """A month as people write it (2026年10月, 2026/10, 202610) in its one spelling; anything else as it is."""
    found = _MONTH.fullmatch(text.strip())
    return f"{found[1]}-{int(found[2]):02}" if found else text


def faults_of(target: Target, items: Mapping[str, Item], today: date) -> Faults:
    """What is wrong with a target: field and sentence without its end."""
    yield from _text_faults(target)
    yield from _item_faults(target, items, today)
    yield from _period_faults(target)


def _text_faults(of: Target) -> Faults:
    kind = CODE_KINDS[of.kind]
    if of.kind in _PLACED and not of.place:
        yield "place", f"“{kind}”的码要写明挂在哪里，例如：村部门前"
    if of.kind in _OF_THINGS and not of.subject:
        yield "subject", f"“{kind}”的码要写明名称，印在标签上"
    if of.kind not in _OF_THINGS and of.subject:
        yield "subject", f"“{kind}”的码没有名称，请清空"
    for field, text in (("place", of.place), ("subject", of.subject)):
        if kinds := dict.fromkeys(WORDS[hit.kind] for hit in detect(text or "")):
            yield field, f"里面像是有{'、'.join(kinds)}，会印在墙上给所有人看，请去掉"


def _item_faults(of: Target, items: Mapping[str, Item], today: date) -> Faults:
    kind = CODE_KINDS[of.kind]
    shapes = _SHAPES.get(of.kind)
    if shapes is None:
        if of.item:
            yield "item", f"“{kind}”的码打开村的首页，不用写公开事项，请清空"
        return
    item = items.get(of.item or "")
    if not of.item:
        yield "item", f"“{kind}”的码要写明公开事项的编号，扫码后打开这一项"
    elif item is None or item.retired(today):
        yield "item", f"公开目录里没有编号为 {of.item} 的事项，请核对"
    elif item.at(today).kind not in shapes:
        yield "item", f"事项 {of.item} 不是“{kind}”一类的，请换一个事项"


def _period_faults(of: Target) -> Faults:
    if of.kind is not CodeKind.BULLETIN:
        if of.period:
            yield "period", "只有月度公开单的码要写公开期，请清空"
        return
    try:
        is_month = of.period is not None and period_frequency(of.period) is Frequency.MONTHLY
    except ValueError:
        is_month = False
    if not is_month:
        yield "period", "月度公开单要写明是哪个月，例如：2026-10"
