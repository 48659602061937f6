"""Questions as their facts tell them, and the window on one: until when an answer is due, and whether it came. Ids and days, no words."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from services.audit.rules.facts import CellKey, Fact
from services.audit.rules.window import View, Window
from services.contracts.alert import Subject
from services.contracts.question import overdue_from
from services.contracts.values import local_day

#: A question about a village as a whole has a cell of its own day, with no item.
NO_ITEM: Final = ""
#: The order of what is said of a question within one round; clocks of two services need not agree on it.
_TURNS: Final = {"asked": 0, "unclear": 0, "handed_up": 1, "answered": 2, "hidden": 3}


def question_cell(village: str, item: str | None, period: str | None, asked_at: datetime) -> CellKey:
    """The cell that a question stands on."""
    if item is None or period is None:
        return CellKey(village, NO_ITEM, local_day(asked_at).isoformat())
    return CellKey(village, item, period)


@dataclass(frozen=True, slots=True)
class Question:
    """A question as its facts tell it: until when an answer is due and since which event, or when it was given."""

    id: str
    event: str
    due: date
    holder: str
    answered_at: datetime | None = None
    hidden: bool = False


def questions_of(known: Iterable[Fact]) -> list[Question]:
    """The questions on a cell, by id; whatever the order in which facts were heard. One not heard of yet is none."""
    by_id: dict[str, list[Fact]] = {}
    for fact in known:
        if fact.kind in _TURNS:
            by_id.setdefault(fact.disclosure, []).append(fact)
    return [found for name in sorted(by_id) if (found := _question(name, by_id[name])) is not None]


def count_open(known: Iterable[Fact]) -> int:
    """How many questions on a cell wait for an answer."""
    return sum(q.answered_at is None and not q.hidden for q in questions_of(known))


def _question(name: str, facts: Sequence[Fact]) -> Question | None:
    found: Question | None = None
    for fact in sorted(facts, key=lambda f: (f.data["round"], _TURNS[f.kind], f.event)):
        match fact.kind:
            case "asked" | "unclear" | "handed_up":
                due = date.fromisoformat(fact.data["due"])
                found = Question(name, fact.event, due, fact.data["holder"])
            case "answered" if found is not None:
                found = replace(found, answered_at=fact.occurred_at)
            case "hidden" if found is not None:
                found = replace(found, hidden=True)
            case _:
                pass
    return found


# -- the window -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QuestionFacts:
    """Until when whoever has a question has to answer it, and when that was done. `due_at`: the first instant after the day."""

    event: str
    answer_by: date
    due_at: datetime
    holder: str
    answered_at: datetime | None
    hidden: bool


@dataclass(frozen=True, slots=True)
class QuestionWindow:
    """A question and the time."""

    cur: QuestionFacts
    now: datetime

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a question on the cell."""
        for q in questions_of(view.known):
            yield _subject(view, q), cls(_facts(q), view.now)


def _subject(view: View, q: Question) -> Subject:
    key = view.key
    if key.item == NO_ITEM:
        return Subject(village=key.village, question=q.id)
    return Subject(village=key.village, item=key.item, period=key.period, question=q.id)


def _facts(q: Question) -> QuestionFacts:
    return QuestionFacts(q.event, q.due, overdue_from(q.due), q.holder, q.answered_at, q.hidden)
