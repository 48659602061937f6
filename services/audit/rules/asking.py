"""The window on a villager's question: until when an answer is due, and whether it came. Ids and days, no words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from services.audit.rules.facts import NO_ITEM, Question, questions_of
from services.audit.rules.window import View, Window
from services.contracts.alert import Subject
from services.contracts.question import overdue_from


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
