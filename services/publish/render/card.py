"""A village's month or a disclosure as a picture, for messages and other sites. Slow: run it in a thread.

The template is read when this module is loaded; after that nothing is read but the arguments.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from services.kit.typeset import png_of
from services.publish.render.disclosure import DisclosurePage
from services.publish.render.village import VillagePage

_TEMPLATE: Final = (Path(__file__).parent / "card.typ").read_bytes()
#: Pictures that are kept, of some 40 KB each.
_KEPT: Final = 128
#: Width and height in pixels by shape: as messages show it beside a link, and upright for a page of its own.
SHAPES: Final = {"wide": (1200, 630), "tall": (900, 1200)}


@dataclass(frozen=True, slots=True)
class Card:
    """What a picture says. `figures`: a name and an amount a line; `sample`: the city's figures are made up."""

    where: str
    title: str
    figures: Sequence[tuple[str, str]]
    lines: Sequence[str]
    source: str
    sample: bool


def village_card(page: VillagePage, public_url: str, *, sample: bool) -> Card:
    """The newest month of a village: what came in, went out and is left, whether it adds up, what is missing."""
    money, village = page.money, page.village
    source = f"{urlsplit(public_url).netloc}/v/{village.code} · 截至{page.as_of}"
    where = f"{village.township.city}{village.township.name}"
    missing = f"还没公开的：{page.standing.words}"
    if money is None:
        return Card(where, village.name, (), ("现在没有公开的收支", missing), source, sample)
    moved = (("收进来", money.income.amount), ("花出去", money.expense.amount)) if not money.nil else ()
    agreed = (("" if money.checks.ok else "账对不上：") + money.checks.line,) if money.checks is not None else ()
    nil = ("这个月没有收支",) if money.nil else ()
    title, figures = f"{village.name} {money.period}的账", (*moved, (money.until, money.left))
    return Card(where, title, figures, (*nil, *agreed, missing), source, sample)


def disclosure_card(page: DisclosurePage, public_url: str, *, sample: bool) -> Card:
    """One disclosure: what it is, by whom, when; a ledger's sums; of persons nothing."""
    village, ledger = page.village, page.ledger
    figures: tuple[tuple[str, str], ...] = ()
    if ledger is not None and not page.nil:
        figures = (("收进来", ledger.income), ("花出去", ledger.expense), ("期末还剩", ledger.closing))
    # Never more than five rows with the figures: a wide picture has room for no more.
    late = f"，{page.timing.late}" if page.timing.late else ""
    lines = [f"{page.publisher}{page.published}公开{late}"]
    if page.checks is not None:
        lines.append(("" if page.checks.ok else "账对不上：") + page.checks.line)
    where = f"{village.township.city}{village.township.name} {village.name} · {page.period}"
    source = f"{urlsplit(public_url).netloc}{page.url}" + (f" · 第{page.edition}版" if page.edition > 1 else "")
    return Card(where, page.plain, figures, lines, source, sample)


def drawn(card: Card, shape: str) -> bytes:
    """The picture of a shape, as PNG; the same card gives the same bytes."""
    width, height = SHAPES[shape]
    return _draw(json.dumps({**asdict(card), "width": width, "height": height}, ensure_ascii=False))


@lru_cache(_KEPT)
def _draw(data: str) -> bytes:
    return png_of(_TEMPLATE, json.loads(data))
