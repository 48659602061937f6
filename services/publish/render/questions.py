"""Questions as pages tell them: what each is about, who has it until when, what was said; and the form that asks one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from services.contracts.catalogue import JointThen
from services.contracts.question import (
    OPEN_STATES,
    Answerer,
    Paper,
    QuestionKind,
    QuestionState,
    Shows,
    days_overdue,
    may_be_joined,
    ref_words,
    stands,
)
from services.contracts.values import period_frequency, period_words
from services.contracts.words import PAPERS, QUESTION_KINDS, QUESTION_STATES, SHOWS
from services.publish.render.due import date_words
from services.publish.render.places import Items, Village, plain_name
from services.publish.render.texts import public_text
from services.publish.render.words import time_words

_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ABOUT: Final = re.compile(
    rf"(?P<village>[0-9]{{12}})(?:/(?P<item>[A-Z][0-9]{{2}})/(?P<period>[0-9QH-]{{4,10}}))?"
    rf"|(?P<disclosure>{_UUID})(?:/(?P<version>[1-9][0-9]{{0,4}})(?:/(?P<line>[1-9][0-9]{{0,3}}))?)?",
    re.ASCII,
)
#: Signs of a question's words in a list.
_EXCERPT: Final = 60
#: Who has to answer, as villagers call them.
HOLDERS: Final[Mapping[str, str]] = {"village": "村里", "township": "镇街"}


@dataclass(frozen=True, slots=True)
class About:
    """What somebody asks about, as an address names it: a village, one of its cells, a disclosure, one line of it.

    `version` counts public editions: 1, 2, 3 …
    """

    village: str | None = None
    item: str | None = None
    period: str | None = None
    disclosure: str | None = None
    version: int | None = None
    line: int | None = None


def read_about(text: str) -> About | None:
    """What `village`, `village/item/period`, `disclosure`, `disclosure/version` or `disclosure/version/line` names; None for anything else."""
    found = _ABOUT.fullmatch(text)
    if found is None:
        return None
    try:
        period_frequency(found["period"] or "2026")
    except ValueError:
        return None
    version, line = (int(found[name]) if found[name] else None for name in ("version", "line"))
    return About(found["village"], found["item"], found["period"], found["disclosure"], version, line)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question is about and what it wants; `edition` as ingest counts."""

    village_code: str
    kind: QuestionKind
    shows: Shows
    paper: Paper | None = None
    item: str | None = None
    period: str | None = None
    disclosure_id: str | None = None
    edition: int | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it stands. `late_days`: by how many days answers came late so far; it never goes down."""

    id: UUID
    ref: str
    asked: Asked
    state: QuestionState
    holder: Answerer
    due: date
    asked_at: datetime
    rounds: int = 0
    late_days: int = 0
    answered_at: datetime | None = None
    closes_at: datetime | None = None
    hidden_at: datetime | None = None
    hidden_reason: str | None = None
    has_contact: bool = False
    #: How often others joined it; when they made it a joint one, what the profile made of that, until when the township answers too.
    joined: int = 0
    joint_at: datetime | None = None
    joint_then: JointThen | None = None
    joint_due: date | None = None

    @property
    def may_be_joined(self) -> bool:
        """Tell whether others may say that they ask it too: somebody has to answer, and they can read what it is."""
        return self.is_open and may_be_joined(self.asked.kind, self.asked.shows)

    @property
    def is_open(self) -> bool:
        """Tell whether somebody has to answer."""
        return self.state in OPEN_STATES

    def stands(self, now: datetime) -> QuestionState:
        """Where it stands at a moment."""
        return stands(self.state, self.closes_at, now)

    def days_late(self, now: datetime) -> int:
        """Days past what was allowed, with those of an answer that is still out."""
        return self.late_days + (days_overdue(self.due, now) if self.is_open else 0)


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that was said of a question; the text is None where there is none, or its key was destroyed."""

    kind: str
    holder: str | None
    at: datetime
    due: date | None
    disclosure_id: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many questions wait for an answer, and how many of them longer than they should."""

    open: int = 0
    overdue: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.open + other.open, self.overdue + other.overdue)

    @property
    def words(self) -> str:
        """How many wait, and how many too long: `2个等答复，其中1个已超期`."""
        if not self.open:
            return "没有等答复的"
        return f"{self.open}个等答复" + (f"，其中{self.overdue}个已超期" if self.overdue else "")


def public_words(of: Asked, word: Word) -> str | None:
    """What everybody may read of a word: an answer always, what the asker wrote only where they let it be public."""
    is_askers = word.kind in {"asked", "unclear"}
    return None if is_askers and of.shows == "answer" else public_text(word.text)


# -- one question -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question in a short list."""

    url: str
    about: str
    words: str | None
    state: str
    late: str | None
    asked: str
    is_open: bool
    joined: str | None = None


@dataclass(frozen=True, slots=True)
class WordView:
    """One thing that was said, as the page tells it."""

    who: str
    at: str
    text: str | None
    note: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class QuestionPage:
    """Everything on a question's page. `ref` is there for whoever came by it; with it an answer can be called unclear."""

    id: str
    village: Village
    about: str
    about_url: str
    kind: str
    state: str
    is_open: bool
    holder: str
    due: str
    due_word: str
    late: str | None
    asked: str
    hidden: str | None
    words: tuple[WordView, ...]
    ref: str | None
    ref_words: str | None
    may_say_unclear: bool
    rounds: int
    joined: str | None = None
    joint: str | None = None
    join_url: str | None = None


def about_words(items: Items, of: Asked) -> str:
    """What a question is about, with nothing of what stands there: that may be withdrawn one day."""
    if of.item is None or of.period is None:
        return "村里的事"
    line = f"，第{of.line}笔" if of.line is not None else ""
    return f"{period_words(of.period)}，{plain_name(items, of.item, of.period)}{line}"


def about_url(of: Asked) -> str:
    """Where what a question is about can be read."""
    if of.disclosure_id is not None:
        return f"/d/{of.disclosure_id}" + (f"#l{of.line}" if of.line is not None else "")
    return f"/v/{of.village_code}" + (f"/{of.item}" if of.item is not None else "")


def _late(q: Question, now: datetime) -> str | None:
    days = q.days_late(now)
    if not days:
        return None
    return f"超期{days}天还没答复" if q.is_open else f"超期{days}天才答复"


def question_row(items: Items, q: Question, words: Sequence[Word], now: datetime) -> QuestionRow:
    """A question for a list, with the beginning of its words where they are public."""
    text = next((public_words(q.asked, w) for w in words if w.kind == "asked"), None)
    is_hidden = q.state is QuestionState.HIDDEN
    return QuestionRow(
        url=f"/q/{q.id}",
        about=about_words(items, q.asked),
        words=_excerpt(text) if text and not is_hidden else None,
        state=QUESTION_STATES[q.stands(now)],
        late=_late(q, now),
        asked=time_words(q.asked_at),
        is_open=q.is_open,
        joined=joined_words(q) if not is_hidden else None,
    )


def joined_words(q: Question) -> str | None:
    """How often others joined a question: times, as nobody knows who it was."""
    return f"{q.joined}人次也想问" if q.joined else None


def joint_words(q: Question) -> str | None:
    """What came of a question that so many joined, as long as it waits; None before."""
    if q.joint_at is None:
        return None
    day = time_words(q.joint_at)
    if q.joint_then == "everybody":
        return f"{day}达到联名人次：按本市规定，要向全村答复，不能只答复提问的人。"
    if q.joint_due is not None:
        return f"{day}达到联名人次：按本市规定，镇街也要答复，最迟{date_words(q.joint_due)}。"
    return f"{day}达到联名人次：按本市规定，由镇街答复。"


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT]}…"


def question_page(
    village: Village, items: Items, q: Question, words: Sequence[Word], now: datetime, *, by_ref: bool, reference: bool
) -> QuestionPage:
    """The page of a question; `by_ref`: for whoever holds its reference. `reference`: the city has not confirmed the days."""
    of, state = q.asked, q.stands(now)
    return QuestionPage(
        id=str(q.id),
        village=village,
        about=about_words(items, of),
        about_url=about_url(of),
        kind=kind_words(of),
        state=QUESTION_STATES[state],
        is_open=q.is_open,
        holder=HOLDERS[q.holder],
        due=date_words(q.due),
        due_word="参考期限" if reference else "答复期限",
        late=_late(q, now),
        asked=time_words(q.asked_at),
        hidden=q.hidden_reason if state is QuestionState.HIDDEN else None,
        words=tuple(_word_view(of, w) for w in words) if state is not QuestionState.HIDDEN else (),
        ref=q.ref if by_ref else None,
        ref_words=ref_words(q.ref) if by_ref else None,
        may_say_unclear=by_ref and state is QuestionState.ANSWERED,
        rounds=q.rounds,
        joined=joined_words(q) if state is not QuestionState.HIDDEN else None,
        joint=joint_words(q) if state is not QuestionState.HIDDEN else None,
        # Whoever asked it does not join it.
        join_url=f"/q/{q.id}/join" if q.may_be_joined and not by_ref else None,
    )


def kind_words(of: Asked) -> str:
    """What a question wants, and of a paper which."""
    return QUESTION_KINDS[of.kind] + (f"：{PAPERS[of.paper]}" if of.paper is not None else "")


def _word_view(of: Asked, word: Word) -> WordView:
    text = public_words(of, word)
    note = None
    match word.kind:
        case "asked":
            who = "村民提问"
            note = "提问的人选择只公开答复。" if of.shows == "answer" else None
        case "unclear":
            who, note = "提问的人说：还没说清", "交给镇街答复。"
        case "handed_up":
            who, note = "村里交给镇街答复", None
        case _:
            who = f"{HOLDERS[word.holder or 'village']}答复"
    if word.text is None and word.kind == "answer":
        note = "答复的内容已经删除。"
    url = f"/d/{word.disclosure_id}" if word.disclosure_id is not None else None
    return WordView(who, time_words(word.at), text or None, note, url)


# -- the form -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subject:
    """What a form asks about, found: whose it is, how it is told there, which kinds of questions fit."""

    village: Village
    asked: Asked
    words: str
    line: str | None = None
    kinds: tuple[QuestionKind, ...] = (QuestionKind.DOUBT, QuestionKind.PAPER)


@dataclass(frozen=True, slots=True)
class AskForm:
    """The form with what was typed so far, and what is wrong with it, by field."""

    about: str
    village: Village | None = None
    words: str | None = None
    line: str | None = None
    kinds: tuple[tuple[str, str], ...] = ()
    papers: tuple[tuple[str, str], ...] = tuple((p.value, word) for p, word in PAPERS.items())
    shows: tuple[tuple[str, str], ...] = tuple(SHOWS.items())
    typed: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    problem: str | None = None
    covered: bool = False
    token: str = ""


def ask_form(about: str, subject: Subject | None, typed: Mapping[str, str], token: str) -> AskForm:
    """A form about something; without a subject (nobody can look it up just now) it keeps what was typed all the same."""
    if subject is None:
        kinds = tuple((k.value, word) for k, word in QUESTION_KINDS.items())
        return AskForm(about=about, kinds=kinds, typed=typed, token=token)
    first = subject.kinds[0].value
    return AskForm(
        about=about,
        village=subject.village,
        words=subject.words,
        line=subject.line,
        kinds=tuple((k.value, QUESTION_KINDS[k]) for k in subject.kinds),
        typed={"kind": first, "shows": "answer", "paper": "", "text": "", "contact": "", **typed},
        token=token,
    )
