"""不公开备案: asking for it, the list, deciding."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.ingest import store, workflow
from services.ingest.api import DeskDep, ReadingDeskDep
from services.ingest.commands.desk import duty_of, item_of, items_within, require_reach
from services.ingest.commands.waivers import DECIDERS, FILERS, Decision, decide_waiver, file_waiver
from services.ingest.pages.frame import WAIVER_STATES, checked_period, needed, refused, render, texts, to
from services.ingest.pages.kept import KeptRoute
from services.kit.errors import ConflictError, InvalidInputError

router = APIRouter(route_class=KeptRoute)


@router.get("/waivers")
async def waivers(request: Request, desk: ReadingDeskDep) -> Response:
    """Every waiver of one's part of the tree, newest first, with what can be decided."""
    desk.actor.require(*workflow.READERS)
    villages = [v.code for v in desk.reference.villages(desk.actor.scope)]
    found = await store.select_waivers(desk.conn, villages, None, None, 200, items_within(desk))
    may_decide = desk.actor.role in DECIDERS
    return render(request, desk, "waivers.html", found=found, words=WAIVER_STATES, may_decide=may_decide)


@router.get("/waivers/new")
async def ask(
    request: Request,
    desk: ReadingDeskDep,
    village: Annotated[str, Query(max_length=12)],
    item: Annotated[str, Query(max_length=3)],
    period: Annotated[str, Query(max_length=10)],
) -> Response:
    """The form for one cell."""
    desk.actor.require(*FILERS)
    owed = duty_of(desk, village, item, checked_period(period))
    require_reach(desk, village, item_of(desk, item, period))
    return render(request, desk, "waiver.html", village=village, item=item, period=period, due=owed.due, reason="")


@router.post("/waivers")
async def file(request: Request, desk: DeskDep) -> Response:
    """Ask not to open a cell."""
    fields = await texts(request)
    village, item = fields.get("village", ""), fields.get("item", "")
    period = checked_period(fields.get("period", ""))
    owed = duty_of(desk, village, item, period)
    reason = fields.get("reason", "")
    try:
        text = needed(fields, "reason", "请写明不公开的理由，理由会公开。")
        if len(text) > 2000:  # noqa: PLR2004 - what the contract holds
            raise InvalidInputError("理由最多 2000 个字。")  # noqa: EM101, TRY003, TRY301 - one place
        await file_waiver(desk, village, item, period, text)
    except (InvalidInputError, ConflictError) as error:
        values = {"village": village, "item": item, "period": period, "due": owed.due, "reason": reason}
        raise refused(request, desk, "waiver.html", status=error.status, **values, error=error) from error
    return to("/desk/waivers")


@router.post("/waivers/{waiver_id}/{decision}")
async def decide(request: Request, waiver_id: UUID, decision: Decision, desk: DeskDep) -> Response:
    """Grant, refuse or end."""
    fields = await texts(request)
    await decide_waiver(desk, waiver_id, decision, fields.get("reason", "").strip()[:2000] or None)
    return to("/desk/waivers")
