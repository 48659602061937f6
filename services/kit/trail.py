"""The trail of staff actions as services show and keep it: its route, its jobs, the operators' command `actions`."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel
from typer import BadParameter, Option

from services.contracts.base import Role
from services.contracts.staff import MACHINE
from services.contracts.values import ShortText
from services.kit import actions
from services.kit.auth import Actor
from services.kit.cli import Told, new_app, on_runtime, system_user
from services.kit.db import Connection
from services.kit.heads import Signed
from services.kit.listing import Cursor, Listing, Page, Serial
from services.kit.log import get_logger
from services.kit.reference import Reference
from services.kit.route import Route
from services.kit.runtime import AnyRuntime
from services.kit.settings import Settings
from services.kit.visit import Reading, may, reading_dep

log = get_logger(__name__)


_ACTION: Final = {
    "id": 29,
    "at": "2026-11-06T00:20:15Z",
    "actor": "019fc522-8650-743c-ae99-3f85e4a032fb",
    "role": "reviewer",
    "scope": "210881006",
    "action": "POST /ingest/v1/disclosures/{disclosure_id}/approve",
    "object": "disclosure/01a1a943-b8a2-769d-879c-ac41056ef997",
    "village": "210881006206",
    "request_id": "89954d0372aa4b1fb7ffd66a823497d8",
    "address": "203.0.113.7",
    "refused": None,
    "times": None,
    "position": 29,
}


class ActionOut(BaseModel, json_schema_extra={"examples": [_ACTION]}):
    """An action of a member of staff; `position` is its place in the chain, null for some seconds.

    `refused`: the code of the answer, where it was refused; `times`: of how many more the row tells.
    """

    id: int
    at: datetime
    actor: str | None
    role: str | None
    scope: str | None
    action: str
    object: str | None
    village: str | None
    request_id: str
    address: str | None
    refused: str | None
    times: int | None
    position: int | None


def action_out(row: actions.Action) -> ActionOut:
    """A row as the API tells it."""
    return ActionOut(
        id=row.id,
        at=row.happened_at,
        actor=row.actor_id,
        role=row.actor_role,
        scope=row.actor_scope,
        action=row.action,
        object=row.object,
        village=row.village_code,
        request_id=row.request_id,
        address=row.address,
        refused=row.refused,
        times=row.times,
        position=row.position,
    )


#: Who may look at the trail.
LOOKERS: Final = (Role.OPERATOR, Role.INSPECTOR)
#: Looks into any service's trail.
LookingDep = Annotated[Reading[Settings, object], reading_dep(Reading)]


def visible(actor: Actor, reference: Reference) -> list[str] | None:
    """The divisions whose actions somebody may see; None for all."""
    city = reference.city()
    if city is not None and actor.scope == city.code:
        return None
    return [code for code in reference.divisions if reference.covers(actor.scope, code)]


def within_of(looking: Reading[Settings, object], place: str | None) -> list[str] | None:
    """The divisions of one's part of the tree that have a code or a name; all of them, or None for all, when none is asked."""
    may_see = visible(looking.actor, looking.reference)
    if place is None:
        return may_see
    named = [c for c, d in looking.reference.divisions.items() if place in {c, d.now.name}]
    return [code for code in named if may_see is None or code in may_see]


def who_is(reference: Reference, asked: str | None) -> str | None:
    """A staff id, given as such or as a username."""
    if asked is None:
        return None
    return next((s.staff_id for s in reference.staff.values() if s.username == asked), asked)


_ACTIONS: Final = Cursor[int](Serial)


def trail_router(service: str) -> APIRouter:
    """`GET /<service>/v1/actions` for a service's application."""
    router = APIRouter(prefix=f"/{service}/v1", route_class=Route, tags=["trail"])

    @router.get("/actions", dependencies=[may(*LOOKERS)])
    async def staff_actions(
        looking: LookingDep,
        page: Annotated[Page[int], Depends(_ACTIONS)],
        *,
        who: Annotated[ShortText | None, Query(alias="actor", description="staff id or username")] = None,
        thing: Annotated[ShortText | None, Query(alias="object", description="what was acted on")] = None,
        since: Annotated[AwareDatetime | None, Query(description="from this moment on")] = None,
        until: Annotated[AwareDatetime | None, Query(description="before this moment")] = None,
        village: Annotated[ShortText | None, Query(description="code or name of a village, or of any division")] = None,
    ) -> Listing[ActionOut]:
        """What members of staff did, newest first: operators, and inspectors for their part of the tree."""
        within = within_of(looking, village)
        wanted = actions.Wanted(who_is(looking.reference, who), thing, since, until, within)
        rows = await actions.select_actions(looking.conn, wanted, page.after, page.fetch_limit)
        return page.of(rows, lambda row: row.id, action_out)

    return router


# -- commands on the machine itself


async def note_command(
    conn: Connection, runtime: AnyRuntime, by: str | None, action: str, things: Sequence[str] = ()
) -> None:
    """Write what a command did into the caller's transaction, a row for each thing it did it to.

    Whoever may run commands on the machine stands for the whole city: `machine/<system's user>`, and behind it the
    person who is named. Searching for `machine` finds them all.
    """
    city = runtime.reference.city()
    names = [MACHINE, system_user(), *([by.strip()] if by and by.strip() else [])]
    who = actions.Who("/".join(names), Role.OPERATOR.value, city.code if city is not None else None)
    await actions.record_all(conn, who, f"command {action}", runtime.clock.now(), things or [None])


async def link(runtime: AnyRuntime) -> None:
    """Chain what was committed since the last run."""
    linked = actions.BATCH
    while linked == actions.BATCH:
        runtime.beat()
        async with runtime.database.transaction() as conn:
            linked = await actions.link_pending(conn, runtime.service)


async def prune(runtime: AnyRuntime) -> None:
    """Remove what is older than the setting says, batch by batch."""
    before = runtime.clock.now() - timedelta(days=runtime.settings.trail_days)
    last, removed_to = -1, 0
    while removed_to > last:
        runtime.beat()
        async with runtime.database.transaction() as conn:
            last, removed_to = removed_to, await actions.prune(conn, runtime.service, before)


#: Once an hour; the linking job runs every five seconds.
PRUNE_EVERY_S: Final = 3600.0
LINK_EVERY_S: Final = 5.0


def _noted(text: str) -> actions.Head:
    position, _, link_text = text.partition(":")
    try:
        return actions.Head(int(position), bytes.fromhex(link_text))
    except ValueError:
        message = "a head is written POSITION:LINK, as an earlier `actions verify` told it"
        raise BadParameter(message) from None


#: A head is said within a day after its rows; a row goes when it is older than this.
_SURELY_KEPT: Final = timedelta(days=183)


async def verify(
    runtime: AnyRuntime, heads: Sequence[actions.Head] = ()
) -> tuple[actions.Chain, actions.Broken | None]:
    """Both ends of the trail and its first broken link, if any; it has to go through every head that is given."""
    async with runtime.database.transaction() as conn:
        chain = await actions.lock_chain(conn, runtime.service)
        if not await actions.is_apart(conn):
            why = "this is not the trail that the service cannot change: another table stands before it"
            return chain, actions.Broken(chain.anchor_position + 1, why)
        kept_since = runtime.clock.now() - _SURELY_KEPT
        for head in heads:
            if head.position < chain.anchor_position and head.at is not None and head.at > kept_since:
                return chain, actions.Broken(
                    head.position + 1, f"removed before its time: the head {head} was told since"
                )
        return chain, await actions.first_broken(conn, chain, heads)


ACTIONS: Final = new_app("The trail of staff actions.")
_HeadsFile = Annotated[
    Path | None,
    Option(
        "--heads",
        exists=True,
        dir_okay=False,
        help="Heads that were signed, as `python -m services.audit heads --json` tells.",
    ),
]


def _signed(runtime: AnyRuntime, file: Path | None) -> list[actions.Head]:
    """Those heads of this service in a file that its key signed."""
    told = json.loads(file.read_text("utf-8"))["heads"] if file is not None else []
    found = [
        Signed(h["service"], h["position"], h["link"], datetime.fromisoformat(h["at"]), h["signature"]) for h in told
    ]
    keys = runtime.settings.trail_keys
    own = [h for h in found if h.service == runtime.service and h.holds(keys)]
    return [actions.Head(h.position, bytes.fromhex(h.link), h.at) for h in own]


@ACTIONS.command("verify")
@on_runtime
async def verify_trail(
    runtime: AnyRuntime,
    *,
    noted: Annotated[
        actions.Head | None,
        Option(
            "--head",
            parser=_noted,
            metavar="POSITION:LINK",
            help="A head noted earlier, which must still be part of it.",
        ),
    ] = None,
    file: _HeadsFile = None,
) -> Told:
    """Compute every link of the trail anew; exit status 1 where it is broken, or does not go through a head."""
    heads = [*_signed(runtime, file), *([noted] if noted is not None else [])]
    chain, broken = await verify(runtime, heads)
    first, head = chain.anchor_position + 1, f"{chain.head_position}:{chain.head_link.hex()}"
    found = {"position": broken.position, "why": broken.why} if broken else None
    values = {"whole": broken is None, "from": first, "head": head, "heads": len(heads), "broken": found}
    if broken:
        return Told(values, [f"broken at {broken.position}: {broken.why}"], status=1)
    return Told(values, [f"whole from {first} to {head}, through {len(heads)} heads that were noted or signed"])
