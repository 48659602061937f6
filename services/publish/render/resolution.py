"""The page of a meeting's resolution: what of a village rests on it, told apart, and what was paid by it."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.contracts.bodies import Direction
from services.publish.render.found import Hit, HitView
from services.publish.render.places import Village
from services.publish.render.sentences import MONEY_ITEM
from services.publish.render.words import amount


@dataclass(frozen=True, slots=True)
class ResolutionPage:
    """Lines of ledgers apart from contracts and projects; `paid`, where all of it is shown: what went out, and in how many lines."""

    village: Village
    number: str
    papers: tuple[HitView, ...]
    lines: tuple[HitView, ...]
    paid: str | None
    count: int


def resolution_page(
    village: Village, number: str, hits: Sequence[Hit], views: Sequence[HitView], *, is_whole: bool
) -> ResolutionPage:
    """Put the page together. The sum is of monthly ledgers alone: what stands in several kinds of ledgers is the same money."""
    fens = [hit.fen or 0 for hit in hits if _is_paid(hit)]
    return ResolutionPage(
        village=village,
        number=number,
        papers=tuple(v for v in views if v.line is None),
        lines=tuple(v for v in views if v.line is not None),
        paid=amount(sum(fens)) if is_whole and fens else None,
        count=len(fens),
    )


def _is_paid(hit: Hit) -> bool:
    return hit.where.item == MONEY_ITEM and hit.line is not None and hit.line.direction is Direction.OUT
