"""Asking a question, following it, saying that an answer explains nothing: as JSON and as pages without script.

Nobody signs in. What holds strangers back are limits: by address, by village, and of a form the time since it was opened;
whoever is refused keeps what they typed and is told what to do.
"""

from dataclasses import replace
from typing import Annotated, Final, NoReturn
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response

from services.contracts.bodies import Ledger
from services.contracts.catalogue import Masking
from services.contracts.duties import CellKey
from services.contracts.question import Paper, QuestionKind, read_ref
from services.kit.address import client_address, household_of
from services.kit.errors import Fault, InvalidInputError, NotFoundError
from services.kit.listing import Cursor, Listing, Page
from services.kit.route import Route
from services.publish.bodies.asked import question_out
from services.publish.bodies.loading import Loaded
from services.publish.commands import asking, joining
from services.publish.commands.allowances import spend_asking, spend_joining
from services.publish.commands.asking import Asking, Bench
from services.publish.commands.joining import Caller
from services.publish.errors import WithdrawnError
from services.publish.hot.answers import OF_PERSONS
from services.publish.hot.front import cached_json
from services.publish.render.ledger import line_view
from services.publish.render.places import Village, title
from services.publish.render.questions import About, Asked, Question, Subject, read_about
from services.publish.render.typed import LONGEST_CONTACT, Looked, look_through
from services.publish.schemas.questions import JoinedOut, QuestionIn, QuestionOut, UnclearIn
from services.publish.store import publications, questions
from services.publish.visit import Public, PublicDep, Visit, VisitDep

router = APIRouter(prefix="/api/v1", route_class=Route, tags=["questions"])
_TOO_MANY: Final = "`asked_too_often`, `village_full`: try again after `Retry-After` seconds."
_GONE: Final = "`withdrawn`: what the question is about is no longer public."
QUESTIONS: Final = Cursor[UUID](UUID)
#: What somebody typed, and what is answered to it, is for them alone.
OWN: Final = {"cache-control": "no-store", "x-robots-tag": "noindex"}
PERSONS: Final = {"cache-control": OF_PERSONS, "x-robots-tag": "noindex"}
#: Whoever joined a question and goes back to it reads that they were counted.
ASKED_ANEW: Final = {"cache-control": "private, no-cache", "x-robots-tag": "noindex"}


# -- what is asked about ------------------------------------------------------------------------------------------


async def find_subject(reader: Public, about: str) -> Subject:
    """What a question is about; InvalidInputError, NotFoundError, and WithdrawnError for what is no longer public."""
    of = read_about(about)
    if of is None:
        _refuse_about("没有这样的内容，应为村代码、村代码/事项/公开期，或公开内容的编号")
    if of.village is not None:
        return _in_village(reader, of, reader.village(of.village))
    return await _in_disclosure(reader, of, of.disclosure or "")


def _refuse_about(message: str) -> NoReturn:
    raise InvalidInputError(message, faults=[Fault("about", message)])


def _in_village(reader: Visit, of: About, village: Village) -> Subject:
    asked = Asked(village_code=village.code, kind=QuestionKind.DOUBT, shows="answer", item=of.item, period=of.period)
    if of.item is None or of.period is None:
        return Subject(village, asked, f"{village.name}的事")
    if reader.reference.duty(village.code, CellKey(of.item, of.period)) is None:
        _refuse_about(f"{village.name}没有 {of.item} 在 {of.period} 的公开事项")
    kinds = (QuestionKind.MISSING, QuestionKind.DOUBT)
    return Subject(village, asked, title(reader.reference.items, of.item, of.period), kinds=kinds)


async def _in_disclosure(reader: Public, of: About, disclosure_id: str) -> Subject:
    bodies = reader.bodies
    loaded = await bodies.load(reader.conn, [("disclosure", disclosure_id)])
    p = loaded.publications.get(disclosure_id)
    village = bodies.village(p.village_code) if p is not None else None
    if p is None or village is None:
        raise NotFoundError
    if not p.is_live:
        raise WithdrawnError
    times = loaded.times.get(disclosure_id, [])
    number = of.version or len(times)
    if not 0 < number <= len(times):
        _refuse_about(f"这条公开内容没有第{number}版")
    edition = times[number - 1][0]
    asked = Asked(
        village_code=p.village_code,
        kind=QuestionKind.DOUBT,
        shows="answer",
        item=p.item,
        period=p.period,
        disclosure_id=disclosure_id,
        edition=edition,
        line=of.line,
    )
    words = await _line_in(reader, loaded, asked, number) if of.line is not None else None
    return Subject(village, asked, title(reader.reference.items, p.item, p.period), words)


async def _line_in(reader: Public, loaded: Loaded, asked: Asked, number: int) -> str:
    """A line of an edition in words; InvalidInputError where it has no such line, or only sums are public."""
    p, edition = loaded.publications[asked.disclosure_id or ""], asked.edition or 0
    if edition != p.edition:
        loaded.editions.update(await publications.select_editions(reader.conn, [(p.disclosure_id, edition)]))
    content, place = reader.bodies.content(loaded, p, edition), asked.line or 0
    are_open = content is not None and content.masking is not Masking.AGGREGATE
    lines = content.body.lines if content is not None and are_open and isinstance(content.body, Ledger) else ()
    if place > len(lines):
        _refuse_about(f"第{number}版没有第{place}笔")
    line = line_view(place, lines[place - 1])
    return f"第{line.number}笔：{line.day}，{line.summary}，{line.way} {line.amount}"


# -- asking -------------------------------------------------------------------------------------------------------


def _refuse(looked: Looked, faults: list[Fault]) -> None:
    """InvalidInputError for all that is wrong at once, with the covered text where that would mend it."""
    faults = [*faults, *(Fault("text", message) for message in looked.faults)]
    if faults:
        covered = {"covered": looked.covered} if looked.covered is not None else {}
        raise InvalidInputError(faults=faults, **covered)


def _checked(subject: Subject, sent: QuestionIn) -> Asking:
    """A question as it is kept; InvalidInputError tells all places."""
    faults = []
    if sent.kind not in subject.kinds:
        faults.append(Fault("kind", f"对“{subject.words}”不能这样提，请另选一种"))
    paper = sent.paper if sent.kind is QuestionKind.PAPER else None
    if sent.kind is QuestionKind.PAPER and paper is None:
        faults.append(Fault("paper", "请选一种材料"))
    contact = (sent.contact or "").strip() or None
    if contact is not None and len(contact) > LONGEST_CONTACT:
        faults.append(Fault("contact", f"联系方式最多写{LONGEST_CONTACT}个字"))
    looked = look_through(sent.text, needed=sent.kind is QuestionKind.DOUBT or paper is Paper.OTHER)
    _refuse(looked, faults)
    return Asking(replace(subject.asked, kind=sent.kind, shows=sent.shows, paper=paper), looked.text, contact)


async def keep(visit: Visit, sent: QuestionIn, form_id: str | None = None) -> Question:
    """Look through a question and keep it, in a transaction that ends before the answer begins."""
    async with visit.reading() as reader:
        subject = await find_subject(reader, sent.about)
    wanted = _checked(subject, sent)
    async with visit.changing() as conn:
        # In the same transaction: what is refused for anything else costs nobody their turn.
        await spend_asking(visit, conn, subject.village.code)
        bench = Bench(conn, visit.reference, visit.now)
        return await asking.ask(bench, replace(wanted, form_id=form_id), visit.settings.questions_open)


@router.post(
    "/questions",
    status_code=201,
    response_model=QuestionOut,
    responses={429: {"description": _TOO_MANY}, 410: {"description": _GONE}},
)
async def ask(body: QuestionIn, visit: VisitDep) -> Response:
    """Ask about a village, a disclosure, one of its lines, or what is missing; nobody signs in.

    The answer's `ref` is the one way back to the question as its asker: keep it. Personal data in `text` is refused with
    its place; `covered` of the problem is the same text with stars over it.
    """
    return await _answer(visit, await keep(visit, body), 201)


@router.post("/questions/{ref}/unclear", response_model=QuestionOut, responses={429: {"description": _TOO_MANY}})
async def unclear(
    ref: Annotated[str, Path(description="the question's reference")], body: UnclearIn, visit: VisitDep
) -> Response:
    """Say that an answer explains nothing: the township has to answer. Twice at most, and for some days after an answer."""
    return await _answer(visit, await keep_unclear(visit, ref, body.text), 200)


async def keep_unclear(visit: Visit, name: str, text: str) -> Question:
    """Hand a question to the township for whoever holds its reference; NotFoundError, InvalidInputError, NotUnclearError."""
    ref = read_ref(name)
    if ref is None:
        raise NotFoundError
    looked = look_through(text, needed=False)
    _refuse(looked, [])
    async with visit.changing() as conn:
        await spend_asking(visit, conn, None)
        return await asking.say_unclear(Bench(conn, visit.reference, visit.now), ref, looked.text)


async def _answer(visit: Visit, question: Question, status: int) -> Response:
    async with visit.reading() as reader:
        out = await _told(reader, question, by_ref=True)
    return Response(out.model_dump_json(), status, media_type="application/json", headers=OWN)


# -- joining others' questions ------------------------------------------------------------------------------------


async def keep_joined(visit: Visit, request: Request, name: str) -> tuple[Question, bool]:
    """Count that somebody asks a question too; False when they were counted before. NotFoundError, NotJoinableError."""
    question_id = _uuid(name)
    caller = Caller(household_of(client_address()), request.headers.get("user-agent", ""))
    async with visit.reading() as reader:
        known = await questions.select_by_id(reader.conn, question_id)
    if known is None:
        raise NotFoundError
    async with visit.changing() as conn:
        await spend_joining(visit, conn, known.asked.village_code)
        return await joining.join(Bench(conn, visit.reference, visit.now), question_id, caller, visit.own.callers)


@router.post("/questions/{id}/join", response_model=JoinedOut, responses={429: {"description": _TOO_MANY}})
async def join(
    name: Annotated[str, Path(alias="id", description="the question's `id`, as lists tell it")],
    request: Request,
    visit: VisitDep,
) -> Response:
    """Say "I ask that too" (联名) of an open question that is public. Times are counted, never names; the same browser counts once a month.

    From `joint_from` of the division's deadline profile on it is a joint question: `joint_then` says what comes of that.
    409 `not_joinable`: it is answered, hidden, or its asker did not make it public.
    """
    question, counted = await keep_joined(visit, request, name)
    told = JoinedOut(counted=counted, joined=question.joined, joint=question.joint_at is not None)
    return Response(told.model_dump_json(), media_type="application/json", headers=OWN)


# -- following ----------------------------------------------------------------------------------------------------


async def find(reader: Public, name: str) -> tuple[Question, bool]:
    """A question by its reference, or by the id that lists tell; whether it was the reference. NotFoundError."""
    ref = read_ref(name)
    if ref is not None:
        found, by_ref = await questions.select_by_ref(reader.conn, ref), True
    else:
        found, by_ref = await questions.select_by_id(reader.conn, _uuid(name)), False
    if found is None:
        raise NotFoundError
    return found, by_ref


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundError from None


async def _told(reader: Public, question: Question, *, by_ref: bool) -> QuestionOut:
    words = await questions.select_words(reader.conn, [question])
    return question_out(question, words[question.id], reader.now, reader.bodies.public_url, by_ref=by_ref)


@router.get("/questions/{ref}", response_model=QuestionOut)
async def question(
    ref: Annotated[str, Path(description="the question's reference, or the `id` that lists tell")], reader: PublicDep
) -> Response:
    """One question with its clock and all that was said of it."""
    found, by_ref = await find(reader, ref)
    out = await _told(reader, found, by_ref=by_ref)
    return Response(out.model_dump_json(), media_type="application/json", headers=OWN if by_ref else PERSONS)


@router.get("/villages/{code}/questions", response_model=Listing[QuestionOut])
async def of_village(
    code: Annotated[str, Path(description="the village's 12 digits")],
    reader: PublicDep,
    page: Annotated[Page[UUID], Depends(QUESTIONS)],
) -> Response:
    """A village's questions, newest first; nobody's reference is told."""
    village = reader.village(code)
    rows = await questions.select_list(reader.conn, village.code, page.after, page.fetch_limit)
    words = await questions.select_words(reader.conn, rows)
    url = reader.bodies.public_url
    shown = page.of(rows, lambda q: q.id, lambda q: question_out(q, words[q.id], reader.now, url, by_ref=False))
    return cached_json(shown.model_dump_json().encode(), None, of_persons=True)
