"""The trail as a page to search, one in each service that staff act in; each shows what was done there."""

from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.contracts.values import ShortText
from services.contracts.words import ROLE_NAMES
from services.kit import actions
from services.kit.clock import start_of_day
from services.kit.pages import BlankIsNone, pages_of
from services.kit.route import Route
from services.kit.settings import Settings
from services.kit.trail import LOOKERS, LookingDep, visible, who_is
from services.kit.visit import Reading, may

PAGE_SIZE: Final = 100
#: Where each service shows its own.
PLACES: Final = (
    ("/admin/actions", "登录、账号、目录"),
    ("/desk/actions", "录入、核对、审核"),
    ("/inspect/actions", "监督"),
    ("/posters/actions", "码和码牌"),
)


class ActionFilters(BaseModel):
    """Which actions are wanted; blank fields narrow nothing. The day is local and included."""

    actor: Annotated[ShortText | None, BlankIsNone] = None
    object: Annotated[ShortText | None, BlankIsNone] = None
    since: Annotated[date | None, BlankIsNone] = None
    before: Annotated[Annotated[int, Field(ge=0, lt=2**63)] | None, BlankIsNone] = None


FiltersDep = Annotated[ActionFilters, Query()]


async def trail_values(looking: Reading[Settings, object], here: str, filters: ActionFilters) -> dict[str, Any]:
    """What `actions.html` shows, newest first: operators see all, inspectors their part of the tree."""
    reference = looking.reference
    within = visible(looking.actor, reference)
    since = start_of_day(filters.since) if filters.since else None
    wanted = actions.Wanted(who_is(reference, filters.actor), filters.object, since, None, within)
    rows = await actions.select_actions(looking.conn, wanted, filters.before, PAGE_SIZE + 1)
    return {
        "rows": rows[:PAGE_SIZE],
        "names": {s.staff_id: s.username for s in reference.staff.values()},
        "filters": filters,
        "more": rows[PAGE_SIZE - 1].id if len(rows) > PAGE_SIZE else None,
        "places": PLACES,
        "here": here,
        "roles": ROLE_NAMES,
    }


def trail_page(path: str, static: str) -> APIRouter:
    """The page of one service at `path`, in the plain frame."""
    router = APIRouter(include_in_schema=False, route_class=Route)

    @router.get(path, dependencies=[may(*LOOKERS)])
    async def staff_actions(request: Request, looking: LookingDep, filters: FiltersDep) -> Response:
        values = await trail_values(looking, request.url.path, filters)
        return pages_of(request).answer("actions.html", static=static, actor=looking.actor, **values)

    return router
