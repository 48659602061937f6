"""The page of a firm: what villages paid it, by year, in one year by village. Villages stand in the order of their codes."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.publish.render.money import bar
from services.publish.render.places import Village
from services.publish.render.words import about, amount


@dataclass(frozen=True, slots=True)
class FirmSum:
    """What a firm was paid in a year, or by a village (`of`): fen and in how many lines; of a year also by how many villages."""

    of: str
    fen: int
    lines: int
    villages: int = 1


@dataclass(frozen=True, slots=True)
class FirmRow:
    """A sum of a firm's: `url` leads to the year or the village, None for the year that is read."""

    name: str
    place: str | None
    url: str | None
    amount: str
    lines: int
    villages: int
    bar: int


@dataclass(frozen=True, slots=True)
class FirmPage:
    """What a firm was paid: each year, and of one year each village."""

    name: str
    year: str
    total: str
    about: str | None
    lines: int
    years: tuple[FirmRow, ...]
    villages: tuple[FirmRow, ...]


def firm_page(
    name: str,
    year: str,
    years: Sequence[FirmSum],
    by_village: Sequence[FirmSum],
    villages: Sequence[Village],
    *,
    year_url: str = "?year={}",
) -> FirmPage:
    """Put the page together; a village that is none any more is told by its code, so that the sums add up.

    `year_url` is the address of another year's page, which is a file of its own in an archive.
    """
    most_year, known = max((y.fen for y in years), default=0), {v.code: v for v in villages}
    most = max((s.fen for s in by_village), default=0)
    told = next(y for y in years if y.of == year)
    return FirmPage(
        name=name,
        year=year,
        total=amount(told.fen),
        about=about(told.fen),
        lines=told.lines,
        years=tuple(
            FirmRow(
                name=f"{y.of}年",
                place=None,
                url=None if y.of == year else year_url.format(y.of),
                amount=amount(y.fen),
                lines=y.lines,
                villages=y.villages,
                bar=bar(y.fen, most_year),
            )
            for y in years
        ),
        villages=tuple(_of_village(s, known.get(s.of), most) for s in by_village),
    )


def _of_village(of: FirmSum, village: Village | None, most: int) -> FirmRow:
    return FirmRow(
        name=village.name if village is not None else of.of,
        place=village.township.name if village is not None else None,
        url=f"/v/{village.code}" if village is not None else None,
        amount=amount(of.fen),
        lines=of.lines,
        villages=1,
        bar=bar(of.fen, most),
    )
