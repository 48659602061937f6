"""The villages of a township or of the whole city side by side: the newest month of each, and what it lacks. By code: never a ranking."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from services.contracts.values import period_words
from services.publish.render.export import Row, Sheet, yuan_cell
from services.publish.render.places import Village
from services.publish.render.questions import Tally
from services.publish.render.rows import Publication
from services.publish.render.standing import Standing
from services.publish.render.words import amount

HEADS: Final = (
    "村代码",
    "村（社区）",
    "镇街",
    "收支公开到",
    "期初（元）",
    "收入（元）",
    "支出（元）",
    "期末（元）",
    "缺几项",
    "最久的已晚几天",
    "等答复的提问",
    "已超期的提问",
)


@dataclass(frozen=True, slots=True)
class MonthView:
    """The figures of a village's newest open month."""

    period: str
    income: str
    expense: str
    closing: str
    url: str


@dataclass(frozen=True, slots=True)
class VillageRow:
    """A village among others; `month` is None where no ledger is open, `standing` where nobody counted yet."""

    village: Village
    month: MonthView | None
    standing: Standing | None


def village_rows(
    villages: Iterable[Village], newest: Mapping[str, Publication], standings: Mapping[str, Standing]
) -> list[VillageRow]:
    """The rows of some villages, in their order."""
    return [VillageRow(v, _month(newest.get(v.code)), standings.get(v.code)) for v in villages]


def _month(p: Publication | None) -> MonthView | None:
    if p is None:
        return None
    return MonthView(
        period=period_words(p.period),
        income=amount(p.income_fen or 0),
        expense=amount(p.expense_fen or 0),
        closing=amount(p.closing_fen or 0),
        url=f"/d/{p.disclosure_id}",
    )


def village_sheet(
    villages: Iterable[Village],
    newest: Mapping[str, Publication],
    standings: Mapping[str, Standing],
    tallies: Mapping[str, Tally],
) -> Sheet:
    """The same for a spreadsheet; a cell is empty where nothing is known."""
    rows = (_cells(v, newest.get(v.code), standings.get(v.code), tallies.get(v.code, Tally())) for v in villages)
    return Sheet("各村", [HEADS, *rows])


def _cells(village: Village, p: Publication | None, lacks: Standing | None, asked: Tally) -> Row:
    fens = (p.opening_fen, p.income_fen, p.expense_fen, p.closing_fen) if p is not None else (None,) * 4
    return (
        village.code,
        village.name,
        village.township.name,
        p.period if p is not None else None,
        *map(yuan_cell, fens),
        *((lacks.missing, lacks.late_days) if lacks is not None else (None, None)),
        asked.open,
        asked.overdue,
    )
