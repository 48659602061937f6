"""The trail of staff actions as services show and keep it: its route, its jobs, the operators' command `actions`."""

import argparse
import getpass
import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from services.contracts.base import Role
from services.contracts.staff import MACHINE
from services.contracts.values import ShortText
from services.kit import actions
from services.kit.auth import Actor
from services.kit.db import Connection
from services.kit.errors import Fault, InvalidInputError
from services.kit.log import get_logger
from services.kit.reference import Reference
from services.kit.runtime import Command, Runtime
from services.kit.web import ActorDep, PageDep, Reading, RuntimeDep

log = get_logger(__name__)


class ActionOut(BaseModel):
    """An action of a member of staff; `position` is its place in the chain, null for some seconds."""

    id: int
    at: datetime
    actor: str | None
    role: str | None
    scope: str | None
    action: str
    object: str | None
    village: str | None
    request_id: str
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
        position=row.position,
    )


def visible(actor: Actor, reference: Reference) -> list[str] | None:
    """The divisions whose actions somebody may see; None for all. Operators and inspectors alone may see any."""
    actor.require(Role.OPERATOR, Role.INSPECTOR)
    city = reference.city()
    if city is not None and actor.scope == city.code:
        return None
    return [code for code in reference.divisions if reference.covers(actor.scope, code)]


def who_is(reference: Reference, asked: str | None) -> str | None:
    """A staff id, given as such or as a username."""
    if asked is None:
        return None
    return next((s.staff_id for s in reference.staff.values() if s.username == asked), asked)


def trail_router(service: str) -> APIRouter:
    """`GET /<service>/v1/actions` for a service's application."""
    router = APIRouter(prefix=f"/{service}/v1")

    @router.get("/actions")
    async def staff_actions(  # noqa: PLR0917 - filters of the query
        runtime: RuntimeDep,
        actor: ActorDep,
        page: PageDep,
        conn: Reading,
        who: Annotated[ShortText | None, Query(alias="actor", description="staff id or username")] = None,
        thing: Annotated[ShortText | None, Query(alias="object")] = None,
        since: Annotated[AwareDatetime | None, Query()] = None,
        until: Annotated[AwareDatetime | None, Query()] = None,
    ) -> dict[str, Any]:
        """What members of staff did, newest first: operators, and inspectors for their part of the tree."""
        within = visible(actor, runtime.reference)
        wanted = actions.Wanted(who_is(runtime.reference, who), thing, since, until, within)
        rows = await actions.select_actions(conn, wanted, _before(page.after), page.limit + 1)
        items = [action_out(r) for r in rows[: page.limit]]
        return page.answer(items, str(items[-1].id) if len(rows) > page.limit else None)

    return router


def _before(after: str | None) -> int | None:
    if after is None:
        return None
    if not after.isascii() or not after.isdigit() or len(after) > 18:  # noqa: PLR2004 - digits of a bigint
        raise InvalidInputError(faults=[Fault("query.cursor", "不是本接口给出的游标，请从头读取")])
    return int(after)


# -- commands on the machine itself


def add_by(parser: argparse.ArgumentParser) -> None:
    """`--by`, for a command that changes something."""
    parser.add_argument(
        "--by", metavar="NAME", help="who does it, for the trail; the system's user stands there anyway"
    )


async def note_command(
    conn: Connection, runtime: Runtime, by: str | None, action: str, things: Sequence[str] = ()
) -> None:
    """Write what a command did into the caller's transaction, a row for each thing it did it to.

    Whoever may run commands on the machine stands for the whole city: `machine/<system's user>`, and behind it the
    person who is named. Searching for `machine` finds them all.
    """
    city = runtime.reference.city()
    names = [MACHINE, getpass.getuser(), *([by.strip()] if by and by.strip() else [])]
    who = actions.Who("/".join(names), Role.OPERATOR.value, city.code if city is not None else None)
    await actions.record_command(conn, who, action, runtime.clock.now(), things or [None])


async def link(runtime: Runtime) -> None:
    """Chain what was committed since the last run."""
    linked = actions.BATCH
    while linked == actions.BATCH:
        runtime.beat()
        async with runtime.database.transaction() as conn:
            linked = await actions.link_pending(conn)


async def prune(runtime: Runtime) -> None:
    """Remove what is older than the setting says; tell the head, so that logs kept elsewhere bear witness to it."""
    async with runtime.database.transaction() as conn:
        kept_for = timedelta(days=runtime.settings.trail_days)
        await actions.prune(conn, runtime.clock.now() - kept_for)
        chain = await actions.lock_chain(conn)
    log.info("trail head", position=chain.head_position, link=chain.head_link.hex())


#: Once an hour; the linking job runs every five seconds.
PRUNE_EVERY_S: Final = 3600.0
LINK_EVERY_S: Final = 5.0


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["verify"], help="compute every link of the trail anew")
    parser.add_argument("--head", metavar="POSITION:LINK", help="a head noted earlier, which must still be part of it")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def _noted(text: str | None) -> actions.Head | None:
    if text is None:
        return None
    position, _, link_text = text.partition(":")
    try:
        return actions.Head(int(position), bytes.fromhex(link_text))
    except ValueError:
        sys.stderr.write(f"{text}: a head is written POSITION:LINK, as an earlier `actions verify` told it\n")
        raise SystemExit(2) from None


async def verify(runtime: Runtime, noted: actions.Head | None = None) -> tuple[actions.Chain, actions.Broken | None]:
    """Both ends of the trail and its first broken link, if any."""
    async with runtime.database.transaction() as conn:
        chain = await actions.lock_chain(conn)
        return chain, await actions.first_broken(conn, chain, noted)


async def _run(runtime: Runtime, arguments: argparse.Namespace) -> int:
    noted = _noted(arguments.head)
    chain, broken = await verify(runtime, noted)
    head = f"{chain.head_position}:{chain.head_link.hex()}"
    found = {"position": broken.position, "why": broken.why} if broken else None
    if arguments.json:
        told = {"whole": broken is None, "from": chain.anchor_position + 1, "head": head, "broken": found}
        sys.stdout.write(json.dumps(told) + "\n")
    elif broken is not None:
        sys.stdout.write(f"broken at {broken.position}: {broken.why}\n")
    else:
        sys.stdout.write(f"whole from {chain.anchor_position + 1} to {head}\n")
    return 0 if broken is None else 1


ACTIONS: Final = Command("actions", "the trail of staff actions: verify its chain", _add_arguments, _run)
