"""Where staff choose what to print, look at it, and print it."""

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from services.contracts.code import CodeKind
from services.contracts.division import DivisionKind
from services.kit.route import Route
from services.kit.visit import may
from services.qr.commands import codes as issuing
from services.qr.commands.printing import MAX_POSTERS
from services.qr.pages.frame import staff_page
from services.qr.render.poster import FORMS, Form
from services.qr.store import codes as store
from services.qr.visit import ReadingDep

router = APIRouter(route_class=Route, include_in_schema=False)
_WORDS: Final = {form.value: of.word for form, of in FORMS.items()}


@router.get("/posters/print", dependencies=[may(*issuing.MAY_PRINT)])
async def print_page(
    request: Request,
    desk: ReadingDep,
    division: Annotated[str | None, Query(max_length=12)] = None,
    size: Form = Form.A4,
    copies: Annotated[int, Query(ge=1, le=100)] = 1,
) -> Response:
    """Choose a form and a division; see how many there are and what the first looks like."""
    ref, top = desk.reference, division or desk.actor.scope
    desk.actor.require_scope(ref, top)
    form = FORMS[size]
    rows = await store.select_valid_codes(desk.conn, [v.code for v in ref.villages(top)], form.kinds)
    prints = len(rows) * (form.a_sheet * copies if form.repeats else 1)
    asked = len(rows) * (copies if form.repeats else 1)
    below = [ref.divisions[desk.actor.scope], *_below(desk)]
    return staff_page(
        request,
        desk.actor,
        "print.html",
        top=ref.divisions[top],
        choices=below,
        forms=_WORDS,
        size=size.value,
        form=form,
        copies=copies,
        count=len(rows),
        sheets=-(-prints // form.a_sheet),
        too_many=asked > MAX_POSTERS,
        most=MAX_POSTERS,
        is_township=ref.divisions[top].now.kind is DivisionKind.TOWNSHIP,
        wants=[CodeKind(k) for k in form.kinds],
        query=urlencode({"division": top, "size": size.value, **({"copies": copies} if form.repeats else {})}),
    )


def _below(desk: ReadingDep) -> list[object]:
    """Townships of the city, villages of a township."""
    return list(desk.reference.children(desk.actor.scope))
