"""Questions of villagers: events of the topic `sanwu.questions`, written by `publish`, and how a question stands.

Anybody asks without signing in; what is asked, and how whoever asked can be reached, is sealed under keys of its own.
Ids, kinds and days travel in clear, so that whoever counts days needs no key. The answers are ingest's word
(`contracts.disclosure`).
"""

import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from services.contracts.base import Event, Model, Sealed
from services.contracts.catalogue import ItemCode, JointThen, ProfileRevision, WorkCalendar
from services.contracts.values import Period, ShortText, VillageCode, local_day, start_of_day

#: Crockford's base32, as on the codes on walls: no I, L, O, U.
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD: Final = str.maketrans("OIL", "011", "- ")
_BODY: Final = 9
REF_BITS: Final = 5 * _BODY
#: How often an answer may be called unclear: twice, as whoever is asked a third time will say nothing new.
MOST_UNCLEAR: Final = 2

#: What a question is called and found by: nine signs that nobody guesses and one that tells a slip of the pen.
QuestionRef = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJKMNP-TV-Z]{10}$")]
#: Who has to answer.
Answerer = Literal["village", "township"]
#: Whether the words of whoever asked are public too (公开我的提问), or the answer alone (只公开答复).
Shows = Literal["question", "answer"]


class QuestionKind(StrEnum):
    """What somebody wants: to have something explained, to see one paper, to have opened what is missing."""

    DOUBT = "doubt"
    PAPER = "paper"
    MISSING = "missing"


class Paper(StrEnum):
    """A paper that villagers may ask to see and copy (村民委员会组织法, 农村集体经济组织法: 查阅、复制)."""

    CONTRACT = "contract"
    RECEIPT = "receipt"
    MINUTES = "minutes"
    ACCOUNTS = "accounts"
    SETTLEMENT = "settlement"
    OTHER = "other"


# -- references ---------------------------------------------------------------------------------------------------


def _check_sign(body: str) -> str:
    """Luhn's sum modulo 32: no single wrong sign, and nearly no two that changed places, pass."""
    total = 0
    for place, sign in enumerate(reversed(body)):
        value = _ALPHABET.index(sign) * (2 - place % 2)
        total += value // len(_ALPHABET) + value % len(_ALPHABET)
    return _ALPHABET[-total % len(_ALPHABET)]


def make_ref(number: int) -> str:
    """The reference of a random number of `REF_BITS` bits."""
    body = "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_BODY)))
    return body + _check_sign(body)


def read_ref(text: str) -> str | None:
    """The reference that somebody meant, in its one spelling: small letters, full width, O for 0 will do; None when it is none."""
    ref = unicodedata.normalize("NFKC", text).upper().translate(_MISREAD)
    if len(ref) != _BODY + 1 or any(sign not in _ALPHABET for sign in ref):
        return None
    return ref if _check_sign(ref[:_BODY]) == ref[_BODY] else None


def ref_words(ref: str) -> str:
    """A reference as people copy it: `7K2MX-9QW4T`."""
    return f"{ref[:5]}-{ref[5:]}"


# -- how a question stands ----------------------------------------------------------------------------------------


class QuestionState(StrEnum):
    """Where a question stands. Being overdue is a fact of its own, beside it."""

    ASKED = "asked"
    TOWNSHIP = "township"
    ANSWERED = "answered"
    CLOSED = "closed"
    HIDDEN = "hidden"


class QuestionStep(StrEnum):
    """What moves a question from one state to another."""

    ANSWER = "answer"
    HAND_UP = "hand_up"
    UNCLEAR = "unclear"
    HIDE = "hide"


#: Somebody has to answer.
OPEN_STATES: Final = frozenset({QuestionState.ASKED, QuestionState.TOWNSHIP})
_TURNS: Final[Mapping[tuple[QuestionState, QuestionStep], QuestionState]] = MappingProxyType(
    {
        (QuestionState.ASKED, QuestionStep.ANSWER): QuestionState.ANSWERED,
        (QuestionState.TOWNSHIP, QuestionStep.ANSWER): QuestionState.ANSWERED,
        (QuestionState.ASKED, QuestionStep.HAND_UP): QuestionState.TOWNSHIP,
        (QuestionState.ANSWERED, QuestionStep.UNCLEAR): QuestionState.TOWNSHIP,
        **{(state, QuestionStep.HIDE): QuestionState.HIDDEN for state in QuestionState if state != "hidden"},
    }
)


def turn(state: QuestionState, step: QuestionStep) -> QuestionState | None:
    """Where a step leads from a state; None where it cannot be taken."""
    return _TURNS.get((state, step))


def stands(state: QuestionState, closes_at: datetime | None, now: datetime) -> QuestionState:
    """A state as it is at `now` (aware): an answer that nobody called unclear until `closes_at` stands for good."""
    is_over = state is QuestionState.ANSWERED and closes_at is not None and now >= closes_at
    return QuestionState.CLOSED if is_over else state


def closes_at(rounds: int, profile: ProfileRevision, answered_at: datetime) -> datetime:
    """Until when an answer (aware) may be called unclear; an answer after the last time stands at once."""
    return answered_at if rounds >= MOST_UNCLEAR else answered_at + timedelta(days=profile.unclear_days)


def days_overdue(due: date, until: datetime) -> int:
    """Whole local days past the day until which an answer was due, at the answer or at `now` (aware); 0 when in time."""
    return max((local_day(until) - due).days, 0)


def overdue_from(due: date) -> datetime:
    """The first instant (UTC) at which an answer due on a local day is late."""
    return start_of_day(due + timedelta(days=1))


def answerer_of(kind: QuestionKind, profile: ProfileRevision) -> Answerer:
    """Who answers first: of a paper the township, which sees to it that it is shown; else whom the profile names."""
    return "township" if kind is QuestionKind.PAPER else profile.answers_first


def answer_due(holder: Answerer, profile: ProfileRevision, calendar: WorkCalendar, now: datetime) -> date:
    """Until which local day whoever has a question from `now` (aware) on has to answer it."""
    days = profile.answer_days_village if holder == "village" else profile.answer_days_township
    today = local_day(now)
    return calendar.add_working(today, days) if profile.answer_in_working_days else today + timedelta(days=days)


# -- joining others' questions ------------------------------------------------------------------------------------


def may_be_joined(kind: QuestionKind, shows: Shows) -> bool:
    """Tell whether others can read what they would join: its words are public, or its kind says it all."""
    return shows == "question" or kind is not QuestionKind.DOUBT


def joint_due(holder: Answerer, profile: ProfileRevision, calendar: WorkCalendar, now: datetime) -> date | None:
    """Until when the township has to answer a joint question of the village as well; None where it has not, or has it already."""
    if profile.joint_then != "township" or holder == "township":
        return None
    return answer_due("township", profile, calendar, now)


# -- events -------------------------------------------------------------------------------------------------------


class QuestionEvent(Event):
    """What all events of a question say; the aggregate's id is a UUIDv7, `ref` is what people know it by."""

    aggregate: Literal["question"] = "question"
    village_code: VillageCode
    ref: QuestionRef
    due: date = Field(description="the local day until which `holder` has to answer")
    holder: Answerer
    item: ItemCode | None
    period: Period | None
    asked_at: AwareDatetime = Field(description="when it was asked")


class QuestionContent(Model):
    """What a question's events seal under its own key: its words, without personal data. Empty: its kind says all."""

    text: str = Field(default="", max_length=2000)


class ContactContent(Model):
    """How whoever asked can be reached; sealed under a key of its own, `<question's id>:contact`, and only if given."""

    contact: ShortText


class QuestionAsked(QuestionEvent):
    """`question.asked.v1`: somebody asked, without signing in, about a village, a disclosure, one of its lines, or a cell."""

    type: Literal["question.asked.v1"] = "question.asked.v1"
    kind: QuestionKind
    shows: Shows
    paper: Paper | None = Field(description="which paper is asked for; null for other kinds")
    disclosure: ShortText | None = Field(description="id of the disclosure that it is about")
    edition: int | None = Field(ge=1, description="the edition that was read, as ingest counts")
    line: int | None = Field(ge=1, description="number of the line within that edition")
    sealed: Sealed
    contact: Sealed | None


class QuestionUnclear(QuestionEvent):
    """`question.unclear.v1`: who holds the reference says that the answer does not explain it; the township has it now."""

    type: Literal["question.unclear.v1"] = "question.unclear.v1"
    round: int = Field(ge=1, le=MOST_UNCLEAR, description="counts 1, 2")
    sealed: Sealed


class QuestionJoined(QuestionEvent):
    """`question.joined.v1`: others said "I ask that too" (联名): how often altogether, never who; the whole count each time."""

    type: Literal["question.joined.v1"] = "question.joined.v1"
    joined: int = Field(ge=1, description="times altogether; nobody knows whether each was another person")
    joint_from: int = Field(ge=2, description="so many make it a joint question, by the profile")
    joint_at: AwareDatetime | None = Field(description="when it became one; null before")
    joint_then: JointThen | None = Field(description="what the profile made of that; null before")
    joint_due: date | None = Field(
        description="the local day until which the township has to answer as well; null where it does not"
    )


def contact_key(question_id: str) -> str:
    """The name of the key under which the contact is sealed: it is destroyed long before the question's own."""
    return f"{question_id}:contact"
