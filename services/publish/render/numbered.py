"""The page of a number by which papers know each other: a resolution's, a contract's, an invoice's; what of a village names it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from services.contracts.bodies import Direction
from services.publish.render.found import Hit, HitView
from services.publish.render.passages import NumberKind
from services.publish.render.places import Village
from services.publish.render.sentences import MONEY_ITEM
from services.publish.render.words import amount


@dataclass(frozen=True, slots=True)
class NumberWords:
    """What the page of a kind of numbers says: its title, what the number is called, its headings, what to know of it."""

    title: str
    number: str
    paid: str
    papers: str
    lines: str
    note: str


WORDS: Final[Mapping[NumberKind, NumberWords]] = MappingProxyType(
    {
        "resolution": NumberWords(
            title="这次会议决议，和依据它的",
            number="会议决议编号",
            paid="写明依据这个决议付的",
            papers="会议决定、合同和工程",
            lines="写明依据它的账",
            note="只列编号一样的，没有写编号的不在这里。会议决定没有写编号的，请到本村公开的会议决定里找。",
        ),
        "contract": NumberWords(
            title="这份合同，和按它付的钱",
            number="合同编号",
            paid="写明按这份合同付的",
            papers="合同",
            lines="写明按它收付的账，和每一笔的票据",
            note="只列编号一样的，记账时没有写合同编号的不在这里。",
        ),
        "invoice": NumberWords(
            title="这张票据记在哪一笔",
            number="票据号",
            paid="写这个票据号的",
            papers="合同",
            lines="写这个票据号的账",
            note="只按号码找。不同的票据也可能号码一样；同一张票据分几次付，就会有几笔。",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class NumberPage:
    """Lines of ledgers apart from papers; `paid`, where all of it is shown: what went out, and in how many lines."""

    village: Village
    kind: NumberKind
    words: NumberWords
    number: str
    papers: tuple[HitView, ...]
    lines: tuple[HitView, ...]
    paid: str | None
    count: int


def number_page(
    village: Village, kind: NumberKind, number: str, hits: Sequence[Hit], views: Sequence[HitView], *, is_whole: bool
) -> NumberPage:
    """Put the page together. The sum is of monthly ledgers alone: what stands in several kinds of ledgers is the same money."""
    fens = [hit.fen or 0 for hit in hits if _is_paid(hit)]
    return NumberPage(
        village=village,
        kind=kind,
        words=WORDS[kind],
        number=number,
        papers=tuple(v for v in views if v.line is None),
        lines=tuple(v for v in views if v.line is not None),
        paid=amount(sum(fens)) if is_whole and fens else None,
        count=len(fens),
    )


def _is_paid(hit: Hit) -> bool:
    return hit.where.item == MONEY_ITEM and hit.line is not None and hit.line.direction is Direction.OUT
