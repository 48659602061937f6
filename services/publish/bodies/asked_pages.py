"""Pages of questions, for readers and for the archive."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.kit.clock import local_day
from services.publish.bodies.renderer import Bodies
from services.publish.hot.answers import Body
from services.publish.render.places import Village
from services.publish.render.questions import Question, Word, question_page, question_row


def question_body(
    bodies: Bodies,
    village: Village,
    question: Question,
    words: Sequence[Word],
    now: datetime,
    *,
    by_ref: bool = False,
    typed: str = "",
    faults: Sequence[str] = (),
    big: bool = False,
) -> Body:
    """A question with its clock and all that was said of it; `by_ref`: with the button for whoever holds its reference."""
    profile = bodies.reference.profile(village.code).at(local_day(now))
    page = question_page(
        village,
        bodies.reference.items,
        question,
        words,
        now,
        by_ref=by_ref,
        reference=not profile.confirmed_by_city,
    )
    return bodies.html("question.html", of_persons=True, page=page, typed=typed, faults=faults, big=big)


def questions_body(
    bodies: Bodies,
    village: Village,
    questions: Sequence[Question],
    words: Mapping[UUID, Sequence[Word]],
    now: datetime,
    more: str | None = None,
) -> Body:
    """Questions of a village in a list; `more`: where those that are older begin."""
    rows = [question_row(bodies.reference.items, q, words[q.id], now) for q in questions]
    return bodies.html("questions.html", of_persons=True, village=village, rows=rows, more=more)
