"""Approving many at once with time to undo: what was chosen is carried out when the time has passed, each for itself."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

import uuid_utils.compat

from services.ingest.commands.checking import approve, refuse_own_reset
from services.ingest.errors import TooLateToUndoError, UnknownApprovalError, UnknownDisclosureError
from services.ingest.store.approvals import (
    Approval,
    ApprovalItem,
    insert_approval,
    lock_approval,
    select_approval,
    select_due_items,
    undo_approval,
    update_item,
)
from services.ingest.store.disclosures import select_known
from services.ingest.visit import Changing, IngestRuntime, Reading, the_one
from services.kit import actions
from services.kit.address import client_address
from services.kit.auth import actor_of
from services.kit.db import Connection
from services.kit.errors import ForbiddenError, SanwuError

_LEFT: Final = "审核人已经不在岗，没有发布。"


async def approve_later(desk: Changing, items: Sequence[ApprovalItem]) -> Approval:
    """Store a batch of what is to be approved once the time to undo has passed; nothing is approved yet."""
    unique = {i.disclosure_id: i for i in items}
    known = await select_known(desk.conn, unique)
    for disclosure_id in unique:
        disclosure = known.get(disclosure_id)
        if disclosure is None:
            raise UnknownDisclosureError
        desk.require_reach(disclosure.village_code, desk.item_of(disclosure))
        # Told now, not when its time has come; it is looked at again then.
        refuse_own_reset(desk, disclosure.submitted_by, disclosure.submitted_at)
    due_at = desk.now + timedelta(seconds=desk.settings.undo_seconds)
    made = Approval(
        id=uuid_utils.compat.uuid7(),
        actor_id=desk.actor.staff_id,
        created_at=desk.now,
        due_at=due_at,
        undone_at=None,
        address=client_address(),
        items=tuple(unique.values()),
    )
    await insert_approval(desk.conn, made)
    actions.about(f"approval/{made.id}", the_one(d.village_code for d in known.values()))
    return made


async def approval_of(desk: Reading, approval_id: UUID) -> Approval:
    """Read a batch of one's own; to others it is unknown."""
    return _own(desk, await select_approval(desk.conn, approval_id))


def _own(desk: Reading, approval: Approval | None) -> Approval:
    if approval is None or approval.actor_id != desk.actor.staff_id:
        raise UnknownApprovalError
    return approval


async def undo(desk: Changing, approval_id: UUID) -> Approval:
    """Take a batch back while it waits; TooLateToUndoError once any of it was carried out."""
    approval = _own(desk, await lock_approval(desk.conn, approval_id))
    if desk.now >= approval.due_at or any(i.state in {"approved", "failed"} for i in approval.items):
        raise TooLateToUndoError
    await undo_approval(desk.conn, approval.id, desk.now)
    known = await select_known(desk.conn, [i.disclosure_id for i in approval.items])
    actions.about(f"approval/{approval.id}", the_one(d.village_code for d in known.values()))
    things = [f"disclosure/{d.id}" for d in known.values()]
    villages = [d.village_code for d in known.values()]
    await actions.record_all(desk.conn, desk.actor.who, "approval undone", desk.now, things, villages)
    return replace(approval, undone_at=desk.now, items=tuple(replace(i, state="undone") for i in approval.items))


async def carry_out(runtime: IngestRuntime, limit: int) -> int:
    """Approve what is due, each in a transaction of its own; returns how many items were looked at."""
    database, now = runtime.database, runtime.clock.now()
    async with database.connection() as conn:
        due = await select_due_items(conn, now, limit)
    for approval_id, disclosure_id in due:
        runtime.beat()
        refused = None
        try:
            async with database.transaction() as conn:
                await _carry_out_one(runtime, conn, approval_id, disclosure_id)
        except SanwuError as error:
            refused = error
        if refused is not None:
            async with database.transaction() as conn:
                await _give_up(runtime, conn, approval_id, disclosure_id, refused)
    return len(due)


async def _carry_out_one(runtime: IngestRuntime, conn: Connection, approval_id: UUID, disclosure_id: UUID) -> None:
    approval = await lock_approval(conn, approval_id)
    item = next((i for i in approval.items if i.disclosure_id == disclosure_id), None) if approval else None
    if approval is None or item is None or item.state != "waiting":
        return
    now = runtime.clock.now()
    actor = actor_of(approval.actor_id, runtime.reference, now)
    if actor is None:
        raise ForbiddenError(_LEFT)
    # Noted first, in the same transaction: what is undone at this very moment is not approved.
    if await update_item(conn, approval_id, disclosure_id, "approved", None):
        desk = Changing(runtime, now, conn, actor)
        approved = await approve(desk, disclosure_id, item.edition, item.secrecy_checked_by)
        subject = actions.Subject(f"disclosure/{disclosure_id}", approved.village_code, approval.address)
        await actions.record(conn, actor.who, "approval carried out", now, subject)


async def _give_up(
    runtime: IngestRuntime, conn: Connection, approval_id: UUID, disclosure_id: UUID, refused: SanwuError
) -> None:
    """Note why something is not approved after all, and put it into the trail of whoever wanted it."""
    approval = await lock_approval(conn, approval_id)
    if approval is None or not await update_item(conn, approval_id, disclosure_id, "failed", refused.detail):
        return
    now = runtime.clock.now()
    actor = actor_of(approval.actor_id, runtime.reference, now)
    who = actor.who if actor is not None else actions.Who(approval.actor_id, None, None)
    known = (await select_known(conn, [disclosure_id])).get(disclosure_id)
    village = known.village_code if known is not None else None
    subject = actions.Subject(f"disclosure/{disclosure_id}", village, approval.address)
    await actions.record(conn, who, "approval carried out", now, subject, actions.Outcome(refused.code))
