"""联名: others join a question that is open and public; nobody's name is known, and enough of them change who owes the answer."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.contracts.question import QuestionJoined, joint_due
from services.contracts.values import local_day
from services.kit import outbox
from services.kit.db import Connection
from services.kit.errors import NotFoundError
from services.publish.commands.asking import Bench, frame
from services.publish.errors import NotJoinableError
from services.publish.render.callers import Callers, browser_of
from services.publish.render.questions import Question
from services.publish.store import joins, marks, questions

#: A household at one address; a browser that calls itself otherwise each time counts no oftener.
_OF_ADDRESS: Final = 3
#: So long nobody is counted twice; then nobody can tell any more that they joined.
MARKS_KEPT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request came from, for as long as it is worked on; of it marks alone are kept."""

    address: str
    agent: str


async def join(bench: Bench, question_id: UUID, caller: Caller, callers: Callers) -> tuple[Question, bool]:
    """Count whoever joins a question, and say `question.joined.v1`; False when they were counted before. NotFoundError, NotJoinableError."""
    conn, now = bench.conn, bench.now
    question = await questions.lock_question(conn, question_id)
    if question is None:
        raise NotFoundError
    if not question.may_be_joined:
        raise NotJoinableError
    salt = await joins.take_key(conn, question_id, now)
    browser = callers.mark(salt, browser_of(caller.address, caller.agent))
    if not await joins.insert_join(conn, question_id, (browser, callers.mark(salt, caller.address)), _OF_ADDRESS):
        return question, False
    after = _joined(bench, question)
    await joins.update_joined(conn, after)
    await _say_joined(bench, after)
    subjects = [("village", after.asked.village_code)]
    if after.asked.disclosure_id is not None:
        subjects.append(("disclosure", after.asked.disclosure_id))
    await marks.insert_marks(conn, subjects)
    return after, True


def _joined(bench: Bench, q: Question) -> Question:
    """A question joined once more; with the one that makes it joint, what the profile makes of that."""
    q = replace(q, joined=q.joined + 1)
    profile = bench.reference.profile(q.asked.village_code).at(local_day(bench.now))
    if q.joint_at is not None or q.joined < profile.joint_from:
        return q
    due = joint_due(q.holder, profile, bench.reference.calendar, bench.now)
    return replace(q, joint_at=bench.now, joint_then=profile.joint_then, joint_due=due)


async def _say_joined(bench: Bench, q: Question) -> None:
    profile = bench.reference.profile(q.asked.village_code).at(local_day(bench.now))
    event = QuestionJoined(
        **await frame(bench, q),
        joined=q.joined,
        joint_from=profile.joint_from,
        joint_at=q.joint_at,
        joint_then=q.joint_then,
        joint_due=q.joint_due,
    )
    await outbox.append(bench.conn, event)


async def fade_due(conn: Connection, now: datetime, limit: int) -> int:
    """Destroy what could tell who joined a month ago; of how many questions."""
    return await joins.fade(conn, now - MARKS_KEPT, limit)
