"""Answers to villagers' questions: taken in from publish, answered, handed up to the township, hidden."""

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.contracts.base import Role, Stamp
from services.contracts.disclosure import AnswerContent, AnswerGiven, AnswerHandedUp, AnswerHidden
from services.contracts.question import (
    Answerer,
    ContactContent,
    QuestionAsked,
    QuestionContent,
    QuestionJoined,
    QuestionRef,
    QuestionState,
    QuestionStep,
    QuestionUnclear,
    answer_due,
    contact_key,
    read_ref,
    turn,
)
from services.contracts.values import period_bounds
from services.ingest.commands.findings import refuse_personal
from services.ingest.errors import HandedUpError, UnknownQuestionError, WordsGoneError, WrongStateError
from services.ingest.store import questions
from services.ingest.store.disclosures import select_disclosure
from services.ingest.store.questions import Question, Said
from services.ingest.visit import Changing, Reading
from services.ingest.workflow import RIGHTS, Errand, State
from services.kit import actions, outbox, shred
from services.kit.consumer import Handling
from services.kit.errors import Fault, InvalidInputError

ANSWERERS: Final = RIGHTS[Errand.ANSWER_QUESTION]
HANDERS: Final = RIGHTS[Errand.HAND_UP_QUESTION]
HIDERS: Final = RIGHTS[Errand.HIDE_QUESTION]
_GIVEN: Final = "answer.given.v1"


# -- what publish said --------------------------------------------------------------------------------------------


async def take_question(h: Handling, event: QuestionAsked) -> None:
    """Keep what somebody asked for those who answer; of what was destroyed meanwhile there are no words."""
    contact = None
    if event.contact is not None:
        name = contact_key(event.aggregate_id)
        own = await h.keys.find(name)
        if own is not None:
            plain = shred.open_sealed(own, name, event.type, event.contact)
            contact = questions.close_contact(
                own, event.aggregate_id, ContactContent.model_validate_json(plain).contact
            )
    key, text = await _words_of(h, event)
    if await questions.insert_question(h.conn, event, contact):
        said = Said("asked", event.occurred_at, text=text, key=key)
        await questions.insert_word(h.conn, UUID(event.aggregate_id), said)


async def take_unclear(h: Handling, event: QuestionUnclear) -> None:
    """Give a question back to whoever answers now: the township, with its days."""
    question = await questions.lock_question(h.conn, UUID(event.aggregate_id))
    if question is None or question.rounds >= event.round or question.state is QuestionState.HIDDEN:
        return
    key, text = await _words_of(h, event)
    after = replace(question, state=QuestionState.TOWNSHIP, holder=event.holder, due=event.due, rounds=event.round)
    await questions.update_question(h.conn, after)
    await questions.insert_word(h.conn, question.id, Said("unclear", event.occurred_at, text=text, key=key))


async def take_joined(h: Handling, event: QuestionJoined) -> None:
    """Show how many times others joined a question, and until when the township has to answer it as well."""
    await questions.update_joined(h.conn, event)


async def _words_of(h: Handling, event: QuestionAsked | QuestionUnclear) -> tuple[str | None, str]:
    key = await h.keys.find(event.aggregate_id)
    if key is None:
        return None, ""
    plain = shred.open_sealed(key, event.aggregate_id, event.type, event.sealed)
    return key, QuestionContent.model_validate_json(plain).text


# -- at the desk --------------------------------------------------------------------------------------------------


def _require_reach(desk: Reading, q: Question) -> None:
    desk.actor.require_scope(desk.reference, q.village_code)
    if q.item is not None and q.item in desk.reference.items:
        day = period_bounds(q.period)[1] if q.period is not None else desk.today
        desk.actor.require_affair(desk.reference.items[q.item].at(day).affair)


async def find_question(desk: Reading, name: str) -> Question:
    """A question by its reference, in the actor's part of the tree and of the affairs; UnknownQuestionError."""
    ref = read_ref(name)
    found = await questions.select_by_ref(desk.conn, ref) if ref is not None else None
    if found is None:
        raise UnknownQuestionError
    _require_reach(desk, found)
    actions.about(f"question/{found.id}", found.village_code)
    return found


async def contact_of(desk: Reading, q: Question) -> str | None:
    """How whoever asked can be reached, for the township alone; that somebody looked is in the trail."""
    if desk.actor.role is not Role.REVIEWER or not q.has_contact:
        return None
    actions.look_at(f"question/{q.id}", q.village_code)
    return await questions.select_contact(desk.conn, q.id)


async def _turned(desk: Changing, name: str, step: QuestionStep) -> Question:
    """Lock a question after the checks that every step makes, and give it as the step leaves it."""
    actions.step(step.value)
    ref = read_ref(name)
    found = await questions.lock_by_ref(desk.conn, ref) if ref is not None else None
    if found is None:
        raise UnknownQuestionError
    actions.about(f"question/{found.id}", found.village_code)
    _require_reach(desk, found)
    state = turn(found.state, step)
    if state is None:
        raise WrongStateError(state=found.state.value)
    return replace(found, state=state)


class _Frame(Stamp):
    """What all events of an answer say."""

    ref: QuestionRef
    round: int
    item: str | None
    period: str | None
    asked_at: datetime


async def _frame(desk: Changing, q: Question) -> _Frame:
    stamp = await desk.stamp("answer", str(q.id), q.village_code)
    return _Frame(**stamp, ref=q.ref, round=q.rounds, item=q.item, period=q.period, asked_at=q.asked_at)


async def answer(desk: Changing, name: str, text: str, disclosure: UUID | None = None) -> Question:
    """Answer a question and append `answer.given.v1`; the township may answer whatever is open, the village what it has."""
    after = await _turned(desk, name, QuestionStep.ANSWER)
    by: Answerer = "township" if desk.actor.role is Role.REVIEWER else "village"
    if by == "village" and after.holder != "village":
        raise HandedUpError
    refuse_personal(text, "text")
    pointed = await _pointed(desk, after, disclosure) if disclosure is not None else None
    key = await shred.find_key(desk.conn, str(after.id))
    if key is None:
        raise WordsGoneError
    await questions.update_question(desk.conn, after)
    said = Said("answer", desk.now, desk.actor.role.value, text, key)
    await questions.insert_word(desk.conn, after.id, said)
    sealed = shred.seal_under(key, str(after.id), _GIVEN, AnswerContent(text=text))
    await outbox.append(desk.conn, AnswerGiven(**await _frame(desk, after), by=by, disclosure=pointed, sealed=sealed))
    return after


async def _pointed(desk: Changing, q: Question, disclosure_id: UUID) -> str:
    """A public disclosure of the same village that an answer points to; InvalidInputError names the field."""
    found = await select_disclosure(desk.conn, disclosure_id)
    if found is None or found.village_code != q.village_code or found.state is not State.PUBLISHED:
        raise InvalidInputError(faults=[Fault("disclosure", "只能指向本村已公开的一条内容，请核对编号")])
    return str(found.id)


async def hand_up(desk: Changing, name: str) -> Question:
    """Hand a question to the township, whose days begin, and append `answer.handed_up.v1`."""
    after = await _turned(desk, name, QuestionStep.HAND_UP)
    due = answer_due("township", desk.profile(after.village_code), desk.reference.calendar, desk.now)
    # The township had to answer a joint question already: being handed it gives no more days.
    after = replace(after, holder="township", due=min(due, after.joint_due or due))
    await questions.update_question(desk.conn, after)
    await questions.insert_word(desk.conn, after.id, Said("handed_up", desk.now, desk.actor.role.value))
    await outbox.append(desk.conn, AnswerHandedUp(**await _frame(desk, after), due=after.due))
    return after


async def hide(desk: Changing, name: str, reason: str) -> Question:
    """Take a question out of everybody's sight for a reason that everybody reads, and append `answer.hidden.v1`."""
    after = await _turned(desk, name, QuestionStep.HIDE)
    refuse_personal(reason, "reason")
    await questions.update_question(desk.conn, after)
    said = Said("hidden", desk.now, desk.actor.role.value, reason=reason)
    await questions.insert_word(desk.conn, after.id, said)
    await outbox.append(desk.conn, AnswerHidden(**await _frame(desk, after), reason=reason))
    return after
