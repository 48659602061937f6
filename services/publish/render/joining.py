"""The page on which others join a question: what they join, what the city's rule makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.contracts.catalogue import ProfileRevision
from services.contracts.question import QuestionState
from services.publish.render.places import Items, Village
from services.publish.render.questions import (
    Question,
    Word,
    about_words,
    joined_words,
    joint_words,
    kind_words,
    public_words,
)


@dataclass(frozen=True, slots=True)
class JoinPage:
    """What somebody joins, and what the city's rule makes of it. `words`: what was asked, where it is public."""

    id: str
    village: Village
    about: str
    kind: str
    words: str | None
    count: str | None
    rule: str
    may_join: bool


def join_page(village: Village, items: Items, q: Question, words: Sequence[Word], profile: ProfileRevision) -> JoinPage:
    """The page on which others join a question."""
    is_hidden = q.state is QuestionState.HIDDEN
    asked = next((public_words(q.asked, w) for w in words if w.kind == "asked"), None)
    after = "村里要答复，镇街也要答复" if profile.joint_then == "township" else "要向全村答复，不能只答复提问的人"
    told = joined_words(q)
    return JoinPage(
        id=str(q.id),
        village=village,
        about=about_words(items, q.asked),
        kind=kind_words(q.asked),
        words=asked if not is_hidden else None,
        count=f"到现在{told}。{joint_words(q) or ''}" if told and not is_hidden else None,
        rule=f"按本市规定，达到{profile.joint_from}人次的，{after}。",
        may_join=q.may_be_joined,
    )
