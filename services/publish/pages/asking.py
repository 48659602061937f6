"""Pages on which somebody asks and follows a question, without script: what is refused comes back with all that was typed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from services.contracts.question import QuestionKind
from services.kit.db import INFRASTRUCTURE_ERRORS
from services.kit.errors import InvalidInputError, NotFoundError, SanwuError, UnavailableError, faults_of
from services.kit.log import get_logger
from services.kit.problems import headers_of
from services.kit.route import Route
from services.publish.asking import ASKED_ANEW, OWN, PERSONS, QUESTIONS, find, find_subject, keep, keep_unclear
from services.publish.bodies.asked_pages import question_body, questions_body
from services.publish.errors import FormTimeError
from services.publish.render.forms import FormAge
from services.publish.render.questions import AskForm, Question, Subject, ask_form
from services.publish.schemas.questions import QuestionIn
from services.publish.store import questions
from services.publish.visit import Public, PublicDep, Visit, VisitDep

log = get_logger(__name__)
router = APIRouter(route_class=Route, include_in_schema=False)
_FIELDS: Final = ("about", "kind", "paper", "text", "shows", "contact", "form", "big")
_ON_PAGE: Final = 30
_AGES: Final[Mapping[FormAge, str]] = {
    FormAge.FAST: "您按得太快了。内容都还在，请看一遍，过几秒再按一次。",
    FormAge.OLD: "这张表打开得太久了。内容都还在，请再按一次。",
    FormAge.FOREIGN: "这张表不完整。内容都还在，请再按一次。",
}
_NO_STORE: Final = "暂时存不上。内容都还在这张表里，请过一会儿再按一次。"


async def _typed(request: Request) -> dict[str, str]:
    """The fields of a form; that one holds signs that nobody sees is told later, with the form at hand: nothing typed is lost."""
    try:
        sent = await request.form(max_fields=20, max_files=0)
    except InvalidInputError as error:
        request.state.hidden = error
        sent = await request.form(max_fields=20, max_files=0)
    return {name: value if isinstance(value := sent.get(name, ""), str) else "" for name in _FIELDS}


Typed = Annotated[dict[str, str], Depends(_typed)]
#: For whoever came from the page in large type: the form, what is wrong with it and the receipt are as large.
Big = Annotated[bool, Query(description="in large type")]


def _size(typed: Mapping[str, str]) -> str:
    return "?big=1" if typed["big"] else ""


def _refuse_hidden(request: Request) -> None:
    hidden: InvalidInputError | None = getattr(request.state, "hidden", None)
    if hidden is not None:
        raise hidden


# -- the form -----------------------------------------------------------------------------------------------------


def _form_page(
    visit: Visit, form: AskForm, status: int = 200, headers: Mapping[str, str] | None = None, *, big: bool
) -> Response:
    body = visit.bodies.html("ask.html", of_persons=True, form=form, big=big)
    return Response(body.content, status, {**(headers or {}), **OWN}, body.media_type)


@router.get("/ask")
async def form(
    reader: PublicDep,
    about: Annotated[str, Query(max_length=80)] = "",
    kind: Annotated[QuestionKind | None, Query()] = None,
    *,
    big: Big = False,
) -> Response:
    """The form that asks about something, in large type if wanted; with nothing to ask about, the way to the villages."""
    if not about:
        return RedirectResponse("/search", 303)
    subject = await find_subject(reader, about)
    typed = {"kind": kind.value} if kind is not None and kind in subject.kinds else {}
    return _form_page(reader, ask_form(about, subject, typed, reader.own.forms.token(about, reader.now)), big=big)


@router.post("/ask")
async def send(request: Request, typed: Typed, visit: VisitDep) -> Response:
    """Ask with the form; what is refused comes back with all that was typed and what to do about it."""
    try:
        question = await _send(request, typed, visit)
    except (SanwuError, *INFRASTRUCTURE_ERRORS) as error:
        return await _refused(visit, typed, error)
    return RedirectResponse(f"/q/{question.ref}{_size(typed)}", 303, OWN)


async def _send(request: Request, typed: Mapping[str, str], visit: Visit) -> Question:
    _refuse_hidden(request)
    sent = visit.own.forms.read(typed["form"], typed["about"], visit.now)
    if sent.age is not FormAge.RIGHT:
        raise FormTimeError(_AGES[sent.age])
    given = {name: typed[name] for name in _FIELDS if name not in {"form", "big"} and typed[name]}
    try:
        asked = QuestionIn.model_validate(given)
    except ValidationError as error:
        raise InvalidInputError(faults=faults_of(error.errors())) from error
    return await keep(visit, asked, sent.number)


async def _refused(visit: Visit, typed: Mapping[str, str], error: Exception) -> Response:
    """The form again, with what was typed; where it was refused for personal data, with stars over that."""
    known = error if isinstance(error, SanwuError) else UnavailableError(_NO_STORE)
    if known is not error:
        log.warning("question not stored", error=repr(error))
    about, covered = typed["about"], known.extra.get("covered")
    hasty = visit.own.forms.read(typed["form"], about, visit.now).age is FormAge.FAST
    # Whoever was too fast waits no longer for it: the form keeps its time.
    token = typed["form"] if hasty else visit.own.forms.token(about, visit.now)
    shown = {**{n: v for n, v in typed.items() if n != "form"}, **({"text": covered} if covered is not None else {})}
    form = ask_form(about, await _subject(visit, about), shown, token)
    faults = tuple(f.message for f in known.faults)
    form = replace(form, faults=faults, problem=None if faults else known.detail, covered=covered is not None)
    return _form_page(visit, form, known.status, headers_of(known), big=bool(typed["big"]))


async def _subject(visit: Visit, about: str) -> Subject | None:
    """What the form is about; None when that cannot be told now, or no more."""
    try:
        async with visit.reading() as reader:
            return await find_subject(reader, about)
    except (SanwuError, *INFRASTRUCTURE_ERRORS):
        return None


# -- one question, and those of a village -------------------------------------------------------------------------


@router.get("/q/{name}")
async def question(name: str, reader: PublicDep, *, big: Big = False) -> Response:
    """A question with its clock and its answers; by its reference with the button that says 还没说清."""
    found, by_ref = await find(reader, name)
    return await _page(reader, found, by_ref=by_ref, big=big)


async def _page(
    reader: Public, found: Question, *, by_ref: bool, big: bool, typed: str = "", error: SanwuError | None = None
) -> Response:
    village = reader.village(found.asked.village_code)
    words = await questions.select_words(reader.conn, [found])
    faults = [f.message for f in error.faults] or [error.detail] if error is not None else []
    body = question_body(
        reader.bodies, village, found, words[found.id], reader.now, by_ref=by_ref, typed=typed, faults=faults, big=big
    )
    headers = {**(headers_of(error) if error is not None else {}), **(OWN if by_ref else ASKED_ANEW)}
    return Response(body.content, error.status if error is not None else 200, headers, body.media_type)


@router.post("/q/{name}/unclear")
async def unclear(request: Request, name: str, typed: Typed, visit: VisitDep) -> Response:
    """Say that the answer explains nothing; what is refused comes back on the question's page."""
    try:
        _refuse_hidden(request)
        await keep_unclear(visit, name, typed["text"])
    except NotFoundError:
        raise
    except SanwuError as error:
        async with visit.reading() as reader:
            found, by_ref = await find(reader, name)
            text = error.extra.get("covered") or typed["text"]
            return await _page(reader, found, by_ref=by_ref, big=bool(typed["big"]), typed=text, error=error)
    return RedirectResponse(f"/q/{name}{_size(typed)}", 303, OWN)


@router.get("/v/{code}/questions")
async def of_village(
    code: str, reader: PublicDep, cursor: Annotated[str | None, Query(max_length=100)] = None
) -> Response:
    """All questions of a village, newest first, a page at a time."""
    village = reader.village(code)
    after = QUESTIONS.place(cursor) if cursor else None
    rows = await questions.select_list(reader.conn, village.code, after, _ON_PAGE + 1)
    words = await questions.select_words(reader.conn, rows)
    more = QUESTIONS.text(rows[_ON_PAGE - 1].id) if len(rows) > _ON_PAGE else None
    body = questions_body(reader.bodies, village, rows[:_ON_PAGE], words, reader.now, more)
    return Response(body.content, 200, PERSONS, body.media_type)
