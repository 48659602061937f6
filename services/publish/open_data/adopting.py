"""已采用: whoever takes a card or a text says so, and is told what becomes of it; as JSON, as pages, as a feed of their own."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Path
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from services.kit.errors import Fault, InvalidInputError, NotFoundError, SanwuError
from services.kit.problems import headers_of
from services.kit.route import Route
from services.publish.commands import adopting
from services.publish.commands.adopting import MOST, Taking
from services.publish.errors import FormTimeError, WithdrawnError
from services.publish.hot.front import cached_json
from services.publish.render.adopting import TakenPage, TakenView, address_faults, told_words
from services.publish.render.feed import ATOM, Feed, atom
from services.publish.render.forms import FormAge
from services.publish.schemas.adoptions import AdoptedOut, AdoptionIn, AdoptionOut, Taker
from services.publish.store import adoptions, publications
from services.publish.store.adoptions import Adopted
from services.publish.visit import Public, PublicDep, Visit, VisitDep

router = APIRouter()
pages = APIRouter(route_class=Route, include_in_schema=False)
lists = APIRouter(prefix="/api/v1", route_class=Route, tags=["public"])
#: What a secret leads to is for whoever holds it.
_OWN: Final = {"cache-control": "no-store", "x-robots-tag": "noindex", "referrer-policy": "no-referrer"}
_MOST_ADDRESSES: Final = 5
_AGES: Final = {
    FormAge.FAST: "您按得太快了。内容都还在，请看一遍，过几秒再按一次。",
    FormAge.OLD: "这张表打开得太久了。内容都还在，请再按一次。",
    FormAge.FOREIGN: "这张表不完整。内容都还在，请再按一次。",
}
IdOf = Annotated[str, Path(description="the disclosure's id", pattern=r"^[0-9A-Za-z-]{1,64}$")]
TakerOf = Annotated[Taker, Path(description="the secret that was told when something was taken over")]


async def _keep(visit: Visit, disclosure_id: str, sent: AdoptionIn) -> str:
    """Note what was taken over; the secret. InvalidInputError, NotFoundError, WithdrawnError, AskedTooOftenError."""
    address = (sent.address or "").strip() or None
    faults = address_faults(address, visit.settings.adoption_hosts) if address is not None else []
    if faults:
        raise InvalidInputError(faults=[Fault("address", message) for message in faults])
    async with visit.changing() as conn:
        return await adopting.adopt(visit, conn, Taking(disclosure_id, sent.version, address, sent.taker))


def _out(visit: Visit, taker: str, disclosure_id: str, version: int) -> AdoptionOut:
    page = f"{visit.bodies.public_url}/taken/{taker}"
    return AdoptionOut(taker=taker, disclosure=disclosure_id, version=version, page=page, feed=f"{page}/feed.atom")


@lists.post(
    "/disclosures/{disclosure_id}/adoptions",
    status_code=201,
    response_model=AdoptionOut,
    responses={
        410: {"description": "`withdrawn`: there is nothing to be taken over."},
        429: {
            "description": "`asked_too_often`: more than one network may note at once; `Retry-After` says when to come again."
        },
    },
)
async def adopt(disclosure_id: IdOf, body: AdoptionIn, visit: VisitDep) -> Response:
    """Note that you took an edition over (已采用); `taker` of the answer leads to a feed of its corrections and withdrawals."""
    taker = await _keep(visit, disclosure_id, body)
    told = _out(visit, taker, disclosure_id, body.version)
    return Response(told.model_dump_json(), 201, _OWN, "application/json")


@lists.get("/disclosures/{disclosure_id}/adoptions", response_model=AdoptedOut)
async def adopted(disclosure_id: IdOf, reader: PublicDep) -> Response:
    """How often a disclosure was taken over, and where, as far as those who took it let that be shown."""
    if not await publications.select_publications(reader.conn, [disclosure_id]):
        raise NotFoundError
    found = (await adoptions.select_adopted(reader.conn, [disclosure_id], _MOST_ADDRESSES)).get(
        disclosure_id, Adopted()
    )
    told = AdoptedOut(count=found.count, addresses=list(found.addresses))
    return cached_json(told.model_dump_json().encode(), None)


@lists.delete("/adoptions/{taker}", status_code=204)
async def give_up(taker: TakerOf, visit: VisitDep) -> Response:
    """Remove all that was noted under a secret."""
    async with visit.changing() as conn:
        await adopting.give_up(conn, taker, None)
    return Response(status_code=204, headers=_OWN)


# -- pages --------------------------------------------------------------------------------------------------------


async def _form(
    visit: Visit, disclosure_id: str, typed: dict[str, str], *, token: str = "", error: SanwuError | None = None
) -> Response:
    async with visit.reading() as reader:
        found = (await publications.select_publications(reader.conn, [disclosure_id])).get(disclosure_id)
    village = visit.bodies.village(found.village_code) if found is not None else None
    if found is None or village is None:
        raise NotFoundError
    if not found.is_live:
        raise WithdrawnError
    faults = [f.message for f in error.faults] or [error.detail] if error is not None else []
    body = visit.bodies.html(
        "adopt.html",
        of_persons=True,
        village=village,
        entry=visit.bodies.entry_of(found),
        id=disclosure_id,
        typed={"version": str(found.number), "address": "", "taker": "", **typed},
        hosts=visit.settings.adoption_hosts,
        token=token or visit.own.forms.token(f"adopt {disclosure_id}", visit.now),
        faults=faults,
    )
    headers = {**(headers_of(error) if error is not None else {}), **_OWN}
    return Response(body.content, error.status if error is not None else 200, headers, body.media_type)


@pages.get("/d/{disclosure_id}/adopt")
async def form(disclosure_id: IdOf, visit: VisitDep, taker: str = "") -> Response:
    """The form in which an editor says that this was taken over; NotFoundError, WithdrawnError."""
    return await _form(visit, disclosure_id, {"taker": taker[:64]})


@pages.post("/d/{disclosure_id}/adopt")
async def send(
    *,
    disclosure_id: IdOf,
    visit: VisitDep,
    form: Annotated[str, Form(max_length=200)] = "",
    version: Annotated[str, Form(max_length=10)] = "",
    address: Annotated[str, Form(max_length=1000)] = "",
    taker: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Note it; what is refused comes back with what was typed."""
    typed = {"version": version, "address": address, "taker": taker}
    sent = visit.own.forms.read(form, f"adopt {disclosure_id}", visit.now)
    try:
        if sent.age is not FormAge.RIGHT:
            raise FormTimeError(_AGES[sent.age])
        kept = await _keep(visit, disclosure_id, _read(typed))
    except (NotFoundError, WithdrawnError):
        raise
    except SanwuError as error:
        token = form if sent.age is FormAge.FAST else ""
        return await _form(visit, disclosure_id, typed, token=token, error=error)
    return RedirectResponse(f"/taken/{kept}", 303, _OWN)


def _read(typed: dict[str, str]) -> AdoptionIn:
    try:
        return AdoptionIn.model_validate({name: value.strip() or None for name, value in typed.items()})
    except ValidationError as error:
        words = {"version": "第几版要写一个数字", "taker": "编号不对，应为32位，没有就不填"}
        faults = [Fault(str(e["loc"][0]), words.get(str(e["loc"][0]), "填得不对")) for e in error.errors()]
        raise InvalidInputError(faults=faults) from error


async def _taken(reader: Public, taker: str) -> TakenPage:
    """All that a secret leads to; NotFoundError when there is nothing."""
    rows = await adoptions.select_of_taker(reader.conn, taker, MOST)
    known = await publications.select_publications(reader.conn, [a.disclosure_id for a in rows])
    views = []
    for a in rows:
        p, village = known.get(a.disclosure_id), reader.bodies.village(a.village_code)
        if p is not None and village is not None:
            changed = not p.is_live or p.number > a.version
            told = told_words(is_live=p.is_live, version=a.version, newest=p.number)
            entry = reader.bodies.entry_of(p)
            views.append(TakenView(p.disclosure_id, entry, village.name, a.version, a.address, told, changed))
    if not views:
        raise NotFoundError
    return TakenPage(taker, views, f"/taken/{taker}/feed.atom")


@pages.get("/taken/{taker}")
async def taken(taker: TakerOf, reader: PublicDep) -> Response:
    """What was taken over under a secret, and what to do about it; NotFoundError."""
    body = reader.bodies.html("taken.html", of_persons=True, page=await _taken(reader, taker))
    return Response(body.content, 200, _OWN, body.media_type)


@pages.get("/taken/{taker}/feed.atom")
async def feed(taker: TakerOf, reader: PublicDep) -> Response:
    """Corrections and withdrawals of what was taken over under a secret; NotFoundError."""
    page, bodies = await _taken(reader, taker), reader.bodies
    known = await publications.select_publications(reader.conn, [r.id for r in page.rows if r.changed])
    whose = {r.id: f"{r.whose}：" for r in page.rows}
    changed = sorted(known.values(), key=lambda p: p.withdrawn_at or p.published_at, reverse=True)
    about = Feed("/", "采用过的公开内容：更正和撤回", "阳光三务", page.feed)
    rows = [(p, whose[p.disclosure_id], bodies.entry_of(p)) for p in changed]
    return Response(atom(bodies.public_url, about, rows, reader.now), media_type=ATOM, headers=_OWN)


@pages.post("/taken/{taker}/remove")
async def remove(taker: TakerOf, visit: VisitDep, disclosure: Annotated[str, Form(max_length=64)] = "") -> Response:
    """Remove one of them, or all."""
    async with visit.changing() as conn:
        await adopting.give_up(conn, taker, disclosure or None)
        left = await adoptions.select_of_taker(conn, taker, 1)
    return RedirectResponse(f"/taken/{taker}" if left else "/", 303, _OWN)


router.include_router(pages)
router.include_router(lists)
