"""联名 as a page without script: what joining a question means, the button, and what came of it."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.contracts.catalogue import ProfileRevision
from services.kit.clock import local_day
from services.kit.db import INFRASTRUCTURE_ERRORS
from services.kit.errors import NotFoundError, SanwuError, UnavailableError
from services.kit.log import get_logger
from services.kit.problems import headers_of
from services.kit.route import Route
from services.publish.asking import OWN, find, keep_joined
from services.publish.errors import FormTimeError
from services.publish.pages.asking import Typed
from services.publish.render.forms import FormAge
from services.publish.render.joining import JoinPage, join_page
from services.publish.render.questions import Question
from services.publish.store import questions
from services.publish.visit import Public, PublicDep, Visit, VisitDep

log = get_logger(__name__)
router = APIRouter(route_class=Route, include_in_schema=False)
_AGES: Final[Mapping[FormAge, str]] = {
    FormAge.FAST: "您按得太快了，请看一遍，过几秒再按一次。",
    FormAge.OLD: "这一页打开得太久了，请再按一次。",
    FormAge.FOREIGN: "这一页不完整，请再按一次。",
}
_NO_STORE: Final = "暂时记不上，请过一会儿再按一次。"


def _profile(visit: Visit, question: Question) -> ProfileRevision:
    return visit.reference.profile(question.asked.village_code).at(local_day(visit.now))


async def _shown(reader: Public, name: str) -> JoinPage:
    found, _ = await find(reader, name)
    words = await questions.select_words(reader.conn, [found])
    village = reader.village(found.asked.village_code)
    profile = _profile(reader, found)
    return join_page(village, reader.bodies.reference.items, found, words[found.id], profile)


def _page(
    visit: Visit,
    page: JoinPage,
    *,
    token: str = "",
    counted: bool | None = None,
    error: SanwuError | None = None,
) -> Response:
    """The page before, or with `counted` after; with what was wrong, and the button again."""
    problem = error.detail if error is not None else None
    body = visit.bodies.html("join.html", of_persons=True, page=page, token=token, counted=counted, problem=problem)
    headers = {**(headers_of(error) if error is not None else {}), **OWN}
    return Response(body.content, error.status if error is not None else 200, headers, body.media_type)


def _token(visit: Visit, page: JoinPage) -> str:
    return visit.own.forms.token(f"join {page.id}", visit.now)


@router.get("/q/{name}/join")
async def form(name: str, reader: PublicDep) -> Response:
    """What it means to join a question, and the button."""
    page = await _shown(reader, name)
    return _page(reader, page, token=_token(reader, page))


@router.post("/q/{name}/join")
async def join(request: Request, name: str, typed: Typed, visit: VisitDep) -> Response:
    """Count whoever pressed, once; what is refused comes back with the button."""
    async with visit.reading() as reader:
        page = await _shown(reader, name)
    sent = visit.own.forms.read(typed["form"], f"join {page.id}", visit.now)
    try:
        if sent.age is not FormAge.RIGHT:
            raise FormTimeError(_AGES[sent.age])
        _, counted = await keep_joined(visit, request, page.id)
    except NotFoundError:
        raise
    except (SanwuError, *INFRASTRUCTURE_ERRORS) as error:
        known = error if isinstance(error, SanwuError) else UnavailableError(_NO_STORE)
        if known is not error:
            log.warning("not joined", error=repr(error))
        # Whoever was too fast waits no longer for it: the form keeps its time.
        token = typed["form"] if sent.age is FormAge.FAST else _token(visit, page)
        return _page(visit, page, token=token, error=known)
    async with visit.reading() as reader:
        return _page(visit, await _shown(reader, page.id), counted=counted)
