"""The staff's list of codes: issue, rotate, revoke."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from starlette.responses import RedirectResponse

from services.contracts.code import CodeKind
from services.contracts.division import Division
from services.contracts.values import ShortText, VillageCode
from services.kit.errors import ConflictError, InvalidInputError
from services.kit.listing import Cursor, Page
from services.kit.pages import BlankIsNone, PageAnswerError
from services.kit.reference import Reference
from services.kit.route import Route
from services.kit.visit import STAFF, may
from services.qr.bulk.targets import Target, read_month
from services.qr.commands import codes as issuing
from services.qr.errors import NoVillageError
from services.qr.pages.frame import staff_page
from services.qr.store import codes as store
from services.qr.store import hangings, scans
from services.qr.store.codes import CodeRow
from services.qr.store.hangings import Hanging
from services.qr.store.scans import Health
from services.qr.visit import ChangingDep, Reading, ReadingDep

router = APIRouter(route_class=Route, include_in_schema=False)
_FIELDS: Final = ("village", "kind", "place", "item", "period", "subject")
OptionalText = Annotated[ShortText | None, BlankIsNone, Form()]


@dataclass(frozen=True, slots=True)
class CodeLine:
    """A code with where it hangs and whether it is opened."""

    row: CodeRow
    hanging: Hanging | None
    health: Health | None


@dataclass(frozen=True, slots=True)
class VillageLine:
    """A village with its codes, newest first; none while the first is still on its way."""

    division: Division
    codes: Sequence[CodeLine]


def _townships(ref: Reference, villages: Sequence[Division]) -> list[Division]:
    parents = dict.fromkeys(v.now.parent for v in villages)
    return [ref.divisions[p] for p in parents if p in ref.divisions]


def _village(row: CodeRow) -> str:
    return row.village


#: Of villages by their codes.
VILLAGES: Final = Cursor[str](VillageCode)


async def _lines(desk: Reading, villages: Sequence[Division]) -> list[VillageLine]:
    rows = await store.select_all_codes(desk.conn, [v.code for v in villages])
    names = [row.code for row in rows]
    hung = await hangings.select_hangings(desk.conn, names)
    health = await scans.select_health(desk.conn, names)
    of_village = {
        code: [CodeLine(row, hung.get(row.code), health.get(row.code)) for row in of]
        for code, of in groupby(rows, key=_village)
    }
    return [VillageLine(v, of_village.get(v.code, [])) for v in villages]


def _township_of(line: VillageLine) -> str | None:
    return line.division.now.parent


@router.get("/posters", dependencies=[may(*STAFF)])
async def codes_and_posters(
    request: Request,
    desk: ReadingDep,
    page: Annotated[Page[str], Depends(VILLAGES)],
    division: Annotated[str | None, Query(max_length=12)] = None,
) -> Response:
    """The villages of my part of the tree with their codes and posters."""
    ref, actor, top = desk.reference, desk.actor, division or desk.actor.scope
    actor.require_scope(ref, top)
    villages = ref.villages(top)
    rest = [v for v in villages if page.after is None or v.code > page.after]
    lines = await _lines(desk, rest[: page.limit])
    more = page.following(rest, lambda v: v.code)
    return staff_page(
        request,
        actor,
        "posters.html",
        top=ref.divisions[top],
        townships=_townships(ref, villages),
        groups=[(ref.divisions[p], list(of)) for p, of in groupby(lines, key=_township_of) if p],
        more=urlencode({"division": top, "limit": page.limit, "cursor": more}) if more else None,
    )


def _back(ref: Reference, village: str) -> Response:
    return RedirectResponse(f"/posters?division={ref.divisions[village].now.parent}#v-{village}", 303)


@router.post("/posters/{code}/revoke", dependencies=[may(*issuing.MAY_REVOKE)])
async def revoke(
    code: str, desk: ChangingDep, reason: Annotated[ShortText, Form()], only: Annotated[str, Form()] = ""
) -> Response:
    """Make a code count no more; the list then shows the one in its place, if there is to be one."""
    done = await issuing.revoke_code(desk, code, reason, replaced=not only)
    return _back(desk.reference, done.revoked.village)


@router.post("/posters/{code}/rotate", dependencies=[may(*issuing.MAY_ISSUE)])
async def rotate(code: str, desk: ChangingDep) -> Response:
    """Issue the code that will hang in this one's place."""
    done = await issuing.rotate_code(desk, code)
    return _back(desk.reference, done.issued.village)


def _items(desk: Reading) -> list[tuple[str, str]]:
    shown = (
        (code, item.at(desk.today))
        for code, item in sorted(desk.reference.items.items())
        if not item.retired(desk.today)
    )
    return [(code, revision.name) for code, revision in shown]


@router.get("/posters/new", dependencies=[may(*issuing.MAY_ISSUE)])
async def new_code(
    request: Request, desk: ReadingDep, division: Annotated[str | None, Query(max_length=12)] = None
) -> Response:
    """Where one more code of a village is asked for."""
    top = division or desk.actor.scope
    desk.actor.require_scope(desk.reference, top)
    villages = [v for v in desk.reference.villages(top) if v.now.kind in issuing.WITH_A_CODE]
    return staff_page(
        request,
        desk.actor,
        "new_code.html",
        villages=villages,
        items=_items(desk),
        error=None,
        typed=dict.fromkeys(_FIELDS, ""),
    )


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into the form of a new code."""

    village: Annotated[VillageCode, Form()]
    kind: Annotated[CodeKind, Form()]
    place: OptionalText = None
    item: OptionalText = None
    period: OptionalText = None
    subject: OptionalText = None

    def target(self) -> Target:
        """What the code is for."""
        return Target(self.kind, self.place, self.item, read_month(self.period) if self.period else None, self.subject)


@router.post("/posters/new", dependencies=[may(*issuing.MAY_ISSUE)])
async def issue(request: Request, typed: Annotated[Typed, Depends()], desk: ChangingDep) -> Response:
    """Issue it, or show the form again with what is wrong."""
    ref = desk.reference
    try:
        if typed.village not in ref.divisions:
            raise NoVillageError
        row = await issuing.issue_code(desk, typed.village, typed.target())
    except (InvalidInputError, ConflictError) as error:
        villages = [v for v in ref.villages(desk.actor.scope) if v.now.kind in issuing.WITH_A_CODE]
        page = staff_page(
            request,
            desk.actor,
            "new_code.html",
            status=error.status,
            villages=villages,
            items=_items(desk),
            error=error,
            typed={name: getattr(typed, name) or "" for name in _FIELDS},
        )
        raise PageAnswerError(page) from error
    return RedirectResponse(f"/posters/codes/{row.code}", 303)
