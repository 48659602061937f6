"""村民提问: the list with its clock, one question, answering, 交给镇街, hiding."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.contracts.question import OPEN_STATES, QuestionStep, days_overdue, ref_words, turn
from services.contracts.words import PAPERS, QUESTION_KINDS, QUESTION_STATES, ROLE_NAMES, SHOWS
from services.ingest import workflow
from services.ingest.commands import answering
from services.ingest.pages.frame import FieldsDep, needed, refusal_page, render, to
from services.ingest.pages.kept import KeptRoute
from services.ingest.store import questions
from services.ingest.store.questions import Question, Word
from services.ingest.visit import Changing, ChangingDep, Reading, ReadingDep
from services.kit.errors import ConflictError, Fault, InvalidInputError
from services.kit.visit import may

router = APIRouter(route_class=KeptRoute)
_SHOWN: Final = 200
_DONE: Final = 30
#: What a question's pages call things.
WORDS: Final = MappingProxyType(
    {
        "said": {
            "asked": "村民提问",
            "unclear": "还没说清",
            "handed_up": "交给镇街",
            "answer": "答复",
            "hidden": "隐藏",
        },
        "state": QUESTION_STATES,
        "kind": QUESTION_KINDS,
        "paper": PAPERS,
        "shows": SHOWS,
        "role": ROLE_NAMES,
        "ref": ref_words,
    }
)
_LONGEST: Final = 2000


class Row(NamedTuple):
    """A question in a list."""

    q: Question
    text: str
    late_days: int


@dataclass(frozen=True, slots=True)
class View:
    """A question's page; the contact is there for the township alone."""

    q: Question
    words: Sequence[Word]
    late_days: int
    contact: str | None
    may_answer: bool
    may_hand_up: bool
    may_hide: bool


def _late_days(desk: Reading, q: Question) -> int:
    return days_overdue(q.due, desk.now) if q.state in OPEN_STATES else 0


async def _rows(desk: Reading, found: Sequence[Question]) -> list[Row]:
    words = await questions.select_words(desk.conn, found)
    texts = (next((w.text for w in words[q.id] if w.kind == "asked" and w.text), "") for q in found)
    return [Row(q, text, _late_days(desk, q)) for q, text in zip(found, texts, strict=True)]


@router.get("/questions", dependencies=[may(*workflow.READERS)])
async def listed(request: Request, desk: ReadingDep) -> Response:
    """What waits for an answer in one's part of the tree, the most urgent first, and what was answered last."""
    villages, items = desk.villages(), desk.items_within()
    waiting = await questions.select_open(desk.conn, villages, items, _SHOWN)
    done = await questions.select_questions(desk.conn, villages, items, "answered", (None, _DONE))
    waits, was = await _rows(desk, waiting), await _rows(desk, done)
    return render(request, desk, "questions.html", waiting=waits, done=was, w=WORDS)


async def _view(desk: Reading, q: Question) -> View:
    role = desk.actor.role
    has_it = q.holder == "village" or role in answering.HIDERS
    return View(
        q=q,
        words=(await questions.select_words(desk.conn, [q]))[q.id],
        late_days=_late_days(desk, q),
        contact=await answering.contact_of(desk, q),
        may_answer=has_it and role in answering.ANSWERERS and turn(q.state, QuestionStep.ANSWER) is not None,
        may_hand_up=role in answering.HANDERS and turn(q.state, QuestionStep.HAND_UP) is not None,
        may_hide=role in answering.HIDERS and turn(q.state, QuestionStep.HIDE) is not None,
    )


@router.get("/questions/{ref}", dependencies=[may(*workflow.READERS)])
async def question(request: Request, ref: str, desk: ReadingDep) -> Response:
    """One question with all that was said, and what can be done."""
    found = await answering.find_question(desk, ref)
    return render(request, desk, "question.html", view=await _view(desk, found), fields={}, w=WORDS)


Step = Callable[[], Coroutine[None, None, Question]]


async def _done(request: Request, ref: str, fields: FieldsDep, desk: Changing, step: Step) -> Response:
    """Take a step; what is wrong comes back on the question's page with what was typed."""
    try:
        await step()
    except (InvalidInputError, ConflictError) as error:
        found = await answering.find_question(desk, ref)
        view = await _view(desk, found)
        page = refusal_page(
            request, desk, "question.html", status=error.status, view=view, fields=fields, w=WORDS, error=error
        )
        raise page from error
    return to(f"/desk/questions/{ref}")


def _text(fields: FieldsDep, name: str, message: str) -> str:
    text = needed(fields, name, message)
    if len(text) > _LONGEST:
        raise InvalidInputError(faults=[Fault(name, f"最多写 {_LONGEST} 个字。")])
    return text


def _disclosure(fields: FieldsDep) -> UUID | None:
    text = fields.get("disclosure", "").strip().rpartition("/")[2]
    try:
        return UUID(text) if text else None
    except ValueError:
        raise InvalidInputError(faults=[Fault("disclosure", "公开内容的编号不对，请从它的网页地址里复制。")]) from None


@router.post("/questions/{ref}/answer", dependencies=[may(*answering.ANSWERERS)])
async def answer(request: Request, ref: str, fields: FieldsDep, desk: ChangingDep) -> Response:
    """Answer it; everybody reads that."""

    async def step() -> Question:
        text = _text(fields, "text", "请写答复。")
        return await answering.answer(desk, ref, text, _disclosure(fields))

    return await _done(request, ref, fields, desk, step)


@router.post("/questions/{ref}/hand-up", dependencies=[may(*answering.HANDERS)])
async def hand_up(request: Request, ref: str, fields: FieldsDep, desk: ChangingDep) -> Response:
    """Hand it to the township."""
    return await _done(request, ref, fields, desk, lambda: answering.hand_up(desk, ref))


@router.post("/questions/{ref}/hide", dependencies=[may(*answering.HIDERS)])
async def hide(request: Request, ref: str, fields: FieldsDep, desk: ChangingDep) -> Response:
    """Take it out of everybody's sight, for a reason that everybody reads."""

    async def step() -> Question:
        return await answering.hide(desk, ref, _text(fields, "reason", "请写明为什么隐藏，原因会公开。"))

    return await _done(request, ref, fields, desk, step)
