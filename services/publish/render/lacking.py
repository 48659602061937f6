"""What is not open, as a village's page and an item's page tell it: by when it was due, who has it, or why it never will be."""

from dataclasses import dataclass

from services.contracts.duties import CellState, GridCell
from services.contracts.values import period_words
from services.contracts.words import HOLDERS
from services.publish.render.due import date_words, due_word, how_due
from services.publish.render.places import Items, official_name, plain_name
from services.publish.render.words import day_words


@dataclass(frozen=True, slots=True)
class MissingView:
    """Something that should be open and is not."""

    plain: str
    official: str
    period: str
    state: str
    late: bool
    due: str | None
    due_word: str
    how: str
    held_by: str
    since: str | None
    #: Item and period, as the form that asks for it takes them.
    key: str
    questioned: bool


@dataclass(frozen=True, slots=True)
class UnopenedView:
    """Something that is not opened, or did not happen, and why."""

    plain: str
    official: str
    period: str
    reason: str | None
    since: str | None


def _missing_state(found: GridCell) -> str:
    word = "正在办" if found.beneath is CellState.IN_PROGRESS else "还没公开"
    if found.duty.history:
        return f"{word}，上线前的"
    return f"{word}，已晚{found.late_days}天" if found.late_days else word


def missing_view(items: Items, found: GridCell) -> MissingView:
    """A cell that is not open: how it stands, by when it was due and how that came about, who has it."""
    duty, cell = found.duty, found.cell
    return MissingView(
        plain=plain_name(items, duty.item, duty.period),
        official=official_name(items, duty.item, duty.period),
        period=period_words(duty.period),
        state=_missing_state(found),
        late=found.late_days > 0,
        due=date_words(duty.due) if not duty.history else None,
        due_word=due_word(duty),
        how=how_due(duty) if not duty.history else "",
        held_by=HOLDERS[cell.held_by or "village"],
        since=day_words(cell.since) if cell.since is not None else None,
        key=f"{duty.item}/{duty.period}",
        questioned=found.record.open_questions > 0,
    )


def unopened(items: Items, found: GridCell, reason: str | None) -> UnopenedView:
    """A cell that will not be opened, or of which nothing happened."""
    key = found.key
    return UnopenedView(
        plain=plain_name(items, key.item, key.period),
        official=official_name(items, key.item, key.period),
        period=period_words(key.period),
        reason=reason,
        since=day_words(found.cell.since) if found.cell.since is not None else None,
    )
