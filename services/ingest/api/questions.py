"""JSON routes of villagers' questions: the list with its clock, answering, handing up, hiding."""

from collections.abc import Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from services.contracts.question import QuestionState, days_overdue
from services.contracts.values import DivisionCode
from services.ingest.commands import answering
from services.ingest.schemas.questions import (
    QuestionAnswerIn,
    QuestionHideIn,
    QuestionOut,
    QuestionWordOut,
)
from services.ingest.store import questions
from services.ingest.store.questions import Question, Word
from services.ingest.visit import ChangingDep, Reading, ReadingDep
from services.ingest.workflow import READERS
from services.kit.listing import Cursor, Listing, Page
from services.kit.route import IdempotentRoute, Route
from services.kit.visit import may

router = APIRouter(prefix="/ingest/v1", route_class=Route, tags=["questions"])
once = APIRouter(prefix="/ingest/v1", route_class=IdempotentRoute, tags=["questions"])
QUESTIONS: Final = Cursor[UUID](UUID)
Ref = Annotated[str, Path(description="the question's reference", max_length=40)]


def question_out(desk: Reading, q: Question, words: Sequence[Word], contact: str | None = None) -> QuestionOut:
    """What the desk's JSON tells of a question; the contact for the township alone, where one question is asked for."""
    is_open = q.state in {QuestionState.ASKED, QuestionState.TOWNSHIP}
    return QuestionOut(
        ref=q.ref,
        village=q.village_code,
        kind=q.kind,
        paper=q.paper,
        shows=q.shows,
        item=q.item,
        period=q.period,
        disclosure_id=q.disclosure_id,
        line=q.line,
        state=q.state,
        holder=q.holder,
        due=q.due,
        overdue_days=days_overdue(q.due, desk.now) if is_open else 0,
        rounds=q.rounds,
        asked_at=q.asked_at,
        joined=q.joined,
        joint_then=q.joint_then,
        joint_due=q.joint_due,
        has_contact=q.has_contact,
        contact=contact,
        words=[QuestionWordOut(kind=w.kind, by_role=w.by_role, at=w.at, text=w.text) for w in words],
    )


@router.get("/questions", dependencies=[may(*READERS)])
async def list_questions(
    desk: ReadingDep,
    page: Annotated[Page[UUID], Depends(QUESTIONS)],
    division: Annotated[
        DivisionCode | None,
        Query(description="code of a village, a township or the city; without it the caller's scope"),
    ] = None,
    state: Annotated[QuestionState | None, Query(description="those in this state alone")] = None,
) -> Listing[QuestionOut]:
    """Questions of a part of the tree within the caller's scope, newest first."""
    found = await questions.select_questions(
        desk.conn,
        desk.villages(division),
        desk.items_within(),
        state.value if state is not None else None,
        (page.after, page.fetch_limit),
    )
    words = await questions.select_words(desk.conn, found)
    return page.of(found, attrgetter("id"), partial(_listed, desk, words))


def _listed(desk: Reading, words: Mapping[UUID, Sequence[Word]], q: Question) -> QuestionOut:
    return question_out(desk, q, words[q.id])


async def _told(desk: Reading, q: Question) -> QuestionOut:
    words = await questions.select_words(desk.conn, [q])
    return question_out(desk, q, words[q.id], await answering.contact_of(desk, q))


@router.get("/questions/{ref}", dependencies=[may(*READERS)])
async def question(ref: Ref, desk: ReadingDep) -> QuestionOut:
    """One question with all that was said; how whoever asked can be reached is told to the township's reviewer alone."""
    return await _told(desk, await answering.find_question(desk, ref))


@once.post("/questions/{ref}/answer", dependencies=[may(*answering.ANSWERERS)])
async def answer(ref: Ref, body: QuestionAnswerIn, desk: ChangingDep) -> QuestionOut:
    """Answer a question; everybody reads it, told by unit and never by name. May point to a public disclosure of the village."""
    return await _told(desk, await answering.answer(desk, ref, body.text, body.disclosure))


@once.post("/questions/{ref}/hand-up", dependencies=[may(*answering.HANDERS)])
async def hand_up(ref: Ref, desk: ChangingDep) -> QuestionOut:
    """Hand a question that the village has to the township; its own days begin, the village's lateness stays."""
    return await _told(desk, await answering.hand_up(desk, ref))


@once.post("/questions/{ref}/hide", dependencies=[may(*answering.HIDERS)])
async def hide(ref: Ref, body: QuestionHideIn, desk: ChangingDep) -> QuestionOut:
    """Take a question out of everybody's sight; that it was asked, and the reason, stay public."""
    return await _told(desk, await answering.hide(desk, ref, body.reason))
