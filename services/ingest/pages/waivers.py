"""不公开备案: asking for it, the list, deciding."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.ingest import workflow
from services.ingest.commands.waivers import DECIDERS, FILERS, WaiverDecision, decide_waiver, file_waiver
from services.ingest.pages.frame import WAIVER_STATES, FieldsDep, checked_period, needed, refusal_page, render, to
from services.ingest.pages.kept import KeptRoute
from services.ingest.store.waivers import select_waivers
from services.ingest.visit import ChangingDep, ReadingDep
from services.kit.errors import ConflictError, InvalidInputError
from services.kit.visit import may

router = APIRouter(route_class=KeptRoute)


@router.get("/waivers", dependencies=[may(*workflow.READERS)])
async def waivers(request: Request, desk: ReadingDep) -> Response:
    """Every waiver of one's part of the tree, newest first, with what can be decided."""
    villages = desk.villages()
    found = await select_waivers(desk.conn, villages, None, None, 200, desk.items_within())
    may_decide = desk.actor.role in DECIDERS
    return render(request, desk, "waivers.html", found=found, words=WAIVER_STATES, may_decide=may_decide)


@router.get("/waivers/new", dependencies=[may(*FILERS)])
async def ask(
    request: Request,
    desk: ReadingDep,
    village: Annotated[str, Query(max_length=12)],
    item: Annotated[str, Query(max_length=3)],
    period: Annotated[str, Query(max_length=10)],
) -> Response:
    """The form that asks not to open one cell."""
    owed = desk.duty(village, item, checked_period(period))
    desk.require_reach(village, desk.item(item, period))
    return render(request, desk, "waiver.html", village=village, item=item, period=period, due=owed.due, reason="")


@router.post("/waivers", dependencies=[may(*FILERS)])
async def file(request: Request, fields: FieldsDep, desk: ChangingDep) -> Response:
    """File a waiver for one cell; what is wrong comes back on the form."""
    village, item = fields.get("village", ""), fields.get("item", "")
    period = checked_period(fields.get("period", ""))
    owed = desk.duty(village, item, period)
    reason = fields.get("reason", "")
    try:
        text = needed(fields, "reason", "请写明不公开的理由，理由会公开。")
        if len(text) > 2000:  # noqa: PLR2004 - what the contract holds
            raise InvalidInputError("理由最多 2000 个字。")  # noqa: EM101, TRY003, TRY301 - one place
        await file_waiver(desk, village, item, period, text)
    except (InvalidInputError, ConflictError) as error:
        values = {"village": village, "item": item, "period": period, "due": owed.due, "reason": reason}
        raise refusal_page(request, desk, "waiver.html", status=error.status, **values, error=error) from error
    return to("/desk/waivers")


@router.post("/waivers/{waiver_id}/{decision}", dependencies=[may(*DECIDERS)])
async def decide(waiver_id: UUID, decision: WaiverDecision, fields: FieldsDep, desk: ChangingDep) -> Response:
    """Grant, refuse or end a waiver."""
    await decide_waiver(desk, waiver_id, decision, fields.get("reason", "").strip()[:2000] or None)
    return to("/desk/waivers")
