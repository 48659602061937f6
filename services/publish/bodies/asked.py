"""Questions as the public JSON tells them."""

from collections.abc import Sequence
from datetime import datetime

from services.contracts.question import QuestionState
from services.publish.bodies.out import rfc3339
from services.publish.render.questions import Question, Word, public_words
from services.publish.schemas.questions import QuestionOut, QuestionWordOut


def question_out(q: Question, words: Sequence[Word], now: datetime, public_url: str, *, by_ref: bool) -> QuestionOut:
    """A question for JSON; `by_ref`: for whoever holds its reference. Of a hidden one nothing that was said is told."""
    of, state = q.asked, q.stands(now)
    said = [
        QuestionWordOut(
            kind=w.kind,
            holder=w.holder,
            at=rfc3339(w.at),
            due=w.due.isoformat() if w.due is not None else None,
            text=public_words(of, w) or None,
            disclosure_id=w.disclosure_id,
        )
        for w in words
    ]
    return QuestionOut(
        id=str(q.id),
        ref=q.ref if by_ref else None,
        url=f"{public_url}/q/{q.ref if by_ref else q.id}",
        village=of.village_code,
        kind=of.kind.value,
        paper=of.paper.value if of.paper is not None else None,
        shows=of.shows,
        item=of.item,
        period=of.period,
        disclosure_id=of.disclosure_id,
        line=of.line,
        state=state.value,
        holder=q.holder,
        due=q.due.isoformat(),
        late_days=q.days_late(now),
        asked_at=rfc3339(q.asked_at),
        answered_at=rfc3339(q.answered_at) if q.answered_at is not None else None,
        rounds=q.rounds,
        hidden_reason=q.hidden_reason,
        joined=q.joined,
        joint_at=rfc3339(q.joint_at) if q.joint_at is not None else None,
        joint_then=q.joint_then,
        joint_due=q.joint_due.isoformat() if q.joint_due is not None else None,
        may_join=q.may_be_joined,
        words=said if state is not QuestionState.HIDDEN else [],
    )
