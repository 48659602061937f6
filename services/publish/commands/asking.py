"""Questions of villagers: asked, called unclear, answered by what ingest said, hidden; and what of them is destroyed in time."""

import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import uuid_utils.compat

from services.contracts.base import Stamp
from services.contracts.disclosure import AnswerContent, AnswerEvent, AnswerGiven, AnswerHandedUp, AnswerHidden
from services.contracts.question import (
    MOST_UNCLEAR,
    REF_BITS,
    Answerer,
    ContactContent,
    QuestionAsked,
    QuestionContent,
    QuestionState,
    QuestionStep,
    QuestionUnclear,
    answer_due,
    answerer_of,
    closes_at,
    contact_key,
    days_overdue,
    make_ref,
    turn,
)
from services.contracts.topics import QUESTION_KEYS
from services.contracts.values import local_day
from services.kit import outbox, shred
from services.kit.consumer import Handling
from services.kit.db import Connection
from services.kit.errors import NotFoundError
from services.kit.reference import Reference
from services.publish.errors import NotUnclearError, VillageFullError
from services.publish.render.questions import Asked, Question
from services.publish.store import marks, questions
from services.publish.store.questions import Said

#: So long the words of a hidden question can still be looked for by whoever has to judge the hiding; then they are destroyed.
HIDDEN_KEPT: Final = timedelta(days=30)
_ASKED: Final = "question.asked.v1"
_UNCLEAR: Final = "question.unclear.v1"


@dataclass(frozen=True, slots=True)
class Asking:
    """A question as it came in, looked through before: free of personal data. `form_id`: asked with a form, once."""

    asked: Asked
    text: str
    contact: str | None = None
    form_id: str | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    """What changes to questions work with: the transaction, the reference copy, the time."""

    conn: Connection
    reference: Reference
    now: datetime


async def ask(bench: Bench, asking: Asking, most_open: int) -> Question:
    """Keep a question and say `question.asked.v1`; VillageFullError when too many of the village wait for an answer."""
    conn, of, now = bench.conn, asking.asked, bench.now
    waiting = await questions.count_open(conn, of.village_code)
    # Under the village's lock: who pressed twice finds what the first press asked.
    if asking.form_id is not None and (known := await questions.select_by_form(conn, asking.form_id)) is not None:
        return known
    if waiting >= most_open:
        raise VillageFullError
    profile = bench.reference.profile(of.village_code).at(local_day(now))
    holder = answerer_of(of.kind, profile)
    question = Question(
        id=uuid_utils.compat.uuid7(),
        ref=make_ref(secrets.randbits(REF_BITS)),
        asked=of,
        state=QuestionState.ASKED if holder == "village" else QuestionState.TOWNSHIP,
        holder=holder,
        due=answer_due(holder, profile, bench.reference.calendar, now),
        asked_at=now,
        has_contact=asking.contact is not None,
    )
    key = await shred.tell_key(conn, str(question.id), now, QUESTION_KEYS)
    await questions.insert_question(conn, question, asking.form_id)
    said = Said("asked", now, holder, question.due, text=asking.text, key=key)
    await questions.insert_word(conn, question.id, said)
    await _say_asked(bench, question, asking, key)
    await _mark(bench, question)
    return question


class Frame(Stamp):
    """What all events of a question say."""

    ref: str
    due: date
    holder: Answerer
    item: str | None
    period: str | None
    asked_at: datetime


async def frame(bench: Bench, q: Question) -> Frame:
    """The envelope of an event of a question, and what all of them say."""
    stamp = await outbox.stamp(bench.conn, "question", str(q.id), at=bench.now, village_code=q.asked.village_code)
    of = q.asked
    return Frame(**stamp, ref=q.ref, due=q.due, holder=q.holder, item=of.item, period=of.period, asked_at=q.asked_at)


async def _say_asked(bench: Bench, q: Question, asking: Asking, key: str) -> None:
    identity, of = str(q.id), q.asked
    contact = None
    if asking.contact is not None:
        name = contact_key(identity)
        own = await shred.tell_key(bench.conn, name, bench.now, QUESTION_KEYS)
        contact = shred.seal_under(own, name, _ASKED, ContactContent(contact=asking.contact))
    event = QuestionAsked(
        **await frame(bench, q),
        kind=of.kind,
        shows=of.shows,
        paper=of.paper,
        disclosure=of.disclosure_id,
        edition=of.edition,
        line=of.line,
        sealed=shred.seal_under(key, identity, _ASKED, QuestionContent(text=asking.text)),
        contact=contact,
    )
    await outbox.append(bench.conn, event)


async def _mark(bench: Bench, q: Question) -> None:
    """Have rendered again what tells of a question: its village, what it is about, and the lists that count."""
    of = q.asked
    subjects = [("village", of.village_code), ("city", "")]
    village = bench.reference.divisions.get(of.village_code)
    if village is not None and village.now.parent is not None:
        subjects.append(("township", village.now.parent))
    if of.item is not None:
        subjects.append(("item", f"{of.village_code}/{of.item}"))
    if of.disclosure_id is not None:
        subjects.append(("disclosure", of.disclosure_id))
    await marks.insert_marks(bench.conn, subjects)


async def say_unclear(bench: Bench, ref: str, text: str) -> Question:
    """Hand a question whose answer explains nothing to the township, and say `question.unclear.v1`; NotFoundError, NotUnclearError."""
    conn, now = bench.conn, bench.now
    question = await questions.lock_by_ref(conn, ref)
    if question is None:
        raise NotFoundError
    state = turn(question.stands(now), QuestionStep.UNCLEAR)
    if state is None or question.rounds >= MOST_UNCLEAR:
        raise NotUnclearError
    profile = bench.reference.profile(question.asked.village_code).at(local_day(now))
    due = answer_due("township", profile, bench.reference.calendar, now)
    after = replace(question, state=state, holder="township", due=due, rounds=question.rounds + 1, closes_at=None)
    key = await shred.find_key(conn, str(after.id))
    if key is None:
        raise NotUnclearError
    await questions.update_question(conn, after)
    await questions.insert_word(conn, after.id, Said("unclear", now, "township", due, text=text, key=key))
    sealed = shred.seal_under(key, str(after.id), _UNCLEAR, QuestionContent(text=text))
    await outbox.append(conn, QuestionUnclear(**await frame(bench, after), round=after.rounds, sealed=sealed))
    await _mark(bench, after)
    return after


# -- what ingest said ---------------------------------------------------------------------------------------------


async def _locked(h: Handling, event: AnswerEvent, step: QuestionStep) -> Question | None:
    """The question that an answer is about, as the step leaves it; None when it stands elsewhere by now."""
    question = await questions.lock_question(h.conn, UUID(event.aggregate_id))
    state = turn(question.state, step) if question is not None else None
    if question is None or state is None:
        return None
    return replace(question, state=state)


async def _keep(h: Handling, after: Question, said: Said) -> None:
    await questions.update_question(h.conn, after)
    await questions.insert_word(h.conn, after.id, said)
    await _mark(Bench(h.conn, h.reference, h.clock.now()), after)


async def take_answer(h: Handling, event: AnswerGiven) -> None:
    """Show an answer. How late it came is kept, whatever comes after."""
    after = await _locked(h, event, QuestionStep.ANSWER)
    if after is None or after.rounds != event.round:
        return
    at = event.occurred_at
    profile = h.reference.profile(event.village_code).at(local_day(at))
    after = replace(
        after,
        answered_at=at,
        closes_at=closes_at(after.rounds, profile, at),
        late_days=after.late_days + days_overdue(after.due, at),
    )
    key, text = await h.keys.find(event.aggregate_id), ""
    if key is not None:
        plain = shred.open_sealed(key, event.aggregate_id, event.type, event.sealed)
        text = AnswerContent.model_validate_json(plain).text
    await _keep(h, after, Said("answer", at, event.by, disclosure_id=event.disclosure, text=text, key=key))


async def take_hand_up(h: Handling, event: AnswerHandedUp) -> None:
    """Show that the township has it now; how late the village was stays."""
    after = await _locked(h, event, QuestionStep.HAND_UP)
    if after is not None:
        late = after.late_days + days_overdue(after.due, event.occurred_at)
        after = replace(after, holder="township", due=event.due, late_days=late)
        await _keep(h, after, Said("handed_up", event.occurred_at, "township", event.due))


async def take_hidden(h: Handling, event: AnswerHidden) -> None:
    """Take a question out of everybody's sight; that there was one, and why it is hidden, stays."""
    after = await _locked(h, event, QuestionStep.HIDE)
    if after is not None:
        at = event.occurred_at
        # Its contact goes as that of one that is over.
        after = replace(after, hidden_at=at, hidden_reason=event.reason, closes_at=at)
        await _keep(h, after, Said("hidden", at, "township"))


# -- what is destroyed in time ------------------------------------------------------------------------------------


async def destroy_due(conn: Connection, now: datetime, limit: int) -> int:
    """Destroy contacts of questions that are over, and words of those hidden long ago; how many questions that concerned."""
    over = await questions.take_contacts(conn, now, limit)
    hidden = await questions.take_hidden(conn, now - HIDDEN_KEPT, limit)
    keys = [*(contact_key(str(i)) for i in over), *(str(i) for i in hidden)]
    if keys:
        await shred.shred(conn, keys, now, QUESTION_KEYS)
    return max(len(over), len(hidden))
